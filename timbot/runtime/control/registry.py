"""The commands there are: a name, what each takes, and who carries it out."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from timbot.runtime.control.protocol import ControlError

A = TypeVar("A", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class _Command:
    takes: type[msgspec.Struct]
    run: Callable[[Any], Awaitable[msgspec.Struct]]


class Registry:
    """Commands by their names. A command takes a `Struct` and gives one."""

    def __init__(self) -> None:
        self._commands: dict[str, _Command] = {}

    def add(self, name: str, takes: type[A], run: Callable[[A], Awaitable[msgspec.Struct]]) -> None:
        """One more. A name that is taken is a mistake of the caller's: `ValueError`."""
        if name in self._commands:
            raise ValueError(f"There is a command '{name}' already.")
        self._commands[name] = _Command(takes, run)

    async def run(self, name: str, args: bytes) -> msgspec.Struct:
        """Carry a command out; `args` is JSON. Raises `ControlError`, and what the command raises."""
        command = self._commands.get(name)
        if command is None:
            close = difflib.get_close_matches(name, self._commands, n=1)
            hint = f"Did you mean '{close[0]}'?" if close else f"There are {', '.join(self._commands)}."
            raise ControlError(f"There is no command '{name[:40]}'.", hint=hint)
        try:
            values = msgspec.json.decode(args, type=command.takes)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ControlError(f"'{name}' takes something else: {error}.") from None
        return await command.run(values)
