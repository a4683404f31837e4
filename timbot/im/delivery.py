"""What a client hands over for good: events with their identities, and what it has to remember because of them.

Whoever reads deliveries keeps each of them as a whole, then accepts it: only then is the push acknowledged, or the next page
asked for. A process that dies in between is told again, or finds it when it looks back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from timbot.im.model.events import Event
from timbot.im.wire.identity import C2CIdentity, Identity


class Arrival(msgspec.Struct, frozen=True):
    """An event, and what makes it the same event when it comes twice. None: it may be lost with the process (receipts,
    news of the connection, profiles)."""

    event: Event
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class GroupMark:
    """A group's messages up to `taken` have been handed over. `created` tells a new group under an old ID.

    It is the group's `CreateTime`; below 0 while that is not known, from the time of the message the group began with.
    """

    group_id: str
    created: int
    taken: int


@dataclass(frozen=True, slots=True)
class HeldItem:
    """Something pushed or listed that is not its turn yet. `item` is an item of an `EventArray`, as bytes."""

    number: int
    """Rises within an account, from process to process."""
    item: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """What a client remembers differently after a delivery. None, or nothing in it: as before."""

    began: int | None = None
    cookie: str | None = None
    whole_until: float | None = None
    marks: tuple[GroupMark, ...] = ()
    left: tuple[str, ...] = ()
    """Groups whose marks are gone."""
    held: tuple[HeldItem, ...] = ()
    released: tuple[int, ...] = ()
    """Held items that are held no more."""
    met: tuple[Identity, ...] = ()
    """Applications and invitations that were known, and listed again: they are remembered from now on."""

    def __bool__(self) -> bool:
        return self != _NOTHING


_NOTHING = Change()


@dataclass(frozen=True, slots=True)
class Memory:
    """What a client has to know to go on where the process before it stopped."""

    began: int = 0
    """The very first login, Unix seconds by the server's clock: what is older is history. 0: there was none."""
    cookie: str = ""
    whole_until: float = 0.0
    """Everything up to then (the server's time) has been accepted."""
    marks: tuple[GroupMark, ...] = ()
    held: tuple[HeldItem, ...] = ()
    messages: tuple[tuple[C2CIdentity, int], ...] = ()
    """C2C messages of the hour before `whole_until`, and since, with their times."""
    requests: tuple[Identity, ...] = ()
    """Applications and invitations, oldest first."""
    written: tuple[tuple[str, int, int], ...] = ()
    """Messages sent of late: conversation, sequence, random."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one frame or one answer has brought. `accept` it once it is kept."""

    arrivals: tuple[Arrival, ...]
    change: Change
    on_accept: Callable[[], Awaitable[None]] | None = None

    async def accept(self) -> None:
        """It is kept: tell the server, if it waits for that."""
        if self.on_accept is not None:
            await self.on_accept()
