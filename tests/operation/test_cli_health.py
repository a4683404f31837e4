"""`timbot health` against a bot's HTTP side on a real socket."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from timbot.cli import exits, health, main
from timbot.config.models import HTTP_PORT
from timbot.runtime.metrics import Metrics
from timbot.runtime.operations import AccountHealth, Health, Operations

pytestmark = pytest.mark.real_time

WELL = AccountHealth("bot", connected=True, ready=True, heard_seconds_ago=1.2, waiting=3)
RED = AccountHealth("second", connected=False, ready=False, reasons=("its signature has expired",))


class Served:
    """A bot as well as the test says."""

    def __init__(self) -> None:
        self.health = Health((WELL,))
        self.operations = Operations("127.0.0.1", 0, lambda: self.health, Metrics())

    async def ask(self, *arguments: str) -> int:
        return await asyncio.to_thread(main, ["health", *(arguments or ("--url", self.operations.url))])


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    here = Served()
    async with here.operations:
        yield here


async def test_a_bot_that_is_well(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert await served.ask() == exits.OK
    assert capsys.readouterr().out == "ok   bot  heard 1.2 s ago, 3 waiting\n"


async def test_a_bot_that_is_not(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    served.health = Health((WELL, RED), ("the store cannot be written",))
    assert await served.ask() == exits.FAILED
    assert capsys.readouterr().out.splitlines() == [
        "ok   bot     heard 1.2 s ago, 3 waiting",
        "red  second  not connected; its signature has expired",
        "red  the store cannot be written",
    ]


async def test_a_bot_that_has_heard_nothing_yet(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    served.health = Health((AccountHealth("bot", connected=True, ready=True),))
    assert await served.ask() == exits.OK
    assert "heard nothing yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "http: {{port: {port}}}",
        "http:\n  host: 0.0.0.0\n  port: {port}\n",
        "http: {{host: '127.0.0.1', port: '${{A_PORT_OF_MINE:-{port}}}'}}",
        "http: {{port: {port}}}\naccounts: [{{user_id: bot, secret_key: '${{file:/not/readable/here}}'}}]",
    ],
)
async def test_the_configuration_says_where(served: Served, tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text.format(port=served.operations.port))
    assert await served.ask(str(file)) == exits.OK


def test_without_a_word_of_it_it_is_where_run_serves_it(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("accounts: [{user_id: bot}]\n")
    assert health._of_config(file) == (health.DEFAULT_HOST, health.DEFAULT_PORT)
    assert health.DEFAULT_PORT == HTTP_PORT


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http: false", "there is nothing to ask"),
        ("http: {port: 0}", "no port that can be asked"),
        ("http: {port: x}", "no port that can be asked"),
        ("http: {port: '${NO_SUCH_VARIABLE_HERE}'}", "NO_SUCH_VARIABLE_HERE"),
        ("http: {", "is no YAML"),
    ],
)
def test_a_configuration_that_does_not_say(text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    assert main(["health", str(file)]) == exits.CONFIG
    assert words in capsys.readouterr().err


def test_a_configuration_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health", str(tmp_path / "none.yaml")]) == exits.CONFIG
    assert "No such file" in capsys.readouterr().err


def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        assert main(["health", "--url", f"http://127.0.0.1:{port}"]) == exits.UNAVAILABLE
    shown = capsys.readouterr()
    assert f"No bot answers at http://127.0.0.1:{port}: Connection refused." in shown.err
    assert shown.out == ""


def test_somebody_who_never_answers_is_told_as_stuck(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        assert main(["health", "--url", f"http://127.0.0.1:{port}", "--timeout", "0.2"]) == exits.UNAVAILABLE
    told = capsys.readouterr().err
    assert "did not answer within 0.2 s: the bot is there, and stuck" in told
    assert "without 'await'" in told


def test_a_machine_that_cannot_be_reached_is_not_told_as_stuck(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def connect(_self: HTTPConnection) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(HTTPConnection, "connect", connect)
    assert main(["health", "--url", "http://10.0.0.1:8421"]) == exits.UNAVAILABLE
    assert "No bot answers at http://10.0.0.1:8421: timed out." in capsys.readouterr().err


@pytest.fixture
def stranger(request: pytest.FixtureRequest) -> Iterator[str]:
    status, body = request.param

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "stranger", [(200, b"<html>"), (200, b"[1]"), (404, b'{"accounts":[]}'), (200, b'{"status":"ok"}')], indirect=True
)
def test_somebody_who_is_no_bot(stranger: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health", "--url", stranger]) == exits.UNAVAILABLE
    assert "is no bot" in capsys.readouterr().err


@pytest.mark.parametrize(
    "stranger", [(503, b'{"status":"red","accounts":[{"account":"a\\u001b[2J","reasons":["\\nok   bot"]}]}')], indirect=True
)
def test_an_answer_cannot_play_tricks_with_the_terminal(stranger: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health", "--url", stranger]) == exits.FAILED
    assert capsys.readouterr().out == "red  a?[2J  ?ok   bot\n"


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8421", "https://127.0.0.1", "http://", "http://[::1", "http://h:99999", "http://h/x"]
)
def test_an_address_that_is_none(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health", "--url", url]) == exits.USAGE
    assert "http://127.0.0.1:8421" in capsys.readouterr().err


def test_config_and_url_exclude_each_other() -> None:
    assert main(["health", "x.yaml", "--url", "http://127.0.0.1:1"]) == exits.USAGE


def test_it_starts_quickly() -> None:
    code = (
        "import sys; from timbot.cli import main; main(['health', '--url', 'http://127.0.0.1:9']); "
        "print([name for name in {} if name in sys.modules])"
    )
    heavy = ["pydantic", "starlette", "uvicorn", "structlog", "prometheus_client", "jinja2", "yaml", "rich", "websockets"]
    done = subprocess.run([sys.executable, "-c", code.format(heavy)], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
