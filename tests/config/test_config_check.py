"""`timbot check`: every mistake on a line, their number, and an exit code a script can use."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_site import ACCOUNT, EXAMPLE

from timbot.cli import exits, main

TEN = """\
endpont: sandbox
sdk_app_id: 012
accounts:
  - user_id: bot
    nik: B
  - user_id: bot
plugins:
  - dice:
    sides: 6
loop_guard: many
loop_guard: 3
log: {level: verbose}
http: {port: 99999}
grace: a while
sandbox:
  page: yes
"""

PLUGIN = """\
from dataclasses import dataclass
from timbot import Plugin

@dataclass(frozen=True, slots=True)
class Settings:
    word: str
    times: int = 1

bot = Plugin("echo", config=Settings)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "echo_plugin.py").write_text(PLUGIN, encoding="utf-8")
    return tmp_path / "config.yaml"


def check(file: Path, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str], list[str]]:
    """The exit code, and the lines of both outputs without the file's name."""
    file.write_text(text, encoding="utf-8")
    code = main(["check", str(file)])
    shown = capsys.readouterr()
    return code, shown.out.splitlines(), [line.removeprefix(f"{file}:") for line in shown.err.splitlines()]


def test_ten_different_mistakes_are_told_all_ten(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = check(file, TEN, capsys)
    assert (code, out) == (exits.CONFIG, [])
    assert err == [
        "1:1: endpont: there is no such key; did you mean endpoint?",
        "2:1: sdk_app_id: a whole number is needed: write it without the leading zero",
        "5:5: accounts.0.nik: there is no such key; did you mean nick?",
        "6:5: accounts.1.user_id: this user is in the list already (accounts.0): one login would kick the other out",
        "8:5: plugins.0: the name of a plugin is needed, or its name with settings beneath: '- name:' and the settings "
        "indented under it",
        "10:1: loop_guard: a whole number is needed",
        "11:1: loop_guard: this key is given twice; first in line 10",
        "12:7: log.level: one of debug, info, warning or error is needed",
        "13:8: http.port: at most 65535 is needed",
        "14:1: grace: a length of time is needed, like 500ms, 10s, 5m or 1h30m, or a number of seconds",
        "16:3: sandbox.page: true or false is needed: write true or false, as yes, no, on and off are texts",
        "11 mistakes",
    ]


def test_one_mistake(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = check(file, f"{ACCOUNT}bots: 1\n", capsys)
    assert code == exits.CONFIG
    assert err == ["3:1: bots: a list is needed: one entry a line, each after '- '; or [one, two]", "1 mistake"]


def test_settings_of_plugins_are_checked_with_everything_else(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = check(file, f"{ACCOUNT}plugins:\n  - echo_plugin.py:\n      wrod: a\n      times: b\nbots: 1\n", capsys)
    assert code == exits.CONFIG
    assert [line.split(": ")[1:3] for line in err] == [
        ["plugins.0.echo_plugin.py.word", "this is needed"],
        ["plugins.0.echo_plugin.py.wrod", "there is no such key; did you mean word?"],
        ["plugins.0.echo_plugin.py.times", "a whole number is needed"],
        ["bots", "a list is needed"],
        [],
    ]


def test_a_plugin_that_is_not_there(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = check(file, f"{ACCOUNT}plugins: [nowhere_to_be_found]\nbots: 1\n", capsys)
    assert code == exits.CONFIG
    assert err[0].startswith("3:11: ")
    assert "nowhere_to_be_found" in err[0]
    assert err[-1] == "2 mistakes"


def test_a_file_that_is_fine(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "accounts:\n  - user_id: a\n  - user_id: b\n    plugins: []\nplugins:\n  - echo_plugin.py: {word: x}\n"
    code, out, err = check(file, text, capsys)
    assert (code, out, err) == (exits.OK, [f"{file} is fine: a (echo), b (no plugins) at sandbox"], [])


def test_the_example_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(EXAMPLE)]) == exits.OK
    assert capsys.readouterr().err == ""


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "none.yaml")]) == exits.CONFIG
    assert "none.yaml cannot be read: No such file or directory." in capsys.readouterr().err
