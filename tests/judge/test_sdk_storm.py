"""Two official SDKs hold a long talk with a bot whose connection breaks again and again.

The cuts come at moments a seed decides, most of them between a send and its answer: where the server never had the message,
or where it had and only the answer was lost. Judged by the server's own store and by the SDK's history: nothing lost,
nothing doubled, nothing out of order.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from timbot import Bot, Context, Text
from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import resolve
from timbot.im.session import Timing
from timbot.im.wire.commands import c2c
from timbot.im.wire.elements import Element, TextElem, open_element
from timbot.runtime.account import AccountRunner
from timbot.runtime.dispatcher import Options
from timbot.runtime.log import get_log
from timbot.sandbox import Settings
from timbot.sandbox.domain import Domain

from .cutting import CuttingTransport
from .sdk import V2_14, V2_27, Generation, Message, Seat
from .town import KEY, Town, open_town, texts

pytestmark = [pytest.mark.judge, pytest.mark.timeout(300)]

SEED = 20260105
USERS = ("alice", "bob")

bot = Bot("echo")


@bot.on_text
async def echo(ctx: Context[Text]) -> str:
    return f"re {ctx.text}"


@pytest.mark.parametrize(
    ("generation", "messages", "kinds"),
    [
        # Beyond what the queue for those away holds.
        pytest.param(V2_14, 1000, ["request lost"] * 3 + ["answer lost"] * 3 + ["idle"] * 4, id="2.14.0"),
        # The storm is the bot's, and a newer SDK has only to see the same. A lost request alone costs 15 seconds.
        pytest.param(V2_27, 200, ["answer lost", "idle"], id="2.27.6"),
    ],
)
async def test_nothing_is_lost_doubled_or_out_of_order(generation: Generation, messages: int, kinds: list[str]) -> None:
    async with open_town(Settings(), generation) as town:
        network = CuttingTransport()
        account = Account(town.sandbox.sdk_app_id, "bot", from_secret_key(town.sandbox.sdk_app_id, KEY))
        endpoint = resolve(f"ws://127.0.0.1:{town.port}")
        timing = Timing(stable=0.5)  # ten cuts in a minute are weather here, no reason to stay away longer each time
        client = Client(account, endpoint=endpoint, transport=network, chance=random.Random(SEED), timing=timing)
        runner = AccountRunner(client, [bot], get_log(), Options(loop_guard=0))
        await runner.start()
        try:
            await runner.ready.wait()
            await storm(town, network, messages, kinds)
        finally:
            await runner.stop()
        for user in USERS:
            assert from_the_store(town.sandbox.domain, user) == {
                "said": [f"{user} {number}" for number in range(messages)],
                "answered": [f"re {user} {number}" for number in range(messages)],
            }


async def storm(town: Town, network: CuttingTransport, messages: int, kinds: list[str]) -> None:
    seats = [await town.enter(user) for user in USERS]
    chance = random.Random(SEED)
    moments = sorted(chance.sample(range(messages // 20, messages - messages // 20), len(kinds)))
    plan = dict(zip(moments, chance.sample(kinds, len(kinds)), strict=True))

    async def talk(seat: Seat, ahead: int) -> None:
        """Say everything, at most `ahead` messages before the answers."""
        for number in range(messages):
            if seat is seats[0] and number in plan:
                strike(network, plan[number])
            if number >= ahead:
                await seat.expect_message(text=f"re {seat.user_id} {number - ahead}", timeout=120)
            await seat.send_text("bot", f"{seat.user_id} {number}")

    # One waits for answers now and then; the other talks on.
    await asyncio.gather(talk(seats[0], ahead=20), talk(seats[1], ahead=messages))
    for seat in seats:
        await seat.expect_message(text=f"re {seat.user_id} {messages - 1}", timeout=120)
    assert sorted(network.cuts) == sorted(kinds)
    for seat in seats:
        heard = [message["payload"]["text"] for message in seat.messages()]
        assert heard == [f"re {seat.user_id} {number}" for number in range(messages)]
        listed = texts(await whole_history(await town.fresh(seat.user_id)))  # one that has it all from the server
        assert [text for text in listed if text.startswith("re ")] == heard
        assert len(listed) == 2 * messages


def strike(network: CuttingTransport, kind: str) -> None:
    if kind == "idle":
        network.cut()
    else:
        network.arm(kind, lambda frame: c2c.SEND.name.encode() in frame)


async def whole_history(seat: Seat) -> list[Message]:
    """Everything between the seat and the bot, oldest first, page by page by the SDK."""
    found: list[Message] = []
    position: dict[str, Any] = {}
    while True:
        page = await seat.call("getMessageList", {"conversationID": "C2Cbot", "count": 15, **position})
        found[:0] = page["messageList"]
        if page["isCompleted"]:
            return found
        position = {"nextReqMessageID": page["nextReqMessageID"]}


def from_the_store(domain: Domain, user: str) -> dict[str, list[str]]:
    """What the server has of a conversation, by who wrote it, oldest first."""
    found: dict[str, list[str]] = {"said": [], "answered": []}
    key = None
    while True:
        page = domain.chats.history(user, "bot", 100, key=key)
        for side in found:
            sender = user if side == "said" else "bot"
            found[side][:0] = [text_of(message.body) for message in page.messages if message.sender == sender]
        if page.complete:
            return found
        key = page.key


def text_of(body: object) -> str:
    assert isinstance(body, list | tuple)
    element: Element = body[0]
    content = open_element(element)
    assert isinstance(content, TextElem)
    return content.text
