"""A plugin with settings and templates, and where signatures come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from timbot import Plugin, Reply
from timbot.config import ConfigErrors, parse
from timbot.errors import ConfigError
from timbot.im.wire import usersig
from timbot.runtime.enabled import Enabled, enable, enable_all, templates_of
from timbot.runtime.sources import source_of
from timbot.sandbox.keys import DEMO_KEY
from timbot.templating import TemplateError


@dataclass(frozen=True)
class Settings:
    most: int = 3


def made_in(file: Path, name: str = "shop") -> Plugin:
    plugin = Plugin(name)
    plugin.place = f"{file}:1"
    return plugin


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_whose_template_counts(tmp_path: Path) -> None:
    plugin = made_in(tmp_path / "plugin" / "shop.py")
    places = ["plugin/templates", "conf/templates", "conf/templates/shop"]
    for number, place in enumerate(places):
        write(tmp_path / place / "hello.j2", str(number))
        assert templates_of(plugin, tmp_path / "conf").get("hello.j2").render() == str(number)
    assert templates_of(plugin).get("hello.j2").render() == "0"


def test_templates_of_another_plugin_are_not_seen(tmp_path: Path) -> None:
    write(tmp_path / "templates" / "other" / "hello.j2", "no")
    with pytest.raises(TemplateError):
        templates_of(made_in(tmp_path / "x" / "shop.py"), tmp_path).get("hello.j2")


def test_a_reply_is_rendered_with_its_values(tmp_path: Path) -> None:
    write(tmp_path / "templates" / "hello.j2", "Hello, {{ name }}!")
    enabled = enable(made_in(tmp_path / "shop.py"))
    assert enabled.render(Reply.template("hello.j2", name="{{ 7*7 }}")) == "Hello, {{ 7*7 }}!"


def test_settings_by_default_and_given() -> None:
    plugin = Plugin("p", config=Settings)
    assert enable(plugin).settings == Settings()
    assert enable(plugin, {"most": 7}).settings == Settings(7)
    assert enable(Plugin("q")).settings is None


@pytest.mark.parametrize(("plugin", "settings"), [(Plugin("p", config=Settings), {"most": "x"}), (Plugin("p"), {"most": 3})])
def test_settings_that_do_not_fit(plugin: Plugin, settings: dict[str, str | int]) -> None:
    with pytest.raises(ConfigErrors, match="p"):
        enable(plugin, settings)


def test_each_is_enabled_once_and_what_is_enabled_stays() -> None:
    plugin, other = Plugin("p"), Plugin("q")
    mine = enable(other)
    found = enable_all([plugin, mine, plugin, mine])
    assert [enabled.plugin for enabled in found] == [plugin, other]
    assert found[1] is mine


def test_two_uses_of_a_plugin_are_two() -> None:
    plugin = Plugin("p", config=Settings)
    assert enable(plugin) != enable(plugin)
    assert isinstance(enable(plugin), Enabled)


# Signatures

ACCOUNTS = {
    "user_sig: a-text": "a-text",
    "user_sig_file: sig": "from a file",
    "secret_key: '${KEY}'": "signed by a-key-of-the-environment",
    "secret_key_file: key": "signed by a-key-of-a-file-beside-it",
}


@pytest.mark.parametrize("account", ACCOUNTS)
async def test_what_an_account_says_comes_first(account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "a-key-of-the-environment")
    monkeypatch.setenv("TIMBOT_SECRET_KEY", "a-key-nobody-asked-for")
    (tmp_path / "sig").write_text("from a file")
    (tmp_path / "key").write_text("a-key-of-a-file-beside-it\n")
    config = parse(f"accounts:\n  - user_id: bot\n    {account}\n")
    sig = await source_of(config, config.accounts[0], DEMO_KEY, tmp_path)("bot", 1_000_000)
    assert sig == expected(ACCOUNTS[account])


def expected(what: str) -> str:
    before, signed, key = what.rpartition("signed by ")
    return usersig.sign(1400000000, key, "bot", now=1_000_000) if signed else before + key


SANDBOX_KEY, APP_KEY = "a-sandbox-key-that-is-here", "the-apps-own-key-in-here"


@pytest.mark.parametrize(("sandbox", "key"), [(SANDBOX_KEY, SANDBOX_KEY), (None, APP_KEY)])
async def test_else_the_sandbox_and_else_the_environment(
    sandbox: str | None, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMBOT_SECRET_KEY", APP_KEY)
    config = parse("accounts: [{user_id: bot}]\n")
    sig = await source_of(config, config.accounts[0], sandbox, Path())("bot", 1_000_000)
    assert sig == expected(f"signed by {key}")


def test_a_key_in_the_environment_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMBOT_SECRET_KEY", "short")
    config = parse("accounts: [{user_id: bot}]\nendpoint: china\nsdk_app_id: 1400123456\n")
    with pytest.raises(ConfigError, match="The variable TIMBOT_SECRET_KEY does not hold a secret key"):
        source_of(config, config.accounts[0], None, Path())
