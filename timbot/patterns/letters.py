"""Which characters a part of a pattern may match, as sets small enough to compare.

All of Unicode is cut into symbols: each ASCII character, each other character the pattern names, and for the stretches
between those one symbol each for letters, digits, spaces and the rest. Where two parts share a symbol they may match the same
character. Symbols that stand for no real character, and matches that are only possible, err on the side of caution.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

from timbot.patterns.trees import Node, name

_ALWAYS: Final = "\u0130\u0131\u017f\u212a"
"""Not ASCII, but the same as ASCII letters (i, s, k) where case does not matter."""

_KINDS: Final = ("word", "digit", "space", "other")
_END: Final = 0x110000


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
        self._starts: list[int] = list(range(128))
        self._kinds: list[str] = [""] * 128
        for start, end in zip(cuts, [*cuts[1:], _END], strict=True):
            kinds = ("",) if end == start + 1 else _KINDS
            self._starts += [start] * len(kinds)
            self._kinds += kinds
        self.everything: Final = (1 << len(self._starts)) - 1
        self._foreign = self.everything & ~((1 << 128) - 1)
        self._letters = sum(1 << code for code in range(128) if chr(code).isalpha())
        self._by_case: dict[int, int] = {}
        for symbol, (code, kind) in enumerate(zip(self._starts, self._kinds, strict=True)):
            for character in _cases(chr(code)) if not kind else ():
                self._by_case[ord(character)] = self._by_case.get(ord(character), 0) | 1 << symbol
        self._categories: dict[tuple[str, bool], int] = {}

    def mask(self, node: Node, flags: int) -> int:
        """The symbols a node for one character may match."""
        operation, arguments = name(node), node[1]
        if operation == "ANY":
            return self.everything if flags & re.DOTALL else self.everything & ~(1 << ord("\n"))
        if operation == "NOT_LITERAL":
            return self.everything & ~self._between(arguments, arguments)
        if operation == "IN" and name(arguments[0]) == "NEGATE":
            surely = 0
            for item in arguments[1:]:
                surely |= self._surely(item, flags)
            return self.everything & ~surely
        mask = 0
        for item in arguments if operation == "IN" else [node]:
            mask |= self._surely(item, flags)
            if flags & re.IGNORECASE:
                mask |= self._because_of_case(item)
        return mask

    def _between(self, low: int, high: int) -> int:
        return (1 << bisect_right(self._starts, high)) - (1 << bisect_left(self._starts, low))

    def _surely(self, item: Node, flags: int) -> int:
        """The symbols of which it matches every character."""
        for low, high in _ranges(item):
            return self._between(low, high)
        key = (str(item[1]), bool(flags & re.ASCII))
        if key not in self._categories:
            symbols = enumerate(zip(self._starts, self._kinds, strict=True))
            self._categories[key] = sum(1 << number for number, symbol in symbols if _in_category(*key, *symbol))
        return self._categories[key]

    def _because_of_case(self, item: Node) -> int:
        """The symbols it may match only because case does not matter."""
        mask = 0
        for low, high in _ranges(item):
            if low == high:
                return self._by_case.get(low, 0)
            for code, symbols in self._by_case.items():
                if low <= code <= high:
                    mask |= symbols
            # The letters of foreign ranges are not compared one by one: any two of them may be the same.
            if high >= 128:
                mask |= self._foreign | self._letters
            elif low <= ord("z"):
                mask |= self._foreign
        return mask


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


def _in_category(category: str, ascii_only: bool, code: int, kind: str) -> bool:
    negated = "NOT" in category
    if kind:
        inside = not ascii_only and (
            ("WORD" in category and kind in ("word", "digit"))
            or ("DIGIT" in category and kind == "digit")
            or ("SPACE" in category and kind == "space")
        )
    else:
        letter = "w" if "WORD" in category else "d" if "DIGIT" in category else "s"
        inside = re.match(f"\\{letter}", chr(code), re.ASCII if ascii_only else re.NOFLAG) is not None
    return inside != negated
