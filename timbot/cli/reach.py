"""How a command finds its bot: through the control socket of a running one, else on what a stopped one has left.

Of a configuration only what is needed is read: the rest is the running bot's, and its secrets need not be readable here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from timbot.errors import ConfigError

if TYPE_CHECKING:
    import msgspec

F = TypeVar("F", bound=Callable[..., Any])
A = TypeVar("A", bound="msgspec.Struct")

DEFAULT_STATE: Final = ".timbot"


class Where:
    """The state folder that a command is about, from `--config` or `--state`."""

    def __init__(self, config: Path, state: Path | None) -> None:
        self._config = config
        self._state = state

    @property
    def folder(self) -> Path:
        """Raises `ConfigError` where the configuration cannot be read."""
        if self._state is not None:
            return self._state
        text = expanded(setting(self._config, "state") or DEFAULT_STATE, self._config, "state")
        return self._config.parent / text

    def carry_out(self, command: str, args: msgspec.Struct, kind: type[A]) -> A:
        """Have a command carried out, by the running bot if there is one. Raises `ControlError`, `StoreError`."""
        from timbot.runtime.control.client import ControlClient

        folder = self.folder
        client = ControlClient.connect(folder)
        if client is not None:
            with client:
                return client.ask(command, args, kind)
        import asyncio

        return asyncio.run(_on_what_is_left(folder, command, args, kind))


async def _on_what_is_left(folder: Path, command: str, args: msgspec.Struct, kind: type[A]) -> A:
    import msgspec

    from timbot.runtime.control.stopped import commands

    async with commands(folder) as registry:
        result = await registry.run(command, msgspec.json.encode(args))
    return msgspec.convert(msgspec.to_builtins(result), kind)


def where(function: F) -> F:
    """The options that say which bot, as the argument `where`."""
    import functools

    @functools.wraps(function)
    def with_place(*args: Any, config: Path, state: Path | None, **options: Any) -> Any:
        return function(*args, where=Where(config, state), **options)

    path = click.Path(path_type=Path)
    for option in (
        click.option("--state", type=path, help="Its state folder, instead of what the configuration says."),
        click.option(
            "-c", "--config", type=path, default=Path("config.yaml"), show_default=True, help="The bot's configuration."
        ),
    ):
        with_place = option(with_place)
    return with_place  # type: ignore[return-value]  # click calls it with the options it was given


account = click.option("--account", default="", help="Of this account only. Otherwise: of all that have this state folder.")
texts = click.option("--texts", is_flag=True, help="Show what people wrote, too.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: msgspec.Struct) -> None:
    """A command's result, for programs."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns below their heads; the last one is as long as it likes."""
    lines = [list(heads), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def when(time: float) -> str:
    """Unix seconds in this machine's time."""
    return f"{datetime.fromtimestamp(time):%Y-%m-%d %H:%M:%S}"


def plain(text: object) -> str:
    """Fit for a terminal, whoever wrote it."""
    return "".join(character if character.isprintable() else "?" for character in str(text))


def setting(path: Path, key: str) -> object:
    """One key of a configuration, as it stands there; None if it does not. Raises `ConfigError`."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        with path.open(encoding="utf-8") as opened:
            tree = yaml.load(opened, Loader=loader)  # noqa: S506 - it makes nothing but texts, lists and dicts
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.", hint="Check the path.") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigError(f"{path} is no YAML.", hint=f"'timbot check {path}' says where.") from None
    return tree.get(key) if isinstance(tree, dict) else None


def expanded(value: object, path: Path, key: str) -> str:
    """A value with `${...}` replaced. Raises `ConfigError`."""
    text = str(value)
    if "${" not in text:
        return text
    from timbot.config.expand import Expander, ExpansionError

    try:
        return Expander(path.parent, os.environ).expand(text, key).text
    except ExpansionError as error:
        raise ConfigError(f"{path}: {key}: {error}.") from None
