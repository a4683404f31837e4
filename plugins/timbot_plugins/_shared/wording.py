"""Conditions on what somebody wrote with a request."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Literal

from timbot import Pattern
from timbot.fields import Place
from timbot_plugins._shared.fields import Model, Word
from timbot_plugins._shared.words import contains, plain

Action = Literal["accept", "refuse", "leave"]


class Wording(Model):
    """Words and a pattern; any of them is enough."""

    keywords: tuple[Word, ...] = ()
    """Words or phrases within the message, without case and width: `hi` is not in `this`."""
    unsafe_regex: bool = False
    """Take a pattern that may run away."""
    regex: Pattern | None = None
    """A pattern that finds something in the message."""

    def fits(self, wording: str) -> bool:
        """Whether it is about this message."""
        if self.has_keyword_in(plain(wording)):
            return True
        return self.regex is not None and self.regex.search(unicodedata.normalize("NFKC", wording).strip()) is not None

    def has_keyword_in(self, text: str) -> bool:
        """Whether one of the keywords is in a plain text."""
        return any(contains(text, word) for word in self.keywords)

    def taken(self, earlier: Wording) -> Iterator[Place]:
        """The conditions for which `earlier` takes every message before this one is asked."""
        for number, word in enumerate(self.keywords):
            if earlier.has_keyword_in(word):
                yield "keywords", number
        if self.regex is not None and earlier.regex is not None and _takes(earlier.regex, self.regex):
            yield ("regex",)


def _takes(earlier: Pattern, later: Pattern) -> bool:
    """Whether all that the later one finds is found by the earlier one: that is known of equal patterns only."""
    return earlier.pattern == later.pattern and (earlier.ignore_case or not later.ignore_case)
