"""The control socket, on a real one: who reaches it, what it takes, and that nothing said to it can harm the bot."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import structlog
from structlog.testing import LogCapture

from timbot.errors import TimbotError
from timbot.redaction import register
from timbot.runtime.control import place, server
from timbot.runtime.control.client import ControlClient
from timbot.runtime.control.protocol import LONGEST_REQUEST, ControlError
from timbot.runtime.control.registry import Registry
from timbot.runtime.control.server import ControlServer
from timbot.runtime.log import get_log

pytestmark = pytest.mark.real_time


class Text(msgspec.Struct, frozen=True):
    text: str


class Nothing(msgspec.Struct, frozen=True):
    pass


async def echo(asked: Text) -> Text:
    return asked


async def fail(asked: Text) -> Text:
    raise TimbotError(f"not {asked.text}", hint="the cure")


async def crash(asked: Text) -> Text:
    raise ValueError(asked.text)


async def hang(_: Nothing) -> Text:
    await asyncio.Event().wait()
    raise AssertionError


def registry() -> Registry:
    made = Registry()
    for command in (echo, fail, crash):
        made.add(command.__name__, Text, command)
    made.add("hang", Nothing, hang)
    return made


@pytest.fixture
def log() -> LogCapture:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    return capture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir()
    return made


@pytest.fixture
async def bot(folder: Path, log: LogCapture) -> AsyncIterator[ControlServer]:
    async with ControlServer(folder, registry(), get_log()) as running:
        yield running


async def ask(folder: Path, command: str, args: msgspec.Struct) -> Text:
    def do() -> Text:
        client = ControlClient.connect(folder, timeout=30)
        assert client is not None
        with client:
            return client.ask(command, args, Text)

    return await asyncio.to_thread(do)


async def say(folder: Path, line: bytes) -> dict[str, object]:
    """A line as it is, and what is answered."""
    with place.short(folder) as path:
        reader, writer = await asyncio.open_unix_connection(path, limit=1 << 22)
    try:
        writer.write(line)
        async with asyncio.timeout(30):
            answer: dict[str, object] = json.loads(await reader.readline())
        return answer
    finally:
        await hang_up(writer)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.mark.usefixtures("bot")
class TestCommands:
    async def test_a_command_is_carried_out(self, folder: Path) -> None:
        assert await ask(folder, "echo", Text("好")) == Text("好")

    async def test_what_it_says_against_it_comes_back_with_the_cure(self, folder: Path) -> None:
        with pytest.raises(ControlError, match="not this") as caught:
            await ask(folder, "fail", Text("this"))
        assert caught.value.hint == "the cure"

    async def test_a_mistake_of_ours_tells_no_words_but_the_log(self, folder: Path, log: LogCapture) -> None:
        with pytest.raises(ControlError, match=r"^The command failed: ValueError\. "):
            await ask(folder, "crash", Text("what alice wrote"))
        assert [entry["event"] for entry in log.entries] == ["command failed"]

    async def test_no_answer_holds_a_secret(self, folder: Path) -> None:
        register("a-secret-of-somebody")
        with pytest.raises(ControlError) as caught:
            await ask(folder, "fail", Text("a-secret-of-somebody"))
        assert "a-secret" not in str(caught.value)

    async def test_a_command_that_takes_too_long_is_given_up(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "SECONDS", 0.05)
        answer = await say(folder, b'{"v":1,"id":4,"command":"hang"}\n')
        assert (answer["id"], answer["result"]) == (4, None)
        assert "took longer" in str(answer["error"])

    async def test_several_on_one_connection_are_answered_in_order(self, folder: Path) -> None:
        def do() -> list[str]:
            client = ControlClient.connect(folder, timeout=30)
            assert client is not None
            with client:
                return [client.ask("echo", Text(str(number)), Text).text for number in range(20)]

        assert await asyncio.to_thread(do) == [str(number) for number in range(20)]


@pytest.mark.usefixtures("bot")
class TestRudeness:
    @pytest.mark.parametrize(
        ("line", "told"),
        [
            (b"\n", "Not a request"),
            (b"\xff\xfe\n", "Not a request"),
            (b"[]\n", "Not a request"),
            (b'{"v":1,"command":"ecko","args":{}}\n', "Did you mean 'echo'?"),
            (b'{"v":1,"command":"xyzzy"}\n', "There are echo, fail, crash, hang"),
            (b'{"v":1,"command":"echo","args":{"text":5}}\n', "'echo' takes something else"),
            (b'{"v":1,"command":"echo"}\n', "'echo' takes something else"),
            (b'{"v":2,"command":"echo"}\n', "speaks version 1, not 2"),
            (b'{"v":1,"command":"' + b"x" * (1 << 20) + b'"}\n', f"at most {LONGEST_REQUEST} bytes"),
            (b"[" * 60_000 + b"\n", "Not a request"),
        ],
    )
    async def test_what_is_no_request_is_told_so(self, folder: Path, line: bytes, told: str) -> None:
        assert told in str((await say(folder, line))["error"])
        assert await ask(folder, "echo", Text("still there")) == Text("still there")

    async def test_too_many_at_once_are_turned_away(self, folder: Path) -> None:
        with place.short(folder) as path:
            held = [await asyncio.open_unix_connection(path) for _ in range(server.CONNECTIONS)]
        for reader, writer in held:  # by its answer each is known to be in
            writer.write(b"{}\n")
            await reader.readline()
        assert "others are connected" in str((await say(folder, b""))["error"])
        for _, writer in held:
            await hang_up(writer)

    async def test_one_that_says_nothing_is_let_go(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "SECONDS", 0.05)
        with place.short(folder) as path:
            reader, writer = await asyncio.open_unix_connection(path)
        async with asyncio.timeout(30):
            assert await reader.read() == b""
        await hang_up(writer)

    async def test_one_that_goes_away_in_the_middle_harms_nobody(self, folder: Path, log: LogCapture) -> None:
        with place.short(folder) as path:
            _, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"v":1')
        await hang_up(writer)
        assert await ask(folder, "echo", Text("x")) == Text("x")
        assert not [entry for entry in log.entries if entry["log_level"] != "debug"]


class TestItsLife:
    async def test_nobody_else_may_write_to_it(self, bot: ControlServer) -> None:
        assert stat.S_IMODE(bot.path.stat().st_mode) == 0o600
        assert stat.S_ISSOCK(bot.path.stat().st_mode)

    async def test_an_open_umask_opens_nothing(self, folder: Path) -> None:
        before = os.umask(0)
        try:
            async with ControlServer(folder, registry(), get_log()) as running:
                assert stat.S_IMODE(running.path.stat().st_mode) == 0o600
        finally:
            os.umask(before)

    async def test_it_leaves_nothing_behind(self, folder: Path) -> None:
        before = asyncio.all_tasks()
        async with ControlServer(folder, registry(), get_log()):
            with place.short(folder) as path:
                _, writer = await asyncio.open_unix_connection(path)
            await ask(folder, "echo", Text("x"))
        assert left_in(folder) == []
        await hang_up(writer)
        assert asyncio.all_tasks() == before
        assert ControlClient.connect(folder) is None

    async def test_what_a_dead_process_left_is_replaced(self, folder: Path) -> None:
        with place.short(folder) as path, socket.socket(socket.AF_UNIX) as dead:
            dead.bind(path)
        (folder / ".control").mkdir()
        (folder / ".control" / "s").write_text("half made")
        assert ControlClient.connect(folder) is None
        async with ControlServer(folder, registry(), get_log()):
            assert await ask(folder, "echo", Text("x")) == Text("x")
        assert left_in(folder) == []

    async def test_a_path_too_long_for_the_system_is_no_hindrance(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", "/tmp")
        long = tmp_path / ("x" * 120) / ("y" * 120)
        long.mkdir(parents=True)
        async with ControlServer(long, registry(), get_log()) as running:
            assert len(str(running.path)) > 200
            assert await ask(long, "echo", Text("x")) == Text("x")
        assert left_in(long) == []

    async def test_where_there_can_be_none_the_bot_runs_without(
        self, folder: Path, log: LogCapture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def refused(*_: object, **__: object) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(asyncio, "start_unix_server", refused)
        async with ControlServer(folder, registry(), get_log()):
            assert ControlClient.connect(folder) is None
        assert [(entry["event"], entry["reason"]) for entry in log.entries] == [
            ("no control socket", "Operation not supported")
        ]
        assert left_in(folder) == []

    async def test_on_windows_there_is_none(self, folder: Path, log: LogCapture, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "possible", lambda: False)
        async with ControlServer(folder, registry(), get_log()):
            assert left_in(folder) == []
        assert [entry["event"] for entry in log.entries] == ["no control socket"]

    def test_without_a_folder_there_is_nobody(self, tmp_path: Path) -> None:
        assert ControlClient.connect(tmp_path / "nowhere") is None

    async def test_a_bot_that_does_not_answer_is_told_so(self, folder: Path) -> None:
        with place.short(folder) as path, socket.socket(socket.AF_UNIX) as stuck:
            stuck.bind(path)
            stuck.listen()
            client = ControlClient.connect(folder, timeout=0.05)
            assert client is not None
            with client, pytest.raises(ControlError, match="does not answer"):
                client.ask("echo", Text("x"), Text)


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="'echo' already"):
        registry().add("echo", Text, echo)
