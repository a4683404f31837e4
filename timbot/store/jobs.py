"""When a plugin's jobs ran last, and how that ended: what a restart needs to find the runs it missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from timbot.store.state import Runner, checked_name

DETAIL_CHARACTERS: Final = 500
"""How much of a run's detail is kept."""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """The run of a job that was recorded last. Times are Unix seconds."""

    key: str
    nominal: float
    """The fire time it ran for, not when it really began."""
    outcome: str
    """One word, such as `done` or `failed`."""
    detail: str
    """What a person should know, such as the error."""
    finished: float
    """When it was recorded."""


class Jobs(Protocol):
    """The records of one plugin's jobs in one account: one each, of the last run.

    Every method raises `UnstorableValue` for a key it does not take, and `StoreBroken` or `StoreClosed` where the database
    cannot go on. What was awaited is on disk.
    """

    async def last(self, key: str) -> float | None:
        """The nominal fire time recorded last, Unix seconds; None for a job that never ran."""

    async def record(self, key: str, nominal: float, outcome: str, *, finished: float, detail: str = "") -> None:
        """Record a run in place of the one before, even of a later one: a clock may have been put back.

        Of `detail`, 500 characters are kept.
        """

    async def records(self) -> list[JobRecord]:
        """The records of all jobs, in order of their keys."""

    async def forget(self, key: str) -> None:
        """Drop the record of a job. One that is not there is no error."""


class SqliteJobs:
    """The `Jobs` in a database's tables."""

    def __init__(self, read: Runner, write: Runner, account: str, plugin: str) -> None:
        self._read = read
        self._write = write
        self._scope = (checked_name("account", account), checked_name("plugin", plugin))

    async def last(self, key: str) -> float | None:
        """See `Jobs`."""
        where = (*self._scope, checked_name("key", key))
        row = await self._read(lambda c: c.execute(_LAST, where).fetchone())
        return None if row is None else float(row[0])

    async def record(self, key: str, nominal: float, outcome: str, *, finished: float, detail: str = "") -> None:
        """See `Jobs`."""
        text = detail[:DETAIL_CHARACTERS].encode(errors="replace").decode()
        row = (*self._scope, checked_name("key", key), nominal, checked_name("outcome", outcome), text, finished)
        await self._write(lambda c: c.execute(_RECORD, row).rowcount)

    async def records(self) -> list[JobRecord]:
        """See `Jobs`."""
        rows = await self._read(lambda c: c.execute(_RECORDS, self._scope).fetchall())
        return [JobRecord(*row) for row in rows]

    async def forget(self, key: str) -> None:
        """See `Jobs`."""
        where = (*self._scope, checked_name("key", key))
        await self._write(lambda c: c.execute(_FORGET, where).rowcount)


_LAST: Final = "SELECT nominal FROM job WHERE account = ? AND plugin = ? AND key = ?"
_RECORD: Final = """
    INSERT INTO job (account, plugin, key, nominal, outcome, detail, finished) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (account, plugin, key)
    DO UPDATE SET nominal = excluded.nominal, outcome = excluded.outcome, detail = excluded.detail, finished = excluded.finished
"""
_RECORDS: Final = "SELECT key, nominal, outcome, detail, finished FROM job WHERE account = ? AND plugin = ? ORDER BY key"
_FORGET: Final = "DELETE FROM job WHERE account = ? AND plugin = ? AND key = ?"
