"""Order within a conversation, parallelism between them.

A lane is a conversation that has work. Lanes that have work and nobody at it stand in one queue; a worker takes the first,
does one piece of its work, and puts the lane back at the end if there is more. So a slow customer holds up nobody else, and
two pieces of one lane never run at once. A lane without work does not exist: 100,000 quiet conversations cost nothing.

Workers are made as needed, up to a bound, and parked when idle; the backlog has a bound too, beyond which `put` waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

Work = Callable[[], Awaitable[None]]

IDLE_SECONDS = 10.0
"""How long a worker without work stays before it goes."""


class Lanes:
    """`workers` bounds the pieces of work that run at once, `backlog` the pieces that wait."""

    def __init__(self, name: str, *, workers: int = 1000, backlog: int = 10_000) -> None:
        self._name = name
        self._most_workers = workers
        self._most_waiting = backlog
        self._lanes: dict[Hashable, deque[Work]] = {}
        self._ready: deque[Hashable] = deque()
        self._waiting = 0
        self._workers: set[asyncio.Task[None]] = set()
        self._parked: deque[asyncio.Future[None]] = deque()
        self._room = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    @property
    def waiting(self) -> int:
        """Pieces of work that wait for their turn."""
        return self._waiting

    @property
    def running(self) -> int:
        """Pieces of work that run now."""
        return len(self._workers) - len(self._parked)

    @property
    def count(self) -> int:
        """Conversations with work, running or waiting."""
        return len(self._lanes)

    async def put(self, key: Hashable, work: Work) -> None:
        """Add a piece of work to a lane. Waits while the backlog is full. `work` must not raise."""
        while self._waiting >= self._most_waiting and not self._closed:
            self._room.clear()
            await self._room.wait()
        if self._closed:
            return
        self._idle.clear()
        self._waiting += 1
        lane = self._lanes.get(key)
        if lane is not None:
            lane.append(work)  # the worker that is at it, or the queue of ready lanes, will come to it
            return
        self._lanes[key] = deque([work])
        self._ready.append(key)
        self._wake_worker()

    async def join(self) -> None:
        """Wait until there is no work, waiting or running."""
        await self._idle.wait()

    async def close(self, grace: float) -> int:
        """Take no more work, let what runs and waits finish for `grace` seconds, then cancel. How many pieces were left."""
        try:
            async with asyncio.timeout(grace):
                await self.join()
        except TimeoutError:
            pass
        left = self._waiting + self.running
        self._closed = True
        self._room.set()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._lanes.clear()
        self._ready.clear()
        self._waiting = 0
        self._idle.set()
        return left

    def _wake_worker(self) -> None:
        while self._parked:
            parked = self._parked.popleft()
            if not parked.done():
                parked.set_result(None)
                return
        if len(self._workers) < self._most_workers:
            worker = asyncio.create_task(self._work(), name=f"{self._name}: worker")
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        while True:
            while self._ready:
                await self._one_piece(self._ready.popleft())
            parked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._parked.append(parked)
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await parked
            except TimeoutError:
                if parked in self._parked:
                    self._parked.remove(parked)
                if not self._ready:
                    return

    async def _one_piece(self, key: Hashable) -> None:
        lane = self._lanes[key]
        work = lane.popleft()
        self._waiting -= 1
        self._room.set()
        try:
            await work()
        finally:
            if lane:
                self._ready.append(key)
            else:
                del self._lanes[key]
                if not self._lanes:
                    self._idle.set()
