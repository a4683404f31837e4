"""The command line as a whole: what it imports, how it shows errors, which exit codes it has."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from timbot.cli import COMMANDS, cli, main
from timbot.errors import ConfigError, ImError

HEAVY = ("uvicorn", "starlette", "rich", "pydantic", "anyio", "h11", "timbot.sandbox.asgi")


def python(code: str) -> str:
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return run.stdout


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["usersig", "--help"], ["sandbox", "--help"]])
def test_what_only_prints_imports_nothing_heavy(arguments: list[str]) -> None:
    out = python(f"""
import sys
from timbot.cli import main
code = main({arguments!r})
loaded = [name for name in {HEAVY!r} if name in sys.modules]
print("\\nLOADED", loaded, code)
""")
    assert out.splitlines()[-1] == "LOADED [] 0"


def test_the_version_imports_no_command() -> None:
    out = python("""
import sys
from timbot.cli import COMMANDS, main
main(["--version"])
print([module for module in COMMANDS.values() if module in sys.modules])
""")
    assert out.splitlines()[-1] == "[]"


def test_python_m_timbot_is_timbot() -> None:
    run = subprocess.run([sys.executable, "-m", "timbot", "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.startswith("timbot ")


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_listed_is_there_and_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert f"Usage: timbot {name}" in capsys.readouterr().out


def test_every_option_of_every_command_has_a_help_text() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        assert command.help
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help, (name, parameter.name)


def test_no_option_takes_a_key_itself() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        for parameter in command.params:
            assert "key" not in (parameter.name or "") or (parameter.name or "").endswith("_file")


def test_a_command_that_is_nearly_one_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbocks"]) == 2
    assert "Did you mean 'sandbox'?" in capsys.readouterr().err
    assert main(["xyzzy"]) == 2
    assert "There are run, check, " in capsys.readouterr().err


def test_summaries_of_commands_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    for group in ([], ["plugins"], ["new"]):
        assert main([*group, "--help"]) == 0
        assert "..." not in capsys.readouterr().out.replace("[ARGS]...", "")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """`timbot fail` raises what is put into this list."""
    errors: list[Exception] = []

    @click.command()
    def command() -> None:
        raise errors[0]

    monkeypatch.setattr(cli, "get_command", lambda _context, _name: command)
    return errors


@pytest.mark.parametrize(
    ("error", "code"),
    [(ImError("It is so.", hint="Do this."), 1), (ConfigError("It is so.", place="a.yaml:1:2", hint="Do this."), 78)],
)
def test_an_error_of_ours_is_a_line_and_a_hint(
    failing: list[Exception], error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(error)
    assert main(["fail"]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    first, hint = shown.err.splitlines()
    assert first.startswith("timbot: ")
    assert first.endswith("It is so.")
    assert hint == "  Do this."


def test_a_bug_is_a_line_too(failing: list[Exception], capsys: pytest.CaptureFixture[str]) -> None:
    failing.append(ValueError("oops"))
    assert main(["fail"]) == 70
    shown = capsys.readouterr().err
    assert "ValueError: oops" in shown
    assert "--debug" in shown
    assert "Traceback" not in shown


def test_debug_shows_where_it_came_from(failing: list[Exception], capsys: pytest.CaptureFixture[str]) -> None:
    failing.append(ImError("It is so."))
    assert main(["--debug", "fail"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def command() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "get_command", lambda _context, _name: command)
    assert main(["fail"]) == 130


def test_a_reader_that_has_had_enough_is_no_drama() -> None:
    pipeline = f"{sys.executable} -m timbot usersig alice --sandbox | true; echo ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", pipeline], capture_output=True, text=True, check=True, timeout=60)
    assert run.stderr == ""
    assert run.stdout.strip() in ("0", "1")
