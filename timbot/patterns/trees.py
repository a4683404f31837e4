"""Python's own parse of a pattern, and what the rest of this room needs to know of it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

Node = tuple[Any, Any]
"""An operation and its arguments, as Python's parser gives them."""

_parser: Final = importlib.import_module("re._parser")
_constants: Final = importlib.import_module("re._constants")

MAXREPEAT: Final = int(_constants.MAXREPEAT)
MAX_SIZE: Final = 600
"""Single characters a pattern may consist of, fixed repeats written out."""

ONE_CHARACTER: Final = frozenset(("LITERAL", "NOT_LITERAL", "ANY", "IN"))
REPEATS: Final = frozenset(("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"))


class Unfit(Exception):
    """A pattern that cannot be taken. `str(error)` says why, `hint` how to write it otherwise."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def parse(text: str, flags: int) -> tuple[list[Node], int]:
    """The tree, and the flags with those in the text. The text is known to compile."""
    tree = _parser.parse(text, flags)
    return list(tree), tree.state.flags


def name(node: Node) -> str:
    """The operation's name."""
    return str(node[0])


def flags_within(flags: int, added: int, removed: int) -> int:
    """The flags inside a group like `(?i:...)`. A new kind of letters replaces the old one."""
    kinds = re.ASCII | re.UNICODE | re.LOCALE
    if added & kinds:
        flags &= ~kinds
    return (flags | added) & ~removed


def parts(node: Node) -> list[list[Node]]:
    """The sequences directly within a node."""
    operation, arguments = name(node), node[1]
    if operation == "BRANCH":
        return [list(alternative) for alternative in arguments[1]]
    if operation == "SUBPATTERN":
        return [list(arguments[3])]
    if operation in REPEATS:
        return [list(arguments[2])]
    if operation == "ATOMIC_GROUP":
        return [list(arguments)]
    if operation in ("ASSERT", "ASSERT_NOT"):
        return [list(arguments[1])]
    if operation == "GROUPREF_EXISTS":
        return [list(part) for part in arguments[1:] if part is not None]
    return []


def walk(nodes: Iterable[Node]) -> Iterator[Node]:
    """All nodes, from the outside in."""
    for node in nodes:
        yield node
        for part in parts(node):
            yield from walk(part)


def width(nodes: Iterable[Node]) -> int:
    """The longest text the nodes can match, at most `MAXREPEAT`."""
    total = 0
    for node in nodes:
        operation = name(node)
        if operation in ONE_CHARACTER:
            total += 1
        elif operation in REPEATS:
            total += node[1][1] * width(node[1][2])
        elif operation not in ("ASSERT", "ASSERT_NOT"):
            total += max(map(width, parts(node)), default=0)
    return min(total, MAXREPEAT)


def anchored(nodes: list[Node], flags: int) -> bool:
    """Whether it can fit only at the very beginning of a text."""
    if not nodes:
        return False
    operation, arguments = name(nodes[0]), nodes[0][1]
    if operation == "AT":
        return str(arguments) == "AT_BEGINNING_STRING" or (str(arguments) == "AT_BEGINNING" and not flags & re.MULTILINE)
    if operation == "SUBPATTERN":
        return anchored(list(arguments[3]), flags_within(flags, arguments[1], arguments[2]))
    if operation == "BRANCH":
        return all(anchored(list(alternative), flags) for alternative in arguments[1])
    return False


def without_tail(nodes: list[Node]) -> list[Node]:
    """The nodes without the repeats of one character at their end: once there, nothing is left that could fail."""
    kept = list(nodes)
    while kept:
        last = kept.pop()
        operation, arguments = last
        if name(last) in REPEATS and len(arguments[2]) == 1 and name(arguments[2][0]) in ONE_CHARACTER:
            least = arguments[0]
            if least:
                return [*kept, (operation, (least, least, arguments[2]))]
        elif name(last) == "SUBPATTERN":
            inner = without_tail(list(arguments[3]))
            if inner:
                return [*kept, (operation, (*arguments[:3], inner))]
        elif name(last) == "BRANCH":
            return [*kept, (operation, (None, [without_tail(list(part)) for part in arguments[1]]))]
        elif name(last) in REPEATS and arguments[:2] == (0, 1):
            return [*kept, (operation, (0, 1, without_tail(list(arguments[2]))))]
        else:
            return [*kept, last]
    return kept
