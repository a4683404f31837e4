"""From a configuration file to what will run: everything is loaded and checked here, before anything starts.

All mistakes are reported together, wherever they are: in the file, in a plugin, in its settings, in a template.
"""

from __future__ import annotations

import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from timbot.config import Config, ConfigErrors, Document, Location, PluginUse, Problem
from timbot.errors import ConfigError, PluginError, TimbotError
from timbot.routing.plugin import Plugin
from timbot.routing.steady import unsteady_calls
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
    advice: tuple[Problem, ...] = ()
    """What works, and may not do what its author thinks."""
    left_out: tuple[str, ...] = ()
    """What is wrong with plugins that `keep_going` left out."""


def assemble(path: Path, extra: Sequence[Plugin] = (), *, keep_going: bool = False) -> Assembly:
    """Read, load and check. `extra` plugins come first, in every account; one may list them by name, with settings.

    Raises `ConfigError` with everything that is wrong. `keep_going` leaves plugins out that cannot be imported.
    """
    document = Document.read(path)
    assembler = _Assembler(document, path.parent, extra)
    plugins = {user_id: assembler.plugins_of(uses) for user_id, uses in document.plugin_uses().items()}
    if not document.problems:
        assembler.check_sources(document.config())
    problems = [*document.problems, *assembler.problems, *([] if keep_going else assembler.failures)]
    if problems:
        raise ConfigErrors(problems)
    left_out = tuple(str(failure) for failure in assembler.failures)
    return Assembly(path, document.config(), plugins, tuple(assembler.advice), left_out)


class _Assembler:
    """Enables plugins and gathers what is wrong with them. What is wrong is left out."""

    def __init__(self, document: Document, folder: Path, extra: Sequence[Plugin]) -> None:
        self.problems: list[Problem] = []
        self.advice: list[Problem] = []
        self.failures: list[Problem] = []
        """Plugins that could not be imported."""
        self._document = document
        self._folder = folder
        self._extra = {plugin.name: plugin for plugin in extra}
        self._loader = Loader(folder)
        self._loaded: dict[tuple[Location, str], list[Enabled]] = {}
        self._checked: set[int] = set()

    def plugins_of(self, uses: Sequence[PluginUse]) -> tuple[Enabled, ...]:
        """The plugins of an account that lists these, behind the extra ones that it does not list."""
        listed = {use.name for use in uses}
        found = [(use, enabled) for use in map(PluginUse, self._extra) if use.name not in listed for enabled in self._load(use)]
        found += [(use, enabled) for use in uses for enabled in self._load(use)]
        first: dict[Plugin, PluginUse] = {}
        for use, enabled in found:
            if first.setdefault(enabled.plugin, use) is not use:
                self.problems.append(self._problem(use, f"this is the same plugin as '{first[enabled.plugin].name}' above"))
        try:
            Table(first)
        except PluginError as error:
            location = uses[-1].location[:-1] if uses else ()
            self.problems.append(self._document.problem(location, str(error)))
        return tuple(enabled for _, enabled in found)

    def _load(self, use: PluginUse) -> list[Enabled]:
        """The plugins of an entry, made once for all accounts that share it."""
        key = (use.location, use.name)
        if key not in self._loaded:
            self._loaded[key] = self._load_new(use)
        return self._loaded[key]

    def _load_new(self, use: PluginUse) -> list[Enabled]:
        try:
            plugins = (self._extra[use.name],) if use.name in self._extra else self._loader.load(use.name)
        except PluginError as error:
            self.failures.append(self._problem(use, str(error)))
            return []
        taking = [plugin for plugin in plugins if plugin.config is not None] or [plugins[0]]
        if use.settings and len(taking) > 1:
            names = ", ".join(plugin.name for plugin in taking)
            told = f"there are several plugins with settings in it ({names}): give each a file of its own"
            self.problems.append(self._problem(use, told))
            return []
        without = replace(use, settings=None, location=())
        return [item for plugin in plugins for item in self._enable(plugin, use if plugin is taking[0] else without)]

    def check_sources(self, config: Config) -> None:
        """Whether every account has something to log in with."""
        sandbox_key = DEMO_KEY if config.endpoint == "sandbox" else None
        for number, account in enumerate(config.accounts):
            try:
                source_of(config, account, sandbox_key, self._folder)
            except ConfigError as error:
                named = [key for key in ("user_sig_file", "secret_key_file") if getattr(account, key) is not None]
                self.problems.append(self._document.problem(("accounts", number, *named[:1]), str(error)))

    def _enable(self, plugin: Plugin, use: PluginUse) -> list[Enabled]:
        """The plugin as its entry wants it, or nothing if something is wrong."""
        templates = templates_of(plugin, self._folder)
        if id(plugin) not in self._checked:
            self._checked.add(id(plugin))
            self._check_templates(plugin, templates, use)
        settings, problems = self._document.check_settings(use, plugin.config, {"templates": templates})
        self.problems += problems
        if problems:
            return []
        enabled = Enabled(plugin, settings, templates)
        try:
            check_wiring(enabled)
        except TimbotError as error:
            self.problems.append(self._problem(use, str(error)))
            return []
        return [enabled]

    def _check_templates(self, plugin: Plugin, templates: Templates, use: PluginUse) -> None:
        """Every template that compiles, and every one a handler names, with the values it is given."""
        from timbot.templating import TemplateError, templates_used

        for error in templates.check_all():
            self.problems.append(self._problem(use, str(error)))
        for file in _sources(plugin):
            try:
                with tokenize.open(file) as opened:
                    source = opened.read()
                named, unsteady = templates_used(source), unsteady_calls(source)
            except (OSError, SyntaxError, ValueError) as broken:  # it has changed since it was imported
                self.problems.append(Problem(str(file), plugin.name, f"it cannot be read again: {broken}"))
                continue
            self.advice += [Problem(f"{file}:{each.line}:{each.column}", plugin.name, str(each)) for each in unsteady]
            for used in named:
                try:
                    template = templates.get(used.name)
                    if used.keywords is not None:
                        template.check(used.keywords)
                except TemplateError as error:
                    self.problems.append(Problem(f"{file}:{used.line}:1", "", str(error)))

    def _problem(self, use: PluginUse, message: str) -> Problem:
        if not use.location:
            return Problem(self._document.name, "plugins", message)
        return Problem(self._document.place(use.location), use.name, message)


def _sources(plugin: Plugin) -> list[Path]:
    """A plugin's own Python files: its file, or all of its package. None for one that was not made in a file."""
    if plugin.file.name == "__init__.py":
        return sorted(plugin.file.parent.glob("*.py"))
    return [plugin.file] if plugin.file.is_file() else []
