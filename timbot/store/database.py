"""The database file: opened once, written by one thread, read by another.

What is confirmed is on disk. A database that fails while it is in use is *broken*: every write from then on fails with the
same error, and whoever runs the bot waits for `failure` and stops it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from timbot.store.errors import StoreBroken, StoreClosed, broken, cannot_open
from timbot.store.folder import FolderLock, make_private, prepare
from timbot.store.jobs import Jobs, SqliteJobs
from timbot.store.lane import Lane, T, Work, read_group, write_group
from timbot.store.schema import migrate
from timbot.store.state import SqliteStore, Store

Durability = Literal["full", "relaxed"]
"""What a confirmed write survives: `full` a power loss, `relaxed` the death of the process."""

BUSY_SECONDS: Final = 5.0
"""How long another program's lock on the file is waited for."""

CHECKED_BYTES: Final = 16 << 20
"""A file up to this size is checked whole at every start, which takes some ten milliseconds. A larger one would keep the
bot offline for seconds; damage in it is found when the damaged page is read, and stops the bot then."""

WAL_BYTES: Final = 16 << 20
"""What the write-ahead log shrinks back to after a rush."""


@dataclass(frozen=True, slots=True)
class _Opened:
    path: Path | None
    writer: sqlite3.Connection
    reader: sqlite3.Connection
    lock: FolderLock | None

    def close(self) -> None:
        try:
            self.reader.close()
            self.writer.close()  # last: it empties the write-ahead log
        finally:
            if self.lock is not None:
                self.lock.release()


class Database:
    """Plugin state, job records and counters, and room for what else belongs in the same transactions.

    Made by `open` or `memory`; belongs to the event loop it was made on.
    """

    def __init__(self, opened: _Opened, write_pool: ThreadPoolExecutor, read_pool: ThreadPoolExecutor) -> None:
        self.path = opened.path
        self._opened = opened
        self._pools = (write_pool, read_pool)
        self._writes = Lane(write_pool, opened.writer, write_group, self._break)
        self._reads = Lane(read_pool, opened.reader, read_group, self._break)
        self._cause: BaseException | None = None
        self._failed = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, folder: Path, *, durability: Durability = "full") -> Self:
        """Open the store in a folder, which is made if need be, and bring it up to date.

        Raises `StoreInUse` while another process has it open, else `StoreError`: a folder or file that cannot be used, a
        damaged file, a full disk, a file of a newer timbot or of another program.
        """
        write_pool = ThreadPoolExecutor(1, "store-write")
        opened = await _opened_in(write_pool, lambda: _open_file(folder, durability))
        return cls(opened, write_pool, ThreadPoolExecutor(1, "store-read"))

    @classmethod
    async def memory(cls) -> Self:
        """The same without any file: nothing survives `close`."""
        pool = ThreadPoolExecutor(1, "store")
        return cls(await _opened_in(pool, _open_memory), pool, pool)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def write(self, work: Work[T]) -> asyncio.Future[T]:
        """Do `work(connection)` in the writer's thread; its value, once it is on disk as `durability` says.

        It takes its place in the order with this call, not with the await, and keeps it when the caller is cancelled. It
        shares a transaction with others but fails alone: what it raises undoes its own changes and is raised here. It must
        not end the transaction. Raises `StoreBroken` when the database fails, `StoreClosed` after `close`.
        """
        return self._writes.put(work)

    def read(self, work: Work[T]) -> asyncio.Future[T]:
        """Do `work(connection)` in the reader's thread, on a snapshot that has every write confirmed before this call.

        It cannot change anything, and must not hand out a cursor. Raises `StoreBroken` when the database fails,
        `StoreClosed` after `close`.
        """
        return self._reads.put(work)

    def scope(self, account: str, plugin: str) -> Store:
        """What one plugin keeps in one account. Raises `UnstorableValue` for names that are empty or too long."""
        return SqliteStore(self.read, self.write, account, plugin)

    def jobs(self, account: str, plugin: str) -> Jobs:
        """The records of one plugin's jobs in one account. Raises `UnstorableValue` likewise."""
        return SqliteJobs(self.read, self.write, account, plugin)

    async def checkpoint(self) -> bool:
        """Write what is in the write-ahead log into the file and empty the log, so that nothing deleted is left in it.

        False: a reader was in the way, and the log stays until the next time. Raises `StoreBroken`, `StoreClosed`.
        """
        await self.write(lambda connection: None)  # whoever cannot write hears why
        try:
            call = asyncio.get_running_loop().run_in_executor(self._pools[0], _checkpoint, self._opened.writer)
        except RuntimeError:  # the thread was let go while we waited
            raise StoreClosed(self.path) from None
        try:
            return await call
        except sqlite3.Error as error:
            raise self._break(error)() from error

    @property
    def broken(self) -> StoreBroken | None:
        """Why nothing can be written any more, or None."""
        return None if self._cause is None else self._complaint(self._cause)

    async def failure(self) -> StoreBroken:
        """Wait until the database breaks, and say why. A bot that cannot write must stop."""
        await self._failed.wait()
        assert self._cause is not None
        return self._complaint(self._cause)

    async def close(self) -> None:
        """Finish what was asked for, refuse the rest, and let the next process in. May be called more than once."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="store: close")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        for lane in (self._writes, self._reads):
            lane.refuse(lambda: StoreClosed(self.path))
        for lane in (self._writes, self._reads):
            await lane.join()
        try:
            await asyncio.get_running_loop().run_in_executor(self._pools[0], self._opened.close)
        finally:
            for pool in self._pools:
                pool.shutdown()

    def _break(self, cause: BaseException) -> Callable[[], Exception]:
        if self._cause is None:
            self._cause = cause
            self._failed.set()
            if self._closing is None:
                self._writes.refuse(lambda: self._complaint(cause))
        return lambda: self._complaint(cause)

    def _complaint(self, cause: BaseException) -> StoreBroken:
        error = broken(self.path, cause)
        error.__cause__ = cause
        return error


def _checkpoint(connection: sqlite3.Connection) -> bool:
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


async def _opened_in(pool: ThreadPoolExecutor, opening: Callable[[], _Opened]) -> _Opened:
    """Open in the pool's thread. A caller that gives up leaves nothing open behind."""
    call = asyncio.get_running_loop().run_in_executor(pool, opening)
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        with contextlib.suppress(Exception):
            (await call).close()
        pool.shutdown()
        raise
    except BaseException:
        pool.shutdown()
        raise


def _open_memory() -> _Opened:
    connection = _connect(":memory:")
    migrate(connection, None)
    return _Opened(None, connection, connection, None)


def _open_file(folder: Path, durability: Durability) -> _Opened:
    with contextlib.ExitStack() as undo:
        try:
            path = prepare(folder)
            lock = FolderLock(folder)
            undo.callback(lock.release)
            make_private(path)
            writer = _connect(str(path))
            undo.callback(writer.close)
            _set_up(writer, path, durability)
            migrate(writer, path)
            reader = _connect(str(path))
        except (sqlite3.Error, OSError) as error:
            raise cannot_open(folder, error) from error
        undo.pop_all()
    return _Opened(path, writer, reader, lock)


def _connect(name: str) -> sqlite3.Connection:
    # Made in one thread, used in another, never in two at once.
    connection = sqlite3.connect(
        name, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _set_up(connection: sqlite3.Connection, path: Path, durability: Durability) -> None:
    """Check the file, then choose how it is written. Raises `sqlite3.Error`."""
    if path.stat().st_size <= CHECKED_BYTES:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise _damaged(verdict)
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise sqlite3.OperationalError(f"its file system allows no write-ahead log (journal mode {mode})")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'full' else 'NORMAL'}")
    connection.execute("PRAGMA fullfsync = ON")  # a Mac's fsync stops short of the disk
    connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES:d}")
    # What is deleted is overwritten. Its pages are used again, so a file is as large as it was at its fullest: giving them
    # back would cost every write a little, and a file that breathes once a day gains nothing by it.
    connection.execute("PRAGMA secure_delete = ON").fetchone()


def _damaged(verdict: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(verdict)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error
