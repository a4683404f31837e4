"""What kind of file some bytes are, and how large a picture they show: read from headers, never decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

_SEGMENTS: Final = 1000
"""Segments of a JPEG looked at before giving up."""

_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture. `format` is the subtype of its media type; width and height in pixels, 0 if they cannot be told."""

    format: str
    width: int
    height: int


def look(file: BinaryIO) -> Picture | None:
    """The picture in `file`: PNG, JPEG, GIF, WebP or BMP; None if it is none of these."""
    file.seek(0)
    head = file.read(32)
    kind = _kind(head)
    if not kind:
        return None
    try:
        width, height = _SIZES[kind](head, file)
    except struct.error:
        width = height = 0  # cut off
    return Picture(kind, width, height)


def is_mp4(file: BinaryIO) -> bool:
    """Whether `file` begins as an MP4 does."""
    file.seek(4)
    return file.read(4) == b"ftyp"


def _kind(head: bytes) -> str:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    return "bmp" if head.startswith(b"BM") else ""


def _png(head: bytes, _file: BinaryIO) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", head, 16)
    return width, height


def _gif(head: bytes, _file: BinaryIO) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", head, 6)
    return width, height


def _bmp(head: bytes, _file: BinaryIO) -> tuple[int, int]:
    width, height = struct.unpack_from("<ii", head, 18)
    return abs(width), abs(height)  # a negative height says that the rows begin at the top


def _webp(head: bytes, _file: BinaryIO) -> tuple[int, int]:
    if head[12:16] == b"VP8X":
        width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
        return width, height
    if head[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", head, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jpeg(_head: bytes, file: BinaryIO) -> tuple[int, int]:
    """From the first frame header; the segments before it may be of any length."""
    file.seek(2)
    for _ in range(_SEGMENTS):
        lead = file.read(2)
        if len(lead) < 2 or lead[0] != 0xFF:
            break
        marker = lead[1]
        if marker == 0xFF:  # filling
            file.seek(-1, 1)
            continue
        if marker in _WITHOUT_LENGTH:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if marker in _FRAMES:
            _, height, width = struct.unpack(">BHH", file.read(5))
            return width, height
        file.seek(max(length - 2, 0), 1)
    return 0, 0


_SIZES: Final = {"png": _png, "jpeg": _jpeg, "gif": _gif, "webp": _webp, "bmp": _bmp}
