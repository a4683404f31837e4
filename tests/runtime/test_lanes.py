"""Lanes: order within a key, parallelism between keys, bounds, and nothing left behind."""

from __future__ import annotations

import asyncio
import functools
import tracemalloc
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timbot.runtime import lanes as module
from timbot.runtime.lanes import CLEAN_UP_SECONDS, IDLE_SECONDS, Lanes
from timbot.testing import VirtualClock, VirtualLoop, run


def now() -> float:
    return asyncio.get_running_loop().time()


def sleeper(seconds: float, done: list[int] | None = None, number: int = 0) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        await asyncio.sleep(seconds)
        if done is not None:
            done.append(number)

    return work


def worker_tasks() -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "t: worker"]


def live_timers() -> int:
    return sum(not handle.cancelled() for handle in VirtualLoop.running()._scheduled)


Piece = tuple[int, float, float]
"""A key, how long the work takes, and the pause after it was put."""

pieces = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.1, 1.0, 3.0]), st.sampled_from([0.0, 0.0, 0.05, 2.0, 11.0]))
)


class Record:
    """Lanes under observation: when each piece began and ended, and what ran at once."""

    def __init__(self, workers: int, backlog: int) -> None:
        self.lanes = Lanes("t", workers=workers, backlog=backlog)
        self.spans: dict[int, list[tuple[int, float, float]]] = {}
        self.running = self.most_running = self.most_waiting = 0

    async def work(self, key: int, number: int, seconds: float) -> None:
        began = now()
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if seconds:
                await asyncio.sleep(seconds)
        finally:
            self.running -= 1
            self.spans.setdefault(key, []).append((number, began, now()))

    async def put_all(self, items: list[Piece]) -> None:
        for number, (key, seconds, pause) in enumerate(items):
            await self.lanes.put(key, functools.partial(self.work, key, number, seconds))
            self.most_waiting = max(self.most_waiting, self.lanes.waiting)
            await asyncio.sleep(pause)


def observed(items: list[Piece], workers: int, backlog: int) -> Record:
    async def main() -> Record:
        record = Record(workers, backlog)
        await record.put_all(items)
        await record.lanes.join()
        assert await record.lanes.close(0) == 0
        return record

    return run(main())


@given(pieces, st.integers(1, 4), st.integers(1, 5))
def test_each_key_keeps_its_order(items: list[Piece], workers: int, backlog: int) -> None:
    done = observed(items, workers, backlog).spans
    assert {key: [number for number, _, _ in spans] for key, spans in done.items()} == {
        key: [number for number, item in enumerate(items) if item[0] == key] for key in {item[0] for item in items}
    }


@given(pieces, st.integers(1, 4))
def test_two_pieces_of_a_key_never_overlap(items: list[Piece], workers: int) -> None:
    for spans in observed(items, workers, 100).spans.values():
        assert all(before[2] <= after[1] for before, after in pairwise(spans))


@given(pieces, st.integers(1, 4), st.integers(1, 5))
def test_bounds_are_kept(items: list[Piece], workers: int, backlog: int) -> None:
    record = observed(items, workers, backlog)
    assert record.most_running <= workers
    assert record.most_waiting <= backlog


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.5, 3.0]), st.just(0.0)), max_size=20))
def test_with_enough_workers_a_key_waits_for_nobody_else(items: list[Piece]) -> None:
    for key, spans in observed(items, 5, 100).spans.items():
        assert spans[-1][2] == sum(seconds for other, seconds, _ in items if other == key)


async def test_a_slow_key_delays_nobody() -> None:
    lanes = Lanes("t", workers=2)
    done: list[int] = []
    for number in range(5):
        await lanes.put("slow", sleeper(100))
        await lanes.put(number, sleeper(0.01, done, number))
    await asyncio.sleep(0.1)
    assert done == [0, 1, 2, 3, 4]
    await lanes.close(0)


async def test_a_busy_key_takes_turns_with_the_others() -> None:
    lanes = Lanes("t", workers=1)
    done: list[int] = []
    for _ in range(10):
        await lanes.put("busy", sleeper(1, done, 0))
    await lanes.put("other", sleeper(1, done, 1))
    await lanes.join()
    assert done.index(1) == 1
    await lanes.close(0)


async def test_a_flood_of_slow_work_stays_within_its_bounds() -> None:
    lanes = Lanes("t", workers=50, backlog=500)
    before, most_tasks = len(asyncio.all_tasks()), 0
    tracemalloc.start()
    base, _ = tracemalloc.get_traced_memory()
    for number in range(20_000):
        await lanes.put(number % 3000, sleeper(2))
        most_tasks = max(most_tasks, len(asyncio.all_tasks()) - before)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_tasks <= 50 + 10
    assert lanes.waiting <= 500
    assert peak - base < 2_000_000
    await lanes.close(10_000)


async def test_a_hundred_thousand_quiet_keys_leave_nothing_behind() -> None:
    lanes = Lanes("t", workers=100, backlog=1000)
    for number in range(100_000):
        await lanes.put(number, sleeper(0.01) if number % 100 == 0 else sleeper(0))
    await lanes.join()
    await asyncio.sleep(IDLE_SECONDS + 1)
    assert (lanes.count, lanes.waiting, lanes.running) == (0, 0, 0)
    assert worker_tasks() == []
    assert live_timers() == 0


async def test_after_a_rush_a_trickle_lets_the_workers_go() -> None:
    lanes = Lanes("t", workers=100)
    for number in range(100):
        await lanes.put(number, sleeper(1))
    for number in range(300):
        await asyncio.sleep(0.1)
        await lanes.put(number, sleeper(0.01))
    assert len(worker_tasks()) == 1
    await lanes.close(0)


@pytest.mark.parametrize("hops", range(12))
async def test_work_that_comes_just_as_the_last_worker_goes_is_done(hops: int) -> None:
    lanes = Lanes("t", workers=1)
    done: list[int] = []
    await lanes.put("a", sleeper(0, done, 1))
    loop = asyncio.get_running_loop()
    started: list[asyncio.Task[None]] = []

    def after(left: int) -> None:
        if left:
            loop.call_soon(after, left - 1)
        else:
            started.append(asyncio.create_task(lanes.put("b", sleeper(0, done, 2))))

    await asyncio.sleep(0)
    loop.call_at(now() + IDLE_SECONDS, after, hops)
    await asyncio.sleep(IDLE_SECONDS + 5)
    assert done == [1, 2]
    await asyncio.gather(*started)
    await lanes.close(0)


async def test_work_that_never_waits_leaves_the_loop_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_A_STRETCH", 10)
    lanes = Lanes("t", workers=1)
    seen: list[int] = []
    done = 0

    async def work() -> None:
        nonlocal done
        done += 1

    for _ in range(100):
        await lanes.put("key", work)
    await asyncio.sleep(0)
    seen.append(done)
    await asyncio.sleep(0)
    seen.append(done)
    assert seen == [10, 20]
    await lanes.close(1)


async def test_put_waits_for_room() -> None:
    lanes = Lanes("t", workers=1, backlog=2)
    for number in range(3):
        await lanes.put(number, sleeper(5))
        await asyncio.sleep(0)
    began = now()
    await lanes.put("late", sleeper(0))
    assert now() - began == 5
    await lanes.close(0)


# What work does wrong


async def raises() -> None:
    raise ValueError("work's own mistake")


async def cancels_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(1)


async def waits_for_a_cancelled_task() -> None:
    task = asyncio.create_task(asyncio.sleep(10))
    await asyncio.sleep(0)
    task.cancel()
    await task


@pytest.mark.parametrize("bad", [raises, cancels_itself, waits_for_a_cancelled_task])
@pytest.mark.parametrize("workers", [1, 3])
async def test_bad_work_costs_its_lane_nothing(bad: Callable[[], Awaitable[None]], workers: int) -> None:
    errors: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context["message"]))
    lanes = Lanes("t", workers=workers)
    done: list[int] = []
    await lanes.put("idle", sleeper(0))  # its worker is parked when the bad work runs
    await asyncio.sleep(0.1)
    for number in range(3):
        await lanes.put("key", bad)
        await lanes.put("key", sleeper(0.1, done, number))
    await asyncio.sleep(5)
    assert done == [0, 1, 2]
    assert lanes.count == 0
    assert errors == (["t: work failed"] * 3 if bad is raises else [])
    await lanes.close(0)


# Closing


async def test_close_lets_work_finish_within_the_grace() -> None:
    lanes = Lanes("t", workers=1)
    done: list[int] = []
    for number in range(5):
        await lanes.put("key", sleeper(1, done, number))
    assert await lanes.close(5.5) == 0
    assert (done, now()) == ([0, 1, 2, 3, 4], 5)


async def test_close_reports_exactly_what_was_left() -> None:
    lanes = Lanes("t", workers=2)
    done: list[int] = []
    for number in range(6):
        await lanes.put(number % 2, sleeper(1, done, number))
    assert await lanes.close(1.5) == 4
    assert (sorted(done), now()) == ([0, 1], 1.5)
    assert worker_tasks() == []


async def test_close_at_once_counts_each_piece_once() -> None:
    lanes = Lanes("t", workers=4)
    for number in range(3):
        await lanes.put(number, sleeper(1))
    assert await lanes.close(0) == 3


async def test_work_put_while_closing_is_not_taken() -> None:
    lanes = Lanes("t", workers=1)
    done: list[int] = []
    await lanes.put("key", sleeper(1, done, 1))
    closing = asyncio.create_task(lanes.close(5))
    await asyncio.sleep(0.5)
    await lanes.put("key", sleeper(1, done, 2))
    assert (await closing, done) == (0, [1])


async def test_closing_wakes_who_waits_for_room() -> None:
    lanes = Lanes("t", workers=1, backlog=1)
    await lanes.put(1, sleeper(100))
    await asyncio.sleep(0)
    await lanes.put(2, sleeper(100))
    waiting = asyncio.create_task(lanes.put(3, sleeper(0)))
    await asyncio.sleep(0)
    await lanes.close(1)
    await waiting
    assert now() == 1


async def test_cancelled_work_may_clean_up() -> None:
    lanes = Lanes("t")
    cleaned: list[float] = []

    async def work() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(1)
            cleaned.append(now())

    await lanes.put("key", work)
    assert await lanes.close(1) == 1
    assert cleaned == [2]


async def test_work_that_will_not_be_cancelled_does_not_hold_the_close_for_ever() -> None:
    lanes = Lanes("t", workers=1)
    done: list[int] = []
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    await lanes.put("key", stubborn)
    await lanes.put("key", sleeper(0, done, 1))
    assert await lanes.close(1) == 2
    assert now() == 1 + CLEAN_UP_SECONDS
    release.set()
    await asyncio.sleep(1)
    assert (done, worker_tasks()) == ([], [])


async def test_closing_twice_is_closing_once(clock: VirtualClock) -> None:
    lanes = Lanes("t")
    await lanes.put("key", sleeper(1))
    await lanes.close(2)
    assert await lanes.close(2) == 0
    assert clock.monotonic() == 1


@settings(max_examples=50)
@given(pieces, st.integers(1, 3), st.sampled_from([0.0, 0.5, 2.0, 100.0]))
def test_closing_cuts_every_key_at_one_point(items: list[Piece], workers: int, grace: float) -> None:
    async def main() -> None:
        record = Record(workers, 100)
        await record.put_all(items)
        finished: dict[int, list[int]] = {}
        left = await record.lanes.close(grace)
        for key, spans in record.spans.items():
            finished[key] = [number for number, _, _ in spans]
            expected = [number for number, item in enumerate(items) if item[0] == key]
            assert finished[key] == expected[: len(finished[key])]
        cancelled = len(items) - sum(map(len, finished.values()))
        assert cancelled <= left  # what ran when it was cut short has an end too
        assert worker_tasks() == []

    run(main())
