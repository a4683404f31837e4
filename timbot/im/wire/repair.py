"""Second help for bytes that are not quite JSON.

Two things come from real peers that a strict reader refuses: half a surrogate pair (an emoji cut in two by a client that
counts UTF-16 units), and nesting without end (a prank that costs a recursive reader its stack). Both are mended here in
one pass without recursion, so that the rest of the frame can be read. Only called after a first, strict reading failed.
"""

from __future__ import annotations

import json
import re

MAX_DEPTH = 128
"""Levels of nesting a frame may have; real ones have at most about 15."""

ITEM_DEPTH = 6
"""The level of one message in a frame (frame, body, EventArray, item, array, message): what is cut out is never bigger."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)  # a string without end is one token too: linear
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?|.)", re.DOTALL)


def repair(data: bytes) -> bytes:
    """Replace lone surrogates by U+FFFD and over-deep items by a string that says so. May return what it was given."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogatepass" if _only_surrogates(data) else "replace")
        data = _clean(text).encode()
    return _ESCAPE.sub(_whole_escape, _cut_deep_items(data))


def _only_surrogates(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _whole_escape(match: re.Match[bytes]) -> bytes:
    first, second = match.group(1), match.group(2)
    if first is None:
        return match.group(0)
    code = int(first, 16)
    if 0xD800 <= code <= 0xDBFF:
        return match.group(0) if second else b"\\ufffd"
    lone_low = 0xDC00 <= code <= 0xDFFF
    head = b"\\ufffd" if lone_low else b"\\u" + first
    return head + (b"\\ufffd" if second else b"")


def _cut_deep_items(data: bytes) -> bytes:
    """Replace each value at `ITEM_DEPTH` (or the outermost one above it) that nests deeper than `MAX_DEPTH`."""
    depth = 0
    start = 0  # where the current item at ITEM_DEPTH began
    too_deep = False
    cut: list[tuple[int, int]] = []
    for token in _TOKEN.finditer(data):
        kind = data[token.start()]
        if kind in b"[{":
            depth += 1
            if depth == ITEM_DEPTH:
                start, too_deep = token.start(), False
            too_deep = too_deep or depth > MAX_DEPTH
        elif kind in b"]}":
            if depth == ITEM_DEPTH and too_deep:
                cut.append((start, token.end()))
                too_deep = False
            depth -= 1
    for begin, end in reversed(cut):
        beginning = data[begin : begin + 100].decode("utf-8", "replace")
        data = data[:begin] + json.dumps(f"(nested deeper than {MAX_DEPTH} levels) {beginning}").encode() + data[end:]
    return data


def without_surrogates(value: object) -> object:
    """The same text, list or dict with U+FFFD for every lone surrogate."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, list):
        return [without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
    return value


def _clean(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
