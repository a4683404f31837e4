"""What a virtual loop says when it cannot go on: which tasks are left, and the line each of them waits on.

A hang costs an afternoon; the same facts in an exception cost a minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, ClassVar

from timbot.errors import TimbotError

_ASYNCIO = PurePath(asyncio.__file__).parent


class StuckError(TimbotError):
    """The run cannot come to an end. `at` is the loop's time, `tasks` one line for each pending task."""

    docs: ClassVar[str] = "errors#stuck"

    def __init__(self, message: str, *, at: float, tasks: Sequence[str], hint: str) -> None:
        super().__init__(message, hint=hint)
        self.at = at
        self.tasks = tuple(tasks)

    def __str__(self) -> str:
        return "\n  ".join([super().__str__(), *(self.tasks or ("No task is pending.",))])


class Deadlock(StuckError):
    """Everything waits and nothing can wake it. `outside` is what was waited for in real time, if anything was."""

    def __init__(self, at: float, tasks: Sequence[str], outside: Sequence[str] = (), patience: float = 0.0) -> None:
        if outside:
            what = ", ".join(outside)
            message = f"At virtual time {at:g} s nothing came back within {patience:g} real seconds from {what}."
            hint = "Time stands still while these are open; raise `patience` if they are only slow."
        else:
            message = f"Everything waits for ever at virtual time {at:g} s: no timer, no thread call, no open socket."
            hint = "Look for an event nobody sets, a queue nobody feeds or a connection nobody answers."
        super().__init__(message, at=at, tasks=tasks, hint=hint)
        self.outside = tuple(outside)


class RunAway(StuckError):
    """Timers keep firing but the run does not end: `limit` virtual seconds would be exceeded."""

    def __init__(self, at: float, limit: float, tasks: Sequence[str]) -> None:
        message = f"The next timer is more than {limit:g} virtual seconds into this run."
        hint = "Something periodic may be all that is alive; raise `limit` if so long a run is meant."
        super().__init__(message, at=at, tasks=tasks, hint=hint)
        self.limit = limit


def pending(loop: asyncio.AbstractEventLoop) -> list[str]:
    """One line for each unfinished task: its name and where it waits, outermost call first."""
    return sorted(f"Task {task.get_name()!r} waits in {where(task)}" for task in asyncio.all_tasks(loop))


def where(task: asyncio.Task[Any]) -> str:
    """The chain of awaits a suspended task hangs on. `Task.get_stack` shows only the outermost of them."""
    places: list[str] = []
    awaited: object = task.get_coro()
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is not None:
            code = frame.f_code
            # asyncio's own lines say nothing; the name (`Queue.get`, `Event.wait`) does.
            inside = _ASYNCIO in PurePath(code.co_filename).parents
            places.append(code.co_qualname if inside else f"{code.co_qualname} ({code.co_filename}:{frame.f_lineno})")
        awaited = (
            getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None) or getattr(awaited, "ag_await", None)
        )
    return " > ".join(places) or "nothing (not started)"
