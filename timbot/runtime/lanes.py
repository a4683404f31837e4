"""Order within a conversation, parallelism between them.

A lane is a conversation that has work. Lanes that have work and nobody at it stand in one queue; a worker takes the first,
does one piece of its work, and puts the lane back at the end if there is more. So a slow customer holds up nobody else, and
two pieces of one lane never run at once. A lane without work does not exist: 100,000 quiet conversations cost nothing.

Workers are made as needed, up to a bound, and parked when idle; the one parked last is woken first, so that after a rush the
others may go. The backlog has a bound too, beyond which `put` waits.

Work that has to wait for something its own lane will bring *steps out*: it goes on beside the lane, and the lane goes on
without it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from contextvars import ContextVar
from typing import Final

Work = Callable[[], Awaitable[None]]

IDLE_SECONDS: Final = 10.0
"""How long a worker without work stays before it goes."""

CLEAN_UP_SECONDS: Final = 5.0
"""How long cancelled work may clean up behind itself before it is left to itself."""

AT_A_STRETCH: Final = 64
"""Pieces a worker does before it lets others have the loop: work that never waits must not keep the socket waiting."""


class _Worker:
    """A task that does pieces of work, and which it is at."""

    __slots__ = ("away", "key", "lane", "task")

    def __init__(self, task: asyncio.Task[None] | None) -> None:
        self.task = task
        self.key: Hashable = None
        self.lane: deque[Work] | None = None
        self.away = False
        """Its work has stepped out, and it does no other any more."""


_worker: ContextVar[_Worker] = ContextVar("worker")
"""Tasks that a piece of work makes inherit it."""


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
        self._away: set[asyncio.Task[None]] = set()
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

    def __contains__(self, key: Hashable) -> bool:
        """Whether a lane has work, running or waiting."""
        return key in self._lanes

    async def put(self, key: Hashable, work: Work) -> None:
        """Add a piece of work to a lane. Waits while the backlog is full. `work` should not raise: the lane goes on,
        but only the loop's exception handler hears of it."""
        while self._waiting >= self._most_waiting and self._taking:
            self._room.clear()
            await self._room.wait()
        self.push(key, work)

    def push(self, key: Hashable, work: Work) -> None:
        """Add a piece of work at once, however full the backlog is. Nothing happens after `close`."""
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

    def step_out(self) -> None:
        """The piece of work this is called from gives its lane up and goes on beside it. Whoever lets it go on later does so
        in a piece of the lane that waits for it. Raises `RuntimeError` outside work, and for work that is out already."""
        worker = _worker.get(None)
        if worker is None or worker.task is None or worker.lane is None or worker.away:
            raise RuntimeError(f"{self._name}: only work that is in its lane can step out of it.")
        worker.away = True
        self._running -= 1
        self._workers.discard(worker.task)
        self._away.add(worker.task)
        if not self._closed:
            self._leave(worker.key, worker.lane)
            if self._ready:
                self._wake_worker()

    async def join(self) -> None:
        """Wait until there is no work, waiting or running."""
        await self._idle.wait()

    async def close(self, grace: float) -> int:
        """Take no more work, let what runs and waits finish for `grace` seconds, then cancel. How many pieces were left;
        those that had stepped out are cancelled, and not counted."""
        self._taking = False
        self._room.set()
        try:
            async with asyncio.timeout(grace):
                await self.join()
        except TimeoutError:
            pass
        left = self._waiting + self._running
        tasks = self.abandon()
        if tasks:
            await asyncio.wait(tasks, timeout=CLEAN_UP_SECONDS)
        return left

    def drop(self, key: Hashable) -> None:
        """Take what waits in a lane out of it. What runs goes on."""
        lane = self._lanes.get(key)
        if lane:
            self._waiting -= len(lane)
            lane.clear()
            if key in self._ready:  # nobody is at it
                self._ready.remove(key)
                self._leave(key, lane)
            self._room.set()

    def abandon(self) -> set[asyncio.Task[None]]:
        """Cancel all work at once. The tasks that are being cancelled."""
        self._taking = False
        self._closed = True
        self._lanes.clear()
        self._ready.clear()
        self._waiting = 0
        self._room.set()
        self._idle.set()
        tasks = self._workers | self._away
        for task in tasks:
            task.cancel()
        return tasks

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
        worker = _Worker(
            asyncio.current_task()
        )  # asked now: work that never ends is thrown away when there is no loop any more
        _worker.set(worker)
        try:
            while True:
                await self._do_what_is_ready(worker)
                if worker.away or self._closed or not await self._park():
                    return
        finally:
            # In this very step: a `put` that found this worker still counted, and none parked, would wake nobody.
            self._workers.discard(worker.task)
            self._away.discard(worker.task)
            if self._ready:
                self._wake_worker()  # it was cancelled by its own work, and the work goes on

    async def _do_what_is_ready(self, worker: _Worker) -> None:
        done = 0
        while self._ready and not worker.away:
            await self._one_piece(worker, self._ready.popleft())
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

    async def _one_piece(self, worker: _Worker, key: Hashable) -> None:
        lane = self._lanes[key]
        work = lane.popleft()
        worker.key, worker.lane = key, lane
        self._waiting -= 1
        self._running += 1
        self._room.set()
        try:
            await work()
        except Exception as error:
            asyncio.get_running_loop().call_exception_handler({"message": f"{self._name}: work failed", "exception": error})
        finally:
            worker.lane = None
            if not worker.away:
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
