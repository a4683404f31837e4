"""A pattern for RE2, which never runs away, written so that it finds exactly what Python's `re` finds.

RE2 takes `\\w`, `\\d`, `\\s` and case as ASCII or by other tables than Python. So each single character of a pattern is
written out as the very ranges that Python accepts, found by asking Python. What RE2 has not, or where it chooses other groups,
is not written at all: such a pattern has no RE2 form. RE2 is an extra: without it the patterns that need it are refused.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import re
import sys
from typing import Any, Final

from timbot.patterns.trees import MAXREPEAT, ONE_CHARACTER, Node, Unfit, flags_within, name, parts

_ESCAPES: Final = {"CATEGORY_WORD": r"\w", "CATEGORY_DIGIT": r"\d", "CATEGORY_SPACE": r"\s"}
_MAX_COUNT: Final = 1_000
_SURROGATES: Final = range(0xD800, 0xE000)
_MEMORY: Final = 32 << 20


def installed() -> bool:
    """Whether RE2 is there."""
    return importlib.util.find_spec("re2") is not None


def rewritten(nodes: list[Node], flags: int) -> str:
    """The pattern in RE2's words. Raises `Unfit` if it has none."""
    return "".join(_node(node, flags) for node in nodes)


def compiled(pattern: str) -> Any:
    """The pattern, compiled by RE2. Raises `Unfit` if RE2 does not take it (too large)."""
    re2 = importlib.import_module("re2")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise Unfit(f"RE2 does not take it: {error}.") from None


def _node(node: Node, flags: int) -> str:
    operation, arguments = name(node), node[1]
    if operation in ONE_CHARACTER:
        return _character(node, flags)
    if operation == "SUBPATTERN":
        inside = rewritten(list(arguments[3]), flags_within(flags, arguments[1], arguments[2]))
        return f"(?:{inside})" if arguments[0] is None else f"({inside})"
    if operation in ("MAX_REPEAT", "MIN_REPEAT"):
        return _repeat(operation, arguments[0], arguments[1], list(arguments[2]), flags)
    if operation == "BRANCH":
        return f"(?:{'|'.join(rewritten(part, flags) for part in parts(node))})"
    if operation == "AT":
        return _anchor(str(arguments), flags)
    raise Unfit("RE2 has neither lookarounds, nor \\1, nor possessive repeats.")


def _repeat(operation: str, least: int, most: int, body: list[Node], flags: int) -> str:
    if least > _MAX_COUNT or _MAX_COUNT < most < MAXREPEAT:
        raise Unfit(f"RE2 repeats at most {_MAX_COUNT:,} times.")
    if _shortest(body) == 0 and most > 1:
        raise Unfit("RE2 has other groups where a repeat may match nothing.")
    count = f"{{{least},}}" if most >= MAXREPEAT else f"{{{least},{most}}}"
    return f"(?:{rewritten(body, flags)}){count}{'?' if operation == 'MIN_REPEAT' else ''}"


def _shortest(nodes: list[Node]) -> int:
    total = 0
    for node in nodes:
        operation = name(node)
        if operation in ONE_CHARACTER:
            total += 1
        elif operation in ("MAX_REPEAT", "MIN_REPEAT"):
            total += node[1][0] * _shortest(list(node[1][2]))
        elif operation != "AT":
            total += min(map(_shortest, parts(node)), default=0)
    return total


def _anchor(anchor: str, flags: int) -> str:
    if anchor == "AT_BEGINNING_STRING" or (anchor == "AT_BEGINNING" and not flags & re.MULTILINE):
        return r"\A"
    # The text is searched without line breaks at its end, so `$` and `\Z` are one.
    if anchor == "AT_END_STRING" or (anchor == "AT_END" and not flags & re.MULTILINE):
        return r"\z"
    if anchor in ("AT_BEGINNING", "AT_END"):
        return f"(?m:{'^' if anchor == 'AT_BEGINNING' else '$'})"
    raise Unfit("RE2 knows \\b only between ASCII letters.")


def _character(node: Node, flags: int) -> str:
    if name(node) == "LITERAL" and (not flags & re.IGNORECASE or _has_no_case(chr(node[1]))):
        return _code(node[1])
    ranges = _accepted(_source(node), flags & (re.IGNORECASE | re.DOTALL | re.ASCII))
    if not ranges:
        raise Unfit("it has a set of characters that is empty.")
    return f"[{''.join(f'{_code(low)}-{_code(high)}' for low, high in ranges)}]"


def _has_no_case(character: str) -> bool:
    return character.lower() == character == character.upper()


def _code(point: int) -> str:
    if point in _SURROGATES:
        raise Unfit("RE2 has no half characters (surrogates).")
    return f"\\x{{{point:x}}}"


def _source(node: Node) -> str:
    """A node for one character as Python writes it."""
    operation, arguments = name(node), node[1]
    if operation == "ANY":
        return "."
    if operation == "NOT_LITERAL":
        return f"[^\\U{arguments:08x}]"
    if operation == "LITERAL":
        return f"\\U{arguments:08x}"
    if operation == "RANGE":
        return f"\\U{arguments[0]:08x}-\\U{arguments[1]:08x}"
    if operation == "CATEGORY":
        escape = _ESCAPES[str(arguments).replace("_NOT", "")]
        return escape.upper() if "_NOT" in str(arguments) else escape
    negate = "^" if name(arguments[0]) == "NEGATE" else ""
    return f"[{negate}{''.join(_source(item) for item in arguments if name(item) != 'NEGATE')}]"


@functools.cache
def _everything() -> str:
    return "".join(chr(point) for point in range(sys.maxunicode + 1) if point not in _SURROGATES)


@functools.lru_cache(maxsize=256)
def _accepted(source: str, flags: int) -> tuple[tuple[int, int], ...]:
    """The ranges of characters that Python's `re` accepts for one character of a pattern."""
    return tuple((ord(run.group()[0]), ord(run.group()[-1])) for run in re.finditer(f"(?:{source})+", _everything(), flags))
