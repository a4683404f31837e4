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
        """Keep events, and what the client remembers because of them, in one transaction. The events' numbers, rising."""
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
        """What the handlers of an event have done so far."""
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
        """A dead letter is an open event again, at the end of its lane's order as far as it is still known. None: no such."""
        ...

    async def drop(self, number: int) -> bool:
        """Forget a dead letter. False: no such."""
        ...

    async def unknown_sends(self, *, after: int = 0, limit: int = 100) -> list[KeptSend]:
        """Messages of which nobody can tell whether they were sent."""
        ...

    async def forget(self, user_id: str) -> int:
        """Remove what a person has written, was told and is remembered for, but for plugin state. How many rows."""
        ...

    async def compact(self, now: float, keep: float) -> int:
        """Remove what is settled and older than `keep` seconds, and what has outlived its use. How many rows."""
        ...

    async def counts(self) -> dict[str, int]:
        """How much there is: `open`, `parked`, `dead`, `unsent`, `unknown`, and the age of the oldest open event in seconds
        as `oldest`."""
        ...
