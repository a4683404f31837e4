"""Coming back: how often, how long, and when it is given up."""

from __future__ import annotations

import asyncio
import random

import pytest
from scripted_server import LOGIN, ScriptedServer, Watch, logged_in, now, settle

from timbot.errors import ConnectionLost
from timbot.im.happenings import Connected, Disconnected
from timbot.im.reconnect import LONGEST_DELAY, Backoff
from timbot.im.session import Timing
from timbot.testing import VirtualLoop


def pauses(watch: Watch) -> list[float]:
    return [gone.retry_in for gone in watch.of(Disconnected)]


class TestBackoff:
    @pytest.mark.parametrize("seed", range(5))
    async def test_pauses_grow_with_jitter_up_to_a_cap(self, seed: int) -> None:
        backoff = Backoff(random.Random(seed), VirtualLoop.running().clock, stable=30, give_up=1e9)
        delays = [backoff.next_delay(ConnectionLost("x")) for _turn in range(40)]
        for index, delay in enumerate(delays):
            longest = min(LONGEST_DELAY, 0.5 * 2**index)
            assert longest / 2 <= delay <= longest
        assert len(set(delays)) == len(delays)

    async def test_the_pause_is_kept(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            server.faults.refuse(2)
            server.faults.cut()
            await watch.expect(Connected, 2)
            assert now() == pytest.approx(sum(pauses(watch)))

    async def test_a_stable_connection_starts_afresh(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            server.faults.refuse(6)
            server.faults.cut()
            await watch.expect(Connected, 2)
            assert pauses(watch)[-1] > 4
            await asyncio.sleep(30)
            server.faults.cut()
            await watch.expect(Connected, 3)
            assert pauses(watch)[-1] <= 0.5

    async def test_an_unstable_one_does_not(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            server.faults.refuse(6)
            server.faults.cut()
            await watch.expect(Connected, 2)
            await asyncio.sleep(29)
            server.faults.cut()
            await watch.expect(Connected, 3)
            assert pauses(watch)[-1] > 8

    async def test_accepted_and_closed_at_once_backs_off_too(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            server.faults.accept_then_close(8)
            server.faults.cut()
            await watch.expect(Connected, 2)
            assert len(pauses(watch)) == 9
            assert now() > 30

    async def test_logged_in_and_closed_at_once_backs_off_too(self, server: ScriptedServer) -> None:
        rule = server.faults.cut_when(lambda frame: b"openim.getmsg" in frame, times=8)
        async with logged_in(server) as (_, watch):
            await watch.expect(Connected, 9)
            await settle()
            assert rule.spent
            assert now() > 30

    async def test_after_the_budget_it_ends_with_one_clear_error(self, server: ScriptedServer) -> None:
        server.faults.refuse(10_000)
        session = server.session(timing=Timing(give_up=100))
        watch = Watch(session)
        with pytest.raises(ConnectionLost, match="giving up") as gone:
            await session.start()
        assert session.error is gone.value
        assert "refused the connection" in str(gone.value)
        assert 100 < now() < 100 + LONGEST_DELAY
        await watch.ended()
        assert set(watch.names()) == {"Disconnected"}

    async def test_the_budget_counts_from_the_first_break(self, server: ScriptedServer) -> None:
        async with logged_in(server, timing=Timing(give_up=100)) as (_, watch):
            await asyncio.sleep(1000)
            server.faults.refuse(5)
            server.faults.cut()
            await watch.expect(Connected, 2)

    async def test_the_hosts_take_turns(self, server: ScriptedServer) -> None:
        server.faults.refuse(3)
        async with logged_in(server):
            assert [url[:8] for url in server.transport.urls] == ["ws://one", "ws://two", "ws://one", "ws://two"]


class TestBreaks:
    async def test_what_happens_is_told_in_order(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            server.faults.refuse(1)
            server.faults.cut()
            await watch.expect(Connected, 2)
            assert watch.names() == ["Connected", "Disconnected", "Disconnected", "Connected"]

    async def test_a_goodbye_of_the_server_is_a_break(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await server.newest.close(1013, "try again later")
            gone = await watch.expect(Disconnected)
            assert "1013 try again later" in gone.cause
            await watch.expect(Connected, 2)

    async def test_a_hundred_breaks_leave_nothing_behind(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            for turn in range(100):
                await asyncio.sleep(31)
                server.faults.cut()
                await watch.expect(Connected, turn + 2)
            await settle()
            names = [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("session")]
            assert len(names) == 4  # itself, reader, heartbeat, sync
            assert len(server.seen(LOGIN)) == 101

    async def test_a_login_cut_short_is_begun_again(self, server: ScriptedServer) -> None:
        server.faults.cut_when(lambda frame: b"wslogin" in frame, "before", direction="to_client")
        async with logged_in(server):
            assert len(server.seen(LOGIN)) == 2
            assert "a2" not in server.seen(LOGIN)[1].head
