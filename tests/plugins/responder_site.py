"""A world with a responder in it, and what its tests have in common."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import JsonValue
from timbot_plugins.responder import bot

from timbot import Context, Plugin, Text
from timbot.im.model.group import GroupType
from timbot.testing import World
from timbot.testing.world import Person

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOURS: dict[str, JsonValue] = {
    "tz": "Asia/Shanghai",
    "open": ["mon-fri 09:00-18:00", "sat 10:00-14:00"],
    "closed": ["2026-12-25", "2026-10-01..2026-10-07"],
    "answer": "We are closed until {{ next_open | strftime('%a %H:%M') }}.",
}


def world(*others: Plugin, **settings: JsonValue) -> World:
    return World(bot, *others, configs={"responder": settings})


def rule(reply: JsonValue, **more: JsonValue) -> JsonValue:
    return {**more, "reply": reply}


async def group_of(world: World, *members: str) -> str:
    """A group of alice's with the bot in it."""
    alice = await world.user("alice")
    await alice.client.create_group(GroupType.WORK, "Den", group_id="den", member_list=["bot", *members])
    await world.settle()
    await alice.answers()
    return "den"


def set_clock(world: World, text: str, zone: ZoneInfo = SHANGHAI) -> None:
    world.clock.set(datetime.fromisoformat(text).replace(tzinfo=zone))


async def heard(person: Person, texts: Sequence[str]) -> list[list[object]]:
    return [list(await person.says(text)) for text in texts]


MENU: JsonValue = {
    "on": ["menu", "菜单", "0"],
    "text": "1 prices, 2 tea, 3 a person",
    "items": {
        "1": ["Green 5.", "Black 6."],
        "2": {"text": "a green, b black", "items": {"a": "Green it is, {{ sender.name }}.", "B": "Black."}},
        "3": {"reply": "Please wait.", "hand_over": True},
    },
}


def other() -> Plugin:
    plugin = Plugin("other")

    @plugin.on_text
    async def anything(_: Context[Text]) -> str:
        return "the other one"

    return plugin


def as_dict(value: JsonValue) -> dict[str, JsonValue]:
    assert isinstance(value, dict)
    return value
