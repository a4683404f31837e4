"""What is wrong with a pattern."""

from __future__ import annotations

from typing import ClassVar

from timbot.errors import TimbotError


class PatternError(TimbotError):
    """A pattern that is wrong, or may run away. `pattern` is its text, `place` where it was written, if that is known."""

    docs: ClassVar[str] = "errors#patterns"

    def __init__(self, message: str, *, pattern: str = "", place: str = "", hint: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.pattern = pattern
        self.place = place
