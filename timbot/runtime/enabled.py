"""A plugin as one account uses it: with that account's settings, templates and store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from timbot.routing.plugin import Plugin
from timbot.routing.replies import Reply

if TYPE_CHECKING:
    from pydantic import JsonValue

    from timbot.templating import Templates

FOLDER = "templates"
"""Where templates lie, beside the configuration and beside a plugin."""


@dataclass(frozen=True, slots=True, eq=False)
class Enabled:
    """`settings` is of the plugin's `config` type, or None if it has none."""

    plugin: Plugin
    settings: object | None
    templates: Templates

    def __post_init__(self) -> None:
        self.templates.seal()

    def render(self, reply: Reply) -> str:
        """The text of a template. Raises `TemplateError`."""
        return self.templates.get(reply.name).render(**reply.values)


def templates_of(plugin: Plugin, folder: Path | None = None) -> Templates:
    """The templates a plugin sees: the operator's own for it, the operator's, the plugin's. The first that is there counts."""
    from timbot.templating import Templates

    ours = [] if folder is None else [folder / FOLDER / plugin.name, folder / FOLDER]
    return Templates([place for place in (*ours, plugin.file.parent / FOLDER) if place.is_dir()])


def enable(plugin: Plugin | Enabled, settings: Mapping[str, JsonValue] | None = None) -> Enabled:
    """A plugin with settings as they would stand in a configuration, checked. Raises `ConfigError`."""
    if isinstance(plugin, Enabled):
        return plugin
    templates = templates_of(plugin)
    if plugin.config is None and not settings:
        return Enabled(plugin, None, templates)
    from timbot.config import ConfigErrors, Problem, settings_of  # a plugin without settings does without these libraries

    if plugin.config is None:
        raise ConfigErrors([Problem(f"settings of {plugin.name}", "", "this plugin takes no settings")])
    return Enabled(plugin, settings_of(plugin.name, plugin.config, settings or {}, {"templates": templates}), templates)


def enable_all(plugins: Iterable[Plugin | Enabled]) -> tuple[Enabled, ...]:
    """Each plugin once, with its default settings where it has no others."""
    return tuple(enable(plugin) for plugin in dict.fromkeys(plugins))
