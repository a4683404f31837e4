"""The request commands: for each its name, the shape of its request and the shape of its answer.

One file per service of the protocol. `COMMANDS` finds a command by its name on the wire.
"""

from __future__ import annotations

from typing import Any, Final

from timbot.im.wire.commands import c2c, contacts, friends, groups, longmsg, members, profiles, status
from timbot.im.wire.commands.base import Command

COMMANDS: Final[dict[str, Command[Any, Any]]] = {
    command.name: command
    for room in (status, c2c, groups, members, friends, profiles, contacts, longmsg)
    for command in vars(room).values()
    if isinstance(command, Command)
}
