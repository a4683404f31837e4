"""What a handler does is done once, however often it is gone through."""

from __future__ import annotations

import asyncio

import pytest

from timbot import Client, Context, Plugin, Sender, Text
from timbot.runtime.steps import HandlerEnded, StepError, StepOverlap
from timbot.testing import World


async def test_a_handler_that_fails_is_tried_again_and_says_nothing_twice() -> None:
    bot = Plugin("p")
    attempts: list[float] = []

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        await ctx.reply("one")
        attempts.append(asyncio.get_running_loop().time())
        if len(attempts) < 3:
            raise ValueError("not yet")
        return "two"

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == ["one", "two"]
    assert [round(later - attempts[0], 1) for later in attempts] == [0.0, 1.0, 5.0]


async def test_after_three_attempts_it_is_a_dead_letter_and_the_lane_goes_on() -> None:
    bot = Plugin("p")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        if ctx.text == "bad":
            raise ValueError("never")
        return "good"

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.burst(["bad", "x"]) == ["good"]
        (letter,) = await world.bot.journal.dead_letters()
        assert (letter.lane, letter.kind, letter.reason) == ("C2Cann", "text", "failed")
        assert letter.detail == "ValueError: never"


async def test_once_is_carried_out_once_and_gives_its_result_again() -> None:
    bot = Plugin("p")
    calls: list[int] = []
    keys: set[str] = set()

    async def save(number: int, *, key: str) -> dict[str, int]:
        calls.append(number)
        keys.add(key)
        return {"saved": number}

    attempts = 0

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        nonlocal attempts
        attempts += 1
        keys.add(ctx.effect_key)
        saved = await ctx.once("save", save, 7, key=ctx.effect_key)
        if attempts == 1:
            raise ValueError("after it")
        return f"{saved['saved']}"

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == ["7"]
    assert (calls, attempts, len(keys)) == ([7], 2, 1)


async def test_a_result_is_what_json_makes_of_it_the_first_time_too() -> None:
    bot = Plugin("p")
    seen: list[object] = []

    @bot.on_text
    async def handler(ctx: Context[Text]) -> None:
        seen.append(await ctx.once("pair", lambda: (1, 2)))

    async with World(bot) as world:
        await (await world.user("ann")).says("x")
    assert seen == [[1, 2]]


@pytest.mark.parametrize(("result", "said"), [(object(), "cannot be kept"), ("x" * 65_536, "65,536 are kept at most")])
async def test_a_result_that_cannot_be_kept_is_an_error_with_a_cure(result: object, said: str) -> None:
    bot = Plugin("p")
    errors: list[StepError] = []

    @bot.on_text
    async def handler(ctx: Context[Text]) -> None:
        try:
            await ctx.once("it", lambda: result)
        except StepError as error:
            errors.append(error)

    async with World(bot) as world:
        await (await world.user("ann")).says("x")
    assert said in errors[0].message
    assert errors[0].hint


async def test_steps_at_once_need_keys() -> None:
    bot = Plugin("p")
    told: list[str] = []

    @bot.on_text
    async def handler(ctx: Context[Text]) -> None:
        await asyncio.gather(ctx.reply("a", key="a"), ctx.reply("b", key="b"))
        first = asyncio.ensure_future(ctx.reply("c"))
        await asyncio.sleep(0)
        with pytest.raises(StepOverlap) as error:
            _ = ctx.reply("d")
        told.append(str(error.value))
        await first
        with pytest.raises(StepOverlap):
            _ = ctx.reply("a", key="a")

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == ["a", "b", "c"]
    assert "key='...'" in told[0]


async def test_a_step_behind_the_end_of_its_handler_is_refused() -> None:
    bot = Plugin("p")
    errors: list[HandlerEnded] = []

    @bot.on_text
    async def handler(ctx: Context[Text]) -> None:
        async def late() -> None:
            await asyncio.sleep(1)
            try:
                await ctx.reply("late")
            except HandlerEnded as error:
                errors.append(error)

        world.tasks = [asyncio.ensure_future(late())]  # type: ignore[attr-defined]  # so that it is not collected

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == []
        await asyncio.sleep(2)
    assert len(errors) == 1


async def test_what_an_injected_sender_or_client_does_are_steps() -> None:
    bot = Plugin("p")
    attempts = 0

    @bot.on_text
    async def handler(ctx: Context[Text], *, out: Sender, client: Client) -> None:
        nonlocal attempts
        attempts += 1
        await out.user("ben", "from ann")
        await client.update_my_profile(nick=f"attempt {attempts}")
        if attempts == 1:
            raise ValueError("after them")

    async with World(bot) as world:
        ann, ben = await world.user("ann"), await world.user("ben")
        await ann.says("x")
        assert await ben.answers() == ["from ann"]
        assert (await world.bot.client.get_my_profile()).nick == "attempt 1"
    assert attempts == 2


async def test_a_refusal_is_a_result_and_is_raised_again() -> None:
    bot = Plugin("p")
    codes: list[int] = []

    @bot.on_text
    async def handler(ctx: Context[Text], *, out: Sender) -> None:
        try:
            await out.user("nobody", "x")
        except Exception as error:
            codes.append(getattr(error, "code", 0))
            if len(codes) == 1:
                raise ValueError("once more") from error

    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.says("x")
    assert codes == [20003, 20003]


async def test_a_handler_that_takes_too_long_is_given_up_and_not_tried_again() -> None:
    bot = Plugin("p")
    began = 0

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        nonlocal began
        began += 1
        if ctx.text == "slow":
            await asyncio.sleep(3600)
        return "quick"

    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.burst(["slow", "x"])
        await asyncio.sleep(65)
        assert await ann.answers() == ["quick"]
        (letter,) = await world.bot.journal.dead_letters()
        assert letter.reason == "time limit"
    assert began == 2


async def test_the_pause_between_two_attempts_is_not_the_handlers_time() -> None:
    bot = Plugin("p")
    attempts = 0

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            await asyncio.sleep(29.5)
            raise ValueError("not yet")
        return "at last"

    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.send(Text("x"))
        await asyncio.sleep(100)
        assert await ann.answers() == ["at last"]


async def test_a_handler_that_does_not_let_itself_be_cancelled_takes_the_limit_from_no_other() -> None:
    bot = Plugin("p")

    @bot.on_text("stubborn")
    async def stubborn(ctx: Context[Text]) -> str:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            return "done all the same"
        return "never"

    @bot.on_text("slow")
    async def slow(ctx: Context[Text]) -> str:
        await asyncio.sleep(3600)
        return "never"

    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.send(Text("stubborn"))
        await ann.send(Text("slow"))
        await asyncio.sleep(150)
        assert await ann.answers() == ["done all the same"]
        (letter,) = await world.bot.journal.dead_letters()
        assert letter.reason == "time limit"


async def test_time_without_a_connection_is_not_the_handlers() -> None:
    bot = Plugin("p")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        world.faults.refuse(8)
        world.cut()
        await asyncio.sleep(1)
        return "after the break"

    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.send(Text("x"))
        await asyncio.sleep(200)
        assert await ann.answers() == ["after the break"]
        assert await world.bot.journal.dead_letters() == []


async def test_a_gate_keeps_messages_back_at_the_moment_of_sending() -> None:
    bot = Plugin("p")
    closed = False

    @bot.before_send
    async def may(message: object) -> bool:
        return not closed

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        sent = await ctx.reply("one")
        return f"{len(sent)} sent"

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == ["one", "1 sent"]
        closed = True
        assert await ann.says("y") == []


async def test_state_is_written_with_the_end_of_a_handler_that_ends_well() -> None:
    bot = Plugin("p")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        state = ctx.state.sender
        count = await state.get("count", 0)
        await ctx.state.plugin.set("last", ctx.sender.id)
        await state.set("count", count + 1)
        if ctx.text == "fail":
            raise ValueError("no")
        return f"{count} {await ctx.state.plugin.get('last')}"

    async with World(bot) as world:
        ann, ben = await world.user("ann"), await world.user("ben")
        assert await ann.says("x") == ["0 ann"]
        assert await ann.says("fail") == []
        assert await ann.says("x") == ["1 ann"]
        assert await ben.says("x") == ["0 ben"]


async def test_what_is_said_under_a_key_outside_handlers_is_said_once() -> None:
    bot = Plugin("p")
    async with World(bot) as world:
        ann = await world.user("ann")
        out = world.bot._machinery.outfits["p"].out
        first = await out.user("ann", ["one", "two"], key="morning")
        again = await out.user("ann", ["other", "words"], key="morning")
        assert [message.id for message in again] == [message.id for message in first]
        await out.user("ann", "three", key="noon")
        assert await ann.answers() == ["one", "two", "three"]
