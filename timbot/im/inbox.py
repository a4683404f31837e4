"""Each thing once, and in order: what comes by push, by push again, and by a look back is put together here.

Pure bookkeeping without I/O. C2C messages are taken in the order they come, and in the order of the server's list when
caught up; a C2C sequence is its sender's own and orders nothing. Groups are in `timbot.im.streams`.

From a login until the look back is complete, what comes is held, so that nothing overtakes what was missed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from timbot.im.delivery import Arrival, Memory
from timbot.im.known import Known, named
from timbot.im.model import events as model
from timbot.im.model.convert import events_of, message_event
from timbot.im.model.group import Group
from timbot.im.model.message import c2c_message
from timbot.im.shelf import Shelf
from timbot.im.streams import Gap, Streams, group_of, has_group_number, number_of
from timbot.im.wire.elements import Element
from timbot.im.wire.identity import (
    C2CIdentity,
    ChangeIdentity,
    FriendApplicationIdentity,
    Identity,
    RecallIdentity,
    c2c_identity,
    digest_of,
    group_identity,
    is_own,
    notice_identity,
    peer_of,
)
from timbot.im.wire.messages import FLAG_REVOKED, C2CMessage, NoticeKind
from timbot.im.wire.pushes import Notice, Pushed, PushValue, Tip, open_item
from timbot.im.wire.value import Raw, given

_LEAVING: Final = (NoticeKind.REMOVED, NoticeKind.DISMISSED, NoticeKind.QUIT)
_NAMELESS: Final = ("0-0", "1-1", "2-2")
"""Keys of notices that several of them may have: they tell nothing apart."""

Held = tuple[Pushed, int, bool]
"""Something that is not its turn, its number on the shelf (0: nobody keeps it), and whether it comes from a list: a list may
tell old news."""


class Inbox:
    """What one account has been told already. `me` is its user ID, `memory` what the process before knew.

    `shelf` takes what is held. `floor` (Unix seconds) is where history ends: older C2C messages in lists are no news.
    """

    def __init__(self, me: str, memory: Memory | None = None, shelf: Shelf | None = None) -> None:
        memory = memory or Memory()
        self._me = me
        self._shelf = shelf or Shelf(keeps=False, last=0)
        self.known = Known(memory)
        self.streams = Streams(me, self.known, self._shelf, memory.marks)
        self.floor = 0
        self._holding = True
        self._missed: list[Held] = []
        """Of looks back: older than all that is held."""
        self._held: list[Held] = [
            (pushed, held.number, True)
            for held in memory.held
            for pushed in open_item(Raw(held.item), path=f"$.held[{held.number}]")
        ]

    # What comes in; each call returns what it makes ready

    def hold(self) -> set[str]:
        """A connection stands, or a look back begins again. From now on what comes is held until `release`.

        What was held already is older than all that a look back on this connection brings, but for messages of groups: their
        numbers say where they belong. Returns the users whose messages are among it: only their history tells the order.
        """
        self._holding = True
        self.streams.logged_in()
        self._missed += [held for held in self._held if not number_of(held[0].value)]
        self._held = [held for held in self._held if number_of(held[0].value)]
        return {held[0].value.from_account for held in self._missed if isinstance(held[0].value, C2CMessage)}

    def pushed(self, items: Iterable[Pushed]) -> list[Arrival]:
        """What a push says."""
        if self._holding:
            self._held.extend((item, self._shelf.put(item), False) for item in items)
            return []
        return [arrival for item in items for arrival in self._take(item)]

    def synced(self, items: Iterable[Pushed]) -> list[Arrival]:
        """A page of what no push brought. What was pushed since the login is newer than all of this, and stays where it is."""
        if not self._holding:
            return self.listed(items)
        held = {c2c_identity(item.value, self._me) for item, *_ in self._held if isinstance(item.value, C2CMessage)}
        self._missed.extend(
            (item, self._shelf.put(item), True)
            for item in items
            if not (isinstance(item.value, C2CMessage) and c2c_identity(item.value, self._me) in held)
        )
        return []

    def listed(self, items: Iterable[Pushed]) -> list[Arrival]:
        """What a list or a history says, in its turn."""
        return [arrival for item in items for arrival in self._take_listed(item, 0)]

    @property
    def waiting(self) -> tuple[int, int]:
        """How much there is of the look back, and of what was pushed since the login."""
        return len(self._missed), len(self._held)

    def missed(self, most: int | None = None) -> list[Arrival]:
        """The pages of the look back, in their turn; the first `most` items of them."""
        part, self._missed = self._missed[:most], self._missed[slice(most, None) if most else slice(0)]
        return [
            arrival
            for item, number, listed in part
            for arrival in (self._take_listed(item, number) if listed else self._take(item, number))
        ]

    def release(self, most: int | None = None) -> list[Arrival]:
        """The look back is complete: hand over what was held, or the first `most` items of it. With the last of it, what comes
        is handed over at once again."""
        part, self._held = self._held[:most], self._held[slice(most, None) if most else slice(0)]
        ready = [arrival for item, number, _ in part for arrival in self._take(item, number)]
        if not self._held:
            self._holding = False
            ready.extend(self.streams.flush())
        return ready

    def unknown(self, arrivals: Iterable[Arrival]) -> list[Arrival]:
        """Those that were not handed over before."""
        return [arrival for arrival in arrivals if arrival.identity is None or self.known.is_new(arrival.identity)]

    def groups_listed(self, groups: Iterable[Group], *, since: float = 0.0) -> tuple[list[Gap], list[Arrival]]:
        """See `Streams.listed`."""
        least: dict[str, int] = {}
        for item, *_ in self._held:
            group, number = group_of(item.value), number_of(item.value)
            if group and number:
                least[group] = min(number, least.get(group, number))
        return self.streams.listed(groups, least, since=since)

    # What a look back has to know

    def senders(self) -> Counter[str]:
        """How many C2C messages of each user have come since the login, by looks back and by pushes."""
        values = (item.value for item, *_ in (*self._missed, *self._held))
        return Counter(value.from_account for value in values if isinstance(value, C2CMessage))

    def is_settled(self, identity: C2CIdentity, time: int) -> bool:
        """Whether a conversation whose last message this is has nothing to be looked for: it was handed over while nothing was
        being caught up, so all before it had come."""
        return time <= self.known.whole_until and self.known.has(identity, time)

    # The bookkeeping

    def _take_listed(self, item: Pushed, number: int) -> Iterator[Arrival]:
        value = item.value
        if isinstance(value, C2CMessage) and value.msg_time_stamp < self.floor:
            self._shelf.drop(number)
            return
        yield from self._take(item, number, listed=True)

    def _take(self, item: Pushed, number: int = 0, *, listed: bool = False) -> Iterator[Arrival]:
        value = item.value
        if isinstance(value, C2CMessage):
            self._shelf.drop(number)
            yield from self._take_c2c(value, item.raw, listed)
            return
        if has_group_number(value):
            yield from self.streams.take(item, number)
            return
        self._shelf.drop(number)
        for event in events_of(value, self._me, raw=item.raw):
            identity = _identity_of(event, value)
            if identity is None or self.known.is_new(identity):
                self._notice_leaving(value)
                yield Arrival(event, identity)

    def _take_c2c(self, value: C2CMessage, raw: Raw, listed: bool) -> Iterator[Arrival]:
        identity = c2c_identity(value, self._me)
        if not listed and given(value.msg_modified_flag, 0) == 1:
            changed = ChangeIdentity(f"C2C{peer_of(value, self._me)}", value.msg_seq, value.msg_random, _digest(value))
            if self.known.is_new(changed):
                yield from (Arrival(event, changed) for event in events_of(value, self._me, raw=raw))
            return
        if isinstance(identity, C2CIdentity):
            new = self.known.is_new_message(identity, value.msg_time_stamp)
        else:
            new = self.known.is_new(identity)
        if new and not given(value.msg_flag_bits, 0) & FLAG_REVOKED and not self._is_written(value):
            yield Arrival(message_event(c2c_message(value, self._me), first=True), identity)

    def _is_written(self, value: C2CMessage) -> bool:
        """Whether this very account has sent it from here: that is no news."""
        if not self.known.has_written or not is_own(value, self._me):
            return False
        return self.known.is_written(f"C2C{peer_of(value, self._me)}", value.msg_seq, value.msg_random)

    def _notice_leaving(self, value: PushValue) -> None:
        """A group this account is no longer in, or that is gone, has no stream."""
        if isinstance(value, Notice) and given(value.body.report_type, 0) in _LEAVING:
            self.streams.left(value.message.group_id)


def _digest(value: C2CMessage) -> str:
    parts: list[bytes] = [given(value.cloud_custom_data, "").encode("utf-8", "replace")]
    for element in value.msg_body:
        parts += _parts(element)
    return digest_of(parts)


def _parts(element: Element) -> tuple[bytes, bytes]:
    return element.msg_type.encode("utf-8", "replace"), bytes(element.msg_content)


def _identity_of(event: model.Event, value: PushValue) -> Identity | None:
    """What makes news other than messages of a stream the same news when it comes again."""
    match event:
        case model.MessageRevoked():
            return RecallIdentity(event.conversation_id, event.from_, event.sequence, event.random)
        case model.FriendApplicationReceived():
            return FriendApplicationIdentity(event.application.user_id, event.application.time)
        case model.GroupTip() if isinstance(value, Tip):
            return named(group_identity(value.message, 0, live=True))
        case model.GroupApplication() | model.GroupInvitation() | model.GroupNotice() if isinstance(value, Notice):
            return _notice_identity(value)
    return None


def _notice_identity(value: Notice) -> Identity | None:
    kind = given(value.body.report_type, 0)
    identity = notice_identity(value.message, kind, given(value.body.operator_account, ""), value.body.msg_key)
    request = kind in (NoticeKind.JOIN_APPLICATION, NoticeKind.INVITATION)
    return identity if request or identity.key not in _NAMELESS else None
