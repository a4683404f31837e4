"""Groups: each counts its messages 1, 2, 3 ... for everybody. What comes too early waits until those before it were asked for.

Pure bookkeeping without I/O. A number is handed over once, or reported once as not to be had.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from timbot.im.delivery import Arrival, GroupMark
from timbot.im.known import Known, named
from timbot.im.model import events as model
from timbot.im.model.convert import events_of
from timbot.im.model.group import Group
from timbot.im.shelf import Shelf
from timbot.im.wire.identity import ChangeIdentity, GroupIdentity, digest_of, group_identity
from timbot.im.wire.messages import GroupMessage
from timbot.im.wire.pushes import Pushed, PushValue, Tip
from timbot.im.wire.value import given

NEW_UNDER_AN_OLD_ID: Final = "this is a new group under an old ID; what is said in it is handed over from its beginning on"
"""The reason of an `Incomplete`: what is still missing of the group before will never come."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages of a group that are missing, `first` to `last`, both included; older than `since` (Unix seconds) none is."""

    group_id: str
    first: int
    last: int
    since: int = 0


@dataclass(slots=True)
class _Stream:
    """One group's messages: everything up to `taken` was handed over; `early` waits for what is missing before it.

    `early` holds None for a message this account has sent itself: it has a number, and is no news. `since` is set (Unix
    seconds) while it is not known yet which number is the first: that of the first message not older than this.
    """

    taken: int
    created: int = 0
    early: dict[int, tuple[Pushed, int] | None] = field(default_factory=dict)
    filling: bool = False
    sending: int = 0
    since: int = 0


class Streams:
    """The groups of one account. `me` is its user ID."""

    def __init__(self, me: str, known: Known, shelf: Shelf, marks: Iterable[GroupMark]) -> None:
        self._me = me
        self._known = known
        self._shelf = shelf
        self._streams = {mark.group_id: _Stream(mark.taken, mark.created) for mark in marks}
        self.gaps: list[Gap] = []
        """Seen since `take_gaps`."""
        self._listing = True
        """A list of all groups is to come: it tells of gaps first, and of which group they are."""
        self._moved: dict[str, None] = {}
        self._left: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._streams)

    def waiting(self) -> int:
        """How many messages wait for others before them."""
        return sum(len(stream.early) for stream in self._streams.values())

    def logged_in(self) -> None:
        """A connection stands: what was asked for on the one before is not any more, and nothing is until `flush`."""
        self._listing = True
        for stream in self._streams.values():
            stream.filling = False
            stream.sending = 0

    def take(self, pushed: Pushed, number: int = 0) -> Iterator[Arrival]:
        """A message or stored tip, with the number it is held by (0: it is not)."""
        value = pushed.value
        message = value.message if isinstance(value, Tip) else value
        if not isinstance(message, GroupMessage):
            raise TypeError(f"{type(value).__name__} belongs to no group.")
        sequence = given(message.msg_seq, 0)
        if sequence < 1 or given(message.online_only_flag, 0) == 1:
            self._shelf.drop(number)
            identity = named(group_identity(message, 0, live=True))
            if identity is None or self._known.is_new(identity):
                for event in self._events(pushed):
                    yield Arrival(event, identity)
            return
        stream = self._streams.get(message.group_id)
        if stream is None:
            # Of what group this is, only a list tells. Until then its beginning does: another group begins at another time.
            stream = self._begin(message.group_id, _Stream(sequence - 1, -given(message.msg_time_stamp, 0)))
        if sequence > stream.taken:
            if sequence == stream.taken + 1:
                self._shelf.drop(number)
                self._take_number(message.group_id, stream, sequence)
                yield from self._arrivals(pushed, stream)
            elif sequence in stream.early:
                self._shelf.drop(number)
            else:
                stream.early[sequence] = (pushed, number or self._shelf.put(pushed))
            yield from self._flush(message.group_id, stream)
            return
        self._shelf.drop(number)
        if given(message.msg_modified_flag, 0) == 1:
            yield from self._changed(pushed, message)

    def listed(self, groups: Iterable[Group], held: dict[str, int], *, since: float = 0.0) -> tuple[list[Gap], list[Arrival]]:
        """The groups of this account as they stand now: what is missing of each, and which of them are new under old IDs.

        A group that is new to us begins at joining, or at `since` (Unix seconds) if that is later; at the very first login
        (0) with what is pushed from then on, of which `held` has the least numbers.
        """
        gaps: list[Gap] = []
        news: list[Arrival] = []
        groups = list(groups)
        listed = {group.group_id for group in groups}
        for gone in [group_id for group_id in self._streams if group_id not in listed]:
            self.left(gone)  # not a member any more, or a live room, which is in no list: it begins anew if it comes again
        for group in groups:
            if group.next_message_sequence < 1:
                continue  # the list does not say: the group begins with what is pushed next
            newest = group.next_message_sequence - 1
            stream = self._streams.get(group.group_id)
            if stream is not None and (newest < stream.taken or _is_another(stream, group)):
                self.left(group.group_id)
                stream = None
                news.append(Arrival(model.Incomplete(f"GROUP{group.group_id}", NEW_UNDER_AN_OLD_ID)))
            if stream is None and since and newest:
                unknown = _Stream(0, group.create_time, filling=True, since=max(group.own_join_time, int(since)))
                self._streams[group.group_id] = unknown
                gaps.append(Gap(group.group_id, 1, newest, unknown.since))
            elif stream is None:
                begin = min(newest, held.get(group.group_id, newest + 1) - 1)
                self._begin(group.group_id, _Stream(max(begin, 0), group.create_time))
            else:
                self._is_listed(group, stream, newest, gaps)
        return gaps, news

    def _is_listed(self, group: Group, stream: _Stream, newest: int, gaps: list[Gap]) -> None:
        if stream.created != group.create_time and group.create_time > 0:
            stream.created = group.create_time
            self._take_number(group.group_id, stream, stream.taken)
        if newest > stream.taken:
            stream.filling = True
            gaps.append(Gap(group.group_id, stream.taken + 1, newest, stream.since))

    def missing(self, gap: Gap) -> int:
        """The first number of a gap that is still missing; 0 if the group was left or none is."""
        stream = self._streams.get(gap.group_id)
        if stream is None or stream.taken >= gap.last:
            return 0
        return max(stream.taken + 1, gap.first)

    def filled(self, gap: Gap, upto: int, items: Iterable[Pushed]) -> list[Arrival]:
        """What was found for a gap up to a number. What is still absent is given up: reported, and never asked for again."""
        stream = self._streams.get(gap.group_id)
        if stream is None:
            return []
        stream.filling = upto < gap.last
        items = list(items)
        if stream.since:
            items = [item for item in items if time_of(item.value) >= stream.since]
            stream.taken = max(stream.taken, min((number_of(item.value) for item in items), default=upto + 1) - 1)
            if items or upto >= gap.last:
                stream.since = 0
        for item in items:
            number = number_of(item.value)
            if number > stream.taken:
                stream.early.setdefault(number, (item, 0))
        ready: list[Arrival] = []
        for number in sorted(number for number in stream.early if number <= upto):
            ready.extend(_hole(gap.group_id, stream.taken + 1, number - 1))
            entry = stream.early.pop(number)
            self._take_number(gap.group_id, stream, max(stream.taken, number))
            if entry is not None:
                self._shelf.drop(entry[1])
                ready.extend(self._arrivals(entry[0], stream))
        if not stream.since:
            ready.extend(_hole(gap.group_id, stream.taken + 1, upto))
        self._take_number(gap.group_id, stream, max(stream.taken, upto))
        ready.extend(self._flush(gap.group_id, stream))
        return ready

    def flush(self) -> Iterator[Arrival]:
        """The list has come, or could not be had. What is in order now: a gap from before is asked for."""
        self._listing = False
        for group_id, stream in list(self._streams.items()):
            yield from self._flush(group_id, stream)

    def sending(self, group_id: str) -> None:
        """This account is sending to a group: its number may be the one that is missing."""
        stream = self._streams.get(group_id)
        if stream is not None:
            stream.sending += 1

    def sent(self, group_id: str, sequence: int) -> list[Arrival]:
        """The sending is over; `sequence` is what the message got, 0 if that is not known."""
        stream = self._streams.get(group_id)
        if stream is None:
            return []
        stream.sending = max(0, stream.sending - 1)
        if sequence > stream.taken:
            stream.early.setdefault(sequence, None)
        return list(self._flush(group_id, stream))

    def left(self, group_id: str) -> None:
        """This account is not in a group any more: if it comes again, it begins anew."""
        stream = self._streams.pop(group_id, None)
        if stream is not None:
            for sequence in list(stream.early):
                self._drop_early(stream, sequence)
            self._moved.pop(group_id, None)
            self._left[group_id] = None

    def take_gaps(self) -> list[Gap]:
        """The gaps seen since the last call: to be asked for."""
        gaps, self.gaps = self.gaps, []
        return gaps

    def take_marks(self) -> tuple[tuple[GroupMark, ...], tuple[str, ...]]:
        """The groups that have moved on since the last call, and those that are gone."""
        if not self._moved and not self._left:
            return (), ()
        marks = tuple(GroupMark(name, self._streams[name].created, self._streams[name].taken) for name in self._moved)
        left = tuple(name for name in self._left if name not in self._moved)
        self._moved.clear()
        self._left.clear()
        return marks, left

    def _begin(self, group_id: str, stream: _Stream) -> _Stream:
        self._streams[group_id] = stream
        self._moved[group_id] = None
        return stream

    def _take_number(self, group_id: str, stream: _Stream, number: int) -> None:
        stream.taken = number
        if not stream.since:
            self._moved[group_id] = None  # a mark before the beginning is found would end the search for it

    def _drop_early(self, stream: _Stream, sequence: int) -> None:
        entry = stream.early.pop(sequence, None)
        if entry is not None:
            self._shelf.drop(entry[1])

    def _flush(self, group_id: str, stream: _Stream) -> Iterator[Arrival]:
        """Hand over what is in order now, and ask for what is missing before the rest."""
        while stream.taken + 1 in stream.early:
            entry = stream.early.pop(stream.taken + 1)
            self._take_number(group_id, stream, stream.taken + 1)
            if entry is not None:
                self._shelf.drop(entry[1])
                yield from self._arrivals(entry[0], stream)
        if stream.early and not (stream.filling or stream.sending or self._listing):
            stream.filling = True
            self.gaps.append(Gap(group_id, stream.taken + 1, min(stream.early) - 1, stream.since))

    def _arrivals(self, pushed: Pushed, stream: _Stream) -> Iterator[Arrival]:
        message = pushed.value.message if isinstance(pushed.value, Tip) else pushed.value
        if isinstance(message, GroupMessage):
            identity = GroupIdentity(message.group_id, stream.created, given(message.msg_seq, 0))
            for event in self._events(pushed):
                yield Arrival(event, identity)

    def _events(self, pushed: Pushed) -> Iterator[model.Event]:
        value = pushed.value
        if isinstance(value, GroupMessage) and value.from_account == self._me and self._known.has_written:
            random = given(value.msg_random, given(value.random, 0))
            if self._known.is_written(f"GROUP{value.group_id}", given(value.client_seq, 0), random):
                return
        yield from events_of(value, self._me, first=True, raw=pushed.raw)

    def _changed(self, pushed: Pushed, message: GroupMessage) -> Iterator[Arrival]:
        """News of a message that was handed over before: its content is another now."""
        body = given(message.msg_body, b"")
        digest = digest_of((bytes(body), given(message.cloud_custom_data, "").encode("utf-8", "replace")))
        random = given(message.msg_random, given(message.random, 0))
        identity = ChangeIdentity(f"GROUP{message.group_id}", given(message.msg_seq, 0), random, digest)
        if self._known.is_new(identity):
            for event in events_of(pushed.value, self._me, raw=pushed.raw):
                yield Arrival(event, identity)


def _is_another(stream: _Stream, group: Group) -> bool:
    """Whether a listed group is not the one of the stream: made at another time, or after that one has begun."""
    if group.create_time <= 0 or not stream.created:
        return False
    return group.create_time != stream.created if stream.created > 0 else group.create_time > -stream.created


def _hole(group_id: str, first: int, last: int) -> Iterator[Arrival]:
    """The news that `first` to `last` of a group are not to be had; none if that is nothing."""
    if first <= last:
        reason = f"{last - first + 1} messages are not to be had"
        yield Arrival(model.Incomplete(f"GROUP{group_id}", reason, first, last))


def group_of(value: PushValue) -> str:
    """The group of a message or stored tip, else nothing."""
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


def has_group_number(value: PushValue) -> bool:
    """Whether it belongs to a group's stream, or is an online-only message beside it."""
    return isinstance(value, GroupMessage) or (isinstance(value, Tip) and value.stored)
