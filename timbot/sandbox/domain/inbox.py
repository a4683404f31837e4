"""The offline queue of one account: C2C messages on their way to its instances.

An account's inbox is a log; every incoming message gets the next position. A client says with its cursor how far it is, and
what lies after it and has not reached that instance otherwise is new to it. The queue is bounded as documented, newest
first in, oldest out: what falls out is still in the history.

Received means: acknowledged by the instance, or covered by a cursor it came back with. With `unacked="forget"` a push alone
counts as receipt, acknowledged or not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.messages import C2CMessage


@dataclass(slots=True)
class Entry:
    """A message in the log, and the instances that have it."""

    position: int
    message: C2CMessage
    received_by: tuple[int, ...] = ()

    def receive(self, instance: int) -> None:
        """Note that `instance` has the message."""
        if instance not in self.received_by:
            self.received_by = (*self.received_by, instance)


class Inbox:
    """The log of one account."""

    __slots__ = ("_conversations", "_entries", "_head")

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._conversations: dict[str, deque[int]] = {}
        self._head = 0

    @property
    def head(self) -> int:
        """The position of the newest message, 0 before the first."""
        return self._head

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, message: C2CMessage, received_by: Iterable[int]) -> int:
        """Append a message and return its position. The oldest of a full conversation, or the oldest conversation, falls."""
        self._head += 1
        self._entries[self._head] = Entry(self._head, message, tuple(received_by))
        positions = self._conversations.pop(message.sender, None)
        if positions is None:
            positions = deque()
        self._conversations[message.sender] = positions
        positions.append(self._head)
        if len(positions) > limits.QUEUE_PER_CONVERSATION:
            del self._entries[positions.popleft()]
        if len(self._conversations) > limits.QUEUE_CONVERSATIONS:
            for position in self._conversations.pop(next(iter(self._conversations))):
                del self._entries[position]
        return self._head

    def remove(self, message: C2CMessage) -> None:
        """Take a recalled or deleted message out; nothing happens if it is not there."""
        positions = self._conversations.get(message.sender, deque())
        wanted = (message.sequence, message.random, message.time)
        for position in positions:
            queued = self._entries[position].message
            if (queued.sequence, queued.random, queued.time) == wanted:
                self._discard(position)
                return

    def acknowledged(self, instance: int, position: int) -> None:
        """Note that `instance` has the message at `position`."""
        entry = self._entries.get(position)
        if entry is not None:
            entry.receive(instance)

    def begin(self, instance: int, is_read: Callable[[C2CMessage], bool]) -> None:
        """Start a client without a cursor: what the account has received or read on any instance is not new to it."""
        for entry in self._entries.values():
            if entry.received_by or is_read(entry.message):
                entry.receive(instance)

    def covered(self, instance: int, after: int) -> None:
        """Note that `instance` came back with the cursor `after`: it has everything up to there."""
        for position, entry in self._entries.items():
            if position > after:
                return
            entry.receive(instance)

    def waiting(self, instance: int) -> Iterator[Entry]:
        """What has not reached `instance`, in order of arrival."""
        for entry in self._entries.values():
            if instance not in entry.received_by:
                yield entry

    def prune(self, horizon: int) -> None:
        """Forget what is older than `horizon` (Unix seconds)."""
        while self._entries:
            position, entry = next(iter(self._entries.items()))
            if entry.message.time >= horizon:
                return
            self._discard(position)

    def _discard(self, position: int) -> None:
        sender = self._entries.pop(position).message.sender
        positions = self._conversations[sender]
        positions.remove(position)
        if not positions:
            del self._conversations[sender]
