"""What a session reports, as values in the order it happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from timbot.errors import FrameError, ImError, KickKind
from timbot.im.exchange import Exchange
from timbot.im.transport import Connection
from timbot.im.wire.pushes import Pushed


@dataclass(frozen=True, slots=True)
class Connected:
    """Logged in. `again`: after a break, by the ticket of before; `server_time` in Unix seconds."""

    again: bool
    server_time: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone; the next attempt comes in `retry_in` seconds. `heard` is when the server was last heard, by
    its own clock, Unix seconds: what it had sent before has arrived."""

    cause: str
    retry_in: float
    heard: float = 0.0


@dataclass(frozen=True, slots=True)
class Expired:
    """The server said that signature or ticket have expired (`code` 70001 or 20002); a new login follows."""

    code: int


@dataclass(frozen=True, slots=True)
class KickedOut:
    """The account was logged in elsewhere; the session ends."""

    kind: KickKind


class Push(msgspec.Struct, frozen=True):
    """What the server pushed in one frame. `heard` is when, by the server's clock, Unix seconds."""

    items: tuple[Pushed, ...]
    session_data: str
    connection: Connection
    exchange: Exchange
    heard: float

    async def ack(self) -> None:
        """Tell the server that it has arrived, if it wants to know."""
        if self.session_data:
            await self.exchange.acknowledge(self.connection, self.session_data)


@dataclass(frozen=True, slots=True)
class Synced:
    """A page of a `getmsg` round: C2C messages and events that no push brought.

    `cookie` is where the next page goes on; `whole`: it was the round's last. The server counts a page as received once the
    next is asked for, which happens only after `keep`.
    """

    items: tuple[Pushed, ...]
    cookie: str
    whole: bool
    heard: float
    """When it came, by the server's clock, Unix seconds."""
    on_keep: Callable[[], None]

    def keep(self) -> None:
        """It is in good hands: the next page may be asked for."""
        self.on_keep()


@dataclass(frozen=True, slots=True)
class SyncFailed:
    """A `getmsg` round failed; it is tried again soon."""

    error: ImError


@dataclass(frozen=True, slots=True)
class BrokenFrame:
    """A frame that could not be understood, and was passed over."""

    error: FrameError


Happening = Connected | Disconnected | Expired | KickedOut | Push | Synced | SyncFailed | BrokenFrame
