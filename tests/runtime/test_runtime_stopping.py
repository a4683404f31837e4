"""Stopping: handlers finish or are cut short, the server sees a logout, nothing is left; and endings nobody asked for."""

from __future__ import annotations

import asyncio

import pytest
import structlog
from structlog.testing import LogCapture

from timbot import Context, LoggedOut, MessageReadByPeer, NetStateChanged, Plugin, Text
from timbot.errors import KickedOutError, LoginRefused, NotLoggedIn
from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import Endpoint
from timbot.im.wire.commands import status
from timbot.runtime.account import AccountRunner
from timbot.runtime.log import get_log
from timbot.sandbox.observe import Handled
from timbot.testing import PipeTransport, VirtualLoop, World


@pytest.fixture
def log() -> LogCapture:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    return capture


def slow(seconds: float, ends: list[str] | None = None) -> Plugin:
    bot = Plugin("p")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        end = "cancelled"
        try:
            await asyncio.sleep(seconds)
            end = "finished"
        finally:
            if ends is not None:
                ends.append(end)
        return f"re {ctx.text}"

    return bot


async def test_handlers_finish_within_the_grace_and_their_replies_go_out(log: LogCapture) -> None:
    async with World(slow(5)) as world:
        ann = await world.user("ann")
        await ann.send(Text("x"))
        await asyncio.sleep(1)
        began = world.clock.monotonic()
        await world.bot.stop(grace=10)
        assert world.clock.monotonic() - began < 5
        assert await ann.answers() == ["re x"]
        assert [event for event in ann.events if isinstance(event, MessageReadByPeer)] != []
    assert "stopped before everything was handled" not in [entry["event"] for entry in log.entries]


async def test_what_takes_longer_is_cancelled_and_reported(log: LogCapture) -> None:
    ends: list[str] = []
    async with World(slow(100, ends), durable=False) as world:
        ann, ben = await world.user("ann"), await world.user("ben")
        for text in ("1", "2"):
            await ann.send(Text(text))
        await ben.send(Text("3"))
        await asyncio.sleep(1)
        began = world.clock.monotonic()
        await world.bot.stop(grace=10)
        assert world.clock.monotonic() - began == 10
        assert await ann.answers() == []
    assert ends == ["cancelled", "cancelled"]
    report = [entry for entry in log.entries if entry["event"] == "stopped before everything was handled"]
    assert [(entry["left"], entry["log_level"]) for entry in report] == [(3, "warning")]
    assert "handler failed" not in [entry["event"] for entry in log.entries]


async def test_what_comes_while_stopping_is_not_begun() -> None:
    ends: list[str] = []
    async with World(slow(5, ends)) as world:
        ann, ben = await world.user("ann"), await world.user("ben")
        await ann.send(Text("x"))
        await asyncio.sleep(1)
        stopping = asyncio.create_task(world.bot.stop(grace=10))
        await asyncio.sleep(1)
        await ben.send(Text("too late"))
        await stopping
    assert ends == ["finished"]


async def test_the_server_sees_a_logout() -> None:
    async with World(slow(0)) as world:
        with world.sandbox.observe() as observer:
            await world.bot.stop()
            commands = [seen.done.command for seen in observer.seen() if isinstance(seen, Handled) and seen.done.user == "bot"]
    assert commands[-1:] == [status.LOGOUT.name]


async def test_nothing_is_left_behind() -> None:
    before = asyncio.all_tasks()
    async with World(slow(0.1)) as world:
        people = [await world.user(f"user{number}") for number in range(20)]
        for person in people:
            await person.burst(["x", "y"])
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert [handle for handle in VirtualLoop.running()._scheduled if not handle.cancelled()] == []


async def test_stopping_without_a_connection_takes_no_longer_than_the_grace() -> None:
    async with World(slow(0.1)) as world:
        ann = await world.user("ann")
        await ann.send(Text("x"))
        await asyncio.sleep(0.15)
        world.faults.refuse(1000)
        world.cut()  # the message was handled, the read report is still to come
        began = world.clock.monotonic()
        await world.bot.stop(grace=10)
        assert world.clock.monotonic() - began <= 10


async def test_stopping_twice_is_stopping_once() -> None:
    async with World(slow(0)) as world:
        await world.bot.stop()
        await world.bot.stop()
        assert not world.bot.busy


async def test_a_runner_that_never_started_can_be_stopped() -> None:
    async with World() as world:
        runner = AccountRunner(world._client("ann"), [], get_log())
        await runner.stop()
        assert not runner.busy


# Endings nobody asked for


async def test_kicked_out_ends_the_runner_for_good(log: LogCapture) -> None:
    bot = slow(0)
    told: list[object] = []

    @bot.on_event(LoggedOut)
    async def kicked(ctx: Context[LoggedOut]) -> None:
        told.append(ctx.payload.kind)

    async with World(bot) as world:
        ended = asyncio.create_task(world.bot.ended())
        second = await world.add_bot("bot", slow(0))
        with pytest.raises(KickedOutError):
            await ended
        await asyncio.sleep(3600)
        assert second.client.error is None
        assert second.client.online
        assert isinstance(world.bot.client.error, KickedOutError)
        await world.bot.stop()
    assert len(told) == 1
    assert [entry["log_level"] for entry in log.entries if entry["event"] == "kicked out"] == ["error"]


async def test_what_takes_longer_is_left_for_the_next_start(log: LogCapture) -> None:
    seconds = [100.0]
    bot = Plugin("p")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        await asyncio.sleep(seconds[0])
        return f"re {ctx.text}"

    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.send(Text("1"))
        await ann.send(Text("2"))
        await asyncio.sleep(1)
        await world.bot.stop(grace=10)
        assert [entry["events"] for entry in log.entries if entry["event"] == "left for the next start"] == [2]
        seconds[0] = 0.0
        await world.add_bot("bot", bot)
        assert await ann.answers() == ["re 1", "re 2"]


async def test_a_handler_that_answers_after_the_kick_is_no_failure(log: LogCapture) -> None:
    async with World(slow(5), durable=False) as world:
        ann = await world.user("ann")
        await ann.send(Text("x"))
        await asyncio.sleep(1)
        await world.add_bot("bot", slow(0))
        await asyncio.sleep(10)
    assert [entry["outcome"] for entry in log.entries if entry["event"] == "handled"] == ["not logged in any more"]


async def test_a_refused_login_is_raised_and_leaves_nothing() -> None:
    async with World() as world:
        before = asyncio.all_tasks()
        transport = PipeTransport(world.sandbox.serve)
        source = from_secret_key(1400000000, "another key than the server's")
        client = Client(Account(1400000000, "eve", source), endpoint=Endpoint("w", ("ws://w",)), transport=transport)
        runner = AccountRunner(client, [], get_log())
        with pytest.raises(LoginRefused):
            await runner.start()
        await transport.aclose()
        await asyncio.sleep(2)
        assert asyncio.all_tasks() <= before


async def test_stopping_is_no_error_to_who_waits_for_the_end() -> None:
    async with World() as world:
        ended = asyncio.create_task(world.bot.ended())
        await asyncio.sleep(0)
        await world.bot.stop()
        await asyncio.wait({ended})
        assert ended.cancelled() or ended.exception() is None


async def test_sending_after_the_end_is_refused() -> None:
    async with World() as world:
        await world.bot.stop()
        with pytest.raises(NotLoggedIn):
            await world.bot.client.get_my_profile()


async def test_what_an_operator_reads_about_a_break(log: LogCapture) -> None:
    bot = slow(0)
    states: list[str] = []

    @bot.on_event(NetStateChanged)
    async def note(ctx: Context[NetStateChanged]) -> None:
        states.append(ctx.payload.state.value)

    async with World(bot) as world:
        world.cut()
        await world.settle()
    events = [entry["event"] for entry in log.entries if entry["event"] != "handled"]
    assert events == ["connected", "ready", "disconnected", "connected", "ready"]
    assert states == ["connected", "connecting", "connected"]


async def test_a_server_that_has_forgotten_the_login_is_no_alarm(log: LogCapture) -> None:
    async with World(slow(0)) as world:
        world.sandbox._gate._tickets.clear()  # as when it has been started again
        world.cut()
        await world.settle()
    told = [(entry["event"], entry["log_level"]) for entry in log.entries if entry["event"] != "handled"]
    assert told[2:] == [
        ("disconnected", "warning"),
        ("login expired, logging in anew", "info"),
        ("connected", "info"),
        ("ready", "info"),
    ]
    assert [entry.get("again") for entry in log.entries if entry["event"] == "ready"] == [None, True]
