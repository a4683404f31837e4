"""The TIM client: one account, its events, and the SDK's methods in snake_case.

    async with Client(account, endpoint=resolve("sandbox")) as client:
        async for event in client.events():
            ...

Events come once each and in order within their conversation, whatever the network did meanwhile. With `deliveries` instead
of `events`, and a journal that keeps them, also whatever became of the process.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Literal, Self

from timbot.errors import ImError, NotLoggedIn
from timbot.im.api.messages import Sequences
from timbot.im.api.profiles import ProfilesApi
from timbot.im.catching_up import CHUNK, GAP_PATIENCE, CatchingUp
from timbot.im.clock import Clock, SystemClock
from timbot.im.credentials import Credentials, Source
from timbot.im.delivery import Arrival, Change, Delivery, Memory
from timbot.im.endpoints import Endpoint
from timbot.im.exchange import Ticket
from timbot.im.happenings import (
    BrokenFrame,
    Connected,
    Disconnected,
    Expired,
    Happening,
    KickedOut,
    Push,
    Synced,
    SyncFailed,
)
from timbot.im.inbox import Inbox
from timbot.im.model import events as model
from timbot.im.outlet import Outlet
from timbot.im.session import Session, Timing
from timbot.im.shelf import Shelf
from timbot.im.sync import EndlessAnswer
from timbot.im.transport import Transport

FirstLogin = Literal["none", "unread"]

MOST_FAILED_ROUNDS: Final = 3
"""Looks for missed messages that may fail in a row before what is pushed is handed over without them."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of an app. `source` gives its UserSig (see `timbot.im.credentials`)."""

    sdk_app_id: int
    user_id: str
    source: Source = field(repr=False)


class Client(CatchingUp, ProfilesApi):
    """One logged-in account.

    `transport`, `clock` and `chance` default to the real ones. `backlog` bounds what waits for a slow reader: beyond it the
    socket is read less, and nothing is dropped. `memory` is what the process before has left of the deliveries it kept; with
    one, or once `deliveries` was called, nothing counts as received before its delivery is accepted. `first_login`: what the
    server lists as unread when there was no login before is history ("none") or news ("unread").
    """

    def __init__(
        self,
        account: Account,
        *,
        endpoint: Endpoint,
        transport: Transport | None = None,
        clock: Clock | None = None,
        chance: random.Random | None = None,
        timing: Timing | None = None,
        backlog: int = 1000,
        memory: Memory | None = None,
        first_login: FirstLogin = "none",
    ) -> None:
        if transport is None:
            from timbot.im.websocket import WebSocketTransport  # costs 0.1 s to import, and tests never need it

            transport = WebSocketTransport()
        self._clock = self.clock = clock or SystemClock()
        self._chance = chance or random.SystemRandom()
        self._session = Session(
            Ticket(account.sdk_app_id, account.user_id),
            Credentials(account.user_id, account.source),
            endpoint,
            transport=transport,
            clock=self._clock,
            chance=self._chance,
            timing=timing,
            backlog=backlog,
        )
        self._sequences = Sequences(self._clock)
        self._outlet = Outlet(backlog, self._clock, by_hand=memory is not None)
        self._synced = asyncio.Event()
        self._doubtful = set()
        self._first_login = first_login
        self._connected_at = 0.0
        self._up_to_date = False
        """Nothing is being caught up, and nothing has to be."""
        self._round_due = False
        self._owing = False
        """A look back has left something out: it is repeated when the server answers again."""
        self._failed_rounds = 0
        self._was_ready = False
        self._leaving = False
        self._pump: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._fills: set[asyncio.Task[None]] = set()
        self._begin_with(memory or Memory())

    def remember(self, memory: Memory) -> None:
        """Go on where an earlier client of this account stopped. To be called before `login`; like `memory` when it is made."""
        if self._pump is not None:
            raise NotLoggedIn(f"The client of {self.user_id} was logged in already.", hint="Remember first, then log in.")
        self._outlet.by_hand = True
        self._begin_with(memory)

    def _begin_with(self, memory: Memory) -> None:
        last = max([int(self._clock.now() * 1000), *(held.number for held in memory.held)])
        self._shelf = Shelf(keeps=self._outlet.by_hand, last=last)
        self._inbox = Inbox(self.user_id, memory, self._shelf)
        self._session.remember(memory.cookie)
        self._began = memory.began
        self._is_first = not memory.began
        self._told = Change(began=memory.began, whole_until=memory.whole_until)

    async def __aenter__(self) -> Self:
        await self.login()
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.logout()

    async def login(self) -> None:
        """Connect and log in (`login`), once. Raises `LoginRefused`, `CredentialsError`, `ConnectionLost`."""
        if self._pump is not None or self._leaving:
            raise NotLoggedIn(f"The client of {self.user_id} was logged in already.", hint="Make a new one.")
        self._pump = asyncio.create_task(self._run(), name=f"client {self.user_id}: pump")
        try:
            await self._session.start()
        except BaseException:
            await self.logout()
            raise

    async def logout(self) -> None:
        """Log out and let go of everything (`logout`, `destroy`). Idempotent; `events` and `deliveries` end."""
        self._leaving = True
        await self._session.close()
        self._outlet.nudge()  # the pump waits for no reader any more, and ends with the session
        if self._pump is not None:
            await asyncio.wait({self._pump})
        tasks = [task for task in (self._catching_up, *self._fills) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._outlet.end()

    def abandon(self) -> None:
        """Stop at once, without a goodbye, as if the process had ended."""
        self._leaving = True
        self._session.abandon()
        for task in (self._pump, self._catching_up, *self._fills):
            if task is not None:
                task.cancel()

    @property
    def underlying(self) -> Self:
        """The client itself, also where a handler has a view of it: the same object for all that goes on in an account."""
        return self

    def events(self) -> AsyncIterator[model.Event]:
        """What happens, until the login ends. For one reader, of a client without `memory`; `error` then says why."""
        return self._outlet.events()

    def deliveries(self) -> AsyncIterator[Delivery]:
        """What happens, together with what has to be remembered, until the login ends. To be called before `login`, instead of
        `events`. Each delivery is to be kept as a whole and in order, then accepted: only then does the server hear of it."""
        self._outlet.by_hand = self._shelf.keeps = True
        return self._outlet.deliveries()

    @property
    def error(self) -> ImError | None:
        """Why the login ended by itself; None while it lasts and after `logout`."""
        return self._session.error

    @property
    def online(self) -> bool:
        """Whether the account is logged in on an open connection right now."""
        return self._session.online

    @property
    def silence(self) -> float:
        """Seconds since anything was heard from the server; 0 before the first connection."""
        return self._session.silence

    def server_now(self) -> float:
        """The server's time, Unix seconds."""
        return self._session.server_now()

    # From happenings to deliveries

    async def _run(self) -> None:
        try:
            async for happening in self._session.happenings():
                await self._take(happening)
                await self._wait_for_reader()
        finally:
            self._outlet.end()

    async def _wait_for_reader(self) -> None:
        """Let the reader catch up below the bound, unless there will be none."""
        await self._outlet.wait_for_room(lambda: self._leaving)

    async def _take(self, happening: Happening) -> None:
        match happening:
            case Push():
                if self._up_to_date:
                    self._has_come(happening.heard)
                arrivals = self._inbox.pushed(happening.items)
                if self._outlet.by_hand:
                    self._hand_over(arrivals, happening.ack)
                else:
                    self._hand_over(arrivals)
                    await happening.ack()
            case Synced():
                await self._take_page(happening)
            case Connected():
                self._begin_catching_up(happening)
            case Disconnected():
                self._has_come(happening.heard)
                self._up_to_date = False
                connecting = model.NetState.CONNECTING
                self._tell(model.NetStateChanged(connecting, happening.cause, happening.retry_in))
            case Expired():
                self._tell(model.LoggedOut(None))
            case KickedOut():
                self._tell(model.LoggedOut(happening.kind))
            case BrokenFrame():
                self._tell(model.BrokenItem(happening.error, raw=happening.error.raw))
            case SyncFailed():
                self._report(f"looking for missed messages failed: {happening.error}", self._looked_back_to())
                self._failed_rounds += 1
                if self._failed_rounds >= MOST_FAILED_ROUNDS or isinstance(happening.error, EndlessAnswer):
                    self._synced.set()  # said; what is pushed must not wait for ever. A later round may still bring it

    async def _take_page(self, page: Synced) -> None:
        async def keep() -> None:
            page.keep()

        if page.whole:
            self._failed_rounds = 0
            self._round_due = False
            self._has_come(page.heard)
        arrivals = self._inbox.synced(page.items)
        if self._outlet.by_hand:
            self._hand_over(arrivals, keep, page.cookie)
        else:
            self._hand_over(arrivals)
            page.keep()
        if page.whole:
            self._synced.set()
            if self._owing and (self._catching_up is None or self._catching_up.done()):
                self._start_catching_up()

    def _has_come(self, heard: float) -> None:
        """All that the server had to say up to then (by its clock, Unix seconds) has come."""
        known = self._inbox.known
        if self._up_to_date and heard > known.whole_until:
            known.whole_until = heard
            self._inbox.floor = max(self._inbox.floor, known.oldest)

    def _tell(self, *events: model.Event) -> None:
        self._hand_over([Arrival(event) for event in events])

    def _hand_over(self, arrivals: list[Arrival], then: Callable[[], Awaitable[None]] | None = None, cookie: str = "") -> None:
        if self._outlet.by_hand:
            if arrivals or then is not None:  # what else there is to remember goes with the next one
                self._outlet.put_delivery(arrivals, self._change(cookie), then)
        else:
            self._outlet.put_events(arrivals)
        if self._inbox.streams.gaps:
            for gap in self._inbox.streams.take_gaps():
                task = asyncio.create_task(self._fill(gap, GAP_PATIENCE), name=f"client {self.user_id}: gap in {gap.group_id}")
                self._fills.add(task)
                task.add_done_callback(self._fills.discard)

    def _change(self, cookie: str) -> Change:
        """What has to be remembered since the delivery before."""
        marks, left = self._inbox.streams.take_marks()
        held, released = self._shelf.take()
        now = Change(began=self._began, whole_until=self._inbox.known.whole_until)
        told, self._told = self._told, now
        return Change(
            began=now.began if now.began != told.began else None,
            cookie=cookie or None,
            whole_until=now.whole_until if now.whole_until != told.whole_until else None,
            marks=marks,
            left=left,
            held=held,
            released=released,
            met=self._inbox.known.take_met(),
        )

    # After a login

    def _begin_catching_up(self, connected: Connected) -> None:
        known = self._inbox.known
        self._is_first = self._is_first and not self._began
        self._connected_at = connected.server_time
        self._began = min(self._began or connected.server_time, connected.server_time)
        known.whole_until = min(known.whole_until, connected.server_time)  # the server's clock may have been set back
        unread = self._first_login == "unread" and not known.whole_until
        self._inbox.floor = 0 if unread else max(self._began, known.oldest)
        self._round_due = True
        self._up_to_date = False
        self._failed_rounds = 0
        self._synced.clear()
        self._tell(model.NetStateChanged(model.NetState.CONNECTED))
        self._start_catching_up(announce=True)

    def _start_catching_up(self, *, announce: bool = False) -> None:
        for task in (self._catching_up, *self._fills):
            if task is not None:
                task.cancel()  # begun on a connection that is gone: the new look back covers the same ground
        self._doubtful |= self._inbox.hold()
        self._catching_up = asyncio.create_task(self._catch_up(announce), name=f"client {self.user_id}: catch up")

    async def _catch_up(self, announce: bool) -> None:
        """Hand over what was missed: C2C, then groups, then requests, then what has been pushed since the login."""
        await self._synced.wait()
        try:
            complete = await self._look_back()
        except NotLoggedIn:
            return
        while any(number > CHUNK for number in self._inbox.waiting):
            missed, _ = self._inbox.waiting  # a page may have come meanwhile
            self._hand_over(self._inbox.missed(CHUNK) if missed else self._inbox.release(CHUNK))
            await self._wait_for_reader()
        self._hand_over(self._inbox.missed())
        self._owing = self._round_due or not complete
        self._up_to_date = not self._owing
        self._is_first = False
        self._has_come(self._connected_at)
        self._hand_over(self._inbox.release())
        if announce:
            self._tell(model.Ready(again=self._was_ready))
            self._was_ready = True
