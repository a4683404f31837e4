"""`timbot schema`: what an editor needs to complete and check a configuration."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Print the JSON Schema of the configuration.")
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

    return json.dumps(schema(shipped_settings()), indent=2, ensure_ascii=False) + "\n"


def shipped_settings() -> dict[str, type | None]:
    """The settings type of each shipped plugin, by the name it has in a configuration."""
    from timbot.runtime.loader import Loader, shipped

    loader = Loader(Path())
    found: dict[str, type | None] = {}
    for name in shipped():
        kinds = (plugin.config for plugin in loader.load(name))
        found[name] = next((kind for kind in kinds if kind is not None), None)
    return found
