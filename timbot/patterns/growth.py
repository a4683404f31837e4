"""How many attempts a pattern can need for a text of 1,000 characters, at worst.

A pattern runs away exponentially if some state has two different ways back to itself for one text: each round doubles the
attempts. It grows by a factor of the text's length for every pair of loops where the second can be entered from the first at
any time while both go on over the same text: `.*a.*b` on `aaaa...`. Both are questions about paths walked in step, answered
by searching pairs and triples of states. What is left are small numbers, estimated from above.
"""

from __future__ import annotations

import functools
import math
import operator
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from timbot.patterns.automaton import START, Automaton
from timbot.patterns.trees import Unfit

MAX_ATTEMPTS: Final = 4_000_000
"""Attempts for one text, as estimated. Measured, one costs at most 13 ns, so this is some 50 ms at worst."""

_MAX_LOOKED_AT: Final = 300_000
"""Pairs and triples of states looked at for one pattern."""

_DOUBLING: Final = "a part that is repeated can match the same text in more than one way, like (a+)+."
_TOO_MANY: Final = "too many of its parts can match the same text, like .*a.*b.*c."
_SEPARATE: Final = "Separate the repeated parts by something that none of them can match, like (\\w+,)* for words and commas."
_NARROW: Final = "Leave out .* at the beginning, use [^,]* or .{0,20} in place of .*, or make two patterns of it."


@dataclass(frozen=True, slots=True)
class Moments:
    """How many combinations of moments there are for going from loop to loop, `chosen` of them anywhere in the text."""

    count: float = 1.0
    chosen: int = 0

    def weight(self) -> float:
        """The average over all places of a text: moments come in order, so few combinations are for early places."""
        return self.count / math.factorial(self.chosen + 1)


class Growth:
    """The analysis of one automaton. Raises `Unfit` if it runs away, or is too entangled to tell."""

    def __init__(self, automaton: Automaton, longest: int) -> None:
        self._masks = automaton.masks
        self._edges = automaton.edges
        self._spans = automaton.spans
        self._costs = automaton.costs
        self._longest = longest
        self._left = _MAX_LOOKED_AT
        self._kinds = _kinds_of(automaton.masks)
        self._order = _components(automaton.edges)
        self._component = {state: number for number, states in enumerate(self._order) for state in states}
        for number, states in enumerate(self._order):
            if self._loops(number):
                self._check_doubling(number, states)
        self._reach = self._reachable()
        self._shared = [functools.reduce(operator.or_, (self._masks[state] for state in states)) for states in self._order]
        self._together: dict[int, set[int]] = {}
        tries = {state: [other for other in others if other != START] for state, others in enumerate(automaton.edges)}
        for one, two in self._pairs((START, START), tries):
            self._together.setdefault(one, set()).add(two)
        self.attempts: Final = self._count()
        if self.attempts > MAX_ATTEMPTS:
            raise Unfit(_TOO_MANY, _NARROW)

    def _loops(self, number: int) -> bool:
        states = self._order[number]
        return len(states) > 1 or states[0] in self._edges[states[0]]

    def _look(self, amount: int = 1) -> None:
        self._left -= amount
        if self._left < 0:
            raise Unfit("it is too entangled to tell how long it may take.", "Make several patterns of it.")

    def _check_doubling(self, number: int, states: list[int]) -> None:
        inside = {state: [other for other in self._edges[state] if self._component[other] == number] for state in states}
        if any(self._edges[state][other] > 1 for state in states for other in inside[state]):
            raise Unfit(_DOUBLING, _SEPARATE)
        back: dict[int, list[int]] = {state: [] for state in states}
        for state, others in inside.items():
            for other in others:
                back[other].append(state)
        start = (states[0], states[0])
        forward, backward = self._pairs(start, inside), self._pairs(start, back, forward=False)
        if any(one != two for one, two in forward & backward):
            raise Unfit(_DOUBLING, _SEPARATE)

    def _pairs(self, start: tuple[int, int], edges: dict[int, list[int]], *, forward: bool = True) -> set[tuple[int, int]]:
        """The pairs of states that two walks from `start` can be in at the same time for the same text."""
        seen, queue = {start}, deque([start])
        while queue:
            one, two = queue.popleft()
            if not forward and not self._masks[one] & self._masks[two]:
                continue
            for first in edges[one]:
                for second in edges[two]:
                    self._look()
                    if self._masks[first] & self._masks[second] and (first, second) not in seen:
                        seen.add((first, second))
                        queue.append((first, second))
        return seen

    def _reachable(self) -> list[set[int]]:
        """For each component those that can be reached from it, itself included. They are ordered from the end."""
        reach: list[set[int]] = []
        for number, states in enumerate(self._order):
            found = {number}
            for state in states:
                for other in self._edges[state]:
                    if self._component[other] != number:
                        found |= reach[self._component[other]]
            reach.append(found)
        return reach

    def _at_any_time(self, one: int, two: int) -> bool:
        """Whether there is a text over which loop `one` and loop `two` go on while the first also leads into the second."""
        if not self._shared[one] & self._shared[two]:
            return False
        between = {number for number in self._reach[one] if two in self._reach[number]}
        return any(
            self._triple(first, second, (one, between, two)) for first in self._order[one] for second in self._order[two]
        )

    def _triple(self, first: int, second: int, where: tuple[int, set[int], int]) -> bool:
        one, between, two = where
        start, goal = (first, first, second), (first, second, second)
        seen = {start}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            for stay in self._within(here[0], {one}):
                for go in self._within(here[1], between):
                    both = self._masks[stay] & self._masks[go]
                    if not both:
                        continue
                    for end in self._within(here[2], {two}):
                        self._look()
                        following = (stay, go, end)
                        if both & self._masks[end] and following not in seen:
                            if following == goal:
                                return True
                            seen.add(following)
                            queue.append(following)
        return False

    def _within(self, state: int, components: set[int]) -> Iterator[int]:
        return (other for other in self._edges[state] if self._component[other] in components)

    def _count(self) -> float:
        """An estimate, from above, of the attempts for the worst text: routes, times moments of going from loop to loop."""
        entries: list[list[tuple[int, int, int]]] = [[] for _ in self._order]
        for state, others in enumerate(self._edges):
            for other, ways in others.items():
                if self._component[other] != self._component[state]:
                    entries[self._component[other]].append((state, other, ways))
        routes: dict[int, float] = {}
        moments: dict[int, Moments] = {}
        for number in reversed(range(len(self._order))):
            states = self._order[number]
            before = [moments[self._component[state]] for state, _, _ in entries[number]]
            # A way in by which few attempts come counts for as much less.
            most = max((one.weight() for one in before), default=1.0)
            arriving = [
                (state, other, ways * routes[state] * moments[self._component[state]].weight() / most)
                for state, other, ways in entries[number]
            ]
            grown = [self._entered(number, other, moments[other]) for other in moments if number in self._reach[other]]
            moments[number] = max([*before, *(one for one in grown if one)], key=Moments.weight, default=Moments())
            # Into a loop that is not entered at any time the ways lead at different times: they add up.
            add_up = self._loops(number) and not any(grown)
            amount = sum(amount for *_, amount in arriving) if add_up else self._arriving(arriving)
            routes |= dict.fromkeys(states, amount if arriving else 1.0)
        return self._longest * self._at_once(
            (state, routes[state] * moments[self._component[state]].weight() * self._cost(state))
            for state in routes
            if state in self._together
        )

    def _cost(self, state: int) -> float:
        """What is done after a state has been matched: each that may follow is tried."""
        return 1 + sum(self._costs[other] for other in self._edges[state])

    def _entered(self, number: int, other: int, before: Moments) -> Moments | None:
        """The moments when a loop can be entered from another while both go on; None if that cannot be."""
        if not self._loops(number) or not self._loops(other) or number == other or not self._at_any_time(other, number):
            return None
        span = max(self._spans[state] for state in self._order[number])
        return Moments(before.count * span, before.chosen + int(span >= self._longest))

    def _arriving(self, ways: list[tuple[int, int, float]]) -> float:
        """The ways from states into others by one character, for the worst character."""
        best = 0.0
        for kind in frozenset().union(*(self._kinds[into] for _, into, _ in ways)):
            best = max(best, self._at_once((state, amount) for state, into, amount in ways if kind in self._kinds[into]))
        return best

    def _at_once(self, amounts: Iterable[tuple[int, float]]) -> float:
        """The sum over states that attempts from one place of the text can be in after one character, for the worst case."""
        total: dict[int, float] = {}
        for state, amount in amounts:
            total[state] = total.get(state, 0.0) + amount
        best = 0.0
        for state in total:
            others = [(self._kinds[other], total[other]) for other in self._together[state] if other in total]
            self._look(len(others))
            if sum(amount for _, amount in others) <= best:
                continue
            for kind in self._kinds[state]:
                best = max(best, sum(amount for kinds, amount in others if kind in kinds))
        return best


def _kinds_of(masks: Sequence[int]) -> list[frozenset[int]]:
    """For each mask its symbols, only one of those that no mask tells apart."""
    distinct = list(dict.fromkeys(masks))
    kinds: dict[tuple[int, ...], int] = {}
    for symbol in range(max(masks).bit_length()):
        kinds.setdefault(tuple(mask >> symbol & 1 for mask in distinct), symbol)
    found = {mask: frozenset(symbol for symbol in kinds.values() if mask >> symbol & 1) for mask in distinct}
    return [found[mask] for mask in masks]


def _components(edges: Sequence[Mapping[int, int]]) -> list[list[int]]:
    """The strongly connected components, each after all that can be reached from it (Tarjan, without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    open_states: set[int] = set()
    found: list[list[int]] = []
    for root in range(len(edges)):
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        open_states.add(root)
        work = [(root, iter(edges[root]))]
        while work:
            state, others = work[-1]
            for other in others:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    open_states.add(other)
                    work.append((other, iter(edges[other])))
                    break
                if other in open_states:
                    low[state] = min(low[state], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[state])
                if low[state] == index[state]:
                    cut = stack.index(state)
                    found.append(stack[cut:])
                    open_states.difference_update(stack[cut:])
                    del stack[cut:]
    return found
