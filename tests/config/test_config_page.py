"""The page about the configuration lists the keys there are, with their defaults, and says true things."""

from __future__ import annotations

import re

import pytest
import yaml
from config_site import ROOT, config, document
from pydantic import BaseModel

from timbot.config import AccountConfig, Config, HttpConfig, LogConfig, SandboxConfig, WatchdogConfig, seconds
from timbot.config.reader import DEEPEST, HEAVIEST, LONGEST_TEXT
from timbot.im.endpoints import resolve

PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
SECTIONS: dict[str, type[BaseModel]] = {
    "## Keys": Config,
    "### accounts": AccountConfig,
    "### log": LogConfig,
    "### http": HttpConfig,
    "### watchdog": WatchdogConfig,
    "### sandbox": SandboxConfig,
}


def rows(heading: str) -> dict[str, str]:
    """Key -> default, of the table below a heading."""
    section = re.split(r"\n##+ ", PAGE.split(f"\n{heading}\n")[1])[0]
    found = re.findall(r"^\| `(\w+)` \| (?:`([^`]*)`)? *\|", section, re.MULTILINE)
    return dict(found)


@pytest.mark.parametrize(("heading", "model"), SECTIONS.items(), ids=list(SECTIONS))
def test_every_key_is_listed_in_order(heading: str, model: type[BaseModel]) -> None:
    assert list(rows(heading)) == list(model.model_fields)


@pytest.mark.parametrize(("heading", "model"), SECTIONS.items(), ids=list(SECTIONS))
def test_the_defaults_are_true(heading: str, model: type[BaseModel]) -> None:
    for key, text in rows(heading).items():
        default = model.model_fields[key].default
        if text:
            written = seconds(text) if isinstance(default, float) else yaml.safe_load(text)
            assert written == (list(default) if isinstance(default, tuple) else type(written)(default)), key
        else:
            assert default is None or isinstance(default, BaseModel) or model.model_fields[key].is_required(), key


def test_the_examples_on_the_page_are_fine() -> None:
    plugins, sandbox = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert [use.name for use in config(plugins).plugins] == ["examples/hello.py", "my_package.welcome"]
    assert config(sandbox).endpoint == resolve("sandbox").urls[0]


def test_the_limits_are_true() -> None:
    assert f"up to {DEEPEST} levels and {HEAVIEST:,} values" in PAGE
    assert f"at most {LONGEST_TEXT // 1024 // 1024} MiB" in PAGE


def test_the_mistakes_on_the_page_are_told_so() -> None:
    made = document("accounts: [{user_id: bot}]\nloop_gaurd: 1\ngrace: soon\n")
    for problem in made.problems:
        assert f"{problem.key}: {problem.message}" in PAGE
    assert len(made.problems) == 2
