"""One event while its handlers are at work: what they have done so far, and what is still to be written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Final

from timbot.errors import ImError
from timbot.im.model.message import Message
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.unawaited import unawaited
from timbot.runtime.journal.values import Bury, Commit, Decide, Fail, Finish, Intend, KeptSend, KeptStep, SendState
from timbot.runtime.overtime import Overtime

ASK: Final = "ask"
"""The kind of step that waits for an answer."""


class Turn:
    """The handling of one event, through all its attempts. `number` 0: nothing of it is kept.

    `key` names the event in every process; `decision` says which routes it takes, and is written down with the first thing
    that is done.
    """

    __slots__ = (
        "_decided",
        "_decision",
        "_ended",
        "_held",
        "_journal",
        "_later",
        "_over",
        "_overtime",
        "attempts",
        "away",
        "given_up",
        "key",
        "number",
        "outcomes",
        "overtime",
        "sends",
        "steps",
        "task",
    )

    def __init__(
        self,
        journal: Journal,
        overtime: Overtime,
        number: int,
        key: str,
        decision: Callable[[], bytes],
        *,
        decided: bool = False,
        attempts: int = 0,
        steps: Iterable[KeptStep] = (),
        sends: Iterable[KeptSend] = (),
    ) -> None:
        self.number = number
        self.key = key
        self.attempts = attempts
        self.steps = {(step.id.handler, step.id.slot): step for step in steps}
        self.sends = {(send.step.handler, send.step.slot): send for send in sends if send.step is not None}
        self.outcomes: dict[int, Message | ImError | None] = {}
        """What has become of messages since this process took the event up, by number."""
        self.task: asyncio.Task[Any] | None = None
        self.overtime = False
        """It has run for too long, and is being cancelled for that."""
        self.given_up = False
        """It is being cancelled because nobody is to know of it any more."""
        self._journal = journal
        self._overtime = overtime
        self._decision = decision
        self._decided = decided or not number
        self._later: list[Commit] = []
        self.away = False
        """It has given its lane up, and goes on in the turns of others."""
        self._held = 0
        self._ended = True
        self._over: asyncio.Future[None] | None = None

    @property
    def asked(self) -> bool:
        """Whether any of its handlers has asked somebody something."""
        return any(step.kind == ASK for step in self.steps.values())

    # Writing down

    def commit(self, *changes: Commit) -> Coroutine[Any, Any, list[int]]:
        """Write down, with what was put off. The numbers of `changes`; awaited, it is kept."""
        before = self._put_off()
        return _without(self._journal.commit(*before, *changes), len(before))

    def note(self, *changes: Commit) -> None:
        """Write down without waiting for it."""
        if self.number:
            unawaited(self._journal.commit(*self._put_off(), *changes))

    def put_off(self, change: Commit) -> None:
        """Write down with whatever is written down next."""
        self._later.append(change)

    def finish(self) -> None:
        """The event is done."""
        if self.number:
            later, self._later = self._later, []
            unawaited(self._journal.commit(*later, Finish(self.number)))
        elif self._later:
            unawaited(self._journal.commit(*self._put_off()))

    def fail(self) -> None:
        """An attempt has failed. What it had put off is void."""
        self.attempts += 1
        self._later.clear()
        self.note(Fail(self.number, self.attempts))

    def bury(self, reason: str, detail: str, at: float) -> None:
        """The event is given up."""
        self._later.clear()
        self.note(Bury(self.number, reason, detail, at))

    def intended(self, changes: Sequence[Commit], numbers: Sequence[int]) -> None:
        """These messages are in the journal now."""
        for change, number in zip(changes, numbers, strict=True):
            if isinstance(change, Intend) and change.step is not None:
                kept = KeptSend(
                    number,
                    change.step,
                    change.plugin,
                    change.key,
                    change.target,
                    change.body,
                    change.at,
                    SendState.OPEN,
                    b"",
                    0.0,
                )
                self.sends[change.step.handler, change.step.slot] = kept

    def heard_of(self, number: int, outcome: Message | ImError | None) -> None:
        """What became of one of them."""
        self.outcomes[number] = outcome

    def _put_off(self) -> list[Commit]:
        before: list[Commit] = []
        if not self._decided:
            self._decided = True
            before.append(Decide(self.number, self._decision()))
        before += self._later
        self._later.clear()
        return before

    # Its handler's comings and goings

    def began(self) -> None:
        """A handler runs, in the task this is called from."""
        self.task = asyncio.current_task()
        self._ended = False
        self._overtime.enter(self)
        if self.number:
            self._journal.began(self.number)

    def ended(self, *, parked: bool = False) -> None:
        """No handler runs: all have ended, or one is `parked`, waiting for an answer."""
        self._ended = True
        self._overtime.leave(self, parked=parked)
        if self.number:
            self._journal.ended(self.number)
        if self._over is not None and not self._over.done():
            self._over.set_result(None)
        self._over = None

    def hold(self) -> None:
        """From here to `unhold` it waits for the network, not for itself: its time stands still, and should the process die,
        this is not why. May be nested."""
        if self._held == 0:
            self._overtime.leave(self, parked=True)
            if self.number:
                self._journal.ended(self.number)
        self._held += 1

    def unhold(self) -> None:
        """See `hold`."""
        self._held -= 1
        if self._held == 0 and not self._ended:
            self._overtime.enter(self)
            if self.number:
                self._journal.began(self.number)

    def go_on(self) -> asyncio.Future[None]:
        """Its parked handler goes on in a turn of its lane: done when it has ended, or waits again."""
        self._over = asyncio.get_running_loop().create_future()
        return self._over


async def _without(future: asyncio.Future[list[int]], first: int) -> list[int]:
    return (await future)[first:]
