"""What a handler gets and gives, and the register in which it is found.

A handler is a plain function: a call and a typed request in, a typed answer out, `Refused` for no. It never waits, so a
request is carried out whole before the next one begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from timbot.im.wire.commands.base import Command
from timbot.im.wire.envelope import Answer
from timbot.im.wire.value import Value
from timbot.sandbox.auth import Identity
from timbot.sandbox.line import Line

Req = TypeVar("Req", bound=Value)
Ans = TypeVar("Ans", bound=Answer)


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks, and over which connection. Anonymous commands have no `identity`."""

    line: Line
    identity: Identity | None

    @property
    def user(self) -> str:
        """The caller's user ID."""
        return self._who.user

    @property
    def instance(self) -> int:
        """The caller's login, 0 if the request came with a signature instead of a ticket."""
        return self._who.instance

    @property
    def _who(self) -> Identity:
        if self.identity is None:
            raise LookupError("An anonymous command has no caller.")
        return self.identity


Handler = Callable[[Call, Any], Answer]


@dataclass(frozen=True, slots=True)
class Entry:
    """A command and who handles it."""

    command: Command[Any, Any]
    handle: Handler


@dataclass(frozen=True, slots=True)
class Done:
    """A request that was dealt with: for those who watch. `request` is missing where the body could not be read."""

    command: str
    user: str
    request: Value | None
    answer: Answer


class Desk:
    """The register of handlers, by the name of their command."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def add(self, command: Command[Req, Ans], handle: Callable[[Call, Req], Ans]) -> None:
        """Register a handler; a command has one."""
        if command.name in self._entries:
            raise ValueError(f"{command.name} has a handler already.")
        self._entries[command.name] = Entry(command, handle)

    def find(self, servcmd: str) -> Entry | None:
        """The entry for a name on the wire."""
        return self._entries.get(servcmd)
