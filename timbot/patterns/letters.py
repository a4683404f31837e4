"""Which characters a part of a pattern may match, as sets small enough to compare.

All of Unicode is cut into symbols: each ASCII character, each other character the pattern names, and for the stretches
between those one symbol each for letters, digits, spaces and the rest. Where two parts share a symbol they may match the same
character. Symbols that stand for no real character, and matches that are only possible, err on the side of caution.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from timbot.patterns.trees import Node, name

_ALWAYS: Final = "\u0130\u0131\u017f\u212a"
"""Not ASCII, but the same as ASCII letters (i, s, k) where case does not matter."""

_KINDS: Final = ("word", "digit", "space", "other")
_END: Final = 0x110000

Symbol = tuple[int, str]
"""The first character of a stretch, and its kind; an empty kind stands for that one character."""


class Alphabet:
    """The symbols of one pattern. `mask` gives a set of them as the bits of a number."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        points = {ord(character) for character in _ALWAYS}
        borders: set[int] = set()
        for node in nodes:
            for low, high in _ranges(node):
                borders |= {low, high + 1}
                if low == high:
                    points |= {ord(character) for character in _cases(chr(low))}
        points = {point for point in points if point >= 128}
        cuts = sorted({128, *(border for border in borders if 128 < border < _END), *points, *(point + 1 for point in points)})
        self._symbols: list[Symbol] = [(code, "") for code in range(128)]
        for start, end in zip(cuts, [*cuts[1:], _END], strict=True):
            kinds = ("",) if end == start + 1 else _KINDS
            self._symbols.extend((start, kind) for kind in kinds)
        self.everything: Final = (1 << len(self._symbols)) - 1
        self._known: dict[tuple[str, str, int], int] = {}

    def mask(self, node: Node, flags: int) -> int:
        """The symbols a node for one character may match."""
        key = (name(node), repr(node[1]), flags)
        if key not in self._known:
            mask = 0
            for position, symbol in enumerate(self._symbols):
                if _may_match(node, symbol, flags):
                    mask |= 1 << position
            self._known[key] = mask
        return self._known[key]


def _ranges(node: Node) -> list[tuple[int, int]]:
    operation, arguments = name(node), node[1]
    if operation in ("LITERAL", "NOT_LITERAL"):
        return [(arguments, arguments)]
    if operation == "RANGE":
        return [arguments]
    if operation == "IN":
        return [found for item in arguments for found in _ranges(item)]
    return []


def _cases(character: str) -> set[str]:
    """The character and what may count as the same where case does not matter."""
    lower, upper = character.lower(), character.upper()
    found = {character, lower, upper, lower.upper(), upper.lower(), upper.casefold()}
    return {one for one in found if len(one) == 1}


def _may_match(node: Node, symbol: Symbol, flags: int) -> bool:
    operation, arguments = name(node), node[1]
    if operation == "ANY":
        return bool(flags & re.DOTALL) or symbol != (10, "")
    if operation == "NOT_LITERAL":
        return symbol != (arguments, "")
    if operation == "IN" and name(arguments[0]) == "NEGATE":
        return not any(_surely(item, symbol, flags) for item in arguments[1:])
    items = arguments if operation == "IN" else [node]
    return any(_surely(item, symbol, flags) or _by_case(item, symbol, flags) for item in items)


def _surely(item: Node, symbol: Symbol, flags: int) -> bool:
    operation, arguments = name(item), item[1]
    if operation == "LITERAL":
        return symbol == (arguments, "")
    if operation == "RANGE":
        return bool(arguments[0] <= symbol[0] <= arguments[1])
    return _in_category(str(arguments), symbol, flags)


def _by_case(item: Node, symbol: Symbol, flags: int) -> bool:
    """Whether it may match only because case does not matter."""
    if not flags & re.IGNORECASE or name(item) not in ("LITERAL", "RANGE"):
        return False
    low, high = _ranges(item)[0]
    code, kind = symbol
    if not kind and any(low <= ord(character) <= high for character in _cases(chr(code))):
        return True
    # The letters of foreign ranges are not compared one by one: any two of them may be the same.
    return (low != high and high >= 128 and (code >= 128 or chr(code).isalpha())) or (
        code >= 128 and low <= 122 and low != high
    )


def _in_category(category: str, symbol: Symbol, flags: int) -> bool:
    code, kind = symbol
    negated = "NOT" in category
    if kind:
        inside = not flags & re.ASCII and (
            ("WORD" in category and kind in ("word", "digit"))
            or ("DIGIT" in category and kind == "digit")
            or ("SPACE" in category and kind == "space")
        )
    else:
        letter = "w" if "WORD" in category else "d" if "DIGIT" in category else "s"
        inside = re.match(f"\\{letter}", chr(code), re.ASCII if flags & re.ASCII else re.NOFLAG) is not None
    return inside != negated
