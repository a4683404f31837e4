"""The blocks of the page about plugins are run, one after the other, as is the plugin of the README."""

from __future__ import annotations

import re
import sys
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest

import timbot.fields
from timbot import (
    Context,
    ConversationType,
    Custom,
    Face,
    File,
    FriendRequest,
    GroupJoinRequest,
    GroupType,
    Image,
    Job,
    Location,
    Merger,
    MessageRevoked,
    Plugin,
    Sound,
    Text,
    Video,
)
from timbot.cli import exits, main
from timbot.im.model.events import Event
from timbot.im.model.payloads import SENDABLE, Picture, UnknownPayload
from timbot.im.wire.value import Raw
from timbot.testing import World

ROOT = Path(__file__).parents[2]


def blocks(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Where the blocks run: dataclasses look for the module they are made in."""
    made = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", made)
    return made


def execute(page: Path, module: ModuleType) -> dict[str, Any]:
    for block in blocks(page):
        exec(compile(block, str(page), "exec"), vars(module))
    return vars(module)


PLUGINS = ROOT / "docs" / "plugins.md"
IMAGE = b"""{"UUID": "u", "ImageFormat": 3, "ImageInfoArray": [
    {"Type": 1, "Size": 900, "Width": 40, "Height": 30, "URL": "http://pictures/1"},
    {"Type": 3, "Size": 50, "Width": 4, "Height": 3, "URL": "http://pictures/3"}]}"""


def test_the_page_about_plugins(module: ModuleType) -> None:
    found = execute(PLUGINS, module)
    tests = [name for name in found if name.startswith("test_")]
    assert tests == ["test_hello", "test_a_group_a_friend_and_the_clock"]
    for name in tests:
        found[name]()


async def test_what_a_reply_may_be(module: ModuleType) -> None:
    async with World(execute(PLUGINS, module)["more"]) as world:
        alice = await world.user("alice")
        place, face, card = Location(22.54, 113.95, "Our shop"), Face(1), Custom("card", '{"phone": "400-123-4567"}')
        assert await alice.says("/where") == ["Come and see us:", place, face, card]
        terms = [str(part) for part in await alice.says("/terms")]
        assert [len(part) for part in terms] == [3000, 3000, 2700]


@pytest.mark.parametrize(("character", "most"), [("x", 11_000), ("茶", 2_700), ("🍵", 2_700)])
async def test_how_long_a_text_may_be(character: str, most: int) -> None:
    bot = Plugin("long")

    @bot.on_text
    async def long(ctx: Context[Text]) -> str:
        return character * int(ctx.text)

    async with World(bot) as world:
        alice = await world.user("alice")
        assert await alice.says(str(most)) == [character * most]
        parts = [str(part) for part in await alice.says(str(2 * most))]
        assert len(parts) in (2, 3)
        assert "".join(parts) == character * 2 * most


async def test_a_dialogue(module: ModuleType) -> None:
    page = execute(PLUGINS, module)
    async with World(page["signup"]) as world:
        alice = await world.user("alice")
        assert await alice.says("/signup") == ["What is your name?"]
        assert await alice.burst(["Alice", "old", "33"]) == ["How old are you?", "A number, please.", "Signed up, Alice."]
    assert page["ages"].saved == {"alice": 33}


async def test_messages_taken_back_and_mentions(module: ModuleType) -> None:
    async with World(execute(PLUGINS, module)["more"]) as world:
        alice = await world.user("alice")
        assert await alice.says("/price") == ["One moment, please.", "120 a box."]
        [revoked] = [event for event in alice.events if isinstance(event, MessageRevoked)]
        assert revoked.sequence == alice.received()[0].sequence
        assert await alice.says("/call") == ["Mentions are for groups."]
        await alice.client.create_group(GroupType.WORK, "Den", group_id="den", member_list=["bot"])
        assert await alice.says("/call", group="den") == ["@alice here I am"]
        assert alice.received()[-1].at_user_list == ("alice",)


async def test_a_picture_is_received(module: ModuleType) -> None:
    async with World(execute(PLUGINS, module)["more"]) as world:
        alice = await world.user("alice")
        text = alice.client.create_text_message("bot", ConversationType.C2C, "to be a picture")
        await alice.client.send_message(replace(text, payload=UnknownPayload("TIMImageElem", Raw(IMAGE))))
        assert await alice.answers() == ["Thank you for the picture of 40 x 30: http://pictures/1"]
        assert await alice.says("a text") == []


@pytest.mark.parametrize("kind", [Image, Sound, Video, File, Merger])
def test_what_cannot_be_sent_yet(kind: type) -> None:
    assert kind not in SENDABLE
    assert "**Pictures, voice, video, files and merged messages cannot be sent yet.**" in PLUGINS.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [Text, Custom, Face, Location, Image, Sound, Video, File, Merger])
def test_the_fields_of_payloads(kind: type) -> None:
    [row] = re.findall(rf"^\| `{kind.__name__}` \| (.*) \|$", PLUGINS.read_text(encoding="utf-8"), re.M)
    known = (
        {field.name for one in (kind, Picture) for field in fields(one)} if kind is Image else {f.name for f in fields(kind)}
    )
    assert set(re.findall(r"`(\w+)`", row)) == known


def columns(head: str) -> list[str]:
    """The names in the first column of the table whose head begins so."""
    [rows] = re.findall(rf"^\| {head}.*\n\|[-|]+\|\n((?:\|.*\n)+)", PLUGINS.read_text(encoding="utf-8"), re.M)
    found = [name for row in rows.splitlines() for name in re.findall(r"`(\w+)", row.split("|")[1])]
    assert found
    return found


@pytest.mark.parametrize("kind", [Context, FriendRequest, GroupJoinRequest])
def test_what_is_of_every_event(kind: type) -> None:
    assert [name for name in columns("of every event") if not hasattr(kind, name)] == []


@pytest.mark.parametrize(
    ("head", "kinds"),
    [("of a `Context`", [Context]), ("of a request", [FriendRequest, GroupJoinRequest]), ("of a `Job`", [Job])],
)
def test_what_a_handler_gets_is_there(head: str, kinds: list[type]) -> None:
    assert [name for name in columns(head) if not any(hasattr(kind, name) for kind in kinds)] == []


def test_every_public_event_is_explained() -> None:
    rows = PLUGINS.read_text(encoding="utf-8").partition("### Other events")[2].partition("\n## ")[0]
    public = {kind.__name__ for kind in get_args(Event) if hasattr(timbot, kind.__name__)} | {"MemberJoined"}
    named = {name for row in re.findall(r"^\| (`.*?) \|", rows, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert named == public


def test_the_names_of_fields_are_explained() -> None:
    page = PLUGINS.read_text(encoding="utf-8")
    assert [name for name in timbot.fields.__all__ if f"`{name}" not in page and f" {name}(" not in page] == []


def test_the_mistakes_in_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = PLUGINS.read_text(encoding="utf-8")
    [config] = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.S) if "ruled.py" in block]
    [told] = re.findall(r"```text\n(.*?)```", text, re.S)
    imports = "import asyncio\nfrom dataclasses import dataclass\nfrom timbot import PASS, Context, Pass, Plugin, Text\n"
    [plugin] = [block for block in blocks(PLUGINS) if "ruled = Plugin" in block]
    (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
    (tmp_path / "ruled.py").write_text(imports + plugin, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["check", "config.yaml"]) == exits.CONFIG
    assert capsys.readouterr().err == told


async def test_the_plugin_of_the_readme(module: ModuleType) -> None:
    bot = execute(ROOT / "README.md", module)["bot"]
    assert isinstance(bot, Plugin)
    async with World(bot) as world:
        alice = await world.user("alice")
        assert await alice.says("PING") == ["pong, alice!"]


def test_every_page_that_is_named_is_there() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert link.startswith("http") or (page.parent / link).exists(), f"{page}: {link}"
