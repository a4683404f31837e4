"""Everything at debug level, with a plugin that leaks all it gets hold of: no secret is in what was printed or kept.

Two ways: in one process on virtual time, where every signature and ticket made is known; and `timbot` as an operator has
it, in processes of its own.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import secrets as chance
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

import pytest
import structlog
from leaks import COMMANDS, leaking, leaks

from timbot import redaction
from timbot.cli import exits, main
from timbot.errors import KickedOutError, LoginRefused
from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key, from_text
from timbot.im.endpoints import Endpoint
from timbot.im.wire import usersig
from timbot.im.wire.usersig import sign
from timbot.redaction import format_exception, print_exception
from timbot.runtime.account import AccountRunner
from timbot.runtime.log import configure, get_log, watch_loop
from timbot.sandbox.auth import Gate, Ticket
from timbot.testing import PipeTransport, VirtualLoop, World
from timbot.testing import world as worlds

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
APP = 1400000000


# In one process


class Known:
    """Every secret that was made, noted where it is made and not where it is hidden."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.secrets: set[str] = {worlds.SECRET_KEY}
        signing, issuing = usersig.sign, Gate.issue

        def sign_and_tell(*args: object, **kwargs: object) -> str:
            sig: str = signing(*args, **kwargs)  # type: ignore[arg-type]
            self.secrets.add(sig)
            return sig

        def issue_and_tell(gate: Gate, *args: object, **kwargs: object) -> Ticket:
            ticket: Ticket = issuing(gate, *args, **kwargs)  # type: ignore[arg-type]
            self.secrets.add(ticket.a2)
            return ticket

        monkeypatch.setattr(usersig, "sign", sign_and_tell)
        monkeypatch.setattr(Gate, "issue", issue_and_tell)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Known:
    monkeypatch.setattr(redaction, "_forms", redaction._Forms())
    return Known(monkeypatch)


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    undo = redaction.install_hooks()
    yield
    undo()


@pytest.fixture
def logged(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    form: Literal["text", "json"] = request.param
    configure(level="debug", format=form, texts=True, stream=stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


both_forms = pytest.mark.parametrize("logged", ["text", "json"], indirect=True)


@both_forms
@pytest.mark.usefixtures("hooks")
async def test_a_bot_that_does_all_it_can(known: Known, logged: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    watch_loop(VirtualLoop.running())
    async with World(leaking(lambda _: None, worlds.SECRET_KEY)) as world:
        alice = await world.user("alice")
        for command in COMMANDS:
            await alice.says(command)
        await alice.client.add_friend("bot", wording="let me in", source="AddSource_Type_Web")
        await world.settle()
        world.cut()
        await world.settle()
        assert await alice.says("again") == ["heard again"]
    printed = logged.getvalue() + "".join(capsys.readouterr())
    for words in ("no good: ", "in a task: ", "in a thread: ", "library says", "event ", "nested", "friend", "disconnected"):
        assert words in printed
    assert len(known.secrets) > 4
    assert leaks(printed, known.secrets) == []


@both_forms
async def test_a_login_refused(known: Known, logged: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    async with World() as world:
        transport = PipeTransport(world.sandbox.serve)
        wrong = sign(APP, "a-wrong-key-of-no-use-to-anybody", "bot", now=int(world.clock.now()))
        account = Account(APP, "bot", from_text(wrong))
        client = Client(account, endpoint=Endpoint("world", ("ws://world",)), transport=transport, clock=world.clock)
        with pytest.raises(LoginRefused) as caught:
            await AccountRunner(client, [], get_log()).start()
        get_log(client=client, account=account).error("refused", exc_info=caught.value, error=caught.value)
        print_exception(caught.value)
        await transport.aclose()
    printed = logged.getvalue() + "".join(capsys.readouterr()) + format_exception(caught.value)
    assert "was refused" in printed
    assert leaks(printed, {*known.secrets, wrong, "a-wrong-key-of-no-use-to-anybody"}) == []


@both_forms
async def test_a_kick(known: Known, logged: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    async with World(leaking()) as world:
        transport = PipeTransport(world.sandbox.serve)
        account = Account(APP, "bot", from_secret_key(APP, worlds.SECRET_KEY))
        other = Client(account, endpoint=Endpoint("world", ("ws://world",)), transport=transport, clock=world.clock)
        async with other:
            with pytest.raises(KickedOutError) as caught:
                await world.bot.ended()
        print_exception(caught.value)
        await transport.aclose()
    printed = logged.getvalue() + "".join(capsys.readouterr())
    assert "kicked out" in printed
    assert leaks(printed, known.secrets) == []


def test_the_test_would_see_a_leak() -> None:
    key, sig = chance.token_hex(32), sign(APP, chance.token_hex(32), "bot", now=1)
    assert leaks(f"x{key[:20]}", [key])
    assert leaks(f"x{sig}", [sig])
    assert leaks(json.dumps({"x": sig}), [sig])


# As an operator has it


KEY = chance.token_hex(32)

PLUGIN = f"""
import logging, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from leaks import leaking
from timbot.sandbox.auth import Gate
logging.getLogger("websockets").setLevel(logging.DEBUG)
logging.getLogger("asyncio").setLevel(logging.DEBUG)
seen = open({{seen!r}}, "a", encoding="utf-8", buffering=1)
issuing = Gate.issue
def issue(*args, **kwargs):
    ticket = issuing(*args, **kwargs)
    print(ticket.a2, file=seen)
    return ticket
Gate.issue = issue
bot = leaking(lambda secret: print(secret, file=seen), {KEY!r})
"""


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIMBOT_")}
    return {**kept, "PYTHONIOENCODING": "utf-8:strict", "NO_COLOR": "1", "TIMBOT_SANDBOX_SECRET_KEY": KEY, "LEAK_KEY": KEY}


class Place:
    """A folder with a configuration; what is run there, and everything it prints."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed = ""
        self.seen = folder.parent / "seen"
        self.seen.touch()
        (folder / "leaky.py").write_text(PLUGIN.format(seen=str(self.seen)), encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def timbot(self, *arguments: str, lines: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-m", "timbot", "--debug", *arguments],
            input=lines,
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            encoding="utf-8",
        )
        self.printed += done.stdout + done.stderr
        return done

    def start(self, config: str) -> Bot:
        return Bot(self, config)

    def secrets(self) -> set[str]:
        """The key, and whatever the processes have noted."""
        return {KEY, *self.seen.read_text(encoding="utf-8").split()}

    def kept(self) -> str:
        """All files that were left behind, but the ones the test has put there."""
        mine = {"leaky.py", "key", "wrong.key", "usersig"}
        files = [file for file in self.folder.rglob("*") if file.is_file() and file.name not in mine]
        return "\n".join(file.read_bytes().decode("latin-1") for file in files if file.suffix not in (".yaml", ".pyc"))


class Bot:
    """`timbot run` in a process of its own."""

    def __init__(self, place: Place, config: str) -> None:
        self._place = place
        self._lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-m", "timbot", "--debug", "run", config],
            cwd=place.folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self._lines.extend(iter(self.process.stdout.readline, ""))

    def wait_for(self, pattern: str) -> str:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            found = re.search(pattern, "".join(self._lines))
            if found:
                return found[1]
            time.sleep(0.02)
        raise AssertionError(f"{pattern} never came")

    def end(self, number: signal.Signals | None = signal.SIGTERM) -> int:
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        self._place.printed += "".join(self._lines)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "bot"
    folder.mkdir()
    return Place(folder)


def config(form: str, *, endpoint: str = "sandbox", account: str = "{user_id: bot}") -> str:
    return f"""
state: state-{"here" if endpoint == "sandbox" else "there"}
endpoint: {endpoint}
accounts: [{account}]
plugins: [leaky.py]
log: {{level: debug, format: {form}, texts: true}}
http: {{port: 0}}
sandbox: {{port: 0}}
"""


@pytest.mark.real_time
@pytest.mark.parametrize("form", ["text", "json"])
def test_timbot_run(place: Place, form: str) -> None:
    place.write("key", KEY)
    place.write("config.yaml", config(form))
    with place.start("config.yaml") as bot:
        url = bot.wait_for(r"endpoint  sandbox, (ws://\S+)")
        place.timbot("chat", "--url", url, "--secret-key-file", "key", lines="\n".join(COMMANDS) + "\n:friend please\n")
        place.write("other.yaml", config(form, endpoint=url, account="{user_id: bot, secret_key: '${LEAK_KEY}'}"))
        with place.start("other.yaml") as other:  # the same account: it kicks the first one out
            kicked = bot.end(None)
            other.end()
    assert kicked == exits.KICKED_OUT
    for words in ("no good: ", "in a task: ", "in a thread: ", "library says", "TEXT", "kicked out", "KickedOutError"):
        assert words in place.printed
    assert len(place.secrets()) > 4
    assert leaks(place.printed, place.secrets()) == []
    assert not re.search(r"eJ[A-Za-z0-9*_-]{40,}", place.printed)
    assert "SQLite" in place.kept()
    assert leaks(place.kept(), place.secrets()) == []
    assert not re.search(r"eJ[A-Za-z0-9*_-]{40,}", place.kept())


@pytest.mark.real_time
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_process_whose_login_is_refused(place: Place, form: str) -> None:
    wrong = sign(APP, chance.token_hex(32), "bot", now=int(time.time()))
    place.write("wrong.key", wrong)
    place.write("config.yaml", config(form))
    with place.start("config.yaml") as bot:
        url = bot.wait_for(r"endpoint  sandbox, (ws://\S+)")
        place.write("other.yaml", config(form, endpoint=url, account="{user_id: bob, user_sig_file: wrong.key}"))
        refused = place.timbot("run", "other.yaml")
        bot.end()
    assert refused.returncode == exits.LOGIN_REFUSED
    assert "LoginRefused" in refused.stderr
    assert leaks(place.printed, {wrong, *place.secrets()}) == []


SIG = sign(APP, KEY, "bot", now=1_700_000_000)


@pytest.mark.parametrize(
    "text",
    [
        f"accounts: [{{user_id: bot, user_sig: [{SIG}]}}]",
        f"accounts: [{{user_id: bot, usersig: {SIG}}}]",
        f"accounts: [{{user_id: bot, secret_key: {KEY}}}]",
        f"accounts: [{{user_id: bot, secret_key_file: key, user_sig: {SIG}}}]",
        f"accounts: [{{user_id: '${{LEAK_KEY}}', user_sig: {SIG}, nick: 3}}]",
        f"accounts: [{{user_id: bot, user_sig: {SIG}]",
        f"endpoint: wss://host/?usersig={SIG}\naccounts: [{{user_id: bot}}]",
        f"endpoint: {KEY}\naccounts: [{{user_id: bot}}]",
        f"{KEY}: 1",
        KEY,
    ],
    ids=lambda text: text.replace(KEY, "KEY").replace(SIG, "SIG"),
)
def test_a_mistake_in_the_configuration(
    text: str, tmp_path: Path, known: Known, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEAK_KEY", KEY)
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    for command in ("run", "check"):
        assert main(["--debug", command, str(tmp_path / "config.yaml")]) == exits.CONFIG
    printed = "".join(capsys.readouterr())
    assert "Traceback" in printed
    assert leaks(printed, {KEY, SIG}) == []


@pytest.mark.real_time
def test_a_plugin_that_fails_with_a_secret_in_hand(place: Place) -> None:
    place.write("bad.py", "import os\nkey = os.environ['LEAK_KEY']\nraise ValueError(f'cannot use secret_key={key!r}')\n")
    place.write("config.yaml", "accounts: [{user_id: bot, secret_key: '${LEAK_KEY}'}]\nplugins: [bad.py]\n")
    done = place.timbot("run", "config.yaml")
    assert done.returncode == exits.CONFIG
    assert "cannot use secret_key='***'" in done.stderr
    assert leaks(place.printed, {KEY}) == []


def test_the_logs_of_the_json_kind_stay_json(known: Known) -> None:
    stream = io.StringIO()
    configure(level="debug", format="json", stream=stream)
    redaction.register(KEY)
    get_log().info("x", frame=json.dumps({"head": {"a2": "abcdefgh", "usersig": KEY}}))
    assert json.loads(json.loads(stream.getvalue())["frame"]) == {"head": {"a2": "***", "usersig": "***"}}
