"""A compiled pattern and what it finds."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from timbot.patterns.automaton import Automaton
from timbot.patterns.errors import PatternError
from timbot.patterns.field import field_schema, json_schema
from timbot.patterns.growth import Growth
from timbot.patterns.linear import compiled, installed, rewritten
from timbot.patterns.trees import Node, Unfit, parse

if TYPE_CHECKING:
    from pydantic_core import core_schema

MAX_TEXT: Final = 1_000
"""Characters of a text that a pattern looks at."""

MAX_PATTERN: Final = 1_000
"""Characters of a pattern."""

_HALVES: Final = re.compile("[\ud800-\udfff]")
_INSTALL: Final = "RE2 can run it: pip install 'timbot[re2]'. Or take the risk: unsafe_regex: true."
_RISK: Final = "To take the risk: unsafe_regex: true."


@dataclass(frozen=True, slots=True)
class Match:
    """What a pattern found. A group that took no part is None in `groups`, an empty text in `named`."""

    text: str
    groups: tuple[str | None, ...]
    named: dict[str, str]

    def group(self, number: int = 0, /) -> str | None:
        """The text of a group; 0 is all that was found. Raises `IndexError` if there is no such group."""
        if number < 0:
            raise IndexError(number)
        return self.groups[number - 1] if number else self.text


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pattern:
    """A regular expression of Python's, safe to run on what anybody writes."""

    pattern: str
    engine: Literal["re", "re2"]
    """What runs it: Python's `re`, or RE2 for one that would run away there. The answers are the same."""
    ignore_case: bool
    unsafe_regex: bool
    _compiled: re.Pattern[str]
    _linear: Any = None

    @classmethod
    def compile(cls, text: str, *, unsafe_regex: bool = False, ignore_case: bool = True, place: str = "") -> Pattern:
        """Compile a pattern while loading. `unsafe_regex` takes one that may run away at the caller's own risk.

        A pattern that may run away is given to RE2 if that is installed and finds the same. Raises `PatternError`, which begins
        with `place` if that is given.
        """
        try:
            known = _compiled(text, re.IGNORECASE if ignore_case else re.NOFLAG)
            nodes, flags = parse(text, known.flags)
        except (re.error, OverflowError, RecursionError, ValueError) as error:
            raise PatternError(f"'{text}' is no pattern: {error}.", pattern=text, place=place) from None
        try:
            judge(nodes, flags)
        except Unfit as reason:
            linear = _linear(nodes, flags)
            if not isinstance(linear, Unfit):
                return cls(text, "re2", ignore_case, unsafe_regex, known, linear)
            if not unsafe_regex:
                message = f"'{text}' may run away: {reason}"
                raise PatternError(message, pattern=text, place=place, hint=f"{reason.hint} {linear}".strip()) from None
        return cls(text, "re", ignore_case, unsafe_regex, known)

    def search(self, text: str) -> Match | None:
        """The first place where the pattern fits within the first 1,000 characters, or None.

        Line breaks at the end of those are not looked at.
        """
        text = text[:MAX_TEXT].rstrip("\n")
        # Half characters, which RE2 does not take, are one character each here as well.
        found = self._linear.search(_HALVES.sub("\ufffd", text)) if self._linear else self._compiled.search(text)
        if found is None:
            return None
        spans = [found.span(number) for number in range(self._compiled.groups + 1)]
        texts = tuple(None if start < 0 else text[start:end] for start, end in spans)
        named = {name: texts[number] or "" for name, number in self._compiled.groupindex.items()}
        return Match(texts[0] or "", texts[1:], named)

    def __repr__(self) -> str:
        return f"Pattern({self.pattern!r}, engine={self.engine!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> core_schema.CoreSchema:
        """Read a text, or `{regex: ..., unsafe_regex: true, case: true}`."""
        return field_schema()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: object) -> dict[str, object]:
        """What an editor is told."""
        return json_schema()


def judge(nodes: list[Node], flags: int) -> None:
    """Raises `Unfit` for a pattern that may run away in Python's `re`."""
    Growth(Automaton(nodes, flags, MAX_TEXT), MAX_TEXT)


def _compiled(text: str, flags: int) -> re.Pattern[str]:
    if len(text) > MAX_PATTERN:
        raise ValueError(f"it has {len(text):,} characters (at most {MAX_PATTERN:,})")
    with warnings.catch_warnings():
        # Python warns of what may mean something else one day, such as '[[': it is a mistake here and now.
        warnings.simplefilter("error")
        try:
            return re.compile(text, flags)
        except Warning as warning:
            raise ValueError(str(warning)) from None


def _linear(nodes: list[Node], flags: int) -> Any:
    """The pattern as RE2 runs it, or an `Unfit` that says what could be done."""
    try:
        linear = rewritten(nodes, flags)
        return compiled(linear) if installed() else Unfit(_INSTALL)
    except Unfit as reason:
        return Unfit(f"{reason} {_RISK}")
