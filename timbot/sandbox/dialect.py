"""The generations of clients, where what they read differs.

Almost everything is put so that all of them understand it. What one generation reads otherwise than another is told apart
by how a client introduces itself: newer SDKs name their version in the address they connect to.
"""

from __future__ import annotations

from enum import Enum
from typing import Final
from urllib.parse import parse_qs, urlsplit

_VERSION: Final = "sdkversion"


class Dialect(Enum):
    """Which generation a client belongs to."""

    CLASSIC = "classic"
    """tim-js-sdk 2.14.0 and what speaks like it."""
    NEWER = "newer"
    """tim-js-sdk 2.27 and its successor, with binary frames or without."""


def dialect_of(url: str) -> Dialect:
    """The dialect of a client that has connected to this address."""
    return Dialect.NEWER if _VERSION in parse_qs(urlsplit(url).query) else Dialect.CLASSIC
