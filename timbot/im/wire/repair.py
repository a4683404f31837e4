"""Second help for bytes that are not quite JSON.

Two things come from real peers that a strict reader refuses: half a surrogate pair (an emoji cut in two by a client that
counts UTF-16 units), and nesting without end (a prank that costs a recursive reader its stack). Each has its own remedy
here, one pass over the bytes without recursion, so that the rest of the frame can be read. Only called after a first,
strict reading failed; neither ever costs more than time proportional to the bytes.
"""

from __future__ import annotations

import json
import re
from typing import Final

MAX_DEPTH: Final = 128
"""Levels of nesting that are kept when too deep ones are cut out; real frames have at most about 15."""

ITEM_DEPTH: Final = 6
"""The level of one message in a frame (frame, body, EventArray, item, array, message): what is cut out is never bigger."""

_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
"""A string or a bracket. A string without end is one token too, or each of its quotes would be looked at again."""

_SURROGATE: Final = re.compile(
    rb"(?<!\\)((?:\\\\)*+)(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""An escaped surrogate, in a pair (2) or alone, with the escaped backslashes before it (1)."""


def valid_utf8(data: bytes) -> bytes:
    """The same bytes, or if they are not UTF-8 throughout, the nearest that are: U+FFFD stands for what is not."""
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return _clean(_lenient(data)).encode()
    return data


def whole_characters(data: bytes) -> bytes:
    """Valid UTF-8 with U+FFFD for every surrogate, raw or escaped, that has no other half."""
    return _SURROGATE.sub(lambda match: match[1] + (match[2] or rb"\ufffd"), valid_utf8(data))


def _lenient(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


def without_deep_items(data: bytes) -> bytes:
    """Replace each value at `ITEM_DEPTH` that nests deeper than `MAX_DEPTH` by a string that says so."""
    depth = 0
    start = 0  # where the current item at ITEM_DEPTH began
    too_deep = False
    kept = 0  # up to where `parts` has what is kept
    parts: list[bytes] = []
    for token in _TOKEN.finditer(data):
        kind = data[token.start()]
        if kind in b"[{":
            depth += 1
            if depth == ITEM_DEPTH:
                start, too_deep = token.start(), False
            too_deep = too_deep or depth > MAX_DEPTH
        elif kind in b"]}":
            if depth == ITEM_DEPTH and too_deep:
                beginning = data[start : start + 100].decode("utf-8", "replace")
                parts += data[kept:start], json.dumps(f"(nested deeper than {MAX_DEPTH} levels) {beginning}").encode()
                kept = token.end()
            depth -= 1
    return b"".join((*parts, data[kept:]))


def without_nulls(value: object) -> object:
    """The same tree without the fields of objects that are `None`."""
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


def without_surrogates(value: object) -> object:
    """The same text, list, tuple or dict with U+FFFD for every lone surrogate."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, (list, tuple)):
        return [without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
    return value


def _clean(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
