"""The budget of one rendering, so that no template takes the bot down.

Everything a template does costs steps: a node of its text each time it is run, an item looped over or compared, every eight
characters made or looked at. Counting, not a clock, so that the same template with the same values always ends the same way.
"""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, ValuesView
from contextvars import ContextVar
from decimal import Decimal
from typing import Final, TypeVar

T = TypeVar("T")

MAX_OUTPUT: Final = 64 * 1024
"""UTF-8 bytes of a rendered text."""

MAX_TEXT: Final = 64 * 1024
"""Characters of any text made on the way."""

MAX_ITEMS: Final = 10_000
"""Items of any list made on the way."""

MAX_DIGITS: Final = 40
"""Digits of any number, and of its fraction."""
MAX_NUMBER: Final = 10**MAX_DIGITS

MAX_STEPS: Final = 100_000
"""Steps of one rendering: about a tenth of a second of a slow machine."""

MAX_DEPTH: Final = 20
"""Macros that call macros, and lists within lists."""

MAX_SOURCE: Final = 16 * 1024
"""Characters of a template."""


class LimitError(Exception):
    """A bound was met while rendering. `str(error)` says which; `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Budget:
    """What is left of one rendering's steps, and how deep it is in macros."""

    __slots__ = ("depth", "left")

    def __init__(self) -> None:
        self.left = MAX_STEPS
        self.depth = 0

    def spend(self, steps: int) -> None:
        """Take steps. Raises `LimitError` when none are left."""
        self.left -= steps
        if self.left < 0:
            raise LimitError("The template does too much work.", "Loop over fewer items, and not within another long loop.")


BUDGET: Final[ContextVar[Budget]] = ContextVar("timbot_template_budget")
"""The rendering under way. A context variable, because templates have no way to reach one."""


def spend(steps: int) -> None:
    """Take steps from the rendering under way."""
    BUDGET.get().spend(steps)


def spend_text(length: int) -> None:
    """Take the steps for making or reading a text of this many characters. Raises `LimitError` if it is too long."""
    add_text(0, length)


def add_text(length: int, more: int) -> int:
    """The length of a text that grows from `length` by `more` characters, paid for. Raises `LimitError` if it is too long."""
    if length + more > MAX_TEXT:
        raise LimitError(f"A text of {length + more:,} characters is too long (at most {MAX_TEXT:,}).")
    spend(1 + more // 8)
    return length + more


_CONTAINERS: Final = (list, tuple, set, frozenset, KeysView, ValuesView, ItemsView)


def spend_value(value: object, depth: int = 0) -> None:
    """Take the steps for looking at the whole of a value: comparing, hashing and sorting do.

    A list that holds one list twice, which holds another twice, ... has few bytes and endless parts, so parts are counted.
    """
    if isinstance(value, str):
        spend(1 + len(value) // 8)
    elif isinstance(value, range):
        spend(1 + len(value))
    elif isinstance(value, _CONTAINERS):
        deeper(depth)
        spend(1)
        for item in value:
            spend_value(item, depth + 1)
    elif isinstance(value, dict):
        deeper(depth)
        spend(1)
        for key, item in value.items():
            spend_value(key, depth + 1)
            spend_value(item, depth + 1)
    else:
        spend(1)
        _check_number(value)


def deeper(depth: int) -> None:
    """Raises `LimitError` if a value is nested too deeply."""
    if depth >= MAX_DEPTH:
        raise LimitError(f"A value has more than {MAX_DEPTH} lists within lists.")


def checked(value: T) -> T:
    """What an operation made, if it is within the bounds; its size is paid for. Raises `LimitError` if not."""
    if isinstance(value, str):
        spend_text(len(value))
    elif isinstance(value, list | tuple):
        if len(value) > MAX_ITEMS:
            raise LimitError(f"A list of {len(value):,} items is too long (at most {MAX_ITEMS:,}).")
        spend(1 + len(value))
    else:
        _check_number(value)
    return value


def _check_number(value: object) -> None:
    if isinstance(value, int):
        if not -MAX_NUMBER < value < MAX_NUMBER:
            raise LimitError(f"A number is too large (at most {MAX_DIGITS} digits).")
    elif isinstance(value, Decimal):
        # One with a large exponent is short itself, but not as a whole number or a text.
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and (exponent < -MAX_DIGITS or value.adjusted() > MAX_DIGITS):
            raise LimitError(f"A number is too large or too fine (at most {MAX_DIGITS} digits).")
    elif isinstance(value, complex):
        raise LimitError("The root of a negative number cannot be shown.")
