"""A pattern as an automaton whose paths are the ways in which Python's `re` can try a text.

Each state is a single character of the pattern (its copies, where it is repeated a fixed number of times). An edge says that
one may follow the other, and in how many ways: two ways for one edge are two attempts. Repeats of a changing number become
loops without count, lookarounds and anchors are taken to hold always: so there are never more attempts than paths.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from timbot.patterns.letters import Alphabet
from timbot.patterns.trees import (
    MAX_SIZE,
    MAXREPEAT,
    ONE_CHARACTER,
    REPEATS,
    Node,
    Unfit,
    anchored,
    flags_within,
    name,
    parts,
    walk,
    width,
    without_tail,
)

START: Final = 0
_MAX_COPIES: Final = 10
"""Copies of a part that is repeated at least so often; one more is a loop."""
_LITERAL: Final = 0.5
_SET: Final = 1.0
_ROUND: Final = 1.0
"""More for beginning a round of a repeat whose body is more than one character."""
_TOO_LARGE: Final = f"it has more than {MAX_SIZE} characters, repeats written out."


@dataclass(slots=True)
class Fragment:
    """A part of the automaton: the ways to pass it without a character, into it, and out of it."""

    empty: int = 1
    first: Counter[int] = field(default_factory=Counter)
    last: Counter[int] = field(default_factory=Counter)


class Automaton:
    """`masks[state]`: the symbols it matches; `edges[state][next]`: ways; `spans[state]`: the longest text of its loop.

    `costs[state]`: what trying it takes, as measured, compared to a simple step.

    State 0 stands before the pattern; unless the pattern is anchored it loops, since it is tried at every place of a text.
    """

    def __init__(self, nodes: list[Node], flags: int, longest: int) -> None:
        self._alphabet = Alphabet(walk(nodes))
        self._longest = longest
        self._parts = 0
        self.masks: list[int] = [self._alphabet.everything]
        self.spans: list[int] = [longest]
        self.edges: list[Counter[int]] = [Counter()]
        self.costs: list[float] = [1.0]
        whole = self._sequence(without_tail(nodes), flags, 0)
        if not anchored(nodes, flags):
            self.edges[START][START] = 1
        self._link(Counter({START: 1}), whole.first)

    def _state(self, mask: int, span: int, cost: float) -> int:
        if len(self.masks) > MAX_SIZE:
            raise Unfit(_TOO_LARGE, "Repeat less, or use several patterns.")
        self.masks.append(mask)
        self.spans.append(span)
        self.edges.append(Counter())
        self.costs.append(cost)
        return len(self.masks) - 1

    def _link(self, last: Counter[int], first: Counter[int]) -> None:
        for state, ways in last.items():
            for following, more in first.items():
                self.edges[state][following] += ways * more

    def _sequence(self, nodes: list[Node], flags: int, span: int) -> Fragment:
        self._parts += 1
        if self._parts > 10 * MAX_SIZE:
            raise Unfit(_TOO_LARGE, "Repeat less, or use several patterns.")
        whole = Fragment()
        for node in nodes:
            whole = self._then(whole, self._node(node, flags, span))
        return whole

    def _then(self, one: Fragment, two: Fragment) -> Fragment:
        self._link(one.last, two.first)
        first = one.first + Counter({state: ways * one.empty for state, ways in two.first.items()})
        last = two.last + Counter({state: ways * two.empty for state, ways in one.last.items()})
        return Fragment(one.empty * two.empty, first, last)

    def _node(self, node: Node, flags: int, span: int) -> Fragment:
        operation, arguments = name(node), node[1]
        if operation in ONE_CHARACTER:
            cost = _LITERAL if operation == "LITERAL" else _SET
            state = self._state(self._alphabet.mask(node, flags), span, cost)
            return Fragment(0, Counter({state: 1}), Counter({state: 1}))
        if operation == "SUBPATTERN":
            return self._sequence(list(arguments[3]), flags_within(flags, arguments[1], arguments[2]), span)
        if operation == "ATOMIC_GROUP":
            return self._sequence(list(arguments), flags, span)
        if operation in REPEATS:
            return self._repeat(arguments[0], arguments[1], list(arguments[2]), flags, span)
        if operation == "BRANCH":
            return _either([self._sequence(part, flags, span) for part in parts(node)])
        if operation == "AT":
            return Fragment()
        if operation in ("ASSERT", "ASSERT_NOT"):
            return _lookaround(node)
        if operation == "GROUPREF":
            raise Unfit("it looks for a group's text again (\\1).", "Compare the groups in a handler.")
        raise Unfit(f"it uses what cannot be judged ({operation}).", "Write it with simpler means.")

    def _repeat(self, least: int, most: int, body: list[Node], flags: int, span: int) -> Fragment:
        if (least, most) == (0, 1):
            once = self._round(body, flags, span)
            return Fragment(once.empty + 1, once.first, once.last)
        whole = Fragment()
        for _ in range(least if least == most or least <= _MAX_COPIES else 1):
            copy = self._round(body, flags, span)
            whole = self._then(whole, copy)
        if least == most:
            return whole
        rounds = self._longest if most == MAXREPEAT else min(self._longest, most * max(1, width(body)))
        loop = self._round(body, flags, max(span, rounds))
        if loop.empty:
            raise Unfit(
                "it repeats what may match nothing, like (a*)*.",
                "Let each round of the inner part match at least one character: (a+|b+)* in place of (a*b*)*.",
            )
        self._link(loop.last, loop.first)
        return self._then(whole, Fragment(1, loop.first, loop.last))

    def _round(self, body: list[Node], flags: int, span: int) -> Fragment:
        made = self._sequence(body, flags, span)
        if len(body) != 1 or name(body[0]) not in ONE_CHARACTER:
            for state in made.first:
                self.costs[state] += _ROUND
        return made


def _either(alternatives: list[Fragment]) -> Fragment:
    whole = Fragment(0)
    for alternative in alternatives:
        whole = Fragment(whole.empty + alternative.empty, whole.first + alternative.first, whole.last + alternative.last)
    return whole


def _lookaround(node: Node) -> Fragment:
    inside = list(walk(parts(node)[0]))
    if len(inside) > MAX_SIZE // 10 or any(name(one) in {*REPEATS, "BRANCH", "ASSERT", "ASSERT_NOT"} for one in inside):
        raise Unfit("it looks ahead or behind for more than a plain text.", "Use two patterns, or look for the text itself.")
    return Fragment()
