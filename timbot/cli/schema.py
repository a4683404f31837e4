"""`timbot schema`: what an editor needs to complete and check a configuration."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Print the JSON Schema of the configuration, with the settings of the shipped plugins.

    An editor with a YAML language server uses it when the first line of a configuration is
    "# yaml-language-server: $schema=./config.schema.json".
    """
    click.echo(text(), nl=False)


def text() -> str:
    """The schema as it stands in config.schema.json."""
    import json

    from timbot.config.schema import schema

    return json.dumps(schema(shipped()), indent=2, ensure_ascii=False) + "\n"


def shipped() -> dict[str, type | None]:
    """The plugins in `timbot_plugins`, by name, with their settings types; none where they are not installed."""
    import importlib
    import pkgutil

    from timbot import Plugin

    try:
        package = importlib.import_module("timbot_plugins")
    except ModuleNotFoundError:
        return {}
    found: dict[str, type | None] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("_"):
            continue
        values = vars(importlib.import_module(f"timbot_plugins.{module.name}")).values()
        plugins = [value for value in values if isinstance(value, Plugin)]
        if plugins:
            kinds = [getattr(plugin, "config", None) for plugin in plugins]
            found[module.name] = next((kind for kind in kinds if kind is not None), None)
    return found
