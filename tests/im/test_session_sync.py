"""Looking for what no push brought: `getmsg`."""

from __future__ import annotations

import asyncio
from typing import Any

from scripted_server import GETMSG, SILENT, Body, Frame, ScriptedServer, c2c, logged_in, now, refusal, settle

from timbot.errors import RequestTimeout, ServerError
from timbot.im.happenings import Connected, Disconnected, Synced, SyncFailed
from timbot.im.sync import EndlessAnswer
from timbot.im.timing import Timing
from timbot.im.wire.messages import C2CMessage
from timbot.im.wire.pushes import Broken


def page(*messages: Body, cookie: str = "c", flag: int = 2, **more: Any) -> Body:
    return {"Cookie": cookie, "SyncFlag": flag, "MsgList": list(messages), **more}


def sequences(synced: Synced) -> list[int]:
    return [item.value.msg_seq for item in synced.items if isinstance(item.value, C2CMessage)]


class TestRounds:
    async def test_the_first_one_begins_with_nothing(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            synced = await watch.expect(Synced)
            assert server.seen(GETMSG)[0].body == {"Cookie": "", "SyncFlag": 0, "NeedAbstract": 1, "IsOnlineSync": 0}
            assert (synced.whole, synced.cookie) == (True, "cookie")

    async def test_pages_hang_together_by_cookie_and_flag(self, server: ScriptedServer) -> None:
        pages = [
            page(c2c("a", seq=1), cookie="c1", flag=0),
            page(c2c("b", seq=2), cookie="c2", flag=1),
            page(c2c("c", seq=3), cookie="c3"),
        ]
        server.answers[GETMSG] = lambda _: pages.pop(0)
        async with logged_in(server) as (_, watch):
            await watch.expect(Synced, 3)
        asked = [(frame.body["Cookie"], frame.body["SyncFlag"]) for frame in server.seen(GETMSG)]
        assert asked == [("", 0), ("c1", 0), ("c2", 1)]
        got = [(sequences(synced), synced.cookie, synced.whole) for synced in watch.of(Synced)]
        assert got == [([1], "c1", False), ([2], "c2", False), ([3], "c3", True)]

    async def test_a_page_is_asked_for_once_the_one_before_is_kept(self, server: ScriptedServer) -> None:
        server.answers[GETMSG] = lambda frame: page(c2c("a"), cookie="c1", flag=1 if frame.body["Cookie"] == "" else 2)
        async with logged_in(server) as (_, watch):
            watch.keeps = False
            first = await watch.expect(Synced)
            await asyncio.sleep(1000)
            assert len(server.seen(GETMSG)) == 1
            first.keep()
            await watch.expect(Synced, 2)

    async def test_also_on_the_next_connection(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            watch.keeps = False
            first = await watch.expect(Synced)
            server.faults.cut()
            await watch.expect(Connected, 2)
            await asyncio.sleep(10)
            assert len(server.seen(GETMSG)) == 1
            first.keep()
            await watch.expect(Synced, 2)

    async def test_a_session_goes_on_where_another_has_stopped(self, server: ScriptedServer) -> None:
        async with logged_in(server, cookie="earlier") as (_, watch):
            await watch.expect(Synced)
            assert server.seen(GETMSG)[0].body["Cookie"] == "earlier"

    async def test_the_next_round_goes_on_with_the_cookie(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await watch.expect(Synced)
            await asyncio.sleep(Timing().sync)
            synced = await watch.expect(Synced, 2)
            assert server.seen(GETMSG)[1].body["Cookie"] == "cookie"
            assert synced.whole

    async def test_a_round_hands_over_its_own_messages_only(self, server: ScriptedServer) -> None:
        server.answers[GETMSG] = page(c2c("a", seq=1), cookie="c1")
        async with logged_in(server) as (_, watch):
            await watch.expect(Synced)
            server.answers[GETMSG] = page(c2c("b", seq=2), cookie="c2")
            await asyncio.sleep(Timing().sync)
            assert sequences(await watch.expect(Synced, 2)) == [2]

    async def test_an_answer_without_a_cookie_keeps_the_old_one(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await watch.expect(Synced)
            server.answers[GETMSG] = page(cookie="")
            await asyncio.sleep(Timing().sync)
            assert (await watch.expect(Synced, 2)).cookie == "cookie"

    async def test_every_five_minutes(self, server: ScriptedServer) -> None:
        async with logged_in(server):
            await asyncio.sleep(1000)
            assert [frame.at for frame in server.seen(GETMSG)] == [0, 300, 600, 900]
            assert [frame.body["IsOnlineSync"] for frame in server.seen(GETMSG)] == [0, 0, 0, 0]

    async def test_after_each_login(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await watch.expect(Synced)
            server.faults.cut()
            await watch.expect(Synced, 2)
            assert server.seen(GETMSG)[1].body["Cookie"] == "cookie"
            assert watch.names() == ["Connected", "Synced", "Disconnected", "Connected", "Synced"]

    async def test_when_a_push_says_so(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await watch.expect(Synced)
            await server.push_messages(c2c("hello"), Flag=0)
            await settle()
            assert len(server.seen(GETMSG)) == 1
            await server.push_messages(c2c("hello"), Flag=1)
            await watch.expect(Synced, 2)
            assert server.seen(GETMSG)[1].body["IsOnlineSync"] == 1
            assert now() == 0

    async def test_a_push_during_a_round_leads_to_another(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await watch.expect(Synced)
            server.answers[GETMSG] = SILENT
            await server.push_messages(c2c("hello"), Flag=1)
            asked = await server.expect(GETMSG, 2)
            await server.push_messages(c2c("hello"), Flag=1)
            await settle()
            server.answers[GETMSG] = page()
            await server.answer(asked, page())
            await watch.expect(Synced, 3)

    async def test_events_are_part_of_it(self, server: ScriptedServer) -> None:
        event = {"Event": 8, "ProfileDataMod": [{"Profile_Account": "ann", "ProfileList": []}]}
        server.answers[GETMSG] = page(c2c("a"), EventArray=[event])
        async with logged_in(server) as (_, watch):
            synced = await watch.expect(Synced)
            assert [type(item.value).__name__ for item in synced.items] == ["C2CMessage", "ProfileMod"]

    async def test_a_broken_message_costs_only_itself(self, server: ScriptedServer) -> None:
        server.answers[GETMSG] = page(c2c("a", seq=1), {"From_Account": 7}, c2c("b", seq=2))
        async with logged_in(server) as (_, watch):
            synced = await watch.expect(Synced)
            assert sequences(synced) == [1, 2]
            assert isinstance(synced.items[1].value, Broken)


class TestFailures:
    async def test_a_failed_round_is_tried_again(self, server: ScriptedServer) -> None:
        server.answers[GETMSG] = refusal(91000)
        async with logged_in(server) as (_, watch):
            failed = await watch.expect(SyncFailed)
            assert isinstance(failed.error, ServerError)
            server.answers[GETMSG] = page()
            assert (await watch.expect(Synced)).whole
            assert now() == 10

    async def test_tried_again_it_is_still_for_the_push(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await watch.expect(Synced)
            server.answers[GETMSG] = refusal(91000)
            await server.push_messages(c2c("hello"), Flag=1)
            await watch.expect(SyncFailed)
            await server.expect(GETMSG, 3)
            assert server.seen(GETMSG)[2].body["IsOnlineSync"] == 1

    async def test_an_unanswered_one_is_a_failed_one(self, server: ScriptedServer) -> None:
        server.answers[GETMSG] = SILENT
        async with logged_in(server) as (_, watch):
            failed = await watch.expect(SyncFailed)
            assert isinstance(failed.error, RequestTimeout)
            assert watch.of(Disconnected) == []

    async def test_an_answer_that_makes_no_sense_is_one_too(self, server: ScriptedServer) -> None:
        server.answers[GETMSG] = {"Cookie": "c", "SyncFlag": "done", "MsgList": []}
        async with logged_in(server) as (_, watch):
            await watch.expect(SyncFailed, 2)
            assert watch.of(Disconnected) == []

    async def test_pages_without_end_are_cut(self, server: ScriptedServer) -> None:
        server.answers[GETMSG] = page(c2c("again"), flag=1)
        async with logged_in(server) as (_, watch):
            failed = await watch.expect(SyncFailed)
            assert isinstance(failed.error, EndlessAnswer)
            assert len(server.seen(GETMSG)) == 1000
            await asyncio.sleep(299)
            assert len(server.seen(GETMSG)) == 1000  # it is not asked a thousand times every ten seconds

    async def test_a_break_in_the_middle_loses_nothing_of_what_had_come(self, server: ScriptedServer) -> None:
        def answer(frame: Frame) -> Body | None:
            return page(c2c("a", seq=1), cookie="c1", flag=1) if frame.connection == 1 else page(cookie="end")

        server.answers[GETMSG] = answer
        server.faults.cut_when(lambda raw: b'"Cookie":"c1"' in raw, "before", direction="to_server")
        async with logged_in(server) as (_, watch):
            await watch.expect(Connected, 2)
            await watch.expect(Synced, 2)
            assert [len(synced.items) for synced in watch.of(Synced)] == [1, 0]
            assert server.seen(GETMSG)[1].body["Cookie"] == "c1"
            assert watch.of(SyncFailed) == []
