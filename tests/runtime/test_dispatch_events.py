"""Events of other kinds, machines, own messages, and what conversations cost each other."""

from __future__ import annotations

import asyncio

import pytest
from dispatch_site import answering, make_group

from timbot import Context, Face, GroupTip, MessageReceived, MessageRevoked, OwnMessage, Plugin, Text
from timbot.im.model.payloads import element_of
from timbot.runtime.dispatcher import Options
from timbot.testing import Line, World

# Events, own messages, bots


async def test_events_reach_who_asked_for_their_type() -> None:
    bot = Plugin("p")
    seen: list[str] = []

    @bot.on_event(MessageRevoked, GroupTip)
    async def note(ctx: Context[MessageRevoked | GroupTip]) -> str | None:
        seen.append(f"{type(ctx.payload).__name__} {ctx.conversation_id}")
        return "seen" if isinstance(ctx.payload, MessageRevoked) else None

    async with World(bot) as world:
        ann = await world.user("ann")
        make_group(world, "ann")
        message = await ann.send(Text("oops"))
        await ann.client.revoke_message(message)
        assert await ann.answers() == ["seen"]
    assert seen == ["MemberJoined GROUPg", "MessageRevoked C2Cann"]


async def test_messages_as_events_come_besides_their_text() -> None:
    bot = answering("text")

    @bot.on_event(MessageReceived, block=False)
    async def every(ctx: Context[MessageReceived]) -> str:
        return "event"

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == ["event", "text"]
        assert await ann.sends(Face(1)) == ["event"]


@pytest.mark.parametrize("machine", ["@RBT#one", "helper"])
async def test_machines_reach_only_handlers_that_ask_for_them(machine: str) -> None:
    bot = answering("for people")

    @bot.on_text("ping", from_bots=True)
    async def ping(ctx: Context[Text]) -> str:
        return "pong"

    async with World(bot, users=[machine], options=Options(bots=frozenset({"helper"}))) as world:
        ann = await world.user("ann")
        assert await ann.burst(["x", "ping"]) == ["for people", "pong"]
        for text in ("x", "ping"):
            world.sandbox.domain.chats.send(machine, "bot", _text(text), size=9, sequence=1, random=hash(text) % 1000)
        world.sandbox.flush()
        await world.settle()
        history = world.sandbox.domain.chats.history("bot", machine, 10).messages
        assert [message.sender for message in history] == [machine, machine, "bot"]


def _text(text: str) -> object:
    return [element_of(Text(text))]


async def test_own_messages_from_elsewhere_reach_only_their_handler() -> None:
    bot = answering("ordinary")
    seen: list[str] = []

    @bot.on_own_message
    async def own(ctx: Context[OwnMessage]) -> None:
        seen.append(ctx.payload.message.text)

    async with World(bot) as world:
        ann = await world.user("ann")
        world.sandbox.domain.chats.send("bot", "ann", _text("from the console"), size=9, sequence=1, random=1)
        world.sandbox.flush()
        assert await ann.says("x") == ["from the console", "ordinary"]
    assert seen == ["from the console"]


# Lanes


async def test_a_slow_handler_delays_only_its_own_conversation() -> None:
    bot = answering("quick")

    @bot.on_text("slow")
    async def slow(ctx: Context[Text]) -> str:
        await asyncio.sleep(30)
        return "slow"

    async with World(bot) as world:
        ann, ben = await world.user("ann"), await world.user("ben")
        began = world.clock.monotonic()
        await ann.send(Text("slow"))
        await ann.send(Text("x"))
        await ben.send(Text("x"))
        await asyncio.sleep(1)
        assert (len(ann.received()), len(ben.received())) == (0, 1)
        assert await ann.answers() == ["slow", "quick"]
        assert world.clock.monotonic() - began < 35


@pytest.mark.parametrize("capacity", [64, 100_000])
async def test_order_in_twenty_conversations_on_a_jittery_line(capacity: int) -> None:
    """With the small capacity the server finds that the bot does not read, and hangs up in the middle of it."""
    bot = Plugin("p")

    @bot.on_text
    async def echo(ctx: Context[Text]) -> str:
        await asyncio.sleep(ctx.random.random() / 10)
        return f"re {ctx.text}"

    options = Options(loop_guard=0)
    async with World(bot, options=options, line=Line(0.05, 0.2, capacity), seed=3) as world:
        people = [await world.user(f"user{number}") for number in range(20)]
        texts = [f"{number}" for number in range(200)]

        async def talk(number: int) -> None:
            for text in texts:
                await people[number].send(Text(text))

        await asyncio.gather(*(talk(number) for number in range(20)))
        await world.settle(600)
        for person in people:
            assert [message.text for message in person.received()] == [f"re {text}" for text in texts]
