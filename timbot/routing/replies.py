"""What a handler may return, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from timbot.errors import PluginError
from timbot.im.model.payloads import SENDABLE, Custom, Face, Location, Payload, Text


@dataclass(frozen=True, slots=True)
class Reply:
    """A message made from a template of the plugin's when it is sent: `Reply.template("hello.j2", nick=...)`.

    `values` are data: nothing in them is ever taken for a template.
    """

    name: str
    values: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def template(cls, name: str, /, **values: object) -> Reply:
        """The template of this name with these values. A literal name is checked, values too, when the plugin is loaded."""
        return cls(name, values)


Sayable = str | Text | Custom | Face | Location | Reply
"""One message: a `str` is text, never a template, and never becomes a mention."""

Replies = Sayable | Sequence[Sayable] | None
"""What a message handler returns: nothing, a message, or several that are sent in order."""

Render = Callable[[Reply], str]
"""Makes a template's text."""


class WrongReply(PluginError, TypeError):
    """A handler returned something that is no reply, or no answer to a request."""


class Pass(Enum):
    """What a handler returns that does not take the event after all: the next route is asked."""

    PASS = "pass"  # noqa: S105 - no password


PASS: Final = Pass.PASS


@dataclass(frozen=True, slots=True)
class Accept:
    """Say yes to a request.

    `remark` (at most 96 bytes) is kept with a new friend; `message` is shown to a new member. `welcome` is said to the new
    friend, or in the group, if it was this answer that let them in: not if somebody else was quicker.
    """

    remark: str = ""
    message: str = ""
    welcome: Replies = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Say no to a request. `reason` is shown to who asked to join a group."""

    reason: str = ""


Decision = Accept | Reject | None
"""What a request handler returns; None leaves the request to a person."""


def payloads_of(reply: object, where: str, render: Render) -> list[Payload]:
    """The messages in what a handler returned. Raises `WrongReply` naming the handler (`where`) and what is allowed."""
    if reply is None:
        return []
    parts: Sequence[object] = reply if isinstance(reply, list | tuple) else [reply]
    payloads: list[Payload] = []
    for part in parts:
        said = render(part) if isinstance(part, Reply) else part
        if isinstance(said, str):
            if said.strip():
                payloads.append(Text(said))
        elif isinstance(said, SENDABLE):
            payloads.append(said)
        else:
            hint = "It may be a str, a Reply, a Text, Custom, Face or Location, a list of them, or None."
            raise WrongReply(f"{where} is of type {type(said).__name__}.", hint=hint)
    return payloads
