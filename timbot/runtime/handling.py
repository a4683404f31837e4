"""A turn: the handlers of one event, asked one after the other until one takes it, each tried again if it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from timbot.errors import ImError, InvalidArgument, NotLoggedIn, OutcomeUnknown, ServerError
from timbot.im.api.messages import MessageDropped
from timbot.im.model import events as model
from timbot.im.model.message import ConversationType, split_conversation_id
from timbot.routing.plugin import Route
from timbot.routing.replies import PASS, Accept, Reject, WrongReply
from timbot.routing.table import open_to
from timbot.runtime.activity import Activity, Ending, kind_of, sentence_of
from timbot.runtime.context import BaseContext, Context, FriendRequest, GroupJoinRequest
from timbot.runtime.dialogues import AskEnded, AskTimeout
from timbot.runtime.failures import tell_failure
from timbot.runtime.occasion import Occasion, asking
from timbot.runtime.requests import Outcome, answer_friend, answer_group, ending
from timbot.runtime.speaker import Silenced
from timbot.runtime.steps import Divergence, StepError, Steps

if TYPE_CHECKING:
    from timbot.runtime.log import Log
    from timbot.runtime.machinery import Machinery
    from timbot.runtime.turn import Turn

RETRY_AFTER: Final = (1.0, 4.0)
"""Seconds before the second and the third attempt."""


Tell = Callable[[Activity], None]


FINAL: Final = (StepError, WrongReply, ServerError, OutcomeUnknown, MessageDropped, InvalidArgument)
"""What a handler that does not catch it would come to again: it is a result, or a mistake in what it says."""


class LeftOpen(Exception):
    """The event cannot be finished now, and is no failure: it stays open for the next login, or the next process."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one attempt of one handler."""

    ending: Ending
    passed: bool = False
    failure: BaseException | None = None
    reason: str = "failed"
    again: bool = False
    """Whether it may go better next time."""
    left_open: bool = False
    """It could not be finished in this login."""


class Handling:
    """Carries out the turns of one account."""

    def __init__(self, machinery: Machinery, tell: Tell, log: Log, sentences: Mapping[str, str]) -> None:
        self._machinery = machinery
        self._tell = tell
        self._log = log
        self._sentences = sentences
        self._running: dict[Turn, Occasion] = {}

    async def run(self, occasion: Occasion, turn: Turn) -> tuple[bool, list[str]]:
        """Let the handlers have the event. Whether one took it, and which passed it on.

        Raises `LeftOpen`, or `CancelledError` when the bot stops: then the event is still open.
        """
        handled = False
        passed_on: list[str] = []
        self._running[turn] = occasion
        failed: Result | None = None
        turn.began()
        try:
            for route in open_to(occasion.routes, bot_speaking=occasion.from_bot):
                result = await self._handler(route, occasion, turn, passed_on)
                if result.passed:
                    continue
                if result.left_open:
                    raise LeftOpen
                handled = True
                failed = failed or (result if result.failure is not None else None)
                if route.block:
                    break
        finally:
            turn.ended()
            del self._running[turn]
        if failed is None:
            turn.finish()
        else:
            assert failed.failure is not None
            turn.bury(failed.reason, sentence_of(failed.failure), self._machinery.client.clock.now())
        return handled, passed_on

    def let_go(self, user_id: str) -> None:
        """Stop the handlers of what a person has said or asks; they wait for an answer, or are at work."""
        for turn, occasion in self._running.items():
            if occasion.who == user_id and turn.task is not None:
                turn.given_up = True
                turn.task.cancel()

    async def _handler(self, route: Route, occasion: Occasion, turn: Turn, passed_on: list[str]) -> Result:
        """One handler, through all its attempts."""
        while True:
            steps = Steps(turn, route.name, route.plugin, self._machinery.speaker.outbox)
            context, arguments = self._prepared(route, occasion, turn, steps)
            began = time.perf_counter()
            try:
                result = await self._attempt(route, occasion, context, arguments)
                _let_be(turn)
                result = await self._said_about(result, context, steps)
            finally:
                steps.end()
            seconds = time.perf_counter() - began
            if result.failure is not None and result.again and turn.attempts < len(RETRY_AFTER):
                wait = RETRY_AFTER[turn.attempts]
                turn.fail()
                error = sentence_of(result.failure)
                context.log.warning("handler failed, trying again", attempt=turn.attempts, wait=wait, error=error)
                await _pause(turn, wait)
                continue
            if result.failure is not None:
                tell_failure(context.log, result.failure, place=route.place, sender=occasion.who)
            if result.passed:
                passed_on.append(f"{route.name} ({context.why})" if context.why else route.name)
            if result.passed and not context.said:
                context.log.debug("passed on", sender=occasion.who, ms=round(seconds * 1000, 1))
            else:
                self._tell(self._activity(route, occasion, context, result.ending, seconds))
            return result

    async def _attempt(self, route: Route, occasion: Occasion, context: BaseContext, arguments: Mapping[str, object]) -> Result:
        try:
            returned = await route.handler(context, **arguments)
            if returned is PASS:
                return Result(Ending("passed on"), passed=True)
            return Result(await self._carry_out(route, occasion, context, returned))
        except Silenced:
            return Result(Ending("silenced", "silenced: too many replies within a minute"))
        except AskEnded as error:
            return Result(Ending("no answer" if isinstance(error, AskTimeout) else "question taken back"), failure=error)
        except NotLoggedIn:
            return Result(Ending("not logged in any more"), left_open=True)
        except asyncio.CancelledError as error:
            return self._cancelled(context, error)
        except (Exception, SystemExit) as error:
            # Whatever a handler does wrong, the lane goes on: the failure is its own, and no reason to end the process.
            final = isinstance(error, FINAL)
            reason = "diverged" if isinstance(error, Divergence) else "failed"
            return Result(Ending("failed", f"failed: {sentence_of(error)}"), failure=error, reason=reason, again=not final)

    def _cancelled(self, context: BaseContext, error: asyncio.CancelledError) -> Result:
        turn = context.turn
        task = asyncio.current_task()
        if turn.overtime and task is not None and task.uncancel() == 0:
            turn.overtime = False
            limit = self._machinery.overtime.limit
            late = TimeoutError(f"It has run for more than {limit:g} s (time_limit).")
            return Result(Ending("failed", f"failed: {late}"), failure=late, reason="time limit")
        if turn.given_up and task is not None and task.uncancel() == 0:
            return Result(Ending("given up"), left_open=True)
        if task is not None and task.cancelling():
            raise error
        # Not we: the handler waited for something that was cancelled.
        return Result(Ending("failed", "failed: CancelledError"), failure=error, again=True)

    async def _said_about(self, result: Result, context: BaseContext, steps: Steps) -> Result:
        """Tell a person who was being asked that there will be nothing more, where that is so. It is no failure then."""
        if isinstance(result.failure, AskEnded):
            sentence = "ask_timeout" if isinstance(result.failure, AskTimeout) else "ask_cancelled"
            await self._say(context.conversation_id, steps, sentence)
            return Result(result.ending)
        if isinstance(result.failure, Divergence) and context.turn.asked:
            await self._say(context.conversation_id, steps, "dialogue_lost")
        return result

    async def lost(self, occasion: Occasion, turn: Turn, handlers: Sequence[str]) -> None:
        """An event whose handlers are not there any more is given up."""
        why = f"There is no handler {', '.join(handlers)} any more."
        self._log.error("given up", number=turn.number, conversation=occasion.lane, why=why)
        if turn.asked:
            steps = Steps(turn, handlers[0], handlers[0].partition(":")[0], self._machinery.speaker.outbox)
            await self._say(occasion.lane, steps, "dialogue_lost")
        turn.bury("diverged", why, self._machinery.client.clock.now())

    async def _say(self, conversation_id: str, steps: Steps, sentence: str) -> None:
        words = self._sentences.get(sentence, "")
        if not words:
            return
        client, (kind, name) = self._machinery.client, split_conversation_id(conversation_id)
        try:
            key = f"sentence {sentence}"
            await steps.send(lambda: [client.create_text_message(name, kind, words)], conversation_id, [], key=key)
        except (ImError, StepError) as error:
            self._log.warning("not told", sentence=sentence, conversation=conversation_id, error=str(error))

    # What a handler gets

    def _prepared(self, route: Route, occasion: Occasion, turn: Turn, steps: Steps) -> tuple[BaseContext, Mapping[str, object]]:
        wiring = self._machinery.wirings[id(route)]
        out = wiring.out.within(steps)
        event = occasion.event
        context: BaseContext
        if route.kind == "friend" and isinstance(event, model.FriendApplicationReceived):
            context = FriendRequest(event.application, occasion, self._machinery, turn, steps, out)
        elif route.kind == "join" and isinstance(event, model.GroupApplication):
            context = GroupJoinRequest(event, occasion, self._machinery, turn, steps, out)
        else:
            match = route.pattern.search(occasion.text) if route.pattern is not None else None
            context = Context(occasion, self._machinery, turn, steps, out, match)
        return context, wiring.arguments_for(lambda: context.client, out)

    def _activity(self, route: Route, occasion: Occasion, context: BaseContext, ended: Ending, seconds: float) -> Activity:
        return Activity(
            self._machinery.client.server_now(),
            self._machinery.client.user_id,
            kind_of(occasion.event),
            occasion.who,
            occasion.lane,
            route.name,
            ended.outcome,
            tuple(context.said),
            seconds,
            ended.words,
            str(context.why),
            context.unsent,
        )

    # What a handler returned

    async def _carry_out(self, route: Route, occasion: Occasion, context: BaseContext, returned: object) -> Ending:
        """What the handler returned becomes what the bot does and says."""
        if route.kind in ("friend", "join"):
            return await self._decide(route, occasion, context, returned)
        if returned is not None:
            await context.say(returned, where=f"What {route.name} ({route.place}) returned")
        return Ending(f"{len(context.said)} sent" if context.said else "nothing said")

    async def _decide(self, route: Route, occasion: Occasion, context: BaseContext, decision: object) -> Ending:
        if decision is None:
            return Ending("left to a person")
        if not isinstance(decision, Accept | Reject):
            where = f"What {route.name} ({route.place}) returned"
            hint = "It may be Accept(...), Reject(...) or None."
            raise WrongReply(f"{where} is of type {type(decision).__name__}.", hint=hint)
        client, event = self._machinery.client, occasion.event

        async def answered() -> str:
            if isinstance(event, model.FriendApplicationReceived):
                return (await answer_friend(client, event.application, decision)).value
            if isinstance(event, model.GroupApplication):
                return (await answer_group(client, event, decision)).value
            raise TypeError(f"{route.name}: {type(event).__name__} is no request.")

        outcome = Outcome(await context.steps.effect("answer", occasion.lane, "", answered))
        if isinstance(decision, Accept) and decision.welcome is not None and outcome is Outcome.DONE:
            await context.say(decision.welcome, to=_home(event), where=f"The welcome of {route.name}", patient=True)
        return ending(decision, outcome, friend=route.kind == "friend")


async def _pause(turn: Turn, seconds: float) -> None:
    """Wait before another attempt. That is no time of the handler's."""
    turn.hold()
    try:
        await asyncio.sleep(seconds)
    finally:
        turn.unhold()


def _let_be(turn: Turn) -> None:
    """A handler that did not let itself be cancelled has ended all the same: nobody is being cancelled any more."""
    task = asyncio.current_task()
    if turn.overtime and task is not None:
        turn.overtime = False
        task.uncancel()


def _home(event: model.Event) -> str:
    """Where a newcomer is welcomed."""
    if isinstance(event, model.GroupApplication):
        return f"{ConversationType.GROUP.value}{event.group_id}"
    return f"{ConversationType.C2C.value}{asking(event)}"
