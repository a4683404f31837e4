"""`timbot new`: a plugin or a configuration to begin with."""

from __future__ import annotations

import importlib.util
import keyword
import shutil
import sys
from pathlib import Path

import click

from timbot.errors import ConfigError

SCHEMA = "config.schema.json"
"""The name by which the example's first line asks for its schema."""


@click.group(short_help="Begin a plugin or a configuration.")
def command() -> None:
    """Make a new plugin or configuration to begin with."""


@command.command(short_help="Make a plugin: a package with a test that passes.")
@click.argument("name")
@click.option("--into", type=click.Path(path_type=Path), default=".", show_default=True, help="The folder to make it in.")
def plugin(name: str, into: Path) -> None:
    """Make the plugin NAME: a package with a configuration that runs it and a test that passes."""
    from timbot.cli.scaffold import write_plugin

    module = name.replace("-", "_")
    if keyword.iskeyword(module):
        raise click.BadParameter(
            f"'{name}' is no name for a plugin: it is a word of Python's own, which no import could name.", param_hint="NAME"
        )
    if not module.isidentifier() or not name.isascii() or module.startswith("timbot"):
        raise click.BadParameter(
            f"'{name}' is no name for a plugin: letters, digits, '-' and '_', a letter first, not beginning with timbot.",
            param_hint="NAME",
        )
    if _is_taken(module):
        raise click.BadParameter(
            f"There is something called '{module}' already, which 'plugins: [{module}]' would name: take another name.",
            param_hint="NAME",
        )
    made = write_plugin(into / name, name, module)
    click.echo(f"Made {into / name}: {', '.join(made)}")
    click.echo(f"Next: cd {into / name}")
    click.echo(f"      {sys.executable} -m pytest   its test (it needs: pip install pytest)")
    click.echo(f"      {shutil.which('timbot') or 'timbot'} run config.yaml   talk to it in a browser")


@command.command(short_help="Write the example configuration and its schema.")
@click.argument("file", type=click.Path(path_type=Path), default="config.yaml")
def config(file: Path) -> None:
    """Write the example configuration to FILE, and beside it the schema that lets an editor help."""
    from timbot.cli.scaffold import example, write_files
    from timbot.cli.schema import text

    if file.exists():
        raise ConfigError(f"{file} is there already.", hint="Give another name.")
    schema = file.with_name(SCHEMA)
    write_files({file: example(), schema: text()})
    click.echo(f"Wrote {file} and {schema}\nNext: timbot run {file}")


def _is_taken(module: str) -> bool:
    """Whether a plugin of this name could not be found by it: modules of others, the plugin's own folders."""
    from timbot.runtime.loader import shipped

    if module in (*shipped(), "tests", "templates"):
        return True
    spec = importlib.util.find_spec(module)
    return spec is not None and spec.origin is not None
