"""Work for one SQLite connection, done in groups in one thread.

Whatever is asked for while a group is at work forms the next group. So one caller waits for one commit, and a thousand
callers share one: that is what makes a durable commit for every message affordable.

The thread is an executor's and each group is one call, because a loop whose time is virtual waits for such calls.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from timbot.store.errors import is_fatal

T = TypeVar("T")

Work = Callable[[sqlite3.Connection], T]
"""What a caller asks for. It runs in the thread, must not end the transaction, and must not hand out a cursor."""

GROUP: Final = 1000
"""Most pieces of work in one transaction: a bound for how long the first waits for the last."""


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """A piece of work and what became of it: its value, or its error."""

    value: T | None = None
    error: Exception | None = None


def write_group(connection: sqlite3.Connection, group: Sequence[Work[Any]]) -> list[Done[Any]]:
    """One transaction for all; who fails is undone alone. Raises what concerns them all: then none of it is confirmed."""
    execute = connection.execute
    try:
        execute("BEGIN IMMEDIATE")
        done = []
        for work in group:
            execute("SAVEPOINT piece")
            outcome = _attempt(connection, work)
            if not connection.in_transaction:
                raise outcome.error or sqlite3.ProgrammingError("A piece of work ended the transaction of its group.")
            if outcome.error is not None:
                execute("ROLLBACK TO piece")
            execute("RELEASE piece")
            done.append(outcome)
        execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            execute("ROLLBACK")
        raise
    return done


def read_group(connection: sqlite3.Connection, group: Sequence[Work[Any]]) -> list[Done[Any]]:
    """One snapshot for all, taken after everything that was confirmed before any of them was asked for."""
    connection.execute("PRAGMA query_only = ON")
    connection.execute("BEGIN")
    try:
        return [_attempt(connection, work) for work in group]
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("PRAGMA query_only = OFF")


def _attempt(connection: sqlite3.Connection, work: Work[Any]) -> Done[Any]:
    try:
        return Done(work(connection))
    except StopIteration as error:
        wrapped = RuntimeError("A piece of work raised StopIteration, which no future can carry.")
        wrapped.__cause__ = error
        return Done(error=wrapped)
    except Exception as error:
        if is_fatal(error):
            raise
        return Done(error=error)


class Lane:
    """The waiting line before one connection. `failed` is told when a group failed as a whole; what it returns makes the
    error for everybody in the line: one each, since an exception grows with every place it is raised at."""

    def __init__(
        self,
        executor: Executor,
        connection: sqlite3.Connection,
        run: Callable[[sqlite3.Connection, Sequence[Work[Any]]], list[Done[Any]]],
        failed: Callable[[BaseException], Callable[[], Exception]],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._executor = executor
        self._connection = connection
        self._run = run
        self._failed = failed
        self._waiting: deque[tuple[Work[Any], asyncio.Future[Any]]] = deque()
        self._busy = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._refusal: Callable[[], Exception] | None = None

    def put(self, work: Work[T]) -> asyncio.Future[T]:
        """Take a place in the line, at once. Giving up waiting does not give up the place: the work is done all the same."""
        future: asyncio.Future[T] = self._loop.create_future()
        if self._refusal is not None:
            future.set_exception(self._refusal())
            return future
        self._waiting.append((work, future))
        if not self._busy:
            self._busy = True
            self._idle.clear()
            # Not at once: whoever else is ready in this turn of the loop shares the group.
            self._loop.call_soon(self._start)
        return future

    def refuse(self, error: Callable[[], Exception]) -> None:
        """Take nothing more: `put` answers with this error. What stands in the line is still done."""
        self._refusal = error

    async def join(self) -> None:
        """Wait until the line is empty."""
        await self._idle.wait()

    def _start(self) -> None:
        if not self._waiting:
            self._busy = False
            self._idle.set()
            return
        group = [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]
        call = self._loop.run_in_executor(self._executor, self._run, self._connection, [work for work, _ in group])
        call.add_done_callback(lambda ended: self._settle([future for _, future in group], ended))

    def _settle(self, futures: Sequence[asyncio.Future[Any]], ended: asyncio.Future[list[Done[Any]]]) -> None:
        error = ended.exception()
        if error is not None:
            self._fail(futures, error)
            return
        for future, done in zip(futures, ended.result(), strict=True):
            if future.done():
                continue
            if done.error is not None:
                future.set_exception(done.error)
            else:
                future.set_result(done.value)
        # After those who were just woken have asked for more: they share the next group, with whoever waits already.
        self._loop.call_soon(self._start)

    def _fail(self, futures: Sequence[asyncio.Future[Any]], error: BaseException) -> None:
        refusal = self._failed(error)
        left = [*futures, *(future for _, future in self._waiting)]
        self._waiting.clear()
        self._start()
        for future in left:
            if not future.done():
                future.set_exception(refusal())
