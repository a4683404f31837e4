"""The pages of dice and responder: their configurations load, their dialogues happen, their tables are complete."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from responder_site import set_clock
from timbot_plugins import dice, responder
from timbot_plugins.dice import Settings as DiceSettings
from timbot_plugins.responder.settings import Settings as ResponderSettings

from timbot import Plugin
from timbot.runtime.assembly import Assembly, assemble
from timbot.testing import World

DOCS = Path(__file__).parents[2] / "docs" / "plugins"
PAGES = {"dice": DOCS.joinpath("dice.md").read_text("utf-8"), "responder": DOCS.joinpath("responder.md").read_text("utf-8")}


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGES[page], re.MULTILINE | re.DOTALL)


def load(page: str, number: int, folder: Path) -> Assembly:
    config = folder / "bot.yaml"
    config.write_text(blocks(page, "yaml")[number], encoding="utf-8")
    return assemble(config)


def turns(dialogue: str) -> list[tuple[str, list[str]]]:
    """What alice says, each with what the bot answers."""
    found: list[tuple[str, list[str]]] = []
    for line in dialogue.splitlines():
        who, text = line[:7].strip(), line[7:]
        if who == "alice:":
            found.append((text, []))
        elif who == "bot:":
            found[-1][1].append(text)
        else:
            found[-1][1][-1] += f"\n{text}"
    return found


@pytest.mark.parametrize(("page", "number"), [("dice", 0), ("dice", 1), ("responder", 0), ("responder", 1)])
def test_a_configuration_loads(page: str, number: int, tmp_path: Path) -> None:
    [enabled] = load(page, number, tmp_path).plugins["bot"]
    assert enabled.plugin.name == page
    assert len(blocks(page, "yaml")) == 2


@pytest.mark.parametrize(("number", "time"), [(0, "2026-01-06 12:00"), (1, "2026-01-06 20:00")])
async def test_the_responders_dialogues_happen(number: int, time: str, tmp_path: Path) -> None:
    settings = load("responder", 0, tmp_path).config.plugins[0].settings
    async with World(responder.bot, configs={"responder": settings or {}}) as world:
        set_clock(world, time)
        alice = await world.user("alice")
        for text, answers in turns(blocks("responder", "text")[number]):
            assert await alice.says(text) == answers, text


async def test_dice_fall_as_the_page_says_but_for_chance() -> None:
    async with World(dice.bot) as world:
        alice = await world.user("alice")
        for text, answers in turns(blocks("dice", "text")[0]):
            said = [str(answer) for answer in await alice.says(text)]
            if text != "/dice 100":
                said, answers = ([re.sub(r"(?<=[:+=] )\d+", "N", line) for line in lines] for lines in (said, answers))
            assert said == answers, text


@pytest.mark.parametrize(("name", "number"), [("rolled.j2", 0), ("usage.j2", 1)])
def test_the_chinese_templates_fit(name: str, number: int, tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "dice"
    folder.mkdir(parents=True)
    folder.joinpath(name).write_text(blocks("dice", "jinja")[number], encoding="utf-8")
    [enabled] = load("dice", 0, tmp_path).plugins["bot"]
    values: Mapping[str, object] = {
        "sender": {"name": "小明"},
        "group": "den",
        "count": 2,
        "sides": 6,
        "rolls": [5, 4],
        "total": 9,
    }
    said = enabled.templates.get(name).render(**values, wrong="dice", max_dice=20, max_sides=1000)
    assert (
        said
        == [
            "🎲 小明掷出 5、4，共 9 点",
            "一次最多掷 20 个骰子。\n试试 /dice、/dice 2 6（两个六面骰子）、2d6 或 d20。",
        ][number]
    )


def keys(schema: dict[str, Any], node: dict[str, Any], prefix: str = "") -> set[str]:
    """The settings, dotted; lists are looked into, menus below menus are not."""
    found: set[str] = set()
    for name, value in node.get("properties", {}).items():
        found.add(f"{prefix}{name}")
        for inner in (value, value.get("items", {}), *value.get("anyOf", ())):
            named = str(inner.get("$ref", "")).rpartition("/")[2]
            if named not in ("", "TemplateFile"):
                found |= keys(schema, schema["$defs"][named], f"{prefix}{name}.")
    return found


@pytest.mark.parametrize(
    ("page", "kind", "plugin"), [("dice", DiceSettings, dice.bot), ("responder", ResponderSettings, responder.bot)]
)
def test_the_table_of_settings_is_complete(page: str, kind: type, plugin: Plugin) -> None:
    assert plugin.config is kind
    table = PAGES[page].split("## Settings")[1].split("\n## ")[0]
    schema = TypeAdapter(kind).json_schema()
    assert set(re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE)) == keys(schema, schema)
