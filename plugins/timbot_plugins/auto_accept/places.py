"""The limit of the day: how many were accepted, as far as that can be told.

A place is taken before the answer is sent, so that many requests at once cannot go beyond the limit. Some minutes later the
server is asked which requests are still open: an answer that failed leaves its request open, and its place is given back.
A request that a person answered in the same moment cannot be told from one that we answered: it stays counted.
"""

from __future__ import annotations

from typing import Final

from timbot import Client, Store

NAME: Final = "accepted"
SETTLED_AFTER: Final = 120.0
"""Seconds after which an answer has had its effect or will have none."""

_TAKEN: Final = "taken\n"


class Places:
    """The places of one account."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def take(self, user_id: str, day: str, limit: int, now: float) -> bool:
        """Take a place for a user on a day (`2026-01-31`). A user who has one that is not settled needs no second."""
        key = _TAKEN + user_id
        if await self._store.get(key) is None and not await self._store.count(NAME, limit, day):
            return False
        await self._store.set(key, {"day": day, "at": now})
        return True

    async def settle(self, client: Client, now: float) -> list[str]:
        """Give back the places of those whose requests are still open. Who they are."""
        old = {
            key.removeprefix(_TAKEN): taken
            for key in await self._store.keys(_TAKEN)
            if (taken := await self._store.get(key)) and taken["at"] <= now - SETTLED_AFTER
        }
        if not old:
            return []
        still_open = {application.user_id for application in (await client.get_friend_application_list()).applications}
        for user_id, taken in old.items():
            if user_id in still_open:
                await self._store.uncount(NAME, taken["day"])
            await self._store.delete(_TAKEN + user_id)
        return sorted(old.keys() & still_open)
