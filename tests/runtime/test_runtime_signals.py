"""Stop signals: the first asks, the second ends, also while something blocks the loop."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from timbot.runtime.signals import SIGNALS, stop_event

pytestmark = pytest.mark.real_time

BLOCKED = """
import asyncio, os, signal, time
from timbot.runtime.signals import stop_event

async def main():
    with stop_event() as stop:
        os.kill(os.getpid(), signal.{first})
        time.sleep(0.01)
        print("first", flush=True)
        os.kill(os.getpid(), signal.{second})
        time.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("number", SIGNALS)
async def test_the_first_sets_the_event(number: int) -> None:
    with stop_event() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        async with asyncio.timeout(10):
            await stop.wait()
        assert [signal.getsignal(each) for each in SIGNALS] == [signal.SIG_DFL, signal.SIG_DFL]


async def test_what_was_there_before_is_there_again() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with stop_event():
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize(("first", "second"), [("SIGTERM", "SIGTERM"), ("SIGINT", "SIGINT"), ("SIGTERM", "SIGINT")])
def test_the_second_ends_the_process_although_the_loop_is_blocked(first: str, second: str) -> None:
    code = BLOCKED.format(first=first, second=second)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.Signals[second], b"first\n", b"")
