"""Order within a conversation, parallelism between them.

A lane is a conversation that has work. Lanes that have work and nobody at it stand in one queue; a worker takes the first,
does one piece of its work, and puts the lane back at the end if there is more. So a slow customer holds up nobody else, and
two pieces of one lane never run at once. A lane without work does not exist: 100,000 quiet conversations cost nothing.

Workers are made as needed, up to a bound, and parked when idle; the one parked last is woken first, so that after a rush the
others may go. The backlog has a bound too, beyond which `put` waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

Work = Callable[[], Awaitable[None]]

IDLE_SECONDS: Final = 10.0
"""How long a worker without work stays before it goes."""

CLEAN_UP_SECONDS: Final = 5.0
"""How long cancelled work may clean up behind itself before it is left to itself."""

AT_A_STRETCH: Final = 64
"""Pieces a worker does before it lets others have the loop: work that never waits must not keep the socket waiting."""


class Lanes:
    """`workers` bounds the pieces of work that run at once, `backlog` the pieces that wait."""

    def __init__(self, name: str, *, workers: int = 1000, backlog: int = 10_000) -> None:
        self._name = name
        self._most_workers = workers
        self._most_waiting = backlog
        self._lanes: dict[Hashable, deque[Work]] = {}
        self._ready: deque[Hashable] = deque()
        self._waiting = 0
        self._running = 0
        self._workers: set[asyncio.Task[None]] = set()
        self._parked: deque[asyncio.Future[None]] = deque()
        self._room = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._taking = True
        self._closed = False

    @property
    def waiting(self) -> int:
        """Pieces of work that wait for their turn."""
        return self._waiting

    @property
    def running(self) -> int:
        """Pieces of work that run now."""
        return self._running

    @property
    def count(self) -> int:
        """Conversations with work, running or waiting."""
        return len(self._lanes)

    async def put(self, key: Hashable, work: Work) -> None:
        """Add a piece of work to a lane. Waits while the backlog is full. `work` should not raise: the lane goes on,
        but only the loop's exception handler hears of it."""
        while self._waiting >= self._most_waiting and self._taking:
            self._room.clear()
            await self._room.wait()
        if not self._taking:
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
        self._taking = False
        self._room.set()
        try:
            async with asyncio.timeout(grace):
                await self.join()
        except TimeoutError:
            pass
        left = self._waiting + self._running
        self._closed = True
        self._lanes.clear()
        self._ready.clear()
        self._waiting = 0
        for worker in self._workers:
            worker.cancel()
        if self._workers:
            await asyncio.wait(self._workers, timeout=CLEAN_UP_SECONDS)
        self._idle.set()
        return left

    def _wake_worker(self) -> None:
        while self._parked:
            parked = self._parked.pop()
            if not parked.done():
                parked.set_result(None)
                return
        if len(self._workers) < self._most_workers:
            worker = asyncio.create_task(self._work(), name=f"{self._name}: worker")
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)  # if it never comes to run

    async def _work(self) -> None:
        worker = asyncio.current_task()  # asked now: work that never ends is thrown away when there is no loop any more
        try:
            while True:
                await self._do_what_is_ready()
                if self._closed or not await self._park():
                    return
        finally:
            # In this very step: a `put` that found this worker still counted, and none parked, would wake nobody.
            self._workers.discard(worker)
            if self._ready:
                self._wake_worker()  # it was cancelled by its own work, and the work goes on

    async def _do_what_is_ready(self) -> None:
        done = 0
        while self._ready:
            await self._one_piece(self._ready.popleft())
            done += 1
            if done % AT_A_STRETCH == 0:
                await asyncio.sleep(0)

    async def _park(self) -> bool:
        """Wait for work. False if there was none for long enough."""
        parked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._parked.append(parked)
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await parked
        except TimeoutError:
            if parked in self._parked:
                self._parked.remove(parked)
            return bool(self._ready)
        return True

    async def _one_piece(self, key: Hashable) -> None:
        lane = self._lanes[key]
        work = lane.popleft()
        self._waiting -= 1
        self._running += 1
        self._room.set()
        try:
            await work()
        except Exception as error:
            asyncio.get_running_loop().call_exception_handler({"message": f"{self._name}: work failed", "exception": error})
        finally:
            self._running -= 1
            if not self._closed:
                self._leave(key, lane)

    def _leave(self, key: Hashable, lane: deque[Work]) -> None:
        if lane:
            self._ready.append(key)
            return
        del self._lanes[key]
        if not self._lanes:
            self._idle.set()
