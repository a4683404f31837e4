"""Texts in settings that are templates: tried once while loading, one or several, and cut to what the server takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar

from pydantic import Discriminator, Field, Tag

from timbot import Template
from timbot_plugins._shared.fields import one_or_several

T = TypeVar("T")

Several = Annotated[
    Annotated[T, Tag("one")] | Annotated[tuple[T, ...], Field(min_length=1), Tag("several")],
    Discriminator(one_or_several),
]
"""One, or a list of them."""


def tried(values: Mapping[str, object]) -> Callable[[Template], Template]:
    """A check that a template works with such values: a misspelt `sender.nmae` is found while loading."""

    def check(template: Template) -> Template:
        try:
            template.render(**values)
        except Exception as error:  # whatever a template can do wrong, it has done here first
            raise ValueError(f"tried with made-up values: {error}") from None
        return template

    return check


def said(texts: Template | tuple[Template, ...] | None, values: Mapping[str, object]) -> list[str]:
    """What one template, several or none say."""
    templates = texts if isinstance(texts, tuple) else () if texts is None else (texts,)
    return [template.render(**values) for template in templates]


def cut(text: str, size: int) -> str:
    """The text in one line and in at most `size` bytes of UTF-8, with no character cut in two."""
    line = " ".join(text.split())
    return line.encode("utf-8", "replace")[:size].decode("utf-8", "ignore").rstrip()
