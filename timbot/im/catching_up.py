"""Looking back after a login: what was missed is found and handed over before anything newer.

What the server's queue lists is not trusted to be all: a push that was lost on its way, or with the process that had it, may
count as received. So every conversation in which something was said since the last time all was known to be here is read
from its history, unless its last message was handed over by then. Groups are asked for by number, oldest first.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from timbot.errors import ImError, NotLoggedIn, RequestTimeout
from timbot.im.api.conversations import LIST_CAP, ConversationsApi
from timbot.im.api.friends import FriendsApi
from timbot.im.api.groups import GroupsApi
from timbot.im.api.messages import GROUP_PAGE, MessagesApi
from timbot.im.delivery import Arrival
from timbot.im.model import events as model
from timbot.im.streams import Gap, number_of, time_of
from timbot.im.wire.identity import C2CIdentity, FriendApplicationIdentity, c2c_identity
from timbot.im.wire.messages import C2CMessage
from timbot.im.wire.pushes import Pushed

OVERLAP: Final = 60.0
"""Seconds before the time up to which all is known to be here, from which on history is read again: what was pushed last may
not have arrived."""

HORIZON: Final = 7 * 86_400.0
"""Seconds a look back at C2C goes back at most: the server keeps no more."""

LATENESS: Final = 3.0
"""Seconds after which a history that lacks something is asked once more: it may be behind what is pushed and listed."""

CHUNK: Final = 100
"""Messages that are handed over at a time."""

REFUSALS: Final = 3
"""How often in a row the server may refuse a part of a group's history before it is given up."""

GAP_PATIENCE: Final = 15.0
"""Seconds a group's later messages wait for a missing one, or for the next of many."""


@dataclass(slots=True)
class _Search:
    """How far the search in a gap is: there is nothing up to `empty`; `size` is how much to ask for at once; `begun`: it is
    known where the gap begins, if that is a time."""

    empty: int = 0
    size: int = CHUNK
    begun: bool = False
    asked_twice: bool = False
    refused: int = 0


class CatchingUp(MessagesApi, ConversationsApi, FriendsApi, GroupsApi):
    """What a client does between a login and `Ready`."""

    _doubtful: set[str]
    """Users whose messages came partly by push and partly not: only their history tells the order."""
    _began: int
    """The very first login, Unix seconds by the server's clock."""
    _is_first: bool
    """Nobody has caught up for this account yet, and this is its first connection: what was before is history."""

    async def _wait_for_reader(self) -> None:
        """Let the reader catch up below the bound."""
        raise NotImplementedError

    async def _look_back(self) -> bool:
        """Hand over what was missed. Whether nothing was left out because a request failed. Raises `NotLoggedIn`."""
        complete = True
        for look in (self._look_at_c2c, self._look_at_groups, self._look_at_applications):
            try:
                await look()
            except NotLoggedIn:
                raise
            except ImError as error:
                complete = False
                self._report(f"catching up failed: {error}", self._looked_back_to())
        return complete

    def _looked_back_to(self) -> float:
        """From when on something may have been missed, Unix seconds by the server's clock."""
        whole_until = self._inbox.known.whole_until
        return max(whole_until - OVERLAP if whole_until else 0.0, self._began)

    def _report(self, reason: str, since: float, until: float = 0.0) -> None:
        until = until or self._session.server_now()
        self._hand_over([Arrival(model.Incomplete("", reason, since=since, until=until))])

    # C2C

    async def _look_at_c2c(self) -> None:
        if not self._is_first:
            since, horizon = self._looked_back_to(), self._session.server_now() - HORIZON
            if since < horizon:
                self._report(f"the server keeps {HORIZON / 86_400:.0f} days, and more have passed", since, horizon)
                since = horizon
            await self._read_histories(await self._find_doubtful(since), since)
        while self._inbox.waiting[0]:
            await self._wait_for_reader()
            self._hand_over(self._inbox.missed(CHUNK))

    async def _read_histories(self, doubtful: dict[str, C2CIdentity | None], since: float) -> None:
        """Hand over what the histories with these users say. One that lacks its last message is read again a little later."""
        late: list[str] = []
        for peer in sorted(doubtful):
            items = await self._c2c_since(peer, since)
            if doubtful[peer] in (None, *self._identities(items)):
                await self._hand_over_history(peer, items)
            else:
                late.append(peer)
        if late:
            await asyncio.sleep(LATENESS)
            for peer in late:
                await self._hand_over_history(peer, await self._c2c_since(peer, since))

    def _identities(self, items: Iterable[Pushed]) -> set[object]:
        return {c2c_identity(item.value, self.user_id) for item in items if isinstance(item.value, C2CMessage)}

    async def _hand_over_history(self, peer: str, items: list[Pushed]) -> None:
        for start in range(0, len(items), CHUNK):
            await self._wait_for_reader()
            self._hand_over(self._inbox.listed(items[start : start + CHUNK]))
        self._doubtful.discard(peer)

    async def _find_doubtful(self, since: float) -> dict[str, C2CIdentity | None]:
        """Users of whom something may be missing since then (Unix seconds), with the last message as far as it is known."""
        contacts, full = await self._last_c2c_messages()
        recent = [last for last in contacts if last.time >= int(since)]
        doubtful: dict[str, C2CIdentity | None] = dict.fromkeys(self._doubtful)
        if full or len(self._inbox.senders()) >= LIST_CAP:
            self._report(f"the server's lists are full at {LIST_CAP} conversations", since)
            doubtful |= dict.fromkeys(itertools.chain(self._inbox.senders(), self._inbox.known.peers()))
        for last in recent:
            identity = C2CIdentity(last.peer, not last.incoming, last.sequence, last.random)
            if full or not self._inbox.is_settled(identity, last.time):
                doubtful[last.peer] = identity if last.sequence or last.random else None
        return doubtful

    # Requests

    async def _look_at_applications(self) -> None:
        applications = (await self.get_friend_application_list()).applications
        news = [
            Arrival(
                model.FriendApplicationReceived(application), FriendApplicationIdentity(application.user_id, application.time)
            )
            for application in applications
            if application.incoming
        ]
        self._hand_over(self._inbox.unknown(news))

    # Groups

    async def _look_at_groups(self) -> None:
        groups = await self.get_group_list()
        gaps, news = self._inbox.groups_listed(groups, since=0.0 if self._is_first else max(self._looked_back_to(), 1.0))
        self._hand_over(news)
        for gap in gaps:
            await self._fill(gap)

    async def _fill(self, gap: Gap, patience: float | None = None) -> None:
        """Ask for what is missing, oldest first, and hand it over part by part. `patience` in seconds for each part.

        What the server refuses to give, or does not have when asked twice, is given up.
        """
        search = _Search()
        while self._inbox.streams.missing(gap):
            try:
                async with asyncio.timeout(patience):
                    part = await self._next_part(gap, search)
            except TimeoutError:
                if not self._session.online:
                    return  # nothing is given up: the next login asks for all that is missing
                part = gap.last, []
            except RequestTimeout:
                continue
            except NotLoggedIn:
                return
            except ImError:
                search.refused += 1
                if search.refused < REFUSALS:
                    await asyncio.sleep(LATENESS)
                    continue
                part = gap.last, []
            if part is not None:
                await self._wait_for_reader()
                self._hand_over(self._inbox.streams.filled(gap, *part))

    async def _next_part(self, gap: Gap, search: _Search) -> tuple[int, list[Pushed]] | None:
        """The next messages of a gap, and up to which number this is all; None if it takes another look."""
        if gap.since and not search.begun:
            search.empty, search.begun = await self._last_before(gap), True
        start = max(self._inbox.streams.missing(gap), search.empty + 1)
        if start > gap.last:
            return gap.last, []
        last = min(start + search.size - 1, gap.last)
        if search.size > CHUNK:
            items, _ = await self._group_page(gap.group_id, last, GROUP_PAGE)
        else:
            items = await self._group_range(gap.group_id, start, last)
        found = {number for item in items if (number := number_of(item.value)) >= start}
        search.refused = 0
        if search.size > CHUNK and found:
            search.size = CHUNK  # something is in there: look closer
            return None
        if len(found) <= last - start and not search.asked_twice:
            search.asked_twice = True
            await asyncio.sleep(LATENESS)
            return None
        if not found:
            search.empty, search.size = last, search.size * 2  # it may be long ago that the server has kept anything
            return (gap.last, []) if last == gap.last else None
        return last, items

    async def _last_before(self, gap: Gap) -> int:
        """A number at or before which all is older than the gap begins, as near to it as a part is long."""
        low, high = gap.first - 1, gap.last
        while high - low > CHUNK:
            middle = (low + high) // 2
            items, _ = await self._group_page(gap.group_id, middle, 1)
            if items and time_of(items[0].value) >= gap.since:
                high = middle
            else:
                low = middle
        return low
