"""What a handler may return, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from timbot.im.model.payloads import SENDABLE, Custom, Face, Location, Payload, Text

Sayable = str | Text | Custom | Face | Location
"""One message: a `str` is text, never a template, and never becomes a mention."""

Reply = Sayable | Sequence[Sayable] | None
"""What a message handler returns: nothing, a message, or several that are sent in order."""


@dataclass(frozen=True, slots=True)
class Accept:
    """Say yes to a request. `remark` (at most 96 bytes) is kept with a new friend; `message` is shown to a new member."""

    remark: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """Say no to a request. `reason` is shown to who asked to join a group."""

    reason: str = ""


Decision = Accept | Reject | None
"""What a request handler returns; None leaves the request to a person."""


def payloads_of(reply: object, where: str) -> list[Payload]:
    """The messages in what a handler returned. Raises `TypeError` naming the handler (`where`) and what is allowed."""
    if reply is None:
        return []
    parts: Sequence[object] = reply if isinstance(reply, list | tuple) else [reply]
    payloads: list[Payload] = []
    for part in parts:
        if isinstance(part, str):
            if part.strip():
                payloads.append(Text(part))
        elif isinstance(part, SENDABLE):
            payloads.append(part)
        else:
            raise TypeError(
                f"{where} returned a {type(part).__name__}. "
                "Return a str, a Text, Custom, Face or Location, a list of them, or None."
            )
    return payloads
