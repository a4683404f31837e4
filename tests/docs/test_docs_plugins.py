"""The blocks of the page about plugins are run, one after the other, as is the plugin of the README."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from timbot import Plugin
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


def test_the_page_about_plugins(module: ModuleType) -> None:
    execute(ROOT / "docs" / "plugins.md", module)["test_hello"]()


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
