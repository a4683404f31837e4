"""What a plugin's handlers get in one account besides their events, made once when the account starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from timbot.im.client import Client
from timbot.im.model.payloads import Custom, Text
from timbot.routing.injection import check_event, given
from timbot.routing.plugin import Handler
from timbot.runtime.context import Context, FriendRequest, GroupJoinRequest
from timbot.runtime.job import Job
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
    senders: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    """Which arguments are there anew for each event, since what is done through them are steps of the handler."""

    def arguments_for(self, client: Callable[[], Client], out: Sender) -> Mapping[str, object]:
        """The arguments for a handler that works with this client (made if it is needed), and says things through `out`."""
        if not self.senders and not self.clients:
            return self.arguments
        mine: dict[str, object] = dict.fromkeys(self.senders, out)
        if self.clients:
            mine |= dict.fromkeys(self.clients, client())
        return self.arguments | mine


@dataclass(frozen=True, slots=True)
class Outfit:
    """One plugin's things in one account, by type."""

    enabled: Enabled
    out: Sender
    things: dict[type, object]

    def wire(self, registered: Registered) -> Wiring:
        """Raises `PluginError` for a parameter that nothing fits."""
        name = self.enabled.plugin.name
        arguments = given(registered.handler, registered.place, name, self.things)
        senders = tuple(name for name, thing in arguments.items() if isinstance(thing, Sender))
        clients = tuple(name for name, thing in arguments.items() if isinstance(thing, Client))
        return Wiring(self.out, arguments, senders, clients)


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


_EVENTS: Final[dict[str, tuple[type, type | None]]] = {
    "text": (Context, Text),
    "command": (Context, Text),
    "keyword": (Context, Text),
    "regex": (Context, Text),
    "custom": (Context, Custom),
    "friend": (FriendRequest, None),
    "join": (GroupJoinRequest, None),
}
"""What a handler gets first, by the kind of its route, and what that is a context of."""


def check_wiring(enabled: Enabled) -> None:
    """Whether everything fits, as far as that can be told without an account. Raises `PluginError`."""
    plugin = enabled.plugin
    things = dict.fromkeys({Client, Sender, Store, *([] if plugin.config is None else [plugin.config])})
    for route in plugin.routes:
        given(route.handler, route.place, plugin.name, things)
        check_event(route.handler, route.place, plugin.name, *_EVENTS.get(route.kind, (Context, None)))
    for job in plugin.jobs:
        given(job.handler, job.place, plugin.name, things)
        if job.wants_job:
            check_event(job.handler, job.place, plugin.name, Job, None)
    if plugin.jobs:
        from timbot.runtime.jobs import planned_jobs  # brings the libraries of the schedule, which most bots do without

        planned_jobs(enabled)
