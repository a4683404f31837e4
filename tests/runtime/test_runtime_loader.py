"""Finding plugins: by file and by module, and what is said when it goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

from timbot import Bot, Plugin
from timbot.errors import PluginError
from timbot.runtime.loader import Loader

GOOD = "from timbot import Plugin\nbot = Plugin({name!r})\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder modules can be imported from; what was imported is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith(("timbot_plugin_", "site_")):
            del sys.modules[name]


def load_plugins(names: list[str], folder: Path) -> list[Plugin]:
    loader = Loader(folder)
    return [plugin for name in names for plugin in loader.load(name)]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def failure(name: str, folder: Path) -> PluginError:
    with pytest.raises(PluginError) as caught:
        load_plugins([name], folder)
    return caught.value


def names(plugins: list[Plugin]) -> list[str]:
    return [plugin.name for plugin in plugins]


def test_a_file_beside_the_configuration(folder: Path) -> None:
    write(folder / "plugins" / "dice.py", GOOD.format(name="dice"))
    assert names(load_plugins(["plugins/dice.py"], folder)) == ["dice"]


def test_the_working_directory_does_not_matter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder / "conf" / "dice.py", GOOD.format(name="dice"))
    monkeypatch.chdir(folder)
    assert names(load_plugins(["dice.py"], Path("conf"))) == ["dice"]


def test_an_absolute_path(folder: Path) -> None:
    file = write(folder / "a" / "dice.py", GOOD.format(name="dice"))
    assert names(load_plugins([str(file)], folder / "b")) == ["dice"]


@pytest.mark.parametrize("name", ["site_dice", "site_package.dice", "site_package"])
def test_a_module(folder: Path, name: str) -> None:
    write(folder / "site_dice.py", GOOD.format(name="dice"))
    write(folder / "site_package" / "__init__.py", GOOD.format(name="dice"))
    write(folder / "site_package" / "dice.py", GOOD.format(name="dice"))
    assert names(load_plugins([name], folder)) == ["dice"]


def test_several_in_a_module_and_in_order(folder: Path) -> None:
    write(folder / "one.py", "from timbot import Plugin\na, b = Plugin('a'), Plugin('b')\nagain = a\n")
    write(folder / "two.py", GOOD.format(name="c"))
    assert names(load_plugins(["two.py", "one.py"], folder)) == ["c", "a", "b"]


def test_a_bot_is_a_plugin(folder: Path) -> None:
    write(folder / "one.py", "from timbot import Bot\nbot = Bot('b')\n")
    assert isinstance(load_plugins(["one.py"], folder)[0], Bot)


def test_two_files_of_a_name(folder: Path) -> None:
    for name in ("a", "b"):
        write(folder / name / "dice.py", GOOD.format(name=name))
    assert names(load_plugins(["a/dice.py", "b/dice.py"], folder)) == ["a", "b"]


TYPED = """\
from __future__ import annotations
from dataclasses import dataclass
from timbot import Plugin

@dataclass
class Inner:
    value: {kind}

@dataclass
class Settings:
    inner: Inner

bot = Plugin({kind!r}, config=Settings)
"""


def test_two_files_of_a_name_have_types_of_their_own(folder: Path) -> None:
    for kind in ("int", "str"):
        write(folder / kind / "dice.py", TYPED.format(kind=kind))
    one, other = load_plugins(["int/dice.py", "str/dice.py"], folder)
    for plugin, expected in ((one, int), (other, str)):
        assert plugin.config is not None
        assert get_type_hints(get_type_hints(plugin.config)["inner"]) == {"value": expected}


@pytest.mark.parametrize("name", ["{}/shop", "{}/shop/", "./{}/shop", "{}/shop/__init__.py"])
def test_a_folder_with_a_package(folder: Path, name: str) -> None:
    for parent in ("a", "b"):
        write(
            folder / parent / "shop" / "__init__.py", "from timbot import Plugin\nfrom .parts import NAME\nbot = Plugin(NAME)\n"
        )
        write(folder / parent / "shop" / "parts.py", f"NAME = {parent!r}\n")
    assert names(load_plugins([name.format("a"), name.format("b")], folder)) == ["a", "b"]


@pytest.mark.parametrize("spelling", ["dice.py", "./dice.py", "x/../dice.py", "{}/dice.py"])
def test_however_it_is_spelled_a_file_is_loaded_once(folder: Path, spelling: str) -> None:
    write(folder / "dice.py", GOOD.format(name="dice"))
    one, other = load_plugins(["dice.py", spelling.format(folder)], folder)
    assert one is other


def test_a_file_beside_is_never_taken_for_another_module(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(folder)])
    write(folder / "zlib.py", "raise ValueError('the wrong one')\n")
    write(folder / "dice.py", GOOD.format(name="mine"))
    write(folder / "site_helper.py", "NAME = 'helped'\n")
    write(folder / "site_helped.py", "from timbot import Plugin\nfrom site_helper import NAME\nbot = Plugin(NAME)\n")
    assert names(load_plugins(["dice", "site_helped"], folder)) == ["dice", "helped"]
    assert sys.path[-1] == str(folder)


def test_a_place_in_the_path_is_taken_once(folder: Path) -> None:
    before = list(sys.path)
    Loader(folder)
    assert sys.path == before


# What goes wrong


def test_no_such_file(folder: Path) -> None:
    error = failure("dice.py", folder)
    assert str(folder / "dice.py") in str(error)
    assert "relative to the configuration file" in error.hint


@pytest.mark.parametrize("name", ["plugins/dice", "./dice", "no/such"])
def test_no_such_path(folder: Path, name: str) -> None:
    write(folder / "plugins" / "dice.py", GOOD.format(name="dice"))
    write(folder / "dice.py", GOOD.format(name="dice"))
    error = failure(name, folder)
    meant = (folder / f"{name}.py").resolve()
    assert error.message == f"There is no plugin file {meant.with_suffix('')}."
    assert error.hint == (f"Did you mean {meant}?" if meant.is_file() else "Paths are relative to the configuration file.")


def test_a_folder_without_a_package(folder: Path) -> None:
    (folder / "empty").mkdir()
    assert failure("./empty", folder).message == f"There is no plugin file {folder}/empty/__init__.py."


def test_a_file_that_is_no_python(folder: Path) -> None:
    write(folder / "some" / "notes.txt", "hello")
    assert failure("some/notes.txt", folder).message == f"{folder}/some/notes.txt is no Python file."


def test_what_was_probably_meant(folder: Path) -> None:
    assert failure("dize", folder).hint == "Did you mean dice?"


@pytest.mark.parametrize("name", ["site_missing", "site_missing.dice", "site_package.missing"])
def test_no_such_module(folder: Path, name: str) -> None:
    write(folder / "site_package" / "__init__.py", "")
    error = failure(name, folder)
    assert error.message == f"There is no plugin '{name}'."
    assert "ending in .py" in error.hint


@pytest.mark.parametrize("name", ["site_bad", "bad.py"])
def test_a_syntax_error(folder: Path, name: str) -> None:
    file = write(folder / name.replace("site_bad", "site_bad.py"), "x = 1\nif x\n    pass\n")
    assert f"has a syntax error: {file}:2: " in str(failure(name, folder))


@pytest.mark.parametrize("name", ["site_bad", "bad.py"])
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import json; json.loads('x')", "JSONDecodeError: Expecting value"),
        ("import site_nowhere", "ModuleNotFoundError: No module named 'site_nowhere'"),
        ("import bad.worse", "ModuleNotFoundError: No module named 'bad"),
        ("raise SystemExit('no')", "SystemExit: no"),
        (
            "from timbot.errors import ConfigError; raise ConfigError('no', hint='Mend it.')",
            "ConfigError: no Mend it.",
        ),
        ("from timbot import Nothing", "ImportError: cannot import name 'Nothing'"),
    ],
)
def test_an_error_while_importing_is_told_with_the_plugins_own_line(folder: Path, name: str, line: str, told: str) -> None:
    file = write(folder / name.replace("site_bad", "site_bad.py"), f"x = 1\n\n{line}\n")
    assert f"failed to import: {file}:3: {told}" in str(failure(name, folder))


def test_an_error_in_a_part_of_the_plugin_is_told_with_the_line_of_the_part(folder: Path) -> None:
    write(folder / "site_parts" / "__init__.py", "from site_parts import deep\n")
    deep = write(folder / "site_parts" / "deep.py", "import json\njson.loads('x')\n")
    assert f"failed to import: {deep}:2: " in str(failure("site_parts", folder))


def test_a_wiring_mistake_is_told_with_its_line(folder: Path) -> None:
    file = write(
        folder / "bad.py", "from timbot import Plugin\nbot = Plugin('b')\n\n\n@bot.on_text('')\nasync def f(ctx): ...\n"
    )
    assert str(failure("bad.py", folder)).startswith(f"{file}:5: ")


@pytest.mark.parametrize("text", ["", "from timbot import Plugin\n", "bots = []\n"])
def test_nothing_inside(folder: Path, text: str) -> None:
    write(folder / "empty.py", text)
    error = failure("empty.py", folder)
    assert error.message == "'empty.py' defines no plugin."
    assert "Plugin(" in error.hint


def test_a_failed_import_leaves_no_module(folder: Path) -> None:
    write(folder / "bad.py", "1 / 0\n")
    failure("bad.py", folder)
    assert [name for name in sys.modules if name.startswith("timbot_plugin_bad")] == []


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("from timbot import Sendr", "Did you mean Sender?"),
        ("from timbot import plugin, context", "Did you mean Plugin?"),
        ("import timbot; timbot.Acept", "Did you mean Accept?"),
        ("from timbot import SENDER", "Did you mean Sender?"),
        ("from timbot import Xylophone", "docs/plugins.md"),
    ],
)
def test_a_name_that_timbot_does_not_have(line: str, hint: str, folder: Path) -> None:
    write(folder / "wrong.py", f"{line}\n")
    assert hint in failure("wrong.py", folder).hint


def test_a_name_that_another_module_does_not_have_is_none_of_ours(folder: Path) -> None:
    write(folder / "wrong.py", "from timbot.errors import Sender\n")
    assert failure("wrong.py", folder).hint == ""
