"""The process dies at any moment, as often as it likes: what was kept and what the server has come to the same in the end."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mortal_bot import GROUPS, PEOPLE, Mortals, Step, simulate
from stories import WAITS, story

from timbot.testing import VirtualLoop

who, where = st.sampled_from(PEOPLE), st.sampled_from(GROUPS)
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("talk"), who, st.sampled_from((1, 2, 60))),
    st.tuples(st.just("own"), who),
    st.tuples(st.just("reply"), who),
    st.tuples(st.just("group"), where, st.sampled_from((1, 2, 30, 120))),
    st.tuples(st.just("reply_to_group"), where),
    st.tuples(st.just("cut"), st.sampled_from((0, 1, 4))),
    st.tuples(st.just("lose"), st.sampled_from((0.0, 0.5, 5.0))),
    st.tuples(st.just("repeat")),
    st.tuples(st.just("turns"), st.integers(0, 60)),
    st.tuples(st.just("pace"), st.sampled_from((0.0, 0.01, 1.0))),
    st.tuples(st.just("apply"), who),
    st.tuples(st.just("die"), st.integers(0, 100)),
    st.tuples(st.just("live")),
    st.tuples(st.just("renew"), where),
    st.tuples(st.just("recall"), who),
    st.tuples(st.just("wait"), st.sampled_from(WAITS)),
)


def tell(steps: list[Step], **options: object) -> Mortals:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(simulate(steps, **options))


@settings(max_examples=60)
@given(st.lists(STEPS, max_size=25), st.sampled_from(["redeliver", "forget"]), st.integers(0, 99))
def test_each_thing_once_and_in_order(steps: list[Step], unacked: str, seed: int) -> None:
    tell(steps, unacked=unacked, seed=seed)


@pytest.mark.parametrize("seed", range(30))
def test_long_stories(seed: int) -> None:
    chance = random.Random(seed)
    tell(story(chance, 60), unacked=chance.choice(("redeliver", "forget")), seed=seed)


@pytest.mark.parametrize("unacked", ["redeliver", "forget"])
@pytest.mark.parametrize("turns", range(0, 200, 8))
def test_a_death_at_every_step_of_a_catch_up(unacked: str, turns: int) -> None:
    said: list[Step] = [("talk", "alice", 60), ("group", "g", 250), ("own", "bob"), ("talk", "bob", 1)]
    life: list[Step] = [("wait", 5.0), ("lose", 0.5), *said, ("wait", 1.0), ("die", 0), *said]
    tell([*life, ("live",), ("die", turns), ("live",), ("die", turns + 3), ("live",)], unacked=unacked)
