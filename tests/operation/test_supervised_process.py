"""`timbot run` as its operator meets it: a handler that blocks is named, commands reach the bot, a kick ends it with 75."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from timbot.cli import exits

pytestmark = pytest.mark.real_time

PATIENCE = 60.0

PLUGIN = """\
import time
from timbot import Context, Plugin, Text

bot = Plugin("shop")

@bot.on_text("block")
async def slow(ctx: Context[Text]) -> str:
    work(4)
    return "at last"

def work(seconds: float) -> None:
    time.sleep(seconds)  # the line

@bot.on_text("hello")
async def hello(ctx: Context[Text]) -> str:
    return "hi"
"""

CONFIG = """\
accounts: [{user_id: bot}]
plugins: [shop.py]
state: state
watchdog: {warn_after: 1s}
http: {port: 0}
sandbox: {port: 0}
log: {format: json}
"""


class Bot:
    """A `timbot run` of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._output = folder / f"output{len(list(folder.glob('output*')))}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TIMBOT_")}
        with self._output.open("wb") as file:
            command = [sys.executable, "-m", "timbot", "run", "config.yaml"]
            self.process = subprocess.Popen(command, cwd=folder, env=kept, stdout=file, stderr=file)

    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def events(self, name: str) -> list[dict[str, object]]:
        lines = [json.loads(line) for line in self.output().splitlines() if line.startswith("{") and line.endswith("}")]
        return [line for line in lines if line["event"] == name]

    def timbot(self, *arguments: str, lines: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "timbot", *arguments],
            input=lines, cwd=self._folder, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip

    def chat(self, *options: str, lines: str) -> str:
        self.wait_for('"event": "ready"')
        url = self.wait_for(r"endpoint  sandbox, (ws://\S+)")
        return self.timbot("chat", "--url", url, *options, lines=lines).stdout

    def wait_for(self, pattern: str) -> str:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            found = re.search(pattern, self.output())
            if found:
                return found.group(found.lastindex or 0)
            time.sleep(0.02)
        raise AssertionError(f"{pattern} never came: {self.output()}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(PLUGIN)
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def bot(folder: Path) -> Iterator[Bot]:
    running = Bot(folder)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def test_a_handler_that_blocks_is_named_with_its_line(bot: Bot, folder: Path) -> None:
    bot.chat(lines="block\n")
    bot.wait_for('"event": "loop goes on"')
    told = bot.events("loop blocked")[0]
    line = PLUGIN.splitlines().index("    time.sleep(seconds)  # the line") + 1
    assert (told["handler"], told["function"]) == ("shop:slow", "work")
    assert Path(str(told["place"])) == Path(f"{folder / 'shop.py'}:{line}")
    assert 1 <= float(str(told["seconds"])) <= 3


def test_commands_reach_the_running_bot(bot: Bot) -> None:
    bot.wait_for('"event": "ready"')
    done = bot.timbot("dlq", "list")
    assert (done.returncode, done.stdout, done.stderr) == (exits.OK, "No dead letters.\n", "")


def test_a_kick_ends_it_with_a_code_of_its_own_and_three_keep_it_down(bot: Bot, folder: Path) -> None:
    running = bot
    for _ in range(3):
        running.chat("--as", "bot", "--kick", lines=":quit\n")
        assert running.process.wait(PATIENCE) == exits.KICKED_OUT
        assert "timbot: Kicked out (multipleAccount)" in running.output()
        running = Bot(folder)
    assert running.process.wait(PATIENCE) == exits.KICKED_OUT
    assert "Kicked out 3 times within an hour" in running.output()
    assert f"only once {Path('state') / 'kicks.json'} is removed" in running.output()
    assert '"event": "connected"' not in running.output()
    (folder / "state" / "kicks.json").unlink()
    again = Bot(folder)
    try:
        assert "hi" in again.chat(lines="hello\n")
    finally:
        again.process.kill()
        again.process.wait()
