"""What a handler gets besides its event: the parameters behind `*`, given by type.

Everything is resolved once, when a plugin is loaded for an account. Nothing about a signature is looked up when a message
comes.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping

from timbot.errors import PluginError
from timbot.routing.plugin import Handler


def given(handler: Handler, place: str, plugin: str, things: Mapping[type, object]) -> dict[str, object]:
    """The arguments behind `*` for this handler, taken from `things` by type. Raises `PluginError`, with place and cure."""
    wanted = [
        item
        for item in inspect.signature(inspect.unwrap(handler)).parameters.values()
        if item.kind is item.KEYWORD_ONLY and (item.default is item.empty or item.annotation is not item.empty)
    ]
    if not wanted:
        return {}
    where = f"{place}: handler '{handler.__qualname__}' of plugin {plugin}"
    hints = _hints(handler, where)
    found: dict[str, object] = {}
    for item in wanted:
        kind = hints.get(item.name)
        if isinstance(kind, type) and kind in things:
            found[item.name] = things[kind]
        elif item.default is item.empty:
            raise _nothing_for(item.name, kind, where, things)
    return found


def _hints(handler: Handler, where: str) -> dict[str, object]:
    try:
        return typing.get_type_hints(inspect.unwrap(handler))
    except NameError as error:
        raise PluginError(
            f"{where}: the type '{error.name}' is not there when the plugin runs.",
            hint=f"Import it at the top, not under 'if TYPE_CHECKING:'; or check how '{error.name}' is spelt.",
        ) from None


def _nothing_for(name: str, kind: object, where: str, things: Mapping[type, object]) -> PluginError:
    known = ", ".join(sorted(known.__name__ for known in things))
    if kind is None:
        return PluginError(f"{where}: '{name}' has no type.", hint=f"Write one behind it: '{name}: Sender'. There is: {known}.")
    what = kind.__name__ if isinstance(kind, type) else str(kind)
    return PluginError(f"{where}: there is nothing of type {what} for '{name}'.", hint=f"There is: {known}.")
