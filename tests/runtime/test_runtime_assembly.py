"""From a file to what will run: what belongs together, and every kind of mistake with its place, all of them at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from timbot import Context, Plugin, Text
from timbot.config import ConfigErrors
from timbot.runtime.assembly import Assembly, assemble

ACCOUNT = "accounts: [{user_id: bot}]\n"

SHOP = """\
from dataclasses import dataclass
from timbot import Context, Plugin, Reply, Text

@dataclass
class Settings:
    greeting: str = "Hello"
    most: int = 3

bot = Plugin("shop", config=Settings)

@bot.on_text("hello")
async def hello(ctx: Context[Text], *, cfg: Settings) -> Reply:
    return Reply.template("hello.j2", name=ctx.sender.name)
"""

ECHO = """\
from timbot import Context, Plugin, Text
bot = Plugin("echo")

@bot.on_text
async def echo(ctx: Context[Text]) -> str:
    return ctx.text
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with two plugins; what is imported from it is forgotten afterwards."""
    modules, path = set(sys.modules), list(sys.path)
    write(tmp_path / "shop.py", SHOP)
    write(tmp_path / "echo.py", ECHO)
    write(tmp_path / "templates" / "hello.j2", "Hello, {{ name }}!")
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("timbot_plugin_"):
            del sys.modules[name]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def assembled(folder: Path, text: str, *extra: Plugin, keep_going: bool = False) -> Assembly:
    return assemble(write(folder / "c.yaml", text), extra, keep_going=keep_going)


def mistakes(folder: Path, text: str, *extra: Plugin) -> list[str]:
    """What is wrong, without the folder's name."""
    with pytest.raises(ConfigErrors) as caught:
        assembled(folder, text, *extra)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def settings(assembly: Assembly, user: str = "bot") -> list[tuple[str, object]]:
    return [(item.plugin.name, item.settings and vars(item.settings)) for item in assembly.plugins[user]]


def names(assembly: Assembly, user: str = "bot") -> list[str]:
    return [item.plugin.name for item in assembly.plugins[user]]


# What belongs together


def test_two_accounts_with_settings_of_their_own(folder: Path) -> None:
    assembly = assembled(
        folder,
        """\
accounts:
  - user_id: one
  - user_id: two
    plugins: [{shop.py: {most: 5}}, echo.py]
  - user_id: three
    plugins: []
plugins: [{shop.py: {greeting: Hi}}]
""",
    )
    assert settings(assembly, "one") == [("shop", {"greeting": "Hi", "most": 3})]
    assert settings(assembly, "two") == [("shop", {"greeting": "Hello", "most": 5}), ("echo", None)]
    assert settings(assembly, "three") == []
    assert assembly.plugins["one"][0].plugin is assembly.plugins["two"][0].plugin
    assert assembly.left_out == ()


def test_accounts_that_share_a_list_share_what_is_made_of_it(folder: Path) -> None:
    assembly = assembled(folder, "accounts: [{user_id: one}, {user_id: two}]\nplugins: [shop.py]\n")
    assert assembly.plugins["one"] == assembly.plugins["two"]


def test_the_order_is_that_of_the_list(folder: Path) -> None:
    listed = ACCOUNT + "plugins: [echo.py, dice, shop.py]\n"
    assert names(assembled(folder, listed)) == ["echo", "dice", "shop"]


@dataclass(frozen=True)
class Mine:
    most: int = 3


def test_an_extra_plugin_comes_first(folder: Path) -> None:
    found = settings(assembled(folder, ACCOUNT + "plugins: [echo.py]\n", Plugin("mine", config=Mine)))
    assert found == [("mine", {"most": 3}), ("echo", None)]


def test_an_extra_plugin_may_be_listed_with_settings(folder: Path) -> None:
    text = "accounts: [{user_id: bot}, {user_id: other, plugins: [mine]}]\nplugins: [echo.py, {mine: {most: 7}}]\n"
    assembly = assembled(folder, text, Plugin("mine", config=Mine))
    assert settings(assembly) == [("echo", None), ("mine", {"most": 7})]
    assert settings(assembly, "other") == [("mine", {"most": 3})]


def test_several_plugins_in_a_file_of_which_one_takes_settings(folder: Path) -> None:
    write(folder / "both.py", ECHO + OTHER.replace('"other"', '"shop"'))
    found = settings(assembled(folder, ACCOUNT + "plugins: [{both.py: {most: 5}}]\n"))
    assert found == [("echo", None), ("shop", {"greeting": "Hello", "most": 5})]


@pytest.mark.parametrize("place", ["templates/shop/hello.j2", "templates/hello.j2"])
def test_the_operators_templates_come_before_the_plugins(folder: Path, place: str) -> None:
    write(folder / "conf" / place, "Mine, {{ name }}!")
    [enabled] = assembled(folder / "conf", ACCOUNT + "plugins: [../shop.py]\n").plugins["bot"]
    assert enabled.templates.get("hello.j2").render(name="ann") == "Mine, ann!"


def test_a_plugin_that_was_made_in_no_file(folder: Path) -> None:
    made: dict[str, Plugin] = {}
    exec("from timbot import Plugin\nbot = Plugin('typed')", made)
    assert settings(assembled(folder, ACCOUNT, made["bot"])) == [("typed", None)]


# One mistake each

PLANNED = ECHO.replace("bot.on_text", "bot.planned(lambda cfg: cfg['x'])").replace("(ctx: Context[Text])", "()")
OTHER = SHOP.replace("bot =", "other =").replace("@bot", "@other").replace('"shop"', '"other"').replace('"hello"', '"hi"')

BROKEN: dict[str, tuple[str, list[tuple[str, str | None]], list[str]]] = {
    "a wrong setting": ("plugins: [{shop.py: {most: many}}]", [], ["c.yaml:2:22: plugins.0.shop.py.most: "]),
    "an unknown setting": ("plugins: [{shop.py: {moist: 3}}]", [], ["c.yaml:2:22: plugins.0.shop.py.moist: "]),
    "settings for who takes none": ("plugins: [{echo.py: {a: 1}}]", [], ["c.yaml:2:12: plugins.0.echo.py: "]),
    "no such file": ("plugins: [echo.py, none.py]", [], ["c.yaml:2:20: none.py: There is no plugin file none.py."]),
    "no such plugin": ("plugins: [dise]", [], ["c.yaml:2:11: dise: There is no plugin 'dise'. Did you mean dice?"]),
    "a failed import": (
        "plugins: [bad.py]",
        [("bad.py", "import json\njson.loads('')\n")],
        ["c.yaml:2:11: bad.py: Plugin 'bad.py' failed to import: bad.py:2: JSONDecodeError"],
    ),
    "a wrong decorator": (
        "plugins: [bad.py]",
        [("bad.py", "from timbot import Plugin\nbot = Plugin('b')\n@bot.on_text('')\nasync def f(ctx): ...\n")],
        ["c.yaml:2:11: bad.py: bad.py:3: @bot.on_text takes texts, not ''."],
    ),
    "something nobody gives": (
        "plugins: [bad.py]",
        [("bad.py", ECHO.replace("Context[Text]", "Context[Text], *, number: int"))],
        ["c.yaml:2:11: bad.py: bad.py:4: handler 'echo' of plugin echo: there is nothing of type int for 'number'."],
    ),
    "an event of the wrong type": (
        "plugins: [bad.py]",
        [("bad.py", ECHO.replace("bot.on_text", "bot.on_friend_request"))],
        ["c.yaml:2:11: bad.py: bad.py:4: handler 'echo' of plugin echo: 'ctx' is no Context[Text] here."],
    ),
    "a plan that fails": (
        "plugins: [bad.py]",
        [("bad.py", PLANNED)],
        ["c.yaml:2:11: bad.py: bad.py:4: the jobs cannot be planned: TypeError"],
    ),
    "a name used by two": (
        "plugins: [echo.py, again.py]",
        [("again.py", ECHO)],
        ["c.yaml:2:1: plugins: Two plugins are called 'echo': echo.py:2 and again.py:2."],
    ),
    "words used by two": (
        "plugins: [shop.py, again.py]",
        [("again.py", ECHO.replace("bot.on_text", "bot.on_text('Hello')"))],
        ["c.yaml:2:1: plugins: The text 'hello' is taken twice: shop:hello (shop.py:11) and echo:echo (again.py:4)."],
    ),
    "the same file twice": (
        "plugins: [echo.py, ./echo.py]",
        [],
        ["c.yaml:2:20: ./echo.py: this is the same plugin as 'echo.py' above"],
    ),
    "the same module twice": (
        "plugins: [dice, timbot_plugins.dice]",
        [],
        ["c.yaml:2:17: timbot_plugins.dice: this is the same plugin as 'dice' above"],
    ),
    "two with settings in a file": (
        "plugins: [{both.py: {most: 5}}]",
        [("both.py", SHOP + OTHER)],
        ["c.yaml:2:11: both.py: there are several plugins with settings in it (shop, other): give each a file of its own"],
    ),
    "a template that is not there": (
        "plugins: [echo.py, shop.py]",
        [("templates/hello.j2", None)],
        ["shop.py:13:1: There is no template 'hello.j2'."],
    ),
    "a template without its value": (
        "plugins: [shop.py]",
        [("templates/hello.j2", "{{ nick }}")],
        ["shop.py:13:1: hello.j2:1: There is no variable 'nick' here."],
    ),
    "a template that is none": (
        "plugins: [echo.py]",
        [("templates/bad.j2", "{% if %}")],
        ["c.yaml:2:11: echo.py: bad.j2:1: "],
    ),
    "a file that changes while it is read": (
        "plugins: [bad.py]",
        [("bad.py", ECHO + "import pathlib\npathlib.Path(__file__).write_text('if')\n")],
        ["bad.py: echo: it cannot be read again: "],
    ),
    "a part that is no text": (
        "plugins: [./pack]",
        [("pack/__init__.py", ECHO), ("pack/part.py", "x = 1 # \udcff")],
        ["pack/part.py: echo: it cannot be read again: "],
    ),
    "nothing to log in with": (
        "endpoint: china\nsdk_app_id: 1400123456",
        [],
        ["c.yaml:1:12: accounts.0: There is nothing to log bot in with."],
    ),
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_mistake_and_its_place(mistake: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIMBOT_SECRET_KEY", raising=False)
    text, files, told = BROKEN[mistake]
    for name, content in files:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content.encode("utf-8", "surrogateescape"))
    found = mistakes(folder, f"{ACCOUNT}{text}\n")
    assert len(found) == len(told), found
    for line, beginning in zip(found, told, strict=True):
        assert line.startswith(beginning)


KEYS = {
    "secret_key_file: none": "cannot be read",
    "secret_key_file: short": "does not hold a secret key",
    "user_sig_file: none": "The UserSig file of bot is not there",
}


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_is_not_there(key: str, folder: Path) -> None:
    write(folder / "short", "abc")
    [told] = mistakes(folder, f"accounts:\n  - user_id: bot\n    {key}\nendpoint: china\nsdk_app_id: 1400123456\n")
    assert told.startswith(f"c.yaml:3:5: accounts.0.{key.partition(':')[0]}: ")
    assert KEYS[key] in told


def test_everything_that_is_wrong_is_told_at_once(folder: Path) -> None:
    write(folder / "bad.py", "1 / 0\n")
    write(folder / "templates" / "hello.j2", "{{ nick }}")
    text = """\
accounts:
  - user_id: bot
  - user_id: bot
plugins:
  - bad.py
  - shop.py: {most: many, moist: 1}
  - none
loop_gaurd: 3
log: {level: loud}
"""
    found = mistakes(folder, text)
    places = [line.split(": ")[0].removeprefix("c.yaml:") for line in found]
    assert places == ["3:5", "5:5", "6:15", "6:27", "7:5", "8:1", "9:7", "shop.py:13:1"]


def test_a_mistake_in_an_extra_plugin_is_told_with_its_place(folder: Path) -> None:
    bot = Plugin("mine")

    @bot.on_text
    async def handler(ctx: Context[Text], *, number: int) -> None: ...

    [told] = mistakes(folder, ACCOUNT, bot)
    assert told.startswith(f"c.yaml: plugins: {__file__}:")


# Leaving out what cannot be imported


def test_what_cannot_be_imported_is_left_out_on_request(folder: Path) -> None:
    write(folder / "bad.py", "1 / 0\n")
    text = "accounts: [{user_id: bot}, {user_id: other, plugins: [bad.py]}]\nplugins: [bad.py, echo.py]\n"
    assembly = assembled(folder, text, keep_going=True)
    assert names(assembly) == ["echo"]
    assert settings(assembly, "other") == []
    assert [problem.partition(": Plugin")[0] for problem in assembly.left_out] == [
        f"{folder}/c.yaml:2:11: bad.py",
        f"{folder}/c.yaml:1:55: bad.py",
    ]


@pytest.mark.parametrize("entry", ["{shop.py: {most: many}}", "[]", "again.py"])
def test_other_mistakes_stop_all_the_same(entry: str, folder: Path) -> None:
    write(folder / "again.py", ECHO)
    with pytest.raises(ConfigErrors):
        assembled(folder, f"{ACCOUNT}plugins: [echo.py, {entry}]\n", keep_going=True)
