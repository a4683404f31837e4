"""What leaves the journal and what stays; how large its file is; that a person who was forgotten is."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from journal_kit import (
    FRIEND,
    NOON,
    NOTICE,
    asks,
    fleeting,
    in_group,
    intends,
    journal_on,
    parks,
    plain,
    records,
    said,
    settles,
    take,
    took,
)

from timbot.im.delivery import Change, HeldItem
from timbot.runtime.journal import identities, keeping
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.values import Bury, Commit, EventState, Finish, SendState, WriteState
from timbot.store import Database
from timbot.testing import VirtualLoop

DAY = 86400.0
KEEP = DAY


@pytest.fixture
async def kept(database: Database) -> Journal:
    """A journal in a file, free to live for months."""
    VirtualLoop.running().limit = math.inf
    return journal_on(database)


def now() -> float:
    return VirtualLoop.running().clock.now()


async def later(journal: Journal, seconds: float) -> int:
    """Compaction after so long."""
    await asyncio.sleep(seconds)
    return await journal.compact(now(), KEEP)


async def done(journal: Journal, *changes: Commit, whole: bool = True) -> int:
    """An event of this moment that is done. `whole`: and everything is here."""
    number = await took(journal, said(time=now()))
    await journal.commit(*changes, Finish(number))
    if whole:
        await take(journal, change=Change(whole_until=now() + 7 * DAY))
    return number


async def rows(database: Database, table: str) -> int:
    found: int = await database.read(lambda connection: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    return found


class TestEvents:
    async def test_what_is_done_is_there_for_a_day(self, kept: Journal) -> None:
        number = await done(kept)
        assert await later(kept, DAY - 1) == 0
        event = await kept.event(number)
        assert event is not None
        assert event.body == b"hello"

    async def test_and_then_gone(self, kept: Journal) -> None:
        number = await done(kept)
        assert await later(kept, DAY + 1) == 1
        assert await kept.event(number) is None

    async def test_with_steps_and_messages(self, kept: Journal, database: Database) -> None:
        number = await took(kept, plain())
        _, send = await kept.commit(records(number), intends(number, at=now()))
        await kept.commit(settles(send), Finish(number))
        await later(kept, DAY + 1)
        assert (await rows(database, "step"), await rows(database, "send")) == (0, 0)

    async def test_its_identity_stays_while_it_may_be_needed(self, kept: Journal) -> None:
        number = await done(kept, whole=False)
        await later(kept, 2 * DAY)
        event = await kept.event(number)
        assert event is not None
        assert (event.body, event.decision) == (b"", None)
        assert await took(kept, said(time=event.time)) == -number

    async def test_nothing_more_is_kept_about_it_then(self, kept: Journal, database: Database) -> None:
        number = await done(kept, whole=False)
        await later(kept, 2 * DAY)
        assert await kept.commit(records(number), intends(number)) == [0, 0]
        assert (await rows(database, "step"), await rows(database, "send")) == (0, 0)

    async def test_until_everything_is_here_an_hour_beyond_it(self, kept: Journal) -> None:
        number = await done(kept, whole=False)
        time = now()
        await take(kept, change=Change(whole_until=time + 3600))
        await later(kept, 2 * DAY)
        assert await kept.event(number) is not None
        await take(kept, change=Change(whole_until=time + 3601))
        await kept.compact(now(), KEEP)
        assert await kept.event(number) is None

    async def test_where_nothing_is_ever_whole_for_thirty_days(self, kept: Journal) -> None:
        number = await done(kept, whole=False)
        await later(kept, 29 * DAY)
        assert await kept.event(number) is not None
        await later(kept, 2 * DAY)
        assert await kept.event(number) is None

    async def test_an_unwanted_one_need_not_wait_for_a_day(self, kept: Journal) -> None:
        number = await took(kept, in_group(wanted=False, time=now()))
        await take(kept, change=Change(whole_until=now() + 3601))
        assert await later(kept, 1) == 1
        assert await kept.event(number) is None

    @pytest.mark.parametrize("state", ["open", "parked"])
    async def test_what_is_not_done_stays(self, kept: Journal, state: str) -> None:
        number = await took(kept, plain())
        _, send = await kept.commit(records(number), intends(number))
        await kept.commit(settles(send))
        if state == "parked":
            await kept.commit(parks(number))
        await later(kept, 400 * DAY)
        event = await kept.event(number)
        assert event is not None
        assert (event.body, len((await kept.steps(number))[0]), len((await kept.steps(number))[1])) == (b"tick", 1, 1)

    async def test_old_ones_are_found_behind_many_that_stay(self, kept: Journal) -> None:
        await take(kept, *(plain() for _ in range(2 * keeping.WINDOW + 1)))
        number = await took(kept, plain())
        await kept.commit(Finish(number))
        assert await later(kept, DAY + 1) == 1

    async def test_young_ones_are_not_looked_through(self, kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
        looks = 0
        aged = keeping._aged

        def counting(*args: object) -> object:
            nonlocal looks
            looks += 1
            return aged(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(keeping, "_aged", counting)
        await take(kept, *(plain() for _ in range(5 * keeping.WINDOW)))
        await kept.compact(now(), KEEP)
        assert looks == 1

    async def test_a_clock_that_was_far_ahead_hides_nothing(self, kept: Journal, database: Database) -> None:
        numbers = await take(kept, *(plain() for _ in range(2 * keeping.WINDOW)))
        await database.write(lambda connection: connection.execute("UPDATE event SET taken = taken + 1e9").rowcount)
        last = await took(kept, plain())
        await kept.commit(*(Finish(number) for number in [*numbers, last]))
        await later(kept, DAY + 1)
        assert await kept.event(last) is None

    async def test_others_write_in_between(self, kept: Journal) -> None:
        numbers = await take(kept, *(plain() for _ in range(3 * keeping.PIECE)))
        await kept.commit(*(Finish(number) for number in numbers))
        await asyncio.sleep(DAY + 1)
        compaction = asyncio.create_task(kept.compact(now(), KEEP))
        writes = 0
        while not compaction.done():
            await took(kept, plain())
            writes += 1
        assert writes >= 3
        assert await compaction == 3 * keeping.PIECE


class TestDeadLetters:
    async def test_they_stay_for_thirty_days(self, kept: Journal) -> None:
        number = await took(kept, plain())
        await kept.commit(records(number), Bury(number, "failed", "", now()))
        await later(kept, 30 * DAY)
        assert len(await kept.dead_letters()) == 1
        assert len((await kept.steps(number))[0]) == 1

    async def test_and_go_with_all_that_is_theirs(self, kept: Journal, database: Database) -> None:
        number = await took(kept, plain())
        await kept.commit(records(number), Bury(number, "failed", "", now()))
        assert await later(kept, 30 * DAY + 1) == 1
        assert [await rows(database, table) for table in ("letter", "event", "step")] == [0, 0, 0]


class TestMessages:
    async def test_one_of_no_event_stays_for_a_day(self, kept: Journal) -> None:
        (number,) = await kept.commit(intends(None, at=now()))
        await kept.commit(settles(number, at=now()))
        await later(kept, DAY - 1)
        assert await kept.send(number) is not None
        await later(kept, 2)
        assert await kept.send(number) is None

    async def test_one_under_way_stays(self, kept: Journal) -> None:
        event = await took(kept, plain())
        own, its = await kept.commit(intends(None), intends(event))
        await kept.commit(Finish(event))
        await later(kept, 400 * DAY)
        sends = [await kept.send(number) for number in (own, its)]
        assert [send and (send.state, send.body, send.step) for send in sends] == [(SendState.OPEN, b"answer", None)] * 2

    async def test_an_unknown_one_stays_for_thirty_days(self, kept: Journal) -> None:
        event = await took(kept, plain())
        own, its = await kept.commit(intends(None), intends(event))
        await kept.commit(*(settles(number, SendState.UNKNOWN, now()) for number in (own, its)), Finish(event))
        await later(kept, 30 * DAY)
        assert [send.body for send in await kept.unknown_sends()] == [b"answer"] * 2
        await later(kept, 1)
        assert await kept.unknown_sends() == []

    async def test_a_key_is_known_for_thirty_days_without_its_words(self, kept: Journal) -> None:
        (number,) = await kept.commit(intends(None, key="k", at=now()))
        await kept.commit(settles(number, at=now()))
        await later(kept, 29 * DAY)
        send = await kept.send(number)
        assert send is not None
        assert (send.body, send.state, send.result) == (b"", SendState.SENT, b"settled")
        assert await kept.commit(intends(None, key="k")) == [number]

    async def test_and_may_then_be_used_again(self, kept: Journal) -> None:
        (number,) = await kept.commit(intends(None, key="k", at=now()))
        await kept.commit(settles(number, at=now()))
        await later(kept, 31 * DAY)
        assert (await kept.commit(intends(None, key="k")))[0] > number

    async def test_a_short_keep_leaves_the_tokens_of_late(self, kept: Journal) -> None:
        event = await took(kept, plain())
        (number,) = await kept.commit(intends(event, at=now()))
        await kept.commit(settles(number, at=now()), Finish(event))
        await asyncio.sleep(60)
        await kept.compact(now(), 0)
        send = await kept.send(number)
        assert send is not None
        assert (send.body, send.step) == (b"", None)
        await asyncio.sleep(identities.WRITTEN_SECONDS)
        await kept.compact(now(), 0)
        assert await kept.send(number) is None


async def test_requests_go_when_they_were_not_met_for_long(kept: Journal, database: Database) -> None:
    number = await took(kept, asks())
    await kept.commit(Finish(number))
    await later(kept, 30 * DAY)
    assert await rows(database, "request") == 1
    await later(kept, 1)
    assert await rows(database, "request") == 0


async def test_of_very_many_requests_the_newest_stay(
    kept: Journal, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "REQUESTS", 3)
    await take(kept, *(asks(replace_time(number)) for number in range(5)))
    await kept.compact(now(), KEEP)
    found = (await kept.resume()).memory.requests
    assert found == tuple(replace_time(number) for number in (2, 3, 4))


def replace_time(number: int) -> type(FRIEND):  # type: ignore[valid-type]
    return type(FRIEND)("alice", number)


async def live_a_day(journal: Journal, sequence: Iterator[int]) -> None:
    """Events of each kind, handled; messages; dead letters."""
    await asyncio.sleep(DAY)
    wanted = (said(f"user{next(sequence)}", next(sequence), body=bytes(300), time=now()) for _ in range(200))
    unwanted = (in_group(sequence=next(sequence), wanted=False, time=now()) for _ in range(200))
    broken = replace(plain(), dead="broken")
    own = (await take(journal, *wanted, *unwanted, broken, change=Change(whole_until=now())))[:200]
    sends = await journal.commit(*(intends(number, at=now(), body=bytes(300)) for number in own))
    keyed = await journal.commit(*(intends(None, key=f"k{next(sequence)}", at=now()) for _ in range(20)))
    await journal.commit(
        *(settles(send, at=now()) for send in (*sends, *keyed)),
        *(records(number) for number in own),
        *(Finish(number) for number in own),
    )


async def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    """Half a virtual year of a steady load: after the first five weeks it is as large as it will ever be."""
    VirtualLoop.running().limit = math.inf
    async with await Database.open(tmp_path, durability="relaxed") as database:
        journal, sequence, sizes = journal_on(database), itertools.count(), []
        for _ in range(180):
            await live_a_day(journal, sequence)
            await journal.compact(now(), KEEP)
            await database.checkpoint()
            assert database.path is not None
            sizes.append(database.path.stat().st_size)
        assert max(sizes) <= max(sizes[:35]) * 1.1
        assert await rows(database, "event") < 1000


class TestForgetting:
    async def test_what_a_person_wrote_was_told_and_asked(self, journal: Journal) -> None:
        event, other = await take(journal, said("alice"), said("bob"))
        parked, dead = await take(journal, said("alice", 2), said("alice", 3))
        await take(journal, asks(), in_group(who="alice"))
        await journal.commit(records(event), intends(event), parks(parked), Bury(dead, "failed", "", NOON))
        own, kept = await journal.commit(intends(None), intends(None, to="bob"))
        assert await journal.forget("alice") > 0
        expected = {"open": 1, "parked": 0, "dead": 0, "unsent": 1, "unknown": 0, "oldest": 0}
        assert await journal.counts() == expected
        assert [await journal.event(number) for number in (event, parked, dead)] == [None] * 3
        assert await journal.steps(event) == ([], [])
        assert await journal.send(own) is None
        assert await journal.send(kept) is not None
        assert [one.number for one in await journal.waiting("C2Cbob", 0, 10)] == [other]

    async def test_messages_are_known_by_their_identity_in_any_lane(self, journal: Journal) -> None:
        number = await took(journal, replace(said(), who="", lane="elsewhere"))
        await journal.forget("alice")
        assert await journal.event(number) is None

    async def test_what_another_s_handler_told_them(self, journal: Journal) -> None:
        event = await took(journal, said("bob"))
        to_alice, to_bob = await journal.commit(intends(event), intends(event, to="bob"))
        await journal.forget("alice")
        assert await journal.send(to_alice) is None
        assert [send.number for send in (await journal.steps(event))[1]] == [to_bob]
        await journal.commit(Finish(event))

    async def test_identities_too(self, journal: Journal) -> None:
        number, request = await take(journal, replace(said(), who=""), asks())
        await journal.commit(Finish(number), Finish(request))
        await journal.forget("alice")
        again = await take(journal, said(), asks())
        assert min(again) > 0

    async def test_what_was_asked_of_them_by_another_s_handler(self, journal: Journal) -> None:
        event = await took(journal, said("bob"))
        await journal.commit(parks(event, "alice", "C2Calice"))
        await journal.forget("alice")
        assert await journal.event(event) is None
        assert (await journal.counts())["parked"] == 0

    async def test_the_key_of_what_they_were_told_may_be_used_again(self, journal: Journal) -> None:
        (number,) = await journal.commit(intends(None, key="k"))
        await journal.forget("alice")
        (again,) = await journal.commit(intends(None, key="k"))
        assert again > number

    async def test_names_are_compared_whole(self, journal: Journal) -> None:
        await take(journal, said("alice2"), said("al"), replace(asks(NOTICE), lane="C2Cbob"))
        assert await journal.forget("alice") == 0
        assert (await journal.counts())["open"] == 3

    async def test_nobody_is_nothing(self, journal: Journal) -> None:
        await took(journal)
        assert await journal.forget("nobody") == 0

    async def test_more_than_one_piece(self, journal: Journal) -> None:
        await take(journal, *(said(sequence=number) for number in range(3 * keeping.PIECE)))
        assert await journal.forget("alice") >= 3 * keeping.PIECE
        assert (await journal.counts())["open"] == 0

    async def test_held_items_that_name_them(self, kept: Journal) -> None:
        held = (HeldItem(1, b'{"From_Account":"alice"}'), HeldItem(2, b'{"From_Account":"alice2"}'))
        await take(kept, change=Change(held=held))
        await kept.forget("alice")
        assert [item.number for item in (await kept.resume()).memory.held] == [2]

    async def test_plugin_state_stays(self, kept: Journal, database: Database) -> None:
        await kept.commit(WriteState("dice", "alice", b"41"))
        await kept.forget("alice")
        assert await rows(database, "state") == 1

    async def test_another_account_knows_them_still(self, kept: Journal, database: Database) -> None:
        other = journal_on(database, key="other")
        await took(other)
        await take(other, fleeting())
        await kept.forget("alice")
        assert (await other.counts())["open"] == 2

    async def test_no_word_is_left_on_disk(self, kept: Journal, tmp_path: Path) -> None:
        word = b"a-word-like-no-other"
        numbers = await take(kept, *(said("alice-unmistakable", number, body=word * 50) for number in range(60)))
        await take(kept, said("bob"))
        sends = await kept.commit(
            *(intends(number, body=word, to="alice-unmistakable") for number in numbers),
            *(records(number, result=word) for number in numbers),
        )
        await kept.commit(Bury(numbers[0], "failed", word.decode(), NOON), settles(sends[0]))
        assert left(tmp_path, word)
        await kept.forget("alice-unmistakable")
        assert not left(tmp_path, word)
        assert not left(tmp_path, b"alice-unmistakable")

    async def test_nor_of_what_was_compacted_once_the_log_is_emptied(
        self, kept: Journal, database: Database, tmp_path: Path
    ) -> None:
        word = b"a-word-like-no-other"
        numbers = await take(kept, *(replace(plain(), body=word * 50) for _ in range(60)))
        await kept.commit(*(Finish(number) for number in numbers))
        await later(kept, DAY + 1)
        assert await database.checkpoint()
        assert not left(tmp_path, word)


def left(folder: Path, word: bytes) -> bool:
    """Whether a word is in any of the store's files."""
    return any(word in file.read_bytes() for file in folder.iterdir())


async def test_what_is_kept_for_its_identity_is_done(kept: Journal) -> None:
    number = await done(kept, whole=False)
    await later(kept, 2 * DAY)
    event = await kept.event(number)
    assert event is not None
    assert event.state is EventState.DONE
