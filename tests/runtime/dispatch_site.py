"""What the dispatch tests share: a plugin that answers everything, and a group."""

from __future__ import annotations

from timbot import Context, Plugin, Text
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import GroupChanges
from timbot.testing import World


def answering(*reply: object) -> Plugin:
    """A plugin that answers every text with this, whatever it is."""
    bot = Plugin("p")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> object:
        return reply[0]

    return bot


def make_group(world: World, *others: str, name: str = "g") -> str:
    groups = world.sandbox.domain
    groups.groups.create(world.bot_id, GroupType.WORK, GroupChanges(name=name), group_id=name)
    groups.group_members.add(world.bot_id, name, others)
    world.sandbox.flush()
    return name
