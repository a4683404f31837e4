"""Events that may have killed the process: run one at a time, until it is known which.

A message that crashes the interpreter would do so again at every start. Whoever ran when the process died is a suspect; after
several deaths in a short time the suspects run alone, before anything else, and the one that dies alone twice is given up.
Unrelated kills blame nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.values import Bury, EventState, KeptEvent, RecordStep, Resumed, StepId

if TYPE_CHECKING:
    from timbot.runtime.log import Log

MOST_DEATHS: Final = 3
WITHIN: Final = 300.0
"""So many deaths within so many seconds make suspects of what was running."""

MOST_ALONE: Final = 2
"""How often an event may die alone before it is given up."""

_ALONE: Final = "alone"


async def run_alone(
    journal: Journal, resumed: Resumed, now: float, turn: Callable[[KeptEvent], Awaitable[None]], log: Log
) -> None:
    """Run the suspects, if there are reasons to suspect anybody, by `turn`. `now` in Unix seconds."""
    recent = [death for death in resumed.deaths if now - death <= WITHIN]
    if len(recent) < MOST_DEATHS or not resumed.suspects:
        return
    log.warning(
        "the process has died several times, running suspects alone", deaths=len(recent), suspects=len(resumed.suspects)
    )
    for number in sorted(resumed.suspects):
        kept = await journal.event(number)
        if kept is None or kept.state is not EventState.OPEN:
            continue
        steps, _ = await journal.steps(number)
        before = sum(step.kind == _ALONE for step in steps)
        if before >= MOST_ALONE:
            log.error("given up, it has killed the process", number=number, conversation=kept.lane, kind=kept.kind)
            why = f"The process died {before} times while this was the only thing it did."
            await journal.commit(Bury(number, "killed the process", why, now))
            continue
        step = StepId(number, "", f"{_ALONE} {before}")
        await journal.commit(RecordStep(step, _ALONE, "", "", b"null"))
        await turn(kept)
