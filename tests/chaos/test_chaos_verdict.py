"""The judge by itself: every kind of wrong is seen, named, and nothing else is."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.plan import BOT, Options, make_plan
from tests.chaos.verdict import Effect, Fault, Finding, Stored, Verdict, due, judge

ROOM = "GROUPg000"
PEOPLE = ["echo g-1", "two g-2", "ask g-3", "echo g-4", "answer g-5"]
RIGHT = ["re g-1", "re g-2 a", "re g-2 b", "? g-3", "re g-4", "re g-5 to g-3"]
DONE = [Effect("g-2", "key", 1)]


def stored(*said: str, people: list[str] = PEOPLE) -> dict[str, list[Stored]]:
    """Alice says it all, bob the line that comes between her question and its answer."""
    asked = [Stored("bob" if text == "echo g-4" else "alice", text, 1000 + n) for n, text in enumerate(people)]
    return {ROOM: [*asked, *(Stored(BOT, text, 2000) for text in said)]}


def faults(verdict: Verdict) -> list[tuple[Fault, str]]:
    return [(finding.fault, finding.text) for finding in verdict.findings]


def test_all_as_it_should_be() -> None:
    verdict = judge(stored(*RIGHT), effects=DONE)
    assert verdict.clean
    assert (verdict.said, verdict.expected, verdict.found, verdict.effects) == (5, 6, 6, 1)


def test_when_replies_come_between_messages_does_not_matter() -> None:
    said = stored(*RIGHT)[ROOM]
    people, bot = said[:5], said[5:]
    woven = [people[0], bot[0], people[1], bot[1], people[2], bot[2], bot[3], people[3], people[4], *bot[4:]]
    assert judge({ROOM: woven}, effects=DONE).clean


@pytest.mark.parametrize("text", RIGHT)
def test_what_was_never_said_is_lost(text: str) -> None:
    verdict = judge(stored(*(said for said in RIGHT if said != text)), effects=DONE)
    assert faults(verdict) == [(Fault.LOST, text)]


@pytest.mark.parametrize("text", RIGHT)
def test_what_was_said_again_is_doubled(text: str) -> None:
    verdict = judge(stored(*RIGHT, text), effects=DONE)
    assert faults(verdict) == [(Fault.DOUBLED, text)]
    assert verdict.findings[0].detail == "2 times"


def test_what_was_said_too_early_is_out_of_order() -> None:
    early = ["re g-2 a", "re g-1", *RIGHT[2:]]
    verdict = judge(stored(*early), effects=DONE)
    assert verdict.findings == [Finding(Fault.DISORDERED, ROOM, "g-2", "re g-2 a", 1001, "before 're g-1'")]


def test_a_second_reply_before_the_first_is_out_of_order() -> None:
    verdict = judge(stored(*RIGHT[:1], "re g-2 b", "re g-2 a", *RIGHT[3:]), effects=DONE)
    assert faults(verdict) == [(Fault.DISORDERED, "re g-2 b")]


def test_what_the_bot_says_it_cannot_tell_is_unknown() -> None:
    assert faults(judge(stored(*RIGHT[1:]), effects=DONE, unknown={ROOM: 1})) == [(Fault.UNKNOWN, "re g-1")]


def test_unknown_excuses_as_many_as_the_bot_names() -> None:
    verdict = judge(stored(*RIGHT[2:]), effects=DONE, unknown={ROOM: 1})
    assert faults(verdict) == [(Fault.UNKNOWN, "re g-1"), (Fault.LOST, "re g-2 a")]


def test_unknown_elsewhere_excuses_nothing() -> None:
    assert faults(judge(stored(*RIGHT[1:]), effects=DONE, unknown={"C2Cbob": 1})) == [(Fault.LOST, "re g-1")]


def test_what_nobody_asked_for_is_strange() -> None:
    assert faults(judge(stored(*RIGHT, "Sorry?"), effects=DONE)) == [(Fault.STRANGE, "Sorry?")]


def test_an_answer_taken_for_another_question_is_seen() -> None:
    verdict = judge(stored(*RIGHT[:-1], "re g-5 to g-4"), effects=DONE)
    assert faults(verdict) == [(Fault.LOST, "re g-5 to g-3"), (Fault.STRANGE, "re g-5 to g-4")]


def test_two_who_are_asked_at_once_answer_for_themselves() -> None:
    people = [("alice", "ask g-1"), ("bob", "ask g-2"), ("alice", "answer g-3"), ("bob", "answer g-4")]
    room = [Stored(who, text, 1000) for who, text in people]
    assert [item.text for item in due(room)] == ["? g-1", "? g-2", "re g-3 to g-1", "re g-4 to g-2"]


def test_what_the_server_never_had_is_the_harnesss_fault() -> None:
    verdict = judge(stored("re g-1", people=["echo g-1"]), scripted={ROOM: ["echo g-1", "echo g-9"]})
    assert faults(verdict) == [(Fault.UNSAID, "echo g-9")]


def test_an_effect_never_made_is_lost() -> None:
    assert faults(judge(stored(*RIGHT))) == [(Fault.EFFECT_LOST, "two g-2")]


def test_an_effect_may_come_again_after_a_death_under_its_key() -> None:
    verdict = judge(stored(*RIGHT), effects=[*DONE, Effect("g-2", "key", 2)])
    assert verdict.clean
    assert verdict.effects_repeated == 1


def test_an_effect_twice_by_one_process_is_doubled() -> None:
    assert faults(judge(stored(*RIGHT), effects=[*DONE, *DONE])) == [(Fault.EFFECT_DOUBLED, "two g-2")]


def test_an_effect_under_another_key_cannot_be_told_from_a_new_one() -> None:
    verdict = judge(stored(*RIGHT), effects=[*DONE, Effect("g-2", "other", 2)])
    assert faults(verdict) == [(Fault.EFFECT_KEY, "two g-2")]


def said_in_a_script(seed: int) -> tuple[list[Stored], list[str]]:
    script = make_plan(Options(seed=seed, conversations=5, messages=100, kills=0)).conversations[-1].script
    people = [Stored(line.author, line.text, 1000 + number) for number, line in enumerate(script)]
    return people, [item.text for item in due(people)]


@given(st.integers(0, 10_000))
def test_a_bot_that_does_what_is_due_is_clean(seed: int) -> None:
    people, right = said_in_a_script(seed)
    effects = [Effect(p.text.removeprefix("two "), "key", 1) for p in people if p.text.startswith("two ")]
    assert judge({ROOM: [*people, *(Stored(BOT, text, 2000) for text in right)]}, effects=effects).clean


@given(st.integers(0, 10_000), st.sampled_from(["lose", "double", "swap"]))
def test_one_thing_wrong_is_always_found_and_nothing_else(seed: int, wrong: str) -> None:
    people, right = said_in_a_script(seed)
    effects = [Effect(p.text.removeprefix("two "), "key", 1) for p in people if p.text.startswith("two ")]
    place = random.Random(seed).randrange(len(right) - 1)
    if wrong == "lose":
        expected, text = Fault.LOST, right.pop(place)
    elif wrong == "double":
        expected, text = Fault.DOUBLED, right[place]
        right.append(text)
    else:
        right[place], right[place + 1] = right[place + 1], right[place]
        expected, text = Fault.DISORDERED, right[place]
    verdict = judge({ROOM: [*people, *(Stored(BOT, said, 2000) for said in right)]}, effects=effects)
    assert faults(verdict) == [(expected, text)]
