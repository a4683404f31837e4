"""`timbot dlq`: events that were given up, and what is to become of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from timbot.cli import exits, reach
from timbot.cli.reach import Where

if TYPE_CHECKING:
    from timbot.runtime.control.commands import Changed, Sent, Step


@click.group(short_help="Look at events that were given up; try or drop them.")
def command() -> None:
    """Look at dead letters: events whose handler failed every time, took too long, or could not be understood.

    They are kept for 30 days. A running bot is asked through its control socket; of a stopped one the state folder is read.
    """


@command.command("list")
@reach.where
@reach.account
@click.option("--after", type=click.IntRange(0), default=0, help="Begin behind this number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Show at most so many.")
@reach.texts
@reach.as_json
def list_(where: Where, account: str, after: int, limit: int, texts: bool, as_json: bool) -> None:
    """List dead letters, the oldest first."""
    from timbot.runtime.control.commands import Letters, Page

    found = where.carry_out("dlq.list", Page(account, after, limit, texts), Letters)
    if as_json:
        reach.print_json(found)
        return
    if not found.letters:
        click.echo("No dead letters.")
        return
    heads = ["number", "account", "conversation", "kind", "died", "reason", "detail"]
    rows = [
        [one.number, one.account, one.conversation, one.kind, reach.when(one.died), one.reason, one.detail]
        for one in found.letters
    ]
    reach.print_table(heads, rows)
    if found.more:
        click.echo(f"There are more: --after {found.letters[-1].number}")


@command.command()
@click.argument("number", type=click.IntRange(1))
@reach.where
@reach.account
@reach.texts
@reach.as_json
def show(number: int, where: Where, account: str, texts: bool, as_json: bool) -> None:
    """Show the dead letter NUMBER, and what its handlers had done before it was given up."""
    from timbot.runtime.control.commands import Shown, Which

    found = where.carry_out("dlq.show", Which((number,), account, texts), Shown)
    if as_json:
        reach.print_json(found)
        return
    letter = found.letter
    facts = {
        "number": letter.number,
        "account": letter.account,
        "conversation": letter.conversation,
        "kind": letter.kind,
        "happened": reach.when(letter.time),
        "given up": reach.when(letter.died),
        "reason": letter.reason,
        "detail": letter.detail,
    }
    for name, value in facts.items():
        click.echo(f"{name:<13} {reach.plain(value)}".rstrip())
    if letter.body is not None:
        click.echo(f"{'event':<13} {reach.plain(letter.body)}")
    else:
        click.echo(f"{'event':<13} (--texts shows it)")
    click.echo(f"{'done before':<13} {'nothing' if not (found.steps or found.messages) else ''}".rstrip())
    for step in found.steps:
        click.echo(f"  {_step(step)}")
    for message in found.messages:
        click.echo(f"  {_message(message)}")


@command.command()
@click.argument("numbers", type=click.IntRange(1), nargs=-1, required=True)
@reach.where
@reach.account
@reach.as_json
@click.pass_context
def retry(ctx: click.Context, numbers: tuple[int, ...], where: Where, account: str, as_json: bool) -> None:
    """Try the dead letters NUMBERS again: they are open events once more.

    This is OUT OF ORDER: what was said after them has been handled long ago. What they have sent already is not sent again.
    """
    from timbot.runtime.control.commands import Changed, Which

    changed = where.carry_out("dlq.retry", Which(numbers, account), Changed)
    if as_json:
        reach.print_json(changed)
    elif changed.done:
        click.echo(f"Open again, behind what waits in their conversations (so out of order): {_numbers(changed.done)}")
    ctx.exit(_told_what_is_missing(changed))


@command.command()
@click.argument("numbers", type=click.IntRange(1), nargs=-1, required=True)
@reach.where
@reach.account
@reach.as_json
@click.pass_context
def drop(ctx: click.Context, numbers: tuple[int, ...], where: Where, account: str, as_json: bool) -> None:
    """Drop the dead letters NUMBERS for good."""
    from timbot.runtime.control.commands import Changed, Which

    changed = where.carry_out("dlq.drop", Which(numbers, account), Changed)
    if as_json:
        reach.print_json(changed)
    elif changed.done:
        click.echo(f"Dropped: {_numbers(changed.done)}")
    ctx.exit(_told_what_is_missing(changed))


def _told_what_is_missing(changed: Changed) -> int:
    if not changed.missing:
        return exits.OK
    click.echo(f"There is no dead letter {_numbers(changed.missing)}.", err=True)
    return exits.FAILED


def _numbers(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))


def _step(step: Step) -> str:
    words = [step.handler, f"step {step.slot}", step.kind, step.name, step.target, "refused" if step.refused else ""]
    result = "" if step.result is None else f": {step.result}"
    return reach.plain("  ".join(filter(None, words)) + result)


def _message(message: Sent) -> str:
    words = [message.by, f"message {message.number}", f"to {message.target}", message.state, reach.when(message.intended)]
    body = "" if message.body is None else f": {message.body}"
    return reach.plain("  ".join(words) + body)
