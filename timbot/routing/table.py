"""All routes of an account, indexed at load: what a message costs does not grow with handlers that do not match."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Final

from timbot.errors import PluginError
from timbot.im.model import events as model
from timbot.im.model.payloads import Custom
from timbot.routing.plugin import Plugin, Route
from timbot.routing.text import fold, split_command

_NAMED: Final = {"command": "The command '/{}'", "text": "The text '{}'", "custom": "The custom message '{}'"}
"""Kinds of routes whose keys say exactly what they take."""

_NONE: Final[tuple[Route, ...]] = ()
_Key = tuple[str, object]
_Order = tuple[int, int, int, int]


class Table:
    """The routes of these plugins, asked in the order (priority, tier, plugin, line)."""

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        ordered: list[tuple[_Order, Route]] = []
        names: dict[str, Plugin] = {}
        for position, plugin in enumerate(dict.fromkeys(plugins)):
            first = names.setdefault(plugin.name, plugin)
            if first is not plugin:
                raise PluginError(
                    f"Two plugins are called '{plugin.name}': {first.place} and {plugin.place}.",
                    hint="Give one of them another name, or load it once.",
                )
            ordered.extend(((route.priority, route.tier, position, line), route) for line, route in enumerate(plugin.routes))
        ordered.sort(key=lambda entry: entry[0])
        self.routes: tuple[Route, ...] = tuple(route for _, route in ordered)
        self._rank = {id(route): rank for rank, route in enumerate(self.routes)}
        index: dict[_Key, list[Route]] = {}
        for route in self.routes:
            for key in route.keys or (None,):
                index.setdefault((route.kind, key), []).append(route)
        self._index = {key: tuple(routes) for key, routes in index.items()}
        self._scanned = tuple(route for route in self.routes if route.kind in ("keyword", "regex"))
        self._check_taken_twice()

    def _check_taken_twice(self) -> None:
        """What can never be reached is a mistake: the same words, and nothing that says who comes first."""
        for (kind, key), routes in self._index.items():
            if kind not in _NAMED or key is None:
                continue
            for first, second in itertools.pairwise(routes):
                if not first.block or first.priority != second.priority:
                    continue
                places = f"{first.name} ({first.place}) and {second.name} ({second.place})"
                raise PluginError(
                    f"{_NAMED[kind].format(key)} is taken twice: {places}.",
                    hint="Rename one, give the first block=False, or give one a priority.",
                )

    def for_text(self, text: str, *, addressed: bool) -> tuple[tuple[Route, ...], tuple[str, ...]]:
        """The routes for a text without mention, and the words behind a command. `addressed`: the bot is meant."""
        command = split_command(text)
        if command is not None:
            taken = self._index.get(("command", command[0]), _NONE)
            if taken or not addressed:
                return self.merge(taken, self._for_words(text) if addressed else _NONE), command[1]
        return (self._for_words(text) if addressed else _NONE), ()

    def _for_words(self, text: str) -> tuple[Route, ...]:
        folded = fold(text)
        found = self.merge(self._index.get(("text", folded), _NONE), self._index.get(("text", None), _NONE))
        if not self._scanned:
            return found
        return self.merge(found, tuple(route for route in self._scanned if _finds(route, text, folded)))

    def for_payload(self, payload: object) -> tuple[Route, ...]:
        """The routes for a payload that is not text."""
        if isinstance(payload, Custom):
            named = self._index.get(("custom", payload.data), _NONE)
            return self.merge(named, self._index.get(("custom", None), _NONE))
        return _NONE

    def for_stale(self) -> tuple[Route, ...]:
        """The routes for messages that came too late."""
        return self._index.get(("stale", None), _NONE)

    def for_event(self, event: model.Event) -> tuple[Route, ...]:
        """The routes for anything else that happens; a type's routes serve its subtypes too."""
        if isinstance(event, model.FriendApplicationReceived):
            return self.merge(self._index.get(("friend", None), _NONE), self._by_type(event))
        if isinstance(event, model.GroupApplication):
            return self.merge(self._index.get(("join", None), _NONE), self._by_type(event))
        return self._by_type(event)

    def _by_type(self, event: model.Event) -> tuple[Route, ...]:
        found: tuple[Route, ...] = _NONE
        for kind in type(event).__mro__:
            routes = self._index.get(("event", kind), _NONE)
            # A route for a type and its subtype is one route.
            found = self.merge(found, tuple(route for route in routes if route not in found) if found else routes)
        return found

    def merge(self, first: tuple[Route, ...], second: tuple[Route, ...]) -> tuple[Route, ...]:
        """Both, in the order in which they are asked."""
        if not second:
            return first
        if not first:
            return second
        return tuple(sorted((*first, *second), key=lambda route: self._rank[id(route)]))


def _finds(route: Route, text: str, folded: str) -> bool:
    if route.pattern is not None:
        return route.pattern.search(text) is not None
    return any(isinstance(word, str) and word in folded for word in route.keys)


def open_to(routes: Iterable[Route], *, bot_speaking: bool) -> Iterator[Route]:
    """The routes that may be asked: all, or those that want to hear other bots too."""
    return (route for route in routes if route.from_bots or not bot_speaking)
