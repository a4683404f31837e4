"""`timbot check`: everything that can be wrong before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from timbot.cli import exits

if TYPE_CHECKING:
    from timbot.config import Config


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def command(context: click.Context, file: Path) -> None:
    """Read and check the configuration FILE, and start nothing.

    Every mistake is a line on standard error, as "file:line:column: key: what is needed"; then their number. Exit code 0
    without mistakes, 78 with some.
    """
    from timbot.config import ConfigErrors, load

    try:
        config = load(file)
    except ConfigErrors as errors:
        for problem in errors.problems:
            click.echo(str(problem), err=True)
        number = len(errors.problems)
        click.echo(f"{number} {'mistake' if number == 1 else 'mistakes'}", err=True)
        context.exit(exits.CONFIG)
    click.echo(f"{file} is fine: {_summary(config)}")


def _summary(config: Config) -> str:
    """What would run, in one line."""
    shared = [use.name for use in config.plugins]
    accounts = []
    for account in config.accounts:
        names = shared if account.plugins is None else [use.name for use in account.plugins]
        accounts.append(f"{account.user_id} ({', '.join(names) or 'no plugins'})")
    return f"{', '.join(accounts)} at {config.endpoint}"
