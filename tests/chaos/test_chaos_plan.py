"""The plan: the same seed, the same plan; and what is in it."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from tests.chaos.plan import Kind, Options, Place, make_plan

LONG = make_plan(Options(seed=7))


def test_a_seed_settles_everything() -> None:
    assert make_plan(Options(seed=7)) == LONG
    assert make_plan(Options(seed=8)) != LONG


def test_it_is_as_large_as_asked_for() -> None:
    assert LONG.messages == 10_000
    assert len(LONG.kills) == 100
    assert Counter(conversation.group for conversation in LONG.conversations) == {False: 120, True: 80}


def test_every_message_has_an_id_of_its_own() -> None:
    names = [line.id for conversation in LONG.conversations for line in conversation.script]
    assert len(set(names)) == len(names)


def test_kinds_come_in_their_shares() -> None:
    counts = Counter(line.kind for conversation in LONG.conversations for line in conversation.script)
    turns = counts[Kind.ECHO] + counts[Kind.TWO] + counts[Kind.ASK]
    assert counts[Kind.TWO] / turns == pytest.approx(0.3, abs=0.05)
    assert counts[Kind.ASK] / turns == pytest.approx(0.09, abs=0.03)
    assert counts[Kind.ANSWER] == counts[Kind.ASK]


def test_the_next_thing_somebody_who_was_asked_says_is_the_answer() -> None:
    for conversation in LONG.conversations:
        open_questions: dict[str, str] = {}
        for line in conversation.script:
            asked = open_questions.pop(line.author, "")
            assert (line.kind is Kind.ANSWER) == bool(asked)
            assert line.to == asked
            if line.kind is Kind.ASK:
                open_questions[line.author] = line.id
        assert not open_questions


def test_others_speak_while_somebody_is_asked() -> None:
    assert any(
        line.kind is Kind.ASK and after.kind is not Kind.ANSWER
        for conversation in LONG.conversations
        for line, after in zip(conversation.script, conversation.script[1:], strict=False)
    )


def test_it_dies_at_every_place_about_as_often() -> None:
    counts = Counter(kill.place for kill in LONG.kills)
    assert set(counts) == set(Place)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_it_dies_while_there_is_something_to_do() -> None:
    assert all(0 < kill.at < 9000 for kill in LONG.kills)


def test_it_does_not_die_again_at_once() -> None:
    moments = [kill.at for kill in LONG.kills]
    assert all(later - earlier > 30 for earlier, later in itertools.pairwise(moments))


def test_a_bot_that_only_echoes_is_asked_for_nothing_else() -> None:
    plan = make_plan(Options(bot="echo", messages=500, conversations=10, kills=20))
    assert {line.kind for conversation in plan.conversations for line in conversation.script} == {Kind.ECHO}
    assert Place.EFFECT not in {kill.place for kill in plan.kills}
