"""One login: connect, shake hands, keep alive, answer for requests, come back after a break, notice a kick.

The session owns one task. It yields what happens as typed events in the order it happened; it calls nobody. Transport,
clock and chance are arguments, so that the same code runs against a real network and on virtual time.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Final, TypeVar

from timbot.errors import ConnectionLost, FrameError, ImError, KickedOutError, KickKind, LoginRefused, NotLoggedIn, ServerError
from timbot.im.backlog import Backlog
from timbot.im.clock import Clock
from timbot.im.credentials import Credentials, CredentialsError
from timbot.im.endpoints import Endpoint
from timbot.im.exchange import EXPIRED, KICKED, Exchange, Ticket, kick_type
from timbot.im.happenings import BrokenFrame, Connected, Disconnected, Expired, Happening, KickedOut, Push
from timbot.im.keepalive import keep_alive
from timbot.im.reconnect import Backoff, Verdict, gravest, judge_login
from timbot.im.sync import Sync
from timbot.im.timing import Timing as Timing
from timbot.im.transport import Connection, Transport
from timbot.im.wire.commands import status
from timbot.im.wire.commands.base import Command
from timbot.im.wire.envelope import FORCE_OFFLINE, PUSH, Answer, PushBody, ServerFrame, decode_server_frame
from timbot.im.wire.pushes import Kickout, open_push
from timbot.im.wire.value import Value, decode, given
from timbot.redaction import register

Req = TypeVar("Req", bound=Value)
Ans = TypeVar("Ans", bound=Answer)

BYE: Final = 4000
"""Close code of a session that ends, as the SDK's."""
REPLACED: Final = 4001
"""Close code when a socket is given up for a new one."""


class Session:
    """One login of one account. Use: `await session.start()`, read `session.happenings()`, `await session.close()`.

    `backlog` bounds the pushes held for a reader that is slower than the server: beyond it the socket is read on only
    while an answer of ours is awaited, and it is never left unread for longer than half a heartbeat's patience. `cookie` is
    where an earlier session's looks for missed messages have stopped.
    """

    def __init__(
        self,
        ticket: Ticket,
        credentials: Credentials,
        endpoint: Endpoint,
        *,
        transport: Transport,
        clock: Clock,
        chance: random.Random,
        timing: Timing | None = None,
        backlog: int = 1000,
        cookie: str = "",
    ) -> None:
        self.ticket = ticket
        self.timing = timing or Timing()
        self.error: ImError | None = None
        """Why the session ended, once it has; None after `close`."""
        self._credentials = credentials
        self._endpoint = endpoint
        self._transport = transport
        self._clock = clock
        self._chance = chance
        self._backlog: Backlog[Happening] = Backlog(backlog, clock)
        self._exchange = Exchange(ticket, clock, chance)
        self._instance_key = f"{chance.getrandbits(128):032x}"
        self._online = asyncio.Event()
        self._ready: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._heard_at = 0.0
        self._hello_every = self.timing.hello
        self._clock_offset = 0.0
        self._sync = Sync(self._exchange, self._backlog.put, self.timing, now=self.server_now)
        self._sync.cookie = cookie
        self._ended = False
        self._leaving = False
        self._ahead: list[Push] = []
        self._backoff = Backoff(chance, clock, stable=self.timing.stable, give_up=self.timing.give_up)

    # What the owner calls

    async def start(self) -> None:
        """Connect and log in. Returns when the server has accepted the account.

        Raises `LoginRefused`, `CredentialsError`, `ConnectionLost` when no server could be reached in `timing.give_up`, or
        `FrameError` when the server's answer holds no ticket.
        """
        if self._task is not None or self._ended:
            raise NotLoggedIn("This session was started already.", hint="Make a new one.")
        self._ready = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(), name=f"session {self.ticket.user_id}")
        try:
            await asyncio.shield(self._ready)
        except asyncio.CancelledError:
            await self.close()
            raise

    async def close(self) -> None:
        """Log out and close. Idempotent; open requests end with `NotLoggedIn`."""
        if self._task is None or self._task.done():
            self._end(None)
            return
        if self._online.is_set() and self.ticket.a2 and not self._leaving:
            self._leaving = True
            await self._farewell()
        self._task.cancel()
        await asyncio.wait({self._task})
        self._end(None)  # a task that was cancelled before its first step has not done it

    def remember(self, cookie: str) -> None:
        """Where an earlier session's looks for missed messages have stopped. To be called before `start`."""
        self._sync.cookie = cookie

    def abandon(self) -> None:
        """Stop at once, without a goodbye."""
        if self._task is not None:
            self._task.cancel()

    def happenings(self) -> AsyncIterator[Happening]:
        """What happens, in order, until the session has ended. For one reader."""
        return self._backlog.read()

    async def request(
        self, command: Command[Req, Ans], body: Req, *, timeout: float | None = None, token: object = None, trace: str = ""
    ) -> Ans:
        """Ask the server. Waits for a login if the connection is just being renewed; an expired login is renewed once.

        `timeout` in seconds (15 by default). `token` is what an `OutcomeUnknown` will carry. Raises `ServerError`,
        `RequestTimeout`, `OutcomeUnknown`, `NotLoggedIn` (the session has ended or was not started).
        """
        seconds = self.timing.request if timeout is None else timeout
        renewed = False
        while True:
            await self._wait_online()
            self._backlog.nudge()  # an answer is awaited now: whatever the backlog, the socket is read
            try:
                return await self._exchange.request(command, body, timeout=seconds, token=token, trace=trace)
            except ConnectionLost:
                await asyncio.sleep(0)  # nothing was sent: the connection went between two lines
            except ServerError as error:
                if error.code not in EXPIRED or renewed:
                    raise
                renewed = True  # refused for an expired ticket: nothing was done, so it may be asked once more

    @property
    def online(self) -> bool:
        """Whether the account is logged in on an open connection right now."""
        return self._online.is_set() and not self._ended

    @property
    def silence(self) -> float:
        """Seconds since anything was heard from the server; 0 before the first connection."""
        return self._clock.monotonic() - self._heard_at if self._heard_at else 0.0

    def server_now(self) -> float:
        """The server's time, Unix seconds, as well as the last login told it."""
        return self._clock.now() + self._clock_offset

    # The life of the session

    async def _run(self) -> None:
        try:
            await self._live()
        except asyncio.CancelledError:
            self._end(None)
        except ImError as error:
            self._end(error)
        except Exception as error:
            self._end(ImError(f"The session of {self.ticket.user_id} failed: {error!r}."))
            raise

    async def _live(self) -> None:
        attempt = 0
        while True:
            try:
                await self._one_connection(attempt)
            except (ConnectionLost, LoginRefused, CredentialsError, FrameError) as error:
                delay = self._delay_after(error)
                self._backlog.put(Disconnected(str(error), retry_in=delay, heard=self.server_now() - self.silence))
                await asyncio.sleep(delay)
            attempt += 1

    def _delay_after(self, error: ImError) -> float:
        """How long to wait before the next attempt, in seconds. Raises `error` itself if there should be none."""
        if isinstance(error, (CredentialsError, FrameError)) and not self._logged_in_once:
            raise error
        if isinstance(error, LoginRefused):
            by_ticket = bool(self.ticket.a2)
            verdict = judge_login(error.code, by_ticket=by_ticket, refused_before=self._backoff.refusals)
            if verdict is Verdict.STOP:
                raise error
            if verdict is Verdict.NEW_SIGNATURE:
                self._backoff.refusals += not by_ticket
                self._forget_login()
                return 0.0
        return self._backoff.next_delay(error)

    @property
    def _logged_in_once(self) -> bool:
        return self._ready is not None and self._ready.done()

    async def _one_connection(self, attempt: int) -> None:
        """From opening a socket to its end, which is always an exception."""
        url = self._endpoint.url(
            attempt, sdk_app_id=self.ticket.sdk_app_id, instance_id=self._instance_key, random=self._chance.random()
        )
        connection = await self._transport.connect(url)
        self._connection = connection
        self._heard_at = self._clock.monotonic()
        self._ahead.clear()
        self._exchange.attach(connection)
        reader = asyncio.create_task(self._read(connection), name=f"session {self.ticket.user_id}: reader")
        tasks = {reader}
        try:
            await self._log_in(reader)
            for name, work in (("heartbeat", self._keep_alive()), ("sync", self._sync.keep())):
                tasks.add(asyncio.create_task(work, name=f"session {self.ticket.user_id}: {name}"))
            await self._exchange.resend()
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            raise gravest(done)
        except KickedOutError:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.timing.farewell):
                    await self._exchange.tell(status.LOGOUT, status.LogoutRequest(wslogout_type=1))
            raise
        except ImError as error:
            self._leave(connection, str(error))
            raise
        finally:
            self._leave(connection, "The session was closed.")
            for task in tasks:
                task.cancel()
            try:
                await asyncio.gather(*tasks, return_exceptions=True)
            finally:  # also when `close` comes in between
                await connection.close(REPLACED if self._task and not self._task.cancelling() else BYE)

    def _leave(self, connection: Connection, cause: str) -> None:
        if self._connection is connection:
            self._connection = None
            self._online.clear()
            self._exchange.detach(cause)

    async def _log_in(self, reader: asyncio.Task[None]) -> None:
        """`wslogin`, by the A2 ticket if one is held, else by UserSig."""
        again = bool(self.ticket.a2)
        if not again:
            self.ticket.instance_id = 0
            self.ticket.usersig = await self._credentials.get(self._clock.now())
        request = asyncio.create_task(
            self._exchange.request(status.LOGIN, status.LoginRequest(state="Online"), timeout=self.timing.request, bound=True),
            name=f"session {self.ticket.user_id}: login",
        )
        try:
            await asyncio.wait({request, reader}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            request.cancel()  # nothing happens if it is done
            await asyncio.gather(request, return_exceptions=True)
        if request.cancelled():
            reader.result()
        try:
            answer = request.result()
        except ServerError as error:
            if error.code == KICKED:
                await reader  # which says so
            raise LoginRefused(error.command, error.code, error.info, user_id=self.ticket.user_id) from None
        except ImError as error:
            raise ConnectionLost(f"The login was not answered: {error}") from None
        self._accept_login(answer, again=again)

    def _accept_login(self, answer: status.LoginAnswer, *, again: bool) -> None:
        ticket = self.ticket
        ticket.instance_id = given(answer.inst_id, ticket.instance_id)
        register(given(answer.a2_key, ""))
        if not again:
            if not given(answer.a2_key, "") or not given(answer.tiny_id, ""):
                raise FrameError("The login answer holds no ticket", path="$.body.A2Key")
            ticket.a2, ticket.tiny_id = given(answer.a2_key, ""), given(answer.tiny_id, "")
        interval = given(answer.hello_interval, 0)
        self._hello_every = interval if interval > 0 else self.timing.hello
        now = self._clock.now()
        server_time = given(answer.time_stamp, 0) or now
        self._clock_offset = server_time - now
        self._backoff.logged_in()
        self._online.set()
        self._backlog.put(Connected(again=again, server_time=int(server_time)))
        for push in self._ahead:
            self._backlog.put(push)
        self._ahead.clear()
        self._sync.connected()
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)

    async def _wait_online(self) -> None:
        if self._task is None:
            raise NotLoggedIn(f"{self.ticket.user_id} is not logged in.", hint="Start the session first.")
        await self._online.wait()  # set while logged in, and for good once the session has ended
        if self._ended:
            raise NotLoggedIn(f"The session of {self.ticket.user_id} has ended{f': {self.error}' if self.error else '.'}")

    # Reading

    async def _read(self, connection: Connection) -> None:
        """Read until the connection ends (by an exception)."""
        while True:
            frame = await connection.receive()
            self._heard_at = self._clock.monotonic()
            try:
                self._take_frame(connection, decode_server_frame(frame))
            except FrameError as error:
                self._backlog.put(BrokenFrame(error))
            # When the owner is behind, TCP holds the rest back; never an answer we wait for, and never for long.
            await self._backlog.wait_for_room(patience=self.timing.heartbeat / 2, urgent=self._answer_awaited)

    def _answer_awaited(self) -> bool:
        return self._exchange.open_requests > 0

    def _take_frame(self, connection: Connection, frame: ServerFrame) -> None:
        code = self._exchange.settle(frame)
        if code == KICKED:
            raise self._kicked(kick_type(frame))
        if code is not None and code in EXPIRED and self._online.is_set():
            self._forget_login()
            self._backlog.put(Expired(code))
            self._leave(connection, f"the login has expired ({code})")
            raise ConnectionLost(f"The login has expired ({code}); logging in anew.")
        if code is None and frame.head.servcmd in (PUSH, FORCE_OFFLINE):
            self._take_push(connection, decode(PushBody, frame.body, path=f"{frame.head.servcmd}: $.body"))

    def _take_push(self, connection: Connection, body: PushBody) -> None:
        items = tuple(open_push(body))
        acknowledged = given(body.session_data, "") if given(body.need_ack, 0) else ""
        push = Push(items, acknowledged, connection, self._exchange, self.server_now())
        if self._online.is_set():
            self._backlog.put(push)
        else:
            self._ahead.append(push)  # read in one go with the login's answer: it comes after `Connected`
        if given(body.flag, 0) == 1:
            self._sync.soon(online=True)
        for item in items:
            if isinstance(item.value, Kickout):
                raise self._kicked(given(item.value.kick_type, 1))

    def _kicked(self, kick_type: int) -> KickedOutError:
        kind = KickKind.MULTIPLE_DEVICE if kick_type == 2 else KickKind.MULTIPLE_ACCOUNT
        self._backlog.put(KickedOut(kind))
        return KickedOutError(kind)

    # Keeping alive and complete

    async def _keep_alive(self) -> None:
        await keep_alive(
            self._exchange,
            self._clock,
            lambda: self._heard_at,
            heartbeat=self.timing.heartbeat,
            hello=self._hello_every,
            patience=self.timing.request,
        )

    # Endings

    def _forget_login(self) -> None:
        self.ticket.clear()
        self._credentials.forget()

    async def _farewell(self) -> None:
        request = status.LogoutRequest(wslogout_type=0)
        self._backlog.nudge()
        try:
            await self._exchange.request(status.LOGOUT, request, timeout=self.timing.farewell, bound=True)
        except ImError:
            return  # it ends here either way

    def _end(self, error: ImError | None) -> None:
        if self._ended:
            return
        self._ended = True
        self.error = error
        self.ticket.clear()
        self._exchange.close(NotLoggedIn(f"The session of {self.ticket.user_id} has ended."))
        self._online.set()  # whoever waits for a login wakes up and finds the session ended
        self._backlog.end()
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(error or NotLoggedIn("The session was closed."))
            self._ready.exception()  # somebody waits in `start`, or nobody does and it is no loss
