"""dice: who rolls what, where, and within which limits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue
from timbot_plugins import dice
from timbot_plugins.dice import bot

from timbot import Custom, Plugin
from timbot.errors import ConfigError
from timbot.im.model.group import GroupType
from timbot.runtime.assembly import assemble
from timbot.runtime.enabled import enable
from timbot.testing import World
from timbot.testing.world import Said

ROLL = re.compile(r"🎲 (?:(?P<who>\w+), )?(?P<count>\d+)d(?P<sides>\d+): (?P<rolls>\d+(?: \+ \d+)*)(?: = (?P<total>\d+))?")
USAGE = "Try /dice, /dice 2 6 (two dice with six sides), 2d6 or d20."


def world(**settings: JsonValue) -> World:
    return World(bot, configs={"dice": settings})


def rolled(said: list[Said]) -> tuple[int, int, list[int]]:
    """The one roll that was said: how many dice, how many sides, and what they show; the total is checked."""
    assert len(said) == 1, said
    found = ROLL.fullmatch(str(said[0]))
    assert found, said
    rolls = [int(number) for number in found["rolls"].split(" + ")]
    count, sides = int(found["count"]), int(found["sides"])
    assert len(rolls) == count
    assert all(1 <= number <= sides for number in rolls)
    assert found["total"] == (str(sum(rolls)) if count > 1 else None)
    return count, sides, rolls


async def group_of(world: World, group_id: str = "den") -> str:
    alice = await world.user("alice")
    await alice.client.create_group(GroupType.WORK, "Den", group_id=group_id, member_list=["bot"])
    await world.settle()
    await alice.answers()
    return group_id


class TestCards:
    async def test_a_dice_message_is_answered_with_one(self) -> None:
        async with world() as town:
            alice = await town.user("alice")
            [answer] = await alice.sends(Custom("dice", "3", ""))
            assert isinstance(answer, Custom)
            assert (answer.data, answer.extension) == ("dice", "")
            assert answer.description in {"1", "2", "3", "4", "5", "6"}

    async def test_all_six_sides_come_up(self) -> None:
        async with world() as town:
            alice = await town.user("alice")
            shown = set()
            for _ in range(60):
                await asyncio.sleep(2)  # below the loop guard's rate
                [answer] = await alice.sends(Custom("dice"))
                assert isinstance(answer, Custom)
                shown.add(answer.description)
            assert shown == {"1", "2", "3", "4", "5", "6"}

    async def test_other_custom_messages_are_left_alone(self) -> None:
        async with world() as town:
            alice = await town.user("alice")
            assert await alice.sends(Custom("cards", "3", "")) == []


class TestCommands:
    @pytest.mark.parametrize(
        ("text", "count", "sides"),
        [
            ("/dice", 1, 6),
            ("/dice 3", 3, 6),
            ("/dice 2 8", 2, 8),
            ("/roll 2 8", 2, 8),
            ("/DICE 2d8", 2, 8),
            ("/dice D20", 1, 20),
            ("/dice d20", 1, 20),
            ("2d6", 2, 6),
            ("d20", 1, 20),
            (" 2D6 ", 2, 6),
            ("２ｄ６", 2, 6),
            ("/dice 20 1000", 20, 1000),
        ],
    )
    async def test_what_is_rolled(self, text: str, count: int, sides: int) -> None:
        async with world() as town:
            alice = await town.user("alice")
            assert rolled(await alice.says(text))[:2] == (count, sides)

    @pytest.mark.parametrize("text", ["/dice two", "/dice 2 6 3", "/dice -1", "/dice 2d", "/dice 1.5", "/dice 9999999999"])
    async def test_what_cannot_be_read_is_answered_with_the_usage(self, text: str) -> None:
        async with world() as town:
            alice = await town.user("alice")
            assert await alice.says(text) == [USAGE]

    @pytest.mark.parametrize("text", ["/dice 21", "/dice 0", "0d6", "999999999d6"])
    async def test_too_many_dice_or_none(self, text: str) -> None:
        async with world() as town:
            alice = await town.user("alice")
            assert await alice.says(text) == [f"That is not a number of dice I can roll: 1 to 20.\n{USAGE}"]

    @pytest.mark.parametrize("text", ["/dice 1 1001", "d1", "/dice 1 0"])
    async def test_too_many_sides_or_too_few(self, text: str) -> None:
        async with world() as town:
            alice = await town.user("alice")
            assert await alice.says(text) == [f"A dice of mine has 2 to 1000 sides.\n{USAGE}"]

    async def test_the_limits_are_the_operators(self) -> None:
        async with world(max_dice=2, max_sides=6) as town:
            alice = await town.user("alice")
            assert rolled(await alice.says("2d6"))[:2] == (2, 6)
            assert await alice.says("3d6") == [f"That is not a number of dice I can roll: 1 to 2.\n{USAGE}"]
            assert await alice.says("1d7") == [f"A dice of mine has 2 to 6 sides.\n{USAGE}"]

    @pytest.mark.parametrize("text", ["I got 2d6 today", "2d6d8", "d", "2d", "dice"])
    async def test_other_talk_is_left_alone(self, text: str) -> None:
        async with world() as town:
            alice = await town.user("alice")
            assert await alice.says(text) == []


@given(st.text(max_size=20) | st.from_regex(r"\A\d{0,12}[dD]?\d{0,12}\Z"))
def test_words_are_read_or_not_but_never_too_large(text: str) -> None:
    asked = dice._read((text,))
    assert asked is None or all(0 <= number < 10**9 for number in asked)


class TestGroups:
    async def test_commands_and_cards_need_no_mention(self) -> None:
        async with world() as town:
            den, alice = await group_of(town), await town.user("alice")
            assert rolled(await alice.says("/dice 2 6", group=den))[:2] == (2, 6)
            [answer] = await alice.sends(Custom("dice"), group=den)
            assert isinstance(answer, Custom)

    async def test_the_answer_says_who_rolled(self) -> None:
        async with world() as town:
            den, alice = await group_of(town), await town.user("alice")
            [answer] = await alice.says("d20", group=den, mention=True)
            assert str(answer).startswith("🎲 alice, 1d20: ")

    async def test_notation_needs_a_mention(self) -> None:
        async with world() as town:
            den, alice = await group_of(town), await town.user("alice")
            assert await alice.says("d20", group=den) == []

    async def test_mentioned_has_commands_wait_for_a_mention(self) -> None:
        async with world(groups="mentioned") as town:
            den, alice = await group_of(town), await town.user("alice")
            assert await alice.says("/dice", group=den) == []
            assert await alice.sends(Custom("dice"), group=den) == []
            assert rolled(await alice.says("/dice", group=den, mention=True))[:2] == (1, 6)
            assert rolled(await alice.says("/dice"))[:2] == (1, 6)

    async def test_never_keeps_dice_out_of_groups_only(self) -> None:
        async with world(groups="never") as town:
            den, alice = await group_of(town), await town.user("alice")
            assert await alice.says("/dice", group=den, mention=True) == []
            assert await alice.says("d20", group=den, mention=True) == []
            assert await alice.sends(Custom("dice"), group=den) == []
            assert rolled(await alice.says("d20"))[:2] == (1, 20)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"max_dice": 0}, "settings of dice: max_dice: at least 1 is needed"),
        ({"max_sides": 1}, "settings of dice: max_sides: at least 2 is needed"),
        ({"max_dices": 3}, "settings of dice: max_dices: there is no such key; did you mean max_dice?"),
        ({"groups": "often"}, "settings of dice: groups: one of always, mentioned or never is needed"),
    ],
)
def test_wrong_settings_are_named(settings: Mapping[str, JsonValue], problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)):
        enable(bot, settings)


async def test_an_operators_templates_count_instead_of_the_plugins(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "dice"
    folder.mkdir(parents=True)
    folder.joinpath("rolled.j2").write_text("{{ sender.name }}掷出了 {{ total }} 点", encoding="utf-8")
    config = tmp_path / "bot.yaml"
    config.write_text("accounts: [{user_id: bot}]\nplugins: [dice]\n", encoding="utf-8")
    [enabled] = assemble(config).plugins["bot"]
    said = enabled.templates.get("rolled.j2").render(sender={"name": "小明"}, group="", count=1, sides=6, rolls=[4], total=4)
    assert said == "小明掷出了 4 点"
    assert isinstance(enabled.plugin, Plugin)
    assert "usage.j2" in enabled.templates.names()
