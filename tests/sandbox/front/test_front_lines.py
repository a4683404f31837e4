"""Connections: frames of every kind, slow readers, kicks, returns, the end."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest
from front_site import Site, open_site, texts

from timbot.im.wire.commands import COMMANDS
from timbot.im.wire.envelope import MAX_FRAME
from timbot.sandbox import Bounds, Settings
from timbot.sandbox.domain.notices import Mentioned
from timbot.sandbox.observe import Closed, Garbled, Handled, Kicked, Opened
from timbot.testing import VirtualClock


@pytest.fixture
async def site(clock: VirtualClock) -> AsyncIterator[Site]:
    async with open_site(clock) as site:
        yield site


class TestFrames:
    @pytest.mark.parametrize(
        "frame",
        [b"", b"hello", b"\xff\xfe", b"null", b"[]", b"{}", b'{"head":{}}', b'{"head":{"servcmd":"a.b"}}', b"[" * 100_000],
    )
    async def test_what_is_no_request_is_passed_over(self, site: Site, frame: bytes) -> None:
        alice = await site.login("alice")
        with site.sandbox.observe() as observer:
            await alice.connection.send(frame)
            await alice.ok("heartbeat.alive")
            assert observer.seen()[0] == Garbled(1, frame[:200])

    async def test_a_head_that_is_wrong_elsewhere_is_answered(self, site: Site) -> None:
        alice = await site.login("alice")
        assert await alice.code("openim.sendmsg", site.text("bob", "hi"), a2=7) == 20001

    async def test_an_unknown_command_is_refused_by_number(self, site: Site) -> None:
        alice = await site.login("alice")
        assert await alice.code("openim.fly") == 10003
        assert await alice.code("nonsense") == 10003

    @pytest.mark.parametrize("body", ["text", 7, [], {"deep": [[[[]]]]}, {"To_Account": {}, "GroupId": 7}])
    @pytest.mark.parametrize("servcmd", sorted(name for name, command in COMMANDS.items() if not command.one_way))
    async def test_a_bad_body_is_answered(self, site: Site, servcmd: str, body: object) -> None:
        alice = await site.login("alice")
        await alice.ask(servcmd, body)
        assert isinstance(await alice.ask("heartbeat.alive"), dict)

    async def test_an_acknowledgement_has_no_answer(self, site: Site) -> None:
        alice = await site.login("alice")
        for data in ("s1.0", "nonsense", "s1.999999999999999999999", 7):
            await alice.say("openim.ws_msg_push_ack", {"SessionData": data})
        assert await alice.heard() == []

    async def test_a_failure_of_the_servers_own_is_answered_and_logged(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        alice = await site.login("alice")

        def fail(*args: object, **more: object) -> None:
            raise RuntimeError("boom")

        monkeypatch.setattr(type(site.sandbox.domain.chats), "send", fail)
        monkeypatch.setattr(type(site.sandbox.domain.groups), "dismiss", fail)
        with caplog.at_level(logging.ERROR):
            assert await alice.code("openim.sendmsg", site.text("bob", "hi")) == 20005
            assert await alice.code("group_open_http_svc.destroy_group", {"GroupId": "den"}) == 10002
        assert [record.getMessage() for record in caplog.records] == [
            "openim.sendmsg of 'alice' failed",
            "group_open_http_svc.destroy_group of 'alice' failed",
        ]

    async def test_a_notice_that_cannot_be_told_silences_no_other(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        alice, bob, _ = await site.everybody()
        await site.group(alice, "bob")
        await bob.heard()

        def fail(*args: object) -> None:
            raise RuntimeError("boom")

        monkeypatch.setitem(site.sandbox._pushes._makers, Mentioned, fail)
        at = [{"GroupAtAllFlag": 0, "GroupAt_Account": "bob"}]
        with caplog.at_level(logging.ERROR):
            await alice.ok("group_open_http_svc.send_group_msg", site.group_text("den", "hey", GroupAtInfo=at))
        assert texts(await bob.heard()) == ["hey"]
        assert [record.getMessage() for record in caplog.records] == ["telling 'bob' of Mentioned failed"]

    async def test_answers_come_in_the_order_of_the_requests(self, site: Site) -> None:
        alice = await site.login("alice")
        asked = [await alice.say(servcmd) for servcmd in ("heartbeat.alive", "openim.fly", "im_open_status.wshello") * 3]
        answered = [json.loads(await alice.connection.receive())["head"]["seq"] for _ in asked]
        assert answered == asked

    async def test_a_frame_beyond_the_limit_ends_the_connection(self, site: Site) -> None:
        alice = await site.login("alice")
        await alice.connection.send(b" " * (MAX_FRAME + 1))
        assert await alice.ended() == 1009


class TestSlowReaders:
    async def test_one_loses_its_connection_and_nobody_waits(self, clock: VirtualClock) -> None:
        async with open_site(clock, bounds=Bounds(frames=50)) as site:
            alice, bob, carol = await site.everybody()
            for number in range(100):
                await alice.ok("openim.sendmsg", site.text("bob", f"n{number}"))
                await alice.ok("openim.sendmsg", site.text("carol", f"n{number}"))
                assert texts(await carol.heard()) == [f"n{number}"]
            assert not site.sandbox.domain.accounts.online("bob")
            assert await bob.ended() == 1013

    async def test_bytes_count_too(self, clock: VirtualClock) -> None:
        async with open_site(clock, bounds=Bounds(size=50_000)) as site:
            alice, bob, _ = await site.everybody()
            for _ in range(40):
                await alice.ok("openim.sendmsg", site.text("bob", "x" * 5000))
            assert await bob.ended() == 1013

    async def test_what_it_missed_is_there_when_it_comes_back(self, clock: VirtualClock) -> None:
        async with open_site(clock, bounds=Bounds(frames=20)) as site:
            alice, bob, _ = await site.everybody()
            for number in range(60):
                await alice.ok("openim.sendmsg", site.text("bob", f"n{number}"))
            again = await site.connect()
            again.ticket = bob.ticket
            await again.ok("im_open_status.wslogin")
            answer = await again.ok("openim.getmsg", {"Cookie": "", "SyncFlag": 0})
            rest = await again.ok("openim.getmsg", {"Cookie": answer["Cookie"], "SyncFlag": answer["SyncFlag"]})
            assert len(answer["MsgList"]) + len(rest["MsgList"]) == 60

    async def test_one_that_only_asks_is_made_to_wait(self, clock: VirtualClock) -> None:
        async with open_site(clock, bounds=Bounds(frames=50)) as site:
            alice = await site.login("alice")

            async def flood() -> None:
                for _ in range(500):
                    await alice.say("heartbeat.alive")

            flooding = asyncio.create_task(flood(), name="flood")
            await asyncio.sleep(5)
            assert not flooding.done()  # its answers are not read, so its requests are not either
            for _ in range(500):
                await alice.connection.receive()
            await flooding

    async def test_a_young_socket_is_given_its_second(self, clock: VirtualClock) -> None:
        async with open_site(clock, bounds=Bounds(frames=5)) as site:
            alice, bob, _ = await site.everybody()
            opened = clock.now()
            for number in range(30):
                await alice.ok("openim.sendmsg", site.text("bob", f"n{number}"))
            assert await bob.ended() == 1013
            assert clock.now() - opened == pytest.approx(1.0)


class TestReturns:
    async def test_a_login_comes_back_by_its_ticket(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        await alice.connection.close()
        await bob.ok("openim.sendmsg", site.text("alice", "meanwhile"))
        again = await site.connect()
        again.ticket = alice.ticket
        answer = await again.ok("im_open_status.wslogin", {"State": "Online"})
        assert answer["A2Key"] == alice.ticket["a2"]
        assert (answer["TinyId"], answer["InstId"]) == (alice.ticket["tinyid"], alice.ticket["status_instid"])
        await bob.ok("openim.sendmsg", site.text("alice", "and now"))
        assert texts(await again.heard()) == ["and now"]
        answer = await again.ok("openim.getmsg", {"Cookie": "", "SyncFlag": 0})
        assert len(answer["MsgList"]) == 2

    async def test_the_old_socket_of_the_login_is_closed(self, site: Site) -> None:
        alice = await site.login("alice")
        await asyncio.sleep(5)
        again = await site.connect()
        again.ticket = alice.ticket
        await again.ok("im_open_status.wslogin")
        assert await alice.ended() == 1000
        await again.ok("heartbeat.alive")
        assert site.sandbox.domain.accounts.online("alice")

    async def test_the_same_socket_is_not(self, site: Site) -> None:
        alice = await site.login("alice")
        await alice.ok("im_open_status.wslogin")
        await asyncio.sleep(5)
        await alice.ok("im_open_status.wshello")

    async def test_a_socket_that_logs_in_anew_is_not_kicked_by_itself(self, site: Site) -> None:
        alice = await site.login("alice")
        await site.login("alice", alice)
        assert await alice.heard() == []
        await site.login("bob", alice)
        assert not site.sandbox.domain.accounts.online("alice")
        assert site.sandbox.domain.accounts.online("bob")

    async def test_a_kick_is_pushed_and_the_socket_stays(self, site: Site) -> None:
        first = await site.login("alice")
        second = await site.login("alice")
        kick = json.loads(await first.connection.receive())
        assert kick["head"]["servcmd"] == "im_open_status.stat_forceoffline"
        notice = {"KickoutMsgNotify": {"KickType": 1, "NewInstInfo": {}}}
        assert kick["body"] == {"EventArray": [{"Event": 10, "C2cNotifyMsgArray": [notice]}]}
        await site.login("alice", first)
        assert (await second.alone())["C2cNotifyMsgArray"] == [notice]

    async def test_unacknowledged_messages_come_again(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        for said in ("acknowledged", "lost"):
            await alice.ok("openim.sendmsg", site.text("bob", said))
        pushes = [json.loads(await bob.connection.receive())["body"] for _ in range(2)]
        assert [push["NeedAck"] for push in pushes] == [1, 1]
        await bob.say("openim.ws_msg_push_ack", {"SessionData": pushes[0]["SessionData"]})
        answer = await bob.ok("openim.getmsg", {"Cookie": "", "SyncFlag": 0})
        assert [m["MsgBody"][0]["MsgContent"]["Text"] for m in answer["MsgList"]] == ["lost"]

    async def test_unless_the_server_forgets_them(self, clock: VirtualClock) -> None:
        async with open_site(clock, Settings(unacked="forget")) as site:
            alice, bob, _ = await site.everybody()
            await alice.ok("openim.sendmsg", site.text("bob", "lost"))
            answer = await bob.ok("openim.getmsg", {"Cookie": "", "SyncFlag": 0})
            assert answer["MsgList"] == []


class TestWatching:
    async def test_what_happens_is_told(self, site: Site) -> None:
        with site.sandbox.observe() as observer:
            first = await site.login("alice")
            await first.code("openim.sendmsg", site.text("nobody", "hi"))
            await site.login("alice")
            await first.connection.close()
            await asyncio.sleep(0.1)
            seen = observer.seen()
        assert [type(happening) for happening in seen] == [Opened, Handled, Handled, Opened, Handled, Kicked, Closed]
        refused = seen[2]
        assert isinstance(refused, Handled)
        assert (refused.done.command, refused.done.user, refused.code) == ("openim.sendmsg", "alice", 20003)
        assert seen[-1] == Closed(1, "", "")

    async def test_it_can_be_awaited_and_ends_with_the_server(self, site: Site) -> None:
        observer = site.sandbox.observe()
        await site.login("alice")

        async def watch() -> list[str]:
            return [type(happening).__name__ async for happening in observer]

        watching = asyncio.create_task(watch(), name="watch")
        await asyncio.sleep(0)
        await site.sandbox.stop()
        assert await watching == ["Opened", "Handled", "Closed"]

    async def test_who_does_not_keep_up_loses_the_oldest(self, site: Site) -> None:
        alice = await site.login("alice")
        observer = site.sandbox.observe(kept=3)
        for _ in range(5):
            await alice.ok("heartbeat.alive")
        assert (len(observer.seen()), observer.lost) == (3, 2)


async def test_stopping_ends_every_connection(site: Site) -> None:
    clients = await site.everybody()
    await site.sandbox.stop()
    assert [await client.ended() for client in clients] == [1001] * 3
    late = await site.connect()
    assert await late.ended() == 1001


async def test_calls_of_the_domain_are_told_when_flushed(site: Site) -> None:
    alice = await site.login("alice")
    site.sandbox.domain.profiles.set("alice", {}, {"Tag_Profile_Custom_x": "y"})
    site.sandbox.flush()
    assert (await alice.alone())["Event"] == 8
