"""From an event to its turn: one lane for each conversation, in memory as far as it goes, in the journal beyond."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from timbot.im.model.message import Message
from timbot.im.model.payloads import Text
from timbot.im.model.record import decode_event
from timbot.routing.plugin import Route
from timbot.runtime.dialogues import Dialogues, Question
from timbot.runtime.handling import Handling, LeftOpen, Tell
from timbot.runtime.journal.unawaited import unawaited
from timbot.runtime.journal.values import Finish, KeptEvent, OpenLane
from timbot.runtime.lanes import Lanes
from timbot.runtime.machinery import Machinery
from timbot.runtime.occasion import Occasion, Occasions
from timbot.runtime.reporter import Reporter
from timbot.runtime.sending.limits import Limits
from timbot.runtime.turn import Turn
from timbot.runtime.unhandled import Unhandled

if TYPE_CHECKING:
    from timbot.runtime.log import Log

AT_A_TIME: Final = 32
"""Events of a lane that are read back from the journal at a time."""

JOBS: Final = "JOB"
"""How the lanes of scheduled jobs begin."""

SENTENCES: Final = {
    "ask_timeout": "I have not heard from you, so let us leave it at that.",
    "ask_cancelled": "Let us leave that question.",
    "dialogue_lost": "I have lost the thread, sorry. Please begin again.",
}
"""What a person is told whose dialogue ends without its handler having a say."""


@dataclass(frozen=True, slots=True)
class Options:
    """How an account behaves. Times in seconds.

    `bots`: accounts that are machines too, and reach only handlers that ask for them. `loop_guard`: automatic replies a
    minute in one conversation (0: no limit). `workers` and `backlog` bound what runs and waits in memory at once.
    `time_limit`: how long a handler may run (0: for ever). `stale_after`: messages older than this when they come are no
    longer answered as if they were new. `keep`: how long the journal keeps what is done.
    """

    bots: frozenset[str] = field(default_factory=frozenset)
    loop_guard: int = 30
    workers: int = 1000
    backlog: int = 10_000
    time_limit: float = 60.0
    stale_after: float = 3600.0
    keep: float = 86400.0
    limits: Limits | None = None
    """How fast the bot may speak; None: as the vendor documents it."""
    sentences: Mapping[str, str] = field(default_factory=lambda: SENTENCES)


class Dispatcher:
    """The turns of one account. `spills`: whether the journal can be read back, so that nothing has to wait in memory."""

    def __init__(
        self, machinery: Machinery, occasions: Occasions, options: Options, tell: Tell, log: Log, *, spills: bool
    ) -> None:
        self._machinery = machinery
        self._journal = machinery.journal
        self._occasions = occasions
        self._options = options
        self._log = log
        self._spills = spills
        self._routes = {route.name: route for route in machinery.table.routes}
        user_id = machinery.client.user_id
        self._lanes = Lanes(f"account {user_id}", workers=options.workers, backlog=options.backlog)
        self._on_disk: dict[str, int] = {}
        """Lanes that go on in the journal, each with the last number that is known to be there."""
        self._dialogues = machinery.dialogues = Dialogues(
            self._lanes, machinery.journal, machinery.client.server_now, self._replay
        )
        self._handling = Handling(machinery, tell, log, options.sentences)
        self._reporter = Reporter(machinery.client, log)
        self._unhandled = Unhandled(machinery.client, tell, log)

    @property
    def busy(self) -> bool:
        """Whether any handler runs or any event waits for one. Those that wait for an answer are not at work."""
        return self._lanes.count > 0

    @property
    def conversations(self) -> int:
        """Conversations with work, running or waiting."""
        return self._lanes.count

    @property
    def waiting(self) -> int:
        """Events that wait for their turn in memory."""
        return self._lanes.waiting

    def wants(self, occasion: Occasion) -> bool:
        """Whether a handler may take it, or a question wait for it, now or by the time it has its turn."""
        if occasion.routes:
            return True
        return occasion.message is not None and (occasion.lane in self._lanes or self._dialogues.any_in(occasion.lane))

    def resume(self, lanes: Iterable[OpenLane]) -> None:
        """Events that the process before has left open go first, each lane in its order."""
        for lane in lanes:
            if lane.lane.startswith(JOBS):
                continue  # they wait for the scheduler
            self._on_disk[lane.lane] = lane.first
            self._lanes.push(lane.lane, functools.partial(self._read_back, lane.lane, lane.first - 1))

    async def take(self, occasion: Occasion) -> None:
        """Put an event into its lane. Where nothing can be read back, waits while the backlog is full."""
        if not occasion.wanted:
            self._unhandled.tell(occasion)
            return
        lane, work = occasion.lane, functools.partial(self._turn, occasion)
        if not (self._spills and occasion.kept):
            await self._lanes.put(lane, work)
        elif lane in self._on_disk:
            self._on_disk[lane] = occasion.number
        elif self._lanes.waiting < self._options.backlog:
            self._lanes.push(lane, work)
        else:
            self._on_disk[lane] = occasion.number
            self._lanes.push(lane, functools.partial(self._read_back, lane, occasion.number - 1))

    async def close(self, grace: float) -> None:
        """Let the handlers finish for `grace` seconds, then stop them."""
        until = asyncio.get_running_loop().time() + grace
        self._dialogues.close()
        left = await self._lanes.close(grace)
        if left and self._spills:
            self._log.info("left for the next start", events=left)
        elif left:
            self._log.warning("stopped before everything was handled", left=left, grace_seconds=grace)
        await self._reporter.close(max(0.0, until - asyncio.get_running_loop().time()))

    def revive(self, kept: KeptEvent) -> None:
        """A dead letter is tried again, behind what waits in its lane."""
        self._lanes.push(kept.lane, functools.partial(self.turn_kept, kept))

    async def alone(self, kept: KeptEvent) -> None:
        """Go through an event while nothing else goes on, until it is done or waits for an answer."""
        self.revive(kept)
        await self._lanes.join()

    def let_go(self, user_id: str) -> None:
        """Give up what a person has said: it is about to be forgotten."""
        self._lanes.drop(f"C2C{user_id}")
        self._handling.let_go(user_id)

    def abandon(self) -> None:
        """Stop at once, whatever is going on."""
        self._dialogues.close()
        self._lanes.abandon()
        self._reporter.abandon()

    # Turns

    async def _read_back(self, lane: str, after: int) -> None:
        """Put what the journal has of a lane into it, and come again for the rest."""
        known = self._on_disk[lane]  # as it is before the look: what comes during it, the look may not see
        kept = await self._journal.waiting(lane, after, AT_A_TIME)
        last = kept[-1].number if kept else known
        for each in kept:
            self._lanes.push(lane, functools.partial(self.turn_kept, each))
        if len(kept) < AT_A_TIME and last >= self._on_disk[lane]:
            del self._on_disk[lane]
        else:
            self._lanes.push(lane, functools.partial(self._read_back, lane, last))

    async def _turn(self, occasion: Occasion) -> None:
        """An event's own turn: an answer, or handlers."""
        question = self._question_for(occasion)
        if question is not None:
            await self._answered(question, occasion)
        elif occasion.routes:
            await self._run(occasion, self._new_turn(occasion))
        else:
            if occasion.number:
                self._keep_done(occasion.number)
            self._unhandled.tell(occasion)

    async def turn_kept(self, kept: KeptEvent) -> None:
        """The turn of an event from the journal, perhaps not its first."""
        event = decode_event(kept.body)
        if kept.decision is None and not kept.attempts:
            client = self._machinery.client
            stale = kept.kind != "job" and client.server_now() - kept.time > self._options.stale_after
            await self._turn(self._occasions.of(event, kept.time, kept.number, stale=stale))
            return
        occasion = self._occasions.of(event, kept.time, kept.number)
        steps, sends = await self._journal.steps(kept.number)
        names = [] if kept.decision is None else _decided(kept.decision)
        lost = [name for name in names if name not in self._routes]
        if names and not lost:
            occasion.routes = tuple(self._routes[name] for name in names)
        turn = Turn(
            self._journal,
            self._machinery.overtime,
            kept.number,
            self._key(kept.number),
            lambda: _decision(occasion.routes),
            decided=kept.decision is not None,
            attempts=kept.attempts,
            steps=steps,
            sends=sends,
        )
        if lost:
            await self._handling.lost(occasion, turn, lost)
        else:
            await self._run(occasion, turn)

    async def _replay(self, number: int) -> None:
        """Go through an event's handler again, in the turn this is called in."""
        kept = await self._journal.event(number)
        if kept is not None:
            await self.turn_kept(kept)

    async def _run(self, occasion: Occasion, turn: Turn) -> None:
        try:
            handled, passed_on = await self._handling.run(occasion, turn)
        except LeftOpen:
            return
        message = occasion.message
        if handled and message is not None:
            self._reporter.read(message)
        elif not handled:
            self._unhandled.tell(occasion, passed_on)

    def _new_turn(self, occasion: Occasion) -> Turn:
        number = max(occasion.number, 0)
        return Turn(self._journal, self._machinery.overtime, number, self._key(number), lambda: _decision(occasion.routes))

    def _key(self, number: int) -> str:
        return f"{self._machinery.key}/{number}"

    # Answers

    def _question_for(self, occasion: Occasion) -> Question | None:
        """The open question this answers: words of the right person that are no command."""
        message = occasion.message
        if message is None or occasion.from_bot or not isinstance(message.payload, Text):
            return None
        question = self._dialogues.waiting_for(occasion.lane, message.from_)
        if question is None or any(route.kind == "command" for route in occasion.routes):
            return None
        return question

    async def _answered(self, question: Question, occasion: Occasion) -> None:
        message: Message | None = occasion.message
        assert message is not None
        self._log.debug("answered", conversation=occasion.lane, sender=message.from_, handler=question.kept.step.handler)
        self._reporter.read(message)
        text = self._occasions.words_of(message)
        await self._dialogues.answer(question, text, *([Finish(occasion.number)] if occasion.number else []))

    # Writing down

    def _keep_done(self, number: int) -> None:
        unawaited(self._journal.commit(Finish(number)))


def _decision(routes: Sequence[Route]) -> bytes:
    return msgspec.json.encode([route.name for route in routes])


def _decided(data: bytes) -> list[str]:
    return msgspec.json.decode(data, type=list[str])
