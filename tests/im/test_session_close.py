"""Closing: at every moment, and nothing stays behind."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest
from scripted_server import (
    ALIVE,
    GETMSG,
    LOGIN,
    LOGOUT,
    READ,
    SILENT,
    ScriptedServer,
    logged_in,
    now,
    settle,
    tasks_besides_this,
    timers,
)

from timbot.errors import NotLoggedIn
from timbot.im.backlog import Backlog
from timbot.im.credentials import from_callable
from timbot.im.session import Session
from timbot.im.wire.commands.base import Empty
from timbot.testing import Line, VirtualLoop


async def check_silence(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of the session is left, and nobody complains about it."""
    assert session.error is None
    assert not session.online
    await settle()
    assert tasks_besides_this() == []
    assert timers() == []
    gc.collect()
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []
    with pytest.raises(NotLoggedIn):
        await session.request(READ, Empty())


class TestFarewell:
    async def test_it_logs_out(self, server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
        async with logged_in(server) as (session, watch):
            await settle()
            await session.close()
            assert server.frames[-1].body == {"wslogout_type": 0}
            assert server.seen(LOGOUT)[0].head["a2"] == "a2-1"
            assert server.newest.end is not None
            assert server.newest.end.code == 4000
            await watch.ended()
            assert watch.names() == ["Connected", "Synced"]
            await check_silence(session, caplog)

    async def test_twice_is_once(self, server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
        async with logged_in(server) as (session, _):
            await session.close()
            await session.close()
            assert len(server.seen(LOGOUT)) == 1

    async def test_two_at_a_time_are_one(self, server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
        async with logged_in(server) as (session, _):
            await asyncio.gather(session.close(), session.close())
            assert len(server.seen(LOGOUT)) == 1

    async def test_an_unanswered_logout_is_not_waited_for_for_long(
        self, server: ScriptedServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.answers[LOGOUT] = SILENT
        async with logged_in(server) as (session, watch):
            await session.close()
            assert now() == 5
            await watch.ended()
            await check_silence(session, caplog)

    async def test_a_server_that_does_not_read_is_left_too(self, caplog: pytest.LogCaptureFixture) -> None:
        server = ScriptedServer(line=Line(capacity=3))
        async with server.transport, logged_in(server) as (session, watch):
            await settle()
            server.faults.black_hole()
            asked = [asyncio.create_task(session.request(READ, Empty())) for _turn in range(8)]
            await settle()
            await session.close()
            await asyncio.wait(asked)
            assert [type(task.exception()) for task in asked] == [NotLoggedIn] * 8
            assert now() == 5
            await watch.ended()


class TestMoments:
    async def test_before_the_start(self, server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
        session = server.session()
        await session.close()
        await check_silence(session, caplog)
        with pytest.raises(NotLoggedIn):
            await session.start()
        assert [happening async for happening in session.happenings()] == []
        assert server.frames == []

    async def test_while_connecting(self, server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
        server.faults.black_hole(connects=True)
        session = server.session()
        starting = asyncio.create_task(session.start())
        await settle()
        await session.close()
        with pytest.raises(NotLoggedIn, match="closed"):
            await starting
        await check_silence(session, caplog)

    async def test_while_logging_in(self, server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
        server.answers[LOGIN] = SILENT
        session = server.session()
        starting = asyncio.create_task(session.start())
        await server.expect(LOGIN)
        await session.close()
        with pytest.raises(NotLoggedIn, match="closed"):
            await starting
        assert server.newest.end is not None
        await check_silence(session, caplog)

    async def test_while_the_signature_is_made(self, server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
        asked = asyncio.Event()

        async def forever(_user: str) -> str:
            asked.set()
            await asyncio.Event().wait()
            return ""

        session = server.session(from_callable(forever))
        starting = asyncio.create_task(session.start())
        await asked.wait()
        await session.close()
        with pytest.raises(NotLoggedIn, match="closed"):
            await starting
        await check_silence(session, caplog)

    async def test_while_offline(self, server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
        async with logged_in(server) as (session, watch):
            server.faults.refuse(1000)
            server.faults.cut()
            await asyncio.sleep(20)
            began = now()
            await session.close()
            assert now() == began
            await watch.ended()
            await check_silence(session, caplog)

    async def test_while_coming_back(self, server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
        async with logged_in(server) as (session, watch):
            server.answers[LOGIN] = SILENT
            server.faults.cut()
            await server.expect(LOGIN, 2)
            await session.close()
            await watch.ended()
            await check_silence(session, caplog)

    @pytest.mark.parametrize("command", [ALIVE, GETMSG])
    async def test_while_something_is_asked(
        self, server: ScriptedServer, caplog: pytest.LogCaptureFixture, command: str
    ) -> None:
        server.answers[command] = SILENT
        async with logged_in(server) as (session, watch):
            await server.expect(command)
            await session.close()
            await watch.ended()
            await check_silence(session, caplog)

    @pytest.mark.parametrize("turns", range(30))
    async def test_at_any_step_of_a_login(self, server: ScriptedServer, caplog: pytest.LogCaptureFixture, turns: int) -> None:
        session = server.session()
        starting = asyncio.create_task(session.start())
        await settle(turns)
        await session.close()
        await asyncio.wait({starting})
        starting.exception()
        await check_silence(session, caplog)
        assert all(connection.end for connection in server.connections)

    @pytest.mark.parametrize("turns", range(20))
    async def test_at_any_step_of_a_break(self, server: ScriptedServer, caplog: pytest.LogCaptureFixture, turns: int) -> None:
        async with logged_in(server) as (session, watch):
            await settle()
            server.faults.cut()
            await settle(turns)
            await session.close()
            await watch.ended()
            await check_silence(session, caplog)

    async def test_a_start_that_is_cancelled_closes(self, server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
        server.answers[LOGIN] = SILENT
        session = server.session()
        starting = asyncio.create_task(session.start())
        await server.expect(LOGIN)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await check_silence(session, caplog)


class TestBacklog:
    async def test_a_cancelled_wait_for_room_is_cancelled(self) -> None:
        """Also when room was made in the same moment."""
        backlog: Backlog[int] = Backlog(1, VirtualLoop.running().clock)
        backlog.put(1)
        backlog.put(2)
        waiting = asyncio.create_task(backlog.wait_for_room(patience=60, urgent=lambda: False))
        await settle()
        backlog.nudge()
        for turns in range(3):
            await settle(turns)
            waiting.cancel()
        await asyncio.wait({waiting})
        assert waiting.cancelled()

    async def test_the_wait_has_an_end(self) -> None:
        backlog: Backlog[int] = Backlog(1, VirtualLoop.running().clock)
        backlog.put(1)
        await backlog.wait_for_room(patience=7, urgent=lambda: False)
        assert now() == 7

    async def test_what_is_urgent_does_not_wait(self) -> None:
        backlog: Backlog[int] = Backlog(1, VirtualLoop.running().clock)
        backlog.put(1)
        await backlog.wait_for_room(patience=7, urgent=lambda: True)
        assert now() == 0

    async def test_it_gives_everything_in_order_and_ends(self, server: ScriptedServer) -> None:
        backlog: Backlog[int] = Backlog(1, VirtualLoop.running().clock)
        for number in range(5):
            backlog.put(number)
        backlog.end()
        assert [number async for number in backlog.read()] == [0, 1, 2, 3, 4]
        assert len(backlog) == 0


async def test_several_sessions_do_not_touch_each_other(server: ScriptedServer) -> None:
    async with logged_in(server) as (one, _), logged_in(server, seed=2) as (other, other_watch):
        await settle()
        await one.close()
        assert other.online
        await other.request(READ, Empty())
        assert other_watch.names() == ["Connected", "Synced"]
