"""Questions to people: said, waited for, understood or asked again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from timbot.routing.replies import Replies
from timbot.runtime.dialogues import AskCancelled, AskTimeout, Dialogues

if TYPE_CHECKING:
    from timbot.runtime.context import Context

T = TypeVar("T")


async def ask(
    ctx: Context[Any],
    dialogues: Dialogues,
    question: Replies,
    kind: Callable[[str], T],
    *,
    tries: int,
    timeout: float | str | None,
    who: str,
    again: Replies,
) -> T:
    """See `Context.ask`."""
    seconds = None if timeout is None else _seconds(timeout)
    asked = who or ctx.sender.id
    for attempt in range(max(1, tries)):
        await ctx.say(question if attempt == 0 or again is None else again)
        slot = ctx.steps.begin()
        try:
            answer = await dialogues.ask(ctx.turn, ctx.steps, slot, ctx.conversation_id, asked, seconds)
        finally:
            ctx.steps.finish()
        if answer.ended == "timeout":
            raise AskTimeout(f"{asked} has not answered {ctx.handler} in time.")
        if answer.ended:
            raise AskCancelled(f"The question of {ctx.handler} to {asked} was taken back: a newer one took its place.")
        try:
            return kind(answer.text)
        except ValueError:
            ctx.log.info("answer not understood", attempt=attempt + 1, tries=tries)
    raise AskCancelled(f"{asked} was asked {tries} times by {ctx.handler}, and gave no answer it could use.")


def _seconds(length: float | str) -> float:
    if not isinstance(length, str):
        return float(length)
    from timbot.config.duration import seconds  # brings a library that most handlers do without

    return seconds(length)
