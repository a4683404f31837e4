"""`timbot forget`: a person is removed from the journal."""

from __future__ import annotations

import click

from timbot.cli import reach
from timbot.cli.reach import Where


@click.command(short_help="Remove a person from the bot's journal.")
@click.argument("user")
@reach.where
@reach.account
@click.option("--yes", is_flag=True, help="Do not ask.")
@reach.as_json
def command(user: str, where: Where, account: str, yes: bool, as_json: bool) -> None:
    """Remove what the person USER has written, was told and is remembered for, also what waits to be handled.

    Not removed: what plugins have stored, what others have written about USER, backups, and the server's own copies.
    """
    from timbot.runtime.control.commands import Forgotten, Whom

    if not yes:
        click.confirm(f"Remove {reach.plain(user)} from the journal, for good?", abort=True, err=True)
    found = where.carry_out("forget", Whom(user, account), Forgotten)
    if as_json:
        reach.print_json(found)
        return
    for name, rows in found.rows.items():
        click.echo(f"{reach.plain(name)}: {rows} {'row' if rows == 1 else 'rows'} removed")
    if not found.rows:
        click.echo("There is no journal here.")
