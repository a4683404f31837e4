"""Time as an argument: the session never reads a clock of its own, so a test can give it a virtual one.

Waiting is done with asyncio (`asyncio.sleep`, `asyncio.timeout`, `loop.call_later`): on a virtual-time loop these follow
the virtual clock too.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Two readings: the calendar's and the stopwatch's."""

    def now(self) -> float:
        """Unix time in seconds; may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards: the running loop's time."""
        ...


class SystemClock:
    """The machine's own clock."""

    __slots__ = ()

    def now(self) -> float:  # noqa: D102
        return time.time()

    def monotonic(self) -> float:  # noqa: D102
        return asyncio.get_running_loop().time()
