"""Questions: who may answer, when, and what becomes of everything else meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from timbot import Context, Plugin, Text
from timbot.runtime.dialogues import AskCancelled, AskTimeout
from timbot.testing import World


def signup() -> Plugin:
    bot = Plugin("p")

    @bot.on_command("signup")
    async def handler(ctx: Context[Text]) -> str:
        name = await ctx.ask("name?")
        age = await ctx.ask("age?", int, tries=2, again="a number, please")
        return f"{name}, {age}"

    @bot.on_command("time")
    async def time(ctx: Context[Text]) -> str:
        return "noon"

    @bot.on_text
    async def other(ctx: Context[Text]) -> str:
        return f"other {ctx.text}"

    return bot


async def test_a_dialogue_goes_question_by_question() -> None:
    async with World(signup()) as world:
        ann = await world.user("ann")
        assert await ann.says("/signup") == ["name?"]
        assert await ann.says(" Ann ") == ["age?"]
        assert await ann.says("old") == ["a number, please"]
        assert await ann.says("33") == ["Ann, 33"]
        assert await ann.says("x") == ["other x"]


async def test_two_quick_answers_are_the_answers_to_two_questions() -> None:
    async with World(signup()) as world:
        ann = await world.user("ann")
        assert await ann.burst(["/signup", "Ann", "33", "x"]) == ["name?", "age?", "Ann, 33", "other x"]


async def test_commands_are_handled_while_a_question_is_open() -> None:
    async with World(signup()) as world:
        ann = await world.user("ann")
        await ann.says("/signup")
        assert await ann.says("/time") == ["noon"]
        assert await ann.says("Ann") == ["age?"]


async def test_a_question_is_for_one_person_in_one_conversation() -> None:
    async with World(signup()) as world:
        ann, ben = await world.user("ann"), await world.user("ben")
        await ann.says("/signup")
        assert await ben.says("x") == ["other x"]
        assert await ann.says("Ann") == ["age?"]


async def test_a_newer_question_ends_the_older() -> None:
    bot = Plugin("p")
    ended: list[str] = []

    @bot.on_command("ask")
    async def handler(ctx: Context[Text]) -> str:
        try:
            return await ctx.ask(f"{ctx.args[0]}?") + f" to {ctx.args[0]}"
        except AskCancelled:
            ended.append(ctx.args[0])
            raise

    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.says("/ask one")
        assert set(await ann.says("/ask two")) == {"Let us leave that question.", "two?"}
        assert await ann.says("x") == ["x to two"]
    assert ended == ["one"]


async def test_a_deadline_ends_it_with_a_sentence_and_is_no_failure() -> None:
    bot = Plugin("p")
    ended: list[float] = []

    @bot.on_command("ask")
    async def handler(ctx: Context[Text]) -> str:
        began = asyncio.get_running_loop().time()
        try:
            return await ctx.ask("well?", timeout="2m")
        except AskTimeout:
            ended.append(asyncio.get_running_loop().time() - began)
            raise

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("/ask") == ["well?"]
        await asyncio.sleep(130)
        assert await ann.answers() == ["I have not heard from you, so let us leave it at that."]
        assert await world.bot.journal.dead_letters() == []
        assert [activity.outcome for activity in world.activity] == ["no answer"]
    assert ended == [pytest.approx(120, abs=1)]


async def test_somebody_else_may_be_asked() -> None:
    bot = Plugin("p")

    @bot.on_command("vote")
    async def handler(ctx: Context[Text]) -> str:
        return await ctx.ask("ben?", who="ben")

    async with World(bot, users=("ann", "ben")) as world:
        from outbox_site import make_group

        ann, ben = await world.user("ann"), await world.user("ben")
        make_group(world, "ann", "ben")
        await world.settle()
        assert (await ann.says("/vote", group="g"))[-1] == "ben?"
        await ann.send(Text("me"), group="g")
        await ben.send(Text("yes"), group="g")
        assert (await ann.answers())[-1] == "yes"


async def test_a_parked_handler_is_not_at_work_and_holds_nobody_up() -> None:
    async with World(signup()) as world:
        people = [await world.user(f"user{number}") for number in range(20)]
        for person in people:
            assert await person.says("/signup") == ["name?"]
        assert not world.bot.busy
        assert [await person.says("N") for person in people] == [["age?"]] * 20
