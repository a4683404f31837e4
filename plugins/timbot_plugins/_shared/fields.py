"""Types of settings that several plugins have: words to compare with, beside those of `timbot.fields`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from timbot.fields import Duration, Place, one_or_several, raise_at, zone
from timbot_plugins._shared.words import bare, plain

__all__ = ["Duration", "Model", "Place", "Whole", "Word", "a_text", "one_or_several", "raise_at", "zone"]


class Model(BaseModel):
    """A mapping in the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _is_word(text: str) -> str:
    word = plain(text)
    if not word:
        raise ValueError("a text with something in it is needed")
    return word


Word = Annotated[str, AfterValidator(_is_word)]
"""A text to compare with, in the form in which texts are compared."""

Whole = Annotated[Word, AfterValidator(bare)]
"""The same for a whole message: without punctuation around it."""


def a_text(value: object) -> str:
    """The value, if it is a text. Raises `ValueError` with the cure."""
    if not isinstance(value, str):
        raise ValueError('a text is needed: put it in quotes, "like this"')
    return value
