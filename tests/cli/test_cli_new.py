"""`timbot new` and `timbot plugins`: what they write and show, and what they refuse."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from timbot.cli import exits, main


@pytest.fixture(autouse=True)
def own_path() -> Iterator[None]:
    """What a command adds to the places of modules is forgotten."""
    before = list(sys.path)
    yield
    sys.path[:] = before


def test_a_new_plugin_is_right_and_passes_its_test(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "plugin", "my-shop", "--into", str(tmp_path)]) == exits.OK
    made = tmp_path / "my-shop"
    assert f"cd {made}" in capsys.readouterr().out
    assert main(["check", str(made / "config.yaml")]) == exits.OK
    assert "bot (my_shop) at sandbox" in capsys.readouterr().out
    test = [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", "-p", "no:cacheprovider"]
    done = subprocess.run(test, cwd=made, capture_output=True, text=True)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["1shop", "my shop", "class", "掷骰子", "timbot", "timbot-shop", "../x", ""])
def test_names_that_cannot_be(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "plugin", name, "--into", str(tmp_path)]) == exits.USAGE
    assert "is no name for a plugin" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_word_of_pythons_own_is_told_as_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "plugin", "class", "--into", str(tmp_path)]) == exits.USAGE
    assert "a word of Python's own" in capsys.readouterr().err


def test_a_new_plugin_keeps_state_and_keys_out_of_git(tmp_path: Path) -> None:
    main(["new", "plugin", "shop", "--into", str(tmp_path)])
    git = ["git", "-c", "core.excludesFile=/dev/null", "-C", str(tmp_path / "shop")]
    subprocess.run([*git, "init", "-q"], check=True)
    files = [".timbot/timbot.db", "tim.key", ".env", "shop/__pycache__/x.pyc", "shop/__init__.py", "config.yaml"]
    ignored = subprocess.run([*git, "check-ignore", "--no-index", *files], capture_output=True, text=True)
    assert ignored.stdout.splitlines() == files[:4]


def test_patterns_do_not_push_columns_aside(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "info", "dice"]) == exits.OK
    lines = capsys.readouterr().out.splitlines()
    rows = lines[lines.index("Handlers") + 1 : lines.index("Settings") - 1]
    assert {line.rindex(name) for line, name in zip(rows, (" card", " command ", " notation"), strict=True)} == {
        rows[0].index(" card")
    }


def test_nested_settings_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "info", "responder"]) == exits.OK
    lines = capsys.readouterr().out.splitlines()
    assert "    tz: text (needed) - The time zone, an IANA name such as Asia/Shanghai." in lines
    assert sum("hand_over: true or false" in line for line in lines) == 2, "of a rule and of a menu, each once"


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "mine").write_text("mine")
    assert main(["new", "plugin", "shop", "--into", str(tmp_path)]) == exits.CONFIG
    assert "is there already" in capsys.readouterr().err
    (tmp_path / "c.yaml").write_text("mine")
    assert main(["new", "config", str(tmp_path / "c.yaml")]) == exits.CONFIG
    assert (tmp_path / "c.yaml").read_text() == "mine"


def test_a_new_configuration_is_the_example(tmp_path: Path) -> None:
    assert main(["new", "config", str(tmp_path / "deep" / "c.yaml")]) == exits.OK
    root = Path(__file__).parents[2]
    for written, shipped in (("c.yaml", "config.example.yaml"), ("config.schema.json", "config.schema.json")):
        assert (tmp_path / "deep" / written).read_text() == (root / shipped).read_text()


def test_what_a_plugin_does_and_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["new", "plugin", "shop", "--into", str(tmp_path)])
    capsys.readouterr()
    assert main(["plugins", "info", str(tmp_path / "shop" / "shop" / "__init__.py")]) == exits.OK
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "shop: A plugin for timbot: says hello and counts."
    assert "text hello hello, hi, 你好" in lines
    assert "command echo echo" in lines
    assert "greeting: text (default Hello) - The word a hello begins with." in lines


@pytest.mark.parametrize("name", ["dice", "json", "click", "tests", "templates", "auto-accept"])
def test_names_that_mean_something_else_already(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "plugin", name, "--into", str(tmp_path)]) == exits.USAGE
    assert f"There is something called '{name.replace('-', '_')}' already" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", [["plugin", "shop", "--into"], ["config"]])
def test_a_place_that_cannot_be_written(what: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["new", *what, str(tmp_path / "file" / "x")]) == exits.CONFIG
    assert "cannot be written: " in capsys.readouterr().err


def test_a_plugin_that_does_not_say_what_it_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "quiet.py").write_text(
        "from timbot import Plugin\nbot = Plugin('quiet')\n@bot.every('1m')\nasync def tick(): ...\n"
    )
    assert main(["plugins", "info", str(tmp_path / "quiet.py")]) == exits.OK
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "quiet: it does not say what it does"
    assert "by the clock tick" in lines
    assert lines[-1] == "No settings."


def test_a_plugin_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "info", "dize"]) == exits.CONFIG
    told = capsys.readouterr().err
    assert told.startswith("timbot: There is no plugin 'dize'.")
    assert "Did you mean dice?" in told


def test_the_shipped_plugins_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "list"]) == exits.OK
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert names == ["announcements", "auto_accept", "dice", "group_approval", "responder"]
