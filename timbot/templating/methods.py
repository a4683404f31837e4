"""What a template may read of a value, and which methods it may call: an allow-list, each within bounds."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from string import Formatter
from typing import Final

from timbot.templating.limits import LimitError, add_text, checked, spend, spend_value
from timbot.templating.operators import join, replace, text


class Method:
    """A method of a value that a template has named; the only thing besides macros and `range` that it can call."""

    __slots__ = ("_function", "_value", "name")

    def __init__(self, name: str, function: Callable[..., object], value: object) -> None:
        self.name = name
        self._function = function
        self._value = value

    def call(self, args: Sequence[object], keywords: Mapping[str, object]) -> object:
        """Call it; what goes in and what comes out is paid for."""
        for argument in (*args, *keywords.values()):
            spend_value(argument)
        if isinstance(self._value, str):
            spend(1 + len(self._value) // 8)
        return checked(self._function(self._value, *args, **keywords))


_NUMBER_FORMAT: Final = re.compile(r"(?:[^{}]?[<>=^])?[-+ ]?#?0?\d{0,3}[,_]?(?:\.\d{1,2})?[a-zA-Z%]?")
_TIME_FORMAT: Final = re.compile(r"(?:[^%0-9]|%[a-zA-Z%]|(?<!%)[0-9])*")
_PERCENT: Final = re.compile(r"%(?:\([^()]*\))?[-+ #0]*(?:\d{0,3})(?:\.\d{1,2})?[diouxXeEfFgGcsr%]")
_WIDEST: Final = 1_000


def strftime(moment: object, form: str) -> str:
    """A date or time by a format like '%H:%M'. Chinese text in the format is kept on every platform."""
    if not isinstance(moment, date | time):
        raise TypeError(f"strftime needs a date or a time, not a {type(moment).__name__}.")
    if not _TIME_FORMAT.fullmatch(form):
        raise ValueError(f"'{form}' is no format of a time: use %Y %m %d %H %M %S and plain text.")
    spend(1 + len(form))
    # Only what stands after a % goes to the C library, whose treatment of other text depends on the locale.
    return checked("".join(moment.strftime(part) if part.startswith("%") else part for part in re.split(r"(%[a-zA-Z%])", form)))


def percent_format(form: str, *args: object, **keywords: object) -> str:
    """`'%.2f' | format(price)`, with plain values and widths below 1,000."""
    places = _PERCENT.findall(form)
    if len(places) != _PERCENT.sub("", form).count("%") + len(places):
        raise ValueError(f"'{form}' is no format: widths have at most three digits.")
    if args and keywords:
        raise TypeError("format takes values either by position or by name.")
    values = keywords or args
    longest = max((len(text(value)) for value in (keywords.values() if keywords else args)), default=0)
    add_text(0, len(form))
    spend(len(places) * (1 + (longest + _WIDEST) // 8))
    return checked(form % values)


class _Formatter(Formatter):
    """`'{:,}'.format(number)`: values by position or name, no attributes, widths below 1,000, paid for as it grows."""

    def get_field(self, field_name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> tuple[object, str]:
        if not re.fullmatch(r"\w*", field_name):
            raise ValueError(f"'{{{field_name}}}' names an attribute: give format() the value itself.")
        return self.get_value(int(field_name) if field_name.isdecimal() else field_name, args, kwargs), field_name

    def convert_field(self, value: object, conversion: str | None) -> object:
        if conversion not in (None, "s"):
            raise ValueError(f"'!{conversion}' is not available in a template.")
        return text(value) if conversion else value

    def format_field(self, value: object, format_spec: str) -> str:
        if isinstance(value, date | time):
            made = strftime(value, format_spec) if format_spec else text(value)
        else:
            if not _NUMBER_FORMAT.fullmatch(format_spec):
                raise ValueError(f"'{format_spec}' is no format: widths have at most three digits.")
            plain = value if isinstance(value, int | float) or not format_spec else text(value)
            made = format(plain if format_spec else text(value), format_spec)
        spend(1 + len(made) // 8)
        return made


def _format(form: str, *args: object, **keywords: object) -> str:
    return _Formatter().vformat(form, args, keywords)


def _seen(values: Sequence[object]) -> Sequence[object]:
    """The values, once it is paid for looking at each."""
    spend_value(values)
    return values


def _join(separator: str, values: object) -> str:
    return join(values, separator)


_STR: Final[dict[str, Callable[..., object]]] = {
    **{
        name: getattr(str, name)
        for name in [
            "capitalize",
            "casefold",
            "count",
            "endswith",
            "find",
            "isalnum",
            "isalpha",
            "isdecimal",
            "isdigit",
            "islower",
            "isspace",
            "isupper",
            "lower",
            "lstrip",
            "partition",
            "removeprefix",
            "removesuffix",
            "rpartition",
            "rsplit",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "title",
            "upper",
        ]
    },
    "format": _format,
    "join": _join,
    "replace": replace,
}
_DICT: Final[dict[str, Callable[..., object]]] = {
    "get": dict.get,
    "items": lambda value: list(value.items()),
    "keys": lambda value: list(value),
    "values": lambda value: list(value.values()),
}
_LIST: Final[dict[str, Callable[..., object]]] = {
    "count": lambda value, item: _seen(value).count(item),
    "index": lambda value, item: _seen(value).index(item),
}
_FLOAT: Final[dict[str, Callable[..., object]]] = {"is_integer": float.is_integer}
_DATE: Final[dict[str, Callable[..., object]]] = {
    "strftime": strftime,
    **{name: getattr(date, name) for name in ("isoformat", "isoweekday", "weekday")},
}
_TIME: Final[dict[str, Callable[..., object]]] = {"strftime": strftime, "isoformat": time.isoformat}
_DATETIME: Final[dict[str, Callable[..., object]]] = {
    **_DATE,
    **{name: getattr(datetime, name) for name in ("date", "isoformat", "time", "timestamp")},
}
_TIMEDELTA: Final[dict[str, Callable[..., object]]] = {"total_seconds": timedelta.total_seconds}

_BY_TYPE: Final[tuple[tuple[type | tuple[type, ...], dict[str, Callable[..., object]], frozenset[str]], ...]] = (
    (str, _STR, frozenset()),
    (Mapping, _DICT, frozenset()),
    (float, _FLOAT, frozenset()),
    (datetime, _DATETIME, frozenset(["year", "month", "day", "hour", "minute", "second", "microsecond"])),
    (date, _DATE, frozenset(["year", "month", "day"])),
    (time, _TIME, frozenset(["hour", "minute", "second", "microsecond"])),
    (timedelta, _TIMEDELTA, frozenset(["days", "seconds"])),
)
_CODE: Final = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
    types.GeneratorType,
    types.FrameType,
    types.CodeType,
    types.TracebackType,
    types.CoroutineType,
    int,
    bytes,
    bytearray,
    Method,
)
"""What has nothing for a template."""


def member(value: object, name: str) -> object:
    """`value.name` as a template sees it: a `Method`, the plain value of a field, or `NO_MEMBER`."""
    if name.startswith("_"):
        raise LimitError(f"'{name}' is private: a template sees no name that begins with '_'.")
    for kind, methods, fields in _BY_TYPE:
        if isinstance(value, kind):
            if name in methods:
                return Method(name, methods[name], value)
            return getattr(value, name) if name in fields else NO_MEMBER
    if isinstance(value, tuple | list):
        if name in _LIST:
            return Method(name, _LIST[name], value)
        return getattr(value, name) if name in getattr(value, "_fields", ()) else NO_MEMBER
    if isinstance(value, _CODE) or value is None:
        return NO_MEMBER
    found = getattr(value, name, NO_MEMBER)
    if found is NO_MEMBER:
        return NO_MEMBER
    if callable(found):
        raise LimitError(f"'{name}' of a {type(value).__name__} is not a value: a template calls no methods of objects.")
    return found


def members(value: object) -> list[str]:
    """The names a value has for a template."""
    for kind, methods, fields in _BY_TYPE:
        if isinstance(value, kind):
            entries = [key for key in value if isinstance(key, str)] if isinstance(value, Mapping) else []
            return [*entries, *methods, *fields]
    if isinstance(value, _CODE) or value is None:
        return []
    return [name for name in dir(value) if not name.startswith("_") and not callable(getattr(type(value), name, None))]


NO_MEMBER: Final = object()
