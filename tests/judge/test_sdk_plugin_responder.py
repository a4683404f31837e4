"""responder, and the official SDK in the other seats: customers, group members, a colleague at the bot's own account."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest
from pydantic import JsonValue
from timbot_plugins.responder import bot

from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import resolve
from timbot.runtime.account import AccountRunner
from timbot.runtime.enabled import enable
from timbot.runtime.log import get_log
from timbot.sandbox import Settings
from timbot.store import Database

from .sdk import Generation
from .seat import Seat
from .town import KEY, Town, make_group, open_town

pytestmark = pytest.mark.judge

SETTINGS: dict[str, JsonValue] = {
    "variables": {"shop": "Nine Dragons Tea"},
    "menu": {
        "on": ["menu", "菜单"],
        "text": "1 prices\n2 a person",
        "items": {"1": ["Green tea 5.", "Black tea 6. 🍵"], "2": {"reply": "A colleague will be with you.", "hand_over": True}},
    },
    "rules": [
        {"keywords": ["refund", "退款"], "reply": "Hello {{ sender.name }}, refunds take 5 days. {{ shop }}"},
        {"regex": r"order\s*#?(?P<number>\d+)", "reply": ["We look up order {{ number }}.", "A person will come back to you."]},
        {"exact": ["hi", "你好"], "where": "group", "reply": "Hello everybody"},
    ],
    "fallback": "Sorry? Try: menu",
    "staff": {"users": ["carol"], "text": "{{ sender.id }} wants a person"},
}


@pytest.fixture
async def town(generation: Generation) -> AsyncIterator[Town]:
    async with open_town(Settings(instances=2), generation) as town:
        account = Account(town.sandbox.sdk_app_id, "bot", from_secret_key(town.sandbox.sdk_app_id, KEY))
        client = Client(account, endpoint=resolve(f"ws://127.0.0.1:{town.port}"), chance=random.Random(1))
        database = await Database.memory()
        runner = AccountRunner(client, [enable(bot, SETTINGS)], get_log(), database=database)
        await runner.start()
        try:
            await runner.ready.wait()
            yield town
        finally:
            await runner.stop(grace=1.0)
            await database.close()


async def answers(seat: Seat, count: int) -> list[str]:
    """The next things the bot's account says."""
    heard = [await seat.expect_message(lambda message: message["from"] == "bot") for _ in range(count)]
    return [message["payload"]["text"] for message in heard]


async def test_a_customer_is_answered_by_rules(town: Town) -> None:
    alice = await town.enter("alice")
    await alice.call("updateMyProfile", {"nick": "Alice {{ 7*7 }}"})
    await alice.send_text("bot", "我要退款")
    assert await answers(alice, 1) == ["Hello Alice {{ 7*7 }}, refunds take 5 days. Nine Dragons Tea"]
    await alice.send_text("bot", "where is Order #１２３４?")
    assert await answers(alice, 2) == ["We look up order 1234.", "A person will come back to you."]
    await alice.send_text("bot", "what?")
    assert await answers(alice, 1) == ["Sorry? Try: menu"]


async def test_the_menu(town: Town) -> None:
    alice = await town.enter("alice")
    await alice.send_text("bot", "菜单")
    assert await answers(alice, 1) == ["1 prices\n2 a person"]
    await alice.send_text("bot", "1")
    assert await answers(alice, 2) == ["Green tea 5.", "Black tea 6. 🍵"]


async def test_in_a_group_who_mentions_the_bot_is_answered(town: Town) -> None:
    alice, bob = await town.enter("alice"), await town.enter("bob")
    den = await make_group(alice, "Private", "bot", "bob")
    await alice.send_text(den, "hi", group=True)
    await alice.send_text(den, "@bot 你好！", group=True, at=["bot"])
    assert await answers(bob, 1) == ["Hello everybody"]
    await bob.send_text(den, "@bot refund?", group=True, at=["bot"])
    assert await answers(bob, 1) == ["Hello bob, refunds take 5 days. Nine Dragons Tea"]
    assert await answers(alice, 2) == ["Hello everybody", "Hello bob, refunds take 5 days. Nine Dragons Tea"]


async def test_a_hand_over_tells_the_staff_and_leaves_the_conversation_to_them(town: Town) -> None:
    alice, bob, carol = await town.enter("alice"), await town.enter("bob"), await town.enter("carol")
    for text in ("menu", "2"):
        await alice.send_text("bot", text)
    assert await answers(alice, 2) == ["1 prices\n2 a person", "A colleague will be with you."]
    assert await answers(carol, 1) == ["alice wants a person"]
    waiting = await alice.send_text("bot", "refund?")
    await bob.send_text("bot", "refund?")
    assert await answers(bob, 1) == ["Hello bob, refunds take 5 days. Nine Dragons Tea"]
    assert [message["payload"]["text"] for message in alice.messages()][2:] == []
    read = [message["ID"] for event in alice.events if event.name == "onMessageReadByPeer" for message in event.data]
    assert waiting["ID"] not in read


async def test_where_a_colleague_writes_from_the_same_account_the_bot_steps_back(town: Town) -> None:
    alice, bob = await town.enter("alice"), await town.enter("bob")
    colleague = await town.enter("colleague", "bot")
    await colleague.send_text("alice", "I am Carol, how can I help?")
    assert await answers(alice, 1) == ["I am Carol, how can I help?"]
    await alice.send_text("bot", "refund?")
    await colleague.expect_message(text="refund?")
    await bob.send_text("bot", "refund?")
    assert await answers(bob, 1) == ["Hello bob, refunds take 5 days. Nine Dragons Tea"]
    assert len(alice.messages()) == 1
