"""responder: a person takes a conversation over, and what the bot remembers of people."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import JsonValue
from responder_site import MENU, as_dict, group_of, other, rule, world
from timbot_plugins.responder import bot

from timbot import Context, OwnMessage, Plugin
from timbot.im.wire.elements import TextElem, seal_element
from timbot.testing import World

HAND_OVER = rule(["A colleague will be with you.", "Please wait."], keywords=["person", "人工"], hand_over=True)


class TestHandOver:
    async def test_the_bot_keeps_quiet_in_that_conversation_for_a_while(self) -> None:
        async with world(other(), rules=[HAND_OVER], fallback="?", quiet="30m") as town:
            alice, bob = await town.user("alice"), await town.user("bob")
            assert await alice.says("a person please") == ["A colleague will be with you.", "Please wait."]
            assert await alice.says("人工") == ["the other one"]  # the rest of the bot is not silenced
            assert await bob.says("hi") == ["?"]
            await asyncio.sleep(1750)
            assert await alice.says("hi") == ["the other one"]
            await asyncio.sleep(60)
            assert await alice.says("hi") == ["?"]

    async def test_a_message_that_waits_for_a_person_stays_unread(self) -> None:
        async with world(rules=[HAND_OVER]) as town:
            alice = await town.user("alice")
            await alice.says("person")
            await asyncio.sleep(5)
            before = len(alice.events)
            assert await alice.says("are you there?") == []
            await asyncio.sleep(5)
            assert [type(event).__name__ for event in alice.events[before:]] == []

    async def test_in_a_group_it_is_the_groups_conversation(self) -> None:
        async with world(rules=[HAND_OVER], fallback="?") as town:
            den = await group_of(town, "bob")
            alice, bob = await town.user("alice"), await town.user("bob")
            await alice.says("person", group=den, mention=True)
            await bob.answers()
            assert await bob.says("hi", group=den, mention=True) == []
            assert await bob.says("hi") == ["?"]

    async def test_the_staff_is_told(self) -> None:
        staff: JsonValue = {"users": ["bob"], "groups": ["den"], "text": "{{ sender.id }} wants a person: {{ text }}"}
        async with world(rules=[HAND_OVER], staff=staff) as town:
            await group_of(town, "bob")
            alice, bob = await town.user("alice"), await town.user("bob")
            await alice.says("person!")
            told = [message.text for message in bob.received() if message.text]
            assert told == ["alice wants a person: person!"] * 2
            assert {message.conversation_type.value for message in bob.received() if message.text} == {"C2C", "GROUP"}

    async def test_staff_that_cannot_be_told_keeps_nobody_else_from_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        staff: JsonValue = {"users": ["nobody", "bob"], "groups": ["no-group"], "text": "{{ sender.id }}"}
        async with world(rules=[HAND_OVER], staff=staff) as town:
            alice, bob = await town.user("alice"), await town.user("bob")
            assert await alice.says("person") == ["A colleague will be with you.", "Please wait."]
            assert await bob.answers() == ["alice"]
            assert await alice.says("hi") == []
        assert capsys.readouterr().out.count("staff not told") == 2


async def write_as_the_bot(world: World, text: str, to: str, *, group: bool = False) -> None:
    """What a colleague writes who is logged in as the bot's own account: the server tells the bot of it."""
    random = world.chance.randrange(1, 2**31)
    body = [seal_element(TextElem(text=text))]
    domain = world.sandbox.domain
    if group:
        domain.group_messages.send("bot", to, body, size=len(text), random=random)
    else:
        domain.chats.send("bot", to, body, size=len(text), sequence=1, random=random)
    world.sandbox.flush()
    await world.settle()


class TestSteppingBack:
    async def test_the_bot_keeps_quiet_where_a_colleague_writes(self) -> None:
        async with world(fallback="?") as town:
            alice, bob = await town.user("alice"), await town.user("bob")
            await write_as_the_bot(town, "I am Carol, how can I help?", "alice")
            assert await alice.says("oh hello") == ["I am Carol, how can I help?"]
            assert await bob.says("hi") == ["?"]
            await asyncio.sleep(1000)
            await write_as_the_bot(town, "Done.", "alice")
            assert await alice.says("thanks") == ["Done."]
            await asyncio.sleep(1000)
            assert await alice.says("thanks") == []
            await asyncio.sleep(1000)
            assert await alice.says("thanks") == ["?"]

    async def test_in_a_group_too(self) -> None:
        async with world(fallback="?") as town:
            den, alice = await group_of(town), await town.user("alice")
            await write_as_the_bot(town, "I am Carol.", den, group=True)
            assert await alice.says("hi", group=den, mention=True) == ["I am Carol."]
            assert await alice.says("hi") == ["?"]

    async def test_what_the_bot_says_itself_is_no_colleague(self) -> None:
        async with world(fallback="?") as town:
            alice = await town.user("alice")
            assert await alice.says("one") == ["?"]
            town.cut()
            await asyncio.sleep(30)
            assert await alice.says("two") == ["?"]

    async def test_a_short_word_does_not_end_a_longer_quiet(self) -> None:
        async with world(rules=[HAND_OVER], fallback="?") as town:
            alice = await town.user("alice")
            await alice.says("person")
            await asyncio.sleep(5)
            await write_as_the_bot(town, "Hello.", "alice")
            await alice.answers()
            await asyncio.sleep(1790)
            assert await alice.says("hi") == []

    async def test_it_can_be_switched_off(self) -> None:
        async with world(fallback="?", step_back=False) as town:
            alice = await town.user("alice")
            await write_as_the_bot(town, "I am Carol.", "alice")
            assert await alice.says("oh hello") == ["I am Carol.", "?"]

    async def test_other_plugins_see_the_message_too(self) -> None:
        seen: list[str] = []
        watcher = Plugin("watcher")

        @watcher.on_own_message
        async def note(ctx: Context[OwnMessage]) -> None:
            seen.append(ctx.payload.message.text)

        async with world(watcher, fallback="?") as town:
            await town.user("alice")
            await write_as_the_bot(town, "I am Carol.", "alice")
            assert seen == ["I am Carol."]


class TestMemory:
    async def test_what_is_over_is_forgotten_within_the_hour_and_the_rest_kept(self) -> None:
        menu = {**as_dict(MENU), "forget_after": "3h"}
        async with world(menu=menu, fallback="?", fallback_once_per="1m") as town:
            alice, bob = await town.user("alice"), await town.user("bob")
            await alice.says("menu")
            await alice.says("what")
            await bob.says("menu")
            await bob.says("3")
            store = town.database.scope("bot", "responder")
            assert [key.split("\n")[0] for key in await store.keys()] == ["menu", "menu", "quiet", "said"]
            await asyncio.sleep(3700)
            assert [key.split("\n")[0] for key in await store.keys()] == ["menu", "menu"]
            await asyncio.sleep(4 * 3600)
            assert await store.keys() == []

    async def test_it_survives_a_restart(self) -> None:
        async with world(menu=MENU, fallback="?") as town:
            alice, bob = await town.user("alice"), await town.user("bob")
            await alice.says("menu")
            await bob.says("menu")
            await bob.says("3")
            await town.bot.stop()
            await town.add_bot("bot", bot)
            assert await alice.says("1") == ["Green 5.", "Black 6."]
            assert await bob.says("hi") == []

    async def test_a_place_in_a_menu_that_is_gone_is_no_place(self) -> None:
        async with world(menu=MENU, fallback="?") as town:
            alice = await town.user("alice")
            store = town.database.scope("bot", "responder")
            await alice.says("menu")
            [key] = await store.keys()
            await store.set(key, {"until": town.clock.now() + 100, "path": ["2", "gone"]})
            assert await alice.says("a") == ["?"]
