"""The journal in the store's file: it survives what the file survives."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeVar

from timbot.im.clock import Clock, SystemClock
from timbot.im.delivery import Change
from timbot.runtime.journal import forgetting, keeping, reading, writing
from timbot.runtime.journal.recorder import Recorder
from timbot.runtime.journal.values import Commit, DeadLetter, KeptEvent, KeptSend, KeptStep, NewEvent, Resumed
from timbot.runtime.journal.writing import Account
from timbot.store import Database

_T = TypeVar("_T")

_NOBODY = -1
"""The number of an account that has no journal yet: nothing is found under it."""


class SqliteJournal:
    """The `Journal` of one account in a database. Many accounts share one database, and one recorder.

    `key` names the account, as for `Database.scope`: plugin state is written under it. `world` tells servers apart that begin
    anew, as a sandbox may: in another world nothing of the old one is still to be done. Without `recorder` there are no
    suspects, as befits a tool that opens the journal of a stopped bot; it need not call `resume` either.
    """

    def __init__(
        self,
        database: Database,
        key: str,
        *,
        world: str = "",
        recorder: Recorder | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._database = database
        self._key = key
        self._account_key = f"{key}#{world}" if world else key
        self._recorder = recorder
        self._clock = clock or SystemClock()
        self._account: Account | None = None

    async def resume(self) -> Resumed:
        """See `Journal`."""
        await self._database.write(lambda connection: self._mine(connection))
        now, recorder = self._clock.now(), self._recorder
        suspects, deaths = (recorder.suspects, recorder.deaths) if recorder else (frozenset(), ())
        return await self._read(lambda connection, account: reading.resume(connection, account, now, suspects, deaths))

    def take(self, events: Sequence[NewEvent], change: Change) -> asyncio.Future[list[int]]:
        """See `Journal`."""
        now, events = self._clock.now(), tuple(events)
        return self._database.write(lambda connection: writing.take(connection, self._mine(connection), events, change, now))

    def commit(self, *changes: Commit) -> asyncio.Future[list[int]]:
        """See `Journal`."""
        return self._database.write(lambda connection: writing.commit(connection, self._mine(connection), changes))

    async def waiting(self, lane: str, after: int, limit: int) -> list[KeptEvent]:
        """See `Journal`."""
        return await self._read(lambda connection, account: reading.waiting(connection, account, lane, after, limit))

    async def event(self, number: int) -> KeptEvent | None:
        """See `Journal`."""
        return await self._read(lambda connection, account: reading.event(connection, account, number))

    async def steps(self, event: int) -> tuple[list[KeptStep], list[KeptSend]]:
        """See `Journal`."""
        return await self._read(lambda connection, account: reading.steps(connection, account, event))

    async def send(self, number: int) -> KeptSend | None:
        """See `Journal`."""
        return await self._read(lambda connection, account: reading.send(connection, account, number))

    def began(self, event: int) -> None:
        """See `Journal`."""
        if self._recorder is not None:
            self._recorder.began(event)

    def ended(self, event: int) -> None:
        """See `Journal`."""
        if self._recorder is not None:
            self._recorder.ended(event)

    async def dead_letters(self, *, after: int = 0, limit: int = 100) -> list[DeadLetter]:
        """See `Journal`."""
        return await self._read(lambda connection, account: reading.dead_letters(connection, account, after, limit))

    async def revive(self, number: int) -> KeptEvent | None:
        """See `Journal`."""
        return await self._database.write(lambda connection: keeping.revive(connection, self._mine(connection).id, number))

    async def drop(self, number: int) -> bool:
        """See `Journal`."""
        now = self._clock.now()
        return await self._database.write(lambda connection: keeping.drop(connection, self._mine(connection).id, number, now))

    async def unknown_sends(self, *, after: int = 0, limit: int = 100) -> list[KeptSend]:
        """See `Journal`."""
        return await self._read(lambda connection, account: reading.unknown_sends(connection, account, after, limit))

    async def forget(self, user_id: str) -> int:
        """See `Journal`. The write-ahead log is emptied too, and what is deleted is overwritten."""
        account = await self._read(lambda _, account: account)
        removed = await forgetting.forget(self._database, account, user_id)
        await self._database.checkpoint()
        return removed

    async def compact(self, now: float, keep: float) -> int:
        """See `Journal`. It is done in small pieces: others write in between."""
        account = await self._read(lambda _, account: account)
        return await keeping.compact(self._database, account, now, keep)

    async def counts(self) -> dict[str, int]:
        """See `Journal`."""
        now = self._clock.now()
        return await self._read(lambda connection, account: reading.counts(connection, account, now))

    def _mine(self, connection: sqlite3.Connection) -> Account:
        """The account, in the writer's thread. It is known for good once it was found, not when it was made: that may fail."""
        if self._account is not None:
            return self._account
        found = writing.find_account(connection, self._account_key)
        if found is None:
            return Account(writing.make_account(connection, self._account_key), self._key)
        self._account = Account(found, self._key)
        return self._account

    async def _read(self, work: Callable[[sqlite3.Connection, int], _T]) -> _T:
        def look(connection: sqlite3.Connection) -> _T:
            account = self._account.id if self._account else writing.find_account(connection, self._account_key)
            return work(connection, _NOBODY if account is None else account)

        return await self._database.read(look)


async def accounts(database: Database) -> list[str]:
    """The keys of all accounts that have a journal in a database."""
    rows = await database.read(lambda connection: connection.execute("SELECT key FROM account ORDER BY key").fetchall())
    return [key for (key,) in rows]
