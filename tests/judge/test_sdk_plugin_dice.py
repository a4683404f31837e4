"""dice, and the official SDK in the other seat: the vendor's own dice message is answered, in C2C and in a group."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest
from timbot_plugins.dice import bot

from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import resolve
from timbot.runtime.account import AccountRunner
from timbot.runtime.enabled import enable
from timbot.runtime.log import get_log
from timbot.sandbox import Settings

from .sdk import Generation
from .seat import Message, Seat
from .town import KEY, Town, make_group, open_town

pytestmark = pytest.mark.judge

SIDES = {"1", "2", "3", "4", "5", "6"}


@pytest.fixture
async def town(generation: Generation) -> AsyncIterator[Town]:
    async with open_town(Settings(), generation) as town:
        account = Account(town.sandbox.sdk_app_id, "bot", from_secret_key(town.sandbox.sdk_app_id, KEY))
        client = Client(account, endpoint=resolve(f"ws://127.0.0.1:{town.port}"), chance=random.Random(1))
        runner = AccountRunner(client, [enable(bot, {"max_dice": 5})], get_log())
        await runner.start()
        try:
            await runner.ready.wait()
            yield town
        finally:
            await runner.stop(grace=1.0)


async def answer(seat: Seat) -> Message:
    return await seat.expect_message(lambda message: message["from"] == "bot" and message["type"] != "TIMGroupTipElem")


async def roll(seat: Seat, to: str, *, group: bool = False) -> Message:
    """What the vendor's documentation does: data 'dice', the outcome as a text, an empty extension."""
    await seat.send_custom(to, "dice", str(random.randint(1, 6)), "", group=group)
    return await answer(seat)


async def test_the_dice_message_of_the_documentation_is_answered_with_a_roll(town: Town) -> None:
    alice = await town.enter("alice")
    rolled = await roll(alice, "bot")
    assert (rolled["type"], rolled["conversationID"]) == ("TIMCustomElem", "C2Cbot")
    assert (rolled["payload"]["data"], rolled["payload"]["extension"]) == ("dice", "")
    assert rolled["payload"]["description"] in SIDES


async def test_in_a_group_everybody_sees_the_same_roll(town: Town) -> None:
    alice, bob = await town.enter("alice"), await town.enter("bob")
    den = await make_group(alice, "Private", "bot", "bob")
    rolled = await roll(alice, den, group=True)
    assert rolled["payload"]["description"] in SIDES
    assert (await answer(bob))["payload"] == rolled["payload"]


@pytest.mark.parametrize(("text", "begins"), [("/dice 2 6", "🎲 2d6: "), ("/roll", "🎲 1d6: "), ("d20", "🎲 1d20: ")])
async def test_dice_by_command_and_notation(town: Town, text: str, begins: str) -> None:
    alice = await town.enter("alice")
    await alice.send_text("bot", text)
    assert (await answer(alice))["payload"]["text"].startswith(begins)


async def test_a_command_in_a_group_says_who_rolled(town: Town) -> None:
    alice = await town.enter("alice")
    den = await make_group(alice, "Private", "bot")
    await alice.send_text(den, "/dice 2 6", group=True)
    assert (await answer(alice))["payload"]["text"].startswith("🎲 alice, 2d6: ")


async def test_the_operators_limit_holds(town: Town) -> None:
    alice = await town.enter("alice")
    await alice.send_text("bot", "6d6")
    assert (await answer(alice))["payload"]["text"].startswith("That is not a number of dice I can roll: 1 to 5.\nTry /dice")
