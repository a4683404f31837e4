"""What a handler does to the world, one step after the other, so that going through it again does nothing twice.

A step has a place in its handler: its number, or the key it was given. Its result is kept; when the handler is gone through
again, after a failure or in another process, a step that has a result returns it, and its content is ignored. Only what a
step is (its kind, its target, its name) has to be the same as before; else the handler has *diverged*, and is given up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from timbot.errors import ImError, OutcomeUnknown, ServerError, TimbotError
from timbot.im.api.messages import MessageDropped, OutgoingMessage
from timbot.im.model.message import Message
from timbot.runtime.journal.values import Commit, KeptSend, KeptStep, RecordStep, StepId
from timbot.runtime.sending.outbox import Origin, Outbox
from timbot.runtime.sending.refusals import decode_refusal, encode_refusal

if TYPE_CHECKING:
    from timbot.runtime.turn import Turn

RESULT_BYTES: Final = 64 << 10
"""The largest result, as JSON."""


class StepError(TimbotError):
    """A handler uses its steps in a way that could not be gone through again."""

    docs = "errors#steps"


class StepOverlap(StepError):
    """Two steps at once, and nothing that tells them apart when they are gone through again."""


class HandlerEnded(StepError):
    """A step of a handler that has returned, failed, or is being stopped."""


class Divergence(StepError):
    """The handler, gone through again, does something else than it did."""

    docs = "errors#divergence"


class Steps:
    """The steps of one handler of one event."""

    __slots__ = ("_ended", "_next", "_open", "_outbox", "_turn", "_used", "answers", "asking", "handler", "plugin")

    def __init__(self, turn: Turn, handler: str, plugin: str, outbox: Outbox) -> None:
        self.handler = handler
        self._turn = turn
        self.plugin = plugin
        self._outbox = outbox
        self._next = 0
        self._open = 0
        self._used: set[str] | None = None
        self._ended = False
        self.asking = False
        """Its handler waits for an answer."""
        self.answers = 0
        """How many answers it has had."""

    @property
    def effect_key(self) -> str:
        """Stands for the next step, the same on every attempt and in every process: for others to recognise it by."""
        whole = f"{self._turn.key}/{self.handler}/{self._next}"
        return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()

    @property
    def busy(self) -> bool:
        """Whether a step is going on."""
        return self._open > 0

    def end(self) -> None:
        """The handler does nothing any more."""
        self._ended = True

    def send(
        self,
        messages: Callable[[], Sequence[OutgoingMessage]],
        target: str,
        said: list[Message],
        *,
        key: str = "",
        patient_with: frozenset[int] = frozenset(),
        online_user_only: bool = False,
    ) -> Coroutine[Any, Any, list[Message]]:
        """Send to one receiver, as one step. `messages` are made only if they were not made before; what is sent, then or
        now, is added to `said`."""
        return self._send(self._begin(key), messages, target, said, patient_with, online_user_only)

    def effect(
        self, kind: str, target: str, name: str, work: Callable[[], Awaitable[object]], *, key: str = ""
    ) -> Coroutine[Any, Any, Any]:
        """Do something whose result is kept: it is what JSON makes of it, the first time too."""
        return self._effect(self._begin(key), kind, target, name, work)

    def id(self, slot: str) -> StepId:
        """The step in this place."""
        return StepId(self._turn.number, self.handler, slot)

    def begin(self, key: str = "") -> str:
        """Take the place of a step that is carried out elsewhere; `finish` ends it."""
        return self._begin(key)

    def finish(self) -> None:
        """The step that `begin` took the place of is over."""
        self._open -= 1

    def known(self, slot: str, kind: str, target: str, name: str) -> KeptStep | None:
        """The result this step has. Raises `Divergence` if it was another step."""
        known = self._turn.steps.get((self.handler, slot))
        if known is None:
            sent = self._turn.sends.get((self.handler, f"{slot}.0"))
            if sent is not None:
                raise self._diverged(slot, f"a message to {sent.target}", kind, target, name)
            return None
        if (known.kind, known.target, known.name) != (kind, target, name):
            raise self._diverged(slot, _step(known.kind, known.target, known.name), kind, target, name)
        return known

    def record(self, slot: str, kind: str, target: str, name: str, result: bytes, *, refused: bool = False) -> KeptStep:
        """What a step has come to, to be committed. From now on it is known."""
        step = KeptStep(self.id(slot), kind, target, name, result, refused)
        self._turn.steps[self.handler, slot] = step
        return step

    def _begin(self, key: str) -> str:
        if self._ended:
            raise HandlerEnded(f"{self.handler} has ended, and can do nothing any more.", hint="Wait for it before you return.")
        if self.asking:
            raise StepOverlap(f"{self.handler} is waiting for an answer.", hint="Ask last: nothing goes on beside a question.")
        if key:
            self._used = self._used or set()
            if key in self._used:
                hint = "A key is for one step."
                raise StepOverlap(f"{self.handler}: there was a step with the key '{key}' already.", hint=hint)
            self._used.add(key)
        elif self._open:
            hint = "Wait for the first, or give the others key='...'; perhaps an 'await' is missing."
            raise StepOverlap(f"{self.handler}: a second step was begun while one is going on.", hint=hint)
        else:
            self._next += 1
        self._open += 1
        return f"key:{key}" if key else str(self._next - 1)

    async def _send(
        self,
        slot: str,
        make: Callable[[], Sequence[OutgoingMessage]],
        target: str,
        said: list[Message],
        patient_with: frozenset[int],
        online_user_only: bool,
    ) -> list[Message]:
        before = len(said)
        self._turn.hold()
        try:
            known = self._turn.sends.get((self.handler, f"{slot}.0"))
            if known is not None:
                await self._followed(slot, known, target, said)
                return said[before:]
            self.known(slot, "message", target, "")
            messages = make()
            if messages:
                turn = self._turn
                steps = tuple(self.id(f"{slot}.{part}") for part in range(len(messages))) if turn.number else ()
                origin = Origin(self.plugin, steps, "", self._keep, turn.heard_of, patient_with)
                await self._outbox.send(messages, origin, said, online_user_only=online_user_only)
            return said[before:]
        finally:
            self._turn.unhold()
            self._open -= 1

    async def _followed(self, slot: str, first: KeptSend, target: str, said: list[Message]) -> None:
        if first.target != target:
            raise self._diverged(slot, f"a message to {first.target}", "message", target, "")
        part, kept = 0, first
        while True:
            outcomes = self._turn.outcomes
            outcome = outcomes[kept.number] if kept.number in outcomes else await self._outbox.follow(kept)
            if isinstance(outcome, ImError):
                raise outcome
            if outcome is not None:
                said.append(outcome)
            part += 1
            following = self._turn.sends.get((self.handler, f"{slot}.{part}"))
            if following is None:
                return
            kept = following

    async def _keep(self, *intents: Commit) -> list[int]:
        numbers = await self._turn.commit(*intents)
        self._turn.intended(intents, numbers)
        return numbers

    async def _effect(self, slot: str, kind: str, target: str, name: str, work: Callable[[], Awaitable[object]]) -> Any:
        try:
            known = self.known(slot, kind, target, name)
            if known is None:
                known = await self._carried_out(slot, kind, target, name, work)
            if known.refused:
                raise decode_refusal(known.result)
            return msgspec.json.decode(known.result)
        finally:
            self._open -= 1

    async def _carried_out(
        self, slot: str, kind: str, target: str, name: str, work: Callable[[], Awaitable[object]]
    ) -> KeptStep:
        try:
            result, refused = encoded_result(await work(), name or kind), False
        except (ServerError, OutcomeUnknown, MessageDropped) as error:
            result, refused = encode_refusal(error), True
        if self._ended:
            raise HandlerEnded(f"{self.handler} has ended before '{name or kind}' was over.")
        step = self.record(slot, kind, target, name, result, refused=refused)
        self._turn.note(RecordStep(step.id, kind, target, name, result, refused))
        return step

    def _diverged(self, slot: str, was: str, kind: str, target: str, name: str) -> Divergence:
        return Divergence(
            f"{self.handler}: step {slot} was {was}, and is {_step(kind, target, name)} now.",
            hint="A handler has to do the same each time: decide by what steps returned, by ctx.now and ctx.random.",
        )


def encoded_result(value: object, name: str) -> bytes:
    """A result as JSON. Raises `StepError` for what JSON cannot say, or says in more than 64 KiB."""
    try:
        data = msgspec.json.encode(value)
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError, UnicodeEncodeError) as error:
        raise StepError(f"The result of '{name}' cannot be kept: {error}.", hint="It has to be what JSON can say.") from None
    if len(data) > RESULT_BYTES:
        hint = "Return less, or something to find it by."
        raise StepError(f"The result of '{name}' has {len(data)} bytes; 65,536 are kept at most.", hint=hint)
    return data


def _step(kind: str, target: str, name: str) -> str:
    return " ".join(part for part in (kind, f"'{name}'" if name else "", f"to {target}" if target else "") if part)
