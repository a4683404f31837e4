"""`World`: when it counts as quiet, and that the same seed gives the same world."""

from __future__ import annotations

import asyncio

import pytest

from timbot import Context, Custom, Plugin, Text
from timbot.testing import Line, Person, World, run


def echo() -> Plugin:
    bot = Plugin("echo")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        await asyncio.sleep(ctx.random.random())
        return f"{ctx.text} {ctx.random.random()}"

    return bot


async def test_settling_waits_for_a_slow_handler() -> None:
    bot = Plugin("p")

    @bot.on_text
    async def slow(ctx: Context[Text]) -> str:
        await asyncio.sleep(50)
        return "done"

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == ["done"]


async def test_settling_has_patience_and_no_more() -> None:
    bot = Plugin("p")

    @bot.on_text
    async def endless(ctx: Context[Text]) -> None:
        await asyncio.sleep(100_000)

    async with World(bot) as world:
        ann = await world.user("ann")
        began = world.clock.monotonic()
        assert await ann.says("x") == []
        assert world.clock.monotonic() - began == pytest.approx(60, abs=1)


async def test_settling_waits_until_a_cut_bot_is_back_and_has_caught_up() -> None:
    async with World(echo(), line=Line(latency=2)) as world:
        ann = await world.user("ann")
        world.cut()
        assert len(await ann.says("x")) == 1


async def test_settling_does_not_wait_for_a_bot_that_has_stopped() -> None:
    async with World(echo()) as world:
        await world.bot.stop()
        began = world.clock.monotonic()
        await world.settle()
        assert world.clock.monotonic() - began == 1


async def test_answers_are_told_once() -> None:
    async with World(echo()) as world:
        ann = await world.user("ann")
        assert len(await ann.says("x")) == 1
        assert await ann.answers() == []
        await ann.expect()


async def test_expect_says_what_came_instead() -> None:
    async with World(echo()) as world:
        ann = await world.user("ann")
        await ann.send(Text("x"))
        with pytest.raises(AssertionError, match=r"ann expected \['y'\] and got \['x 0"):
            await ann.expect("y")


async def test_people_talk_to_each_other() -> None:
    async with World() as world:
        ann, ben = await world.user("ann"), await world.user("ben")
        await ann.send(Text("hello"), to="ben")
        await ben.expect("hello")
        await ben.send(Custom("dice"), to="ann")
        await ann.expect(Custom("dice"))


async def test_a_person_is_the_same_each_time() -> None:
    async with World() as world:
        assert await world.user("ann") is await world.user("ann")


@pytest.mark.parametrize(("seed", "same"), [(7, True), (8, False)])
def test_the_same_seed_gives_the_same_world(seed: int, same: bool) -> None:
    async def told(seed: int) -> list[object]:
        async with World(echo(), seed=seed, line=Line(0.01, 0.5)) as world:
            ann: Person = await world.user("ann")
            return [world.sandbox.domain.world_id, *await ann.burst(["a", "b", "c"])]

    assert (run(told(7)) == run(told(seed))) is same
