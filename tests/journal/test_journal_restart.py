"""What the next process finds."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from journal_kit import (
    FRIEND,
    KEY,
    NOON,
    NOTICE,
    asks,
    fleeting,
    in_group,
    intends,
    journal_on,
    parks,
    plain,
    said,
    settles,
    step,
    take,
    took,
)

from timbot.im.delivery import Change, GroupMark, HeldItem, Memory
from timbot.im.wire.identity import C2CIdentity
from timbot.runtime.journal.recorder import Recorder
from timbot.runtime.journal.sqlite import SqliteJournal, accounts
from timbot.runtime.journal.values import Bury, Finish, OpenLane, SendState, Unpark, WriteState
from timbot.store import Database
from timbot.store.schema import migrate, shipped
from timbot.testing import VirtualLoop

DAY = 86400.0


async def test_nothing_at_first(database: Database) -> None:
    resumed = await journal_on(database).resume()
    assert resumed.memory == Memory()
    assert (resumed.lanes, resumed.dialogues, resumed.sends) == ((), (), ())


async def test_open_events_parked_handlers_and_messages_under_way(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        journal = journal_on(database)
        a1, a2, b1, done, dead = await take(
            journal, said("alice", 1), said("alice", 2), said("bob", 1), said("bob", 2), said("bob", 3)
        )
        parked = parks(b1, "bob", "C2Cbob")
        await journal.commit(parked, Finish(done), Bury(dead, "failed", "", NOON))
        sent, open_one = await journal.commit(intends(a1), intends(a1, number=2))
        await journal.commit(settles(sent))
    async with await Database.open(tmp_path) as database:
        resumed = await journal_on(database).resume()
    assert resumed.lanes == (OpenLane("C2Calice", 2, a1),)
    assert resumed.dialogues == (parked.dialogue,)
    assert [(send.number, send.state, send.step, send.token) for send in resumed.sends] == [
        (open_one, SendState.OPEN, step(a1), ("C2Calice", 2, 2))
    ]
    assert a2 > a1


async def test_lanes_come_in_the_order_of_their_first_event(database: Database) -> None:
    journal = journal_on(database)
    await take(journal, said("zoe"), said("adam"), said("zoe", 2))
    assert [lane.lane for lane in (await journal.resume()).lanes] == ["C2Czoe", "C2Cadam"]


async def test_a_handler_that_goes_on_is_parked_no_more(database: Database) -> None:
    journal = journal_on(database)
    number = await took(journal)
    await journal.commit(parks(number))
    await journal.commit(Unpark(number))
    resumed = await journal.resume()
    assert (resumed.dialogues, resumed.lanes) == ((), (OpenLane("C2Calice", 1, number),))


async def test_the_later_question_is_the_one_that_waits(database: Database) -> None:
    journal = journal_on(database)
    number = await took(journal)
    await journal.commit(parks(number), parks(number, "bob"))
    assert [dialogue.who for dialogue in (await journal.resume()).dialogues] == ["bob"]


async def test_numbers_never_come_again(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        journal = journal_on(database)
        last = await took(journal, plain())
        (send,) = await journal.commit(intends(None))
        await journal.commit(Finish(last), settles(send))
        await journal.compact(VirtualLoop.running().clock.now() + 2 * DAY, DAY)
        assert await journal.event(last) is None
    async with await Database.open(tmp_path) as database:
        journal = journal_on(database)
        assert await took(journal, plain()) > last
        assert (await journal.commit(intends(None)))[0] > send


class TestMemory:
    async def remembered(self, database: Database, *changes: Change) -> Memory:
        journal = journal_on(database)
        for change in changes:
            await take(journal, change=change)
        return (await journal.resume()).memory

    async def test_what_was_told_last(self, database: Database) -> None:
        memory = await self.remembered(
            database, Change(began=5, cookie="a", whole_until=NOON), Change(cookie="b"), Change(whole_until=NOON + 1)
        )
        assert (memory.began, memory.cookie, memory.whole_until) == (5, "b", NOON + 1)

    async def test_marks_move_and_go(self, database: Database) -> None:
        first = Change(marks=(GroupMark("g1", 5, 10), GroupMark("g2", 5, 20)))
        memory = await self.remembered(database, first, Change(marks=(GroupMark("g1", 6, 1),), left=("g2",)))
        assert memory.marks == (GroupMark("g1", 6, 1),)

    async def test_a_group_that_was_left_and_entered_has_its_new_mark(self, database: Database) -> None:
        memory = await self.remembered(database, Change(marks=(GroupMark("g1", 5, 10),), left=("g1",)))
        assert memory.marks == (GroupMark("g1", 5, 10),)

    async def test_items_are_held_until_they_are_released(self, database: Database) -> None:
        memory = await self.remembered(
            database, Change(held=(HeldItem(1, b"a"), HeldItem(3, b"c"), HeldItem(2, b"b"))), Change(released=(1,))
        )
        assert memory.held == (HeldItem(2, b"b"), HeldItem(3, b"c"))

    async def test_messages_of_the_hour_before_everything_was_here_and_since(self, database: Database) -> None:
        journal = journal_on(database)
        times = (NOON - 3601, NOON - 3600, NOON, NOON + 60)
        await take(journal, *(said(sequence=number, time=time) for number, time in enumerate(times)))
        await take(journal, in_group(), fleeting(), plain(), change=Change(whole_until=NOON))
        assert (await journal.resume()).memory.messages == tuple(
            (C2CIdentity("alice", False, number, 7), int(times[number])) for number in (1, 2, 3)
        )

    async def test_messages_that_are_done_too(self, database: Database) -> None:
        journal = journal_on(database)
        await journal.commit(Finish(await took(journal)))
        assert len((await journal.resume()).memory.messages) == 1

    async def test_requests_oldest_first(self, database: Database) -> None:
        journal = journal_on(database)
        await took(journal, asks())
        await asyncio.sleep(60)
        await took(journal, asks(NOTICE))
        assert (await journal.resume()).memory.requests == (FRIEND, NOTICE)

    async def test_a_request_listed_again_is_the_newest(self, database: Database) -> None:
        journal = journal_on(database)
        await take(journal, asks(), asks(NOTICE))
        await asyncio.sleep(60)
        await take(journal, change=Change(met=(FRIEND,)))
        assert (await journal.resume()).memory.requests == (NOTICE, FRIEND)

    async def test_a_request_outlives_its_event(self, database: Database) -> None:
        journal = journal_on(database)
        number = await took(journal, asks())
        await journal.commit(Finish(number))
        await journal.compact(VirtualLoop.running().clock.now() + 2 * DAY, DAY)
        assert await journal.event(number) is None
        assert (await journal.resume()).memory.requests == (FRIEND,)

    async def test_a_request_not_met_for_thirty_days_is_forgotten(self, database: Database) -> None:
        VirtualLoop.running().limit = math.inf
        journal = journal_on(database)
        await took(journal, asks())
        await asyncio.sleep(31 * DAY)
        assert (await journal.resume()).memory.requests == ()

    async def test_tokens_of_what_was_sent_of_late(self, database: Database) -> None:
        now = VirtualLoop.running().clock.now()
        journal = journal_on(database)
        old, late = await journal.commit(intends(None, number=1, at=now - DAY), intends(None, number=2, at=now - 3600))
        await journal.commit(settles(old), settles(late))
        assert (await journal.resume()).memory.written == (("C2Calice", 2, 2),)

    async def test_tokens_from_before_a_long_absence(self, database: Database) -> None:
        """A look back goes to where everything was here, and sees the bot's own messages of that time."""
        now = VirtualLoop.running().clock.now()
        journal = journal_on(database)
        await take(journal, change=Change(whole_until=now - 7 * DAY))
        (sent,) = await journal.commit(intends(None, at=now - 7 * DAY))
        await journal.commit(settles(sent))
        assert (await journal.resume()).memory.written == (("C2Calice", 1, 1),)

    async def test_an_event_and_its_change_stand_or_fall_together(self, database: Database) -> None:
        journal = journal_on(database)
        wrong = replace(said(), time=math.nan)
        with pytest.raises(sqlite3.IntegrityError):
            await take(journal, said(), wrong, change=Change(cookie="later"))
        resumed = await journal.resume()
        assert (resumed.memory.cookie, resumed.lanes) == ("", ())


class TestAccounts:
    async def test_they_know_nothing_of_each_other(self, database: Database) -> None:
        first, second = journal_on(database, key="a"), journal_on(database, key="b")
        number = await took(first)
        assert await took(second) > number
        await second.commit(Finish(number), Bury(number, "failed", "", NOON), parks(number))
        assert await second.event(number) is None
        assert await second.steps(number) == ([], [])
        assert (await first.resume()).lanes == (OpenLane("C2Calice", 1, number),)

    async def test_compaction_is_each_one_s_own(self, database: Database) -> None:
        first, second = journal_on(database, key="a"), journal_on(database, key="b")
        number = await took(first, plain())
        await first.commit(Finish(number))
        assert await second.compact(NOON + 9 * DAY, DAY) == 0
        assert await first.event(number) is not None

    async def test_they_are_listed(self, database: Database) -> None:
        assert await accounts(database) == []
        await took(journal_on(database, key="b"))
        await journal_on(database, key="a").resume()
        assert await accounts(database) == ["a", "b"]

    async def test_a_tool_needs_no_start(self, tmp_path: Path) -> None:
        async with await Database.open(tmp_path) as database:
            journal = journal_on(database)
            number = await took(journal)
            await journal.commit(Bury(number, "failed", "", NOON))
        async with await Database.open(tmp_path) as database:
            tool = SqliteJournal(database, (await accounts(database))[0])
            assert [letter.number for letter in await tool.dead_letters()] == [number]
            assert await tool.drop(number)

    async def test_looking_makes_no_account(self, database: Database) -> None:
        tool = journal_on(database, key="unheard of")
        assert await tool.dead_letters() == []
        assert await tool.event(1) is None
        assert await accounts(database) == []


async def test_plugin_state_is_that_of_the_store(database: Database) -> None:
    journal, store = journal_on(database), database.scope(KEY, "dice")
    await journal.commit(WriteState("dice", "age", b"41"), WriteState("dice", "old", b"1"))
    assert await store.get("age") == 41
    await journal.commit(WriteState("dice", "age", b"42"), WriteState("dice", "old", None))
    assert (await store.get("age"), await store.keys()) == (42, ["age"])


async def test_suspects_are_the_account_s_own_and_still_open(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        recorder = Recorder.open(tmp_path, NOON)
        mine, others = SqliteJournal(database, "a", recorder=recorder), SqliteJournal(database, "b", recorder=recorder)
        first, done, ended = await take(mine, said(sequence=1), said(sequence=2), said(sequence=3))
        foreign = await took(others)
        for number in (first, done, ended):
            mine.began(number)
        others.began(foreign)
        mine.ended(ended)
        await mine.commit(Finish(done))
        again = Recorder.open(tmp_path, NOON + 5)
        resumed = await SqliteJournal(database, "a", recorder=again).resume()
        again.close()
    assert resumed.suspects == {first}
    assert resumed.deaths == (NOON + 5,)


async def test_a_database_of_the_first_step_gets_a_journal_and_keeps_its_data(tmp_path: Path) -> None:
    file = tmp_path / "timbot.sqlite3"
    connection = sqlite3.connect(file, isolation_level=None)
    migrate(connection, file, shipped()[:1])
    connection.execute("INSERT INTO state VALUES ('bot', 'dice', 'key', x'31')")
    connection.execute("INSERT INTO job VALUES ('bot', 'dice', 'morning', 1, 'done', '', 2)")
    connection.close()
    async with await Database.open(tmp_path) as database:
        assert await database.scope("bot", "dice").get("key") == 1
        assert await database.jobs("bot", "dice").last("morning") == 1
        assert await took(journal_on(database)) == 1
