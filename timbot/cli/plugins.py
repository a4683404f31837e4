"""`timbot plugins`: what there is, and what each takes."""

from __future__ import annotations

import ast
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from timbot.routing.plugin import Plugin, Route


@click.group(short_help="Show which plugins there are and what they take.")
def command() -> None:
    """Show the plugins that come with timbot, or what a plugin does and takes."""


@command.command("list")
def list_() -> None:
    """List the plugins that come with timbot."""
    from timbot.runtime.loader import SHIPPED, Loader, shipped

    names = shipped()
    loader = Loader(Path())
    for name in names:
        for plugin in loader.load(name):
            click.echo(f"  {name:<{max(map(len, names))}}  {_summary(plugin)}")
    click.echo(f"\nName them under 'plugins:' in a configuration; 'timbot plugins info NAME' tells more. (Package {SHIPPED}.)")


@command.command(short_help="Show what a plugin does and takes.")
@click.argument("name")
def info(name: str) -> None:
    """Show what the plugin NAME does and which settings it takes: a shipped one, a module, or a file ending in .py."""
    from timbot.config.describe import describe_settings
    from timbot.runtime.loader import Loader

    for plugin in Loader(Path()).load(name):
        click.echo(f"{plugin.name}: {_summary(plugin)}\n  {plugin.file}\n")
        click.echo("Handlers")
        rows = [(route.kind, route.name.partition(":")[2], _keys(route)) for route in plugin.routes]
        rows += [("by the clock", job.name.partition(":")[2], "") for job in plugin.jobs]
        wide, wider = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
        for kind, handler, keys in rows:
            click.echo(f"  {kind:{wide}}  {handler:{wider}}  {keys}".rstrip())
        click.echo("\nSettings" if plugin.config else "\nNo settings.")
        for line in describe_settings(plugin.config):
            click.echo(f"  {line}")


def _keys(route: Route) -> str:
    """What a route is for: words, patterns, types of events."""
    return ", ".join(str(getattr(key, "__name__", key)) for key in route.keys) or "any"


def _summary(plugin: Plugin) -> str:
    """The first line of what its module says about itself."""
    with tokenize.open(plugin.file) as opened:
        text = ast.get_docstring(ast.parse(opened.read())) or "it does not say what it does"
    return text.partition("\n")[0]
