"""Each thing once, and in order: what comes by push, by push again, and by a look back is put together here.

Pure bookkeeping without I/O. C2C messages are taken in the order they come, and in the order of the server's list when
caught up; a C2C sequence is its sender's own and orders nothing. A group counts 1, 2, 3 ... for everybody: a message that
comes too early waits until those before it have been asked for.

From a login until the look back is complete, what comes by push is held, so that nothing overtakes what was missed.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from timbot.im.model import events as model
from timbot.im.model.convert import events_of
from timbot.im.model.group import Group
from timbot.im.wire.identity import (
    SAME_MESSAGE_SECONDS,
    C2CIdentity,
    FleetingIdentity,
    FriendApplicationIdentity,
    GroupNoticeIdentity,
    c2c_identity,
    group_identity,
    is_own,
    notice_identity,
    peer_of,
)
from timbot.im.wire.messages import C2CMessage, GroupMessage, NoticeKind
from timbot.im.wire.pushes import FriendMod, Notice, Pushed, PushValue, Tip
from timbot.im.wire.value import given

REMEMBERED_SECONDS: Final = 3600
"""How long the identity of a C2C message is remembered, by server time."""

QUEUE_CAP: Final = 250
"""Messages of one conversation that the server's queue for those away holds; older ones are in the history only."""

WRITTEN_REMEMBERED: Final = 20_000
"""How many of the messages this client has sent itself are remembered."""

FLEETING_REMEMBERED: Final = 4096
"""How many of the things that no list keeps are remembered."""

REQUESTS_REMEMBERED: Final = 4096
"""How many applications and invitations are remembered, those last met: lists repeat them until somebody has answered."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages of a group that are missing, `first` to `last`, both included; older than `since` (Unix seconds) none is."""

    group_id: str
    first: int
    last: int
    since: int = 0


@dataclass(slots=True)
class _Stream:
    """One group's messages: everything up to `taken` was handed over; `early` waits for what is missing before it."""

    taken: int
    created: int = 0
    early: dict[int, PushValue] = field(default_factory=dict)
    filling: bool = False
    sending: int = 0


class Inbox:
    """What one account has been told already. `me` is its user ID."""

    def __init__(self, me: str) -> None:
        self._me = me
        self._seen: OrderedDict[C2CIdentity, int] = OrderedDict()
        self._fleeting: OrderedDict[object, None] = OrderedDict()
        self._requests: OrderedDict[object, None] = OrderedDict()
        self._written: OrderedDict[tuple[str, int, int], None] = OrderedDict()
        self._streams: dict[str, _Stream] = {}
        self._holding = True
        self._held: list[Pushed] = []
        self._began = 0
        self._gaps: list[Gap] = []

    @property
    def began(self) -> int:
        """When the first login was, Unix seconds by the server's clock; 0 before it."""
        return self._began

    # What comes in; each call returns the events it makes ready

    def logged_in(self, server_time: int) -> None:
        """A connection stands. From now on pushes are held until `release`. `server_time` in Unix seconds."""
        self._holding = True
        self._began = self._began or server_time
        for stream in self._streams.values():
            stream.filling = False
            stream.sending = 0

    def pushed(self, items: Iterable[Pushed]) -> list[model.Event]:
        """What a push says."""
        if self._holding:
            self._held.extend(items)
            return []
        return [event for item in items for event in self._take(item.value)]

    def not_held(self, items: Iterable[Pushed]) -> tuple[Pushed, ...]:
        """What a look back brought and no push has: the rest was pushed since the login, and is newer than all of this."""
        held = {c2c_identity(item.value, self._me) for item in self._held if isinstance(item.value, C2CMessage)}
        return tuple(
            item for item in items if not (isinstance(item.value, C2CMessage) and c2c_identity(item.value, self._me) in held)
        )

    def take_held(self) -> list[Pushed]:
        """What was held when its connection broke: older than all that a look back on the next one brings.

        Messages of groups stay: their numbers say where they belong.
        """
        taken = [item for item in self._held if not number_of(item.value)]
        self._held = [item for item in self._held if number_of(item.value)]
        return taken

    def synced(self, items: Iterable[Pushed], *, first: bool) -> list[model.Event]:
        """What a look back at C2C brought. The `first` one of all is history, but for requests and what is newer than login."""
        ready: list[model.Event] = []
        for item in items:
            value = item.value
            if first and isinstance(value, C2CMessage) and value.msg_time_stamp <= self._began:
                continue
            ready.extend(self._take(value))
        return ready

    def senders(self, items: Iterable[Pushed]) -> Counter[str]:
        """How many C2C messages of each user have come since the login: by a look back (`items`) and by pushes held.

        Both count against the server's queue. What it has let fall for want of room has as many newer ones behind it as it
        holds; but those that came while the pages were asked for, came by push.
        """
        values = (item.value for item in (*items, *self._held))
        return Counter(value.from_account for value in values if isinstance(value, C2CMessage))

    def peers(self) -> set[str]:
        """Users whose messages have been taken within the last hour."""
        return {identity.peer for identity in self._seen}

    def knows(self, peer: str, sequence: int, random: int) -> bool:
        """Whether a C2C message from `peer` has come."""
        identity = C2CIdentity(peer, False, sequence, random)
        values = (item.value for item in self._held)
        return identity in self._seen or any(
            c2c_identity(value, self._me) == identity for value in values if isinstance(value, C2CMessage)
        )

    def groups_listed(self, groups: Iterable[Group], *, since: float = 0.0) -> list[Gap]:
        """The groups of this account as they stand now: what is missing of each.

        A group that is new to us begins here, at what has been pushed since the login, or, if this account came into it
        after `since` (Unix seconds; 0: this is the first login), at joining.
        """
        gaps: list[Gap] = []
        groups = list(groups)
        listed = {group.group_id for group in groups}
        for gone in [group_id for group_id in self._streams if group_id not in listed]:
            self.left(gone)  # not a member any more, or a live room, which is in no list: it begins anew if it comes again
        for group in groups:
            if group.next_message_sequence < 1:
                continue  # the list does not say: the group begins with what is pushed next
            newest = group.next_message_sequence - 1
            stream = self._streams.get(group.group_id)
            if stream is None or newest < stream.taken or (stream.created and stream.created != group.create_time):
                # New to us, or a new group under an old ID.
                if since and group.own_join_time >= since and newest:
                    self._streams[group.group_id] = _Stream(0, group.create_time, filling=True)
                    gaps.append(Gap(group.group_id, 1, newest, group.own_join_time))
                    continue
                begin = min([newest, *(number - 1 for number in self._held_numbers(group.group_id))])
                self._streams[group.group_id] = _Stream(max(begin, 0), group.create_time)
                continue
            stream.created = group.create_time
            if newest > stream.taken:
                stream.filling = True
                gaps.append(Gap(group.group_id, stream.taken + 1, newest))
        return gaps

    def filled(self, gap: Gap, items: Iterable[Pushed]) -> list[model.Event]:
        """What was found for a gap. What is still absent is given up: it is reported once and never asked for again."""
        stream = self._streams.get(gap.group_id)
        if stream is None:
            return []
        stream.filling = False
        if gap.since:
            items = [item for item in items if time_of(item.value) >= gap.since]
            stream.taken = max(stream.taken, min((number_of(item.value) for item in items), default=gap.last + 1) - 1)
        for item in items:
            number = number_of(item.value)
            if number > stream.taken:
                stream.early.setdefault(number, item.value)
        ready: list[model.Event] = []
        for number in sorted(number for number in stream.early if number <= gap.last):
            ready.extend(_hole(gap.group_id, stream.taken + 1, number - 1))
            ready.extend(self._events(stream.early.pop(number)))
            stream.taken = number
        ready.extend(_hole(gap.group_id, stream.taken + 1, gap.last))
        stream.taken = max(stream.taken, gap.last)
        ready.extend(self._flush(gap.group_id, stream))
        return ready

    def release(self) -> list[model.Event]:
        """The look back is complete: hand over what was held."""
        self._holding = False
        held, self._held = self._held, []
        ready = [event for item in held for event in self._take(item.value)]
        for group_id, stream in self._streams.items():
            ready.extend(self._flush(group_id, stream))  # a gap from before, if the groups could not be listed
        return ready

    def wrote(self, conversation_id: str, sequence: int, random: int) -> None:
        """This client is about to send a message: met again in a look back it is no news."""
        self._written[conversation_id, sequence, random] = None
        if len(self._written) > WRITTEN_REMEMBERED:
            self._written.popitem(last=False)

    def sending(self, group_id: str) -> None:
        """This account is sending to a group: its number may be the one that is missing."""
        stream = self._streams.get(group_id)
        if stream is not None:
            stream.sending += 1

    def sent(self, group_id: str, sequence: int) -> list[model.Event]:
        """The sending is over; `sequence` is what the message got, 0 if that is not known."""
        stream = self._streams.get(group_id)
        if stream is None:
            return []
        stream.sending = max(0, stream.sending - 1)
        if sequence > stream.taken:
            stream.early.setdefault(sequence, _NOTHING)
        return list(self._flush(group_id, stream))

    def take_gaps(self) -> list[Gap]:
        """The gaps seen since the last call: to be asked for."""
        gaps, self._gaps = self._gaps, []
        return gaps

    # The bookkeeping

    def _take(self, value: PushValue) -> Iterator[model.Event]:
        if isinstance(value, GroupMessage) or (isinstance(value, Tip) and value.stored):
            yield from self._take_group(value)
        elif self._is_new(value):
            self._notice_leaving(value)
            yield from self._events(value)

    def _take_group(self, value: GroupMessage | Tip) -> Iterator[model.Event]:
        message = value.message if isinstance(value, Tip) else value
        identity = group_identity(message, 0)
        if isinstance(identity, FleetingIdentity) or identity.sequence < 1:
            if self._is_new_fleeting(message):
                yield from self._events(value)
            return
        stream = self._streams.setdefault(message.group_id, _Stream(identity.sequence - 1))
        if given(message.msg_modified_flag, 0) == 1 and identity.sequence <= stream.taken:
            yield from self._events(value)
        elif identity.sequence > stream.taken:
            stream.early.setdefault(identity.sequence, value)
            yield from self._flush(message.group_id, stream)

    def _flush(self, group_id: str, stream: _Stream) -> Iterator[model.Event]:
        """Hand over what is in order now, and ask for what is missing before the rest."""
        while (value := stream.early.pop(stream.taken + 1, None)) is not None:
            stream.taken += 1
            if value is not _NOTHING:
                yield from self._events(value)
        if stream.early and not stream.filling and not stream.sending:
            stream.filling = True
            self._gaps.append(Gap(group_id, stream.taken + 1, min(stream.early) - 1))

    def _is_new(self, value: PushValue) -> bool:
        if isinstance(value, C2CMessage):
            if given(value.msg_modified_flag, 0) == 1:
                return True
            identity = c2c_identity(value, self._me)
            if isinstance(identity, FleetingIdentity):
                return _remember(self._fleeting, identity, FLEETING_REMEMBERED)
            return self._remember_message(identity, value.msg_time_stamp)
        if isinstance(value, Tip):
            return self._is_new_fleeting(value.message)
        if isinstance(value, Notice):
            kind = given(value.body.report_type, 0)
            if kind in (NoticeKind.JOIN_APPLICATION, NoticeKind.INVITATION):
                account = given(value.body.operator_account, "")
                return self._is_new_request(notice_identity(value.message, kind, account, value.body.msg_key))
        if isinstance(value, FriendMod):
            added = given(value.pendency_add, [])
            new = [self.is_new_application(item.pendency_add_account, given(item.add_time, 0)) for item in added]
            return not new or any(new)
        return True

    def _events(self, value: PushValue) -> Iterator[model.Event]:
        """What a value says, without what this very client has written."""
        if not (self._written and self._is_written(value)):
            yield from events_of(value, self._me)

    def _is_written(self, value: PushValue) -> bool:
        if isinstance(value, C2CMessage) and is_own(value, self._me):
            return (f"C2C{peer_of(value, self._me)}", value.msg_seq, value.msg_random) in self._written
        if isinstance(value, GroupMessage) and value.from_account == self._me:
            random = given(value.msg_random, given(value.random, 0))
            return (f"GROUP{value.group_id}", given(value.client_seq, 0), random) in self._written
        return False

    def is_new_application(self, applicant: str, time: int) -> bool:
        """Whether a friend application was not seen before; it is from now on."""
        return self._is_new_request(FriendApplicationIdentity(applicant, time))

    def _is_new_request(self, identity: FriendApplicationIdentity | GroupNoticeIdentity) -> bool:
        return _remember(self._requests, identity, REQUESTS_REMEMBERED)

    def _is_new_fleeting(self, message: GroupMessage) -> bool:
        identity = group_identity(message, 0, live=True)
        if isinstance(identity, FleetingIdentity) and (identity.sequence or identity.random):
            return _remember(self._fleeting, identity, FLEETING_REMEMBERED)
        return True  # nothing tells it from the next one of its kind

    def left(self, group_id: str) -> None:
        """This account is not in a group any more: if it comes again, it begins anew."""
        self._streams.pop(group_id, None)

    def _notice_leaving(self, value: PushValue) -> None:
        """A group this account is no longer in, or that is gone, has no stream."""
        if isinstance(value, Notice) and given(value.body.report_type, 0) in _LEAVING:
            self.left(value.message.group_id)

    def _remember_message(self, identity: C2CIdentity, time: int) -> bool:
        known = self._seen.get(identity)
        if known is not None and abs(time - known) <= SAME_MESSAGE_SECONDS:
            return False
        self._seen[identity] = time
        self._seen.move_to_end(identity)
        while next(iter(self._seen.values())) < time - REMEMBERED_SECONDS:
            self._seen.popitem(last=False)
        return True

    def _held_numbers(self, group_id: str) -> list[int]:
        values = [item.value for item in self._held]
        return [number_of(value) for value in values if _group_of(value) == group_id and number_of(value)]


_LEAVING: Final = (NoticeKind.REMOVED, NoticeKind.DISMISSED, NoticeKind.QUIT)
_NOTHING: Final = FriendMod()
"""Stands for a message this account has sent itself: it has a number, and is no news."""


def _remember(known: OrderedDict[object, None], identity: object, most: int) -> bool:
    """Whether `identity` is new to `known`, which holds it from now on, and at most `most` of those last met."""
    new = identity not in known
    known[identity] = None
    known.move_to_end(identity)
    if len(known) > most:
        known.popitem(last=False)
    return new


def _hole(group_id: str, first: int, last: int) -> Iterator[model.Event]:
    """The news that `first` to `last` of a group are not to be had; none if that is nothing."""
    if first <= last:
        yield model.Incomplete(f"GROUP{group_id}", f"{last - first + 1} messages are not to be had", first, last)


def _group_of(value: PushValue) -> str:
    if isinstance(value, GroupMessage):
        return value.group_id
    return value.message.group_id if isinstance(value, Tip) and value.stored else ""


def number_of(value: PushValue) -> int:
    """The group's number of a message or stored tip, else 0."""
    if isinstance(value, Tip):
        return given(value.message.msg_seq, 0) if value.stored else 0
    if isinstance(value, GroupMessage) and given(value.online_only_flag, 0) != 1:
        return given(value.msg_seq, 0)
    return 0


def time_of(value: PushValue) -> int:
    """The server's time of a group message or tip, Unix seconds; 0 if it has none."""
    message = value.message if isinstance(value, Tip) else value
    return given(message.msg_time_stamp, 0) if isinstance(message, GroupMessage) else 0
