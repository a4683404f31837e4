"""A client's life: logging in and out, catching up, and what the network does meanwhile."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from client_site import C2C, GROUP, Seat, Site, of_command, open_site, pushing, quiet
from scripted_server import settle, tasks_besides_this, timers

from timbot.errors import KickedOutError, LoginRefused, NotLoggedIn, OutcomeUnknown
from timbot.im.client import Account, Client
from timbot.im.credentials import from_text
from timbot.im.endpoints import Endpoint
from timbot.im.model import events as model
from timbot.im.model.group import GroupType
from timbot.im.model.message import Message
from timbot.im.session import Timing
from timbot.testing import PipeTransport


async def lobby_of(bot: Seat, *members: Seat) -> str:
    group = await bot.client.create_group(GroupType.WORK, "Lobby", member_list=[seat.client.user_id for seat in members])
    await quiet()
    for seat in (bot, *members):
        seat.forget()
    return group


async def come_back(seat: Seat) -> None:
    """Wait for the `Ready` after a break."""
    await seat.ready()
    await quiet()


class TestLogin:
    async def test_it_says_connected_and_ready(self, site: Site) -> None:
        bot = await site.enter("bot")
        assert [type(event) for event in bot.events] == [model.NetStateChanged, model.Ready]
        assert bot.of(model.Ready) == [model.Ready(again=False)]
        assert bot.client.online
        assert bot.client.server_now() == pytest.approx(site.clock.now(), abs=1)

    async def test_the_first_one_answers_no_history(self, site: Site) -> None:
        alice = await site.enter("alice")
        await alice.say("bot", "are you there?")
        group = await alice.client.create_group(GroupType.WORK, "g", member_list=["bot"])
        await alice.say(group, "old", kind=GROUP)
        await asyncio.sleep(5)
        bot = await site.enter("bot")
        await quiet()
        assert bot.messages() == []
        await alice.say("bot", "now?")
        await alice.say(group, "new", kind=GROUP)
        await quiet()
        assert bot.texts() == ["now?", "new"]

    async def test_but_requests_are_told(self, site: Site) -> None:
        alice = await site.enter("alice")
        bot = await site.enter("bot")
        await bot.client.update_my_profile(allow_type="AllowType_Type_NeedConfirm")
        await bot.client.create_group(GroupType.PUBLIC, "club", group_id="club")
        await bot.leave()
        await alice.client.add_friend("bot")
        await alice.client.join_group("club")
        again = await site.enter("bot")
        await quiet(400)
        assert len(again.of(model.FriendApplicationReceived)) == 1
        assert len(again.of(model.GroupApplication)) == 1

    async def test_a_refused_one_leaves_nothing(self, site: Site) -> None:
        transport = PipeTransport(site.sandbox.serve)
        account = Account(site.sandbox.sdk_app_id, "bot", from_text("wrong"))
        client = Client(account, endpoint=Endpoint("x", ("ws://x",)), transport=transport, clock=site.clock)
        with pytest.raises(LoginRefused):
            await client.login()
        assert isinstance(client.error, LoginRefused)
        assert [event async for event in client.events() if not isinstance(event, model.NetStateChanged)] == []
        assert [name for name in tasks_besides_this() if "bot" in name] == []
        await transport.aclose()

    async def test_a_second_login_does_no_harm(self, site: Site) -> None:
        bot = await site.enter("bot")
        with pytest.raises(NotLoggedIn, match="already"):
            await bot.client.login()
        assert bot.client.online
        await bot.client.get_my_profile()

    async def test_after_the_logout_there_is_no_login(self, site: Site) -> None:
        client, _ = site.client("bot")
        await client.logout()
        with pytest.raises(NotLoggedIn):
            await client.login()

    async def test_an_expired_login_is_renewed(self, site: Site) -> None:
        bot = await site.enter("bot")
        next(iter(site.sandbox._gate._tickets.values())).expires_at = 0
        assert (await bot.client.get_my_profile()).user_id == "bot"
        await quiet()
        assert bot.of(model.LoggedOut) == [model.LoggedOut(None)]
        assert bot.of(model.Ready) == [model.Ready(again=False), model.Ready(again=True)]


class TestLogout:
    async def test_nothing_is_left(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        bot = await site.enter("bot")
        await bot.leave()
        await bot.client.logout()
        await settle()
        assert [name for name in tasks_besides_this() if "sandbox" not in name] == []
        assert timers() == []
        assert bot.client.error is None
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
        with pytest.raises(NotLoggedIn):
            await bot.client.get_my_profile()

    @pytest.mark.parametrize("turns", range(0, 60, 3))
    async def test_at_any_step_of_the_login(self, turns: int, caplog: pytest.LogCaptureFixture) -> None:
        async with open_site() as site:
            client, transport = site.client("bot")
            logging_in = asyncio.create_task(client.login())
            await settle(turns)
            async with asyncio.timeout(10):
                await client.logout()
            await asyncio.wait({logging_in})
            logging_in.exception()
            assert [name for name in tasks_besides_this() if "sandbox" not in name] == []
            await transport.aclose()
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []

    async def test_with_events_that_nobody_reads(self, site: Site) -> None:
        alice = await site.enter("alice")
        client, transport = site.client("bot", backlog=3)
        await client.login()
        await quiet()
        await alice.say("bot", *[str(number) for number in range(20)])
        await quiet(60)
        async with asyncio.timeout(10):
            await client.logout()
        texts = [event.message.text async for event in client.events() if isinstance(event, model.MessageReceived)]
        assert texts == [str(number) for number in range(len(texts))]
        assert [name for name in tasks_besides_this() if "client bot" in name] == []
        await transport.aclose()

    async def test_used_as_a_context(self, site: Site) -> None:
        client, transport = site.client("bot")
        async with client as same:
            assert same.online
        assert not client.online
        await transport.aclose()


class TestKick:
    async def test_another_login_ends_this_one(self) -> None:
        async with open_site() as site:
            first = await site.enter("bot")
            second = await site.enter("bot")
            await asyncio.sleep(1000)
            assert [event.kind for event in first.of(model.LoggedOut)] != []
            assert isinstance(first.client.error, KickedOutError)
            assert second.client.online
            assert second.of(model.LoggedOut) == []

    async def test_also_while_this_one_is_away(self) -> None:
        async with open_site() as site:
            first = await site.enter("bot")
            first.faults.refuse(4)
            first.faults.cut()
            await quiet(0.1)
            second = await site.enter("bot")
            await asyncio.sleep(1000)
            assert isinstance(first.client.error, KickedOutError)
            assert second.client.online


class TestBreaks:
    async def test_what_was_missed_comes_once_and_in_order(self, site: Site) -> None:
        bot, alice, carol = [await site.enter(user) for user in ("bot", "alice", "carol")]
        group = await lobby_of(bot, alice, carol)
        await alice.say("bot", "before")
        await alice.say(group, "before", kind=GROUP)
        await quiet()
        bot.forget()
        bot.faults.refuse(4)
        bot.faults.cut()
        for number in range(17):
            await alice.say("bot", f"a{number}")
            await carol.say("bot", f"c{number}")
            await (alice if number % 2 else carol).say(group, f"g{number}", kind=GROUP)
        assert bot.messages() == []
        await come_back(bot)
        assert bot.texts("C2Calice") == [f"a{number}" for number in range(17)]
        assert bot.texts("C2Ccarol") == [f"c{number}" for number in range(17)]
        assert bot.texts(f"GROUP{group}") == [f"g{number}" for number in range(17)]
        assert bot.of(model.Incomplete) == []
        assert bot.of(model.Ready) == [model.Ready(again=True)]

    async def test_ready_comes_after_what_was_missed(self, site: Site) -> None:
        bot, alice = await site.enter("bot"), await site.enter("alice")
        bot.forget()
        bot.faults.refuse(2)
        bot.faults.cut()
        await alice.say("bot", "missed")
        await come_back(bot)
        kinds = [type(event).__name__ for event in bot.events]
        assert kinds[-2:] == ["MessageReceived", "Ready"]

    async def test_more_than_a_page_in_a_group(self, site: Site) -> None:
        bot, alice = await site.enter("bot"), await site.enter("alice")
        group = await lobby_of(bot, alice)
        await alice.say(group, "before", kind=GROUP)
        await quiet()
        bot.forget()
        bot.faults.black_hole(connects=True)
        for number in range(95):
            await alice.say(group, str(number), kind=GROUP)
            await asyncio.sleep(0.05)
        bot.faults.cut()
        bot.faults.heal()
        await come_back(bot)
        assert bot.texts() == [str(number) for number in range(95)]

    async def test_history_from_before_the_first_login_stays_history(self, site: Site) -> None:
        alice = await site.enter("alice")
        await alice.say("bot", "long ago")
        await asyncio.sleep(10)
        bot = await site.enter("bot")
        await asyncio.sleep(5)
        bot.faults.cut()
        await bot.ready(2)
        assert bot.messages() == []

    async def test_what_was_answered_hours_ago_does_not_come_again(self, site: Site) -> None:
        bot, alice, carol = [await site.enter(user) for user in ("bot", "alice", "carol")]
        await alice.say("bot", "long ago")
        await asyncio.sleep(3 * 3600)
        await carol.say("bot", "forgets the hour before")
        await quiet()
        bot.forget()
        # A message whose push is lost and that the queue believes to be received: history is read.
        bot.faults.drop(pushing("lost"))
        bot.faults.cut_when(pushing("cut"), "before")
        await alice.say("bot", "lost", "cut")
        await come_back(bot)
        assert bot.texts("C2Calice") == ["lost", "cut"]

    async def test_a_read_during_the_break_is_answered_after_it(self, site: Site) -> None:
        bot = await site.enter("bot")
        bot.faults.refuse(3)
        bot.faults.cut()
        assert (await bot.client.get_my_profile()).user_id == "bot"

    async def test_a_write_whose_answer_is_lost_is_unknown_and_can_be_found(self, site: Site) -> None:
        bot, alice = await site.enter("bot"), await site.enter("alice")
        bot.faults.cut_when(of_command("openim.sendmsg"), "before", direction="to_client")
        message = bot.client.create_text_message("alice", C2C, "did it?")
        with pytest.raises(OutcomeUnknown) as unknown:
            await bot.client.send_message(message)
        assert unknown.value.token == (message.sequence, message.random)
        found = await bot.client.find_sent(message, unknown.value.sent_at)
        assert isinstance(found, Message)
        assert alice.texts() == ["did it?"]

    async def test_a_sync_that_always_fails_does_not_make_it_deaf(self, site: Site) -> None:
        bot, alice = await site.enter("bot"), await site.enter("alice")
        bot.forget()
        bot.faults.drop(of_command("openim.getmsg"), direction="to_server", times=None)
        bot.faults.cut()
        await asyncio.sleep(1)
        await alice.say("bot", "hello?")
        await come_back(bot)
        assert bot.texts() == ["hello?"]
        assert len(bot.of(model.Incomplete)) == 3


class TestGaps:
    async def test_a_lost_push_is_fetched(self, site: Site) -> None:
        bot, alice = await site.enter("bot"), await site.enter("alice")
        group = await lobby_of(bot, alice)
        bot.faults.drop(pushing("second"))
        await alice.say(group, "first", "second", "third", kind=GROUP)
        await quiet()
        assert bot.texts() == ["first", "second", "third"]
        assert bot.of(model.Incomplete) == []

    async def test_what_history_does_not_have_is_reported_once(self, site: Site) -> None:
        bot, alice = await site.enter("bot"), await site.enter("alice")
        group = await lobby_of(bot, alice)
        bot.faults.drop(pushing("second"))
        await alice.say(group, "first", "second", kind=GROUP)
        await quiet()
        bot.faults.drop(of_command("group_open_http_svc.group_msg_get"), direction="to_server", times=None)
        (third,) = await alice.say(group, "third", kind=GROUP)
        await asyncio.sleep(14)
        assert bot.texts() == ["first"]
        await asyncio.sleep(30)
        assert bot.texts() == ["first", "third"]
        (hole,) = bot.of(model.Incomplete)
        assert (hole.conversation_id, hole.first, hole.last) == (f"GROUP{group}", third.sequence - 1, third.sequence - 1)

    async def test_own_messages_are_no_gap(self, site: Site) -> None:
        bot, alice = await site.enter("bot"), await site.enter("alice")
        group = await lobby_of(bot, alice)
        asked = bot.faults.drop(of_command("group_open_http_svc.group_msg_get"), direction="to_server", times=None)
        for number in range(5):
            await bot.say(group, f"bot {number}", kind=GROUP)
            await alice.say(group, f"alice {number}", kind=GROUP)
        await quiet()
        assert bot.texts() == [f"alice {number}" for number in range(5)]
        assert bot.of(model.OwnMessage) == []
        assert asked.fired == 0

    async def test_one_gap_delays_no_other_conversation(self, site: Site) -> None:
        bot, alice = await site.enter("bot"), await site.enter("alice")
        group = await lobby_of(bot, alice)
        bot.faults.drop(pushing("second"))
        bot.faults.drop(of_command("group_open_http_svc.group_msg_get"), direction="to_server", times=None)
        await alice.say(group, "first", "second", "third", kind=GROUP)
        await alice.say("bot", "meanwhile")
        await quiet()
        assert bot.texts() == ["first", "meanwhile"]

    async def test_a_break_longer_than_the_patience_loses_nothing(self, site: Site) -> None:
        bot, alice = await site.enter("bot"), await site.enter("alice")
        group = await lobby_of(bot, alice)
        bot.faults.drop(pushing("second"))
        bot.faults.cut_when(of_command("group_open_http_svc.group_msg_get"), "before")
        bot.faults.refuse(7)
        await alice.say(group, "first", "second", "third", kind=GROUP)
        await asyncio.sleep(120)
        assert bot.texts() == ["first", "second", "third"]
        assert bot.of(model.Incomplete) == []

    async def test_leaving_and_joining_again_begins_anew(self, site: Site) -> None:
        bot, alice = await site.enter("bot"), await site.enter("alice")
        await alice.client.create_group(GroupType.MEETING, "open", group_id="open")
        await bot.client.join_group("open")
        await alice.say("open", "one", kind=GROUP)
        await bot.client.quit_group("open")
        await alice.say("open", "not for the bot", kind=GROUP)
        await bot.client.join_group("open")
        await alice.say("open", "two", kind=GROUP)
        await quiet(30)
        assert bot.texts() == ["one", "two"]
        assert bot.of(model.Incomplete) == []


class TestDoubles:
    async def test_a_push_that_comes_twice_is_one_event(self, site: Site) -> None:
        bot, alice = await site.enter("bot"), await site.enter("alice")
        group = await lobby_of(bot, alice)
        bot.faults.duplicate(lambda frame: b"msg_push" in frame, direction="to_client", times=None)
        await alice.say("bot", "a", "b")
        await alice.say(group, "c", "d", kind=GROUP)
        await quiet()
        assert bot.texts() == ["a", "b", "c", "d"]

    async def test_a_lost_acknowledgement_doubles_nothing(self, site: Site) -> None:
        bot, alice = await site.enter("bot"), await site.enter("alice")
        lost = bot.faults.drop(of_command("openim.ws_msg_push_ack"), times=None)
        await alice.say("bot", "a", "b")
        await asyncio.sleep(400)
        bot.faults.cut()
        await bot.ready(2)
        assert bot.texts() == ["a", "b"]
        assert lost.fired == 2

    async def test_a_slow_reader_loses_nothing(self, site: Site) -> None:
        alice = await site.enter("alice")
        bot = await site.enter("bot", backlog=5, timing=Timing(hello=1e6))
        await alice.say("bot", *[str(number) for number in range(300)])
        await asyncio.sleep(600)
        assert bot.texts() == [str(number) for number in range(300)]


async def test_clients_in_one_process_do_not_touch_each_other(site: Site) -> None:
    bot, alice, carol = [await site.enter(user) for user in ("bot", "alice", "carol")]
    bot.faults.black_hole(connects=True)
    await alice.say("carol", "hello")
    await carol.say("alice", "hello")
    await asyncio.sleep(60)
    assert alice.client.online
    assert alice.of(model.NetStateChanged)[1:] == []
    assert carol.texts() == ["hello"]
    assert not bot.client.online
    bot.faults.heal()
    await bot.ready(2)
    assert json.dumps(alice.texts()) == '["hello"]'
