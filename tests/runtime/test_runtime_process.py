"""A process that runs a configuration, with the network in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest
import structlog
from structlog.testing import LogCapture

from timbot import Bot, Context, ConversationType, Plugin, Text
from timbot.config import Config, parse
from timbot.errors import ConfigError, KickedOutError, KickKind, LoginRefused, PluginError
from timbot.im.client import Account, Client, FirstLogin
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import Endpoint
from timbot.runtime import demo, process
from timbot.runtime.assembly import Assembly
from timbot.runtime.enabled import enable_all
from timbot.runtime.telemetry import Telemetry
from timbot.sandbox.hub import Sandbox
from timbot.testing import PipeTransport, VirtualLoop

KEY = "a-key-that-opens-nothing-else-at-all"
APP = 1400000000
ENDPOINT = Endpoint("memory", ("ws://memory",))


class Site:
    """What the patched process talks to: a sandbox in memory, and its clients' network."""

    sandbox: Sandbox
    transport: PipeTransport

    def client(self, user: str) -> Client:
        """Somebody else's client."""
        account = Account(APP, user, from_secret_key(APP, KEY))
        return Client(account, endpoint=ENDPOINT, transport=self.transport, clock=VirtualLoop.running().clock)


@pytest.fixture
def site(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    here = Site()

    class InMemory(demo.EmbeddedSandbox):
        async def __aenter__(self) -> Self:
            clock = VirtualLoop.running().clock
            users = [*(account.user_id for account in self._config.accounts), *self._config.sandbox.users]
            self.sandbox = here.sandbox = Sandbox(KEY, sdk_app_id=APP, users=users, now=clock.now)
            here.transport = PipeTransport(here.sandbox.serve)
            return self

        async def __aexit__(self, *_: object) -> None:
            await self.sandbox.stop()
            await here.transport.aclose()

        url = "ws://memory"
        secret_key = KEY

    def client(account: Account, *, endpoint: Endpoint, first_login: FirstLogin) -> Client:
        return Client(account, endpoint=endpoint, transport=here.transport, clock=VirtualLoop.running().clock)

    monkeypatch.setattr(process, "EmbeddedSandbox", InMemory)
    monkeypatch.setattr(process, "Client", client)
    return here


@pytest.fixture(autouse=True)
def log() -> Iterator[LogCapture]:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    yield capture
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, where the configuration and its state are."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def config(*accounts: str, more: str = "") -> Config:
    listed = "".join(f"  - {{user_id: {account}}}\n" for account in accounts or ("bot",))
    return parse(f"accounts:\n{listed}http: false\n{more}")


def assembly(config: Config, *plugins: Plugin, path: Path = Path("c.yaml")) -> Assembly:
    return Assembly(path, config, {account.user_id: enable_all(plugins) for account in config.accounts})


def echo() -> Plugin:
    bot = Plugin("echo")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        return f"{ctx.account} heard {ctx.text}"

    return bot


class Running:
    """A running configuration."""

    def __init__(self, config: Config, *plugins: Plugin) -> None:
        self.stop = asyncio.Event()
        self.said: list[str] = []
        self.task = asyncio.create_task(process.run(assembly(config, *plugins), self.stop, self.said.append))

    async def end(self) -> None:
        """Tell it to stop, and wait."""
        self.stop.set()
        await self.task


async def test_it_runs_until_it_is_told_to_stop(site: Site, log: LogCapture) -> None:
    before = asyncio.all_tasks()
    running = Running(config(), echo())
    await asyncio.sleep(5)
    async with site.client("alice") as alice:
        await alice.send_message(alice.create_text_message("bot", ConversationType.C2C, "hi"))
        await asyncio.sleep(1)
        page = await alice.get_message_list("C2Cbot")
    assert [message.text for message in page.messages] == ["hi", "bot heard hi"]
    await running.end()
    assert asyncio.all_tasks() == before
    assert {"event": "stopping", "grace_seconds": 10.0, "log_level": "info"} in log.entries


async def test_one_object_serves_all_accounts(site: Site) -> None:
    running = Running(config("bot", "other"), echo())
    await asyncio.sleep(5)
    async with site.client("alice") as alice:
        for to in ("bot", "other"):
            await alice.send_message(alice.create_text_message(to, ConversationType.C2C, "hi"))
        await asyncio.sleep(1)
        said = [(await alice.get_message_list(f"C2C{to}")).messages[-1].text for to in ("bot", "other")]
    assert said == ["bot heard hi", "other heard hi"]
    await running.end()


async def test_accounts_are_machines_to_each_other(site: Site) -> None:
    running = Running(config("bot", "other", more="bots: [bob]\n"), echo())
    await asyncio.sleep(5)
    body = [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]
    for number, sender in enumerate(("other", "bob", "alice")):
        site.sandbox.domain.chats.send(sender, "bot", body, size=9, sequence=number + 1, random=number + 1)
    site.sandbox.flush()
    await asyncio.sleep(5)
    counts = [len(site.sandbox.domain.chats.history("bot", other, 10).messages) for other in ("other", "bob", "alice")]
    assert counts == [1, 1, 2]
    await running.end()


async def test_health_and_figures_are_of_these_accounts(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Telemetry] = []

    class Quiet(Telemetry):
        async def __aenter__(self) -> Self:
            made.append(self)
            return self

        async def __aexit__(self, *_: object) -> None: ...

    monkeypatch.setattr("timbot.runtime.telemetry.Telemetry", Quiet)
    listed = "accounts: [{user_id: bot}, {user_id: other}]\nhttp: {port: 1234}\n"
    running = Running(parse(listed), echo())
    await asyncio.sleep(5)
    async with site.client("alice") as alice:
        await alice.send_message(alice.create_text_message("bot", ConversationType.C2C, "hi"))
        await asyncio.sleep(1)
    assert [(account.account, account.problems) for account in made[0].health().accounts] == [("bot", ()), ("other", ())]
    labels = {"account": "bot", "kind": "text"}
    assert made[0].metrics.registry.get_sample_value("timbot_messages_sent_total", labels) == 1
    assert "  health    http://127.0.0.1:1234/healthz" in running.said[0].splitlines()
    await running.end()


async def test_what_was_left_out_is_told(site: Site, log: LogCapture) -> None:
    left = replace(assembly(config()), left_out=("c.yaml:3:5: bad.py: no",))
    stop = asyncio.Event()
    said: list[str] = []
    task = asyncio.create_task(process.run(left, stop, said.append))
    await asyncio.sleep(1)
    stop.set()
    await task
    told = [entry for entry in log.entries if entry["event"] == "plugin left out"]
    assert [(entry["problem"], entry["log_level"]) for entry in told] == [("c.yaml:3:5: bad.py: no", "error")]
    assert "c.yaml:3:5: bad.py: no" in said[0]


async def test_the_nick_is_set_and_known(site: Site) -> None:
    running = Running(parse("accounts: [{user_id: bot, nick: Timbot}]\nhttp: false\n"), echo())
    await asyncio.sleep(5)
    async with site.client("alice") as alice:
        await alice.send_message(alice.create_text_message("bot", ConversationType.C2C, "@Timbot hi"))
        await asyncio.sleep(1)
        last = (await alice.get_message_list("C2Cbot")).messages[-1]
    assert (last.text, last.nick) == ("bot heard hi", "Timbot")
    await running.end()


async def test_what_a_newcomer_is_told(site: Site) -> None:
    running = Running(config("bot", "other", more="plugins: []\n"), echo())
    await asyncio.sleep(1)
    await running.end()
    assert len(running.said) == 1
    for words in ("timbot runs c.yaml", "bot: echo", "other: echo", "sandbox, ws://memory", "alice, bob", "lobby", "Ctrl-C"):
        assert words in running.said[0]
    assert KEY not in running.said[0]


async def test_there_is_a_group_to_apply_to(site: Site) -> None:
    running = Running(config())
    await asyncio.sleep(1)
    assert "lobby" in [group.group_id for group in site.sandbox.domain.groups._store._groups.values()]
    assert "no plugins, so it will say nothing" in running.said[0]
    await running.end()


# Starts that fail


async def test_a_refused_login_is_what_is_raised(site: Site) -> None:
    before = asyncio.all_tasks()
    wrong = "accounts:\n  - {user_id: bot}\n  - {user_id: other, user_sig: nonsense}\nhttp: false\n"
    with pytest.raises(LoginRefused):
        await process.run(assembly(parse(wrong)), asyncio.Event(), print)
    await asyncio.sleep(2)
    assert asyncio.all_tasks() == before


async def test_two_plugins_of_a_name_stop_the_start(site: Site) -> None:
    with pytest.raises(PluginError, match="Two plugins are called 'echo'"):
        await process.run(assembly(config(), echo(), echo()), asyncio.Event(), print)


async def test_nothing_to_log_in_with(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIMBOT_SECRET_KEY", raising=False)
    with pytest.raises(ConfigError, match="nothing to log bot in with") as caught:
        await process.run(assembly(config(more="endpoint: china\nsdk_app_id: 1400123456\n")), asyncio.Event(), print)
    assert "secret_key_file" in caught.value.hint
    assert "TIMBOT_SECRET_KEY" in caught.value.hint
    assert "--" not in caught.value.hint


async def test_a_key_file_is_looked_for_beside_the_configuration(tmp_path: Path) -> None:
    account = "accounts: [{user_id: bot, secret_key_file: key}]\nendpoint: china\nsdk_app_id: 1400123456\nhttp: false\n"
    with pytest.raises(ConfigError, match=f"{tmp_path}/key cannot be read"):
        await process.run(assembly(parse(account), path=tmp_path / "c.yaml"), asyncio.Event(), print)


# Ends nobody asked for


async def test_a_kick_ends_the_process_and_stops_the_other_accounts(site: Site) -> None:
    before = asyncio.all_tasks()
    running = Running(config("bot", "other"), echo())
    await asyncio.sleep(5)
    async with site.client("bot"):
        with pytest.raises(KickedOutError):
            await running.task
    await asyncio.sleep(1)
    assert asyncio.all_tasks() == before


def test_a_bot_runs_its_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[object] = []

    async def run(assembly: Assembly, stop: asyncio.Event, announce: process.Announce, *_: object) -> None:
        announce("here it is")
        seen.extend([[enabled.plugin.name for enabled in assembly.plugins["bot"]], assembly.path, stop.is_set()])

    monkeypatch.setattr(process, "run", run)
    (tmp_path / "more.py").write_text("from timbot import Plugin\nbot = Plugin('more')\n")
    (tmp_path / "c.yaml").write_text("accounts: [{user_id: bot}]\nplugins: [more.py]\n")
    Bot("mine").run(str(tmp_path / "c.yaml"))
    assert seen == [["mine", "more"], tmp_path / "c.yaml", False]
    told, end = capsys.readouterr().err.splitlines()
    assert told == "here it is"
    assert '"event": "stopped"' in end


def test_a_bot_that_fails_does_not_say_that_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(_assembly: Assembly, _stop: asyncio.Event, _announce: process.Announce, *_: object) -> None:
        raise KickedOutError(KickKind.MULTIPLE_ACCOUNT)

    monkeypatch.setattr(process, "run", run)
    (tmp_path / "c.yaml").write_text("accounts: [{user_id: bot}]\n")
    with pytest.raises(KickedOutError):
        Bot("mine").run(str(tmp_path / "c.yaml"))
    assert "stopped" not in capsys.readouterr().err


def test_a_secret_that_everybody_can_read_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(_assembly: Assembly, _stop: asyncio.Event, _announce: process.Announce, *_: object) -> None:
        return

    monkeypatch.setattr(process, "run", run)
    monkeypatch.setattr(process, "exposed_files", lambda _config, folder: [folder / "tim.key"])
    (tmp_path / "c.yaml").write_text("accounts: [{user_id: bot}]\n")
    Bot("mine").run(str(tmp_path / "c.yaml"))
    told = [line for line in capsys.readouterr().err.splitlines() if "secret can be read" in line]
    assert len(told) == 1
    assert f"chmod 600 {tmp_path / 'tim.key'}" in told[0]


def test_a_bot_without_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Bot("mine").run(tmp_path / "missing.yaml")
