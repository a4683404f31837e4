"""The last moment of a process: nothing that will not end keeps it from ending."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from timbot.runtime.log import Log

_ASYNCIO: Final = Path(asyncio.__file__).parent

PATIENCE: Final = 2.0
"""Seconds cancelled tasks have to end."""


async def end_what_is_left(log: Log) -> None:
    """Cancel every task but this one. `asyncio.run` would wait for ever for one that does not let itself be cancelled: such
    a task is named in the log, with the line it waits in, and left behind."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if not left:
        return
    _, stuck = await asyncio.wait(left, timeout=PATIENCE)
    for task in stuck:
        log.error("task does not end", task=task.get_name(), place=_place(task))
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is there, and this has been told
        asyncio.tasks._unregister_task(task)


def _place(task: asyncio.Task[Any]) -> str:
    """`file:line` of the innermost coroutine that is not asyncio's own."""
    waiting: object = task.get_coro()
    place = ""
    while inspect.iscoroutine(waiting) and waiting.cr_frame is not None:
        if Path(waiting.cr_code.co_filename).parent != _ASYNCIO:
            place = f"{waiting.cr_code.co_filename}:{waiting.cr_frame.f_lineno}"
        waiting = waiting.cr_await
    return place
