"""What happens on the server, for those who watch: a console, a test.

Watching never slows anything down: an observer that does not keep up loses the oldest values and is told how many.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from timbot.sandbox.front.desk import Done

KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection was accepted. `line` numbers connections from 1."""

    line: int
    url: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A connection has ended. `user` is whose login it carried; `reason` is empty if the peer left."""

    line: int
    user: str
    reason: str


@dataclass(frozen=True, slots=True)
class Handled:
    """A request was answered; `done` has command, caller, request and answer. `code` 0 is success."""

    line: int
    done: Done
    code: int


@dataclass(frozen=True, slots=True)
class Garbled:
    """A frame that was no request at all was passed over. `frame` holds its first 200 bytes."""

    line: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class Kicked:
    """A login was ended by a newer one."""

    user: str
    instance: int


Happening = Opened | Closed | Handled | Garbled | Kicked


class Observer:
    """The happenings from now on: an async iterator that ends with the server. Leave it with `close` or `with`."""

    def __init__(self, watchers: set[Observer], kept: int) -> None:
        self.lost = 0
        """Happenings that were dropped because nobody took them."""
        self._seen: deque[Happening] = deque(maxlen=kept)
        self._news = asyncio.Event()
        self._watchers = watchers
        self._closed = False
        watchers.add(self)

    def take(self, happening: Happening) -> None:
        """Called by the server."""
        self.lost += len(self._seen) == self._seen.maxlen
        self._seen.append(happening)
        self._news.set()

    def seen(self) -> list[Happening]:
        """What has happened and was not taken yet, without waiting."""
        taken = list(self._seen)
        self._seen.clear()
        return taken

    def close(self) -> None:
        """Watch no longer; the iteration ends after what was seen."""
        self._closed = True
        self._watchers.discard(self)
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Happening:
        while not self._seen:
            if self._closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._seen.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
