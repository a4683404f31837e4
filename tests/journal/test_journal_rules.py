"""What every engine promises: the rules of the interface, one by one."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace

import pytest
from journal_kit import (
    FRIEND,
    NOON,
    NOTHING,
    NOTICE,
    asks,
    fleeting,
    in_group,
    intends,
    parks,
    plain,
    records,
    said,
    settles,
    step,
    take,
    took,
)

from timbot.im.delivery import Change
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.values import (
    Bury,
    Decide,
    EventState,
    Fail,
    Finish,
    Intend,
    KeptEvent,
    Resumed,
    SendState,
    Unpark,
    WriteState,
)
from timbot.store import UnstorableValue
from timbot.testing import VirtualLoop

DAY = 86400.0


async def bury(journal: Journal, event: int, reason: str = "failed") -> None:
    await journal.commit(Bury(event, reason, "KeyError", NOON))


async def unsettled(journal: Journal, **about: object) -> int:
    """A message under way, of no event."""
    (number,) = await journal.commit(replace(intends(None), **about))  # type: ignore[arg-type]
    return number


class TestTaking:
    async def test_a_new_journal_holds_nothing(self, journal: Journal) -> None:
        assert await journal.resume() == Resumed()

    async def test_an_event_is_kept_as_it_came(self, journal: Journal) -> None:
        number = await took(journal)
        assert await journal.event(number) == KeptEvent(number, "C2Calice", "message", b"hello", NOON, EventState.OPEN, 0, None)

    async def test_numbers_rise(self, journal: Journal) -> None:
        first, second = await take(journal, said(sequence=1), said(sequence=2))
        assert 0 < first < second < await took(journal, said(sequence=3))

    async def test_the_order_is_that_of_the_calls(self, journal: Journal) -> None:
        later = [journal.take([said(sequence=number)], NOTHING) for number in range(100)]
        numbers = [number for (number,) in await asyncio.gather(*later)]
        assert numbers == sorted(numbers)

    async def test_the_call_takes_the_place_and_not_the_await(self, journal: Journal) -> None:
        first, second = journal.take([said(sequence=1)], NOTHING), journal.take([said(sequence=2)], NOTHING)
        (late,) = await second
        (early,) = await first
        assert early < late

    async def test_a_cancelled_caller_s_event_is_kept(self, journal: Journal) -> None:
        journal.take([said()], NOTHING).cancel()
        await took(journal, said(sequence=2))
        assert [kept.body for kept in await journal.waiting("C2Calice", 0, 10)] == [b"hello", b"hello"]

    async def test_none_is_no_event(self, journal: Journal) -> None:
        assert await take(journal) == []

    async def test_an_unwanted_one_does_not_wait(self, journal: Journal) -> None:
        await took(journal, in_group(wanted=False))
        assert await journal.waiting("GROUPg1", 0, 10) == []

    async def test_a_broken_one_is_a_dead_letter(self, journal: Journal) -> None:
        number = await took(journal, replace(plain(b"{"), kind="broken", dead="broken"))
        (letter,) = await journal.dead_letters()
        assert (letter.number, letter.kind, letter.body, letter.reason) == (number, "broken", b"{", "broken")

    async def test_a_broken_one_died_when_it_was_taken(self, journal: Journal) -> None:
        await took(journal, replace(plain(), dead="broken"))
        (letter,) = await journal.dead_letters()
        assert letter.died == VirtualLoop.running().clock.now()


class TestDoubles:
    async def test_a_known_one_is_told_with_the_number_it_has(self, journal: Journal) -> None:
        number = await took(journal)
        assert await took(journal) == -number

    async def test_nothing_of_it_is_kept(self, journal: Journal) -> None:
        await take(journal, said(body=b"first"))
        await take(journal, said(body=b"second"))
        assert [kept.body for kept in await journal.waiting("C2Calice", 0, 10)] == [b"first"]

    async def test_those_beside_it_are_kept(self, journal: Journal) -> None:
        number = await took(journal)
        double, other = await take(journal, said(), said(sequence=2))
        assert (double, other > number) == (-number, True)

    async def test_twice_in_one_delivery_is_once(self, journal: Journal) -> None:
        first, second = await take(journal, said(), said())
        assert second == -first

    async def test_it_stays_known_when_it_is_done(self, journal: Journal) -> None:
        number = await took(journal)
        await journal.commit(Finish(number))
        assert await took(journal) == -number

    async def test_an_unwanted_one_is_known_too(self, journal: Journal) -> None:
        number = await took(journal, in_group(wanted=False))
        assert await took(journal, in_group(wanted=False)) == -number

    @pytest.mark.parametrize("apart", [-300.0, 300.0])
    async def test_c2c_numbers_at_most_five_minutes_apart_are_one_message(self, journal: Journal, apart: float) -> None:
        number = await took(journal)
        assert await took(journal, said(time=NOON + apart)) == -number

    @pytest.mark.parametrize("apart", [-301.0, 301.0])
    async def test_c2c_numbers_further_apart_are_two(self, journal: Journal, apart: float) -> None:
        number = await took(journal)
        assert await took(journal, said(time=NOON + apart)) > number

    async def test_the_second_of_two_is_known_as_well(self, journal: Journal) -> None:
        await took(journal)
        second = await took(journal, said(time=NOON + 400))
        assert await took(journal, said(time=NOON + 500)) == -second

    @pytest.mark.parametrize(("apart", "known"), [(600.0, True), (601.0, False)])
    async def test_fleeting_ones_are_known_for_ten_minutes(self, journal: Journal, apart: float, known: bool) -> None:
        await took(journal, fleeting())
        assert (await took(journal, fleeting(NOON + apart)) < 0) is known

    async def test_a_group_message_is_one_whatever_its_time(self, journal: Journal) -> None:
        number = await took(journal, in_group())
        assert await took(journal, in_group(time=NOON + DAY)) == -number

    async def test_without_identity_nothing_is_known(self, journal: Journal) -> None:
        first, second = await take(journal, plain(), plain())
        assert 0 < first < second

    async def test_a_request_is_known_for_thirty_days(self, journal: Journal) -> None:
        number = await took(journal, asks())
        await asyncio.sleep(29 * DAY)
        assert await took(journal, asks(time=NOON + 29 * DAY)) == -number

    async def test_and_no_longer(self, journal: Journal) -> None:
        VirtualLoop.running().limit = math.inf
        number = await took(journal, asks())
        await asyncio.sleep(31 * DAY)
        assert await took(journal, asks()) > number

    async def test_to_come_again_keeps_it_known(self, journal: Journal) -> None:
        VirtualLoop.running().limit = math.inf
        number = await took(journal, asks())
        for _ in range(2):
            await asyncio.sleep(20 * DAY)
            assert await took(journal, asks()) == -number

    async def test_to_be_listed_again_keeps_it_known(self, journal: Journal) -> None:
        VirtualLoop.running().limit = math.inf
        number = await took(journal, asks())
        await asyncio.sleep(20 * DAY)
        await take(journal, change=Change(met=(FRIEND, NOTICE)))
        await asyncio.sleep(20 * DAY)
        assert await took(journal, asks()) == -number


class TestWaiting:
    async def test_a_lane_s_events_in_order(self, journal: Journal) -> None:
        numbers = await take(journal, *(said(sequence=number) for number in range(5)))
        await took(journal, said("bob"))
        assert [kept.number for kept in await journal.waiting("C2Calice", 0, 10)] == numbers

    async def test_after_a_number_and_so_many(self, journal: Journal) -> None:
        numbers = await take(journal, *(said(sequence=number) for number in range(5)))
        assert [kept.number for kept in await journal.waiting("C2Calice", numbers[1], 2)] == numbers[2:4]

    async def test_only_open_ones(self, journal: Journal) -> None:
        done, parked, dead, left = await take(journal, *(said(sequence=number) for number in range(4)))
        await journal.commit(Finish(done), parks(parked), Bury(dead, "failed", "", NOON))
        assert [kept.number for kept in await journal.waiting("C2Calice", 0, 10)] == [left]

    async def test_an_empty_lane(self, journal: Journal) -> None:
        assert await journal.waiting("C2Cnobody", 0, 10) == []


class TestTurns:
    async def test_a_decision_stays(self, journal: Journal) -> None:
        number = await took(journal)
        await journal.commit(Decide(number, b"routes"))
        kept = await journal.event(number)
        assert kept is not None
        assert kept.decision == b"routes"

    async def test_attempts_are_counted(self, journal: Journal) -> None:
        number = await took(journal)
        await journal.commit(Fail(number, 2))
        kept = await journal.event(number)
        assert kept is not None
        assert (kept.attempts, kept.state) == (2, EventState.OPEN)

    async def test_a_finished_one_is_open_no_more(self, journal: Journal) -> None:
        number = await took(journal)
        await journal.commit(Finish(number))
        kept = await journal.event(number)
        assert kept is None or kept.state is EventState.DONE

    async def test_a_parked_one_comes_back_in_its_place(self, journal: Journal) -> None:
        first, second = await take(journal, said(sequence=1), said(sequence=2))
        await journal.commit(parks(first))
        await journal.commit(Unpark(first))
        assert [kept.number for kept in await journal.waiting("C2Calice", 0, 10)] == [first, second]

    async def test_it_may_park_again(self, journal: Journal) -> None:
        number = await took(journal)
        await journal.commit(parks(number), Unpark(number), parks(number))
        assert (await journal.counts())["parked"] == 1

    async def test_parking_twice_asks_the_later_question(self, journal: Journal) -> None:
        number = await took(journal)
        await journal.commit(parks(number), parks(number, "bob"))
        assert (await journal.counts())["parked"] == 1

    @pytest.mark.parametrize("parked", [False, True])
    async def test_what_is_finished_stays_so(self, journal: Journal, parked: bool) -> None:
        number = await took(journal)
        await journal.commit(*([parks(number)] if parked else []), Finish(number))
        await journal.commit(Unpark(number), Fail(number, 1), Bury(number, "failed", "", NOON), parks(number))
        kept = await journal.event(number)
        assert kept is None or kept.attempts == 0
        assert await journal.counts() == {"open": 0, "parked": 0, "dead": 0, "unsent": 0, "unknown": 0, "oldest": 0}

    async def test_the_order_of_commits_is_that_of_the_calls(self, journal: Journal) -> None:
        number = await took(journal)
        journal.commit(Fail(number, 1))
        journal.commit(Fail(number, 2)).cancel()
        await journal.commit(Decide(number, b"x"))
        kept = await journal.event(number)
        assert kept is not None
        assert kept.attempts == 2


class TestSteps:
    async def test_a_result_is_kept(self, journal: Journal) -> None:
        number = await took(journal)
        await journal.commit(replace(records(number, result=b"[1]"), refused=True))
        ((kept,), sends) = await journal.steps(number)
        assert (kept.id, kept.kind, kept.target, kept.result, kept.refused) == (step(number), "send", "C2Calice", b"[1]", True)
        assert sends == []

    async def test_the_first_result_stays(self, journal: Journal) -> None:
        number = await took(journal)
        await journal.commit(records(number, result=b"1"), records(number, result=b"2"))
        ((kept,), _) = await journal.steps(number)
        assert kept.result == b"1"

    async def test_numbers_come_in_their_order_and_before_keys(self, journal: Journal) -> None:
        number = await took(journal)
        await journal.commit(*(records(number, slot) for slot in ("10", "save", "2", "ask")))
        kept, _ = await journal.steps(number)
        assert [one.id.slot for one in kept] == ["2", "10", "ask", "save"]

    async def test_messages_of_an_event_come_in_order(self, journal: Journal) -> None:
        number = await took(journal)
        sends = await journal.commit(intends(number, body=b"1"), intends(number, body=b"2"))
        _, kept = await journal.steps(number)
        assert [(one.number, one.step, one.body) for one in kept] == [
            (sends[0], step(number), b"1"),
            (sends[1], step(number), b"2"),
        ]

    async def test_others_steps_are_others(self, journal: Journal) -> None:
        first, second = await take(journal, said(sequence=1), said(sequence=2))
        await journal.commit(records(first), intends(first))
        assert await journal.steps(second) == ([], [])

    async def test_steps_survive_parking_and_death(self, journal: Journal) -> None:
        number = await took(journal)
        await journal.commit(records(number), parks(number))
        await bury(journal, number)
        assert len((await journal.steps(number))[0]) == 1


class TestSending:
    async def test_only_intents_have_numbers(self, journal: Journal) -> None:
        event = await took(journal)
        first, send, last = await journal.commit(records(event), intends(event), Finish(event))
        assert (first, send > 0, last) == (0, True, 0)

    async def test_an_intent_is_open(self, journal: Journal) -> None:
        number = await unsettled(journal)
        kept = await journal.send(number)
        assert kept is not None
        assert (kept.state, kept.step, kept.body, kept.intended, kept.token) == (
            SendState.OPEN, None, b"answer", NOON, ("C2Calice", 1, 1),
        )  # fmt: skip

    async def test_it_is_settled(self, journal: Journal) -> None:
        event = await took(journal)
        (number,) = await journal.commit(intends(event))
        await journal.commit(settles(number, at=NOON + 1))
        kept = await journal.send(number)
        assert kept is not None
        assert (kept.state, kept.result, kept.settled, kept.body) == (SendState.SENT, b"settled", NOON + 1, b"answer")

    async def test_it_may_be_made_anew(self, journal: Journal) -> None:
        number = await unsettled(journal)
        await journal.commit(replace(settles(number, SendState.OPEN), body=b"other words"))
        kept = await journal.send(number)
        assert kept is not None
        assert (kept.state, kept.body, kept.settled) == (SendState.OPEN, b"other words", 0)

    async def test_unknown_ones_are_listed(self, journal: Journal) -> None:
        sent, first, second = [await unsettled(journal) for _ in range(3)]
        await journal.commit(settles(sent), settles(first, SendState.UNKNOWN), settles(second, SendState.UNKNOWN))
        assert [kept.number for kept in await journal.unknown_sends()] == [first, second]
        assert [kept.number for kept in await journal.unknown_sends(after=first, limit=1)] == [second]

    async def test_an_unknown_one_may_turn_out_well(self, journal: Journal) -> None:
        number = await unsettled(journal)
        await journal.commit(settles(number, SendState.UNKNOWN))
        await journal.commit(settles(number))
        assert await journal.unknown_sends() == []

    async def test_a_key_sends_once(self, journal: Journal) -> None:
        first = await unsettled(journal, key="2026-01-05", body=b"first")
        assert await unsettled(journal, key="2026-01-05", body=b"second") == first
        kept = await journal.send(first)
        assert kept is not None
        assert kept.body == b"first"

    async def test_a_key_is_known_when_it_is_settled(self, journal: Journal) -> None:
        number = await unsettled(journal, key="k")
        await journal.commit(settles(number))
        assert await unsettled(journal, key="k") == number
        kept = await journal.send(number)
        assert kept is not None
        assert (kept.state, kept.result) == (SendState.SENT, b"settled")

    async def test_plugins_keys_are_their_own(self, journal: Journal) -> None:
        assert await unsettled(journal, key="k") != await unsettled(journal, key="k", plugin="other")

    async def test_without_a_key_each_is_one(self, journal: Journal) -> None:
        assert await unsettled(journal) != await unsettled(journal)

    async def test_one_that_outlives_its_event_stays(self, journal: Journal) -> None:
        event = await took(journal)
        (number,) = await journal.commit(intends(event))
        await journal.commit(Finish(event))
        assert (await journal.counts())["unsent"] == 1
        await journal.commit(settles(number, SendState.UNKNOWN))
        assert [kept.number for kept in await journal.unknown_sends()] == [number]

    async def test_nobody_is_no_message(self, journal: Journal) -> None:
        assert await journal.send(99) is None
        await journal.commit(settles(99))
        assert (await journal.counts())["unsent"] == 0


class TestAbsentEvents:
    """A person was forgotten while a handler ran."""

    async def test_nothing_is_kept_about_them(self, journal: Journal) -> None:
        await journal.commit(Decide(7, b"x"), records(7), Finish(7), Fail(7, 1), parks(7), Unpark(7), Bury(7, "x", "", NOON))
        assert await journal.steps(7) == ([], [])
        assert (await journal.counts())["parked"] == 0
        assert await journal.dead_letters() == []

    async def test_nothing_is_to_be_sent(self, journal: Journal) -> None:
        assert await journal.commit(intends(7)) == [0]
        assert (await journal.counts())["unsent"] == 0


class TestAtomicity:
    @pytest.mark.parametrize("wrong", [WriteState("", "k", b"1"), WriteState("dice", "k", b"x" * 70_000)])
    async def test_all_or_nothing(self, journal: Journal, wrong: WriteState) -> None:
        event = await took(journal)
        with pytest.raises(UnstorableValue):
            await journal.commit(Finish(event), wrong)
        kept = await journal.event(event)
        assert kept is not None
        assert kept.state is EventState.OPEN


class TestDeadLetters:
    async def test_one_is_as_it_was(self, journal: Journal) -> None:
        number = await took(journal)
        await bury(journal, number)
        (letter,) = await journal.dead_letters()
        assert (letter.number, letter.lane, letter.body, letter.time, letter.died, letter.reason, letter.detail) == (
            number, "C2Calice", b"hello", NOON, NOON, "failed", "KeyError",
        )  # fmt: skip

    async def test_they_come_in_order_and_so_many(self, journal: Journal) -> None:
        numbers = await take(journal, *(said(sequence=number) for number in range(4)))
        for number in reversed(numbers):
            await bury(journal, number)
        assert [letter.number for letter in await journal.dead_letters(after=numbers[0], limit=2)] == numbers[1:3]

    async def test_a_parked_one_can_die(self, journal: Journal) -> None:
        number = await took(journal)
        await journal.commit(parks(number))
        await bury(journal, number)
        counts = await journal.counts()
        assert (counts["parked"], counts["dead"]) == (0, 1)

    async def test_it_comes_back_to_life_with_what_was_done(self, journal: Journal) -> None:
        number = await took(journal)
        await journal.commit(Decide(number, b"routes"), records(number), Fail(number, 3))
        await bury(journal, number)
        kept = await journal.revive(number)
        assert kept == KeptEvent(number, "C2Calice", "message", b"hello", NOON, EventState.OPEN, 0, b"routes")
        assert [one.number for one in await journal.waiting("C2Calice", 0, 10)] == [number]
        assert len((await journal.steps(number))[0]) == 1
        assert (await journal.dead_letters(), (await journal.counts())["dead"]) == ([], 0)

    async def test_it_can_die_again(self, journal: Journal) -> None:
        number = await took(journal)
        await bury(journal, number)
        await journal.revive(number)
        await bury(journal, number, "time limit")
        assert [letter.reason for letter in await journal.dead_letters()] == ["time limit"]

    async def test_it_is_dropped_with_what_was_done(self, journal: Journal) -> None:
        number = await took(journal)
        await journal.commit(records(number))
        await bury(journal, number)
        assert await journal.drop(number)
        assert await journal.dead_letters() == []
        assert await journal.steps(number) == ([], [])

    async def test_a_dropped_one_is_still_known(self, journal: Journal) -> None:
        number = await took(journal)
        await bury(journal, number)
        await journal.drop(number)
        assert await took(journal) == -number

    async def test_what_is_none_is_none(self, journal: Journal) -> None:
        number = await took(journal)
        assert await journal.revive(number) is None
        assert not await journal.drop(number)
        assert (await journal.counts())["open"] == 1


class TestCounts:
    async def test_of_everything(self, journal: Journal) -> None:
        numbers = await take(journal, *(said(sequence=number) for number in range(6)))
        await journal.commit(Finish(numbers[0]), parks(numbers[1]), Bury(numbers[2], "failed", "", NOON))
        await unsettled(journal)
        await journal.commit(settles(await unsettled(journal), SendState.UNKNOWN))
        expected = {"open": 3, "parked": 1, "dead": 1, "unsent": 1, "unknown": 1, "oldest": 0}
        assert await journal.counts() == expected

    async def test_the_oldest_waits_since_it_was_taken_in(self, journal: Journal) -> None:
        await took(journal, said(time=NOON - 7 * DAY))
        await asyncio.sleep(90)
        await took(journal, said(sequence=2))
        await asyncio.sleep(10)
        assert (await journal.counts())["oldest"] == 100


class TestIntendTwice:
    async def test_a_step_may_make_several_messages(self, journal: Journal) -> None:
        event = await took(journal)
        one: Intend = intends(event)
        first, second = await journal.commit(one, one)
        assert first < second
