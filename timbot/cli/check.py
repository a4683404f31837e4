"""`timbot check`: everything that can be wrong before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from timbot.cli import exits

if TYPE_CHECKING:
    from timbot.runtime.assembly import Assembly


@click.command(short_help="Tell everything that is wrong with a configuration.")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def command(context: click.Context, file: Path) -> None:
    """Read the configuration FILE, load its plugins, check settings and templates, and start nothing.

    Every mistake is a line on standard error, as "file:line:column: key: what is needed"; then their number. Exit code 0
    without mistakes, 78 with some.
    """
    from timbot.config import ConfigErrors, exposed_files
    from timbot.runtime.assembly import assemble

    try:
        assembly = assemble(file)
    except ConfigErrors as errors:
        for problem in errors.problems:
            click.echo(str(problem), err=True)
        number = len(errors.problems)
        click.echo(f"{number} {'mistake' if number == 1 else 'mistakes'}", err=True)
        context.exit(exits.CONFIG)
    for advice in assembly.advice:
        click.echo(f"Note: {advice}", err=True)
    for exposed in exposed_files(assembly.config, file.parent):
        click.echo(f"Note: everybody on this machine can read {exposed}, which holds a secret: chmod 600 {exposed}", err=True)
    click.echo(f"{file} is fine: {_summary(assembly)}")


def _summary(assembly: Assembly) -> str:
    """What would run, in one line."""
    accounts = []
    for user_id, plugins in assembly.plugins.items():
        names = ", ".join(enabled.plugin.name for enabled in plugins)
        accounts.append(f"{user_id} ({names or 'no plugins'})")
    return f"{', '.join(accounts)} at {assembly.config.endpoint}"
