"""A process is killed, and the next one goes on where it was."""

from __future__ import annotations

import asyncio

from outbox_site import QUIET

from timbot import Context, Plugin, Text
from timbot.testing import World


async def test_a_handler_that_was_running_is_gone_through_again_and_does_nothing_twice() -> None:
    bot = Plugin("p")
    effects: list[str] = []
    waiting = asyncio.Event()

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        await ctx.reply("one")
        await ctx.once("save", lambda: effects.append(ctx.text))
        if not waiting.is_set():
            waiting.set()
            await asyncio.sleep(3600)
        return "two"

    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.send(Text("x"))
        await waiting.wait()
        await asyncio.sleep(0.1)
        await world.restart()
        assert await ann.answers() == ["one", "two"]
    assert effects == ["x"]


async def test_what_waited_in_a_lane_is_handled_in_its_order() -> None:
    bot = Plugin("p")
    first = True

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        nonlocal first
        if first:
            first = False
            await asyncio.sleep(3600)
        return f"re {ctx.text}"

    async with World(bot, options=QUIET) as world:
        ann = await world.user("ann")
        for number in range(100):
            await ann.send(Text(f"{number}"))
        await asyncio.sleep(1)
        await world.restart()
        assert await ann.answers() == [f"re {number}" for number in range(100)]


async def test_a_dialogue_goes_on_where_it_was() -> None:
    bot = Plugin("p")
    entered = 0

    @bot.on_command("signup")
    async def handler(ctx: Context[Text]) -> str:
        nonlocal entered
        entered += 1
        name = await ctx.ask("name?")
        age = await ctx.ask("age?", int)
        return f"{name}, {age}"

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("/signup") == ["name?"]
        await world.restart()
        assert await ann.says("Ann") == ["age?"]
        await world.restart()
        await world.settle()
        assert await ann.says("33") == ["Ann, 33"]
    assert entered == 3


async def test_a_deadline_of_before_strikes_in_the_next_process() -> None:
    bot = Plugin("p")

    @bot.on_command("ask")
    async def handler(ctx: Context[Text]) -> str:
        return await ctx.ask("well?", timeout=60)

    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.says("/ask")
        world.kill()
        await asyncio.sleep(100)
        await world.restart()
        assert await ann.answers() == ["I have not heard from you, so let us leave it at that."]


async def test_a_handler_that_is_gone_is_given_up_and_told() -> None:
    old, new = Plugin("p"), Plugin("p")

    @old.on_command("ask")
    async def handler(ctx: Context[Text]) -> str:
        return await ctx.ask("well?")

    async with World(old) as world:
        ann = await world.user("ann")
        await ann.says("/ask")
        await world.restart("", new)
        assert await ann.says("yes") == ["I have lost the thread, sorry. Please begin again."]
        (letter,) = await world.bot.journal.dead_letters()
        assert letter.reason == "diverged"


async def test_a_handler_that_does_something_else_now_is_given_up() -> None:
    old, new = Plugin("p"), Plugin("p")

    @old.on_command("ask")
    async def ask(ctx: Context[Text]) -> str:
        await ctx.once("one", lambda: 1)
        return await ctx.ask("well?")

    async def ask_anew(ctx: Context[Text]) -> str:
        await ctx.once("other", lambda: 1)
        return await ctx.ask("well?")

    ask_anew.__qualname__ = ask.__qualname__
    new.on_command("ask")(ask_anew)
    async with World(old) as world:
        ann = await world.user("ann")
        await ann.says("/ask")
        await world.restart("", new)
        assert await ann.says("yes") == ["I have lost the thread, sorry. Please begin again."]
        (letter,) = await world.bot.journal.dead_letters()
        assert letter.reason == "diverged"
        assert "once 'one'" in letter.detail
        assert "once 'other'" in letter.detail
