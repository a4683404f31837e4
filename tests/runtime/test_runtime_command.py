"""`timbot run` and `timbot chat` as a user has them: two processes, a real socket, a pipe and a signal."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from talk_site import PATIENCE, talk

from timbot.cli import exits

pytestmark = pytest.mark.real_time
ROOT = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIMBOT_")}
    return {**kept, "PYTHONIOENCODING": "utf-8:strict", "PYTHONWARNINGS": "error", "NO_COLOR": "1"}


def timbot(*arguments: str, lines: str | bytes = "") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "timbot", *arguments],
        input=lines.encode() if isinstance(lines, str) else lines,
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The first bot, on ports that are free."""
    text = f"""\
accounts: [{{user_id: bot, nick: Timbot}}]
plugins:
  - {ROOT / "examples" / "hello.py"}
http: {{port: 0}}
sandbox: {{port: 0, users: [alice, bob]}}
"""
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return file


class Running:
    """`timbot run` in a process of its own, up and listening."""

    def __init__(self, config: Path, output: Path) -> None:
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "timbot", "run", str(config)], cwd=ROOT, env=environment(), stdout=file, stderr=file
            )
        self.url = self._wait_for(r"endpoint  sandbox, (ws://\S+)")
        self._wait_for(r'"event": "ready"|\bready\b')

    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def talk(self, turns: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return talk(*arguments, "--url", self.url, turns=turns, cwd=ROOT, env=environment())

    def _wait_for(self, pattern: str) -> str:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            found = re.search(pattern, self.output())
            if found:
                return found.group(found.lastindex or 0)
            time.sleep(0.02)
        raise AssertionError(f"{pattern} never came: {self.output()}")


@pytest.fixture
def running(config: Path, tmp_path: Path) -> Iterator[Running]:
    bot = Running(config, tmp_path / "output")
    yield bot
    if bot.process.poll() is None:
        bot.process.kill()
        bot.process.wait(PATIENCE)


def test_a_talk_and_a_clean_stop(running: Running) -> None:
    said = running.talk({"hello\n你好\ndice\n/dice 2 6\n:dice\n/bad": "/bad"}, "--as", "alice")
    assert (said.returncode, said.stderr.decode()) == (0, "")
    greeting = "Timbot: Hello, alice! 👋 Try: dice, /dice 2 6"
    lines = said.stdout.decode().splitlines()
    assert lines[:2] == [greeting, greeting]
    assert re.fullmatch(r"Timbot: 🎲 [1-6]", lines[2])
    assert re.fullmatch(r"Timbot: 🎲 [1-6] \+ [1-6] = \d+", lines[3])
    assert re.fullmatch(r"Timbot: 🎲 [1-6]", lines[4])
    assert lines[5:] == ["Timbot: I do not know '/bad' yet. Try: hello"]
    assert running.stop() == exits.OK
    output = running.output()
    assert "Traceback" not in output
    assert "stopping" in output
    assert output.count("handled") == 6
    assert "你好" not in output


def test_a_talk_in_a_group(running: Running) -> None:
    turns = {":join lobby I like dice": "join accepted", ":group lobby\nhello": "Hello, bob", ":group\n:nonsense": ":nonsense"}
    done = running.talk(turns, "--as", "bob")
    assert done.returncode == exits.FAILED, "one line was no good"
    said = done.stdout.decode()
    assert "lobby: waits for an admin" in said
    assert "(lobby: join accepted: Welcome!)" in said
    assert "[lobby] Timbot: Hello, bob! 👋" in said
    assert "There is no :nonsense" in said


def test_bytes_that_are_no_text_do_not_stop_a_talk(running: Running) -> None:
    said = running.talk({"\udcff\udcfe\nhello": "Hello, bob"})
    assert said.returncode == 0
    assert said.stdout.decode().splitlines()[-1] == "Timbot: Hello, bob! 👋 Try: dice, /dice 2 6"


def test_being_the_bot_oneself_has_to_be_asked_for(running: Running) -> None:
    for peer in ("bot", "alice"):
        done = timbot("chat", "--as", "bot", "--to", peer, "--url", running.url)
        assert done.returncode == exits.USAGE
        assert "--kick" in done.stderr.decode()
    assert running.process.poll() is None
    assert timbot("chat", "--as", "bot", "--to", "alice", "--kick", "--url", running.url).returncode == exits.OK
    assert running.process.wait(PATIENCE) == exits.KICKED_OUT


def test_somebody_else_as_the_same_person_is_told_with_the_cure(running: Running) -> None:
    talk = [sys.executable, "-m", "timbot", "chat", "--as", "alice", "--url", running.url]
    with subprocess.Popen(
        talk, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        first.stdin.write(b"hello\n")
        first.stdin.flush()
        first.stdout.readline()
        timbot("chat", "--as", "alice", "--url", running.url)
        _, err = first.communicate(timeout=PATIENCE)
    assert first.returncode == exits.KICKED_OUT
    assert "Somebody else has logged in as alice, perhaps the chat page in a browser" in err.decode()
    assert "--as bob" in err.decode()


def test_interrupting_is_a_clean_stop_too(running: Running) -> None:
    assert running.stop(signal.SIGINT) == exits.OK


# Starts that fail: one clear message, no traceback


def refused(config: Path) -> tuple[int, str]:
    done = timbot("run", str(config))
    output = done.stderr.decode() + done.stdout.decode()
    assert "Traceback" not in output
    assert "Warning" not in output
    return done.returncode, output


def test_a_wrong_configuration(config: Path) -> None:
    config.write_text(config.read_text() + "loop_gaurd: 30\n")
    line = len(config.read_text().splitlines())
    told = f"timbot: {config}:{line}:1: loop_gaurd: there is no such key; did you mean loop_guard?\n"
    assert refused(config) == (exits.CONFIG, told)


def test_a_missing_configuration(tmp_path: Path) -> None:
    code, told = refused(tmp_path / "missing.yaml")
    assert code == exits.CONFIG
    assert told.startswith(f"timbot: {tmp_path}/missing.yaml cannot be read: No such file or directory.")


def test_a_plugin_that_cannot_be_imported(config: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "bad.py"
    plugin.write_text("import json\njson.loads('')\n")
    config.write_text(config.read_text().replace(str(ROOT / "examples" / "hello.py"), "bad.py"))
    code, told = refused(config)
    assert code == exits.CONFIG
    told_at, _, rest = told.partition(": bad.py: ")
    assert told_at.startswith(f"timbot: {config}:")
    assert rest.startswith(f"Plugin 'bad.py' failed to import: {plugin}:2: JSONDecodeError")


def test_a_plugin_that_runs_itself_while_it_is_imported(config: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "bad.py"
    plugin.write_text(f"from timbot import Bot\nbot = Bot('b')\nbot.run({str(config)!r})\n")
    config.write_text(config.read_text().replace(str(ROOT / "examples" / "hello.py"), "bad.py"))
    code, told = refused(config)
    assert code == exits.CONFIG
    assert f"Bot 'b' ({plugin}:2)" in told
    assert '__name__ == "__main__"' in told


def test_a_port_in_use(config: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config.write_text(config.read_text().replace("sandbox: {port: 0", f"sandbox: {{port: {port}"))
        code, told = refused(config)
    assert code not in (exits.OK, exits.BUG)
    assert str(port) in told.splitlines()[0]


def test_nobody_to_talk_to() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        done = timbot("chat", "--url", f"ws://127.0.0.1:{free.getsockname()[1]}", lines="hello\n")
    assert done.returncode not in (exits.OK, exits.BUG)
    assert b"Traceback" not in done.stderr
    assert b"No server answers at ws://127.0.0.1:" in done.stderr
