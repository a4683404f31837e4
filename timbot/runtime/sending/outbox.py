"""The outgoing messages of one account, one after the other for each receiver.

A message is kept, with its identity, before it is sent. So a process that dies with an answer outstanding leaves an open
message behind, and the next one asks the server's history what became of it, before it says anything new to that receiver.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from timbot.errors import ImError, NotLoggedIn, OutcomeUnknown, ServerError
from timbot.im.api.messages import MessageDropped, OutgoingMessage
from timbot.im.api.record import decode_outgoing, encode_outgoing
from timbot.im.client import Client
from timbot.im.model.message import Message
from timbot.im.model.record import decode_message, encode_message
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.unawaited import unawaited
from timbot.runtime.journal.values import Commit, Intend, KeptSend, SendState, Settle, StepId
from timbot.runtime.sending.limits import in_doubt
from timbot.runtime.sending.refusals import decode_refusal, encode_refusal
from timbot.runtime.sending.settlement import Settlement

if TYPE_CHECKING:
    from timbot.runtime.log import Log

DROPPED_RETRY: Final = 1.0
"""Seconds before a message that a busy group let fall is sent again, once."""

PATIENCE: Final = 10.0
PAUSE: Final = 1.0
"""Seconds for which, and between which, a refusal that may pass is put to the test."""

MOST_ROUNDS: Final = 20
"""How often a message is looked for and sent again before its outcome counts as unknown."""

Gate = Callable[[OutgoingMessage], Awaitable[bool]]
"""Whether the bot may say this, now."""

Keep = Callable[..., Awaitable[list[int]]]
"""`Journal.commit`, or something that commits more in the same go."""

HeardOf = Callable[[int, "Message | ImError | None"], None]
"""Told what has become of a message: sent, refused or in doubt, or kept back."""


class Limiter(Protocol):
    """What keeps the bot below the vendor's limits."""

    async def admit(self, message: OutgoingMessage) -> None:
        """Wait until it may be sent."""
        ...

    def back_off(self, message: OutgoingMessage, code: int) -> float | None:
        """Seconds to wait after the server refused with `code`; None: the refusal is final."""
        ...


@dataclass(frozen=True, slots=True)
class Origin:
    """Who says it: a handler in these steps, one for each message, or a plugin of its own accord."""

    plugin: str
    steps: tuple[StepId, ...] = ()
    key: str = ""
    keep: Keep | None = None
    """Commits the intents, perhaps with more."""
    heard_of: HeardOf = lambda _number, _outcome: None
    patient_with: frozenset[int] = frozenset()
    """Refusals that may pass within ten seconds."""


class _Trial:
    """The sending of one message, and what has happened to it so far."""

    __slots__ = ("_patient_until", "_patient_with", "dropped", "message", "online_user_only")

    def __init__(self, message: OutgoingMessage, origin: Origin, online_user_only: bool) -> None:
        self.message = message
        self.online_user_only = online_user_only
        self.dropped = False
        self._patient_with = origin.patient_with
        self._patient_until = 0.0

    def patience(self, code: int) -> float | None:
        """Seconds to wait before a refusal is put to the test again; None if it is final."""
        if code not in self._patient_with:
            return None
        now = asyncio.get_running_loop().time()
        self._patient_until = self._patient_until or now + PATIENCE
        return PAUSE if now < self._patient_until else None


class Outbox:
    """Sends what it is given. What the journal already has, it follows."""

    def __init__(self, client: Client, journal: Journal, log: Log, limiter: Limiter, gate: Gate | None = None) -> None:
        self._client = client
        self._journal = journal
        self._log = log
        self._limiter = limiter
        self._gate = gate
        self._settlement = Settlement(client, log)
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}
        self._followed: dict[int, asyncio.Future[Message | None] | None] = {}
        """Messages on their way, and what waits for each."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def open(self) -> int:
        """Messages on their way or waiting for their turn."""
        return sum(self._users.values())

    async def resume(self, sends: Sequence[KeptSend]) -> None:
        """Take up what the process before has left open: looked for in history, and sent if it is not there."""
        by_target: dict[str, list[KeptSend]] = {}
        for kept in sends:
            by_target.setdefault(kept.target, []).append(kept)
            self._followed[kept.number] = None
        for target, line in by_target.items():
            turn = self._turn(target)
            await turn.__aenter__()  # at once: nobody else is here yet. What is said from now on waits behind these
            self._begin(self._take_up(turn.__aexit__, line), f"left for {target}")

    async def send(
        self, messages: Sequence[OutgoingMessage], origin: Origin, said: list[Message], *, online_user_only: bool = False
    ) -> None:
        """Send to one receiver, after everything said to them before, with nothing in between. What is sent is added to
        `said` at once; a gate may keep some of it back.

        Raises `ServerError` (refused for good), `MessageDropped` (twice), `OutcomeUnknown` (cannot be settled),
        `NotLoggedIn`; what comes behind such a message is not sent.
        """
        target = messages[0].conversation_id
        async with self._turn(target):
            numbers = await (origin.keep or self._journal.commit)(*self._intents(messages, origin))
            for place, (number, message) in enumerate(zip(numbers, messages, strict=True)):
                if not number:  # whoever it is about was forgotten meanwhile
                    continue
                try:
                    earlier = await self._earlier(number, message) if origin.key else None
                    if earlier is not None:
                        sent = await self.follow(earlier)
                    else:
                        sent = await self._deliver(number, message, origin, online_user_only)
                except NotLoggedIn:
                    raise  # it all stays open
                except (ImError, asyncio.CancelledError) as error:
                    if isinstance(error, ImError):
                        origin.heard_of(number, error)
                    if not self._stopping:
                        self._leave_unsent(numbers[place + 1 :], origin)
                    raise
                origin.heard_of(number, sent)
                if sent is not None:
                    said.append(sent)

    async def follow(self, kept: KeptSend) -> Message | None:
        """What became of a message that was kept before; None if it was kept back. Raises what its sending raised."""
        if kept.state is SendState.OPEN:
            if kept.number not in self._followed:
                return await self._take_up_one(kept)
            future = self._followed[kept.number]
            if future is None:
                future = self._followed[kept.number] = asyncio.get_running_loop().create_future()
            return await asyncio.shield(future)
        if kept.state is SendState.SENT:
            return decode_message(kept.result)
        if kept.state is SendState.DROPPED:
            return None
        raise decode_refusal(kept.result)

    def stopping(self) -> None:
        """From now on, what is cancelled is left to the next process."""
        self._stopping = True

    async def close(self) -> None:
        """Leave what is open to the next process."""
        self.abandon()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def abandon(self) -> None:
        """The same, at once."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()

    async def _earlier(self, number: int, message: OutgoingMessage) -> KeptSend | None:
        """What was said under this key before, if it is not this very message."""
        kept = await self._journal.send(number)
        return None if kept is None or kept.token == _token(message) else kept

    # One message

    async def _deliver(
        self, number: int, message: OutgoingMessage, origin: Origin, online_user_only: bool = False
    ) -> Message | None:
        self._followed.setdefault(number, None)
        attempted = False
        try:
            trial = _Trial(message, origin, online_user_only)
            for _ in range(MOST_ROUNDS):
                await self._limiter.admit(message)
                if self._gate is not None and not await self._gate(message):
                    return self._settled(number, SendState.DROPPED, None)
                attempted = True
                sent = await self._attempt(trial)
                if sent is not None:
                    return self._settled(number, SendState.SENT, sent)
            raise OutcomeUnknown("send", token=message.random, cause=f"lost {MOST_ROUNDS} times")
        except OutcomeUnknown as error:
            raise self._failed(number, SendState.UNKNOWN, error) from None
        except (ServerError, MessageDropped) as error:
            raise self._failed(number, SendState.REFUSED, error) from None
        except NotLoggedIn as error:
            future = self._followed.pop(number, None)
            if future is not None and not future.done():
                future.set_exception(error)
                future.exception()
            raise  # it stays open: the next login looks what became of it
        except asyncio.CancelledError:
            if not self._stopping:
                # Whoever wanted it said has gone. It is not said any more, but it may have been.
                self._begin(self._look_after(number, message, attempted), f"message {number}")
            raise
        except Exception as defect:  # one of ours, and nobody can tell what it has left undone
            unknown = OutcomeUnknown("send", token=message.random, cause=repr(defect))
            raise self._failed(number, SendState.UNKNOWN, unknown) from defect

    async def _attempt(self, trial: _Trial) -> Message | None:
        """Send once; None if it may be tried again."""
        message = trial.message
        try:
            return await self._client.send_message(message, online_user_only=trial.online_user_only)
        except OutcomeUnknown as unknown:
            if trial.online_user_only:
                raise  # no list keeps it: nobody can tell
            return await self._settlement.settle(message, unknown)
        except MessageDropped:
            if trial.dropped:
                raise
            trial.dropped = True
            await asyncio.sleep(DROPPED_RETRY)
        except ServerError as error:
            seconds = trial.patience(error.code) or self._limiter.back_off(message, error.code)
            if seconds is None:
                raise
            self._log.warning("told to wait", conversation=message.conversation_id, code=error.code, seconds=seconds)
            await asyncio.sleep(seconds)
            if in_doubt(error.code):
                sent_at, cause = self._client.clock.now(), str(error)
                doubt = OutcomeUnknown(error.command, token=message.random, sent_at=sent_at, cause=cause)
                return await self._settlement.settle(message, doubt)
        return None

    async def _look_after(self, number: int, message: OutgoingMessage, attempted: bool) -> None:
        """A message nobody waits for any more: found out about, not sent."""
        try:
            found = None
            if attempted:
                unknown = OutcomeUnknown("send", token=message.random, sent_at=self._client.clock.now(), cause="cancelled")
                found = await self._settlement.settle(message, unknown)
            self._settled(number, SendState.DROPPED if found is None else SendState.SENT, found)
        except OutcomeUnknown as error:
            self._failed(number, SendState.UNKNOWN, error)
        except NotLoggedIn:
            return

    # What was left

    async def _take_up(self, leave: Callable[..., Awaitable[bool | None]], line: Sequence[KeptSend]) -> None:
        try:
            for kept in line:
                try:
                    await self._take_up_one(kept)
                except NotLoggedIn:
                    return
                except ImError as error:
                    self._log.error("message left unsent", conversation=kept.target, error=str(error))
        finally:
            await leave(None, None, None)

    async def _take_up_one(self, kept: KeptSend) -> Message | None:
        message = decode_outgoing(kept.body)
        unknown = OutcomeUnknown("send", token=message.random, sent_at=kept.intended, cause="the process ended")
        try:
            found = await self._settlement.settle(message, unknown)
        except OutcomeUnknown as error:
            raise self._failed(kept.number, SendState.UNKNOWN, error) from None
        if found is not None:
            return self._settled(kept.number, SendState.SENT, found)
        return await self._deliver(kept.number, message, Origin(kept.plugin))

    # Keeping

    def _intents(self, messages: Sequence[OutgoingMessage], origin: Origin) -> list[Commit]:
        now = self._client.clock.now()
        return [
            Intend(
                origin.steps[place] if origin.steps else None,
                origin.plugin,
                f"{origin.key} {place}" if origin.key and place else origin.key,
                message.conversation_id,
                _token(message),
                encode_outgoing(message),
                now,
            )
            for place, message in enumerate(messages)
        ]

    def _settled(self, number: int, state: SendState, sent: Message | None) -> Message | None:
        self._keep(Settle(number, state, b"" if sent is None else encode_message(sent), self._client.clock.now()))
        future = self._followed.pop(number, None)
        if future is not None and not future.done():
            future.set_result(sent)
        return sent

    def _failed(self, number: int, state: SendState, error: ImError) -> ImError:
        self._keep(Settle(number, state, encode_refusal(error), self._client.clock.now()))
        future = self._followed.pop(number, None)
        if future is not None and not future.done():
            future.set_exception(error)
            future.exception()
        return error

    def _leave_unsent(self, numbers: Sequence[int], origin: Origin) -> None:
        for number in numbers:
            self._settled(number, SendState.DROPPED, None)
            origin.heard_of(number, None)

    def _keep(self, change: Commit) -> None:
        unawaited(self._journal.commit(change))

    def _begin(self, work: Awaitable[None], name: str) -> None:
        async def run() -> None:
            await work

        task = asyncio.create_task(run(), name=f"outbox {self._client.user_id}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @asynccontextmanager
    async def _turn(self, conversation: str) -> AsyncIterator[None]:
        """One at a time for each receiver; a receiver nobody writes to takes no memory."""
        lock = self._locks.setdefault(conversation, asyncio.Lock())
        self._users[conversation] = self._users.get(conversation, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._users[conversation] -= 1
            if not self._users[conversation]:
                del self._users[conversation], self._locks[conversation]


def _token(message: OutgoingMessage) -> tuple[str, int, int]:
    return message.conversation_id, message.sequence, message.random
