"""A compiled pattern and what it finds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from timbot.patterns.errors import PatternError
from timbot.patterns.field import field_schema, json_schema

if TYPE_CHECKING:
    from pydantic_core import core_schema

MAX_TEXT: Final = 1_000
"""Characters of a text that a pattern looks at."""


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
    _compiled: re.Pattern[str]

    @classmethod
    def compile(cls, text: str, *, unsafe_regex: bool = False, ignore_case: bool = True, place: str = "") -> Pattern:
        """Compile a pattern while loading. `unsafe_regex` takes one that may run away at the caller's own risk.

        Raises `PatternError`, which begins with `place` if that is given.
        """
        flags = re.IGNORECASE if ignore_case else re.NOFLAG
        try:
            compiled = re.compile(text, flags)
        except (re.error, OverflowError, RecursionError) as error:
            raise PatternError(f"'{text}' is no pattern: {error}.", pattern=text, place=place) from None
        return cls(text, "re", ignore_case, compiled)

    def search(self, text: str) -> Match | None:
        """The first place where the pattern fits within the first 1,000 characters, or None."""
        found = self._compiled.search(text[:MAX_TEXT])
        if found is None:
            return None
        named = {name: value or "" for name, value in found.groupdict().items()}
        return Match(found.group(), found.groups(), named)

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
