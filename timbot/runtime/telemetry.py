"""Health and metrics of a running process: what its accounts do is counted, and told to whoever asks over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

from timbot.im.client import Client
from timbot.im.model import events as model
from timbot.im.model.message import Message
from timbot.runtime.account import AccountRunner
from timbot.runtime.activity import Activity, kind_of
from timbot.runtime.control.kicks import Keeper
from timbot.runtime.control.rounds import Rounds
from timbot.runtime.control.signatures import LOOK_EVERY, GivenSignature
from timbot.runtime.metrics import Metrics
from timbot.runtime.operations import AccountHealth, Health, Operations
from timbot.runtime.watchdog import Blocked
from timbot.store import Database, StoreBroken

COUNT_EVERY: Final = 10.0
"""Seconds between two looks at the store and at a journal."""

WRITE_SECONDS: Final = 15.0
"""How long the store may take for a write before its writer counts as stuck: another program's lock is waited for 5 s, and
then the store is broken."""


class Counted(Protocol):
    """What a journal tells of how much there is in it."""

    async def counts(self) -> dict[str, int]:
        """See `timbot.runtime.journal.interface.Journal`."""
        ...


class _Journal:
    """A journal as it was counted last."""

    def __init__(self, account: str, journal: Callable[[], Counted]) -> None:
        self._journal = journal
        self._figures: dict[str, int] = {}
        self._counted_at = 0.0
        self.rounds = Rounds(f"telemetry: journal of {account}", self._count, every=COUNT_EVERY)

    async def _count(self) -> None:
        figures = await self._journal().counts()
        self._figures, self._counted_at = figures, asyncio.get_running_loop().time()

    def figure(self, name: str) -> float:
        """Raises `KeyError` before the first count."""
        return self._figures[name]

    def reasons(self, oldest: float) -> tuple[str, ...]:
        """What is wrong, in words. `oldest` in seconds; 0: as old as it likes."""
        if self.rounds.error is not None:
            return (f"the journal cannot be read: {self.rounds.error}",)
        age = self._figures.get("oldest", 0)
        age += int(asyncio.get_running_loop().time() - self._counted_at) if age else 0
        if not 0 < oldest < age:
            return ()
        return (f"the oldest event waits for {age // 60} min; {self._figures.get('open', 0)} are open",)


class Telemetry:
    """Counts as an `Observer`, and serves what it has counted. An async context manager.

    `oldest_event`: how old an open event may become before health is red, in seconds; 0: as old as it likes.
    """

    def __init__(self, host: str, port: int, *, oldest_event: float = 0.0) -> None:
        self.metrics = Metrics()
        self._oldest_event = oldest_event
        self._watched: dict[str, Keeper[AccountRunner] | AccountRunner] = {}
        self._journals: dict[str, _Journal] = {}
        self._signatures: dict[str, GivenSignature] = {}
        self._store: tuple[Database, Rounds] | None = None
        self._rounds: list[Rounds] = []
        self._operations = Operations(host, port, self.health, self.metrics)
        self._lag: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._operations.start()
        self._lag = asyncio.create_task(self.metrics.watch_loop(), name="loop lag")
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._lag is not None:
            self._lag.cancel()
            await asyncio.wait({self._lag})
        for rounds in self._rounds:
            await rounds.stop()
        await self._operations.stop()

    @property
    def url(self) -> str:
        """Where it is served: `http://host:port`."""
        return self._operations.url

    # What to watch

    def watch(self, account: Keeper[AccountRunner] | AccountRunner) -> None:
        """One more account to tell of."""
        client = _client(account)
        self._watched[client.user_id] = account
        self.metrics.watch(
            client.user_id,
            connected=lambda: _client(account).online,
            busy=lambda: _runner(account).busy_conversations,
            waiting=lambda: _runner(account).waiting,
            outbox=lambda: _runner(account).unsent,
            heard=lambda: _heard(_client(account)),
        )

    def watch_journal(self, account: str, journal: Callable[[], Counted]) -> None:
        """The journal that an account has at the moment, counted every `COUNT_EVERY` seconds."""
        watched = self._journals[account] = _Journal(account, journal)
        self.metrics.watch_journal(account, watched.figure)
        self._begin(watched.rounds)

    def watch_store(self, database: Database) -> None:
        """Whether it can still write, asked every `COUNT_EVERY` seconds: by a write without anything in it, which waits in
        the line like any other."""
        rounds = Rounds("telemetry: store", lambda: database.write(lambda _: None), every=COUNT_EVERY)
        self._store = (database, rounds)
        self._begin(rounds)

    def watch_signature(self, account: str, signature: GivenSignature) -> None:
        """The UserSig of an account, if it was given."""
        self._signatures[account] = signature
        self.metrics.watch_signature(account, lambda: signature.expires_at)
        self._begin(Rounds(f"telemetry: signature of {account}", signature.look, every=LOOK_EVERY))

    def _begin(self, rounds: Rounds) -> None:
        self._rounds.append(rounds)
        rounds.start()

    def health(self) -> Health:
        """How every account is, now."""
        accounts = tuple(self._health_of(account) for account in self._watched)
        return Health(accounts, *self._health_of_store())

    def _health_of(self, account: str) -> AccountHealth:
        watched = self._watched[account]
        client, runner = _client(watched), _runner(watched)
        reasons: list[str] = [] if client.error is None else [str(client.error)]
        notes: tuple[str, ...] = ()
        if isinstance(watched, Keeper):
            reasons += watched.reasons
        if account in self._journals:
            reasons += self._journals[account].reasons(self._oldest_event)
        if account in self._signatures:
            reasons += self._signatures[account].reasons
            notes = self._signatures[account].notes
        return AccountHealth(
            account,
            connected=client.online,
            ready=runner.ready.is_set(),
            heard_seconds_ago=client.silence or None,
            waiting=runner.waiting,
            reasons=tuple(reasons),
            notes=notes,
        )

    def _health_of_store(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is wrong with the store, and that its writer is stuck."""
        if self._store is None:
            return (), ()
        database, rounds = self._store
        if database.broken is not None:
            return (str(database.broken),), ()
        if rounds.error is not None and not isinstance(rounds.error, StoreBroken):
            return (f"the store cannot be written: {rounds.error}",), ()
        if rounds.out > WRITE_SECONDS:
            return (), (f"the store's writer is stuck: a write has been under way for {rounds.out:.0f} s",)
        return (), ()

    # What happens

    def heard(self, account: str, event: model.Event) -> None:
        """Count an event."""
        self.metrics.received(account, kind_of(event))
        match event:
            case model.Ready(again=True):
                self.metrics.reconnected(account)
            case model.Incomplete():
                self.metrics.possibly_incomplete(account)
            case model.BrokenItem():
                self.metrics.not_understood(account)
            case model.LoggedOut(kind=kind) if kind is not None:
                self.metrics.kicked(account)

    def did(self, activity: Activity) -> None:
        """Count what a handler or a job has done. What no handler took was counted when it came in."""
        if not activity.route:
            return
        plugin, _, route = activity.route.partition(":")
        outcome = "sent" if activity.outcome.endswith(" sent") else activity.outcome  # no numbers in a label
        if activity.kind == "job":
            self.metrics.job_ran(activity.account, plugin, route, outcome, activity.seconds)
            return
        self.metrics.handled(activity.account, plugin, route, outcome, activity.seconds)
        for message in activity.said:
            self._sent(activity.account, message)
        self.metrics.replies_failed(activity.account, plugin, route, activity.unsent)
        if outcome == "failed":
            self.metrics.handler_failed(activity.account, plugin, route)
        elif outcome == "silenced":
            self.metrics.limit_hit(activity.account, "loop_guard")

    def said(self, account: str, plugin: str, message: Message) -> None:
        """Count what was said of the plugin's own accord."""
        self._sent(account, message)

    def loop_blocked(self, blocked: Blocked) -> None:
        """Count a block of the loop (`Watchdog.listen`)."""
        self.metrics.loop_blocked(blocked.plugin, blocked.handler.partition(":")[2] or blocked.function)

    def _sent(self, account: str, message: Message) -> None:
        self.metrics.sent(account, type(message.payload).__name__.lower())


def _runner(account: Keeper[AccountRunner] | AccountRunner) -> AccountRunner:
    return account.runner if isinstance(account, Keeper) else account


def _client(account: Keeper[AccountRunner] | AccountRunner) -> Client:
    return _runner(account).client


def _heard(client: Client) -> float:
    return client.clock.now() - client.silence if client.silence else 0.0
