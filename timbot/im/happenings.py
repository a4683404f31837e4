"""What a session reports, as values in the order it happened."""

from __future__ import annotations

from dataclasses import dataclass

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
    """The connection is gone; the next attempt comes in `retry_in` seconds."""

    cause: str
    retry_in: float


@dataclass(frozen=True, slots=True)
class Expired:
    """The server said that signature or ticket have expired (`code` 70001 or 20002); a new login follows."""

    code: int


@dataclass(frozen=True, slots=True)
class KickedOut:
    """The account was logged in elsewhere; the session ends."""

    kind: KickKind


@dataclass(frozen=True, slots=True)
class Push:
    """What the server pushed in one frame."""

    items: tuple[Pushed, ...]
    session_data: str
    connection: Connection
    exchange: Exchange

    async def ack(self) -> None:
        """Tell the server that it has arrived, if it wants to know."""
        if self.session_data:
            await self.exchange.acknowledge(self.connection, self.session_data)


@dataclass(frozen=True, slots=True)
class Synced:
    """The answer of a whole `getmsg` round: C2C messages and events that no push brought.

    `first`: the first round of this session, whose messages are history rather than news. `cookie` is where the next
    round will go on.
    """

    items: tuple[Pushed, ...]
    cookie: str
    first: bool


@dataclass(frozen=True, slots=True)
class SyncFailed:
    """A `getmsg` round failed; it is tried again soon."""

    error: ImError


@dataclass(frozen=True, slots=True)
class BrokenFrame:
    """A frame that could not be understood, and was passed over."""

    error: FrameError


Happening = Connected | Disconnected | Expired | KickedOut | Push | Synced | SyncFailed | BrokenFrame
