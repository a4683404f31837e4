"""Whatever is done to a journal, in whatever order and across restarts, it answers as plain dictionaries would."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from journal_kit import NOTHING, intends, journal_on, parks, records, said, settles

from timbot.im.delivery import Change, GroupMark
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.values import Bury, Commit, Decide, EventState, Fail, Finish, SendState, Unpark
from timbot.store import Database
from timbot.testing import VirtualLoop

T = TypeVar("T")

DAY = 86400.0
PEOPLE = ("alice", "bob", "carol")
SETTLED = (SendState.SENT, SendState.REFUSED, SendState.DROPPED)

picks = st.integers(0, 9)
people = st.sampled_from(PEOPLE)


@dataclass
class Event:
    """An event as the model has it."""

    who: str
    sequence: int
    taken: float
    state: EventState = EventState.OPEN
    attempts: int = 0
    decision: bytes | None = None
    steps: dict[str, bytes] = field(default_factory=dict)
    asked: str = ""
    died: float = 0.0


@dataclass
class Send:
    """A message as the model has it."""

    event: int | None
    to: str
    key: str
    state: SendState = SendState.OPEN
    settled: float = 0.0


class JournalMachine(RuleBasedStateMachine):
    """A journal beside dictionaries."""

    engine = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner(loop_factory=lambda: VirtualLoop(limit=1e12))
        self.events: dict[int, Event] = {}
        self.sends: dict[int, Send] = {}
        self.marks: dict[str, int] = {}
        self.sequence = 0
        self.whole_until = 0.0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def commit(self, *changes: Commit) -> list[int]:
        async def at_once() -> list[int]:
            return await self.journal.commit(*changes)

        return self.run(at_once())

    @initialize()
    def open(self) -> None:
        async def opened() -> tuple[Database, Journal]:
            database = await Database.open(self.folder, durability="relaxed")
            return database, journal_on(database, self.engine)

        self.database, self.journal = self.run(opened())
        self.run(self.journal.resume())

    def now(self) -> float:
        loop = self.runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        return loop.clock.now()

    def some(self, pick: int, *states: EventState) -> int:
        """One of the events in these states; one that never was where there is none."""
        there = [number for number, event in self.events.items() if event.state in states]
        return there[pick % len(there)] if there else 10**9

    # What happens.

    @rule(who=people, count=st.integers(1, 3), whole=st.booleans())
    def take(self, who: str, count: int, whole: bool) -> None:
        now = self.now()
        new = [said(who, self.sequence + number, time=now) for number in range(count)]
        change = Change(whole_until=now, marks=(GroupMark("g1", 5, self.sequence),)) if whole else NOTHING

        async def taken() -> list[int]:
            return await self.journal.take(new, change)

        numbers = self.run(taken())
        assert numbers == sorted(numbers)
        assert numbers[0] > max(self.events, default=0)
        for offset, number in enumerate(numbers):
            self.events[number] = Event(who, self.sequence + offset, now)
        if whole:
            self.whole_until, self.marks = now, {"g1": self.sequence}
        self.sequence += count

    @rule(pick=picks)
    def take_again(self, pick: int) -> None:
        number = self.some(pick, EventState.OPEN, EventState.PARKED, EventState.DEAD)
        if number in self.events:
            event = self.events[number]

            async def taken() -> list[int]:
                return await self.journal.take([said(event.who, event.sequence, time=event.taken)], NOTHING)

            assert self.run(taken()) == [-number]

    @rule(pick=picks, decision=st.binary(max_size=3))
    def decide(self, pick: int, decision: bytes) -> None:
        number = self.some(pick, EventState.OPEN)
        self.commit(Decide(number, decision))
        if number in self.events:
            self.events[number].decision = decision

    @rule(pick=picks, slot=st.sampled_from("123"), result=st.binary(max_size=3))
    def record(self, pick: int, slot: str, result: bytes) -> None:
        number = self.some(pick, EventState.OPEN, EventState.PARKED, EventState.DEAD)
        self.commit(records(number, slot, result))
        if number in self.events:
            self.events[number].steps.setdefault(slot, result)

    @rule(pick=picks, to=people)
    def intend(self, pick: int, to: str) -> None:
        number = self.some(pick, EventState.OPEN)
        (send,) = self.commit(intends(number, to=to, at=self.now()))
        if number in self.events:
            self.sends[send] = Send(number, to, "")
        else:
            assert send == 0

    @rule(to=people, key=st.sampled_from(["", "", "k1", "k2"]))
    def intend_of_ones_own(self, to: str, key: str) -> None:
        (send,) = self.commit(intends(None, to=to, key=key, at=self.now()))
        known = [number for number, one in self.sends.items() if key and one.key == key]
        if known:
            assert [send] == known
        else:
            assert send > max(self.sends, default=0)
            self.sends[send] = Send(None, to, key)

    @rule(pick=picks, state=st.sampled_from(SendState), finish=st.booleans())
    def settle(self, pick: int, state: SendState, finish: bool) -> None:
        there = [number for number, send in self.sends.items() if send.state in (SendState.OPEN, SendState.UNKNOWN)]
        if there:
            send = self.sends[there[pick % len(there)]]
            also = [Finish(send.event)] if finish and send.event is not None else []
            self.commit(settles(there[pick % len(there)], state, self.now()), *also)
            send.state, send.settled = state, self.now()
            if also and send.event in self.events:
                self.finished(send.event)

    def finished(self, number: int) -> None:
        event = self.events[number]
        if event.state in (EventState.OPEN, EventState.PARKED):
            event.state = EventState.DONE

    @rule(pick=picks)
    def finish(self, pick: int) -> None:
        number = self.some(pick, EventState.OPEN, EventState.PARKED, EventState.DEAD)
        self.commit(Finish(number))
        if number in self.events:
            self.finished(number)

    @rule(pick=picks, attempts=st.integers(1, 3))
    def fail(self, pick: int, attempts: int) -> None:
        number = self.some(pick, EventState.OPEN)
        self.commit(Fail(number, attempts))
        if number in self.events:
            self.events[number].attempts = attempts

    @rule(pick=picks, who=people)
    def park(self, pick: int, who: str) -> None:
        number = self.some(pick, EventState.OPEN, EventState.PARKED)
        self.commit(parks(number, who))
        if number in self.events:
            self.events[number].state, self.events[number].asked = EventState.PARKED, who

    @rule(pick=picks)
    def unpark(self, pick: int) -> None:
        number = self.some(pick, EventState.PARKED)
        self.commit(Unpark(number))
        if number in self.events:
            self.events[number].state = EventState.OPEN

    @rule(pick=picks)
    def bury(self, pick: int) -> None:
        number = self.some(pick, EventState.OPEN, EventState.PARKED)
        self.commit(Bury(number, "failed", "", self.now()))
        if number in self.events:
            self.events[number].state, self.events[number].died = EventState.DEAD, self.now()

    @rule(pick=picks)
    def revive(self, pick: int) -> None:
        number = self.some(pick, EventState.DEAD)
        kept = self.run(self.journal.revive(number))
        assert (kept is not None) == (number in self.events)
        if number in self.events:
            self.events[number].state, self.events[number].attempts = EventState.OPEN, 0

    @rule(pick=picks)
    def drop(self, pick: int) -> None:
        number = self.some(pick, EventState.DEAD)
        assert self.run(self.journal.drop(number)) == (number in self.events)
        if number in self.events:
            self.events[number].state = EventState.DONE

    # What is let go of.

    @rule(days=st.sampled_from([0.1, 1.1, 31.0]))
    def compact(self, days: float) -> None:
        async def later() -> None:
            await asyncio.sleep(days * DAY)
            await self.journal.compact(self.now(), DAY)

        self.run(later())
        now = self.now()
        for event in self.events.values():
            if event.state is EventState.DEAD and event.died < now - 30 * DAY:
                event.state = EventState.DONE
        gone = [number for number, send in self.sends.items() if self.has_outlived(send, now)]
        for number in gone:
            del self.sends[number]

    def has_outlived(self, send: Send, now: float) -> bool:
        event = None if send.event is None else self.events[send.event].state
        if send.state is SendState.OPEN or event not in (None, EventState.DONE):
            return False
        return send.settled < now - 30 * DAY

    @rule(who=people)
    def forget(self, who: str) -> None:
        self.run(self.journal.forget(who))
        gone = {
            number
            for number, event in self.events.items()
            if event.who == who or (event.state is EventState.PARKED and event.asked == who)
        }
        forgotten = {
            number
            for number, send in self.sends.items()
            if send.to == who or (send.event in gone and not self.goes_its_own_way(number, send))
        }
        for number in forgotten:
            del self.sends[number]
        for number in gone:
            del self.events[number]
        for send in self.sends.values():
            send.event = None if send.event in gone else send.event

    def goes_its_own_way(self, number: int, send: Send) -> bool:
        """Whether a message to somebody else was let go of by its event, once that was done: then it may stay."""
        if send.event is None or self.events[send.event].state is not EventState.DONE:
            return False
        kept = self.run(self.journal.send(number))
        return kept is not None and kept.step is None

    @precondition(lambda self: self.engine == "sqlite")
    @rule()
    def restart(self) -> None:
        self.run(self.database.close())
        self.open()

    # What must be so.

    @invariant()
    def events_are_as_they_should_be(self) -> None:
        if not hasattr(self, "journal"):
            return
        for number, event in self.events.items():
            kept = self.run(self.journal.event(number))
            if event.state is EventState.DONE:
                assert kept is None or kept.state is EventState.DONE
                continue
            assert kept is not None
            assert (kept.state, kept.attempts, kept.decision, kept.body) == (
                event.state, event.attempts, event.decision, b"hello",
            )  # fmt: skip
            steps, _ = self.run(self.journal.steps(number))
            assert {step.id.slot: step.result for step in steps} == event.steps

    @invariant()
    def lanes_are_as_they_should_be(self) -> None:
        if not hasattr(self, "journal"):
            return
        for who in PEOPLE:
            waiting = self.run(self.journal.waiting(f"C2C{who}", 0, 1000))
            expected = [n for n, event in self.events.items() if event.who == who and event.state is EventState.OPEN]
            assert [kept.number for kept in waiting] == sorted(expected)

    @invariant()
    def messages_are_as_they_should_be(self) -> None:
        if not hasattr(self, "journal"):
            return
        for number, send in self.sends.items():
            lives_on = send.event is not None and self.events[send.event].state is not EventState.DONE
            if lives_on or send.key or send.state not in SETTLED:
                kept = self.run(self.journal.send(number))
                assert kept is not None
                assert kept.state is send.state
                assert (kept.step is not None) or not lives_on
        unknown = [number for number, send in self.sends.items() if send.state is SendState.UNKNOWN]
        assert [kept.number for kept in self.run(self.journal.unknown_sends())] == sorted(unknown)

    @invariant()
    def counts_are_as_they_should_be(self) -> None:
        if not hasattr(self, "journal"):
            return
        states = [event.state for event in self.events.values()]
        counts = self.run(self.journal.counts())
        assert (counts["open"], counts["parked"], counts["dead"], counts["unsent"]) == (
            states.count(EventState.OPEN),
            states.count(EventState.PARKED),
            states.count(EventState.DEAD),
            sum(send.state is SendState.OPEN for send in self.sends.values()),
        )

    @precondition(lambda self: self.engine == "sqlite")
    @invariant()
    def a_start_finds_it(self) -> None:
        if not hasattr(self, "journal"):
            return
        resumed = self.run(self.journal.resume())
        parked = [number for number, event in self.events.items() if event.state is EventState.PARKED]
        assert [dialogue.step.event for dialogue in resumed.dialogues] == sorted(parked)
        open_sends = [number for number, send in self.sends.items() if send.state is SendState.OPEN]
        assert [send.number for send in resumed.sends] == sorted(open_sends)
        assert {mark.group_id: mark.taken for mark in resumed.memory.marks} == self.marks
        remembered = {(identity.peer, identity.sequence) for identity, _ in resumed.memory.messages}
        unsettled = (EventState.OPEN, EventState.PARKED, EventState.DEAD)
        assert remembered >= {
            (event.who, event.sequence)
            for event in self.events.values()
            if event.taken >= self.whole_until - 3600 and event.state in unsettled
        }

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.run(self.database.close())
        self.runner.close()
        shutil.rmtree(self.folder)


class MemoryMachine(JournalMachine):
    """The same for the engine without a file."""

    engine = "memory"


TestJournalModel = JournalMachine.TestCase
TestJournalModel.settings = settings(max_examples=15, stateful_step_count=40, deadline=None)
TestMemoryModel = MemoryMachine.TestCase
TestMemoryModel.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
