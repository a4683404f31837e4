"""The TIM client: one account, its events, and the SDK's methods in snake_case.

    async with Client(account, endpoint=resolve("sandbox")) as client:
        async for event in client.events():
            ...

Events come once each and in order within their conversation, whatever the network did meanwhile.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Final, Self

from timbot.errors import ImError, NotLoggedIn, RequestTimeout
from timbot.im.api.conversations import LIST_CAP, ConversationsApi
from timbot.im.api.friends import FriendsApi
from timbot.im.api.groups import GroupsApi
from timbot.im.api.messages import MessagesApi, Sequences
from timbot.im.api.profiles import ProfilesApi
from timbot.im.backlog import Backlog
from timbot.im.clock import Clock, SystemClock
from timbot.im.credentials import Credentials, Source
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
from timbot.im.inbox import QUEUE_CAP, Gap, Inbox
from timbot.im.model import events as model
from timbot.im.session import Session, Timing
from timbot.im.sync import EndlessAnswer
from timbot.im.transport import Transport
from timbot.im.wire.identity import C2CIdentity, c2c_identity
from timbot.im.wire.messages import C2CMessage

OVERLAP: Final = 60.0
"""Seconds before the loss of a connection from which on history is read again: what was pushed last may not have arrived."""

MOST_FAILED_ROUNDS: Final = 3
"""Looks for missed messages that may fail in a row before what is pushed is handed over without them."""

GAP_PATIENCE: Final = 15.0
"""Seconds a group's later messages wait for a missing one."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of an app. `source` gives its UserSig (see `timbot.im.credentials`)."""

    sdk_app_id: int
    user_id: str
    source: Source = field(repr=False)


class Client(MessagesApi, ConversationsApi, ProfilesApi, FriendsApi, GroupsApi):
    """One logged-in account.

    `transport`, `clock` and `chance` default to the real ones. `backlog` bounds what waits for a slow reader of `events`:
    beyond it the socket is read less, and nothing is dropped.
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
        self._inbox = Inbox(account.user_id)
        self._events: Backlog[model.Event] = Backlog(backlog, self._clock)
        self._synced = asyncio.Event()
        self._missed: list[Synced] = []
        self._doubtful: set[str] = set()
        """Users whose messages came partly by push and partly not: only their history tells the order."""
        self._whole_until = 0.0
        self._failed_rounds = 0
        self._was_ready = False
        self._leaving = False
        self._pump: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._fills: set[asyncio.Task[None]] = set()

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
        """Log out and let go of everything (`logout`, `destroy`). Idempotent; `events` ends."""
        self._leaving = True
        await self._session.close()
        self._events.nudge()  # the pump waits for no reader any more, and ends with the session
        if self._pump is not None:
            await asyncio.wait({self._pump})
        tasks = [task for task in (self._catching_up, *self._fills) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._events.end()

    def events(self) -> AsyncIterator[model.Event]:
        """What happens, until the login ends. For one reader; `error` then says why."""
        return self._events.read()

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

    # From happenings to events

    async def _run(self) -> None:
        try:
            async for happening in self._session.happenings():
                await self._take(happening)
                await self._wait_for_reader()
        finally:
            self._events.end()

    async def _wait_for_reader(self) -> None:
        """Let the reader of `events` catch up below the bound, unless there will be none."""
        await self._events.wait_for_room(patience=math.inf, urgent=lambda: self._leaving)

    async def _take(self, happening: Happening) -> None:
        match happening:
            case Push():
                self._hand_over(self._inbox.pushed(happening.items))
                await happening.ack()
            case Synced():
                self._failed_rounds = 0
                if self._catching_up is None or self._catching_up.done():
                    self._hand_over(self._inbox.synced(happening.items, first=happening.first))
                else:
                    self._missed.append(replace(happening, items=self._inbox.not_held(happening.items)))
                    self._synced.set()
            case Connected():
                self._begin_catching_up(happening)
            case Disconnected():
                self._whole_until = self._whole_until or self.server_now()
                connecting = model.NetState.CONNECTING
                self._hand_over([model.NetStateChanged(connecting, happening.cause, happening.retry_in)])
            case Expired():
                self._hand_over([model.LoggedOut(None)])
            case KickedOut():
                self._hand_over([model.LoggedOut(happening.kind)])
            case BrokenFrame():
                self._hand_over([model.BrokenItem(happening.error)])
            case SyncFailed():
                self._hand_over([model.Incomplete("", f"looking for missed messages failed: {happening.error}")])
                self._failed_rounds += 1
                if self._failed_rounds >= MOST_FAILED_ROUNDS or isinstance(happening.error, EndlessAnswer):
                    self._synced.set()  # said; what is pushed must not wait for ever. A later round may still bring it

    def _hand_over(self, events: Iterable[model.Event]) -> None:
        for event in events:
            self._events.put(event)
        for gap in self._inbox.take_gaps():
            task = asyncio.create_task(self._fill_live(gap), name=f"client {self.user_id}: gap in {gap.group_id}")
            self._fills.add(task)
            task.add_done_callback(self._fills.discard)

    def _begin_catching_up(self, connected: Connected) -> None:
        for task in (self._catching_up, *self._fills):
            if task is not None:
                task.cancel()  # begun on a connection that is gone: the new round covers the same ground
        self._synced.clear()  # what was missed before a second break stays in `_missed`: it never comes again
        if held := self._inbox.take_held():
            self._missed.append(Synced(tuple(held), cookie="", first=False))
            self._doubtful |= {item.value.from_account for item in held if isinstance(item.value, C2CMessage)}
        self._inbox.logged_in(connected.server_time)
        self._hand_over([model.NetStateChanged(model.NetState.CONNECTED)])
        self._failed_rounds = 0
        work = self._catch_up()
        self._catching_up = asyncio.create_task(work, name=f"client {self.user_id}: catch up")

    async def _catch_up(self) -> None:
        """Hand over what was missed: C2C, then groups, then requests, then what has been pushed since the login."""
        await self._synced.wait()
        try:
            await self._look_back()
            since = max(self._whole_until - OVERLAP, 0.0)
            for gap in self._inbox.groups_listed(await self.get_group_list(), since=since):
                await self._wait_for_reader()
                await self._fill(gap)
            for application in (await self.get_friend_application_list()).applications:
                if application.incoming and self._inbox.is_new_application(application.user_id, application.time):
                    self._hand_over([model.FriendApplicationReceived(application)])
        except NotLoggedIn:
            return
        except ImError as error:
            self._hand_over([model.Incomplete("", f"catching up failed: {error}")])
        self._hand_over_missed()
        self._whole_until = 0.0
        self._hand_over(self._inbox.release())
        self._hand_over([model.Ready(again=self._was_ready)])
        self._was_ready = True

    async def _look_back(self) -> None:
        """Read the history of conversations of which the queue may not have kept everything, before its own messages."""
        since = max(self._whole_until - OVERLAP, self._inbox.began + 1)  # before the first login is history
        if self._whole_until:
            for peer in sorted(await self._find_doubtful(since)):
                await self._wait_for_reader()
                self._hand_over(self._inbox.synced(await self._c2c_since(peer, since), first=False))
                self._doubtful.discard(peer)
        self._hand_over_missed()

    async def _find_doubtful(self, since: float) -> set[str]:
        """Users of whom something may be missing, since (Unix seconds): what the caps of queue and list have cut off."""
        missed = [item for round_ in self._missed for item in round_.items if isinstance(item.value, C2CMessage)]
        came = {c2c_identity(item.value, self.user_id) for item in missed if isinstance(item.value, C2CMessage)}
        senders = self._inbox.senders(missed)
        contacts, full = await self._last_c2c_messages()
        recent = [last for last in contacts if last.time >= since]
        unknown = {
            last.peer
            for last in recent
            if last.incoming
            and C2CIdentity(last.peer, False, last.sequence, last.random) not in came
            and not self._inbox.knows(last.peer, last.sequence, last.random)
        }
        doubtful = self._doubtful | unknown | {user for user, count in senders.items() if count >= QUEUE_CAP}
        if full or len(senders) >= LIST_CAP:
            window = f"since {since:.0f}"
            self._hand_over([model.Incomplete("", f"the server's lists are full at {LIST_CAP} conversations, {window}")])
            doubtful |= senders.keys() | {last.peer for last in recent} | self._inbox.peers()
        return doubtful

    def _hand_over_missed(self) -> None:
        missed, self._missed = self._missed, []
        for round_ in missed:
            self._hand_over(self._inbox.synced(round_.items, first=round_.first))

    async def _fill_live(self, gap: Gap) -> None:
        """A gap in what is being pushed: the later messages wait for it, but not for ever."""
        try:
            async with asyncio.timeout(GAP_PATIENCE):
                await self._fill(gap)
        except TimeoutError:
            if self._session.online:  # else nothing is given up: the next login asks for all that is missing
                self._hand_over(self._inbox.filled(gap, []))

    async def _fill(self, gap: Gap) -> None:
        """Ask for what is missing until there is an answer. What the server refuses to give is given up."""
        while True:
            try:
                items = await self._group_range(gap.group_id, gap.first, gap.last, since=gap.since)
            except RequestTimeout:
                continue
            except NotLoggedIn:
                return
            except ImError:
                items = []
            self._hand_over(self._inbox.filled(gap, items))
            return
