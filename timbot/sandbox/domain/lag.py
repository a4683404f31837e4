"""How far the history of one conversation lags behind what was said: a server may list a message only a while after it took
it, and tells nobody.

What appears, appears in order: a message never before the one it follows.
"""

from __future__ import annotations

from collections import deque


class Lag:
    """The messages of one conversation that its history does not show yet."""

    __slots__ = ("_hidden",)

    def __init__(self) -> None:
        self._hidden: deque[tuple[int, float]] = deque()

    def add(self, number: int, shown_at: float) -> None:
        """Message `number`, greater than all before, appears at `shown_at` (Unix seconds), or with the one before it."""
        self._hidden.append((number, shown_at))

    def first_hidden(self, now: float) -> int | None:
        """The oldest message that is not shown at `now`; None if all are."""
        while self._hidden and self._hidden[0][1] <= now:
            self._hidden.popleft()
        return self._hidden[0][0] if self._hidden else None
