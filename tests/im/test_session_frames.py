"""What the server pushes: acknowledged where it came from; what nobody understands is passed over."""

from __future__ import annotations

import asyncio
import json

import pytest
from scripted_server import ACK, LOGIN, READ, SILENT, ScriptedServer, Watch, c2c, logged_in, refusal, settle

from timbot.im.happenings import BrokenFrame, Connected, Push
from timbot.im.wire.commands.base import Empty
from timbot.im.wire.messages import C2CMessage
from timbot.im.wire.pushes import Broken


def texts(watch: Watch) -> list[str]:
    """The texts of all C2C messages pushed, in order."""
    messages = [item.value for push in watch.of(Push) for item in push.items if isinstance(item.value, C2CMessage)]
    return [json.loads(bytes(message.msg_body[0].msg_content))["Text"] for message in messages]


NESTED = b"[" * 50_000
HEAD = b'{"head":{"servcmd":"im_open_push.msg_push","seq":1},"body":'
BROKEN = {
    "empty": b"",
    "not JSON": b"hello",
    "not UTF-8": b"\xff\xfe\x00",
    "not an object": b"[1,2,3]",
    "no head": b'{"body":{}}',
    "head of a wrong type": b'{"head":7,"body":{}}',
    "no command": b'{"head":{"seq":1},"body":{}}',
    "sequence of a wrong type": b'{"head":{"servcmd":"im_open_push.msg_push","seq":[]},"body":{}}',
    "sequence beyond 64 bits": b'{"head":{"servcmd":"im_open_push.msg_push","seq":1e400},"body":{}}',
    "cut off": HEAD + b'{"EventArray":[{"Event":9',
    "body of a wrong type": HEAD + b'"x"}',
    "items of a wrong type": HEAD + b'{"EventArray":{"Event":9}}}',
    "endless nesting": NESTED,
    "endless nesting inside": HEAD + b'{"EventArray":' + NESTED + b"]" * 50_000 + b"}}",
    "four megabytes of nothing": b"x" * (4 * 1024 * 1024),
}


class TestBroken:
    @pytest.mark.parametrize("what", BROKEN)
    async def test_it_does_not_end_the_session(self, server: ScriptedServer, what: str) -> None:
        async with logged_in(server) as (session, watch):
            await server.push_messages(c2c("before"))
            await server.say(BROKEN[what])
            await server.push_messages(c2c("after"))
            await session.request(READ, Empty())
            assert texts(watch) == ["before", "after"]
            assert len(watch.of(Connected)) == 1

    async def test_it_is_told_with_a_bit_of_it(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await server.say(b"x" * 1000)
            assert (await watch.expect(BrokenFrame)).error.raw == b"x" * 200

    @pytest.mark.parametrize(
        "item",
        [
            {"Event": 9, "C2cMsgArray": [c2c("broken", MsgSeq="one")]},
            {"Event": 9, "C2cMsgArray": 7},
            {"Event": "nine", "C2cMsgArray": [c2c("broken")]},
            {"Event": 10, "C2cNotifyMsgArray": [{"KickoutMsgNotify": {"KickType": "one"}}]},
            {"Event": 4, "GroupTips": [{"MsgBody": []}]},
        ],
    )
    async def test_neighbours_in_the_same_frame_arrive(self, server: ScriptedServer, item: dict[str, object]) -> None:
        good = {"Event": 9, "C2cMsgArray": [c2c("good")]}
        async with logged_in(server) as (_, watch):
            await server.push(good, item, good)
            push = await watch.expect(Push)
            assert texts(watch) == ["good", "good"]
            assert [isinstance(each.value, Broken) for each in push.items] == [False, True, False]

    async def test_a_lone_surrogate_is_a_replacement_character(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await server.push_messages(c2c("half \ud83d of it"), c2c("whole \U0001f600"))
            await watch.expect(Push)
            assert texts(watch) == ["half \ufffd of it", "whole \U0001f600"]

    async def test_four_megabytes_of_text_arrive(self, server: ScriptedServer) -> None:
        long = "4 MiB \u4f60" * 400_000
        async with logged_in(server) as (_, watch):
            await server.push_messages(c2c(long))
            await watch.expect(Push)
            assert texts(watch) == [long]

    async def test_endless_nesting_costs_one_message(self, server: ScriptedServer) -> None:
        deep = '{"MsgType":"TIMCustomElem","MsgContent":' + "[" * 40_000 + "]" * 40_000 + "}"
        broken = json.dumps(c2c("deep")).replace("[{", "[" + deep + ",{", 1)
        good = json.dumps(c2c("good"))
        body = '{"EventArray":[{"Event":9,"C2cMsgArray":[' + f"{good},{broken},{good}" + "]}]}}"
        async with logged_in(server) as (_, watch):
            await server.say(HEAD + body.encode())
            await watch.expect(Push)
            assert texts(watch)[0] == "good"
            assert texts(watch)[-1] == "good"

    async def test_a_command_nobody_knows_is_nothing(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (session, watch):
            await server.say({"head": {"servcmd": "im_sdk_config_mgr.push_configv2", "seq": 1}, "body": {}})
            await session.request(READ, Empty())
            await settle()
            assert watch.names() == ["Connected", "Synced"]


class TestAcks:
    async def test_only_where_it_is_wanted(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await server.push_messages(c2c("1"), NeedAck=1, SessionData="the data")
            await server.push_messages(c2c("2"), NeedAck=0, SessionData="not wanted")
            await server.push_messages(c2c("3"), SessionData="not asked")
            await server.push_messages(c2c("4"), NeedAck=1)
            await watch.expect(Push, 4)
            for push in watch.of(Push):
                await push.ack()
            await settle()
            assert [frame.body for frame in server.seen(ACK)] == [{"SessionData": "the data"}]
            assert server.seen(ACK)[0].head["a2"] == "a2-1"

    async def test_never_by_itself(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await server.push_messages(c2c("1"), NeedAck=1, SessionData="x")
            await watch.expect(Push)
            await asyncio.sleep(60)
            assert server.seen(ACK) == []

    async def test_only_on_the_connection_it_came_by(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await server.push_messages(c2c("1"), NeedAck=1, SessionData="old")
            push = await watch.expect(Push)
            server.faults.cut()
            await settle()
            await push.ack()
            await watch.expect(Connected, 2)
            await push.ack()
            await settle()
            assert server.seen(ACK) == []

    async def test_after_the_end_it_is_nothing(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (session, watch):
            await server.push_messages(c2c("1"), NeedAck=1, SessionData="x")
            push = await watch.expect(Push)
            await session.close()
            await push.ack()
            assert server.seen(ACK) == []

    async def test_a_broken_item_can_be_acknowledged(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            await server.push({"Event": 9, "C2cMsgArray": 7}, NeedAck=1, SessionData="x")
            await (await watch.expect(Push)).ack()
            await server.expect(ACK)


class TestOrder:
    async def test_a_push_right_behind_the_login_comes_after_it(self, server: ScriptedServer) -> None:
        """Both are read in one go: what is pushed must not pass for a push of the connection before."""
        async with logged_in(server) as (_, watch):
            server.answers[LOGIN] = SILENT
            server.faults.cut()
            login = await server.expect(LOGIN, 2)
            await server.push_messages(c2c("early"))
            await server.answer(login, server.login_answer())
            await server.push_messages(c2c("late"))
            await watch.expect(Push, 2)
            names = watch.names()
            assert names.index("Push") > names.index("Connected", names.index("Connected") + 1)
            assert texts(watch) == ["early", "late"]

    async def test_what_came_before_a_refused_login_is_forgotten(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            server.answers[LOGIN] = SILENT
            server.faults.cut()
            login = await server.expect(LOGIN, 2)
            await server.push_messages(c2c("of another login"))
            server.answers[LOGIN] = server.login_answer
            await server.answer(login, refusal(70001))
            await watch.expect(Connected, 2)
            assert texts(watch) == []
