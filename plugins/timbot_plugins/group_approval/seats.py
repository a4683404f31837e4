"""The member cap: whether there is room, also for many who come at once.

Between the answer and the moment at which the server counts the new member, others may ask. Those who were just let in keep
a seat until they are seen to come in.
"""

from __future__ import annotations

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

from timbot import Client

KEPT: Final = 60.0
"""Seconds for which a seat is kept for somebody who does not come: the answer failed, or an admin was quicker."""


class Seats:
    """The seats that are kept in the groups of one account."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._kept: dict[str, dict[str, float]] = {}

    async def keep(self, group_id: str, user_id: str, most: int) -> bool:
        """Keep a seat for the user, if the group has fewer members than `most`. Raises what the client raises."""
        now = asyncio.get_running_loop().time()
        kept = self._kept[group_id] = {user: until for user, until in self._kept.get(group_id, {}).items() if until > now}
        others = len(kept.keys() - {user_id})
        if others >= most:
            return False
        kept[user_id] = now + KEPT
        # A member at this place of the list, which begins at 0: then there are too many.
        full = await self._client.get_group_member_list(group_id, count=1, offset=most - 1 - others)
        if full:
            self.give_up(group_id, user_id)
        return not full

    def give_up(self, group_id: str, *users: str) -> None:
        """The seats are free, or their users sit on them."""
        kept = self._kept.get(group_id, {})
        for user in users:
            kept.pop(user, None)
        if not kept:
            self._kept.pop(group_id, None)


_seats: WeakKeyDictionary[Client, Seats] = WeakKeyDictionary()


def seats_of(client: Client) -> Seats:
    """The seats of an account, as long as it is there."""
    return _seats.setdefault(client.underlying, Seats(client.underlying))
