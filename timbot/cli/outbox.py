"""`timbot outbox`: messages on their way out, and those that nobody knows the end of."""

from __future__ import annotations

import click

from timbot.cli import reach
from timbot.cli.reach import Where


@click.group(short_help="Look at messages of which nobody knows whether they were sent.")
def command() -> None:
    """Look at what the bot has sent, or wanted to."""


@command.command()
@reach.where
@reach.account
@click.option("--after", type=click.IntRange(0), default=0, help="Begin behind this number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Show at most so many.")
@reach.texts
@reach.as_json
def unknown(where: Where, account: str, after: int, limit: int, texts: bool, as_json: bool) -> None:
    """List messages of which nobody can tell whether they were sent.

    Their answer was lost, and the server has no history to look them up in. They are not sent again: look into the
    conversation, and write yourself what is missing.
    """
    from timbot.runtime.control.commands import Messages, Page

    found = where.carry_out("outbox.unknown", Page(account, after, limit, texts), Messages)
    if as_json:
        reach.print_json(found)
        return
    if not found.messages:
        click.echo("No message is unknown.")
        return
    heads = ["number", "account", "to", "by", "meant to be sent", *(["message"] if texts else [])]
    rows = [
        [one.number, one.account, one.target, one.by, reach.when(one.intended), *([one.body or ""] if texts else [])]
        for one in found.messages
    ]
    reach.print_table(heads, rows)
    if found.more:
        click.echo(f"There are more: --after {found.messages[-1].number}")
