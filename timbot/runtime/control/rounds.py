"""An errand that is run again and again, and how long the present one has been out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Rounds:
    """Does `errand` at once, then every `every` seconds, until it is stopped. What it raises is kept, and tried again.

    An errand that does not come back is seen by `out`: nothing else would tell of it.
    """

    def __init__(self, name: str, errand: Callable[[], Awaitable[object]], *, every: float) -> None:
        self._name = name
        self._errand = errand
        self._every = every
        self._left: float | None = None
        self._task: asyncio.Task[None] | None = None
        self.error: Exception | None = None
        """What the last errand raised; None if it went well."""

    @property
    def out(self) -> float:
        """For how many seconds the present errand has been out; 0 between two."""
        return 0.0 if self._left is None else asyncio.get_running_loop().time() - self._left

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._go(), name=self._name)

    async def stop(self) -> None:
        """End, in the middle of an errand if need be."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _go(self) -> None:
        while True:
            self._left = asyncio.get_running_loop().time()
            try:
                await self._errand()
                self.error = None
            except Exception as error:
                self.error = error
            finally:
                self._left = None
            await asyncio.sleep(self._every)
