"""Deliveries: what they hold, what accepting them does, and what a client made from their memory does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from client_site import of_command
from hand import Hand, Wire, chatter
from mortal_bot import Life, Mortals, ToyJournal

from timbot.im.catching_up import CHUNK, HORIZON, OVERLAP
from timbot.im.model import events as model
from timbot.im.streams import NEW_UNDER_AN_OLD_ID
from timbot.im.wire.commands import groups, status
from timbot.im.wire.identity import C2CIdentity, FleetingIdentity, FriendApplicationIdentity, GroupIdentity, RecallIdentity
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import GroupChanges


@pytest.fixture
async def mortals() -> AsyncIterator[Mortals]:
    mortals = Mortals()
    try:
        yield mortals
    finally:
        await mortals.close()


class TestAccepting:
    async def test_a_push_is_acknowledged_when_its_delivery_is_accepted(self, mortals: Mortals) -> None:
        wire = Wire(mortals)
        async with Hand(mortals) as hand:
            hand.forget()
            hand.accepts = False
            await mortals.talk("alice", 2)
            await asyncio.sleep(5)
            assert wire.count(status.ACK.name) == 0
            assert len(hand.read) == 2
            await hand.read[0].accept()
            await asyncio.sleep(1)
            assert wire.count(status.ACK.name) == 1
            await hand.read[0].accept()
            await hand.read[1].accept()
            await asyncio.sleep(1)
            assert wire.count(status.ACK.name) == 2

    async def test_the_next_page_is_asked_for_when_the_one_before_is_accepted(self, mortals: Mortals) -> None:
        wire = Wire(mortals)
        async with Hand(mortals) as hand:
            await mortals.cut(1)
            await asyncio.sleep(0.1)
            await mortals.talk("alice", 120)
            hand.accepts = False
            before = wire.count(status.SYNC.name)
            await asyncio.sleep(900)
            assert wire.count(status.SYNC.name) == before + 1
            page = hand.read[-1]
            assert len([held for held in page.change.held if b"C2cMsgArray" in held.item]) == 50
            assert page.change.cookie
            hand.accepts = True
            await page.accept()
            await asyncio.sleep(5)
            assert wire.count(status.SYNC.name) == before + 3

    async def test_a_reader_that_accepts_nothing_holds_up_nothing_but_itself(self, mortals: Mortals) -> None:
        async with Hand(mortals) as hand:
            hand.accepts = False
            hand.forget()
            for _ in range(40):
                await mortals.talk("alice", 10)
                await asyncio.sleep(10)
            assert len(hand.read) <= 25
            assert (await hand.client.get_my_profile()).user_id == "bot"
            assert hand.client.online
            await asyncio.sleep(1000)
            assert hand.client.online
            hand.accepts = True
            for delivery in list(hand.read):
                hand.journal.take(delivery)
                await delivery.accept()
            await asyncio.sleep(400)
            assert len(hand.journal.messages("C2Calice")) == 400

    async def test_events_are_accepted_at_once(self, mortals: Mortals) -> None:
        wire = Wire(mortals)
        client = mortals.client(None)
        events = client.events()
        await client.login()
        await asyncio.sleep(1)
        await mortals.talk("alice", 3)
        await asyncio.sleep(1)
        assert wire.count(status.ACK.name) == 3
        await client.logout()
        assert len([event async for event in events if isinstance(event, model.MessageReceived)]) == 3


class TestChanges:
    async def test_events_carry_their_identities(self, mortals: Mortals) -> None:
        async with Hand(mortals) as hand:
            hand.forget()
            await mortals.talk("alice")
            await mortals.group("g")
            mortals.domain.chats.send("bob", "bot", [], size=1, sequence=7, random=8, online_only=True)
            mortals.domain.chats.recall("alice", "bot", sequence=1, random=1, time=mortals.domain.time())
            mortals.sandbox.flush()
            await asyncio.sleep(1)
            identities = [arrival.identity for delivery in hand.read for arrival in delivery.arrivals]
            created = mortals.domain._store.require("g").created
            assert identities == [
                C2CIdentity("alice", False, 1, 1),
                GroupIdentity("g", created, 2),
                FleetingIdentity("C2Cbob", "bob", 7, 8),
                RecallIdentity("C2Calice", "alice", 1, 1),
            ]

    async def test_whole_until_moves_with_every_delivery_but_in_a_catch_up(self, mortals: Mortals) -> None:
        async with Hand(mortals) as hand:
            whole = hand.journal.whole_until
            await asyncio.sleep(50)
            await mortals.talk("alice")
            await asyncio.sleep(1)
            assert hand.journal.whole_until == pytest.approx(whole + 60, abs=2)
            await asyncio.sleep(400)
            assert hand.journal.whole_until == pytest.approx(whole + 300, abs=2)
            mortals.faults.drop(of_command(status.SYNC.name), direction="to_server", times=None)
            await mortals.cut()
            await asyncio.sleep(30)
            until = hand.journal.whole_until
            for _ in range(5):
                await mortals.talk("alice")
                await asyncio.sleep(60)
            assert hand.journal.whole_until == until

    async def test_what_comes_above_a_gap_is_held_until_the_gap_is_closed(self, mortals: Mortals) -> None:
        async with Hand(mortals) as hand:
            await mortals.group("g")
            await asyncio.sleep(1)
            hand.forget()
            mortals.faults.drop(lambda frame: b"GroupMsgArray" in frame, direction="to_client")
            await mortals.group("g", 3)
            await asyncio.sleep(1)
            held = [item.number for delivery in hand.read for item in delivery.change.held]
            assert len(held) == 2
            await asyncio.sleep(20)
            (last,) = [delivery for delivery in hand.read if delivery.arrivals]
            assert sorted(last.change.released) == held
            assert len(last.arrivals) == 3
            assert last.change.marks[0].taken == 5

    async def test_a_hole_is_closed_for_good(self, mortals: Mortals) -> None:
        async with Hand(mortals) as hand:
            await mortals.group("g")
            await asyncio.sleep(1)
            mortals.faults.drop(lambda frame: b"GroupMsgArray" in frame, direction="to_client")
            await mortals.group("g")
            log = mortals.domain._store.require("g").log
            del log._records[-1]
            log._records.append(log._records[-1])  # a number that history shows as the one before
            await mortals.group("g")
            await asyncio.sleep(40)
            holes = [event for event in hand.events if isinstance(event, model.Incomplete)]
            assert [(hole.first, hole.last) for hole in holes] == [(3, 3)]
        async with Hand(mortals, mortals.journal.memory()) as again:
            assert not [event for event in again.events if isinstance(event, model.Incomplete)]

    async def test_how_far_all_is_here_is_told_by_what_was_heard_not_by_who_reads(self, mortals: Mortals) -> None:
        async with Hand(mortals) as hand:
            hand.accepts = False
            await mortals.talk("alice", 30)
            heard = mortals.clock.now()
            await asyncio.sleep(200)
            hand.accepts = True
            for delivery in list(hand.read[-20:]):
                hand.journal.take(delivery)
                await delivery.accept()
            await asyncio.sleep(1)
            pushed = [
                delivery.change.whole_until for delivery in hand.read if delivery.arrivals and delivery.change.whole_until
            ]
            assert max(until for until in pushed if until) <= heard + 1

    async def test_a_broken_item_keeps_its_bytes(self, mortals: Mortals) -> None:
        async with Hand(mortals) as hand:
            line = next(iter(mortals.sandbox._lines))
            item = b'{"Event":9,"C2cMsgArray":[{"From_Account":7}]}'
            line.send(b'{"head":{"servcmd":"im_open_push.msg_push","seq":1},"body":{"EventArray":[' + item + b"]}}")
            await asyncio.sleep(1)
            (broken,) = [event for event in hand.events if isinstance(event, model.BrokenItem)]
            assert broken.raw == b'{"From_Account":7}'


class TestRestarts:
    async def test_a_first_round_is_history_only_once(self, mortals: Mortals) -> None:
        await mortals.talk("alice")
        await asyncio.sleep(5)
        async with Hand(mortals):
            pass
        await asyncio.sleep(5)
        await mortals.talk("alice")
        async with Hand(mortals, mortals.journal.memory()):
            pass
        assert [message.text for message in mortals.journal.messages("C2Calice")] == ["2"]

    async def test_unread_ones_are_handed_over_if_they_shall(self, mortals: Mortals) -> None:
        mortals.first = "unread"
        await mortals.talk("alice", 2)
        await asyncio.sleep(5)
        async with Hand(mortals):
            pass
        assert [message.text for message in mortals.journal.messages("C2Calice")] == ["1", "2"]

    async def test_those_of_the_very_second_of_the_first_login_are_news(self, mortals: Mortals) -> None:
        await asyncio.sleep(0.5)
        mortals.faults.drop(lambda frame: b"C2cMsgArray" in frame, direction="to_client")
        client = mortals.client(None)
        client.deliveries()
        await client.login()
        await mortals.talk("alice")
        await asyncio.sleep(5)
        await client.logout()
        journal = ToyJournal()
        for delivery in [delivery async for delivery in client._outlet.deliveries()]:
            journal.take(delivery)
        assert [message.text for message in journal.messages("C2Calice")] == ["1"]

    async def test_requests_are_handed_over_once(self, mortals: Mortals) -> None:
        async with Hand(mortals):
            await mortals.apply("alice")
            await asyncio.sleep(1)
        async with Hand(mortals, mortals.journal.memory()) as hand:
            assert not [event for event in hand.events if isinstance(event, model.FriendApplicationReceived)]
            assert any(FriendApplicationIdentity("alice", 1_767_571_210) in delivery.change.met for delivery in hand.read)
        events = [event for _, event in mortals.journal.events]
        assert len([event for event in events if isinstance(event, model.FriendApplicationReceived)]) == 1

    async def test_what_was_sent_before_is_no_news(self, mortals: Mortals) -> None:
        await mortals.live()
        await asyncio.sleep(10)
        await mortals.reply("alice")
        await mortals.reply_to_group("g")
        await asyncio.sleep(1)
        await mortals.settle()
        assert not [event for _, event in mortals.journal.events if isinstance(event, model.OwnMessage)]

    async def test_a_week_offline_in_a_group(self, mortals: Mortals) -> None:
        async with Hand(mortals):
            await mortals.group("g")
            await asyncio.sleep(1)
        await chatter(mortals, days=6, messages=200)
        async with Hand(mortals, mortals.journal.memory()) as hand:
            await asyncio.sleep(100)
            sizes = [
                len(delivery.arrivals)
                for delivery in hand.read
                if delivery.arrivals and isinstance(delivery.arrivals[0].event, model.MessageReceived)
            ]
            assert sizes == [CHUNK] * 12

    async def test_more_than_the_server_keeps(self, mortals: Mortals) -> None:
        async with Hand(mortals) as hand:
            await mortals.group("g")
            await asyncio.sleep(100)
            await mortals.talk("alice")
            await asyncio.sleep(1)
        until = mortals.journal.whole_until
        await chatter(mortals, days=9, messages=1000)
        wire = Wire(mortals)
        async with Hand(mortals, mortals.journal.memory()) as hand:
            await asyncio.sleep(100)
            news = [event for event in hand.events if isinstance(event, model.Incomplete)]
            (window,) = [event for event in news if event.since]
            assert window.since == until - OVERLAP
            assert window.until == pytest.approx(mortals.clock.now() - HORIZON, abs=200)
            (hole,) = [event for event in news if event.first]
            assert wire.count(groups.HISTORY.name) <= 360  # 344 for the messages, and few for what is gone
            told = [event.message.sequence for event in hand.events if isinstance(event, model.MessageReceived)]
            assert hole.first == 3
            assert told == list(range(hole.last + 1, 9003))
            assert len(told) == pytest.approx(7000, abs=200)

    async def test_a_new_group_under_an_old_id(self, mortals: Mortals) -> None:
        """Nobody said that the old one is gone."""
        async with Hand(mortals):
            await mortals.group("g", 10)
            await asyncio.sleep(1)
        await asyncio.sleep(100)
        mortals.domain.groups.dismiss("carol", "g")
        await asyncio.sleep(1)
        mortals.domain._announcer._kept.clear()
        mortals.domain.groups.create("carol", GroupType.PUBLIC, GroupChanges(name="g"), group_id="g")
        mortals.domain.group_members.add("administrator", "g", ("bot",))
        await mortals.group("g", 4)
        memory = mortals.journal.memory()
        async with Hand(mortals, memory) as hand:
            texts = [event.message.text for event in hand.events if isinstance(event, model.MessageReceived)]
            assert len(texts) == 4
            reasons = [event.reason for event in hand.events if isinstance(event, model.Incomplete)]
            assert reasons == [NEW_UNDER_AN_OLD_ID]
            assert mortals.journal.marks["g"].taken == 5

    async def test_a_clock_that_was_set_back_makes_nobody_deaf(self, mortals: Mortals) -> None:
        async with Hand(mortals):
            pass
        mortals.journal.whole_until += 86_400
        mortals.journal.began += 86_400
        async with Hand(mortals, mortals.journal.memory()):
            await mortals.talk("alice")
            await asyncio.sleep(1)
            await mortals.cut()
            await mortals.talk("alice")
            await asyncio.sleep(10)
        assert len(mortals.journal.messages("C2Calice")) == 2


async def test_a_death_leaves_no_task(mortals: Mortals) -> None:
    await mortals.live()
    await asyncio.sleep(1)
    assert isinstance(mortals.life, Life)
    await mortals.die()
    names = [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert [name for name in names if "bot" in name and "server" not in name] == []
