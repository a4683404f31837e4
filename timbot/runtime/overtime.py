"""Handlers that run for too long are cancelled. Looked at once a second, since a timer for each message costs more than most
handlers do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from timbot.runtime.turn import Turn

EVERY: Final = 1.0
"""Seconds between two looks: so much longer than its limit a handler may run."""


class Overtime:
    """`limit` in seconds of a handler's own running time; 0: no limit. Time spent waiting for an answer does not count."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._running: dict[Turn, float] = {}
        self._spent: dict[Turn, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def enter(self, turn: Turn) -> None:
        """Its handler begins, or goes on."""
        if not self.limit:
            return
        loop = asyncio.get_running_loop()
        self._running[turn] = loop.time() - self._spent.pop(turn, 0.0)
        if self._timer is None:
            self._timer = loop.call_later(EVERY, self._look)

    def leave(self, turn: Turn, *, parked: bool = False) -> None:
        """Its handler has ended, or waits for an answer."""
        began = self._running.pop(turn, None)
        if parked and began is not None:
            self._spent[turn] = asyncio.get_running_loop().time() - began
        elif not parked:
            self._spent.pop(turn, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        latest = loop.time() - self.limit
        for turn, began in self._running.items():
            if began <= latest and not turn.overtime and turn.task is not None:
                turn.overtime = True
                turn.task.cancel()
        self._timer = loop.call_later(EVERY, self._look) if self._running else None
