"""What an exception says, and whether it may stand in the log.

The type and the lines it passed hold nothing that people wrote; the words may: `KeyError` names the key, `ValueError` the
text that is no number. Words of the system and of timbot itself are what an operator needs, and name no such thing.
"""

from __future__ import annotations

from traceback import TracebackException
from typing import Final

from timbot.errors import TimbotError

PLAIN: Final = (
    *(TimbotError, OSError, AttributeError, NameError, TypeError, ImportError, SyntaxError, ArithmeticError, MemoryError),
    SystemExit,
)
"""Errors that speak of code and of the system. Theirs are not the words of people."""

HIDDEN: Final = "(its words are shown with 'log: texts: true', or at level debug)"


def silence(told: TracebackException, error: BaseException) -> None:
    """Take the words out of a traceback and out of all that led to it, as far as they may be people's."""
    pairs: list[tuple[TracebackException | None, BaseException | None]] = [(told, error)]
    seen: set[int] = set()
    while pairs:
        shown, about = pairs.pop()
        if shown is None or about is None or id(about) in seen:
            continue
        seen.add(id(about))
        if not isinstance(about, PLAIN) and (str(about) or shown.__notes__):
            shown._str = HIDDEN  # type: ignore[attr-defined]  # it has no other way in
            shown.__notes__ = None
        pairs += [(shown.__cause__, about.__cause__), (shown.__context__, about.__context__)]
        if isinstance(about, BaseExceptionGroup):
            pairs += zip(shown.exceptions or (), about.exceptions, strict=False)
