"""The sandbox: a local TIM server in one object.

It owns the connections and nothing else: the domain says what is true, the front says how it is put, and here is who
hears it.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import time
from collections.abc import Callable, Iterable
from typing import Final

from timbot.errors import ConnectionLost
from timbot.im.transport import Connection
from timbot.im.wire import usersig
from timbot.im.wire.envelope import MAX_FRAME
from timbot.im.wire.value import given
from timbot.sandbox.auth import Gate
from timbot.sandbox.courier import Courier, asked_on
from timbot.sandbox.domain import Domain, Settings
from timbot.sandbox.domain.notices import Delivery, KickedOut
from timbot.sandbox.files import Files
from timbot.sandbox.front import Desk, Front, Pushes, unavailable
from timbot.sandbox.front.c2c import C2C
from timbot.sandbox.front.contacts import Contacts
from timbot.sandbox.front.files import FilePermits
from timbot.sandbox.front.friend_groups import FriendGroups
from timbot.sandbox.front.friends import Friends
from timbot.sandbox.front.group_messages import GroupMessages
from timbot.sandbox.front.groups import Groups
from timbot.sandbox.front.members import Members
from timbot.sandbox.front.newer import Newer
from timbot.sandbox.front.profiles import Profiles
from timbot.sandbox.front.render import Render
from timbot.sandbox.front.status import Status
from timbot.sandbox.line import GOING_AWAY, Bounds, Line
from timbot.sandbox.observe import KEPT, Closed, Garbled, Handled, Happening, Kicked, Observer, Opened
from timbot.sandbox.presence import Presence

log = logging.getLogger(__name__)

SDK_APP_ID: Final = 1400000000
HELLO_INTERVAL: Final = 120
PRUNE_EVERY: Final = 600
"""Seconds between two clean-ups of what the server no longer keeps."""

TOO_BIG: Final = 1009
NORMAL: Final = 1000


class Sandbox:
    """A TIM server for one app.

    `now` gives Unix seconds and `chance` everything random save tickets, so that a test owns both. `users` exist from the
    start, others from their first login. `hello_interval` in seconds. `bounds` limits what may wait for one client. `courier`
    is a harness's, which lets requests, answers and pushes be late, lost or doubled.
    """

    def __init__(
        self,
        secret_key: str,
        *,
        sdk_app_id: int = SDK_APP_ID,
        users: Iterable[str] = (),
        now: Callable[[], float] = time.time,
        chance: random.Random | None = None,
        settings: Settings | None = None,
        hello_interval: int = HELLO_INTERVAL,
        bounds: Bounds | None = None,
        courier: Courier | None = None,
    ) -> None:
        self.sdk_app_id = sdk_app_id
        self.secret_key = secret_key
        self.domain = Domain(now, chance or random.Random(), users=users, settings=settings)
        self.files = Files(now)
        self._now = now
        self._bounds = bounds or Bounds()
        self._courier = courier
        self._gate = Gate(self.domain.accounts, sdk_app_id, secret_key, now)
        self._presence = Presence(self.domain.accounts)
        self._render = Render(self.domain)
        self._pushes = Pushes(self.domain, self._render)
        self._front = Front(self.domain, self._gate, self._desk(hello_interval))
        self._lines: set[Line] = set()
        self._served = 0
        self._watchers: set[Observer] = set()
        self._stopping = False
        self._empty = asyncio.Event()
        self._pruned_at = now()

    def usersig(self, user: str, *, lifetime: int = usersig.DEFAULT_LIFETIME) -> str:
        """A signature that lets `user` in for `lifetime` seconds from now."""
        return usersig.sign(self.sdk_app_id, self.secret_key, user, now=int(self._now()), lifetime=lifetime)

    def observe(self, kept: int = KEPT) -> Observer:
        """Everything that happens from now on; up to `kept` happenings wait to be taken, older ones are lost."""
        return Observer(self._watchers, kept)

    def flush(self) -> None:
        """Hand out what calls of the domain have caused. Needed after calling `domain` directly, from outside a request."""
        for delivery in self.domain.take_deliveries():
            try:
                self._deliver(delivery)
            except Exception:  # one notice that cannot be told must not silence those behind it
                log.exception("telling %r of %s failed", delivery.to, type(delivery.notice).__name__)

    async def serve(self, connection: Connection, url: str) -> None:
        """Run one connection to its end. Requests are carried out in order, each before the next is read."""
        if self._stopping:
            await connection.close(GOING_AWAY, "the server is stopping")
            return
        self._served += 1
        line = Line(connection, self._served, self._bounds, url)
        self._lines.add(line)
        self._tell(Opened(line.number, url))
        try:
            while True:
                frame = await line.receive()
                if not line.ended:  # else it is being closed, and what still comes in is nobody's any more
                    self._take(line, frame)
                await asyncio.sleep(0)  # a client that never pauses must not keep the others waiting
        except ConnectionLost:
            pass  # how a connection ends
        finally:
            await self._leave(line)

    async def stop(self) -> None:
        """Close every connection and wait until the last `serve` has returned. The domain stays as it is."""
        self._stopping = True
        await asyncio.gather(*(line.hang_up(GOING_AWAY, "the server is stopping") for line in self._lines))
        while self._lines:
            self._empty.clear()
            await self._empty.wait()
        for watcher in tuple(self._watchers):
            watcher.close()

    def _desk(self, hello_interval: int) -> Desk:
        desk, domain, render = Desk(), self.domain, self._render
        Status(domain, self._gate, self._presence, render, self._pushes, hello_interval).register(desk)
        C2C(domain, render, self.files).register(desk)
        Profiles(domain).register(desk)
        Contacts(domain, render).register(desk)
        Friends(domain, render).register(desk)
        FriendGroups(domain).register(desk)
        Groups(domain, render).register(desk)
        GroupMessages(domain, render, self.files).register(desk)
        Members(domain).register(desk)
        Newer(domain).register(desk)
        FilePermits(self.files).register(desk)
        unavailable.register(desk)
        return desk

    def _take(self, line: Line, frame: bytes) -> None:
        if len(frame) > MAX_FRAME:
            line.end(TOO_BIG, f"a frame holds at most {MAX_FRAME} bytes")
            return
        asked = None if self._courier is None else asked_on(line, frame)
        if self._courier is None or asked is None:
            self._carry_out(line, frame)
        else:
            self._courier.request(asked, functools.partial(self._carry_out, line, frame))

    def _carry_out(self, line: Line, frame: bytes) -> None:
        outcome = self._front.take(frame, line)
        if outcome is None:
            self._tell(Garbled(line.number, frame[:200]))
            return
        handled = Handled(line.number, outcome.done, given(outcome.done.answer.error_code, 0))
        if outcome.frame is not None:
            if self._courier is None:
                line.send(outcome.frame)
            else:
                self._courier.answer(handled, functools.partial(line.send, outcome.frame))
        self._tell(handled)
        self.flush()
        self._prune()

    def _deliver(self, delivery: Delivery) -> None:
        notice = delivery.notice
        if isinstance(notice, KickedOut):
            line = self._presence.line_of(delivery.to, notice.instance)
            if line is not None:
                line.send(self._pushes.frame(delivery.to, notice, line.dialect))
            self._presence.release(delivery.to, notice.instance)
            self._tell(Kicked(delivery.to, notice.instance))
            return
        lines = [
            line
            for instance in self.domain.accounts.online_instances(delivery.to)
            if instance != delivery.skip_instance and (line := self._presence.line_of(delivery.to, instance)) is not None
        ]
        for line in lines:
            frame = self._pushes.frame(delivery.to, notice, line.dialect)
            if self._courier is None:
                line.send(frame)
            else:
                self._courier.push(delivery.to, frame, functools.partial(line.send, frame))
            if line.ended:
                self._presence.lost(line)

    async def _leave(self, line: Line) -> None:
        user = "" if line.owner is None else line.owner[0]
        self._presence.lost(line)
        try:
            await line.hang_up(NORMAL, line.ended)
        finally:
            self._lines.discard(line)
            self._empty.set()
            self._tell(Closed(line.number, user, line.ended))

    def _prune(self) -> None:
        if self._now() - self._pruned_at >= PRUNE_EVERY:
            self._pruned_at = self._now()
            self.domain.prune()

    def _tell(self, happening: Happening) -> None:
        for watcher in self._watchers:
            watcher.take(happening)
