"""A live room keeps no history: a lost answer is settled by saying the same thing again under its random."""

from __future__ import annotations

import pytest
from outbox_site import Voice

from timbot.im.model.message import ConversationType
from timbot.im.model.payloads import Text
from timbot.im.wire.commands import groups
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import GroupChanges
from timbot.testing import World


def sends(frame: bytes) -> bool:
    return groups.SEND.name.encode() in frame


@pytest.mark.parametrize(("moment", "direction"), [("before", "to_server"), ("before", "to_client")])
async def test_a_lost_answer_leaves_exactly_one_copy(moment: str, direction: str) -> None:
    async with World() as world:
        world.sandbox.domain.groups.create("bot", GroupType.AV_CHAT_ROOM, GroupChanges(name="live"), group_id="live")
        world.sandbox.flush()
        ann = await world.user("ann")
        await ann.client.join_group("live")
        await ann.answers()
        outbox, client = Voice(world), world.bot.client
        world.faults.cut_when(sends, moment, direction=direction)  # type: ignore[arg-type]  # one of their literals
        await outbox.send(client.create_message("live", ConversationType.GROUP, Text("x")))
        assert await ann.answers() == ["x"]
