"""Commands this server knows by name and cannot carry out: it says so, and pretends nothing."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from timbot.im.wire.commands import groups, longmsg
from timbot.im.wire.commands.base import Command
from timbot.sandbox.domain import Refused
from timbot.sandbox.front import codes
from timbot.sandbox.front.desk import Call, Desk

UNAVAILABLE: Final[tuple[Command[Any, Any], ...]] = (
    groups.SET_ATTRIBUTES,
    groups.MODIFY_ATTRIBUTES,
    groups.DELETE_ATTRIBUTES,
    groups.CLEAR_ATTRIBUTES,
    groups.GET_ATTRIBUTES,
    groups.JOIN_ANONYMOUSLY,
    groups.POLL,
    groups.POLL_ANONYMOUSLY,
    groups.HANDLE_INVITATION,
    longmsg.SAVE,
    longmsg.LOAD,
)


def register(desk: Desk) -> None:
    """Take these commands."""
    for command in UNAVAILABLE:
        desk.add(command, _refuse)


def _refuse(_call: Call, _request: object) -> NoReturn:
    raise Refused(codes.NOT_AVAILABLE, "not available yet on this server")
