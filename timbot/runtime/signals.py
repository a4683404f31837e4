"""Stop signals as an event, for what runs until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_event() -> Iterator[asyncio.Event]:
    """An event that SIGINT or SIGTERM sets. The second signal ends the process at once, as the system does it.

    To be entered within a running loop, in the main thread. The signals are not left to the loop: while a handler blocks
    it, the loop would see neither the first nor the second.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def first(_number: int, _frame: FrameType | None) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(stop.set)

    before = {number: signal.signal(number, first) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
