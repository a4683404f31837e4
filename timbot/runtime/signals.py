"""Stop signals as an event, for what runs until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_event() -> Iterator[asyncio.Event]:
    """An event that SIGINT or SIGTERM sets. The second signal has its ordinary effect: it ends the process.

    To be entered within a running loop, in the main thread.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def first() -> None:
        restore()
        stop.set()

    def first_without_loop(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(first)

    def restore() -> None:
        for number in SIGNALS:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, before[number])

    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in SIGNALS}
    for number in SIGNALS:
        try:
            loop.add_signal_handler(number, first)
        except NotImplementedError:  # Windows
            signal.signal(number, first_without_loop)
    try:
        yield stop
    finally:
        restore()
