"""A group's stream: the sequence counter, what is kept of it, the duplicates and the frequency control.

Messages and tips share one counter, 1, 2, 3... without gaps. A live room counts too but keeps nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.lag import Lag
from timbot.sandbox.domain.messages import GroupMessage, GroupTip, Priority


@dataclass(frozen=True, slots=True)
class GroupSent:
    """The outcome of a send. `sequence` is 0 for an online-only message and `None` for a dropped one.

    `dropped`: the sender is told success, but frequency control threw the message away; it was neither delivered nor kept.
    `duplicate`: the earlier outcome of the same sender and random; nothing was delivered again.
    """

    time: int
    sequence: int | None
    message: GroupMessage | None
    dropped: bool = False
    duplicate: bool = False


class GroupLog:
    """The stream of one group."""

    __slots__ = (
        "_counts",
        "_first",
        "_keeps",
        "_recalled",
        "_records",
        "_second",
        "_seen",
        "lag",
        "last_message_sequence",
        "last_message_time",
        "last_ordinal",
        "last_time",
        "next_sequence",
    )

    def __init__(self, *, keeps: bool) -> None:
        self._keeps = keeps
        self._records: list[GroupMessage | GroupTip] = []
        self._first = 1
        self._recalled: list[int] = []
        self._seen: dict[tuple[str, int], GroupSent] = {}
        self._second = 0
        self._counts = dict.fromkeys(Priority, 0)
        self.lag = Lag()
        self.next_sequence = 1
        self.last_message_sequence = 0
        self.last_message_time = 0
        self.last_time = 0
        self.last_ordinal = 0

    @property
    def last_sequence(self) -> int:
        """The newest sequence given, 0 before the first."""
        return self.next_sequence - 1

    @property
    def first_kept(self) -> int:
        """The oldest sequence still kept; `next_sequence` if none is."""
        return self._first

    def append(self, record: GroupMessage | GroupTip, ordinal: int) -> None:
        """Take in a record that carries `next_sequence`."""
        if record.sequence != self.next_sequence:
            raise ValueError(f"sequence {record.sequence} out of turn, {self.next_sequence} is next")
        self.next_sequence += 1
        self.last_time, self.last_ordinal = record.time, ordinal
        if isinstance(record, GroupMessage):
            self.last_message_sequence, self.last_message_time = record.sequence, record.time
        if self._keeps:
            self._records.append(record)
        else:
            self._first = self.next_sequence

    def get(self, sequence: int) -> GroupMessage | GroupTip | None:
        """The record with this sequence, if it is kept."""
        if self._first <= sequence < self.next_sequence:
            return self._records[sequence - self._first]
        return None

    def recall(self, message: GroupMessage, operator: str, time: int) -> GroupMessage:
        """Flag a kept message as recalled by `operator` and return it so flagged."""
        recalled = replace(message, recalled=True, recalled_by=operator, recalled_at=time)
        self._records[message.sequence - self._first] = recalled
        self._recalled.append(message.sequence)
        return recalled

    def recalled_since(self, time: int) -> list[GroupMessage]:
        """The kept messages that were recalled at `time` (Unix seconds) or later, in the order of their recall."""
        recalled = [self.get(sequence) for sequence in self._recalled]
        return [message for message in recalled if isinstance(message, GroupMessage) and message.recalled_at >= time]

    def newest_first(self, newest: int) -> Iterator[GroupMessage | GroupTip]:
        """The kept records from sequence `newest` downwards."""
        for sequence in range(min(newest, self.last_sequence), self._first - 1, -1):
            yield self._records[sequence - self._first]

    def earlier(self, sender: str, random: int, time: int) -> GroupSent | None:
        """The outcome of the same sender's send with the same random within five minutes before `time`."""
        self._forget_seen(time)
        sent = self._seen.get((sender, random))
        return None if sent is None else replace(sent, duplicate=True)

    def remember(self, sender: str, random: int, sent: GroupSent) -> None:
        """Keep an outcome for `earlier`."""
        self._seen[sender, random] = sent

    def admit(self, priority: Priority, time: int) -> bool:
        """Frequency control: count a message, or say no.

        A message is dropped when 40 of its own or a higher priority went through in the same second. So lower ones never
        keep a higher one out, and among equals the first go through.
        """
        if time != self._second:
            self._second, self._counts = time, dict.fromkeys(Priority, 0)
        ahead = sum(count for other, count in self._counts.items() if other <= priority)
        if ahead >= limits.GROUP_MESSAGES_PER_SECOND:
            return False
        self._counts[priority] += 1
        return True

    def prune(self, horizon: int, now: int) -> None:
        """Forget records older than `horizon` and duplicates out of their window (Unix seconds)."""
        old = bisect_left(self._records, horizon, key=lambda record: record.time)
        del self._records[:old]
        self._first += old
        self._recalled = [sequence for sequence in self._recalled if sequence >= self._first]
        self._forget_seen(now)

    def _forget_seen(self, now: int) -> None:
        while self._seen:
            key = next(iter(self._seen))
            if self._seen[key].time > now - limits.GROUP_DEDUPE_WINDOW:
                return
            del self._seen[key]
