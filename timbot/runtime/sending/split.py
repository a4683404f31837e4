"""A text that is too long for one message, as several.

What counts is the message as it travels: the elements as JSON in UTF-8, where a Chinese character is three bytes, a line break
two and an emoji four, and all else beside them. So a text is measured as it is encoded, not by its length.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from timbot.errors import InvalidArgument
from timbot.im.model.payloads import SENDABLE, Payload, Text, element_of
from timbot.im.wire.value import encode
from timbot.runtime.sending.graphemes import is_border, last_border
from timbot.runtime.sending.limits import vendor

LEAST: Final = 128
"""Bytes below which nothing is split: there would be no room for a word between the fences of a code block."""

_EMPTY: Final = len(encode([element_of(Text(""))]))

_SPACE: Final = r"[^\S\xa0\u2007\u202f]"
_BORDERS: Final = (
    re.compile(r"\r?\n[ \t\r]*\n"),
    re.compile(r"\r?\n"),
    re.compile(rf"(?:(?<=[.!?…])|(?<=[.!?…][\"'”’)\]])){_SPACE}+|(?<=[。！？])(?![。！？”’」』）])|(?<=[。！？][”’」』）])"),
    re.compile(rf"{_SPACE}+|(?<=[，、；：])"),
)
"""Paragraphs, lines, sentences, words: the text is cut where one of these begins."""

_SPACES: Final = re.compile(rf"{_SPACE}*")
_FENCE: Final = re.compile(r"^ {0,3}(`{3,})([^`\n]*)$", re.MULTILINE)
_TICKS: Final = re.compile(r" {0,3}```")
_AHEAD: Final = 256
"""How far behind the end of a part its border may reach: a paragraph border is blanks between two line breaks."""


class MessageTooLong(InvalidArgument):
    """A message that is too long and cannot be sent in parts. `size` and `limit` in bytes, of its elements as they travel."""

    docs = "errors#too-long"

    def __init__(self, kind: str, size: int, limit: int) -> None:
        super().__init__(
            f"The {kind.lower()} message is {size:,} bytes long as it travels, and there is room for {limit:,}.",
            hint="Only texts are sent in several messages. Put less into this one: what is long as a file, or a link to it.",
        )
        self.size = size
        self.limit = limit


def room(*, cloud_custom_data: str = "", at_user_list: Sequence[str] = ()) -> int:
    """Bytes a message has for its elements, beside this custom data and these mentions."""
    size, envelope = vendor().documented.message.bytes, vendor().chosen.envelope
    mentions = sum(len(encode(user)) + 48 for user in at_user_list)  # with the names of the fields around each
    return size - envelope - len(encode(cloud_custom_data)) - mentions


def split(payload: Payload, limit: int | None = None) -> list[Payload]:
    """The payload as messages of at most `limit` bytes (`room()` unless it is said): the payload itself if it fits.

    A text is cut at the last paragraph border that fits, else at a line, a sentence, a word, at worst between two characters as
    people see them. A code block between fences that fits into one message is not torn; a longer one is cut between its lines,
    closed and opened again. The white space at a cut is dropped, nothing else. (A single character of more than `limit` bytes,
    letters with thousands of accents, is torn.)

    Raises `MessageTooLong` for anything else that is too long, `ValueError` for a limit below 128.
    """
    if not isinstance(payload, SENDABLE):
        return [payload]
    most = room() if limit is None else limit
    size = len(encode([element_of(payload)]))
    if size <= most:
        return [payload]
    if not isinstance(payload, Text):
        raise MessageTooLong(type(payload).__name__, size, most)
    if most < LEAST:
        raise ValueError(f"a limit of {most} bytes is below {LEAST}: nothing can be said in it")
    return [Text(part) for part in _Cutter(payload.text, most - _EMPTY).parts()]


def _cost(text: str) -> int:
    return len(encode(text)) - 2


def _fits(text: str, start: int, most: int) -> int:
    """The last place up to which `text` from `start` on takes at most `most` bytes."""
    last = min(len(text), start + most)
    return bisect_right(range(start, last + 1), most, key=lambda end: _cost(text[start:end])) + start - 1


@dataclass(frozen=True, slots=True)
class _Block:
    """A code block: from its opening fence to behind its closing one."""

    start: int
    body: int
    body_end: int
    end: int
    opening: str
    closing: str


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where a part ends and the next begins; what closes the code in the one, and the block that goes on in the other."""

    end: int
    after: int
    closing: str = ""
    torn: _Block | None = None


def _blocks(text: str, most: int) -> list[_Block]:
    """The code blocks, but for those whose fences take so much room that there is little left for code."""
    blocks: list[_Block] = []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif len(fence[1]) >= len(opened[1]) and not fence[2].strip():
            blocks.append(_block(opened, fence.start(), fence.end()))
            opened = None
    if opened is not None:
        blocks.append(_block(opened, len(text), len(text)))
    return [block for block in blocks if 2 * _cost(text[block.start : block.body] + block.closing) <= most]


def _block(opened: re.Match[str], body_end: int, end: int) -> _Block:
    body = min(opened.end() + 1, body_end)
    return _Block(opened.start(), body, body_end, end, f"{opened[0].rstrip()}\n", f"\n{opened[1]}")


class _Cutter:
    """Cuts one text into parts of at most `most` bytes."""

    __slots__ = ("_blocks", "_most", "_text")

    def __init__(self, text: str, most: int) -> None:
        self._text = text
        self._most = most
        self._blocks = _blocks(text, most)

    def parts(self) -> list[str]:
        """All of it, in order."""
        text = self._text
        parts: list[str] = []
        place = self._behind_space(0)
        torn: _Block | None = None
        while place < len(text):
            opening = torn.opening if torn else ""
            left = self._most - _cost(opening)
            stop = _fits(text, place, left)
            if stop == len(text):
                parts.append(opening + text[place:])
                break
            cut = self._cut(place, stop, left)
            part = opening + text[place : cut.end]
            part = part + cut.closing if cut.closing else part.rstrip()
            if part:
                parts.append(part)
            place, torn = cut.after, cut.torn
        return parts or [text[: _fits(text, 0, self._most)]]

    def _cut(self, place: int, stop: int, left: int) -> _Cut:
        near = [block for block in self._blocks if block.start < stop and place < block.end]
        block = near[-1] if near and stop < near[-1].end else None
        if block is not None and not self._fits_by_itself(block, place):
            cut = self._tear(place, block, left)
            if cut is not None:
                return cut
        end = self._border(place, stop, near)
        return _Cut(end, self._behind_space(end))

    def _fits_by_itself(self, block: _Block, place: int) -> bool:
        return place < block.start and _cost(self._text[block.start : block.end]) <= self._most

    def _tear(self, place: int, block: _Block, left: int) -> _Cut | None:
        """A cut between two lines of code, in a line if need be; None if the block had better begin with the next part."""
        text, first = self._text, max(place, block.body)
        stop = _fits(text, place, left - _cost(block.closing))
        line = text.rfind("\n", first, stop + 1)
        if line >= 0 and text[first:line].strip():
            return self._within(line, line + 1, block)
        if place < block.start:
            return None
        end = max(text.rfind(" ", first, stop), text.rfind("\t", first, stop)) + 1
        if end <= first or not self._is_harmless(end, end):
            end = self._anywhere(first, stop, in_code=True)
        return self._within(end, end, block)

    def _within(self, end: int, after: int, block: _Block) -> _Cut:
        if self._text[after : block.body_end].strip():
            return _Cut(end, after, block.closing, block)
        return _Cut(end, self._behind_space(block.end), block.closing)  # that was all the code there is

    def _border(self, place: int, stop: int, near: Sequence[_Block]) -> int:
        """The best place for a cut outside code."""
        text = self._text
        edges = [edge for block in near for edge in (block.start, block.end)]
        for rank, borders in enumerate(_BORDERS):
            found = [border.start() for border in borders.finditer(text, place, min(len(text), stop + _AHEAD))]
            for cut in sorted(found + edges if rank == 0 else found, reverse=True):
                inside = any(block.start < cut < block.end for block in near)
                if not place < cut <= stop or inside or not text[place:cut].strip():
                    continue
                if self._is_harmless(cut, self._behind_space(cut)):
                    return cut
        return self._anywhere(place, stop, in_code=False)

    def _anywhere(self, place: int, stop: int, *, in_code: bool) -> int:
        """The last place behind `place` that tears no character, and if it can be makes no fence."""
        for cut in range(stop, max(place, stop - _AHEAD), -1):
            if self._is_harmless(cut, cut if in_code else self._behind_space(cut)):
                return cut
        return last_border(self._text, place + 1, stop)

    def _is_harmless(self, cut: int, after: int) -> bool:
        """Whether no character is torn, and no half of a line becomes a fence by beginning a part."""
        text = self._text
        return is_border(text, cut) and (text[after - 1] == "\n" or not _TICKS.match(text, after))

    def _behind_space(self, place: int) -> int:
        """Behind the white space at a cut; a line keeps its indentation."""
        space = _SPACES.match(self._text, place)
        end = space.end() if space else place
        line = self._text.rfind("\n", max(0, place - 1), end)
        if line < 0 and place:
            return last_border(self._text, place, end)
        return line + 1
