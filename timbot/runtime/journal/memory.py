"""The journal that survives nothing: `durability: off`. It says what the others say, and writes nothing down.

What is done is let go of at once, so its size is that of what is open. Only plugin state goes into a database, the one the
caller gives, since plugins read it there.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from timbot.im.clock import Clock, SystemClock
from timbot.im.delivery import Change
from timbot.runtime.journal.identities import person_of
from timbot.runtime.journal.keeping import LETTER_SECONDS
from timbot.runtime.journal.known import Known
from timbot.runtime.journal.reading import by_slot
from timbot.runtime.journal.values import (
    Bury,
    Commit,
    DeadLetter,
    Decide,
    EventState,
    Fail,
    Finish,
    Intend,
    KeptDialogue,
    KeptEvent,
    KeptSend,
    KeptStep,
    NewEvent,
    Park,
    RecordStep,
    Resumed,
    SendState,
    Settle,
    StepId,
    Unpark,
    WriteState,
)
from timbot.store import Database, UnstorableValue
from timbot.store.state import check_state, put

LETTERS: Final = 10_000
"""How many dead letters are kept: the newest."""


@dataclass(slots=True)
class _Event:
    """An event that is not done."""

    number: int
    new: NewEvent
    taken: float
    state: EventState = EventState.OPEN
    attempts: int = 0
    decision: bytes | None = None
    steps: dict[StepId, KeptStep] = field(default_factory=dict)
    sends: list[int] = field(default_factory=list)
    dialogue: KeptDialogue | None = None
    letter: DeadLetter | None = None

    def kept(self) -> KeptEvent:
        """As others see it."""
        new = self.new
        return KeptEvent(self.number, new.lane, new.kind, new.body, new.time, self.state, self.attempts, self.decision)


class MemoryJournal:
    """The `Journal` of one account, in this process's memory. `database` holds the plugins' state, under `key`."""

    def __init__(self, database: Database | None, key: str, *, clock: Clock | None = None) -> None:
        self._database = database
        self._key = key
        self._clock = clock or SystemClock()
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count(1)
        self._sent = itertools.count(1)
        self._events: dict[int, _Event] = {}
        self._lanes: dict[str, dict[int, None]] = {}
        self._letters: dict[int, None] = {}
        self._sends: dict[int, KeptSend] = {}
        self._keys: dict[tuple[str, str], int] = {}
        self._known = Known()

    async def resume(self) -> Resumed:
        """Nothing: see `Journal`."""
        return Resumed()

    def take(self, events: Sequence[NewEvent], change: Change) -> asyncio.Future[list[int]]:
        """See `Journal`. The client's memory is the client's own here."""
        now = self._clock.now()
        numbers = [self._take(event, now) for event in events]
        self._known.met(change.met, now)
        return self._done(numbers)

    def commit(self, *changes: Commit) -> asyncio.Future[list[int]]:
        """See `Journal`."""
        states = [change for change in changes if type(change) is WriteState]
        try:
            for state in states:
                check_state(state.plugin, state.key, state.value)
        except UnstorableValue as error:
            refused: asyncio.Future[list[int]] = self._loop.create_future()
            refused.set_exception(error)
            return refused
        numbers = [_WAYS[type(change)](self, change) for change in changes]
        if not states or self._database is None:
            return self._done(numbers)

        def write(connection: sqlite3.Connection) -> list[int]:
            for state in states:
                put(connection, self._key, state.plugin, state.key, state.value)
            return numbers

        return self._database.write(write)

    async def waiting(self, lane: str, after: int, limit: int) -> list[KeptEvent]:
        """See `Journal`."""
        later = (number for number in self._lanes.get(lane, ()) if number > after)
        return [self._events[number].kept() for number in itertools.islice(later, limit)]

    async def event(self, number: int) -> KeptEvent | None:
        """See `Journal`. One that is done is not there any more."""
        event = self._events.get(number)
        return None if event is None else event.kept()

    async def steps(self, event: int) -> tuple[list[KeptStep], list[KeptSend]]:
        """See `Journal`."""
        known = self._events.get(event)
        if known is None:
            return [], []
        return sorted(known.steps.values(), key=by_slot), [self._sends[number] for number in known.sends]

    async def send(self, number: int) -> KeptSend | None:
        """See `Journal`."""
        return self._sends.get(number)

    def began(self, event: int) -> None:
        """Nothing: nobody comes after."""

    def ended(self, event: int) -> None:
        """Nothing."""

    async def dead_letters(self, *, after: int = 0, limit: int = 100) -> list[DeadLetter]:
        """See `Journal`. Of more than 10,000 the oldest are forgotten."""
        found = sorted(number for number in self._letters if number > after)[:limit]
        return [letter for number in found if (letter := self._events[number].letter)]

    async def revive(self, number: int) -> KeptEvent | None:
        """See `Journal`."""
        if number not in self._letters:
            return None
        del self._letters[number]
        event = self._events[number]
        event.letter, event.attempts = None, 0
        self._open(event)
        return event.kept()

    async def drop(self, number: int) -> bool:
        """See `Journal`."""
        if number not in self._letters:
            return False
        self._let_go(self._events[number])
        return True

    async def unknown_sends(self, *, after: int = 0, limit: int = 100) -> list[KeptSend]:
        """See `Journal`."""
        unknown = (send for send in self._sends.values() if send.state is SendState.UNKNOWN and send.number > after)
        return list(itertools.islice(unknown, limit))

    async def forget(self, user_id: str) -> int:
        """See `Journal`."""
        before = len(self._events) + len(self._sends)
        for event in [event for event in self._events.values() if _concerns(event, user_id)]:
            for number in event.sends:
                self._drop_send(number)
            event.sends.clear()
            self._let_go(event)
        lane = f"C2C{user_id}"
        for send in [send for send in self._sends.values() if lane in (send.target, send.token[0])]:
            if send.step is not None:
                self._events[send.step.event].sends.remove(send.number)
            self._drop_send(send.number)
        return before - len(self._events) - len(self._sends) + self._known.forget(user_id)

    async def compact(self, now: float, keep: float) -> int:
        """See `Journal`: what is done went at once, so only what stays for a month is looked at."""
        letters = [letter for number in self._letters if (letter := self._events[number].letter)]
        old = [letter.number for letter in letters if letter.died < now - LETTER_SECONDS]
        for number in old:
            self._let_go(self._events[number])
        sends = [send.number for send in self._sends.values() if _has_outlived(send, now)]
        for number in sends:
            self._drop_send(number)
        return len(old) + len(sends) + self._known.compact(now)

    async def counts(self) -> dict[str, int]:
        """See `Journal`."""
        states = [event.state for event in self._events.values()]
        sends = [send.state for send in self._sends.values()]
        first = min((number for lane in self._lanes.values() for number in lane), default=None)
        return {
            "open": states.count(EventState.OPEN),
            "parked": states.count(EventState.PARKED),
            "dead": len(self._letters),
            "unsent": sends.count(SendState.OPEN),
            "unknown": sends.count(SendState.UNKNOWN),
            "oldest": 0 if first is None else max(0, int(self._clock.now() - self._events[first].taken)),
        }

    # Taking events in.

    def _take(self, event: NewEvent, now: float) -> int:
        if known := self._known.find(event, now):
            return -known
        number = next(self._numbers)
        self._known.add(event, number, now)
        if event.dead:
            made = self._events[number] = _Event(number, event, now, EventState.DEAD)
            self._bury(made, now, event.dead, "")
        elif event.wanted:
            self._events[number] = _Event(number, event, now)
            self._lanes.setdefault(event.lane, {})[number] = None
        return number

    # What is done about them.

    def _there(self, number: int) -> _Event | None:
        """An event that is open or parked."""
        event = self._events.get(number)
        return None if event is None or event.state is EventState.DEAD else event

    def _decide(self, change: Decide) -> int:
        if (event := self._events.get(change.event)) is not None:
            event.decision = change.decision
        return 0

    def _record(self, change: RecordStep) -> int:
        if (event := self._events.get(change.id.event)) is not None:
            step = KeptStep(change.id, change.kind, change.target, change.name, change.result, change.refused)
            event.steps.setdefault(change.id, step)
        return 0

    def _intend(self, change: Intend) -> int:
        if change.key and (known := self._keys.get((change.plugin, change.key))):
            return known
        event = None if change.step is None else self._events.get(change.step.event)
        if change.step is not None and event is None:
            return 0
        number = next(self._sent)
        about = (change.plugin, change.key, change.target, change.body, change.at)
        self._sends[number] = KeptSend(number, change.step, *about, SendState.OPEN, b"", 0.0, change.token)
        if change.key:
            self._keys[change.plugin, change.key] = number
        if event is not None:
            event.sends.append(number)
        return number

    def _settle(self, change: Settle) -> int:
        send = self._sends.get(change.send)
        if send is not None:
            body = send.body if change.body is None else change.body
            settled = 0.0 if change.state is SendState.OPEN else change.at
            self._sends[send.number] = replace(send, state=change.state, result=change.result, settled=settled, body=body)
            if send.step is None:
                self._slim(send.number)
        return 0

    def _finish(self, change: Finish) -> int:
        if (event := self._there(change.event)) is not None:
            self._let_go(event)
        return 0

    def _fail(self, change: Fail) -> int:
        if (event := self._there(change.event)) is not None:
            event.attempts = change.attempts
        return 0

    def _park(self, change: Park) -> int:
        if (event := self._there(change.event)) is not None:
            self._close(event)
            event.state, event.dialogue = EventState.PARKED, change.dialogue
        return 0

    def _unpark(self, change: Unpark) -> int:
        event = self._there(change.event)
        if event is not None and event.state is EventState.PARKED:
            event.dialogue = None
            self._open(event)
        return 0

    def _give_up(self, change: Bury) -> int:
        if (event := self._there(change.event)) is not None:
            self._close(event)
            self._bury(event, change.at, change.reason, change.detail)
        return 0

    # Where things are.

    def _bury(self, event: _Event, died: float, reason: str, detail: str) -> None:
        event.state, event.dialogue = EventState.DEAD, None
        new = event.new
        event.letter = DeadLetter(event.number, new.lane, new.kind, new.body, new.time, died, reason, detail)
        self._letters[event.number] = None
        if len(self._letters) > LETTERS:
            self._let_go(self._events[next(iter(self._letters))])

    def _open(self, event: _Event) -> None:
        """Put it into its lane: by its number, also where it comes back."""
        event.state = EventState.OPEN
        lane = self._lanes.setdefault(event.new.lane, {})
        back = bool(lane) and event.number < next(reversed(lane))
        lane[event.number] = None
        if back:
            self._lanes[event.new.lane] = dict.fromkeys(sorted(lane))

    def _close(self, event: _Event) -> None:
        """Take it out of its lane."""
        lane = self._lanes.get(event.new.lane)
        if lane is not None:
            lane.pop(event.number, None)
            if not lane:
                del self._lanes[event.new.lane]

    def _let_go(self, event: _Event) -> None:
        """An event that is done, or was forgotten."""
        self._close(event)
        self._letters.pop(event.number, None)
        del self._events[event.number]
        for number in event.sends:
            if self._slim(number):
                self._sends[number] = replace(self._sends[number], step=None)

    def _slim(self, number: int) -> bool:
        """A message of no event that is settled is there for its key only. Whether it still is."""
        send = self._sends[number]
        if send.state not in (SendState.OPEN, SendState.UNKNOWN):
            if not send.key:
                del self._sends[number]
                return False
            self._sends[number] = replace(send, body=b"")
        return True

    def _drop_send(self, number: int) -> None:
        send = self._sends.pop(number)
        self._keys.pop((send.plugin, send.key), None)

    def _done(self, numbers: list[int]) -> asyncio.Future[list[int]]:
        future: asyncio.Future[list[int]] = self._loop.create_future()
        future.set_result(numbers)
        return future


def _concerns(event: _Event, user_id: str) -> bool:
    new = event.new
    asked = event.dialogue is not None and event.dialogue.who == user_id
    return asked or user_id in (new.who, person_of(new.identity)) or new.lane == f"C2C{user_id}"


def _has_outlived(send: KeptSend, now: float) -> bool:
    return send.state is not SendState.OPEN and send.step is None and send.settled < now - LETTER_SECONDS


_WAYS: Final[dict[type[Commit], Callable[[MemoryJournal, Any], int]]] = {
    Decide: MemoryJournal._decide,
    RecordStep: MemoryJournal._record,
    Intend: MemoryJournal._intend,
    Settle: MemoryJournal._settle,
    Finish: MemoryJournal._finish,
    Fail: MemoryJournal._fail,
    Park: MemoryJournal._park,
    Unpark: MemoryJournal._unpark,
    Bury: MemoryJournal._give_up,
    WriteState: lambda journal, change: 0,
}
