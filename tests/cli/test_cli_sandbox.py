"""`timbot sandbox` as a process: its banner, a login, and how it stops."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from timbot.cli import main
from timbot.im.websocket import WebSocketTransport
from timbot.im.wire.commands.status import LOGIN, LoginRequest
from timbot.im.wire.envelope import Answer, decode_server_frame, encode_request
from timbot.im.wire.heads import request_head
from timbot.im.wire.usersig import sign
from timbot.im.wire.value import decode, given
from timbot.sandbox.keys import DEMO_KEY, SANDBOX_VARIABLE

KEY = "0123456789abcdef" * 4

pytestmark = pytest.mark.real_time


@asynccontextmanager
async def running(*arguments: str, **environment: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The process and its banner."""
    inherited = {name: value for name, value in os.environ.items() if name != SANDBOX_VARIABLE}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "timbot", "sandbox", "--port", "0", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**inherited, "PYTHONUNBUFFERED": "1", **environment},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            banner = (await process.stdout.readuntil(b"Stop: Ctrl-C")).decode()
        yield process, banner
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def address(banner: str) -> str:
    found = re.search(r"ws://\S+", banner)
    assert found is not None
    return found[0]


async def log_in(url: str, user: str, key: str) -> int:
    """The error code of a login."""
    head = request_head(LOGIN.name, 1, sdk_app_id=1400000000, reqtime=0, identifier=user, usersig=_sig(user, key))
    connection = await WebSocketTransport().connect(f"{url}/info?sdkappid=1400000000")
    try:
        await connection.send(encode_request(head, LoginRequest(state="Online")))
        answer = decode_server_frame(await connection.receive())
        return given(decode(Answer, answer.body).error_code, 0)
    finally:
        await connection.close()


def _sig(user: str, key: str) -> str:
    return sign(1400000000, key, user, now=int(time.time()))


async def test_it_says_all_one_needs_and_lets_one_in() -> None:
    async with running() as (_, banner):
        for part in (
            "1400000000",
            DEMO_KEY,
            "alice, bob",
            "timbot usersig alice --sandbox",
            "timbot chat --as bob --to bot --url ws://127.0.0.1:",
            f"TIMBOT_SECRET_KEY={DEMO_KEY} timbot run config.yaml",
        ):
            assert part in banner
        assert await log_in(address(banner), "alice", DEMO_KEY) == 0
        assert await log_in(address(banner), "alice", KEY) == 70009


async def test_a_key_of_its_own_is_used_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    async with running("--secret-key-file", str(file), "--users", "ann") as (_, banner):
        assert KEY not in banner
        assert str(file) in banner
        assert await log_in(address(banner), "ann", KEY) == 0
        assert await log_in(address(banner), "ann", DEMO_KEY) == 70009


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_it_cleanly(number: signal.Signals) -> None:
    async with running() as (process, banner):
        connection = await WebSocketTransport().connect(f"{address(banner)}/info")
        process.send_signal(number)
        async with asyncio.timeout(20):
            _, err = await process.communicate()
        await connection.close()
    assert (process.returncode, err) == (0, b"")


def test_a_port_in_use_is_one_line_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["sandbox", "--port", str(port)]) == 1
    first, hint = capsys.readouterr().err.splitlines()
    assert first == f"timbot: Port {port} on 127.0.0.1 is in use."
    assert "--port" in hint


def test_off_loopback_it_refuses_without_a_key_and_a_word(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SANDBOX_VARIABLE, raising=False)
    assert main(["sandbox", "--port", "0", "--host", "0.0.0.0", "--public"]) == 1
    assert "--secret-key-file" in capsys.readouterr().err
    monkeypatch.setenv(SANDBOX_VARIABLE, KEY)
    assert main(["sandbox", "--port", "0", "--host", "0.0.0.0"]) == 1
    assert "--public" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--port", "65536"], ["--dedupe", "maybe"], ["--users", "alice,@TIM#x"], ["--instances", "0"], ["extra"]]
)
def test_a_wrong_option_is_a_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", *arguments]) == 2
    assert "Usage: timbot sandbox" in capsys.readouterr().err
