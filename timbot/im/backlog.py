"""What has happened and was not read yet: a queue for one reader, and the brake for a socket that is faster than it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from timbot.im.clock import Clock

T = TypeVar("T")


class Backlog(Generic[T]):
    """Values in order, for one reader. `bound` is where the brake begins to work; nothing is ever dropped."""

    def __init__(self, bound: int, clock: Clock) -> None:
        self._bound = bound
        self._clock = clock
        self._values: deque[T] = deque()
        self._arrived = asyncio.Event()
        self._moved = asyncio.Event()
        self._ended = False

    def __len__(self) -> int:
        return len(self._values)

    def put(self, value: T) -> None:
        """Add one, at once."""
        self._values.append(value)
        self._arrived.set()

    def end(self) -> None:
        """There will be no more."""
        self._ended = True
        self._arrived.set()
        self._moved.set()

    def nudge(self) -> None:
        """Whoever waits in `wait_for_room` looks again."""
        self._moved.set()

    async def read(self) -> AsyncIterator[T]:
        """The values in order, until the end."""
        while True:
            while self._values:
                value = self._values.popleft()
                self._moved.set()
                yield value
            if self._ended:
                return
            self._arrived.clear()
            await self._arrived.wait()

    async def wait_for_room(self, *, patience: float, urgent: Callable[[], bool]) -> None:
        """Wait until the reader has caught up below the bound; not while `urgent`, and at most `patience` seconds."""
        end = self._clock.monotonic() + patience
        while len(self) >= self._bound and not urgent() and not self._ended:
            self._moved.clear()
            try:
                async with asyncio.timeout(end - self._clock.monotonic()):
                    await self._moved.wait()
            except TimeoutError:
                return
