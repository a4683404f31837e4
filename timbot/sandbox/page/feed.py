"""What a bot does, told to whoever watches: bounded on both sides, and never waiting for a watcher."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

KEPT: Final = 200
"""Entries kept for watchers that come later."""

WATCHERS: Final = 32
"""Watchers at a time."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One event that a bot dealt with.

    `time`: when, in Unix seconds. `account`: the bot. `event`: what happened, in words ("text", "friend request"). `who`: who
    caused it. `conversation`: where, a conversation ID, empty if nowhere. `route`: the handler that took it, empty if none did.
    `outcome`: what came of it, in words ("replied", "failed: ..."). `milliseconds`: how long it took. `why`: what made the
    handler decide so, if it says.
    """

    time: float
    account: str
    event: str
    who: str
    conversation: str
    route: str
    outcome: str
    milliseconds: float
    why: str = ""


class Feed:
    """The last `KEPT` entries, and up to `WATCHERS` watchers. To be used within one event loop."""

    __slots__ = ("_entries", "_last", "_watchers")

    def __init__(self) -> None:
        self._entries: deque[tuple[int, FeedEntry]] = deque(maxlen=KEPT)
        self._last = 0
        self._watchers: set[FeedWatcher] = set()

    @property
    def watchers(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def publish(self, entry: FeedEntry) -> None:
        """Tell everybody who watches, now or later. Never waits, never fails."""
        self._last += 1
        self._entries.append((self._last, entry))
        for watcher in self._watchers:
            watcher.wake()

    def watch(self, after: int = 0) -> FeedWatcher | None:
        """Watch what comes after entry number `after` (0: everything kept). None if there are too many watchers."""
        if len(self._watchers) >= WATCHERS:
            return None
        # A number from before this feed began says nothing about it.
        return FeedWatcher(self._watchers, self, after if after <= self._last else 0)

    def since(self, after: int) -> list[tuple[int, FeedEntry]]:
        """The entries kept whose number is above `after`, oldest first."""
        return [numbered for numbered in self._entries if numbered[0] > after]


class FeedWatcher:
    """One who watches a feed. Leave it with `close` or `with`."""

    __slots__ = ("_after", "_closed", "_feed", "_news", "_watchers")

    def __init__(self, watchers: set[FeedWatcher], feed: Feed, after: int) -> None:
        self._watchers = watchers
        self._feed = feed
        self._after = after
        self._news = asyncio.Event()
        self._closed = False
        watchers.add(self)
        self.wake()

    def wake(self) -> None:
        """Called by the feed: there may be something new."""
        self._news.set()

    async def take(self) -> list[tuple[int, FeedEntry]]:
        """Wait for entries that were not taken yet and take them, numbered, oldest first; empty once closed.

        Whoever is slow misses the oldest, as the gap in the numbers shows.
        """
        while not self._closed:
            found = self._feed.since(self._after)
            if found:
                self._after = found[-1][0]
                return found
            self._news.clear()
            await self._news.wait()
        return []

    def close(self) -> None:
        """Watch no longer."""
        self._closed = True
        self._watchers.discard(self)
        self._news.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
