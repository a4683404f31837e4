"""Handlers that pass, keywords, patterns, and the welcome of those who were let in."""

from __future__ import annotations

import asyncio

import pytest

from timbot import PASS, Accept, Context, FriendRequest, GroupJoinRequest, Pass, Plugin, Text
from timbot.errors import PluginError, ServerError
from timbot.sandbox.domain.group_rules import GroupType, Role
from timbot.sandbox.domain.messages import GroupChanges
from timbot.testing import World


async def test_who_passes_lets_the_next_have_it() -> None:
    bot = Plugin("p")

    @bot.on_text("a", "b")
    async def first(ctx: Context[Text]) -> str | Pass:
        return PASS if ctx.text == "a" else "first"

    @bot.on_text
    async def second(ctx: Context[Text]) -> str:
        return "second"

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("a") == ["second"]
        assert await ann.says("b") == ["first"]
        assert [activity.outcome for activity in world.activity] == ["1 sent", "1 sent"]


async def test_when_all_pass_nothing_was_done() -> None:
    bot = Plugin("p")

    @bot.on_text
    async def only(ctx: Context[Text]) -> Pass:
        return PASS

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("a") == []
        assert world.activity == []


async def test_keywords_and_patterns() -> None:
    bot = Plugin("p")

    @bot.on_text
    async def rest(ctx: Context[Text]) -> str:
        return "rest"

    @bot.on_regex(r"order\s*#?(?P<number>\d+)")
    async def order(ctx: Context[Text]) -> str:
        return f"order {ctx.match.named['number']}" if ctx.match else ""

    @bot.on_keyword("Refund", "退款")
    async def refund(ctx: Context[Text]) -> str:
        return f"refund {ctx.match}"

    @bot.on_text("refund policy")
    async def policy(ctx: Context[Text]) -> str:
        return "policy"

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("my ORDER #17 please") == ["order 17"]
        assert await ann.says("i want a REFUND for order 5") == ["refund None"]
        assert await ann.says("怎么退款？") == ["refund None"]
        assert await ann.says("Refund Policy") == ["policy"]
        assert await ann.says("something") == ["rest"]


@pytest.mark.parametrize("pattern", [r"(a+)+\b!", "(", "", 5])
def test_patterns_that_are_refused(pattern: str) -> None:
    bot = Plugin("p")
    with pytest.raises(PluginError) as caught:
        bot.on_regex(pattern)
    assert str(caught.value).startswith(f"{__file__}:")


def test_a_pattern_may_be_declared_safe() -> None:
    Plugin("p").on_regex(r"(a+)+\b!", unsafe_regex=True)


def welcoming() -> Plugin:
    bot = Plugin("p")

    @bot.on_friend_request
    async def friend(request: FriendRequest) -> Accept:
        return Accept(welcome=["Hello", f"{request.sender.id}!"])

    @bot.on_group_join_request
    async def join(request: GroupJoinRequest) -> Accept:
        return Accept(welcome=f"Welcome, {request.sender.id}!")

    return bot


async def test_a_new_friend_is_welcomed() -> None:
    async with World(welcoming()) as world:
        ann = await world.user("ann")
        await ann.client.add_friend("bot")
        assert await ann.answers() == ["Hello", "ann!"]
        [activity] = world.activity
        assert (activity.outcome, len(activity.said)) == ("accept: done", 2)


async def test_a_new_member_is_welcomed_by_who_let_them_in() -> None:
    async with World(welcoming()) as world:
        second = await world.add_bot("second", welcoming())
        domain = world.sandbox.domain
        domain.groups.create("bot", GroupType.PUBLIC, GroupChanges(name="g"), group_id="g")
        await second.client.join_group("g")
        await world.settle()
        domain.group_members.set_role("bot", "g", "second", Role.ADMIN)
        world.sandbox.flush()
        ann = await world.user("ann")
        await ann.client.join_group("g")
        assert await ann.answers() == ["Welcome, ann!"]


async def test_a_welcome_waits_until_the_server_knows_of_the_friendship() -> None:
    async with World(welcoming()) as world:
        ann = await world.user("ann")
        sends = world.bot.client.send_message
        refused: list[float] = []

        async def late(message: object, **more: object) -> object:
            if len(refused) < 3:
                refused.append(asyncio.get_running_loop().time())
                raise ServerError("send", 20009)
            return await sends(message, **more)  # type: ignore[arg-type]  # handed through

        world.bot.client.send_message = late  # type: ignore[method-assign, assignment]  # a server that is slow to know
        await ann.client.add_friend("bot")
        assert await ann.answers() == ["Hello", "ann!"]
        assert [round(at - refused[0]) for at in refused] == [0, 1, 2]


@pytest.mark.parametrize(("code", "tries"), [(20009, 11), (20010, 11), (20011, 11), (20012, 1)])
async def test_a_welcome_that_is_refused_is_tried_for_ten_seconds_and_only_where_that_helps(code: int, tries: int) -> None:
    async with World(welcoming()) as world:
        ann = await world.user("ann")
        refused: list[int] = []

        async def never(message: object, **more: object) -> None:
            refused.append(code)
            raise ServerError("send", code)

        world.bot.client.send_message = never  # type: ignore[method-assign, assignment]  # a server that never knows
        await ann.client.add_friend("bot")
        assert await ann.answers() == []
        assert [activity.outcome for activity in world.activity] == ["failed"]
    assert len(refused) == tries
