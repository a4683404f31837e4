"""What a plugin's handlers get in one account besides their events, made once when the account starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from timbot.errors import PluginError
from timbot.im.client import Client
from timbot.routing.injection import given
from timbot.routing.plugin import Handler
from timbot.runtime.sender import Sender
from timbot.store import Store

if TYPE_CHECKING:
    from timbot.runtime.enabled import Enabled
    from timbot.runtime.speaker import Speaker

Stores = Callable[[str], Store]
"""Gives the store of a plugin by its name."""


class Registered(Protocol):
    """A route or a job."""

    @property
    def handler(self) -> Handler:
        """The function."""
        ...

    @property
    def place(self) -> str:
        """Where it stands."""
        ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """How a handler is called: with these arguments behind `*`, answering through `out`."""

    out: Sender
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True)
class Outfit:
    """One plugin's things in one account, by type."""

    enabled: Enabled
    out: Sender
    things: dict[type, object]

    def wire(self, registered: Registered) -> Wiring:
        """Raises `PluginError` for a parameter that nothing fits."""
        name = self.enabled.plugin.name
        return Wiring(self.out, given(registered.handler, registered.place, name, self.things))


def outfits(plugins: Sequence[Enabled], speaker: Speaker, stores: Stores | None) -> dict[str, Outfit]:
    """An outfit for each plugin, by its name. Without `stores` there is nothing of type `Store`."""
    made: dict[str, Outfit] = {}
    for enabled in plugins:
        plugin = enabled.plugin
        out = Sender(speaker, plugin.name, enabled.render)
        things: dict[type, object] = {Client: speaker.client, Sender: out}
        if plugin.config is not None:
            things[plugin.config] = enabled.settings
        if stores is not None:
            things[Store] = stores(plugin.name)
        made[plugin.name] = Outfit(enabled, out, things)
    return made


def check_wiring(enabled: Enabled) -> None:
    """Whether everything fits, as far as that can be told without an account. Raises `PluginError`."""
    plugin = enabled.plugin
    kinds = {Client, Sender, Store, *([] if plugin.config is None else [plugin.config])}
    handlers: list[Registered] = [*plugin.routes, *plugin.jobs]
    for registered in handlers:
        given(registered.handler, registered.place, plugin.name, dict.fromkeys(kinds))
    for job in plugin.jobs:
        names = [planned.name for planned in job.plan(enabled.settings)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise PluginError(f"Two jobs of {job.name} are called '{twice}'.", hint="Give each a name of its own.")
