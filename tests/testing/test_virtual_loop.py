"""The virtual loop keeps exact time, waits for what is real, and says why when it cannot go on."""

from __future__ import annotations

import asyncio
import math
import os
import socket
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timbot.testing import EPOCH, Deadlock, RunAway, VirtualClock, VirtualLoop, run


def now() -> float:
    return asyncio.get_running_loop().time()


# Time


async def test_time_starts_at_zero() -> None:
    assert now() == 0.0


async def test_a_sleep_takes_exactly_its_virtual_time() -> None:
    await asyncio.sleep(0.1)
    await asyncio.sleep(86400 * 7)
    assert now() == 0.1 + 86400 * 7


async def test_time_stands_still_while_something_is_ready() -> None:
    asyncio.get_running_loop().call_later(1, lambda: None)
    for _ in range(100):
        await asyncio.sleep(0)
    assert now() == 0.0


@given(st.lists(st.floats(0, 1e7, allow_nan=False), max_size=150))
def test_timers_fire_in_order_at_their_exact_times(delays: list[float]) -> None:
    async def main() -> list[tuple[float, float, int]]:
        loop = asyncio.get_running_loop()
        fired: list[tuple[float, float, int]] = []
        for order, delay in enumerate(delays):
            loop.call_at(delay, lambda *timer: fired.append((loop.time(), *timer)), delay, order)
        await asyncio.sleep(max(delays, default=0))
        await asyncio.sleep(1)
        return fired

    assert run(main(), limit=math.inf) == sorted((delay, delay, order) for order, delay in enumerate(delays))


async def test_equal_times_fire_in_the_order_they_were_set() -> None:
    fired: list[int] = []
    for number in range(200):
        asyncio.get_running_loop().call_later(5, fired.append, number)
    await asyncio.sleep(5)
    assert fired == list(range(200))


def test_timers_still_fire_after_years() -> None:
    async def main() -> float:
        for _ in range(10):
            await asyncio.sleep(86400 * 365 + 0.1)
        return now()

    assert run(main(), limit=math.inf) == pytest.approx(10 * (86400 * 365 + 0.1))


async def test_cancelled_timers_do_not_move_time() -> None:
    for _ in range(500):
        asyncio.get_running_loop().call_later(3600, lambda: None).cancel()
    await asyncio.sleep(1)
    assert now() == 1.0


async def test_many_sleeps_cost_no_real_time() -> None:
    began = time.perf_counter()
    for _ in range(10_000):
        await asyncio.sleep(1)
    assert time.perf_counter() - began < 5  # measured at a tenth of a second; the rest is for a busy machine


async def test_a_timeout_ends_at_its_virtual_time() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await asyncio.Event().wait()
    assert now() == 30.0


async def test_wait_for_cancels_what_it_waited_for() -> None:
    task = asyncio.create_task(asyncio.sleep(100), name="slow")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(task, 2)
    assert (task.cancelled(), now()) == (True, 2.0)


# The wall clock


async def test_the_wall_clock_follows_the_loop(clock: VirtualClock) -> None:
    await asyncio.sleep(90)
    assert (clock.now(), clock.monotonic()) == (EPOCH + 90, 90.0)


async def test_the_epoch_is_the_documented_monday(clock: VirtualClock) -> None:
    assert datetime.fromtimestamp(clock.now(), UTC).strftime("%A %Y-%m-%d %H:%M") == "Monday 2026-01-05 00:00"


async def test_setting_the_wall_clock_moves_no_timer(clock: VirtualClock) -> None:
    await asyncio.sleep(10)
    clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    await asyncio.sleep(1)
    assert (clock.now(), now()) == (datetime(2030, 1, 1, 0, 0, 1, tzinfo=UTC).timestamp(), 11.0)


def test_a_run_can_start_at_another_date() -> None:
    async def main() -> float:
        return VirtualLoop.running().clock.now()

    assert run(main(), start=1_000.0) == 1_000.0


def test_a_date_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        VirtualLoop(start=datetime(2026, 1, 1))


# Threads


class Held:
    """A thread call that has started and goes on until `proceed` is set."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.proceed = threading.Event()
        loop = asyncio.get_running_loop()

        def work() -> None:
            loop.call_soon_threadsafe(self.started.set)
            self.proceed.wait(10)

        self.call = asyncio.create_task(asyncio.to_thread(work), name="thread call")

    def end_soon(self) -> None:
        """From another thread, and late enough for a loop that did not wait to have jumped long before."""
        threading.Timer(0.02, self.proceed.set).start()


async def test_time_does_not_pass_during_a_thread_call() -> None:
    held = Held()
    ticks: list[float] = []
    asyncio.get_running_loop().call_later(1, ticks.append, 1)
    await held.started.wait()
    held.end_soon()
    await held.call
    assert (ticks, now()) == ([], 0.0)


async def test_a_cancelled_thread_call_still_holds_time_until_its_thread_ends() -> None:
    held = Held()
    await held.started.wait()
    held.call.cancel()
    ended_first: list[bool] = []
    asyncio.get_running_loop().call_later(5, lambda: ended_first.append(held.proceed.is_set()))
    held.end_soon()
    await asyncio.sleep(5)
    assert ended_first == [True]


async def test_a_thread_call_cancelled_before_it_started_holds_nothing() -> None:
    loop = asyncio.get_running_loop()
    proceed = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = loop.run_in_executor(pool, proceed.wait, 10)
        second = loop.run_in_executor(pool, proceed.wait, 10)
        second.cancel()
        proceed.set()
        await first
        await asyncio.sleep(60)
    assert loop.time() == 60.0


async def test_a_thread_call_passes_its_error_on() -> None:
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(lambda: 1 // 0)


async def test_time_stands_still_in_a_hold() -> None:
    loop = VirtualLoop.running()
    woken = asyncio.Event()
    with loop.hold("a thread of our own"):
        threading.Timer(0.02, lambda: loop.call_soon_threadsafe(woken.set)).start()
        async with asyncio.timeout(1):
            await woken.wait()
    assert loop.time() == 0.0


def test_joining_the_executor_takes_no_virtual_time() -> None:
    loop = VirtualLoop()
    loop.run_until_complete(asyncio.to_thread(lambda: None))
    loop.run_until_complete(loop.shutdown_default_executor())
    ended = loop.time()
    loop.close()
    assert ended == 0.0


def test_a_shut_executor_takes_no_more_calls() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().shutdown_default_executor()
        await asyncio.to_thread(lambda: None)

    with pytest.raises(RuntimeError, match="shutdown"):
        run(main())


def test_a_thread_that_never_ends_is_named() -> None:
    proceed = threading.Event()

    def stubborn() -> None:
        proceed.wait(10)

    async def main() -> None:
        VirtualLoop.running().call_later(5, proceed.set)  # never reached: the thread holds time
        try:
            await asyncio.to_thread(stubborn)
        finally:
            proceed.set()

    with pytest.raises(Deadlock, match=r"0\.01 real seconds from thread call .*stubborn"):
        run(main(), patience=0.01)


# Sockets


async def test_real_sockets_work() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(5))
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello")
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()


async def test_an_idle_socket_does_not_hold_time_back() -> None:
    left, right = socket.socketpair()
    with left, right:
        asyncio.get_running_loop().add_reader(left, lambda: None)
        await asyncio.sleep(3600)
        asyncio.get_running_loop().remove_reader(left)
    assert now() == 3600.0


async def test_with_no_timer_left_a_pipe_is_waited_for() -> None:
    loop = asyncio.get_running_loop()
    reading, writing = os.pipe()
    arrived = loop.create_future()
    loop.add_reader(reading, lambda: arrived.set_result(os.read(reading, 5)))
    threading.Timer(0.02, os.write, (writing, b"hello")).start()
    assert await arrived == b"hello"
    loop.remove_reader(reading)
    os.close(reading)
    os.close(writing)


def test_a_silent_socket_is_given_up_after_real_patience() -> None:
    async def main() -> None:
        left, right = socket.socketpair()
        with left, right:
            left.setblocking(False)
            await asyncio.get_running_loop().sock_recv(left, 1)

    with pytest.raises(Deadlock, match="open file descriptor"):
        run(main(), patience=0.01)


# When it cannot go on


async def wait_for_nobody() -> None:
    await asyncio.Event().wait()


def test_a_deadlock_names_each_task_and_its_place() -> None:
    async def main() -> None:
        asyncio.current_task().set_name("the test")  # type: ignore[union-attr]
        waiting = asyncio.create_task(wait_for_nobody(), name="the forgotten one")
        await waiting

    with pytest.raises(Deadlock) as caught:
        run(main())
    line = wait_for_nobody.__code__.co_firstlineno + 1
    assert f"'the forgotten one' waits in wait_for_nobody ({__file__}:{line}) > Event.wait" in str(caught.value)
    assert [task.split("'")[1] for task in caught.value.tasks] == ["the forgotten one", "the test"]


def test_an_endless_sleep_is_a_deadlock() -> None:
    with pytest.raises(Deadlock):
        run(asyncio.sleep(math.inf))


def test_a_deadlock_still_runs_the_tasks_cleanup() -> None:
    cleaned: list[str] = []

    async def main() -> None:
        try:
            await wait_for_nobody()
        finally:
            cleaned.append("up")

    with pytest.raises(Deadlock):
        run(main())
    assert cleaned == ["up"]


def test_periodic_timers_alone_do_not_run_for_ever() -> None:
    async def main() -> None:
        async def heartbeat() -> None:
            for _ in range(24 * 365):
                await asyncio.sleep(3600)

        async with asyncio.TaskGroup() as group:
            group.create_task(heartbeat(), name="heartbeat")
            await wait_for_nobody()

    with pytest.raises(RunAway, match="'heartbeat' waits in"):
        run(main())


def test_the_limit_counts_from_the_start_of_each_run() -> None:
    loop = VirtualLoop(limit=10)
    for _ in range(3):
        loop.run_until_complete(asyncio.sleep(10))
    ended = loop.time()
    loop.close()
    assert ended == 30.0


def test_the_limit_itself_may_be_reached_but_not_passed() -> None:
    with pytest.raises(RunAway):
        run(asyncio.sleep(10.5), limit=10)


# The rest of asyncio's contract


def test_async_generators_are_closed_at_the_end() -> None:
    closed: list[float] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(1)
            closed.append(now())

    left_open = numbers()

    async def main() -> int:
        return await anext(left_open)

    run(main())
    assert closed == [1.0]


def test_debug_mode_works_too() -> None:
    async def main() -> tuple[bool, float]:
        await asyncio.to_thread(lambda: None)
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().get_debug(), now()

    assert run(main(), debug=True) == (True, 3600.0)


def test_an_ordinary_loop_is_not_taken_for_a_virtual_one() -> None:
    async def main() -> None:
        VirtualLoop.running()

    with pytest.raises(RuntimeError, match="not a VirtualLoop"):
        asyncio.run(main())


# The project's own tests


@pytest.mark.real_time
async def test_a_real_time_test_gets_the_ordinary_loop() -> None:
    assert not isinstance(asyncio.get_running_loop(), VirtualLoop)


async def test_any_other_test_gets_a_virtual_loop() -> None:
    assert isinstance(asyncio.get_running_loop(), VirtualLoop)
