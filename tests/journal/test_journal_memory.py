"""The journal in memory holds what is open and lets go of the rest at once."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator

import pytest
from journal_kit import NOON, intends, journal_on, plain, records, said, settles, take, took

from timbot.runtime.journal import known, memory
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.values import Bury, Finish, SendState, WriteState
from timbot.store import Database
from timbot.testing import VirtualLoop

DAY = 86400.0


@pytest.fixture
async def unkept() -> AsyncIterator[Journal]:
    async with await Database.memory() as database:
        yield journal_on(database, "memory")


async def test_what_is_done_is_gone_with_its_messages(unkept: Journal) -> None:
    event = await took(unkept)
    sent, late = await unkept.commit(intends(event), intends(event))
    await unkept.commit(settles(sent), records(event), Finish(event))
    assert await unkept.event(event) is None
    assert await unkept.send(sent) is None
    kept = await unkept.send(late)
    assert kept is not None
    assert kept.step is None
    await unkept.commit(settles(late))
    assert await unkept.send(late) is None


async def test_a_settled_message_of_no_event_is_gone(unkept: Journal) -> None:
    (number,) = await unkept.commit(intends(None))
    await unkept.commit(settles(number))
    assert await unkept.send(number) is None


async def test_a_key_outlives_its_words(unkept: Journal) -> None:
    (number,) = await unkept.commit(intends(None, key="k"))
    await unkept.commit(settles(number))
    kept = await unkept.send(number)
    assert kept is not None
    assert (kept.body, kept.state) == (b"", SendState.SENT)


async def test_a_thousand_messages_leave_nothing(unkept: Journal) -> None:
    for number in range(1000):
        event = await took(unkept, said(f"user{number}", number))
        (send,) = await unkept.commit(intends(event))
        await unkept.commit(settles(send), records(event), Finish(event))
    assert isinstance(unkept, memory.MemoryJournal)
    held = (unkept._events, unkept._lanes, unkept._sends, unkept._letters, unkept._keys)
    assert [len(one) for one in held] == [0] * 5


async def test_only_the_newest_identities_are_remembered(unkept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "REMEMBERED", 3)
    await take(unkept, *(said(sequence=number) for number in range(4)))
    assert await took(unkept, said(sequence=3)) < 0
    assert await took(unkept, said(sequence=0)) > 0


async def test_only_the_newest_dead_letters_are_kept(unkept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LETTERS", 3)
    numbers = await take(unkept, *(plain() for _ in range(5)))
    await unkept.commit(*(Bury(number, "failed", "", NOON) for number in numbers))
    assert [letter.number for letter in await unkept.dead_letters()] == numbers[2:]


async def test_dead_letters_and_unknown_messages_go_after_thirty_days(unkept: Journal) -> None:
    VirtualLoop.running().limit = math.inf
    clock = VirtualLoop.running().clock
    event = await took(unkept, plain())
    (send,) = await unkept.commit(intends(None))
    await unkept.commit(Bury(event, "failed", "", clock.now()), settles(send, SendState.UNKNOWN, clock.now()))
    await asyncio.sleep(30 * DAY)
    assert await unkept.compact(clock.now(), DAY) == 0
    await asyncio.sleep(1)
    assert await unkept.compact(clock.now(), DAY) == 2
    assert (await unkept.dead_letters(), await unkept.unknown_sends()) == ([], [])


async def test_plugin_state_is_in_the_database() -> None:
    async with await Database.memory() as database:
        journal = journal_on(database, "memory", "a")
        event = await took(journal)
        await journal.commit(WriteState("dice", "age", b"41"), Finish(event))
        assert await database.scope("a", "dice").get("age") == 41
        await journal.commit(WriteState("dice", "age", None))
        assert await database.scope("a", "dice").keys() == []
