"""What a handler gets besides its event: the parameters behind `*`, given by type.

Everything is resolved once, when a plugin is loaded for an account. Nothing about a signature is looked up when a message
comes.
"""

from __future__ import annotations

import difflib
import inspect
import re
import typing
from collections.abc import Mapping
from inspect import Parameter
from types import SimpleNamespace
from typing import Final

from timbot.errors import PluginError
from timbot.routing.plugin import Handler


def given(handler: Handler, place: str, plugin: str, things: Mapping[type, object]) -> dict[str, object]:
    """The arguments behind `*` for this handler, taken from `things` by type. Raises `PluginError`, with place and cure."""
    where = f"{place}: handler '{handler.__qualname__}' of plugin {plugin}"
    found: dict[str, object] = {}
    for item in inspect.signature(handler).parameters.values():
        if item.kind is not item.KEYWORD_ONLY or (item.annotation is item.empty and item.default is not item.empty):
            continue
        kind = _hint(handler, item, where)
        if isinstance(kind, type) and kind in things:
            found[item.name] = things[kind]
        elif item.default is item.empty:
            raise _nothing_for(item.name, kind, where, things)
    return found


def check_event(handler: Handler, place: str, plugin: str, kind: type, payload: type | None) -> None:
    """Whether the first parameter, if its type is known, can be a `kind` (of this payload). Raises `PluginError`."""
    item = next(iter(inspect.signature(handler).parameters.values()))
    where = f"{place}: handler '{handler.__qualname__}' of plugin {plugin}"
    try:
        declared = _hint(handler, item, where)
    except PluginError:
        return  # imported for type checkers only: nothing is taken from it
    needed = kind.__name__ if payload is None else f"{kind.__name__}[{payload.__name__}]"
    origin = typing.get_origin(declared)
    fits = _takes(origin or declared, kind)
    if payload is not None and origin is kind:
        fits = all(_takes(part, payload) for part in typing.get_args(declared))
    if not fits:
        raise PluginError(f"{where}: '{item.name}' is no {_name(declared)} here.", hint=f"Write '{item.name}: {needed}'.")


def _takes(declared: object, kind: type) -> bool:
    """Whether a `kind` is one of these. What is no class, like a union, is the author's word."""
    return not isinstance(declared, type) or declared is typing.Any or issubclass(kind, declared)


def _hint(handler: Handler, item: Parameter, where: str) -> object:
    """The type of one parameter, None if it has none. The others may be anything."""
    if item.annotation is item.empty:
        return None
    holder = SimpleNamespace(__annotations__={item.name: item.annotation})
    try:
        return typing.get_type_hints(holder, inspect.unwrap(handler).__globals__)[item.name]
    except NameError as error:
        raise PluginError(
            f"{where}: the type '{error.name}' is not there when the plugin runs.",
            hint=f"Import it at the top, not under 'if TYPE_CHECKING:'; or check how '{error.name}' is spelt.",
        ) from None
    except Exception as error:  # whatever evaluating an annotation comes to
        raise PluginError(f"{where}: the type of '{item.name}' cannot be told: {error}.", hint="Is it spelt right?") from None


def _nothing_for(name: str, kind: object, where: str, things: Mapping[type, object]) -> PluginError:
    known = ", ".join(sorted(known.__name__ for known in things))
    if kind is None:
        meant = _meant(name, things) or "Sender"
        return PluginError(
            f"{where}: '{name}' has no type.", hint=f"Write one behind it: '{name}: {meant}'. There is: {known}."
        )
    meant = _meant(_name(kind), things) or _meant(name, things)
    hint = f"Did you mean '{name}: {meant}'? " if meant else ""
    return PluginError(f"{where}: there is nothing of type {_name(kind)} for '{name}'.", hint=f"{hint}There is: {known}.")


_CUSTOMARY: Final = {"out": "Sender", "send": "Sender", "db": "Store", "state": "Store", "im": "Client", "bot": "Client"}
"""What parameters are often called, and which type is meant by that."""


def _meant(word: str, things: Mapping[type, object]) -> str:
    """The type that is most likely meant by this name; empty if none is like it."""
    known = {kind.__name__.lower(): kind.__name__ for kind in things}
    own = [name for name in known.values() if name not in ("Client", "Sender", "Store")]
    if own and word in ("cfg", "config", "settings"):
        return own[0]
    if word in _CUSTOMARY and _CUSTOMARY[word] in known.values():
        return _CUSTOMARY[word]
    close = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.75)
    return known[close[0]] if close else ""


def _name(kind: object) -> str:
    """As it is written in code, without modules."""
    return kind.__name__ if inspect.isclass(kind) else re.sub(r"[\w.]+\.", "", str(kind))
