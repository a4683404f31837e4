"""What the turns of one account work with."""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timbot.im.client import Client
from timbot.routing.table import Table
from timbot.runtime.journal.interface import Journal
from timbot.runtime.outfit import Outfit, Stores, Wiring, outfits
from timbot.runtime.overtime import Overtime
from timbot.runtime.sending.gates import gate_of
from timbot.runtime.sending.limits import Limits, Pacer
from timbot.runtime.sending.outbox import Outbox
from timbot.runtime.speaker import Speaker, Told

if TYPE_CHECKING:
    from timbot.runtime.dialogues import Dialogues
    from timbot.runtime.dispatcher import Options
    from timbot.runtime.enabled import Enabled
    from timbot.runtime.log import Log
    from timbot.store import Database


@dataclass(slots=True)
class Machinery:
    """Made once for an account. `key` names it in every process, and apart from all others."""

    key: str
    client: Client
    journal: Journal
    table: Table
    speaker: Speaker
    overtime: Overtime
    stores: Stores | None
    outfits: dict[str, Outfit]
    """What each plugin's handlers get, by the plugin's name."""
    wirings: Mapping[int, Wiring]
    """How each route's handler is called, by the route's `id`."""
    _dialogues: Dialogues | None = None

    @property
    def dialogues(self) -> Dialogues:
        """The open questions."""
        assert self._dialogues is not None
        return self._dialogues

    @dialogues.setter
    def dialogues(self, dialogues: Dialogues) -> None:
        self._dialogues = dialogues


def machinery(
    client: Client,
    journal: Journal,
    plugins: Sequence[Enabled],
    log: Log,
    options: Options,
    *,
    key: str,
    database: Database | None,
    told: Told,
) -> Machinery:
    """All of it, for these plugins. Raises `PluginError` where something does not fit."""
    table = Table(enabled.plugin for enabled in plugins)
    pacer = Pacer(options.limits or Limits.documented(), client.clock, random.Random())
    outbox = Outbox(client, journal, log, pacer, gate_of(plugins))
    speaker = Speaker(client, outbox, log, loop_guard=options.loop_guard, told=told)
    stores = None if database is None else functools.partial(database.scope, key)
    made = outfits(plugins, speaker, stores)
    wirings = {id(route): made[route.plugin].wire(route) for route in table.routes}
    return Machinery(key, client, journal, table, speaker, Overtime(options.time_limit), stores, made, wirings)
