"""From a configuration file to what will run: everything is loaded and checked here, before anything starts.

All mistakes are reported together, wherever they are: in the file, in a plugin, in its settings, in a template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from timbot.config import Config, ConfigErrors, Document, Location, PluginUse, Problem
from timbot.errors import ConfigError, PluginError
from timbot.routing.plugin import Plugin
from timbot.routing.table import Table
from timbot.runtime.enabled import Enabled, templates_of
from timbot.runtime.loader import Loader
from timbot.runtime.outfit import check_wiring
from timbot.runtime.sources import source_of
from timbot.sandbox.keys import DEMO_KEY

if TYPE_CHECKING:
    from timbot.templating import Templates


@dataclass(frozen=True, slots=True)
class Assembly:
    """What a configuration amounts to. `plugins` are those of each account, by its user ID."""

    path: Path
    config: Config
    plugins: Mapping[str, tuple[Enabled, ...]]
    left_out: tuple[str, ...] = ()
    """What is wrong with plugins that `keep_going` left out."""


def assemble(path: Path, extra: Sequence[Plugin] = (), *, keep_going: bool = False) -> Assembly:
    """Read, load and check. `extra` plugins come first, in every account.

    Raises `ConfigError` with everything that is wrong. `keep_going` leaves plugins out that cannot be imported.
    """
    document = Document.read(path)
    assembler = _Assembler(document, path.parent)
    first = [enabled for plugin in extra for enabled in assembler.enable(plugin, None)]
    plugins = {
        user_id: (*first, *(enabled for use in uses for enabled in assembler.load(use)))
        for user_id, uses in document.plugin_uses().items()
    }
    for user_id, uses in document.plugin_uses().items():
        assembler.check_together(plugins[user_id], uses[-1].location[:-1] if uses else ())
    if not document.problems:
        assembler.check_sources(document.config())
    problems = [*document.problems, *assembler.problems, *([] if keep_going else assembler.failures)]
    if problems:
        raise ConfigErrors(problems)
    return Assembly(path, document.config(), plugins, tuple(str(failure) for failure in assembler.failures))


class _Assembler:
    """Enables plugins and gathers what is wrong with them."""

    def __init__(self, document: Document, folder: Path) -> None:
        self.problems: list[Problem] = []
        self.failures: list[Problem] = []
        """Plugins that could not be imported."""
        self._document = document
        self._folder = folder
        self._loader = Loader(folder)
        self._loaded: dict[Location, list[Enabled]] = {}
        self._checked: set[int] = set()

    def load(self, use: PluginUse) -> list[Enabled]:
        """The plugins of an entry, made once for all accounts that share it. Mistakes are noted, and what has them left out."""
        if use.location not in self._loaded:
            self._loaded[use.location] = self._load(use)
        return self._loaded[use.location]

    def _load(self, use: PluginUse) -> list[Enabled]:
        try:
            plugins = self._loader.load(use.name)
        except PluginError as error:
            self.failures.append(self._problem(use, str(error)))
            return []
        taking = next((plugin for plugin in plugins if plugin.config is not None), plugins[0])
        return [
            enabled
            for plugin in plugins
            for enabled in self.enable(plugin, use if plugin is taking else replace(use, settings=None, location=()))
        ]

    def check_together(self, plugins: Sequence[Enabled], listed: Location) -> None:
        """Whether the plugins of an account, which are `listed` there, get on with each other."""
        try:
            Table(enabled.plugin for enabled in plugins)
        except PluginError as error:
            self.problems.append(self._document.problem(listed, str(error)))

    def check_sources(self, config: Config) -> None:
        """Whether every account has something to log in with."""
        sandbox_key = DEMO_KEY if config.endpoint == "sandbox" else None
        for number, account in enumerate(config.accounts):
            try:
                source_of(config, account, sandbox_key, self._folder)
            except ConfigError as error:
                self.problems.append(self._document.problem(("accounts", number), str(error)))

    def enable(self, plugin: Plugin, use: PluginUse | None) -> list[Enabled]:
        """The plugin as its entry wants it (None: one that has no entry), or nothing if something is wrong."""
        templates = templates_of(plugin, self._folder)
        if id(plugin) not in self._checked:
            self._checked.add(id(plugin))
            self._check_templates(plugin, templates, use)
        asked = use or PluginUse(plugin.name)
        settings, problems = self._document.check_settings(asked, plugin.config, {"templates": templates})
        self.problems += problems
        if problems:
            return []
        enabled = Enabled(plugin, settings, templates)
        try:
            check_wiring(enabled)
        except (PluginError, ConfigError) as error:
            self.problems.append(self._problem(use, str(error)))
            return []
        return [enabled]

    def _check_templates(self, plugin: Plugin, templates: Templates, use: PluginUse | None) -> None:
        """Every template that compiles, and every one a handler names, with the values it is given."""
        from timbot.templating import TemplateError, templates_used

        for error in templates.check_all():
            self.problems.append(self._problem(use, str(error)))
        for file in _sources(plugin):
            for used in templates_used(file.read_text(encoding="utf-8")):
                try:
                    template = templates.get(used.name)
                    if used.keywords is not None:
                        template.check(used.keywords)
                except TemplateError as error:
                    self.problems.append(Problem(f"{file}:{used.line}:1", used.name, str(error)))

    def _problem(self, use: PluginUse | None, message: str) -> Problem:
        if use is None:
            return Problem(self._document.name, "plugins", message)
        return Problem(self._document.place(use.location), use.name, message)


def _sources(plugin: Plugin) -> list[Path]:
    """A plugin's own Python files: its file, or all of its package."""
    return sorted(plugin.file.parent.glob("*.py")) if plugin.file.name == "__init__.py" else [plugin.file]
