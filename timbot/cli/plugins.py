"""`timbot plugins`: what there is, and what each takes."""

from __future__ import annotations

import ast
import json
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from timbot.routing.plugin import Plugin


@click.group()
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


@command.command()
@click.argument("name")
def info(name: str) -> None:
    """Show what the plugin NAME does and which settings it takes: a shipped one, a module, or a file ending in .py."""
    from timbot.runtime.loader import Loader

    for plugin in Loader(Path()).load(name):
        click.echo(f"{plugin.name}: {_summary(plugin)}\n  {plugin.file}\n")
        click.echo("Handlers")
        for route in plugin.routes:
            keys = ", ".join(str(getattr(key, "__name__", key)) for key in route.keys)
            click.echo(f"  {route.kind:<12} {keys or 'any':<30} {route.name.partition(':')[2]}")
        for job in plugin.jobs:
            click.echo(f"  {'by the clock':<43} {job.name.partition(':')[2]}")
        click.echo("\nSettings" if plugin.config else "\nNo settings.")
        for line in _settings(plugin.config):
            click.echo(f"  {line}")


def _summary(plugin: Plugin) -> str:
    """The first line of what its module says about itself."""
    with tokenize.open(plugin.file) as opened:
        text = ast.get_docstring(ast.parse(opened.read())) or "it does not say what it does"
    return text.partition("\n")[0]


def _settings(kind: type | None) -> list[str]:
    """Each setting with its default and what it is for."""
    if kind is None:
        return []
    from timbot.config.schema import settings_schema

    found = settings_schema(kind)
    needed = found.get("required", [])
    lines = []
    for name, item in found.get("properties", {}).items():
        default = "needed" if name in needed else json.dumps(item.get("default"), ensure_ascii=False)
        about = " ".join(str(item.get("description", "")).split())
        lines.append(f"{name:<18} {default:<20} {about}".rstrip())
    return lines
