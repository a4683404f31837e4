"""What an account has been told already: identities, for as long as they can come again.

C2C messages are remembered for the hour before the time up to which all is handed over; what is older is never taken in
again, so nothing can come twice because it was forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from timbot.im.delivery import Memory
from timbot.im.wire.identity import (
    SAME_MESSAGE_SECONDS,
    C2CIdentity,
    ChangeIdentity,
    FleetingIdentity,
    FriendApplicationIdentity,
    GroupNoticeIdentity,
    Identity,
)

REMEMBERED_SECONDS: Final = 3600
"""How long the identity of a C2C message is remembered, by server time."""

WRITTEN_REMEMBERED: Final = 20_000
"""How many of the messages this account has sent from here are remembered."""

FLEETING_REMEMBERED: Final = 4096
"""How many of the things that no list keeps are remembered; likewise changes and recalls."""

REQUESTS_REMEMBERED: Final = 4096
"""How many applications, invitations and notices are remembered, those last met: lists repeat them until somebody answered."""


class Known:
    """The identities of one account. `whole_until`: everything up to then (Unix seconds, the server's) has been handed over."""

    def __init__(self, memory: Memory) -> None:
        self.whole_until = self._newest = memory.whole_until
        self._messages: OrderedDict[C2CIdentity, tuple[int, ...]] = OrderedDict()
        """With their times: equal ones far apart are two messages."""
        self._fleeting: OrderedDict[Identity, None] = OrderedDict()
        self._changes: OrderedDict[tuple[str, int, int], str] = OrderedDict()
        self._requests: OrderedDict[Identity, None] = OrderedDict()
        self._written: OrderedDict[tuple[str, int, int], None] = OrderedDict.fromkeys(memory.written)
        self._met: OrderedDict[Identity, None] = OrderedDict()
        for identity, time in sorted(memory.messages, key=lambda known: known[1]):
            self._messages[identity] = (*self._messages.get(identity, ()), time)
        for request in memory.requests:
            _remember(self._requests, request, REQUESTS_REMEMBERED)

    @property
    def oldest(self) -> int:
        """What is older (Unix seconds) in a list is never taken in again; 0: there is no such bound yet."""
        return int(self.whole_until) - REMEMBERED_SECONDS if self.whole_until else 0

    def is_new_message(self, identity: C2CIdentity, time: int) -> bool:
        """Whether a C2C message has to be handed over. It is remembered from now on. `time` is the server's, Unix seconds."""
        if time > self._newest:
            self._newest = time
        # Never later than the messages themselves: a server that dates them by another clock than its logins is heard, too.
        forgotten = (self._newest if self._newest < self.whole_until else self.whole_until) - REMEMBERED_SECONDS
        if 0 < time < forgotten:
            return False
        messages = self._messages
        times = messages.get(identity)
        if times is None:
            messages[identity] = (time,)
        elif any(abs(time - known) <= SAME_MESSAGE_SECONDS for known in times):
            return False
        else:
            messages[identity] = (*times, time)
            messages.move_to_end(identity)
        while next(iter(messages.values()))[-1] < forgotten:
            messages.popitem(last=False)
        return True

    def has(self, identity: C2CIdentity, time: int) -> bool:
        """Whether a C2C message was handed over."""
        return any(abs(time - known) <= SAME_MESSAGE_SECONDS for known in self._messages.get(identity, ()))

    def is_new(self, identity: Identity) -> bool:
        """Whether anything else has to be handed over. It is remembered from now on."""
        if isinstance(identity, (FriendApplicationIdentity, GroupNoticeIdentity)):
            new = _remember(self._requests, identity, REQUESTS_REMEMBERED)
            if not new:
                _remember(self._met, identity, REQUESTS_REMEMBERED)
            return new
        if isinstance(identity, ChangeIdentity):
            return self._is_new_change(identity)
        return _remember(self._fleeting, identity, FLEETING_REMEMBERED)

    def take_met(self) -> tuple[Identity, ...]:
        """The requests that were known and came again since the last call."""
        met = tuple(self._met)
        self._met.clear()
        return met

    def peers(self) -> set[str]:
        """Users whose messages have been handed over within the last hour."""
        return {identity.peer for identity in self._messages}

    def write(self, conversation_id: str, sequence: int, random: int) -> None:
        """This client is about to send a message: met again in a look back it is no news."""
        self._written[conversation_id, sequence, random] = None
        if len(self._written) > WRITTEN_REMEMBERED:
            self._written.popitem(last=False)

    def is_written(self, conversation_id: str, sequence: int, random: int) -> bool:
        """Whether this account has sent a message from here."""
        return (conversation_id, sequence, random) in self._written

    @property
    def has_written(self) -> bool:
        """Whether anything at all was sent from here."""
        return bool(self._written)

    def _is_new_change(self, identity: ChangeIdentity) -> bool:
        """A change is new if it is not the last one of its message: it may be changed back."""
        key = (identity.conversation, identity.sequence, identity.random)
        new = self._changes.get(key) != identity.digest
        self._changes[key] = identity.digest
        self._changes.move_to_end(key)
        if len(self._changes) > FLEETING_REMEMBERED:
            self._changes.popitem(last=False)
        return new


def named(identity: Identity) -> Identity | None:
    """The identity, if it tells a thing from the next one of its kind."""
    if isinstance(identity, FleetingIdentity) and not (identity.sequence or identity.random):
        return None
    return identity


def _remember(known: OrderedDict[Identity, None], identity: Identity, most: int) -> bool:
    """Whether `identity` is new to `known`, which holds it from now on, and at most `most` of those last met."""
    new = identity not in known
    known[identity] = None
    known.move_to_end(identity)
    if len(known) > most:
        known.popitem(last=False)
    return new
