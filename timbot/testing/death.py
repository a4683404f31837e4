"""A journal that can die: what is asked of it after its death does not happen, as with a process that was killed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from timbot.im.delivery import Change
from timbot.runtime.journal.values import Commit, NewEvent

if TYPE_CHECKING:
    from timbot.runtime.journal.interface import Journal


class MortalJournal:
    """A journal until `die`. From then on nothing is kept, and nobody gets an answer."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._dead = False

    def die(self) -> None:
        """Keep nothing from now on. What was asked for before is kept."""
        self._dead = True

    def take(self, events: Sequence[NewEvent], change: Change) -> asyncio.Future[list[int]]:
        """See `Journal`."""
        return self._never() if self._dead else self._journal.take(events, change)

    def commit(self, *changes: Commit) -> asyncio.Future[list[int]]:
        """See `Journal`."""
        return self._never() if self._dead else self._journal.commit(*changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def _never(self) -> asyncio.Future[list[int]]:
        return asyncio.get_running_loop().create_future()
