"""A world in which the bot announces things, at half a minute to nine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import JsonValue
from timbot_plugins.announcements import bot

from timbot.im.api.messages import OutgoingMessage
from timbot.runtime.account import AccountRunner
from timbot.runtime.enabled import enable
from timbot.runtime.log import get_log
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import GroupChanges
from timbot.testing import World
from timbot.testing.loop import VirtualLoop

SHANGHAI = ZoneInfo("Asia/Shanghai")
MANY = tuple(f"user{number}" for number in range(20))


def item(**more: JsonValue) -> dict[str, JsonValue]:
    return {"name": "morning", "cron": "0 9 * * *", "text": "Good morning!", **more}


def settings(*items: JsonValue, **more: JsonValue) -> dict[str, JsonValue]:
    return {"items": list(items), "tz": "Asia/Shanghai", **more}


def world(*items: JsonValue, users: tuple[str, ...] = (), **more: JsonValue) -> World:
    """A world at half a minute to nine, on a Monday."""
    set_clock("2026-03-02 08:59:30")
    return World(bot, users=("alice", "bob", *users), configs={"announcements": settings(*items, **more)})


def set_clock(text: str) -> None:
    """What the clock shows in Shanghai."""
    VirtualLoop.running().clock.set(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI))


def found_group(world: World, group_id: str, *members: str) -> None:
    domain = world.sandbox.domain
    domain.groups.create("bot", GroupType.WORK, GroupChanges(name=group_id.title()), group_id=group_id)
    domain.group_members.add("administrator", group_id, members)
    world.sandbox.flush()


async def heard(world: World, user: str) -> list[object]:
    return list(await (await world.user(user)).answers())


def told(world: World, user: str) -> int:
    """How much the bot has said to a user, who need not be there."""
    page = world.sandbox.domain.chats.history(user, "bot", 50)
    return sum(message.sender == "bot" for message in page.messages)


async def noted(world: World) -> dict[str, object]:
    """What is noted of each recipient of the only round."""
    store = world.database.scope("bot", "announcements")
    return {key.rpartition("\n")[2]: await store.get(key) for key in await store.keys("told\n")}


def sending(world: World, instead: Callable[[OutgoingMessage], Any]) -> None:
    """From now on `instead` is asked before each message of the bot's; what it awaits or raises happens first."""
    send = world.bot.client.send_message

    async def send_message(message: OutgoingMessage, *, online_user_only: bool = False) -> object:
        await instead(message)
        return await send(message, online_user_only=online_user_only)

    world.bot.client.send_message = send_message  # type: ignore[method-assign, assignment]  # a server of bad temper


async def restarted(world: World, *items: JsonValue, **more: JsonValue) -> AccountRunner:
    """The bot starts again, with what it has kept."""
    enabled = enable(bot, settings(*items, **more))
    runner = AccountRunner(world._client("bot"), [enabled], get_log(), database=world.database)
    await runner.start()
    await runner.ready.wait()
    return runner
