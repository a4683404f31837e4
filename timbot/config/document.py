"""`Document`: one configuration file, read once, with the places of everything in it and all that is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

from timbot.config import together, uses
from timbot.config.expand import Expander
from timbot.config.models import Config, PluginUse
from timbot.config.problems import ConfigErrors, Location, Problem, dotted
from timbot.config.reader import LONGEST_TEXT, read
from timbot.config.tree import TOP, ListNode, MapNode, Node, ScalarNode, at, child, grow, mark_at
from timbot.config.validate import Fault, validate
from timbot.errors import ConfigError

T = TypeVar("T")


class Document:
    """A configuration as it was written. Made by `read` or `of`; never shows a value of the file."""

    def __init__(self, name: str, root: MapNode | None, problems: list[Problem], files: Iterable[Path] = ()) -> None:
        self.name = name
        """The file, as it was given."""
        self._root = root
        self._config: Config | None = None
        found = list(problems)
        if root is not None:
            found += self._validated(root, files)
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
        expander = Expander(folder, environ)
        root, problems = read(text, name, expander)
        if not isinstance(root, MapNode):
            if not problems:
                problems = [Problem(name, "", "the file holds no settings: 'timbot new config FILE' writes one to begin with")]
            return cls(name, None, problems)
        return cls(name, root, problems, expander.files)

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

    def plugin_uses(self) -> Mapping[str, tuple[PluginUse, ...]]:
        """The plugin entries of each account, by its user ID, as far as they can be understood, whatever else is wrong.

        An account has its own list, or else the one at the top. `location` tells which: `("accounts", 1, "plugins", 0)` or
        `("plugins", 0)`. Where there is no user ID to be had, `accounts.N` stands for it.
        """
        if self._root is None:
            return {}
        shared = tuple(uses.of(self._root, ("plugins",))[0])
        accounts = at(self._root, ("accounts",))
        found: dict[str, tuple[PluginUse, ...]] = {}
        for number, account in enumerate(accounts.items if isinstance(accounts, ListNode) else ()):
            user, own = child(account, "user_id"), child(account, "plugins")
            name = user.text if isinstance(user, ScalarNode) and user.text not in ("", *found) else f"accounts.{number}"
            listed = isinstance(own, ListNode)
            found[name] = tuple(uses.of(self._root, ("accounts", number, "plugins"))[0]) if listed else shared
        return found or {"accounts.0": shared}

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
        value, faults = settings_at(self._settings(use, location), kind, context)
        if value is None and kind is not None and not faults:
            return None, list(self.problems)  # a value that could not be read, which is told there
        return value, [self.problem((*location, *fault.location), fault.message) for fault in faults]

    def _settings(self, use: PluginUse, location: Location) -> Node:
        node = at(self._root, location) if self._root is not None else None
        if isinstance(node, MapNode) and use.settings is not None:
            return node
        return grow(use.settings or {}, mark_at(self._root, location) if self._root is not None else TOP)

    def _validated(self, root: MapNode, files: Iterable[Path]) -> list[Problem]:
        faults: list[Fault] = list(together.check(root))
        for location in uses.lists(root):
            faults += uses.of(root, location)[1]
        self._config, wrong = validate(Config, uses.lowered(root))
        if self._config is not None:
            self._config.taken_from(files)
        return [Problem(*self._placed(root, fault), fault.message) for fault in (*faults, *wrong)]

    def _placed(self, root: MapNode, fault: Fault) -> tuple[str, str]:
        mark = mark_at(root, fault.location)
        return f"{self.name}:{mark.line}:{mark.column}", dotted(fault.location)


def settings_of(name: str, kind: type[T], settings: Mapping[str, object], context: dict[str, Any] | None = None) -> T:
    """Settings given in code, as they would stand in a file, as the plugin's own type. Raises `ConfigErrors`."""
    value, faults = settings_at(grow(settings), kind, context)
    if faults or value is None:
        raise ConfigErrors(Problem(f"settings of {name}", dotted(fault.location), fault.message) for fault in faults)
    return value


def settings_at(node: Node, kind: type[T] | None, context: dict[str, Any] | None) -> tuple[T | None, list[Fault]]:
    """The settings at a node as the plugin's own type, or None and what is wrong with them."""
    if kind is None:
        empty = isinstance(node, MapNode) and not node.values
        return None, [] if empty else [Fault((), "this plugin takes no settings: leave only its name")]
    try:
        return validate(kind, node, context)
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        first = str(error).strip().partition("\n")[0]
        return None, [Fault((), f"its settings type {kind.__name__} cannot be used: {first}")]
    except Exception as error:  # the plugin's own code: its settings type, or a validator of it
        return None, [Fault((), f"its settings cannot be checked: {kind.__name__} raised {type(error).__name__}")]
