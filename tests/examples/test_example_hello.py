"""The first example does what it says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from timbot import Bot, Custom, Face, GroupNotice
from timbot.im.model.group import JoinStatus
from timbot.im.model.people import AllowType
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import GroupChanges
from timbot.testing import World

FILE = Path(__file__).parents[2] / "examples" / "hello.py"
TOO_MANY = "At most 20 dice with 2 to 1000 sides: /dice 2 6"


@pytest.fixture(scope="module")
def bot() -> Bot:
    spec = importlib.util.spec_from_file_location("example_hello", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Bot = module.bot
    return found


@pytest.mark.parametrize("text", ["hello", "Hi", "你好", " ＨＥＬＬＯ "])
async def test_hello(bot: Bot, text: str) -> None:
    async with World(bot) as world:
        alice = await world.user("alice")
        assert await alice.says(text) == ["Hello, alice! 👋 Try: dice, /dice 2 6"]


async def test_hello_by_nick(bot: Bot) -> None:
    async with World(bot) as world:
        alice = await world.user("alice")
        await alice.client.update_my_profile(nick="Alice")
        assert await alice.says("hi") == ["Hello, Alice! 👋 Try: dice, /dice 2 6"]


async def test_the_word_dice(bot: Bot) -> None:
    async with World(bot) as world:
        alice = await world.user("alice")
        rolled = await alice.burst(["dice"] * 30)
        assert {str(text) for text in rolled} == {f"🎲 {number}" for number in range(1, 7)}


@pytest.mark.parametrize(
    ("command", "count", "sides"),
    [
        ("/dice", 1, 6),
        ("/roll", 1, 6),
        ("/dice 3", 3, 6),
        ("/dice 20 1000", 20, 1000),
        ("/dice 2 6 9", 2, 6),
        ("/dice two 2", 2, 6),
        ("/DICE ２ ６", 2, 6),
    ],
)
async def test_dice(bot: Bot, command: str, count: int, sides: int) -> None:
    async with World(bot) as world:
        alice = await world.user("alice")
        [answer] = await alice.says(command)
    assert isinstance(answer, str)
    assert re.fullmatch(r"🎲 \d+( \+ \d+)* = \d+", answer)
    *rolled, total = map(int, re.findall(r"\d+", answer))
    assert len(rolled) == count
    assert all(1 <= number <= sides for number in rolled)
    assert sum(rolled) == total


@pytest.mark.parametrize("command", ["/dice 0", "/dice 21", "/dice 1 1", "/dice 1 1001", f"/dice {'9' * 5000}"])
async def test_dice_that_cannot_be_rolled(bot: Bot, command: str) -> None:
    async with World(bot) as world:
        alice = await world.user("alice")
        assert await alice.says(command) == [TOO_MANY]


async def test_dice_in_a_group_need_no_mention(bot: Bot) -> None:
    async with World(bot) as world:
        alice = await world.user("alice")
        world.sandbox.domain.groups.create("bot", GroupType.WORK, GroupChanges(name="g"), group_id="g")
        world.sandbox.domain.group_members.add("bot", "g", ["alice"])
        world.sandbox.flush()
        await alice.answers()
        assert len(await alice.says("/dice", group="g")) == 1
        assert await alice.says("hello", group="g") == []
        assert await alice.says("hello", group="g", mention=True) == ["Hello, alice! 👋 Try: dice, /dice 2 6"]


async def test_a_dice_card(bot: Bot) -> None:
    async with World(bot) as world:
        alice = await world.user("alice")
        [card] = await alice.sends(Custom(data="dice"))
        assert isinstance(card, Custom)
        assert (card.data, card.description in "123456") == ("dice", True)
        assert await alice.sends(Custom(data="coin")) == []


async def test_a_friend(bot: Bot) -> None:
    async with World(bot) as world:
        await world.bot.client.update_my_profile(allow_type=AllowType.NEED_CONFIRM)
        alice = await world.user("alice")
        await alice.client.update_my_profile(nick="🎲" * 30)
        assert not await alice.client.add_friend("bot")
        await world.settle()
        friends = world.sandbox.domain.friends._relations.friends_of("bot")
        assert {user: friendship.remark for user, friendship in friends.items()} == {"alice": "🎲" * 20}


@pytest.mark.parametrize(
    ("wording", "told", "welcome"),
    [
        ("I like DICE", "Welcome!", ["Welcome, alice!"]),
        ("let me in", "Please say that you come to play dice.", []),
        ("", "Please say that you come to play dice.", []),
    ],
)
async def test_the_door_of_the_group(bot: Bot, wording: str, told: str, welcome: list[str]) -> None:
    async with World(bot) as world:
        alice = await world.user("alice")
        world.sandbox.domain.groups.create("bot", GroupType.PUBLIC, GroupChanges(name="lobby"), group_id="lobby")
        world.sandbox.flush()
        assert await alice.client.join_group("lobby", apply_message=wording) is JoinStatus.WAIT_APPROVAL
        assert await alice.answers() == welcome
        assert [event.text for event in alice.events if isinstance(event, GroupNotice)] == [told]


@pytest.mark.parametrize(
    ("text", "shown"), [("what?", "what?"), ("/what 1", "/what 1"), ("x" * 200, "x" * 100), ("Ｗhat", "What")]
)
async def test_anything_else(bot: Bot, text: str, shown: str) -> None:
    async with World(bot) as world:
        alice = await world.user("alice")
        assert await alice.says(text) == [f"I do not know '{shown}' yet. Try: hello"]


async def test_a_sticker_is_left_alone(bot: Bot) -> None:
    async with World(bot) as world:
        alice = await world.user("alice")
        assert await alice.sends(Face(1)) == []
