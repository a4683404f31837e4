"""Messages, end to end: who answers what, in which order, and what a bad handler costs."""

from __future__ import annotations

import asyncio
import io
from typing import Literal

import pytest
import structlog
from dispatch_site import answering, make_group
from structlog.testing import LogCapture

from timbot import (
    AT_ALL,
    Context,
    Custom,
    Face,
    MemberJoined,
    Plugin,
    Text,
)
from timbot.runtime.log import configure
from timbot.testing import World


@pytest.fixture
def log() -> LogCapture:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    return capture


# Replies


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("hi", ["hi"]),
        (Text("hi"), ["hi"]),
        (Custom("dice", "3", "x"), [Custom("dice", "3", "x")]),
        (Face(7), [Face(7)]),
        (["one", Custom("two"), "three"], ["one", Custom("two"), "three"]),
        (("a", "", "b"), ["a", "b"]),
        (None, []),
        ([], []),
    ],
)
async def test_what_comes_back(reply: object, said: list[object]) -> None:
    async with World(answering(reply)) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == said


async def test_a_reply_in_a_group_goes_to_the_group() -> None:
    async with World(answering("here")) as world:
        ann, ben = await world.user("ann"), await world.user("ben")
        group = make_group(world, "ann", "ben")
        assert await ann.says("x", group=group, mention=True) == ["here"]
        assert ben.received()[-1].conversation_id == "GROUPg"


async def test_text_never_becomes_a_mention() -> None:
    async with World(answering("@ann look")) as world:
        ann = await world.user("ann")
        await ann.says("x", group=make_group(world, "ann"), mention=True)
        assert ann.received()[-1].at_user_list == ()


@pytest.mark.parametrize("reply", [5, b"x", {"a": 1}, ["fine", 5]])
async def test_a_wrong_return_is_logged_with_its_place_and_says_nothing(reply: object, log: LogCapture) -> None:
    bot = answering(reply)
    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == []
    failed = [entry for entry in log.entries if entry["event"] == "handler failed"]
    assert [entry["place"] for entry in failed] == [bot.routes[0].place]
    assert failed[0]["log_level"] == "error"


async def test_replies_before_the_return_come_first() -> None:
    bot = Plugin("p")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        sent = await ctx.reply(["one", "two"])
        return f"three after {len(sent)}"

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == ["one", "two", "three after 2"]


# Handlers that fail


async def raises(ctx: Context[Text]) -> None:
    raise RuntimeError("the handler's own mistake")


async def awaits_what_is_cancelled(ctx: Context[Text]) -> None:
    task = asyncio.create_task(asyncio.sleep(10))
    await asyncio.sleep(0)
    task.cancel()
    await task


async def runs_out_of_time(ctx: Context[Text]) -> None:
    async with asyncio.timeout(1):
        await asyncio.sleep(10)


@pytest.mark.parametrize("bad", [raises, awaits_what_is_cancelled, runs_out_of_time])
async def test_a_failing_handler_stops_no_lane(bad: object, log: LogCapture) -> None:
    bot = answering("fine")
    bot.on_text("bad")(bad)  # type: ignore[type-var]  # one of the three above
    async with World(bot) as world:
        ann, ben = await world.user("ann"), await world.user("ben")
        assert await ann.burst(["bad", "x", "bad", "y"]) == ["fine", "fine"]
        assert await ben.says("x") == ["fine"]
    failed = [entry for entry in log.entries if entry["event"] == "handler failed"]
    assert [(entry["place"], entry["sender"]) for entry in failed] == [(bot.routes[-1].place, "ann")] * 2


@pytest.mark.parametrize("form", ["text", "json"])
async def test_the_words_of_a_message_are_in_no_log(form: Literal["text", "json"]) -> None:
    written = io.StringIO()
    configure(level="debug", stream=written, format=form)
    bot = answering("an answer nobody logs")
    bot.on_text("bad secret")(raises)
    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.burst(["bad secret", "another secret"])
    assert "handler failed" in written.getvalue()
    assert "secret" not in written.getvalue()
    assert "nobody logs" not in written.getvalue()


async def test_with_block_false_the_next_handler_goes_on_after_a_failure() -> None:
    bot = answering("rest")
    bot.on_text("x", block=False)(raises)
    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == ["rest"]


# What a handler is told


async def test_what_the_context_says() -> None:
    bot = Plugin("p")
    seen: list[tuple[object, ...]] = []

    @bot.on_command("dice")
    async def dice(ctx: Context[Text]) -> None:
        seen.append(
            (ctx.text, ctx.raw_text, ctx.args, ctx.sender.id, ctx.group_id, ctx.conversation_id, ctx.account, ctx.handler)
        )
        seen.append((ctx.payload.text, ctx.sender.name, ctx.message is not None and ctx.now == ctx.message.time))

    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.client.update_my_profile(nick="Ann")
        await ann.says("／Dice ２  6 ")
        await ann.says("/dice", group=make_group(world, "ann"), mention=True)
    handler = f"p:{dice.__qualname__}"
    assert seen == [
        ("/Dice 2  6", "／Dice ２  6 ", ("2", "6"), "ann", "", "C2Cann", "bot", handler),
        ("／Dice ２  6 ", "Ann", True),
        ("/dice", "@bot /dice", (), "ann", "g", "GROUPg", "bot", handler),
        ("@bot /dice", "Ann", True),
    ]


async def test_chance_is_the_same_for_the_same_event_and_handler() -> None:
    bot = Plugin("p")
    rolls: dict[tuple[str, str], set[float]] = {}

    def roll(name: str, ctx: Context[Text]) -> None:
        again = Context[Text](ctx._occasion, ctx._machinery, ctx.turn, ctx.steps, ctx._out)
        rolls[name, ctx.message.id if ctx.message else ""] = {ctx.random.random(), again.random.random()}

    @bot.on_text(block=False)
    async def one(ctx: Context[Text]) -> None:
        roll("one", ctx)

    @bot.on_text
    async def other(ctx: Context[Text]) -> None:
        roll("other", ctx)

    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.burst(["x", "x"])
    assert [len(values) for values in rolls.values()] == [1, 1, 1, 1]
    assert len(set.union(*rolls.values())) == 4


# In groups


@pytest.mark.parametrize(
    ("text", "mentions", "said"),
    [
        ("hello", [], []),
        ("hello", ["bot"], ["text hello"]),
        ("@bot hello", [], []),
        ("@bot hello", ["bot"], ["text hello"]),
        ("@Timbot，hello", ["bot"], ["text hello"]),
        ("@Timbot\u2005hello", ["bot", "ben"], ["text hello"]),
        ("@everybody hello", [AT_ALL], []),
        ("@ben hello", ["ben"], []),
        ("@ben hello", ["ben", "bot"], ["text @ben hello"]),
        ("@bot", ["bot"], ["text "]),
        ("/dice 2", [], ["dice 2"]),
        ("@bot /dice 2", ["bot"], ["dice 2"]),
        ("@Timbot: /dice 2", [], ["dice 2"]),
        ("/what", [], []),
        ("/what", ["bot"], ["text /what"]),
        ("/", [], []),
    ],
)
async def test_which_words_in_a_group_are_for_the_bot(text: str, mentions: list[str], said: list[str]) -> None:
    bot = Plugin("p")

    @bot.on_text
    async def rest(ctx: Context[Text]) -> str:
        return f"text {ctx.text}"

    @bot.on_command("dice")
    async def dice(ctx: Context[Text]) -> str:
        return f"dice {' '.join(ctx.args)}"

    async with World(bot) as world:
        ann = await world.user("ann")
        await world.bot.client.update_my_profile(nick="Timbot")
        world.cut()  # it learns its name when it is ready again
        await world.settle()
        group = make_group(world, "ann")
        await ann.client.send_message(ann.client.create_text_at_message(group, text, mentions))
        assert await ann.answers() == ([message + " " if message == "text" else message for message in said] or [])


async def test_a_custom_message_in_a_group_needs_no_mention() -> None:
    bot = Plugin("p")

    @bot.on_custom("dice")
    async def dice(ctx: Context[Custom]) -> Custom:
        return Custom(data="dice", description=ctx.payload.description + "!")

    async with World(bot) as world:
        ann = await world.user("ann")
        group = make_group(world, "ann")
        assert await ann.sends(Custom("dice", "3"), group=group) == [Custom("dice", "3!")]
        assert await ann.sends(Custom("coin"), group=group) == []


async def test_members_who_join_are_welcomed() -> None:
    bot = Plugin("p")

    @bot.on_member_join
    async def welcome(ctx: Context[MemberJoined]) -> str:
        return f"Welcome, {' and '.join(ctx.payload.user_ids)}!"

    async with World(bot, users=["ben", "cat"]) as world:
        ann = await world.user("ann")
        group = make_group(world, "ann")
        await ann.answers()
        world.sandbox.domain.group_members.add("ann", group, ["ben", "cat"])
        world.sandbox.flush()
        assert await ann.answers() == ["Welcome, ben and cat!"]
