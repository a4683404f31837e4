"""`timbot dlq`, `timbot outbox` and `timbot forget`: of a stopped bot, and of a running one through its socket."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from timbot.cli import exits, main
from timbot.im.delivery import Change
from timbot.runtime.control.commands import Commands, StoppedDesk
from timbot.runtime.control.registry import Registry
from timbot.runtime.control.server import ControlServer
from timbot.runtime.journal.sqlite import SqliteJournal
from timbot.runtime.journal.values import Bury, Intend, NewEvent, RecordStep, SendState, Settle, StepId
from timbot.runtime.log import get_log
from timbot.store import Database

pytestmark = pytest.mark.real_time

KEY = "sandbox/1400000000/bot"
CONFIG = "accounts: [{user_id: bot, secret_key: '${NOT_SET_HERE}'}]\nstate: ${THE_STATE:-state}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration beside a state folder that a bot has left. It is the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(CONFIG)
    asyncio.run(_fill(tmp_path / "state"))
    return tmp_path


async def _fill(state: Path) -> None:
    async with await Database.open(state) as database:
        journal = SqliteJournal(database, KEY)
        await journal.resume()
        for person in ("alice", "bob\x1b[2J"):
            event = NewEvent(f"C2C{person}", "text", None, b"what was said", 1000.0, who=person)
            (number,) = await journal.take([event], Change())
            step = StepId(number, "shop:answer", "0")
            made = await journal.commit(
                RecordStep(step, "once", "", "save", b'"a result"'),
                Intend(step, "shop", "", f"C2C{person}", (f"C2C{person}", 1, number), b"what was answered", 1001.0),
            )
            await journal.commit(Settle(made[1], SendState.UNKNOWN, b"", 1002.0))
            await journal.commit(Bury(number, "time limit", "TimeoutError: said", 1003.0))


@pytest.fixture(params=["stopped", "running"])
def bot(request: pytest.FixtureRequest, folder: Path) -> Iterator[Path]:
    """Each test is of both."""
    if request.param == "stopped":
        yield folder
        return
    with _running(folder / "state"):
        yield folder


@pytest.fixture(autouse=True)
def quiet() -> None:
    """The log of the bot that runs in a thread of ours is not the command's output."""
    structlog.configure(processors=[LogCapture()])


@contextlib.contextmanager
def _running(state: Path) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    up = threading.Event()

    async def run() -> None:
        async with await Database.open(state) as database:
            desks = [StoppedDesk("bot", SqliteJournal(database, KEY))]
            registry = Registry()
            Commands(lambda: desks).register(registry)
            async with ControlServer(state, registry, get_log()):
                up.set()
                await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        assert up.wait(60)
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        loop.close()


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    return Say(capsys)


class Say:
    """Runs `timbot`."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.errors = ""

    def __call__(self, *arguments: str, code: int = exits.OK) -> str:
        self._capsys.readouterr()
        assert main(arguments) == code, self._capsys.readouterr()
        out, self.errors = self._capsys.readouterr()
        return out


@pytest.mark.usefixtures("bot")
class TestBoth:
    def test_dead_letters_are_listed(self, say: Say) -> None:
        head, first, second = say("dlq", "list").splitlines()
        assert head.split() == ["number", "account", "conversation", "kind", "died", "reason", "detail"]
        assert first.startswith("1 ")
        assert first.endswith("time limit  TimeoutError: ...")
        assert "C2Calice" in first
        assert "C2Cbob?[2J" in second, "nothing of what people call themselves reaches the terminal as it is"

    def test_and_as_json(self, say: Say) -> None:
        found = json.loads(say("dlq", "list", "--json", "--limit", "1", "--account", "bot"))
        assert [(one["number"], one["reason"], one["body"]) for one in found["letters"]] == [(1, "time limit", None)]
        assert found["more"] is True

    def test_where_there_are_more_it_is_said_how_to_go_on(self, say: Say) -> None:
        assert say("dlq", "list", "--limit", "1").splitlines()[-1] == "There are more: --after 1"
        assert len(say("dlq", "list", "--after", "1").splitlines()) == 2

    def test_one_is_shown_without_what_was_said(self, say: Say) -> None:
        text = say("dlq", "show", "1")
        assert "conversation  C2Calice\n" in text
        assert "shop:answer  step 0  once  save\n" in text
        assert "message 1  to C2Calice  unknown" in text
        assert "(--texts shows it)" in text
        assert not [words for words in ("was said", "a result", "was answered", "Error: said") if words in text]

    def test_and_with_it_where_that_is_asked_for(self, say: Say) -> None:
        text = say("dlq", "show", "1", "--texts")
        assert not [words for words in ("was said", "a result", "was answered", "Error: said") if words not in text]

    def test_one_that_is_not_there(self, say: Say) -> None:
        say("dlq", "show", "77", code=exits.FAILED)
        assert say.errors.startswith("timbot: There is no dead letter 77.\n")

    def test_trying_again_says_that_it_is_out_of_order(self, say: Say) -> None:
        assert "out of order" in say("dlq", "retry", "1", "77", code=exits.FAILED)
        assert say.errors == "There is no dead letter 77.\n"
        assert json.loads(say("dlq", "list", "--json"))["letters"][0]["number"] == 2
        assert "OUT OF ORDER" in say("dlq", "retry", "--help")

    def test_dropping(self, say: Say) -> None:
        assert say("dlq", "drop", "1", "2") == "Dropped: 1, 2\n"
        assert say("dlq", "list") == "No dead letters.\n"

    def test_unknown_messages_are_listed(self, say: Say) -> None:
        head, first, _ = say("outbox", "unknown").splitlines()
        assert head.split() == ["number", "account", "to", "by", "meant", "to", "be", "sent"]
        assert "C2Calice" in first
        assert "was answered" in say("outbox", "unknown", "--texts")
        assert len(json.loads(say("outbox", "unknown", "--json"))["messages"]) == 2

    def test_a_person_is_forgotten(self, say: Say) -> None:
        assert "rows removed" in say("forget", "alice", "--yes")
        assert [one["number"] for one in json.loads(say("dlq", "list", "--json"))["letters"]] == [2]
        assert list(json.loads(say("forget", "alice", "--yes", "--json"))["rows"].values()) == [0]

    def test_another_account(self, say: Say) -> None:
        say("dlq", "list", "--account", "nobody", code=exits.FAILED)
        assert "There is no account 'nobody' here." in say.errors


def test_nobody_is_forgotten_by_mistake(folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    say("forget", "alice", code=exits.INTERRUPTED)
    assert len(json.loads(say("dlq", "list", "--json"))["letters"]) == 2


def test_the_folder_can_be_named_instead(folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert "C2Calice" in say("dlq", "list", "--state", str(folder / "state"))
    assert "C2Calice" in say("dlq", "list", "-c", str(folder / "config.yaml"))


def test_the_configuration_s_variables_count(folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_STATE", "elsewhere")
    say("dlq", "list", code=exits.FAILED)
    assert say.errors.splitlines()[0] == "timbot: There is no bot's state in elsewhere."


def test_without_a_configuration(tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    say("dlq", "list", code=exits.CONFIG)
    assert say.errors.startswith("timbot: config.yaml cannot be read: ")


def test_a_damaged_store_is_told_as_such(folder: Path, say: Say) -> None:
    (folder / "state" / "timbot.sqlite3").write_bytes(b"not a database" * 500)
    say("dlq", "list", code=exits.STORE)
    assert "it is damaged, or no SQLite file" in say.errors
