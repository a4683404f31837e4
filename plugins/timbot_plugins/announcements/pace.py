"""The rate that an account keeps, whichever of its announcements are being told."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from timbot import Client


class Pace:
    """Turns, so many a second. They are given in the order in which they were asked for."""

    def __init__(self) -> None:
        self._next = 0.0

    async def turn(self, per_second: float) -> None:
        """Wait for one's turn."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next)
        self._next = turn + 1 / per_second
        await asyncio.sleep(turn - now)


_paces: WeakKeyDictionary[Client, Pace] = WeakKeyDictionary()


def pace_of(client: Client) -> Pace:
    """The pace of an account, as long as it is there."""
    return _paces.setdefault(client.underlying, Pace())
