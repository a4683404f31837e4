"""Storms: a line that is cut again and again, and what is said exactly once and in order all the same."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outbox_site import KINDS, QUIET, Kind, ask, echo, make_group, said, sends

from timbot.testing import Line, World, run


class Storm:
    """A talk over a line that is cut again and again: what was asked, what was handled, what was said."""

    def __init__(self, seed: int, kind: Kind, *, cuts: int = 10, drops: int = 0) -> None:
        self.handled: dict[str, list[str]] = {}
        self.expected = [f"re {number}" for number in range(100)]
        self.said: list[str] = []
        run(self._talk(random.Random(seed), seed, kind, cuts, drops))

    async def _talk(self, chance: random.Random, seed: int, kind: Kind, cuts: int, drops: int) -> None:
        async with World(echo(self.handled), seed=seed, options=QUIET, line=Line(0.02, 0.1)) as world:
            ann = await world.user("ann")
            make_group(world, "ann")
            await world.settle()
            for _ in range(cuts):
                asyncio.get_running_loop().call_later(chance.uniform(0, 30), world.cut)
            world.faults.drop(sends, times=drops, probability=0.1)
            for number in range(100):
                await ask(ann, kind, str(number))
                await asyncio.sleep(chance.uniform(0, 0.6))
            await asyncio.sleep(60)
            await world.settle(3600)
            self.said = said(world, kind)


def storms(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    limits = settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    return lambda test: limits(given(seed=st.integers(0, 2**32))(test))


@pytest.mark.parametrize("kind", KINDS)
@storms(8)
def test_in_a_storm_of_cuts_each_thing_is_said_once_in_the_order_it_was_handled(kind: Kind, seed: int) -> None:
    storm = Storm(seed, kind)
    assert storm.said == storm.handled["ann"]


@pytest.mark.parametrize("kind", KINDS)
@storms(6)
def test_in_a_storm_of_cuts_and_losses_each_thing_is_said_once_in_the_order_it_was_handled(kind: Kind, seed: int) -> None:
    storm = Storm(seed, kind, cuts=3, drops=4)
    assert storm.said == storm.handled["ann"]


@storms(6)
def test_in_a_storm_of_cuts_a_group_is_handled_once_each_and_in_its_order(seed: int) -> None:
    storm = Storm(seed, "GROUP")
    assert storm.handled["ann"] == storm.expected


@storms(6)
def test_in_a_storm_of_cuts_each_message_of_a_chat_is_handled_once(seed: int) -> None:
    storm = Storm(seed, "C2C")
    assert sorted(storm.handled["ann"]) == sorted(storm.expected)


@pytest.mark.parametrize("seed", [4, 7, 8, 10, 1009, 1016, 1035])
def test_in_a_storm_of_cuts_a_chat_is_handled_in_its_order(seed: int) -> None:
    storm = Storm(seed, "C2C")
    assert storm.handled["ann"] == storm.expected
