"""`timbot run` that is killed, started twice, told to stop too early, or held up: as an operator meets it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from talk_site import PATIENCE, talk

from timbot.cli import exits

pytestmark = pytest.mark.real_time

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("TIMBOT_")}

PLUGIN = """\
import asyncio, sys
from timbot import Context, Plugin, Store, Text

bot = Plugin("counting")

@bot.on_text("count")
async def count(ctx: Context[Text], *, store: Store) -> str:
    times = await store.get("times", 0) + 1
    await store.set("times", times)
    return f"number {times}"

@bot.on_text("leave")
async def leave(ctx: Context[Text]) -> None:
    sys.exit(3)

@bot.on_text("stay")
async def stay(ctx: Context[Text]) -> None:
    await ctx.reply("I stay")
    while True:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            continue
"""

CONFIG = """\
accounts: [{user_id: bot}]
plugins: [counting.py]
grace: 100ms
http: {port: 0}
sandbox: {port: 0}
log: {format: text}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "counting.py").write_text(PLUGIN)
    (tmp_path / "c.yaml").write_text(CONFIG)
    return tmp_path


class Process:
    """A `timbot run` of its own."""

    def __init__(self, folder: Path, output: Path) -> None:
        self._folder = folder
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "timbot", "run", "c.yaml"], cwd=folder, env=ENVIRONMENT, stdout=file, stderr=file
            )

    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def wait_for(self, pattern: str) -> str:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = re.search(pattern, self.output())
            if found:
                return found.group(found.lastindex or 0)
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"{pattern} never came: {self.output()}")

    def says(self, text: str) -> str:
        """What a person is answered."""
        url = self.wait_for(r"endpoint  sandbox, (ws://\S+)")
        self.wait_for(r"info +ready ")
        return talk("--url", url, turns={text: "\n"}, cwd=self._folder, env=ENVIRONMENT).stdout.decode().strip()

    def ends(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


Start = Callable[[], Process]


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    started: list[Process] = []

    def begin() -> Process:
        started.append(Process(folder, folder / f"output{len(started)}"))
        return started[-1]

    yield begin
    for process in started:
        if process.process.poll() is None:
            process.process.kill()
            process.process.wait(PATIENCE)


def test_after_a_kill_it_starts_again_and_knows_what_it_knew(start: Start) -> None:
    first = start()
    assert first.says("count") == "bot: number 1"
    assert first.ends(signal.SIGKILL) == -signal.SIGKILL
    assert start().says("count") == "bot: number 2"


def test_a_second_instance_is_told_who_runs_already(start: Start) -> None:
    first = start()
    first.wait_for(r"info +ready ")
    second = start()
    assert second.process.wait(PATIENCE) == exits.FAILED
    assert second.output().splitlines() == [
        f"timbot: .timbot is in use by process {first.process.pid}.",
        "  Stop that one first, or give this one a folder of its own: a store belongs to one running bot.",
    ]
    assert first.says("count") == "bot: number 1"
    assert first.ends(signal.SIGTERM) == exits.OK


def test_a_stop_before_anything_could_be_reached(start: Start, folder: Path) -> None:
    config = CONFIG.replace("{user_id: bot}", "{user_id: bot, user_sig: none}")
    (folder / "c.yaml").write_text(f"endpoint: ws://127.0.0.1:1\n{config}")
    process = start()
    process.wait_for("nothing listens there")
    assert process.ends(signal.SIGTERM) == exits.OK
    assert "stopping before the first login" in process.output()


def test_a_handler_that_leaves_and_one_that_stays(start: Start) -> None:
    process = start()
    assert process.says("leave\ncount") == "bot: number 1"
    assert process.says("stay") == "bot: I stay"
    assert process.ends(signal.SIGTERM) == exits.OK
    told = process.output()
    assert re.search(r"error +handler failed .*place=\S*counting.py:12", told)
    assert "left for the next start" in told
    assert re.search(r"error +task does not end .*place=\S*counting.py:21", told)
    task, end = told.splitlines()[-2:]
    assert task.endswith("counting.py:21")
    assert end.endswith("info    stopped"), "nothing behind it"
