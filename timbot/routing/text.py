"""Text as routes see it: without a leading mention of the bot, in one normal form, trimmed, compared case-folded."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

COMMAND_PREFIX: Final = "/"

_AFTER_MENTION: Final = " \t\r\n\u2005\u2006\u00a0,\uff0c:\uff1a"
"""What clients and people put between a mention and the words: spaces (WeChat's too), comma, colon."""


def normalize(text: str) -> str:
    """NFKC (full-width letters and digits become plain) and trimmed."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFKC", text).strip()


def fold(text: str) -> str:
    """The form in which texts are compared."""
    return normalize(text).casefold()


def without_mention(text: str, names: Iterable[str]) -> str:
    """The text without a leading `@name`, for the longest of the names that is there."""
    stripped = text.lstrip()
    if not stripped.startswith("@"):
        return text
    for name in sorted(filter(None, names), key=len, reverse=True):
        rest = stripped[len(name) + 1 :]
        if stripped.startswith(f"@{name}") and (not rest or rest[0] in _AFTER_MENTION):
            return rest.lstrip(_AFTER_MENTION)
    return text


def split_command(text: str) -> tuple[str, tuple[str, ...]] | None:
    """`/dice 2 6` -> ("dice", ("2", "6")), the name case-folded; None if the text is no command."""
    if not text.startswith(COMMAND_PREFIX):
        return None
    words = text[len(COMMAND_PREFIX) :].split()
    if not words or text[len(COMMAND_PREFIX)].isspace():
        return None
    return words[0].casefold(), tuple(words[1:])
