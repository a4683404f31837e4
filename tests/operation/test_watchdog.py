"""The thread that watches the loop, on a real one."""

from __future__ import annotations

import asyncio
import functools
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from timbot import Context, Plugin, Text
from timbot.cli import exits
from timbot.runtime import watchdog
from timbot.runtime.log import get_log
from timbot.runtime.watchdog import Blocked, Places, Watchdog

pytestmark = pytest.mark.real_time

PATIENCE = 60.0


def shop(done: Callable[[], bool] = lambda: True) -> Plugin:
    bot = Plugin("shop")

    @bot.on_text("slow")
    async def slow(ctx: Context[Text]) -> None:
        await deeper(done)

    return bot


async def deeper(done: Callable[[], bool]) -> None:
    hold(done)


def hold(done: Callable[[], bool]) -> None:
    """Blocks until `done`, for a minute at most."""
    end = time.monotonic() + PATIENCE
    while not done() and time.monotonic() < end:
        time.sleep(0.01)


@pytest.fixture
def log() -> LogCapture:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    return capture


def entries(log: LogCapture, event: str) -> list[dict[str, object]]:
    return [dict(entry) for entry in log.entries if entry["event"] == event]


def dog(*plugins: Plugin, warn_after: float = 0.2, exit_after: float = 0.0) -> Watchdog:
    return Watchdog(get_log(), Places.of(plugins), warn_after=warn_after, exit_after=exit_after)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "TICK", 0.02)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - another thread makes it true
            await asyncio.sleep(0.01)


async def test_a_handler_that_blocks_is_named_while_it_does(log: LogCapture) -> None:
    bot = shop(lambda: bool(entries(log, "loop blocked")))
    with dog(bot):
        handler: Callable[..., Awaitable[None]] = bot.routes[0].handler
        await handler(None)
    (told,) = entries(log, "loop blocked")
    assert told["handler"] == "shop:shop.<locals>.slow"
    assert told["function"] == "hold"
    place = re.fullmatch(rf"{re.escape(__file__)}:(\d+)", str(told["place"]))
    assert place
    assert 0 < int(place.group(1)) - hold.__code__.co_firstlineno <= 4
    assert told["log_level"] == "error"
    assert "to_thread" in str(told["hint"])


async def test_it_is_told_again_with_growing_pauses_and_at_the_end(log: LogCapture) -> None:
    with dog():
        hold(lambda: len(entries(log, "loop blocked")) >= 3)
        await until(lambda: entries(log, "loop goes on"))
    seconds = [float(str(entry["seconds"])) for entry in entries(log, "loop blocked")]
    assert seconds[1] >= 2 * seconds[0] - 0.1
    assert seconds[2] >= 2 * seconds[1] - 0.1
    assert ["hint" in entry for entry in entries(log, "loop blocked")][:3] == [True, False, False]
    assert float(str(entries(log, "loop goes on")[0]["seconds"])) >= seconds[2]


def told_often(log: LogCapture, heard: list[Blocked], number: int) -> bool:
    return len(heard) == number and len(entries(log, "loop blocked")) >= 2


async def test_whoever_listens_is_told_once_for_each_block(log: LogCapture) -> None:
    heard: list[Blocked] = []
    with dog() as watching:
        watching.listen(heard.append)
        for number in (1, 2):
            hold(functools.partial(told_often, log, heard, number))
            await until(lambda: len(entries(log, "loop goes on")) == len(heard))
            log.entries[:] = entries(log, "loop goes on")
    assert len(heard) == 2


async def test_a_loop_that_turns_or_waits_is_left_alone(log: LogCapture) -> None:
    with dog(warn_after=1.0):
        began = time.monotonic()
        while time.monotonic() < began + 1.5:  # noqa: ASYNC110 - it is to turn
            await asyncio.sleep(0)
        await asyncio.sleep(1.5)
    assert not log.entries


async def test_time_in_which_nothing_of_the_process_ran_does_not_count(log: LogCapture) -> None:
    watching = dog(warn_after=1.0)
    watching._loop_thread = threading.get_ident()
    for _ in range(20):
        watching._look(1000.0)  # it was away as long as the loop was
    assert watching._told == 0
    for _ in range(10):
        watching._look(0.04)
    assert watching._told == 1


async def test_a_listener_that_fails_does_not_end_the_watch(log: LogCapture) -> None:
    def broken(_: Blocked) -> None:
        raise ValueError("no")

    with dog() as watching:
        watching.listen(broken)
        hold(lambda: len(entries(log, "loop blocked")) >= 2)
    assert len(entries(log, "loop blocked")) >= 2


async def test_a_log_that_is_held_up_holds_the_watch_up_in_nothing(log: LogCapture) -> None:
    with dog() as watching:
        full = threading.Event()

        def wait(_: Blocked) -> None:
            full.wait(PATIENCE)

        watching.listen(wait)
        hold(lambda: watching._told >= 3)
        told = watching._told
        full.set()
    assert told >= 3


async def test_leaving_ends_the_threads(log: LogCapture) -> None:
    before = set(threading.enumerate())
    with dog():
        assert {thread.name for thread in set(threading.enumerate()) - before} == {"watchdog"}
    assert set(threading.enumerate()) <= before


def test_of_libraries_only_the_caller_is_to_blame() -> None:
    places = Places.of([shop()])
    found: list[Blocked] = []

    def look(_: re.Match[str]) -> str:
        found.append(places.blame(sys._getframe(), 1.0))
        return ""

    re.sub("x", look, "x")
    assert found[0].plugin == "shop"
    frame = sys._getframe()
    assert Places().blame(frame, 1.0).function == "test_of_libraries_only_the_caller_is_to_blame"


# Processes of their own: those that end

SCRIPT = """\
import asyncio, re, sys, time
from timbot.runtime import log, watchdog

log.configure(format="text")
watchdog.TICK = 0.05

async def main():
    with watchdog.Watchdog(log.get_log(), watchdog.Places(), warn_after=0.3, exit_after={exit_after}):
        await asyncio.sleep(0.1)
        print("begin", flush=True)
        {work}
        print("end", flush=True)

asyncio.run(main())
"""


def script(work: str, exit_after: float = 0.0) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(SCRIPT).format(work=work, exit_after=exit_after)]


def run(work: str, exit_after: float = 0.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(script(work, exit_after), capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_a_loop_that_does_not_come_back_ends_the_process() -> None:
    done = run("time.sleep(50)", exit_after=1.0)
    assert done.returncode == exits.BLOCKED == watchdog.EXIT_CODE
    assert "loop blocked" in done.stderr
    assert f"exit_code={exits.BLOCKED}" in done.stderr
    assert "end" not in done.stdout


def test_one_that_comes_back_in_time_does_not() -> None:
    done = run("time.sleep(0.8)", exit_after=20)
    assert (done.returncode, done.stdout) == (0, "begin\nend\n")
    assert "loop blocked" in done.stderr


def test_python_that_stands_still_as_a_whole_is_told_and_ended_all_the_same() -> None:
    done = run("re.match(r'(a+)+$', 'a' * 60 + 'b')", exit_after=1.0)
    assert done.returncode == 1
    assert "most recent call first" in done.stderr
    assert "in main" in done.stderr


def test_a_log_that_nobody_reads_does_not_keep_it_from_exiting() -> None:
    work = "import os; os.set_blocking(2, True); sys.stderr.write('x' * 10_000_000)"
    process = subprocess.Popen(script(work, 1.0), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert process.wait(PATIENCE) == exits.BLOCKED
    finally:
        process.kill()
        process.wait()
        assert process.stderr
        process.stderr.close()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no such signal here")
def test_a_process_that_was_stopped_is_not_blocked(tmp_path: Path) -> None:
    output = tmp_path / "stderr"
    with output.open("wb") as file:
        process = subprocess.Popen(script("await asyncio.sleep(2.5)", 0.0), stdout=subprocess.PIPE, stderr=file, text=True)
    assert process.stdout
    try:
        assert process.stdout.readline() == "begin\n"
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(1.0)  # it is the time that passes while it is stopped that is to be seen
        os.kill(process.pid, signal.SIGCONT)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert "loop blocked" not in output.read_text()
