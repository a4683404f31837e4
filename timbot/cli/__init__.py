"""The command line: one thin file per command, imported when it is called.

To add a command, write a module with a click command named `command` and list it in `COMMANDS`. At its top it imports
click and what is as light; the rest inside the command. Errors of `timbot.errors` may simply be raised.
"""

from __future__ import annotations

import difflib
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from timbot.cli import exits
from timbot.errors import TimbotError
from timbot.redaction import clean, install_hooks, print_exception

COMMANDS: Final[dict[str, str]] = {
    "run": "timbot.cli.run",
    "check": "timbot.cli.check",
    "schema": "timbot.cli.schema",
    "chat": "timbot.cli.chat",
    "sandbox": "timbot.cli.sandbox",
    "usersig": "timbot.cli.usersig",
    "plugins": "timbot.cli.plugins",
    "new": "timbot.cli.new",
    "health": "timbot.cli.health",
    "dlq": "timbot.cli.dlq",
    "outbox": "timbot.cli.outbox",
    "forget": "timbot.cli.forget",
}
"""Command -> the module that has it, in the order `timbot --help` shows them."""


class Commands(click.Group):
    """Finds commands by `COMMANDS`, and turns what they raise into one clear line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import it."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            close = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            meant = f"Did you mean '{close[0]}'?" if close else f"There are {', '.join(COMMANDS)}."
            ctx.fail(f"There is no command '{cmd_name}'. {meant}")
        command: click.Command = importlib.import_module(module).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; `--debug` shows where an error came from."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, KeyboardInterrupt):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise
            if ctx.params["debug"]:
                print_exception(error)
            ctx.exit(_explain(error))


def _explain(error: Exception) -> int:
    """Say it in one line and a hint; the exit code."""
    if isinstance(error, TimbotError):
        click.echo(clean(f"timbot: {error.message}"), err=True)
        if error.hint:
            click.echo(clean(f"  {error.hint}"), err=True)
        return exits.of(error)
    click.echo(clean(f"timbot: {type(error).__name__}: {error}"), err=True)
    click.echo("  This is a mistake in timbot. 'timbot --debug ...' shows where; please report it.", err=True)
    return exits.BUG


@click.command("timbot", cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="timbot", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Bots for Tencent Cloud IM: service accounts that log in over WebSocket and answer."""


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code (`timbot.cli.exits`)."""
    if args is None:  # a process of our own: what nobody catches is printed without secrets too
        install_hooks()
    try:
        code = cli.main(args=None if args is None else list(args), prog_name="timbot", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return exits.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough; Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.FAILED
    return code if isinstance(code, int) else exits.OK
