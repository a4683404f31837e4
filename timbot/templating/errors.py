"""What is wrong with a template, or with one rendering of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

from timbot.errors import TimbotError


class TemplateError(TimbotError):
    """A template that cannot be used. `template` is its name, `line` counts from 1 within it (0: none in particular).

    `place` says where a template that stands in the configuration was written (`file:line:column`, may be empty).
    """

    docs: ClassVar[str] = "errors#templates"

    def __init__(self, message: str, *, template: str = "", line: int = 0, place: str = "", hint: str = "") -> None:
        super().__init__(f"{_where(template, line, place)}{message}", hint=hint)
        self.template = template
        self.line = line
        self.place = place


def _where(template: str, line: int, place: str) -> str:
    if template:
        return f"{template}:{line}: " if line else f"{template}: "
    if place:
        return f"{place}, line {line} of the template: " if line else f"{place}: "
    return f"Line {line} of the template: " if line else ""


def closest(name: str, names: Iterable[str]) -> str:
    """The name most like `name`, or an empty string if none is near."""
    return next(iter(difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.7)), "")


def cure(name: str, names: Iterable[str], *, what: str) -> str:
    """A hint that names the closest right name, or else all of them (`what`: "The variables here are")."""
    known = sorted(names)
    near = closest(name, known)
    if near:
        return f"Did you mean '{near}'?"
    return f"{what}: {', '.join(known)}." if known else f"{what}: none."
