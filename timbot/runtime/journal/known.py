"""Which events were there already, for the journal in memory: the newest few thousand. The client knows more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from timbot.im.wire.identity import Identity, encode_identity
from timbot.runtime.journal.identities import REQUEST_SECONDS, is_request, person_of, same_within
from timbot.runtime.journal.values import NewEvent

T = TypeVar("T")

REMEMBERED: Final = 4096
"""How many identities are remembered, requests apart from others."""


@dataclass(frozen=True, slots=True)
class _One:
    """An event that had an identity, and when: its own time, or for a request when it was met."""

    number: int
    time: float


class Known:
    """Identities of events. Those without are never known."""

    def __init__(self) -> None:
        self._messages: dict[bytes, tuple[_One, ...]] = {}
        self._requests: dict[bytes, _One] = {}

    def find(self, event: NewEvent, now: float) -> int:
        """The number of the event that was this one already; 0: none was. A request is met by that."""
        identity = event.identity
        if identity is None:
            return 0
        if is_request(identity):
            asked = self._requests.get(identity)
            if asked is None or asked.time < now - REQUEST_SECONDS:
                return 0
            _put(self._requests, identity, _One(asked.number, now))
            return asked.number
        within = same_within(identity)
        return next((one.number for one in self._messages.get(identity, ()) if abs(one.time - event.time) <= within), 0)

    def add(self, event: NewEvent, number: int, now: float) -> None:
        """It is known from now on."""
        identity = event.identity
        if identity is None:
            return
        if is_request(identity):
            _put(self._requests, identity, _One(number, now))
        else:
            _put(self._messages, identity, (*self._messages.get(identity, ()), _One(number, event.time)))

    def met(self, identities: Iterable[Identity], now: float) -> None:
        """Requests that were listed again."""
        for identity in map(encode_identity, identities):
            if (asked := self._requests.get(identity)) is not None:
                _put(self._requests, identity, _One(asked.number, now))

    def forget(self, user_id: str) -> int:
        """Remove what names a person; how many."""
        gone = [identity for identity in (*self._messages, *self._requests) if person_of(identity) == user_id]
        for identity in gone:
            self._messages.pop(identity, None)
            self._requests.pop(identity, None)
        return len(gone)

    def compact(self, now: float) -> int:
        """Remove requests that were not met for long; how many."""
        gone = [identity for identity, asked in self._requests.items() if asked.time < now - REQUEST_SECONDS]
        for identity in gone:
            del self._requests[identity]
        return len(gone)


def _put(known: dict[bytes, T], identity: bytes, value: T) -> None:
    """At the end, where the newest are."""
    known.pop(identity, None)
    known[identity] = value
    if len(known) > REMEMBERED:
        del known[next(iter(known))]
