"""`Document`: one configuration file, read once, with the places of everything in it and all that is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from timbot.config import together, uses
from timbot.config.expand import Expander
from timbot.config.models import Config, PluginUse
from timbot.config.problems import ConfigErrors, Location, Problem, dotted
from timbot.config.reader import LONGEST_TEXT, read
from timbot.config.tree import MapNode, Mark, Node, ScalarNode, at, grow, mark_at
from timbot.config.validate import Fault, validate
from timbot.errors import ConfigError

T = TypeVar("T")


class Document:
    """A configuration as it was written. Made by `read` or `of`; never shows a value of the file."""

    def __init__(self, name: str, root: MapNode | None, problems: list[Problem]) -> None:
        self.name = name
        """The file, as it was given."""
        self._root = root
        self._config: Config | None = None
        found = list(problems)
        if root is not None:
            found += self._validated(root)
        self.problems: list[Problem] = list(ConfigErrors(found).problems)
        """Everything that is wrong, in the order of the file. Settings of plugins are not looked into: see `check_settings`."""

    def __repr__(self) -> str:
        return f"<Document {self.name}: {len(self.problems)} problems>"

    @classmethod
    def read(cls, path: Path, environ: Mapping[str, str] = os.environ) -> Self:
        """Read a file. Raises `ConfigError` if there is no text to be had; mistakes in it are `problems`."""
        try:
            with path.open("rb") as opened:
                content = opened.read(4 * LONGEST_TEXT + 4)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "no such path"
            raise ConfigError(f"{path} cannot be read: {reason}.", hint="Check the path.") from error
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise ConfigError(f"{path} is not UTF-8 text (line {line}).", hint="Save it as UTF-8.") from None
        return cls.of(text, str(path), path.parent, environ)

    @classmethod
    def of(cls, text: str, name: str = "<config>", folder: Path = Path(), environ: Mapping[str, str] = os.environ) -> Self:
        """A document from a text. `${file:...}` is relative to `folder`. Never raises for what the text says."""
        root, problems = read(text, name, Expander(folder, environ))
        if not isinstance(root, MapNode):
            if not problems:
                problems = [Problem(name, "", "the file holds no settings; begin with 'accounts:', see config.example.yaml")]
            return cls(name, None, problems)
        return cls(name, root, problems)

    def place(self, location: Location) -> str:
        """`file:line:column` of a setting: its key where it has one; where it is absent, what it would be part of."""
        if self._root is None:
            return self.name
        mark = mark_at(self._root, location)
        return f"{self.name}:{mark.line}:{mark.column}"

    def config(self) -> Config:
        """The typed configuration. Raises `ConfigErrors` with every problem."""
        if self._config is None or self.problems:
            raise ConfigErrors(self.problems)
        return self._config

    def plugin_uses(self) -> tuple[PluginUse, ...]:
        """Every plugin entry that can be understood, whatever else is wrong: those for all first, then by account.

        `location` tells which: `("plugins", 0)` or `("accounts", 1, "plugins", 0)`.
        """
        if self._root is None:
            return ()
        return tuple(use for location in uses.lists(self._root) for use in uses.of(self._root, location)[0])

    def problem(self, location: Location, message: str) -> Problem:
        """A problem with a setting of this document, for checks made elsewhere."""
        return Problem(self.place(location), dotted(location), message)

    def check_settings(
        self, use: PluginUse, kind: type[T] | None, context: dict[str, Any] | None = None
    ) -> tuple[T | None, list[Problem]]:
        """The settings of a plugin as its own type, or None and what is wrong with them.

        `kind` is a dataclass, a pydantic model, or None for a plugin that takes no settings. `context` is what pydantic hands
        to validators as `info.context`.
        """
        location = (*use.location, use.name)
        node = self._settings(use, location)
        if kind is None:
            empty = isinstance(node, MapNode) and not node.values
            return None, [] if empty else [self.problem(location, "this plugin takes no settings: leave only its name")]
        try:
            value, faults = validate(kind, node, context)
        except Exception as error:  # the plugin's own code: its settings type, or a validator of it
            told = f"its settings cannot be checked: {kind.__name__} raised {type(error).__name__}"
            return None, [self.problem(location, told)]
        return value, [self.problem((*location, *fault.location), fault.message) for fault in faults]

    def _settings(self, use: PluginUse, location: Location) -> Node:
        node = at(self._root, location) if self._root is not None and use.location else grow(dict(use.settings or {}))
        if node is None or (isinstance(node, ScalarNode) and node.value is None):
            mark = mark_at(self._root, location) if self._root is not None else Mark(1, 1)
            return MapNode(mark, {}, {})
        return node

    def _validated(self, root: MapNode) -> list[Problem]:
        faults: list[Fault] = list(together.check(root))
        for location in uses.lists(root):
            faults += uses.of(root, location)[1]
        self._config, wrong = validate(Config, uses.lowered(root))
        return [Problem(*self._placed(root, fault), fault.message) for fault in (*faults, *wrong)]

    def _placed(self, root: MapNode, fault: Fault) -> tuple[str, str]:
        mark = mark_at(root, fault.location)
        return f"{self.name}:{mark.line}:{mark.column}", dotted(fault.location)
