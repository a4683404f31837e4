"""A running bot whose storage fails: it logs out at once, says what and where and what to do, and exits with 74."""

from __future__ import annotations

import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from timbot.cli import exits

pytestmark = pytest.mark.real_time

PATIENCE = 60.0

PLUGIN = """\
import asyncio
from timbot import Context, Plugin, Store, Text

bot = Plugin("keeping")

@bot.on_text("one")
async def one(ctx: Context[Text], *, store: Store) -> str:
    await store.set("one", "x")
    return "kept"

@bot.on_text("read")
async def read(ctx: Context[Text], *, store: Store) -> str:
    return str(len([await store.get(key) for key in await store.keys()]))

@bot.on_text("fill")
async def fill(ctx: Context[Text], *, store: Store) -> str:
    for number in range(100):
        await store.set(f"key {number}", str(number).zfill(5) * 10_000)
    return "full"

@bot.on_text("wait")
async def wait(ctx: Context[Text]) -> None:
    await ctx.reply("waiting")
    await asyncio.sleep(1000)
"""

CONFIG = """\
accounts: [{user_id: bot}]
plugins: [keeping.py]
state: state
grace: 50s
http: {port: 0}
sandbox: {port: 0}
log: {format: text}
"""


class Bot:
    """A `timbot run` of its own."""

    def __init__(self, folder: Path, output: Path, prepare: Callable[[], None] | None) -> None:
        self._output = output
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TIMBOT_")}
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "timbot", "run", "c.yaml"],
                cwd=folder, env=kept, stdout=file, stderr=file, preexec_fn=prepare,
            )  # fmt: skip
        self.url = self._wait_for(r"endpoint  sandbox, (ws://\S+)")
        self._wait_for(r"info +ready ")

    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def says(self, *texts: str) -> str:
        """What a person is answered."""
        done = subprocess.run(
            [sys.executable, "-m", "timbot", "chat", "--url", self.url],
            input="".join(f"{text}\n" for text in texts), capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        return done.stdout.strip()

    def hears(self, text: str) -> subprocess.Popen[str]:
        """Somebody says something, and nobody waits for the answer."""
        return subprocess.Popen(
            [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-m', 'timbot', 'chat', '--as', "
             f"'bob', '--url', {self.url!r}], input={text + chr(10)!r}, text=True, capture_output=True)"],
            text=True,
        )  # fmt: skip

    def fails(self) -> list[str]:
        """The last words."""
        began = time.monotonic()
        assert self.process.wait(PATIENCE) == exits.STORE
        assert time.monotonic() - began < 40, "it has not waited for 'grace'"
        return self.output().splitlines()

    def _wait_for(self, pattern: str) -> str:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            found = re.search(pattern, self.output())
            if found:
                return found.group(found.lastindex or 0)
            time.sleep(0.02)
        raise AssertionError(f"{pattern} never came: {self.output()}")


Start = Callable[..., Bot]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "keeping.py").write_text(PLUGIN)
    (tmp_path / "c.yaml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    started: list[Bot] = []

    def begin(prepare: Callable[[], None] | None = None) -> Bot:
        started.append(Bot(folder, folder / f"output{len(started)}", prepare))
        return started[-1]

    yield begin
    for bot in started:
        if bot.process.poll() is None:
            bot.process.kill()
            bot.process.wait()


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of one megabyte where the state is."""
    place = folder / "state"
    place.mkdir(mode=0o700)
    options = ["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(place)]
    try:
        done = subprocess.run(["mount", *options], capture_output=True, check=False, timeout=PATIENCE)
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if done.returncode:
        pytest.skip("nothing may be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True, timeout=PATIENCE)


def check_last_words(lines: list[str], what: str, cure: str) -> None:
    """One line in the log, and at the end the sentence and the cure."""
    assert [what in line and cure in line for line in lines if "store failed" in line] == [True]
    assert re.fullmatch(r"timbot: state/timbot\.sqlite3 failed: .*\.", lines[-2]), lines[-2]
    assert what in lines[-2]
    assert lines[-1].startswith("  ")
    assert cure in lines[-1]
    assert not [line for line in lines if "unhandled in the loop" in line]


def test_a_disk_that_fills_up_and_has_room_again(start: Start, small_disk: Path) -> None:
    bot = start()
    assert bot.says("one") == "bot: kept"
    with bot.hears("fill") as person:
        check_last_words(bot.fails(), "there is no room left (SQLITE_FULL)", "Make room on the disk, then start again.")
        person.wait(PATIENCE)
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True, timeout=PATIENCE)
    again = start()
    assert int(again.says("read").removeprefix("bot: ")) >= 2, "what was confirmed is there"
    again.process.send_signal(signal.SIGTERM)
    assert again.process.wait(PATIENCE) == exits.OK


def test_a_file_that_may_not_grow(start: Start) -> None:
    limit = 400_000
    bot = start(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert bot.says("one") == "bot: kept"
    with bot.hears("fill") as person:
        lines = bot.fails()
        person.wait(PATIENCE)
    assert "timbot.sqlite3 failed: " in lines[-2]


def test_another_program_that_keeps_it_locked(start: Start, folder: Path) -> None:
    bot = start()
    assert bot.says("one") == "bot: kept"
    other = sqlite3.connect(folder / "state" / "timbot.sqlite3", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with bot.hears("one") as person:
            check_last_words(
                bot.fails(), "another program keeps it locked (SQLITE_BUSY)", "Close the program that has the file open"
            )
            person.wait(PATIENCE)
    finally:
        other.close()


def test_a_page_that_is_damaged_while_it_runs(start: Start, folder: Path) -> None:
    first = start()
    assert first.says("fill") == "bot: full"
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(PATIENCE) == exits.OK
    bot = start()
    file = folder / "state" / "timbot.sqlite3"
    with file.open("r+b") as opened:
        opened.seek(4096)
        opened.write(b"\xee" * (file.stat().st_size - 4096))
    with bot.hears("read") as person:
        lines = bot.fails()
        person.wait(PATIENCE)
    check_last_words(lines, "it is damaged, or no SQLite file (SQLITE_CORRUPT", "Put a backup in its place")


def test_a_lock_is_noticed_although_nobody_writes_and_no_handler_holds_the_end_up(start: Start, folder: Path) -> None:
    bot = start()
    assert bot.says("wait") == "bot: waiting"
    other = sqlite3.connect(folder / "state" / "timbot.sqlite3", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        lines = bot.fails()
    finally:
        other.close()
    assert [line for line in lines if "left for the next start" in line]
