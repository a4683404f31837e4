"""What `+ - * / // % **`, `~`, comparisons and slices do in a template: as in Python, on plain values, within bounds."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

from jinja2 import Undefined

from timbot.templating.limits import LimitError, add_text, checked, spend, spend_text, spend_value

_PLAIN: Final = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
_NUMBERS: Final = (int, float, Decimal, timedelta)
_MOMENTS: Final = (date, time, timedelta)
_MAX_EXPONENT: Final = 200
_KINDS: Final = {"str": "text", "int": "number", "float": "number", "bool": "true/false", "dict": "mapping"}

_COMPARE: Final[dict[str, Callable[[object, object], object]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,  # type: ignore[dict-item]
    "lteq": operator.le,  # type: ignore[dict-item]
    "gt": operator.gt,  # type: ignore[dict-item]
    "gteq": operator.ge,  # type: ignore[dict-item]
    "in": lambda left, right: left in right,  # type: ignore[operator]
    "notin": lambda left, right: left not in right,  # type: ignore[operator]
}


def text(value: object) -> str:
    """A value as it is said in a chat: None is nothing, and lists and objects have no form of their own."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int | float | Decimal | datetime | date | time | timedelta):
        return str(checked(value))
    if isinstance(value, Undefined):
        return str(value)  # raises, and says what is missing
    if isinstance(value, Enum):
        return text(value.value)
    raise LimitError(f"{capital(kind_of(value))} cannot be written as text.", _how_to_write(value))


def _how_to_write(value: object) -> str:
    if isinstance(value, Mapping):
        return "Name one of its entries: {{ it.key }}."
    if isinstance(value, Sequence | set | frozenset):
        return "Write {{ it | join(', ') }}, or loop over it."
    return "Name one of its fields: {{ it.field }}."


def capital(text: str) -> str:
    """The text as it begins a sentence."""
    return text[:1].upper() + text[1:]


def calculate(sign: str, left: object, right: object) -> object:
    """`left sign right`. Raises `LimitError` for what would be too large, `TypeError` for what makes no sense."""
    if isinstance(left, Undefined) or isinstance(right, Undefined):
        return _PLAIN["+"](left, right)  # raises, and says what is missing
    if isinstance(left, _NUMBERS) and isinstance(right, _NUMBERS):
        spend(1)
        return checked(_power(left, right) if sign == "**" else _PLAIN[sign](left, right))
    if sign in "+-" and isinstance(left, _MOMENTS) and isinstance(right, _MOMENTS):
        return _PLAIN[sign](left, right)
    if sign == "+":
        if isinstance(left, str) and isinstance(right, str):
            spend_text(len(left) + len(right))
            return left + right
        if isinstance(left, list) and isinstance(right, list):
            spend(len(left) + len(right))
            return checked(left + right)
    if sign == "*" and isinstance(left, str) and isinstance(right, int):
        spend_text(len(left) * max(right, 0))
        return left * right
    if sign == "%" and isinstance(left, str):
        raise TypeError("Write {{ '...' | format(value) }} in place of '...' % value.")
    raise TypeError(f"'{sign}' does not go between {kind_of(left)} and {kind_of(right)}.")


def kind_of(value: object) -> str:
    """What a message calls a value."""
    if value is None:
        return "nothing (None)"
    name = _KINDS.get(type(value).__name__, type(value).__name__)
    return f"{'an' if name[0] in 'aeioAEIO' else 'a'} {name}"


def _power(left: object, right: object) -> object:
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        raise TypeError(f"'**' does not go between {kind_of(left)} and {kind_of(right)}.")
    if abs(right) > _MAX_EXPONENT:
        raise LimitError(f"The exponent {right} is too large (at most {_MAX_EXPONENT}).")
    return left**right


def compare(values: Sequence[object], signs: Sequence[str]) -> bool:
    """`a < b < c`: each value against the next."""
    for left, right, sign in zip(values, values[1:], signs, strict=False):
        spend_value(left)
        spend_value(right)
        if not _COMPARE[sign](left, right):
            return False
    return True


def concatenate(values: Sequence[object]) -> str:
    """`a ~ b ~ c`."""
    parts: list[str] = []
    length = 0
    for value in values:
        parts.append(text(value))
        length = add_text(length, len(parts[-1]))
    return "".join(parts)


def cut(value: object, part: slice) -> object:
    """`value[1:3]`."""
    if not isinstance(value, str | list | tuple | range):
        if isinstance(value, Undefined):
            return value[part]
        raise TypeError(f"{kind_of(value)} cannot be cut.")
    spend(1 + len(value) // 8 if isinstance(value, str) else len(value))
    return value[part]


def replace(value: str, old: str, new: str, count: int | None = None) -> str:
    """`value.replace(old, new)`, measured before it is made."""
    spend_text(len(value))
    times = value.count(old)
    times = times if count is None or count < 0 else min(times, count)
    spend_text(max(0, len(value) + times * (len(new) - len(old))))
    return value.replace(old, new, -1 if count is None else count)


def join(values: object, separator: object = "") -> str:
    """The values as texts with `separator` between them, measured while it is made."""
    between = text(separator)
    parts: list[str] = []
    length = 0
    for value in values:  # type: ignore[attr-defined]
        parts.append(text(value))
        length = add_text(length, len(parts[-1]) + len(between))
    return between.join(parts)
