"""announcements, and the official SDK in the other seats: what is announced arrives in C2C and in groups."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from pydantic import JsonValue
from timbot_plugins.announcements import bot

from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import resolve
from timbot.runtime.account import AccountRunner
from timbot.runtime.enabled import enable
from timbot.runtime.log import get_log
from timbot.sandbox import Settings
from timbot.store import Database

from .sdk import Generation
from .town import KEY, Door, Town, befriend, history, make_group, open_town, settled, texts

pytestmark = [pytest.mark.judge, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def town(generation: Generation, door: Door) -> AsyncIterator[Town]:
    async with open_town(Settings(), generation, door) as town:
        yield town


def soon(**more: JsonValue) -> dict[str, JsonValue]:
    """An announcement to be made in a second."""
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    return {"items": [{"name": "tea", "at": at.isoformat(), **more}]}


async def start(town: Town, settings: dict[str, JsonValue], database: Database) -> AccountRunner:
    account = Account(town.sandbox.sdk_app_id, "bot", from_secret_key(town.sandbox.sdk_app_id, KEY))
    client = Client(account, endpoint=resolve(f"ws://127.0.0.1:{town.port}"), chance=random.Random(1))
    runner = AccountRunner(client, [enable(bot, settings)], get_log(), database=database)
    await runner.start()
    await runner.ready.wait()
    return runner


async def test_it_arrives_in_groups_and_in_c2c(town: Town) -> None:
    alice, bob = await town.enter("alice"), await town.enter("bob")
    await bob.call("updateMyProfile", {"nick": "鲍勃 <b>"})
    town.sandbox.domain.accounts.ensure("bot")
    den = await make_group(alice, "Private", "bot")
    words: JsonValue = ["茶 🍵 for {{ recipient.name }}", "It is {{ now | strftime('%Z') }}"]
    settings = soon(text=words, groups=[den], users=["bob", "nobody"], priority="high")
    async with await Database.memory() as database:
        runner = await start(town, settings, database)
        try:
            in_group = [await alice.expect_message(lambda message: message["type"] == "TIMTextElem") for _ in range(2)]
            in_c2c = [await bob.expect_message(lambda message: message["type"] == "TIMTextElem") for _ in range(2)]
        finally:
            await runner.stop(grace=5.0)
    assert [message["payload"]["text"] for message in in_group] == ["茶 🍵 for Den", "It is UTC"]
    assert {(message["from"], message["conversationID"], message["priority"]) for message in in_group} == {
        ("bot", f"GROUP{den}", "High")
    }
    assert [message["payload"]["text"] for message in in_c2c] == ["茶 🍵 for 鲍勃 <b>", "It is UTC"]
    assert {(message["from"], message["conversationID"]) for message in in_c2c} == {("bot", "C2Cbot")}
    await settled(bob)


async def test_it_arrives_at_all_friends(town: Town) -> None:
    alice, bob = await town.enter("alice"), await town.enter("bob")
    person = await town.enter("bot")
    await befriend(alice, person)
    await alice.expect("onFriendListUpdated", lambda data: data != [])
    await person.call("updateMyProfile", {"nick": "Tea house"})
    await settled(person)
    await person.logout()
    async with await Database.memory() as database:
        runner = await start(town, soon(text="Dear {{ recipient.id }}", friends=True), database)
        try:
            heard = await alice.expect_message(text="Dear alice")
        finally:
            await runner.stop(grace=5.0)
    assert (heard["from"], heard["nick"]) == ("bot", "Tea house")
    assert await history(bob, "C2Cbot") == []


async def test_after_a_restart_in_the_middle_each_has_it_once(town: Town) -> None:
    alice, bob, carol = [await town.enter(name) for name in ("alice", "bob", "carol")]
    settings = {**soon(text="Once.", users=["alice", "bob", "carol"]), "per_second": 2}
    async with await Database.memory() as database:
        runner = await start(town, settings, database)
        await alice.expect_message(text="Once.")
        await runner.stop(grace=0.0)
        runner = await start(town, settings, database)
        try:
            for seat in (bob, carol):
                await seat.expect_message(text="Once.")
        finally:
            await runner.stop(grace=5.0)
    for seat in (alice, bob, carol):
        assert texts(await history(seat, "C2Cbot")) == ["Once."]
