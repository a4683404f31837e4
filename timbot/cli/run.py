"""`timbot run`: the main job."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click


@click.command(short_help="Run the bots of a configuration until SIGINT or SIGTERM.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--keep-going", is_flag=True, help="Run without the plugins that cannot be imported.")
def command(file: Path, keep_going: bool) -> None:
    """Run the bots of the configuration FILE until SIGINT or SIGTERM.

    The first signal lets handlers finish (for `grace`, 10 s), logs out and exits with 0; a second one ends the process at once.
    """
    from timbot.runtime.process import run_file

    asyncio.run(run_file(file, announce=lambda text: click.echo(text, err=True), keep_going=keep_going))
