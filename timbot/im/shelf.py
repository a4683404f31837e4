"""What is held until its turn comes, as it has to be kept: under numbers, as bytes.

A push is acknowledged when its delivery is accepted, also if nothing of it was handed over yet. What it held must then
survive the process.
"""

from __future__ import annotations

from timbot.im.delivery import HeldItem
from timbot.im.wire.pushes import Pushed, seal_item


class Shelf:
    """Held items between two deliveries. `last` is the greatest number given so far. Without `keeps` nobody keeps them."""

    def __init__(self, *, keeps: bool, last: int) -> None:
        self.keeps = keeps
        self._last = last
        self._new: dict[int, HeldItem] = {}
        self._gone: list[int] = []

    def put(self, pushed: Pushed) -> int:
        """Hold something; the number to let go of it by, 0 if nobody keeps it."""
        if not self.keeps:
            return 0
        self._last += 1
        self._new[self._last] = HeldItem(self._last, seal_item(pushed))
        return self._last

    def drop(self, number: int) -> None:
        """It is held no more. 0 is nothing."""
        if number and self._new.pop(number, None) is None:
            self._gone.append(number)

    def take(self) -> tuple[tuple[HeldItem, ...], tuple[int, ...]]:
        """What is held and what was let go since the last call."""
        held, gone = tuple(self._new.values()), tuple(self._gone)
        self._new.clear()
        self._gone.clear()
        return held, gone
