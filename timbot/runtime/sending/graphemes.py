"""Where a text may be cut without tearing what a person sees as one character.

A cautious rule on top of `unicodedata`: it allows no cut that Unicode's own rule (UAX 29) forbids, and forbids a few that it
allows. That is enough to cut well; the libraries that know every border weigh megabytes. It knows the characters of the
running Python's Unicode: a combining mark that is younger counts as a character of its own.
"""

from __future__ import annotations

from typing import Final
from unicodedata import category, combining

_SIMPLE: Final = "\u0300"
"""Below it there is no character that joins another, but for CR and LF."""

_JOINER: Final = "\u200d"
_VIRAMA: Final = 9
_MARKS: Final = frozenset({"Mn", "Mc", "Me"})

_EXTENDS: Final = frozenset(
    "\u200c\u200d\u0e33\u0eb3\uff9e\uff9f"  # joiners, vowel signs that count as letters, half-width voicing
    + "".join(map(chr, range(0x1F3FB, 0x1F400)))  # skin tones
    + "".join(map(chr, range(0xE0020, 0xE0080)))  # the tags of a flag
)
_PREPENDED: Final = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\U000110bd\U000110cd\U000111c2\U000111c3"
    "\U0001193f\U00011941\U00011a3a\U00011a84\U00011a85\U00011a86\U00011a87\U00011a88\U00011a89\U00011d46\U00011f02"
)


def is_border(text: str, place: int) -> bool:
    """Whether `text` may be cut before the character at `place`."""
    if not 0 < place < len(text):
        return True
    left, right = text[place - 1], text[place]
    if left < _SIMPLE and right < _SIMPLE:
        return not (left == "\r" and right == "\n")
    if category(left) == "Cc" or category(right) == "Cc":
        return True
    kind = category(right)
    if kind in _MARKS or right in _EXTENDS or left == _JOINER or left in _PREPENDED:
        return False
    if kind == "Cs":
        return not "\ud800" <= left <= "\udbff"
    if _is_hangul(left) and _is_hangul(right):
        return (_is_syllable(right) or _is_leading(right)) and not _is_leading(left)
    if _is_flag(left) and _is_flag(right):
        return _flags_before(text, place) % 2 == 0
    return not (kind == "Lo" and _after_virama(text, place))


def last_border(text: str, first: int, last: int) -> int:
    """The last place from `first` to `last` where `text` may be cut; `last` if one character fills it all."""
    for place in range(last, first - 1, -1):
        if is_border(text, place):
            return place
    return last


def _is_hangul(character: str) -> bool:
    return "\u1100" <= character <= "\u11ff" or "\ua960" <= character <= "\ua97c" or "\uac00" <= character <= "\ud7fb"


def _is_syllable(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3"


def _is_leading(character: str) -> bool:
    return "\u1100" <= character <= "\u115f" or "\ua960" <= character <= "\ua97c"


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, place: int) -> int:
    first = place
    while first and _is_flag(text[first - 1]):
        first -= 1
    return place - first


def _after_virama(text: str, place: int) -> bool:
    """Whether a sign that joins consonants stands before, perhaps with other marks behind it."""
    for index in range(place - 1, -1, -1):
        character = text[index]
        if combining(character) == _VIRAMA:
            return True
        if category(character) not in _MARKS and character not in _EXTENDS:
            break
    return False
