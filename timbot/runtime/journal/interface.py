"""What the runtime asks of a journal. One for each account; engines differ in what they survive."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from timbot.im.delivery import Change
from timbot.runtime.journal.values import Commit, DeadLetter, KeptEvent, KeptSend, KeptStep, NewEvent, Resumed


class Journal(Protocol):
    """The journal of one account.

    `take` and `commit` take their place in the order when they are called, not when they are awaited, and keep it when the
    caller is cancelled. What was awaited is kept as the engine promises. Every method raises `StoreBroken` when the engine
    cannot go on, `StoreClosed` after it was closed.
    """

    async def resume(self) -> Resumed:
        """What the process before has left. To be called once, before anything else."""
        ...

    def take(self, events: Sequence[NewEvent], change: Change) -> asyncio.Future[list[int]]:
        """Keep events, and what the client remembers because of them, in one transaction. The events' numbers, rising.

        The client has left out what it knows. Should an event all the same be one that is kept, nothing is kept of it, and
        its number is that of the other, *negative*: tell it, do not handle it. The rest is kept. Equal are: C2C identities at
        most 5 minutes apart (further apart they are two messages), fleeting ones at most 10 minutes; requests met in the last
        30 days; others always.
        """
        ...

    def commit(self, *changes: Commit) -> asyncio.Future[list[int]]:
        """All of it, or nothing. One number for each change: that of the message for `Intend`, else 0."""
        ...

    async def waiting(self, lane: str, after: int, limit: int) -> list[KeptEvent]:
        """Events of a lane that are open, with numbers above `after`, in order: at most `limit`."""
        ...

    async def event(self, number: int) -> KeptEvent | None:
        """One event, whatever its state; None if it is not there any more."""
        ...

    async def steps(self, event: int) -> tuple[list[KeptStep], list[KeptSend]]:
        """What the handlers of an event have done so far: steps by handler and slot, messages in order."""
        ...

    async def send(self, number: int) -> KeptSend | None:
        """One message, whatever its state: what `Intend` under a key that was there already is about."""
        ...

    def began(self, event: int) -> None:
        """A handler of this event begins to run: should the process die now, it is a suspect. Costs next to nothing."""
        ...

    def ended(self, event: int) -> None:
        """No handler of this event runs any more."""
        ...

    async def dead_letters(self, *, after: int = 0, limit: int = 100) -> list[DeadLetter]:
        """Those with numbers above `after`, in order."""
        ...

    async def revive(self, number: int) -> KeptEvent | None:
        """A dead letter is an open event again, with no attempts. None: no such.

        It keeps its number, its decision and its steps, so what it has sent is not sent again. `waiting` gives it in the place
        of that number: whoever runs the lane puts it behind what waits there.
        """
        ...

    async def drop(self, number: int) -> bool:
        """Forget a dead letter. False: no such."""
        ...

    async def unknown_sends(self, *, after: int = 0, limit: int = 100) -> list[KeptSend]:
        """Messages of which nobody can tell whether they were sent."""
        ...

    async def forget(self, user_id: str) -> int:
        """Remove what a person has written, was told and is remembered for, open or not, but for plugin state. How many rows.

        Events that come from the person (`who`, the C2C lane, the identity), and those that wait for an answer of theirs, with
        all their steps and messages; messages to the person; items held that name them. Not: what others have written about
        them, messages to others that outlived their event, and backups. The runtime lets go of what it holds in memory, and
        gives up their handlers first.
        """
        ...

    async def compact(self, now: float, keep: float) -> int:
        """Remove what is settled and older than `keep` seconds, and what has outlived its use. How many rows.

        Older: taken in so long before `now` (ours). Never touched: what is open or parked.
        """
        ...

    async def counts(self) -> dict[str, int]:
        """How much there is: `open`, `parked`, `dead`, `unsent`, `unknown`, and how many seconds ago the oldest open event was
        taken in as `oldest`."""
        ...
