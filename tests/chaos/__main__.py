"""`python -m tests.chaos`: the long form. `make soak` runs it in both modes of the server."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console

from tests.chaos.lives import WillNotRun
from tests.chaos.plan import Injection, Options, Unacked
from tests.chaos.report import show, write_json
from tests.chaos.soak import Run, soak

DEFAULT = Options()


@click.command()
@click.option("--seed", default=DEFAULT.seed, show_default=True, help="Settles who says what, and where the bot dies.")
@click.option("--kills", type=click.IntRange(0), default=DEFAULT.kills, show_default=True, help="In each mode.")
@click.option("--messages", type=click.IntRange(1), default=DEFAULT.messages, show_default=True, help="In each mode.")
@click.option(
    "--conversations", type=click.IntRange(1), default=DEFAULT.conversations, show_default=True, help="C2C and groups."
)
@click.option("--rate", type=float, default=DEFAULT.rate, show_default=True, help="Messages a second, all together.")
@click.option("--seats", type=click.IntRange(0), default=DEFAULT.seats, show_default=True, help="People at official SDKs.")
@click.option(
    "--bot",
    type=click.Choice(["full", "echo", "rehearsal", "oracle"]),
    default=DEFAULT.bot,
    show_default=True,
    help="What the bot can do.",
)
@click.option("--unacked", type=click.Choice(["both", "redeliver", "forget"]), default="both", show_default=True)
@click.option("--dedupe", type=click.Choice(["none", "documented"]), default=DEFAULT.dedupe, show_default=True)
@click.option("--history-late", type=float, default=DEFAULT.history_late, show_default=True, help="Seconds, at most.")
@click.option(
    "--patience", type=float, default=DEFAULT.patience, show_default=True, help="Silence that counts as lost, seconds."
)
@click.option(
    "--linger", type=float, default=DEFAULT.linger, show_default=True, help="Seconds to wait for what should not come."
)
@click.option("--inject", type=click.Choice(["doubled", "reordered"]), multiple=True, help="Do it wrong, to see it found.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where logs and reports go; otherwise a new one in /tmp.")
def main(unacked: str, inject: tuple[Injection, ...], folder: Path | None, **chosen: object) -> None:
    """People talk with a bot that is killed again and again; the server's store says what was lost, doubled or disordered."""
    console = Console()
    base = folder or Path(tempfile.mkdtemp(prefix="timbot-soak-"))
    modes: tuple[Unacked, ...] = ("redeliver", "forget") if unacked == "both" else (unacked,)  # type: ignore[assignment]
    base.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=base / "harness.log")  # of sockets that died with the bot, mostly
    clean = True
    for mode in modes:
        options = Options(**chosen, unacked=mode, injections=inject)  # type: ignore[arg-type]
        clean = _run(options, base / mode, console) and clean
    sys.exit(0 if clean else 1)


def _run(options: Options, home: Path, console: Console) -> bool:
    home.mkdir(parents=True, exist_ok=True)
    if any(home.iterdir()):
        raise click.BadParameter(f"{home} holds another run: what that bot remembers would be this one's past.")
    run: Run | None = None
    try:
        run = asyncio.run(soak(options, home, lambda text: console.print(f"{time.strftime('%H:%M:%S')} {text}", style="dim")))
    except* WillNotRun as several:
        console.print(*(str(error) for error in several.exceptions), style="bold red", markup=False)
    if run is None:
        return False
    write_json(run, home / "report.json")
    show(run, console)
    return run.clean


if __name__ == "__main__":
    main()
