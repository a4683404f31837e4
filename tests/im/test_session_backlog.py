"""An owner that is slow: reading pauses, nothing is lost, and nothing that matters waits behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from scripted_server import ALIVE, READ, SILENT, ScriptedServer, c2c, kick, now, settle

from timbot.errors import KickedOutError
from timbot.im.happenings import Disconnected, Push
from timbot.im.session import Session, Timing
from timbot.im.wire.commands.base import Empty
from timbot.im.wire.messages import C2CMessage
from timbot.testing import Line

BACKLOG = 5


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer(line=Line(capacity=10))
    async with server.transport:
        yield server


@asynccontextmanager
async def unread(server: ScriptedServer) -> AsyncIterator[Session]:
    """A session whose happenings nobody reads."""
    session = server.session(backlog=BACKLOG, timing=Timing(hello=1e6, sync=1e6))
    server.hello_interval = 1_000_000
    await session.start()
    await settle()
    try:
        yield session
    finally:
        await session.close()


def flood(server: ScriptedServer, number: int) -> asyncio.Task[None]:
    async def send() -> None:
        for index in range(number):
            await server.push_messages(c2c(str(index), seq=index))

    return asyncio.create_task(send())


async def test_reading_pauses(server: ScriptedServer) -> None:
    async with unread(server) as session:
        sending = flood(server, 100)
        await settle(500)
        assert len(session._backlog) == BACKLOG
        assert not sending.done()
        sending.cancel()


async def test_it_never_pauses_for_longer_than_5_seconds(server: ScriptedServer) -> None:
    async with unread(server) as session:
        sending = flood(server, 100)
        await settle(500)
        for turn in range(1, 10):
            await asyncio.sleep(5)
            assert len(session._backlog) == BACKLOG + turn
        sending.cancel()


async def test_a_kick_behind_it_is_noticed_within_5_seconds(server: ScriptedServer) -> None:
    async with unread(server) as session:
        await flood(server, 3)  # with `Connected` and `Synced` the backlog is full
        await settle()
        began = now()
        await server.push(kick())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await asyncio.shield(session._task)  # type: ignore[arg-type]
        await asyncio.wait({session._task})  # type: ignore[type-var]
        assert now() - began <= 5
        assert isinstance(session.error, KickedOutError)


async def test_an_answer_does_not_wait(server: ScriptedServer) -> None:
    async with unread(server) as session:
        sending = flood(server, 40)
        await settle(500)
        await session.request(READ, Empty())
        assert now() == 0
        await sending


async def test_after_the_answer_it_pauses_again(server: ScriptedServer) -> None:
    async with unread(server) as session:
        await session.request(READ, Empty())
        sending = flood(server, 100)
        await settle(500)
        assert len(session._backlog) == BACKLOG
        sending.cancel()


async def test_heartbeats_go_on(server: ScriptedServer) -> None:
    async with unread(server) as session:
        await flood(server, 20)
        await asyncio.sleep(300)
        assert session.online
        assert len(server.seen(ALIVE)) > 15


async def test_a_dead_connection_is_noticed(server: ScriptedServer) -> None:
    async with unread(server) as session:
        await flood(server, 3)
        await settle()
        server.answers[ALIVE] = SILENT
        await asyncio.sleep(27)  # 10 of silence, 15 for the heartbeat, and a pause before the next attempt
        assert len(server.connections) == 2
        assert session.online


async def test_nothing_is_lost_and_the_order_is_kept(server: ScriptedServer) -> None:
    async with unread(server) as session:
        sending = flood(server, 200)
        await asyncio.sleep(60)
        got: list[int] = []
        async for happening in session.happenings():
            if isinstance(happening, Push):
                got += [item.value.msg_seq for item in happening.items if isinstance(item.value, C2CMessage)]
            if len(got) == 200:
                break
        assert got == list(range(200))
        await sending


async def test_a_break_does_not_wait_for_the_owner(server: ScriptedServer) -> None:
    async with unread(server) as session:
        await flood(server, 30)
        server.faults.cut()
        await asyncio.sleep(300)  # what had arrived is read before the end is: one frame every 5 seconds
        assert session.online
        assert [type(happening) for happening in session._backlog._values].count(Disconnected) == 1


async def test_closing_with_a_full_backlog_says_goodbye_at_once(server: ScriptedServer) -> None:
    async with unread(server) as session:
        await flood(server, 3)
        await settle()
        await session.close()
        assert now() == 0
