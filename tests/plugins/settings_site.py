"""What tests of plugins' settings do often: ask what is wrong with some, and read a page of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel

from timbot.errors import ConfigError
from timbot.runtime.assembly import assemble
from timbot.runtime.enabled import Enabled
from timbot.testing import World

PAGES = Path(__file__).parents[2] / "docs" / "plugins"


def problems(plugin: str, settings: str, folder: Path) -> list[str]:
    """What is wrong with a plugin's settings: line (from 1, within them), key and message."""
    config = folder / "bot.yaml"
    indented = "".join(f"      {line}\n" for line in settings.strip().splitlines())
    config.write_text(f"accounts: [{{user_id: bot}}]\nplugins:\n  - {plugin}:\n{indented}", encoding="utf-8")
    try:
        assemble(config)
    except ConfigError as error:
        found = re.findall(rf"bot\.yaml:(\d+):\d+: plugins\.0\.{plugin}\.?([^: ]*): (.*)", error.message)
        return [f"{int(line) - 3}: {key}: {message}" for line, key, message in found]
    return []


def examples(page: str) -> list[str]:
    """The YAML of a page."""
    return re.findall(r"^```yaml\n(.*?)^```", PAGES.joinpath(page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def loaded(example: str, folder: Path) -> Enabled:
    """The only plugin of a configuration, loaded as `timbot run` does."""
    config = folder / "config.yaml"
    config.write_text(example, encoding="utf-8")
    [enabled] = assemble(config).plugins["bot"]
    return enabled


def tables(page: str) -> list[set[str]]:
    """The first column of each table of a page that names keys."""
    text = PAGES.joinpath(page).read_text(encoding="utf-8")
    found = re.findall(r"^\| key \|.*?\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [set(re.findall(r"^\| `(\w+)`", rows, re.MULTILINE)) for rows in found]


def keys(*models: type[BaseModel]) -> list[set[str]]:
    """The keys of each of these settings."""
    return [set(model.model_fields) for model in models]


def outcomes(world: World) -> list[str]:
    """What became of each request, in order."""
    return [activity.outcome for activity in world.activity if activity.kind != "job"]


def remark(world: World, friend: str) -> str | None:
    """How the bot has filed a friend; None for somebody who is none."""
    found = world.sandbox.domain.friends.get("bot", friend)
    return None if found is None else found.remark
