"""Requests that wait for their answers, whichever socket carries them.

A session outlives its sockets. When one breaks, reads that were open are sent again on the next; writes end as
`OutcomeUnknown`, because nobody can tell whether the server had them. An answer belongs to the request with the same
`servcmd` and `seq`.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from timbot.errors import ConnectionLost, FrameError, OutcomeUnknown, RequestTimeout, ServerError
from timbot.im.clock import Clock
from timbot.im.transport import Connection
from timbot.im.wire.commands.base import Command
from timbot.im.wire.commands.status import ACK, AckRequest, HelloAnswer
from timbot.im.wire.envelope import Answer, ServerFrame, encode_request
from timbot.im.wire.heads import request_head
from timbot.im.wire.value import UNSET, Int, Opt, Value, decode, given

REQUEST_TIMEOUT: Final = 15.0
"""Seconds the SDK waits for an answer, and so do we."""

FIRST_SEQUENCE_BELOW: Final = 100_000_000
LAST_SEQUENCE: Final = 2_415_919_103

KICKED: Final = 1002
EXPIRED: Final = frozenset({70001, 20002})

Req = TypeVar("Req", bound=Value)
Ans = TypeVar("Ans", bound=Answer)


@dataclass(slots=True)
class Ticket:
    """Who asks: what every head says. `a2` is kept in memory only and never shown."""

    sdk_app_id: int
    user_id: str
    usersig: str = field(default="", repr=False)
    a2: str = field(default="", repr=False)
    tiny_id: str = ""
    instance_id: int = 0

    def clear(self) -> None:
        """Forget the login; the account stays."""
        self.a2 = self.tiny_id = ""
        self.instance_id = 0


@dataclass(slots=True)
class _Waiting:
    """An open request."""

    command: Command[Any, Any]
    body: Value
    seq: int
    timeout: float
    bound: bool
    token: object
    trace: str
    answer: asyncio.Future[Any]
    sent_at: float = 0.0
    timer: asyncio.TimerHandle | None = None

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()  # whoever waits is told all the same; if nobody does any more, it is no loss

    def stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Exchange:
    """The requests of one session."""

    def __init__(self, ticket: Ticket, clock: Clock, chance: random.Random) -> None:
        self.ticket = ticket
        self._clock = clock
        self._chance = chance
        self._seq = chance.randrange(FIRST_SEQUENCE_BELOW)
        self._waiting: dict[tuple[str, int], _Waiting] = {}
        self._connection: Connection | None = None

    @property
    def open_requests(self) -> int:
        """How many requests wait for an answer."""
        return len(self._waiting)

    def attach(self, connection: Connection) -> None:
        """From now on requests go out on this connection."""
        self._connection = connection

    def detach(self, cause: str) -> None:
        """The connection is gone: writes end unknown, reads wait for the next one."""
        self._connection = None
        for key, waiting in list(self._waiting.items()):
            waiting.stop_timer()
            if waiting.command.changes or waiting.bound:
                del self._waiting[key]
                waiting.fail(self._unknown(waiting, cause) if waiting.command.changes else ConnectionLost(cause))

    def close(self, error: Exception) -> None:
        """Nothing will be sent any more: every open request ends with `error`."""
        self.detach(str(error))
        for waiting in self._waiting.values():
            waiting.fail(error)
        self._waiting.clear()

    async def resend(self) -> None:
        """Send the open reads again, in the order they were made."""
        for waiting in list(self._waiting.values()):
            if waiting.timer is None:
                await self._send(waiting)

    async def request(
        self,
        command: Command[Req, Ans],
        body: Req,
        *,
        timeout: float = REQUEST_TIMEOUT,
        bound: bool = False,
        token: object = None,
        trace: str = "",
    ) -> Ans:
        """Send and wait. `timeout` in seconds from the last sending; `bound` to this connection: not sent again on the next.

        Raises `ServerError` (refused), `RequestTimeout` (a read without an answer), `OutcomeUnknown` (a write without
        one), `ConnectionLost` (not connected), `FrameError` (the answer makes no sense).
        """
        if self._connection is None:
            raise ConnectionLost("Not connected.")
        future = asyncio.get_running_loop().create_future()
        waiting = _Waiting(command, body, self._next_seq(), timeout, bound, token, trace, future)
        key = (command.name, waiting.seq)
        self._waiting[key] = waiting
        try:
            await self._send(waiting)
            answer: Ans = await waiting.answer
            return answer
        finally:
            waiting.stop_timer()
            self._waiting.pop(key, None)

    async def acknowledge(self, connection: Connection, session_data: str) -> None:
        """Acknowledge a push on the connection it came by; if that is gone, so is the reason to."""
        if connection is self._connection:
            await self.tell(ACK, AckRequest(session_data=session_data))

    async def tell(self, command: Command[Req, Ans], body: Req) -> None:
        """Send without waiting for an answer, if there is a connection to send on."""
        if self._connection is not None:
            try:
                await self._connection.send(self._frame(command, body, self._next_seq()))
            except ConnectionLost:
                return

    def settle(self, frame: ServerFrame) -> int | None:
        """Give an answer to whom it belongs. Its error code (0 = success), or None if nobody waits for it."""
        waiting = self._waiting.pop((frame.head.servcmd, frame.head.seq), None)
        if waiting is None:
            return None
        waiting.stop_timer()
        try:
            answer = decode(waiting.command.answer, frame.body, path=f"{frame.head.servcmd}: $.body")
        except FrameError as error:
            refused = _refused(frame)
            waiting.fail(ServerError(waiting.command.name, refused) if refused else error)
            return refused
        code: int = given(answer.error_code, 0)
        if code != 0:
            waiting.fail(ServerError(waiting.command.name, code, given(answer.error_info, "")))
        elif not waiting.answer.done():
            waiting.answer.set_result(answer)
        return code

    async def _send(self, waiting: _Waiting) -> None:
        connection = self._connection
        if connection is None:
            return  # lost meanwhile: a read that stays in the list is sent on the next connection
        waiting.sent_at = self._clock.now()
        waiting.timer = asyncio.get_running_loop().call_later(waiting.timeout, self._give_up, waiting)
        try:
            async with asyncio.timeout(waiting.timeout):  # a peer that does not read must not hold the request for longer
                await connection.send(self._frame(waiting.command, waiting.body, waiting.seq, waiting.trace))
        except TimeoutError:
            return  # the timer has told whoever waits
        except ConnectionLost as error:
            if waiting.command.changes:
                waiting.fail(self._unknown(waiting, str(error)))
            # A read stays: it is sent again on the next connection, or ends when the session does.

    def _frame(self, command: Command[Any, Any], body: Value, seq: int, trace: str = "") -> bytes:
        ticket = self.ticket
        head = request_head(
            command.name,
            seq,
            sdk_app_id=ticket.sdk_app_id,
            reqtime=int(self._clock.now()),
            identifier=ticket.user_id,
            usersig=ticket.usersig,
            a2=ticket.a2,
            tinyid=ticket.tiny_id,
            instance_id=ticket.instance_id,
            trace=trace,
        )
        return encode_request(head, body)

    def _give_up(self, waiting: _Waiting) -> None:
        waiting.timer = None
        self._waiting.pop((waiting.command.name, waiting.seq), None)
        if waiting.command.changes:
            waiting.fail(self._unknown(waiting, f"no answer within {waiting.timeout:g} s"))
        else:
            waiting.fail(RequestTimeout(waiting.command.name, waiting.timeout))

    def _unknown(self, waiting: _Waiting, cause: str) -> OutcomeUnknown:
        return OutcomeUnknown(waiting.command.name, token=waiting.token, sent_at=waiting.sent_at, cause=cause)

    def _next_seq(self) -> int:
        self._seq += 1
        if self._seq > LAST_SEQUENCE:
            self._seq = self._chance.randrange(FIRST_SEQUENCE_BELOW)
        return self._seq


class _Verdict(Value, frozen=True):
    error_code: Opt[Int] = UNSET


def _refused(frame: ServerFrame) -> int:
    """The error code of an answer the rest of which makes no sense; 0 if it holds none."""
    try:
        return given(decode(_Verdict, frame.body).error_code, 0)
    except FrameError:
        return 0


def kick_type(frame: ServerFrame) -> int:
    """The `KickType` of an answer with code 1002. The code alone is a kick, whatever else there is."""
    try:
        return given(decode(HelloAnswer, frame.body).kick_type, 1)
    except FrameError:
        return 1
