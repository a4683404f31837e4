"""Finds rules that no message ever gets to, since what stands before them takes it.

Only what is certain is reported: a word that is taken before in every situation (C2C or group, open or closed) in which its
rule is for it. Whether one pattern takes all that another takes is not looked into.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from timbot_plugins._shared.fields import Place
from timbot_plugins._shared.words import contains
from timbot_plugins.responder.rules import Menu, Rule, When, Where

_CONVERSATIONS: Final = {"c2c": ("c2c",), "group": ("group",), "any": ("c2c", "group")}
_NEVER: Final = "it is never closed: rules for closed hours need 'hours'"

_CURE: Final = "put this rule first, or leave it out"

Situation = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Taker:
    """What takes messages: the menu, or a rule."""

    name: str
    rule: Rule | Menu
    situations: frozenset[Situation]

    def takes(self, kind: str, word: str) -> bool:
        """Whether it takes every message that `word` of a later rule is for."""
        rule = self.rule
        if isinstance(rule, Menu):
            return kind == "exact" and word in rule.on
        if kind == "regex":
            return rule.regex is not None and rule.regex.pattern == word
        if any(contains(word, keyword) for keyword in rule.keywords):
            return True
        if kind == "keywords":
            return False
        if word in rule.exact:
            return True
        return rule.regex is not None and rule.regex.ignore_case and rule.regex.search(word) is not None


def unreachable(menu: Menu | None, rules: Sequence[Rule], *, has_hours: bool) -> dict[Place, str]:
    """What is wrong with the rules, by its place within them."""
    problems: dict[Place, str] = {}
    takers = [] if menu is None else [_Taker("the menu", menu, _situations("any", menu.when, has_hours))]
    for number, rule in enumerate(rules):
        situations = _situations(rule.where, rule.when, has_hours)
        if not situations:
            problems[number, "when"] = _NEVER
        for place, kind, word in _conditions(rule):
            by = _taken_by(takers, situations, kind, word)
            if situations and by:
                problems[number, *place] = f"no message gets here: all are taken before, by {by}; {_CURE}"
        takers.append(_Taker(f"rules.{number}", rule, situations))
    return problems


def _taken_by(takers: Sequence[_Taker], situations: frozenset[Situation], kind: str, word: str) -> str:
    """Who takes the word in all these situations, or nobody (empty)."""
    left = situations
    names = []
    for taker in takers:
        if left & taker.situations and taker.takes(kind, word):
            left -= taker.situations
            names.append(taker.name)
    return "" if left else " and ".join(names)


def _conditions(rule: Rule) -> Iterator[tuple[Place, str, str]]:
    for number, word in enumerate(rule.exact):
        yield ("exact", number), "exact", word
    for number, word in enumerate(rule.keywords):
        yield ("keywords", number), "keywords", word
    if rule.regex is not None:
        yield ("regex",), "regex", rule.regex.pattern


def _situations(where: Where, when: When, has_hours: bool) -> frozenset[Situation]:
    if has_hours:
        hours: tuple[str, ...] = ("open", "closed") if when == "always" else (when,)
    else:
        hours = () if when == "closed" else ("open",)
    return frozenset((conversation, hour) for conversation in _CONVERSATIONS[where] for hour in hours)
