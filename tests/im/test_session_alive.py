"""Heartbeat and hello."""

from __future__ import annotations

import asyncio

import pytest
from scripted_server import (
    ALIVE,
    HELLO,
    LOGIN,
    READ,
    SILENT,
    ScriptedServer,
    Watch,
    c2c,
    logged_in,
    now,
    refusal,
    settle,
)

from timbot.errors import LoginRefused
from timbot.im.happenings import Connected, Disconnected
from timbot.im.session import Timing
from timbot.im.wire.commands.base import Empty
from timbot.testing import Line


class TestHeartbeat:
    async def test_one_at_once_and_one_after_each_10_silent_seconds(self, server: ScriptedServer) -> None:
        async with logged_in(server):
            await asyncio.sleep(45)
            assert [frame.at for frame in server.seen(ALIVE)] == [0, 10, 20, 30, 40]
            assert server.seen(ALIVE)[0].body == {}

    async def test_none_while_there_is_traffic(self, server: ScriptedServer) -> None:
        async with logged_in(server):
            for number in range(12):
                await asyncio.sleep(9)
                await server.push_messages(c2c("hello", seq=number))
            assert [frame.at for frame in server.seen(ALIVE)] == [0]

    async def test_silence_counts_from_the_last_frame(self, server: ScriptedServer) -> None:
        async with logged_in(server):
            await asyncio.sleep(7)
            await server.push_messages(c2c("hello"))
            await asyncio.sleep(13)
            assert [frame.at for frame in server.seen(ALIVE)] == [0, 17]

    async def test_a_frame_nobody_understands_is_a_sign_of_life(self, server: ScriptedServer) -> None:
        async with logged_in(server):
            await asyncio.sleep(7)
            await server.say(b"?")
            await asyncio.sleep(9)
            assert [frame.at for frame in server.seen(ALIVE)] == [0]

    async def test_unanswered_it_means_a_new_connection(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (session, watch):
            await settle()
            server.answers[ALIVE] = lambda frame: {} if frame.connection == 2 else None
            gone = await watch.expect(Disconnected)
            assert now() == 25
            assert "silent" in gone.cause
            await watch.expect(Connected, 2)
            assert server.connections[0].end is not None
            assert session.online

    async def test_unanswered_but_with_other_traffic_it_means_nothing(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await settle()
            server.answers[ALIVE] = SILENT
            for number in range(20):
                await asyncio.sleep(11)
                await server.push_messages(c2c("hello", seq=number))
            assert watch.of(Disconnected) == []

    async def test_refused_it_means_a_new_connection(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await settle()
            server.answers[ALIVE] = lambda frame: {} if frame.connection == 2 else refusal(60001)
            assert "60001" in (await watch.expect(Disconnected)).cause
            await watch.expect(Connected, 2)

    @pytest.mark.parametrize("closes", [False, True])
    async def test_60002_ends_it_for_good(self, server: ScriptedServer, closes: bool) -> None:
        session = server.session()
        watch = Watch(session)
        await session.start()
        await settle()
        server.answers[ALIVE] = SILENT
        beat = await server.expect(ALIVE, 2)
        await server.answer(beat, refusal(60002))
        if closes:
            await server.newest.close()
        await watch.ended()
        assert isinstance(session.error, LoginRefused)
        assert session.error.code == 60002
        await asyncio.sleep(600)
        assert len(server.seen(LOGIN)) == 1

    async def test_a_server_that_does_not_read_is_noticed(self) -> None:
        server = ScriptedServer(line=Line(capacity=4))
        async with server.transport, logged_in(server) as (session, watch):
            await settle()
            server.faults.black_hole()
            asked = [asyncio.create_task(session.request(READ, Empty())) for _turn in range(8)]
            await watch.expect(Disconnected, within=60)
            server.faults.heal()
            await watch.expect(Connected, 2)
            await asyncio.wait(asked)

    async def test_a_black_hole_is_noticed_within_25_seconds(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await asyncio.sleep(3)
            server.faults.black_hole()
            await watch.expect(Disconnected)
            assert now() == 25  # the last frame came at 0, the next heartbeat left at 10


class TestHello:
    async def test_one_every_interval_of_the_server(self, server: ScriptedServer) -> None:
        server.hello_interval = 33
        async with logged_in(server):
            await asyncio.sleep(100)
            assert [frame.at for frame in server.seen(HELLO)] == [33, 66, 99]
            assert server.seen(HELLO)[0].head["a2"] == "a2-1"

    @pytest.mark.parametrize("interval", [0, -5, None])
    async def test_120_seconds_without_one(self, server: ScriptedServer, interval: int | None) -> None:
        extra = {} if interval is None else {"HelloInterval": interval}
        server.answers[LOGIN] = {"A2Key": "a2", "TinyId": "1", "InstId": 1, **extra}
        async with logged_in(server):
            await asyncio.sleep(250)
            assert [frame.at for frame in server.seen(HELLO)] == [120, 240]

    async def test_traffic_does_not_replace_it(self, server: ScriptedServer) -> None:
        server.hello_interval = 30
        async with logged_in(server):
            for number in range(14):
                await asyncio.sleep(5)
                await server.push_messages(c2c("hello", seq=number))
            assert [frame.at for frame in server.seen(HELLO)] == [30, 60]

    @pytest.mark.parametrize("answer", [SILENT, refusal(10002)])
    async def test_its_failure_says_nothing(self, server: ScriptedServer, answer: dict[str, object] | None) -> None:
        server.answers[HELLO] = answer
        async with logged_in(server, timing=Timing(hello=60)) as (_, watch):
            await asyncio.sleep(300)
            assert watch.of(Disconnected) == []
