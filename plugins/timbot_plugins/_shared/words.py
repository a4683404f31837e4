"""How texts are compared: one normal form, and what counts as a word in scripts with and without spaces."""

from __future__ import annotations

import unicodedata
from typing import Final

LONGEST: Final = 1_000
"""Characters of a message that are looked at, the same for words as for patterns."""

_QUOTES: Final = str.maketrans("‘’“”", "''\"\"")
"""What phones make of straight quotes."""

_AROUND: Final = " .,:;!?…~-'\"()[]{}<>。、《》「」『』【】〜・"
"""What people put around a word without meaning anything by it. Full-width forms of these are plain by then."""


def plain(text: str) -> str:
    """The form in which texts are compared: without case, width and kind of quotes, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text[:LONGEST]).translate(_QUOTES).casefold().split())


def bare(text: str) -> str:
    """A plain text without punctuation around it; one of nothing else stays as it is."""
    return text.strip(_AROUND) or text


def contains(text: str, word: str) -> bool:
    """Whether a plain text says a plain word: not within a longer word where words have spaces, anywhere in Chinese.

    `hi` is not in `this`, but it is in `hi你好`; `退款` is in `我要退款吗`.
    """
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not _one_word(text[at - 1 : at], word[0]) and not _one_word(word[-1], text[end : end + 1]):
            return True
        at = text.find(word, at + 1)
    return False


def _one_word(left: str, right: str) -> bool:
    return _has_spaces(left) and _has_spaces(right)


def _has_spaces(character: str) -> bool:
    """Whether it is a letter or digit of a script with spaces between words: Latin to Indian, and Latin and Greek accents.

    Thai, Chinese and Japanese have none; Korean has, but puts its particles onto the word.
    """
    return character.isalnum() and (character < "\u0e00" or "\u1e00" <= character < "\u2000")
