"""Open questions: handlers that wait for what somebody says next.

A handler that asks gives its lane up. It goes on only in a turn of that lane: the answer's own, or the deadline's. While a
process lives the handler waits where it is; in the next one it is gone through again up to its question.
"""

from __future__ import annotations

import asyncio
import functools
import heapq
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from timbot.errors import TimbotError
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.values import Commit, KeptDialogue, Park, RecordStep, Unpark
from timbot.runtime.lanes import Lanes
from timbot.runtime.steps import Steps
from timbot.runtime.turn import ASK, Turn

Ended = Literal["timeout", "superseded", "gone"]


class AskEnded(TimbotError):
    """There will be no answer."""

    docs = "errors#ask"


class AskTimeout(AskEnded):
    """Nobody has answered in time."""


class AskCancelled(AskEnded):
    """The question was taken back: a newer one to the same person took its place, or every try was used up."""


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What came of a question: somebody's words, or why there are none."""

    text: str = ""
    ended: str = ""


_answer_decoder = msgspec.json.Decoder(Answer)


@dataclass(slots=True, eq=False)
class Question:
    """A question nobody has answered yet. The last three are there only while its handler waits in this process."""

    kept: KeptDialogue
    waiter: asyncio.Future[Answer] | None = None
    turn: Turn | None = None
    steps: Steps | None = None


class Dialogues:
    """The open questions of one account. `replay` goes through the handler of an event again, in the turn it is called in."""

    def __init__(
        self, lanes: Lanes, journal: Journal, now: Callable[[], float], replay: Callable[[int], Awaitable[None]]
    ) -> None:
        self._lanes = lanes
        self._journal = journal
        self._now = now
        self._replay = replay
        self._open: dict[str, dict[str, Question]] = {}
        """By conversation and person."""
        self._deadlines: list[tuple[float, int, Question]] = []
        self._asked = 0
        self._timer: asyncio.TimerHandle | None = None
        self._running = False

    def __len__(self) -> int:
        return sum(len(people) for people in self._open.values())

    def resume(self, kept: Iterable[KeptDialogue]) -> None:
        """Questions that the process before has left open."""
        for each in kept:
            self._add(Question(each))

    def start(self) -> None:
        """Deadlines count from now on: everything that was said before them has come in."""
        self._running = True
        self._wind()

    def pause(self) -> None:
        """The connection is gone: an answer may be on its way, and wins over its deadline."""
        self._running = False
        self._wind()

    def close(self) -> None:
        """No deadline strikes any more."""
        self.pause()

    def waiting_for(self, lane: str, who: str) -> Question | None:
        """The question that is open to this person in this conversation."""
        return self._open.get(lane, {}).get(who)

    def any_in(self, lane: str) -> bool:
        """Whether any question is open in this conversation."""
        return lane in self._open

    async def ask(self, turn: Turn, steps: Steps, slot: str, lane: str, who: str, seconds: float | None) -> Answer:
        """Wait for what `who` says next, in the place of this step; the lane goes on meanwhile."""
        known = steps.known(slot, ASK, who, "")
        if known is not None:
            steps.answers += 1
            return _answer_decoder.decode(known.result)
        deadline = 0.0 if seconds is None else self._now() + seconds
        kept = KeptDialogue(steps.id(slot), lane, who, deadline, 0, b"")
        waiter: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        question = Question(kept, waiter, turn, steps)
        self._end(lane, who, "superseded")
        steps.asking = True
        try:
            if turn.number:
                await turn.commit(Park(turn.number, kept))
            self._add(question)
            turn.ended(parked=True)
            if not turn.away:
                turn.away = True
                self._lanes.step_out()
            answer = await waiter
            turn.began()
            steps.answers += 1
            return answer
        finally:
            steps.asking = False
            if self._is_open(question):
                self._remove(question)  # its handler was cancelled; the journal keeps the question

    async def answer(self, question: Question, text: str, *changes: Commit) -> None:
        """Let the handler go on, in the lane's turn of the answer. `changes` are committed together with it."""
        self._remove(question)
        await self._go_on(question, Answer(text), *changes)

    def _add(self, question: Question) -> None:
        kept = question.kept
        self._open.setdefault(kept.lane, {})[kept.who] = question
        if kept.deadline:
            self._asked += 1
            heapq.heappush(self._deadlines, (kept.deadline, self._asked, question))
            self._wind()

    def _remove(self, question: Question) -> None:
        people = self._open[question.kept.lane]
        del people[question.kept.who]
        if not people:
            del self._open[question.kept.lane]

    def _end(self, lane: str, who: str, why: Ended) -> None:
        """There will be no answer: its handler hears of it in a turn of its own."""
        question = self.waiting_for(lane, who)
        if question is not None:
            self._remove(question)
            self._lanes.push(lane, functools.partial(self._go_on, question, Answer(ended=why)))

    async def _go_on(self, question: Question, answer: Answer, *changes: Commit) -> None:
        step, result = question.kept.step, msgspec.json.encode(answer)
        record = RecordStep(step, ASK, question.kept.who, "", result)
        if step.event:
            await self._journal.commit(Unpark(step.event), record, *changes)
        elif changes:
            await self._journal.commit(*changes)
        if question.waiter is None or question.turn is None or question.steps is None:
            await self._replay(step.event)
        elif not question.waiter.done():
            question.steps.record(step.slot, ASK, question.kept.who, "", result)
            over = question.turn.go_on()
            question.waiter.set_result(answer)
            await over

    def _wind(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._deadlines and not self._is_open(self._deadlines[0][2]):
            heapq.heappop(self._deadlines)
        if self._running and self._deadlines:
            wait = max(0.0, self._deadlines[0][0] - self._now())
            self._timer = asyncio.get_running_loop().call_later(wait, self._strike)

    def _strike(self) -> None:
        while self._deadlines and self._deadlines[0][0] <= self._now():
            _, _, question = heapq.heappop(self._deadlines)
            if self._is_open(question):
                self._lanes.push(question.kept.lane, functools.partial(self._expire, question))
        self._wind()

    async def _expire(self, question: Question) -> None:
        if self._is_open(question):  # else the answer stood in the lane before the deadline did
            self._remove(question)
            await self._go_on(question, Answer(ended="timeout"))

    def _is_open(self, question: Question) -> bool:
        return self.waiting_for(question.kept.lane, question.kept.who) is question
