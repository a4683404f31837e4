"""What the intake cannot bear ends the login with an error: it never leaves a bot that is online and deaf."""

from __future__ import annotations

import asyncio

import pytest

from timbot import Plugin, Text
from timbot.testing import World


async def test_a_defect_in_the_intake_is_raised_to_whoever_waits_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("a defect")

    async with World(Plugin("p")) as world:
        ann = await world.user("ann")
        monkeypatch.setattr(world.bot._occasions, "of", broken)
        await ann.send(Text("x"))
        with pytest.raises(ValueError, match="a defect"):
            async with asyncio.timeout(60):
                await world.bot.ended()
