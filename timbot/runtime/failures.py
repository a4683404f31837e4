"""What is told of a handler that failed: its author's own lines, and nothing of ours where the error speaks for itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from timbot.errors import TimbotError

if TYPE_CHECKING:
    from timbot.runtime.log import Log

_OURS: Final = str(Path(__file__).parents[1])


def tell_failure(log: Log, error: BaseException, **fields: object) -> None:
    """Log `handler failed`. The traceback begins where the plugin does.

    An error of ours that no line of the plugin's had part in, like a reply of a wrong type or one that the server refuses,
    is one line without a traceback.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OURS):
        trace = trace.tb_next
    if trace is None and isinstance(error, TimbotError):
        log.error("handler failed", **fields, error=str(error))
        return
    log.error("handler failed", **fields, exc_info=error if trace is None else error.with_traceback(trace))
