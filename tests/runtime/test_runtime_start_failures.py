"""Starts that fail half-way leave nothing behind: no task, no port, no lock. And ends that are held up end all the same."""

from __future__ import annotations

import asyncio
import contextlib
import io
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from timbot.errors import PluginError, TimbotError
from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import Endpoint
from timbot.runtime import process
from timbot.runtime.account import AccountRunner
from timbot.runtime.assembly import Assembly, assemble
from timbot.runtime.http import HttpError
from timbot.runtime.leftovers import end_what_is_left
from timbot.runtime.log import configure, get_log
from timbot.store import Database, StoreBroken, StoreInUse

pytestmark = pytest.mark.real_time


@pytest.fixture
def taken() -> Iterator[int]:
    """A port somebody else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def free_port() -> int:
    """One that the system gives to nobody who asks for any: not to tests of another process, which run at the same time."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def assembled(folder: Path, text: str) -> Assembly:
    file = folder / "c.yaml"
    file.write_text(f"grace: 100ms\n{text}")
    return assemble(file)


async def start(assembly: Assembly) -> None:
    async with asyncio.timeout(30):
        await process.run(assembly, asyncio.Event(), lambda _: None)


async def check_nothing_is_left(folder: Path, before: set[asyncio.Task[None]], *ports: int) -> None:
    assert asyncio.all_tasks() == before
    async with await Database.open(folder / ".timbot"):
        """The lock is free."""
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))


async def test_a_store_in_use(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    assembly = assembled(tmp_path, "accounts: [{user_id: bot}]\nhttp: {port: 0}\nsandbox: {port: 0}\n")
    async with await Database.open(tmp_path / ".timbot"):
        with pytest.raises(StoreInUse):
            await start(assembly)
    await check_nothing_is_left(tmp_path, before)


async def test_a_port_for_health_in_use(tmp_path: Path, taken: int) -> None:
    before = asyncio.all_tasks()
    with pytest.raises(HttpError, match=f"Port {taken} on 127.0.0.1 is in use"):
        await start(assembled(tmp_path, f"accounts: [{{user_id: bot}}]\nhttp: {{port: {taken}}}\nsandbox: {{port: 0}}\n"))
    await check_nothing_is_left(tmp_path, before)


async def test_a_port_for_the_sandbox_in_use(tmp_path: Path, taken: int) -> None:
    before, port = asyncio.all_tasks(), free_port()
    config = f"accounts: [{{user_id: bot}}]\nhttp: {{port: {port}}}\nsandbox: {{port: {taken}}}\n"
    with pytest.raises(TimbotError, match=str(taken)):
        await start(assembled(tmp_path, config))
    await check_nothing_is_left(tmp_path, before, port)


async def test_a_job_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, port, sandbox = asyncio.all_tasks(), free_port(), free_port()
    config = f"accounts: [{{user_id: bot}}, {{user_id: other}}]\nhttp: {{port: {port}}}\nsandbox: {{port: {sandbox}}}\n"
    made: list[object] = []

    def runner(*arguments: object, **options: object) -> AccountRunner:
        if made:
            raise PluginError("the second cannot be made")
        made.append(AccountRunner(*arguments, **options))  # type: ignore[arg-type]  # as they were given
        return made[0]  # type: ignore[return-value]  # just made

    monkeypatch.setattr(process, "AccountRunner", runner)
    with pytest.raises(PluginError, match="the second"):
        await start(assembled(tmp_path, config))
    await check_nothing_is_left(tmp_path, before, port, sandbox)


async def test_a_refused_login(tmp_path: Path) -> None:
    before, port, sandbox = asyncio.all_tasks(), free_port(), free_port()
    accounts = "accounts: [{user_id: bot}, {user_id: other, user_sig: nonsense}]\n"
    with pytest.raises(TimbotError, match="other"):
        await start(assembled(tmp_path, f"{accounts}http: {{port: {port}}}\nsandbox: {{port: {sandbox}}}\n"))
    await check_nothing_is_left(tmp_path, before, port, sandbox)


@pytest.mark.parametrize("when", ["before it is ready", "while it runs"])
async def test_a_store_that_breaks_ends_the_process(when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = asyncio.all_tasks()
    opened: list[Database] = []
    announced = asyncio.Event()

    async def opening(path: Path, **options: object) -> Database:
        opened.append(await original(path, **options))  # type: ignore[arg-type]  # as they were given
        if when == "before it is ready":
            opened[0]._break(OSError("gone"))
        return opened[0]

    original = Database.open
    monkeypatch.setattr(Database, "open", opening)
    endpoint = "ws://127.0.0.1:1" if when == "before it is ready" else "sandbox"
    account = "{user_id: bot, user_sig: none}" if when == "before it is ready" else "{user_id: bot}"
    assembly = assembled(tmp_path, f"endpoint: {endpoint}\naccounts: [{account}]\nhttp: false\nsandbox: {{port: 0}}\n")
    running = asyncio.create_task(process.run(assembly, asyncio.Event(), lambda _: announced.set()))
    if when == "while it runs":
        async with asyncio.timeout(30):
            await announced.wait()
        opened[0]._break(OSError("gone"))
    with pytest.raises(StoreBroken, match="gone"):
        async with asyncio.timeout(30):
            await running
    monkeypatch.undo()
    await check_nothing_is_left(tmp_path, before)


async def test_one_account_that_cannot_be_stopped_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[int] = []

    class Runner:
        def __init__(self, number: int) -> None:
            self.number = number

        async def stop(self, grace: float) -> None:
            await asyncio.sleep(0.01 * self.number)
            stopped.append(self.number)
            if self.number == 0:
                raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await process._stop_all([Runner(number) for number in range(3)], 1.0)  # type: ignore[misc]  # all it needs
    assert stopped == [0, 1, 2]


async def test_a_plugin_that_cannot_be_closed_keeps_no_account_logged_in() -> None:
    class Left:
        user_id = "bot"
        out = False

        async def logout(self) -> None:
            self.out = True

    class Closing:
        async def close(self, grace: float) -> None:
            raise ValueError("no")

    client = Client(Account(1, "bot", from_secret_key(1, "x")), endpoint=Endpoint("nowhere", ("ws://127.0.0.1:1",)))
    runner = AccountRunner(client, [], get_log())
    runner.client, runner._dispatcher = Left(), Closing()  # type: ignore[assignment]
    with pytest.raises(ValueError, match="no"):
        await runner.stop()
    assert runner.client.out  # type: ignore[attr-defined]  # the one above


def test_a_task_that_does_not_end_does_not_hold_up_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timbot.runtime.leftovers.PATIENCE", 0.05)
    written = io.StringIO()
    configure(stream=written, format="text")

    async def stubborn(stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await stop.wait()  # here
            except asyncio.CancelledError:
                continue

    async def main() -> list[asyncio.Task[None]]:
        stop = asyncio.Event()
        tasks = [asyncio.create_task(stubborn(stop), name="stubborn"), asyncio.create_task(asyncio.sleep(100), name="easy")]
        await asyncio.sleep(0)
        await end_what_is_left(get_log())
        assert [task.done() for task in tasks] == [False, True]
        assert asyncio.all_tasks() == {asyncio.current_task()}
        stop.set()
        await tasks[0]
        return tasks

    asyncio.run(main())
    line = next(number for number, text in enumerate(Path(__file__).read_text().splitlines(), 1) if text.endswith("# here"))
    [told] = [line for line in written.getvalue().splitlines() if "task does not end" in line]
    assert told.endswith(f"task=stubborn place={__file__}:{line}")
