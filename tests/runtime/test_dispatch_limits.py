"""Read reports, the loop guard, and what a start answers."""

from __future__ import annotations

import asyncio

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import LogCapture

from timbot import Context, ConversationType, Face, MessageReadByPeer, Plugin, Text
from timbot.runtime.dispatcher import Options
from timbot.runtime.speaker import WINDOW, LoopGuard
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import GroupChanges
from timbot.testing import Person, World


@pytest.fixture
def log() -> LogCapture:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    return capture


def echo() -> Plugin:
    bot = Plugin("echo")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        return f"re {ctx.text}"

    return bot


def receipts(person: Person) -> list[MessageReadByPeer]:
    return [event for event in person.events if isinstance(event, MessageReadByPeer)]


# Read reports


async def test_a_message_is_reported_read_only_after_it_was_handled() -> None:
    bot = Plugin("p")

    @bot.on_text
    async def slow(ctx: Context[Text]) -> None:
        await asyncio.sleep(20)

    async with World(bot) as world:
        ann = await world.user("ann")
        message = await ann.send(Text("x"))
        await asyncio.sleep(19)
        assert receipts(ann) == []
        await world.settle()
        assert receipts(ann) == [MessageReadByPeer("bot", message.time)]


async def test_a_message_nobody_handles_is_not_reported_read() -> None:
    async with World(echo()) as world:
        ann = await world.user("ann")
        await ann.sends(Face(1))
        await world.settle()
        assert receipts(ann) == []
        assert world.sandbox.domain.chats.unread("bot", "ann").count == 1


async def test_a_machine_nobody_asked_for_is_not_reported_read() -> None:
    async with World(echo(), options=Options(bots=frozenset({"ann"}))) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == []
        assert receipts(ann) == []


async def test_a_burst_is_reported_in_few_requests() -> None:
    async with World(echo(), options=Options(loop_guard=0)) as world:
        ann = await world.user("ann")
        await ann.burst([f"{number}" for number in range(100)])
        assert len(receipts(ann)) == 1
        assert world.sandbox.domain.chats.unread("bot", "ann").count == 0


# The loop guard


async def test_two_bots_in_one_chat_fall_silent_by_themselves(log: LogCapture) -> None:
    async with World(echo()) as world:
        other = await world.add_bot("other", echo())
        log.entries.clear()
        await other.client.send_message(other.client.create_message("bot", ConversationType.C2C, Text("hello")))
        await asyncio.sleep(3600)
        said = world.sandbox.domain.chats.history("bot", "other", 1000).messages
        by = [message.sender for message in said]
        assert by.count("bot") <= 30
        assert by.count("other") <= 31
        assert said[-1].time - said[0].time < 60
    assert len([entry for entry in log.entries if entry["event"] == "silenced"]) == 1


async def test_bots_that_know_each_other_do_not_say_a_word() -> None:
    async with World(echo(), options=Options(bots=frozenset({"other"}))) as world:
        other = await world.add_bot("other", echo(), options=Options(bots=frozenset({"bot"})))
        await other.client.send_message(other.client.create_message("bot", ConversationType.C2C, Text("hello")))
        await asyncio.sleep(600)
        assert len(world.sandbox.domain.chats.history("bot", "other", 1000).messages) == 1


async def test_silence_is_warned_of_once_and_ends_by_itself(log: LogCapture) -> None:
    async with World(echo()) as world:
        ann, ben = await world.user("ann"), await world.user("ben")
        assert len(await ann.burst(["x"] * 40)) == 30
        assert await ben.says("x") == ["re x"]
        await asyncio.sleep(WINDOW)
        assert await ann.says("x") == ["re x"]
    silenced = [entry for entry in log.entries if entry["event"] == "silenced"]
    assert [(entry["conversation"], entry["log_level"]) for entry in silenced] == [("C2Cann", "warning")]
    assert "bots:" in silenced[0]["hint"]


async def test_a_clock_set_back_does_not_silence_the_bot() -> None:
    async with World(echo()) as world:
        ann = await world.user("ann")
        assert len(await ann.burst(["x"] * 30)) == 30
        world.clock.set(world.clock.now() - 7200)
        await asyncio.sleep(WINDOW + 1)
        assert await ann.says("x") == ["re x"]


async def test_no_limit_is_no_limit() -> None:
    async with World(echo(), options=Options(loop_guard=0)) as world:
        ann = await world.user("ann")
        assert len(await ann.burst(["x"] * 100)) == 100


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.0, 0.5, 5.0, 59.0, 61.0])), max_size=200), st.integers(1, 5))
def test_the_guard_against_a_model(steps: list[tuple[int, float]], limit: int) -> None:
    guard, said, now = LoopGuard(limit), dict[int, list[float]](), 0.0
    for who, pause in steps:
        now += pause
        recent = [time for time in said.get(who, []) if time > now - WINDOW]
        allowed = guard.allows(str(who), now)
        assert allowed == (len(recent) < limit)
        if allowed:
            said.setdefault(who, []).append(now)


def test_the_guard_forgets_quiet_conversations() -> None:
    guard = LoopGuard(1)
    for number in range(1000):
        guard.allows(str(number), number)
        if not guard.allows(str(number), number):
            guard.falls_silent(str(number))
    guard.allows("last", 5000)
    assert (len(guard._said), len(guard._silent)) == (1, 0)


# What a start answers: without a journal every start is a first one


async def test_a_first_start_answers_no_history() -> None:
    async with World(durable=False) as world:
        ann = await world.user("ann")
        await ann.send(Text("anybody there?"))
        await world.bot.stop()
        await ann.send(Text("still nobody?"))
        await asyncio.sleep(5)
        await world.add_bot("bot", echo())
        assert await ann.answers() == []
        assert await ann.says("now?") == ["re now?"]


async def test_a_later_start_answers_what_was_said_meanwhile() -> None:
    async with World(echo()) as world:
        ann = await world.user("ann")
        await ann.says("anybody there?")
        await world.bot.stop()
        await ann.send(Text("still nobody?"))
        await asyncio.sleep(5)
        await world.restart()
        assert await ann.answers() == ["re still nobody?"]


async def test_what_came_during_a_break_is_answered_once_and_in_order() -> None:
    async with World(echo()) as world:
        ann = await world.user("ann")
        assert await ann.says("0") == ["re 0"]
        world.faults.refuse(3)
        world.cut()
        assert await ann.burst(["1", "2", "3"]) == ["re 1", "re 2", "re 3"]
        await asyncio.sleep(600)
        assert await ann.answers() == []


async def test_what_was_said_in_a_group_the_bot_came_into_during_a_break_is_handled() -> None:
    bot = Plugin("p")

    @bot.on_command("say")
    async def say(ctx: Context[Text]) -> str:
        return "heard"

    async with World(bot) as world:
        ann = await world.user("ann")
        world.cut()
        world.sandbox.domain.groups.create("ann", GroupType.WORK, GroupChanges(name="g"), group_id="g")
        world.sandbox.domain.group_members.add("ann", "g", ["bot"])
        world.sandbox.flush()
        assert await ann.says("/say", group="g") == ["heard"]
