"""What a handler may do wrong: it fails alone, and the log says so in as few words as will do."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable

import pytest
import structlog
from dispatch_site import answering, make_group
from structlog.testing import LogCapture
from structlog.typing import EventDict

from timbot import PASS, Context, Custom, Job, Pass, Plugin, Sender, Text
from timbot.errors import PluginError
from timbot.runtime.dispatcher import Options
from timbot.runtime.enabled import enable
from timbot.runtime.log import configure
from timbot.runtime.outfit import check_wiring
from timbot.testing import World


@pytest.fixture
def log() -> LogCapture:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    return capture


def entries(log: LogCapture, event: str) -> list[EventDict]:
    return [entry for entry in log.entries if entry["event"] == event]


async def after(handler: object, text: str = "bad") -> str:
    """The log of a bot whose handler for `bad` is this one."""
    written = io.StringIO()
    configure(stream=written, format="text")
    bot = answering("fine")
    bot.on_text("bad")(handler)  # type: ignore[type-var]  # one of those below
    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.burst([text, "x"]) == ["fine"]
    return written.getvalue()


async def leaves(ctx: Context[Text]) -> None:
    sys.exit(3)


async def returns_a_number(ctx: Context[Text]) -> int:
    return 5


async def replies_a_number(ctx: Context[Text]) -> None:
    await ctx.reply(5)  # type: ignore[arg-type]  # the mistake


async def mistaken(ctx: Context[Text]) -> None:
    raise ValueError("my own")


async def test_leaving_ends_the_handler_and_not_the_process() -> None:
    told = await after(leaves)
    assert "SystemExit: 3" in told
    assert "outcome=failed" in told


async def test_a_wrong_return_is_one_line_with_its_place_and_its_cure() -> None:
    told = await after(returns_a_number)
    [line] = [line for line in told.splitlines() if "handler failed" in line]
    assert f"({__file__}:{returns_a_number.__code__.co_firstlineno}) returned is of type int. It may be a str" in line
    assert "Traceback" not in told


async def test_an_error_of_ours_is_one_line_with_the_line_that_called_for_it() -> None:
    told = await after(replies_a_number)
    [line] = [line for line in told.splitlines() if "handler failed" in line]
    assert f"place={__file__}:{replies_a_number.__code__.co_firstlineno + 1}" in line
    assert "Traceback" not in told


async def test_a_traceback_begins_in_the_plugin() -> None:
    told = await after(mistaken)
    frames = [line for line in told.splitlines() if 'File "' in line]
    assert __file__ in frames[0]
    assert "in _run" not in told


async def test_a_reply_that_the_server_refuses_is_one_line() -> None:
    written = io.StringIO()
    configure(stream=written, format="text")
    async with World(answering(Custom("x" * 20_000))) as world:
        ann = await world.user("ann")
        await ann.says("x")
    assert "handler failed" in written.getvalue()
    assert "Traceback" not in written.getvalue()


# A job


@pytest.mark.parametrize(("ending", "outcome"), [("leaves", "failed"), ("raises", "failed"), ("stops", "cancelled")])
async def test_how_a_job_ended(ending: str, outcome: str, log: LogCapture) -> None:
    bot = Plugin("p")

    @bot.every(60)
    async def tick() -> None:
        if ending == "leaves":
            sys.exit(3)
        if ending == "raises":
            raise ValueError("no")
        await asyncio.sleep(1000)

    async with World(bot) as world:
        await asyncio.sleep(70)
        await world.bot.stop(grace=1)
        assert [activity.outcome for activity in world.activity] == [outcome]
    assert len(entries(log, "job failed")) == (outcome == "failed")


async def test_a_line_of_the_log_has_no_empty_fields(log: LogCapture) -> None:
    bot = Plugin("p")

    @bot.every(60)
    async def tick() -> None: ...

    async with World(bot):
        await asyncio.sleep(61)
    [entry] = entries(log, "handled")
    assert set(entry) == {"event", "log_level", "account", "kind", "handler", "outcome", "ms"}


# What a handler says its event is


async def wrong(ctx: Job) -> None: ...


@pytest.mark.parametrize(
    ("wire", "needed"),
    [
        (lambda bot: bot.on_text, "Context[Text]"),
        (lambda bot: bot.on_command("x"), "Context[Text]"),
        (lambda bot: bot.on_keyword("x"), "Context[Text]"),
        (lambda bot: bot.on_regex("x"), "Context[Text]"),
        (lambda bot: bot.on_custom(), "Context[Custom]"),
        (lambda bot: bot.on_friend_request, "FriendRequest"),
        (lambda bot: bot.on_group_join_request, "GroupJoinRequest"),
        (lambda bot: bot.on_member_join, "Context"),
    ],
)
def test_the_event_of_every_decorator(wire: Callable[[Plugin], Callable[[object], object]], needed: str) -> None:
    bot = Plugin("p")
    wire(bot)(wrong)
    with pytest.raises(PluginError) as caught:
        check_wiring(enable(bot))
    assert caught.value.hint == f"Write 'ctx: {needed}'."


# Nobody has handled it


async def test_what_nobody_handles_is_told_once_for_each_kind_with_a_handler_to_write(log: LogCapture) -> None:
    async with World() as world:
        ann, ben = await world.user("ann"), await world.user("ben")
        await ann.burst(["a", "b"])
        await ben.sends(Custom("dice"))
    told = entries(log, "not handled")
    assert [(entry["kind"], entry["sender"], entry["log_level"]) for entry in told] == [
        ("text", "ann", "info"),
        ("text", "ann", "debug"),
        ("custom", "ben", "info"),
    ]
    assert "@bot.on_text async def handler(ctx: Context[Text])" in told[0]["hint"]
    assert "@bot.on_custom() async def" in told[2]["hint"]


async def test_what_all_pass_on_is_left_unanswered(log: LogCapture) -> None:
    bot = Plugin("p")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> Pass:
        return PASS

    async with World(bot) as world:
        ann = await world.user("ann")
        await ann.says("a")
        assert world.activity == []
    assert entries(log, "not handled") == []
    [told] = entries(log, "left unanswered")
    assert (told["kind"], told["conversation"], told["log_level"]) == ("text", "C2Cann", "info")
    assert told["asked"].startswith("p:test_what_all_pass_on")
    assert [entry["log_level"] for entry in entries(log, "passed on")] == ["debug"]


async def test_who_speaks_and_passes_is_told_and_the_next_is_asked() -> None:
    bot = Plugin("p")

    @bot.on_text("a")
    async def first(ctx: Context[Text]) -> Pass:
        await ctx.reply("one")
        return PASS

    @bot.on_text
    async def second(ctx: Context[Text]) -> str:
        return "two"

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("a") == ["one", "two"]
        assert [(activity.outcome, len(activity.said)) for activity in world.activity] == [("passed on", 1), ("1 sent", 1)]


async def test_what_is_not_meant_for_the_bot_is_no_news(log: LogCapture) -> None:
    async with World(options=Options(bots=frozenset({"ben"}))) as world:
        ann, ben = await world.user("ann"), await world.user("ben")
        await ann.says("x", group=make_group(world, "ann"))
        await ben.says("x")
        await ann.client.set_message_read("C2Cbot", 1)
        await world.settle()
    assert entries(log, "not handled") == []


# Of its own accord


async def test_what_is_said_of_its_own_accord_is_told_to_who_watches(log: LogCapture) -> None:
    bot = Plugin("p")

    @bot.every(60)
    async def tick(job: Job, *, out: Sender) -> None:
        await out.user("ann", ["one", "two"])

    async with World(bot) as world:
        ann = await world.user("ann")
        seen: list[tuple[str, str, str]] = []
        world.said = lambda account, plugin, message: seen.append((account, plugin, message.text))  # type: ignore[method-assign]
        await asyncio.sleep(61)
        assert await ann.answers() == ["one", "two"]
        assert [activity.said for activity in world.activity] == [()]
    assert seen == [("bot", "p", "one"), ("bot", "p", "two")]
    assert [(entry["conversation"], entry["log_level"]) for entry in entries(log, "said")] == [("C2Cann", "debug")] * 2
