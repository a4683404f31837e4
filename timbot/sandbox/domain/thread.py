"""The history of one C2C conversation: one list for both parties, and what each of them has deleted or read."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from timbot.sandbox.domain.lag import Lag
from timbot.sandbox.domain.messages import C2CMessage


@dataclass(slots=True)
class Stored:
    """A message with its number in the thread and the parties that deleted it for themselves."""

    number: int
    message: C2CMessage
    hidden_for: tuple[str, ...] = ()


class Thread:
    """Messages in order of arrival; numbers only ever rise, so they serve as paging keys."""

    __slots__ = ("_next", "_stored", "lag", "read_times")

    def __init__(self) -> None:
        self._stored: list[Stored] = []
        self._next = 1
        self.read_times: dict[str, int] = {}
        self.lag = Lag()

    def __len__(self) -> int:
        return len(self._stored)

    def add(self, message: C2CMessage) -> int:
        """Append a message and return its number."""
        self._stored.append(Stored(self._next, message))
        self._next += 1
        return self._next - 1

    def find(self, sequence: int, random: int, time: int) -> Stored | None:
        """The newest message with this identity, by whichever party."""
        end = bisect_right(self._stored, time, key=_time)
        for index in range(end - 1, -1, -1):
            message = self._stored[index].message
            if message.time != time:
                return None
            if message.sequence == sequence and message.random == random:
                return self._stored[index]
        return None

    def recall(self, stored: Stored) -> C2CMessage:
        """Flag a message as recalled and return it so flagged."""
        stored.message = replace(stored.message, recalled=True)
        return stored.message

    def newest_first(self, user: str, horizon: int, before: int | None = None, until: int | None = None) -> Iterator[Stored]:
        """What `user` can see, newest first: below the number `before`, not after the second `until`."""
        end = len(self._stored)
        if before is not None:
            end = bisect_left(self._stored, before, key=_number)
        if until is not None:
            end = min(end, bisect_right(self._stored, until, key=_time))
        for index in range(end - 1, -1, -1):
            stored = self._stored[index]
            if stored.message.time < horizon:
                return
            if user not in stored.hidden_for:
                yield stored

    def prune(self, horizon: int) -> None:
        """Forget messages older than `horizon` (Unix seconds)."""
        del self._stored[: bisect_left(self._stored, horizon, key=_time)]


def _time(stored: Stored) -> int:
    return stored.message.time


def _number(stored: Stored) -> int:
    return stored.number
