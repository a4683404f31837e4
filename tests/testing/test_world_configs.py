"""Settings of plugins in a `World`, and worlds that cannot begin."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass

import pytest

from timbot import Context, Plugin, Text
from timbot.config import ConfigErrors
from timbot.errors import ConfigError, PluginError
from timbot.testing import World


@dataclass(frozen=True, slots=True)
class Settings:
    word: str = "hello"


def telling() -> Plugin:
    bot = Plugin("p", config=Settings)

    @bot.on_text
    async def tell(ctx: Context[Text], *, cfg: Settings) -> str:
        return cfg.word

    return bot


@pytest.mark.parametrize(("configs", "said"), [({}, "hello"), ({"p": {}}, "hello"), ({"p": {"word": "hi"}}, "hi")])
async def test_settings(configs: dict[str, dict[str, str]], said: str) -> None:
    async with World(telling(), configs=configs) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == [said]


async def test_bots_beside_have_the_same_settings() -> None:
    bot = telling()
    async with World(bot, configs={"p": {"word": "hi"}}) as world:
        await world.add_bot("other", bot)
        ann = await world.user("ann")
        assert await ann.says("x", to="other") == ["hi"]


@pytest.mark.parametrize("settings", [{"word": 5}, {"wort": "hi"}])
async def test_settings_that_cannot_be(settings: dict[str, str]) -> None:
    before, threads = asyncio.all_tasks(), threading.active_count()
    with pytest.raises(ConfigErrors, match="settings of p: wor"):
        await World(telling(), configs={"p": settings}).__aenter__()
    assert asyncio.all_tasks() == before
    assert threading.active_count() == threads


async def test_settings_for_nobody() -> None:
    with pytest.raises(ConfigError, match=r"settings for q, and there is no such plugin here\. There is p\."):
        await World(telling(), configs={"p": {}, "q": {}}).__aenter__()


async def test_a_world_that_cannot_begin_leaves_nothing() -> None:
    bot = Plugin("p")

    @bot.on_text
    async def wrong(ctx: Context[Text], *, number: int) -> None: ...

    before, threads = asyncio.all_tasks(), threading.active_count()
    with pytest.raises(PluginError, match="nothing of type int"):
        await World(bot).__aenter__()
    assert asyncio.all_tasks() == before
    assert threading.active_count() == threads
