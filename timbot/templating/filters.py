"""The filters, tests and functions a template has. What is of no use in a chat, or makes much of little, is left out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, cast

from jinja2 import Environment
from jinja2 import filters as theirs
from jinja2 import tests as checks
from jinja2.utils import pass_environment

from timbot.templating.limits import MAX_ITEMS, LimitError, checked, spend, spend_value
from timbot.templating.methods import percent_format, strftime
from timbot.templating.operators import compare, join, replace, text

_Function = Callable[..., object]
_MAX_PRECISION: Final = 15


def _bounded(function: _Function) -> _Function:
    """The function with what goes in and what comes out counted. A sequence comes out as a list."""

    @functools.wraps(function)
    def bounded(*args: object, **keywords: object) -> object:
        for argument in (*args, *keywords.values()):
            spend_value(argument)
        return checked(_listed(function(*args, **keywords)))

    return bounded


def _listed(made: object) -> object:
    if isinstance(made, str | list | tuple | dict) or not isinstance(made, Iterable):
        return made
    items = []
    for item in made:
        spend(1)
        items.append(item)
    return items


def _round(value: float, precision: int = 0, method: Literal["common", "ceil", "floor"] = "common") -> float:
    if abs(precision) > _MAX_PRECISION:
        raise LimitError(f"round takes a precision of at most {_MAX_PRECISION} digits, not {precision}.")
    return theirs.do_round(value, precision, method)


def _replace(value: object, old: object, new: object, count: int | None = None) -> str:
    return replace(text(value), text(old), text(new), count)


@pass_environment
def _join(environment: Environment, value: Iterable[object], separator: object = "", attribute: str | None = None) -> str:
    if attribute is not None:
        value = map(theirs.make_attrgetter(environment, attribute), value)
    return join(value, separator)


@pass_environment
def _sum(environment: Environment, value: Iterable[object], attribute: str | None = None) -> object:
    return theirs.sync_do_sum(environment, value, attribute)


@pass_environment
def _truncate(
    environment: Environment, value: object, length: int = 255, killwords: bool = False, end: str = "...", leeway: int = 0
) -> str:
    if length < len(end):
        raise ValueError(f"truncate to {length} characters has no room for '{end}'.")
    return theirs.do_truncate(environment, text(value), length, killwords, end, leeway)


def _count(value: object) -> int:
    if isinstance(value, str | list | tuple | dict | set | frozenset | range):
        return len(value)
    raise TypeError(f"A {type(value).__name__} has no length.")


def _urlencode(value: object) -> str:
    return theirs.do_urlencode(text(value))


def _on_text(name: str) -> _Function:
    method: _Function = getattr(str, name)

    def changed(value: object) -> object:
        return method(text(value))

    return changed


def _strip(value: object, characters: str | None = None) -> str:
    return text(value).strip(characters)


FILTERS: Final[dict[str, _Function]] = {
    name: _bounded(function)
    for name, function in {
        "abs": theirs.FILTERS["abs"],
        "capitalize": _on_text("capitalize"),
        "first": theirs.sync_do_first,
        "float": theirs.do_float,
        "format": percent_format,
        "groupby": theirs.sync_do_groupby,
        "int": theirs.do_int,
        "items": theirs.do_items,
        "join": _join,
        "last": theirs.do_last,
        "list": list,
        "lower": _on_text("lower"),
        "map": theirs.sync_do_map,
        "max": theirs.do_max,
        "min": theirs.do_min,
        "reject": theirs.sync_do_reject,
        "rejectattr": theirs.sync_do_rejectattr,
        "replace": _replace,
        "reverse": theirs.do_reverse,
        "round": _round,
        "select": theirs.sync_do_select,
        "selectattr": theirs.sync_do_selectattr,
        "sort": theirs.do_sort,
        "strftime": strftime,
        "string": text,
        "sum": _sum,
        "title": _on_text("title"),
        "trim": _strip,
        "truncate": _truncate,
        "unique": theirs.do_unique,
        "upper": _on_text("upper"),
        "urlencode": _urlencode,
    }.items()
} | {"count": _count, "default": theirs.do_default, "d": theirs.do_default, "length": _count}

_COMPARING: Final = {
    "eq": ("eq", "==", "equalto"),
    "ne": ("ne", "!="),
    "lt": ("lt", "<", "lessthan"),
    "lteq": ("le", "<="),
    "gt": ("gt", ">", "greaterthan"),
    "gteq": ("ge", ">="),
    "in": ("in",),
}


def _comparing(sign: str) -> _Function:
    def test(value: object, other: object) -> bool:
        return compare((value, other), (sign,))

    return test


TESTS: Final[dict[str, _Function]] = {
    **{
        name: cast(_Function, checks.TESTS[name])
        for name in [
            "boolean",
            "defined",
            "divisibleby",
            "even",
            "false",
            "float",
            "integer",
            "iterable",
            "mapping",
            "none",
            "number",
            "odd",
            "sequence",
            "string",
            "true",
            "undefined",
        ]
    },
    **{name: _comparing(sign) for sign, names in _COMPARING.items() for name in names},
}


def _range(*args: int) -> Sequence[int]:
    made = range(*args)
    if len(made) > MAX_ITEMS:
        raise LimitError(f"range makes {len(made):,} numbers (at most {MAX_ITEMS:,}).")
    return made


GLOBALS: Final[dict[str, _Function]] = {"range": _range}
