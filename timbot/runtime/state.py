"""What a handler remembers of its sender, its conversation, or for all of its plugin.

Read once, and again after each answer; what was read is a step, so that a handler gone through again sees what it saw.
Written together with the next step, or with the end of the handler: all of it, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from timbot.errors import PluginError
from timbot.runtime.journal.values import WriteState
from timbot.runtime.steps import Steps, encoded_result

if TYPE_CHECKING:
    from timbot.runtime.turn import Turn
    from timbot.store import Json, Store


class Scope:
    """Values under names, 64 KiB as JSON together."""

    __slots__ = ("_epoch", "_key", "_plugin", "_read", "_steps", "_store", "_turn")

    def __init__(self, key: str, plugin: str, store: Store | None, steps: Steps, turn: Turn) -> None:
        self._key = key
        self._plugin = plugin
        self._store = store
        self._steps = steps
        self._turn = turn
        self._epoch = -1
        self._read: dict[str, Any] = {}

    async def get(self, name: str, default: Any = None) -> Any:
        """The value of this name, as JSON gives it back, or `default`."""
        return (await self._values()).get(name, default)

    async def set(self, name: str, value: Json) -> None:
        """Keep a value. It is kept for good with the next step, or when the handler ends well."""
        values = await self._values()
        values[name] = value
        self._write()

    async def delete(self, name: str) -> None:
        """Forget a value. One that is not there is no error."""
        values = await self._values()
        if name in values:
            del values[name]
            self._write()

    def _write(self) -> None:
        data = encoded_result(self._read, self._key) if self._read else None
        self._turn.put_off(WriteState(self._plugin, self._key, data))

    async def _values(self) -> dict[str, Any]:
        if self._epoch != self._steps.answers:
            store = self._store
            if store is None:
                raise PluginError("There is no store here.", hint="Give the bot a database.")
            epoch = self._steps.answers
            key = self._key
            found = await self._steps.effect("state", key, "", lambda: store.get(key, {}), key=f"{key} {epoch}")
            self._read, self._epoch = found if isinstance(found, dict) else {}, epoch
        return self._read


class State:
    """The three scopes of a handler."""

    __slots__ = ("_make", "_scopes", "conversation_id", "who")

    def __init__(self, make: Callable[[str], Scope], who: str, conversation_id: str) -> None:
        self._make = make
        self._scopes: dict[str, Scope] = {}
        self.who = who
        self.conversation_id = conversation_id

    @property
    def sender(self) -> Scope:
        """Of whoever the event is about, in every conversation."""
        return self._scope(f"state/sender/{self.who}")

    @property
    def conversation(self) -> Scope:
        """Of the conversation."""
        return self._scope(f"state/conversation/{self.conversation_id}")

    @property
    def plugin(self) -> Scope:
        """Of the plugin in this account. Handlers of different conversations run at once: the last to end wins."""
        return self._scope("state/plugin")

    def _scope(self, key: str) -> Scope:
        scope = self._scopes.get(key)
        if scope is None:
            scope = self._scopes[key] = self._make(key)
        return scope
