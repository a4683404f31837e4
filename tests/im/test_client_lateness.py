"""What the server does not list, or not yet, is found all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from client_site import of_command
from hand import Hand
from mortal_bot import Mortals

from timbot.im.model import events as model
from timbot.im.wire.commands import contacts, status
from timbot.sandbox.domain.chats import Chats
from timbot.sandbox.domain.group_messages import GroupMessages, GroupPage
from timbot.sandbox.domain.messages import Conversation


@pytest.fixture
async def mortals() -> AsyncIterator[Mortals]:
    mortals = Mortals()
    try:
        yield mortals
    finally:
        await mortals.close()


class TestFailures:
    async def test_what_could_not_be_listed_is_looked_for_again_with_the_next_round(self, mortals: Mortals) -> None:
        async with Hand(mortals) as hand:
            await mortals.group("g")
            await asyncio.sleep(1)
            listing = "group_open_http_svc.get_joined_group_list"
            mortals.faults.drop(of_command(listing), direction="to_server", times=1)
            mortals.faults.refuse(1)
            await mortals.cut()
            await mortals.group("g", 3)
            await asyncio.sleep(60)
            assert len(hand.journal.messages("GROUPg")) == 1
            await asyncio.sleep(300)
            assert len(hand.journal.messages("GROUPg")) == 4
            assert len([event for event in hand.events if isinstance(event, model.Ready)]) == 2

    async def test_a_message_that_came_meanwhile_does_not_hide_what_was_not_found(self) -> None:
        mortals = Mortals(unacked="forget")
        async with Hand(mortals) as hand:
            await asyncio.sleep(100)
            await mortals.lose(1)
            await mortals.talk("alice")  # on its way when the connection breaks
            mortals.faults.drop(of_command(contacts.PAGE.name), direction="to_server")
            await asyncio.sleep(5)
            await mortals.talk("alice")
            await asyncio.sleep(60)
            assert [message.text for message in hand.journal.messages("C2Calice")] == ["2"]
            await mortals.cut()
            await asyncio.sleep(10)
            assert [message.text for message in hand.journal.messages("C2Calice")] == ["2", "1"]
        await mortals.close()

    async def test_it_is_found_without_a_break_too(self) -> None:
        mortals = Mortals(unacked="forget")
        async with Hand(mortals) as hand:
            await asyncio.sleep(100)
            await mortals.lose(1)
            await mortals.talk("alice")
            mortals.faults.drop(of_command(contacts.PAGE.name), direction="to_server")
            await asyncio.sleep(400)
            assert [message.text for message in hand.journal.messages("C2Calice")] == ["1"]
        await mortals.close()

    async def test_a_history_that_is_late_is_read_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mortals = Mortals(unacked="forget")
        history, now = Chats.history, mortals.domain.time
        monkeypatch.setattr(
            Chats, "history", lambda *args, key=None, until=None: history(*args, key=key, until=min(until or now(), now() - 2))
        )
        async with Hand(mortals) as hand:
            await asyncio.sleep(100)
            await mortals.lose(0)
            await mortals.talk("alice", 2)
            await asyncio.sleep(20)
            assert [message.text for message in hand.journal.messages("C2Calice")] == ["1", "2"]
        await mortals.close()

    async def test_so_is_that_of_a_group(self, mortals: Mortals, monkeypatch: pytest.MonkeyPatch) -> None:
        history, late = GroupMessages.history, mortals.domain.time

        def of_two_seconds_ago(self: GroupMessages, user: str, group_id: str, newest: int | None, count: int) -> GroupPage:
            page = history(self, user, group_id, newest, count)
            records = tuple(record for record in page.records if record.content and record.content.time < late() - 2)
            return GroupPage(records, page.complete or not records)

        async with Hand(mortals) as hand:
            await mortals.group("g", 1)
            await asyncio.sleep(100)
            monkeypatch.setattr(GroupMessages, "history", of_two_seconds_ago)
            await mortals.lose(0)
            await mortals.group("g", 4)
            await asyncio.sleep(20)
            assert [message.sequence for message in hand.journal.messages("GROUPg")] == [2, 3, 4, 5, 6]
            assert not [event for event in hand.events if isinstance(event, model.Incomplete)]

    async def test_what_was_held_when_a_second_break_came_is_put_in_order_by_its_history(self, mortals: Mortals) -> None:
        async with Hand(mortals) as hand:
            await asyncio.sleep(100)
            await mortals.lose(1)
            await mortals.talk("alice")
            silent = mortals.faults.drop(of_command(status.SYNC.name), direction="to_server", times=None)
            await asyncio.sleep(5)
            await mortals.talk("alice")  # pushed, and held: what was missed was not listed yet
            mortals.domain.contacts.delete("bot", Conversation.c2c("alice"))  # so the list does not name it
            await asyncio.sleep(1)
            silent._times = 0
            await mortals.cut()
            await asyncio.sleep(20)
            assert [message.text for message in hand.journal.messages("C2Calice")] == ["1", "2"]
