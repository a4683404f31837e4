"""What is told of a handler that failed: its author's own lines, and nothing of ours where the error speaks for itself."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from timbot.errors import TimbotError

if TYPE_CHECKING:
    from timbot.runtime.log import Log

_OURS: Final = str(Path(__file__).parents[1])


def tell_failure(log: Log, error: BaseException, **fields: object) -> None:
    """Log `handler failed`. The traceback begins where the plugin does.

    An error of ours, like a reply of a wrong type or a message that the server refuses, is one line without a traceback,
    with the plugin's line that called for it, if there is one.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OURS):
        trace = trace.tb_next
    if isinstance(error, TimbotError):
        log.error("handler failed", **(fields | _place(trace)), error=str(error))
        return
    log.error("handler failed", **fields, exc_info=error if trace is None else error.with_traceback(trace))


def _place(trace: TracebackType | None) -> dict[str, str]:
    """`place`: the last line that the error passed before it came to us."""
    frames = [frame for frame in traceback.extract_tb(trace) if not frame.filename.startswith(_OURS)]
    return {"place": f"{frames[-1].filename}:{frames[-1].lineno}"} if frames else {}
