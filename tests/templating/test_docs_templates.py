"""The page about templates says what is so, and its examples work."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import TypeAdapter

from timbot.templating import Templates
from timbot.templating.filters import FILTERS, GLOBALS, TESTS
from timbot.templating.limits import MAX_DEPTH, MAX_DIGITS, MAX_ITEMS, MAX_OUTPUT, MAX_SOURCE, MAX_STEPS, MAX_TEXT

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    return str(found)


def row(name: str) -> set[str]:
    (found,) = re.findall(rf"^\| {name} \| (.*) \|$", PAGE, flags=re.MULTILINE)
    return set(re.findall(r"`(\w+)`", found))


@dataclass(frozen=True)
class Item:
    number: int
    day: date


@dataclass(frozen=True)
class Sender:
    nick: str


def test_the_first_example() -> None:
    template = Templates().compile(block("jinja"))
    assert template.render(sender=Sender("Ann"), items=[Item(7, date(2026, 3, 1))]) == (
        "Hello Ann! You have 1 open orders:\n- 7, 2026-03-01"
    )
    assert template.render(sender=Sender("Ann"), items=[]) == "Hello Ann! You have no open orders."


def test_the_settings_of_the_plugin_read_the_yaml(tmp_path: Path) -> None:
    import yaml

    (tmp_path / "farewell.j2").write_text("Bye")
    module = ModuleType("plugin")
    exec(compile(block("python"), "templates.md", "exec", dont_inherit=True), vars(module))
    data = yaml.safe_load(block("yaml"))
    templates = Templates([tmp_path])
    read = TypeAdapter(module.Settings).validate_python({"welcome": data["welcome"]}, context={"templates": templates})
    assert module.greeting(read, "Ann", "hi") == "Hello Ann, how can we help?"
    assert templates.get(data["farewell"]["file"]).render() == "Bye"


@pytest.mark.parametrize("source", re.findall(r"`(\{\{ (?:price|'|day|nick|text).*?\}\})`", PAGE))
def test_the_short_examples(source: str) -> None:
    made = Templates().compile(source).render(price=1.239, total=1234567, day=date(2026, 3, 1), nick="Ann", text="x" * 50)
    assert made in ("1.24", "1,234,567", "00:00", "Ann", "x" * 37 + "...")


def test_the_lists_are_complete() -> None:
    assert row("filters") == {name for name in FILTERS if name.isidentifier()}
    others = {"lessthan", "greaterthan", "equalto"}
    assert row("tests") == {name for name in TESTS if name.isidentifier()} - others
    assert row("functions") == set(GLOBALS)


def test_the_limits_are_those() -> None:
    limits = " ".join(PAGE.partition("## Limits")[2].split())
    assert (MAX_OUTPUT, MAX_SOURCE) == (64 * 1024, 16 * 1024)
    for said in (
        "64 KiB of UTF-8",
        f"{MAX_STEPS:,} steps",
        f"than {MAX_TEXT:,} characters",
        f"than {MAX_ITEMS:,} items",
        f"than {MAX_DIGITS} digits",
        f"most {MAX_DEPTH} deep",
        "at most 16 KiB",
    ):
        assert said in limits
