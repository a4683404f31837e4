"""A network in memory: pairs of `Connection`s and a `Transport` that hands the other end to a server.

It behaves like a WebSocket as far as the session can see: whole frames in order, a sender that waits when the peer does
not read, close codes that travel behind the data. What a real network does only now and then, `Faults` does on demand.

Each direction is a lane: a frame is launched, is in flight for the line's latency, arrives in the peer's buffer, is
read. The end of a connection is the last thing in a lane, so the peer reads everything that came before it; a side
knows that its connection has ended when the end has arrived in the lane it reads from, and not a moment earlier.
"""

from __future__ import annotations

import asyncio
import functools
import heapq
from collections import deque
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from timbot.errors import ConnectionLost
from timbot.testing.faults import DIRECTIONS, Direction, Faults, Trip


@dataclass(slots=True, frozen=True)
class Line:
    """How a pair is wired. `latency` and `jitter` in seconds, one way; `capacity` in frames sent and not yet read."""

    latency: float = 0.0
    jitter: float = 0.0
    capacity: int = 64


@dataclass(slots=True, frozen=True)
class End:
    """The end of a connection, as the reader will be told."""

    code: int
    reason: str = ""

    def error(self) -> ConnectionLost:
        """A new exception each time: a shared one would collect the tracebacks of all who met it."""
        why = f"{self.code} {self.reason}".strip()
        return ConnectionLost(f"The connection has ended ({why}).", code=self.code, reason=self.reason)


CUT = End(1006, "cut")


class _Lane:
    """One direction of a pair. Not a task: frames move when they are sent, read, or when their timer says so."""

    def __init__(self, direction: Direction, line: Line, faults: Faults, link: _Link) -> None:
        self.direction = direction
        self.line = line
        self.faults = faults
        self.link = link
        self.inbox: deque[bytes] = deque()
        self.end: End | None = None
        """Set once the end has arrived: the reader gets what is in the inbox, then this."""
        self.news = asyncio.Event()
        self.room = asyncio.Event()
        self.turn = asyncio.Lock()
        """Senders queue here, so that frames keep the order of the calls even when the lane is full."""
        self.silent = False
        self._in_flight: list[tuple[float, int, bytes | End]] = []
        self._launched = 0
        self._latest = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def full(self) -> bool:
        return self.end is None and len(self._in_flight) + len(self.inbox) >= self.line.capacity

    def send(self, frame: bytes) -> None:
        trip = self.faults.trip(self.direction, frame)
        for _ in range(trip.copies):
            self._launch(frame, trip)
        self._move()

    def send_end(self, end: End, *, at_once: bool = False) -> None:
        """Put the end behind everything in flight; `at_once` without a travel of its own."""
        self._launch(end, Trip(), travels=not at_once)
        self._move()

    def take(self) -> bytes:
        frame = self.inbox.popleft()
        self.room.set()
        return frame

    def finish(self, end: End) -> None:
        """The end arrives now, and what is in flight is lost."""
        if self.end is None:
            self.end = end
            self.link.ended()
        self._in_flight.clear()
        self._set_timer()
        self.news.set()
        self.room.set()

    def silence(self, silent: bool) -> None:
        self.silent = silent
        self._move()

    def _launch(self, item: bytes | End, trip: Trip, *, travels: bool = True) -> None:
        if self.end is not None:
            return  # nobody reads there any more; the sender will hear of it in its own time
        arrival = asyncio.get_running_loop().time()
        if travels:
            arrival += self.line.latency
            if self.line.jitter:
                arrival += self.faults.chance.uniform(0, self.line.jitter)
        if trip.overtaken:
            self._latest = max(self._latest, arrival)  # those behind it follow what was before it
            arrival = self._latest + trip.delay
        else:
            self._latest = arrival = max(self._latest, arrival + trip.delay)
        self._launched += 1
        heapq.heappush(self._in_flight, (arrival, self._launched, item))

    def _move(self) -> None:
        """Let everything arrive whose time has come, and set a timer for the next."""
        now = asyncio.get_running_loop().time()
        while self._in_flight and not self.silent and self._in_flight[0][0] <= now:
            item = heapq.heappop(self._in_flight)[2]
            if isinstance(item, End):
                self.finish(item)
            else:
                self._arrive(item)
        self._set_timer()

    def _arrive(self, frame: bytes) -> None:
        cut = self.faults.arriving(self.direction, frame)
        if cut is None or cut.after:
            self.inbox.append(frame)
            self.news.set()
        if cut is not None:
            self.room.set()
            self.link.cut(cut.delivering)

    def _set_timer(self) -> None:
        # Cancelled when it has nothing to do: a timer left over would hide a deadlock.
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._in_flight and not self.silent:
            self._timer = asyncio.get_running_loop().call_at(self._in_flight[0][0], self._move)


class _Link:
    """Both lanes of a pair: what happens to the whole connection happens here."""

    def __init__(self, line: Line, faults: Faults) -> None:
        self.faults = faults
        self.lanes = {direction: _Lane(direction, line, faults, self) for direction in DIRECTIONS}
        faults.opened(self)

    def cut(self, delivering: Collection[Direction]) -> None:
        for direction, lane in self.lanes.items():
            lane.silent = False
            if direction in delivering:
                lane.send_end(CUT, at_once=True)
            else:
                lane.finish(CUT)

    def silence(self, direction: Direction, silent: bool) -> None:
        self.lanes[direction].silence(silent)

    def ended(self) -> None:
        for lane in self.lanes.values():
            lane.room.set()  # a sender waiting in the other lane has to learn that its connection is gone
        if all(lane.end for lane in self.lanes.values()):
            self.faults.closed(self)


class PipeConnection:
    """One end of a pair. Implements `timbot.im.transport.Connection`."""

    __slots__ = ("_incoming", "_outgoing", "_reading")

    def __init__(self, incoming: _Lane, outgoing: _Lane) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._reading = False

    @property
    def end(self) -> End | None:
        """How the connection ended, as far as this side knows; None while it is open."""
        return self._incoming.end

    async def send(self, frame: bytes) -> None:
        """Send one frame; waits while the peer has `capacity` frames unread. Raises `ConnectionLost`."""
        if not isinstance(frame, bytes):
            raise TypeError(f"A frame is bytes, not {type(frame).__name__}.")
        lane = self._outgoing
        async with lane.turn:
            while lane.full and self.end is None:
                lane.room.clear()
                await lane.room.wait()
            if self.end is not None:
                raise self.end.error()
            lane.send(frame)

    async def receive(self) -> bytes:
        """Wait for the next frame. Raises `ConnectionLost` once everything that arrived before the end is read."""
        if self._reading:
            raise RuntimeError("A connection has one reader at a time.")
        lane = self._incoming
        self._reading = True
        try:
            while not lane.inbox:
                if lane.end is not None:
                    raise lane.end.error()
                lane.news.clear()
                await lane.news.wait()
            return lane.take()
        finally:
            self._reading = False

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close this side; the peer hears of it behind the frames already sent. Idempotent, never raises."""
        self.hang_up(code, reason)

    def hang_up(self, code: int = 1000, reason: str = "") -> None:
        """`close` for those who cannot await: there is nothing here to wait for."""
        if self.end is None:
            end = End(code, reason)
            self._outgoing.send_end(end)
            self._incoming.finish(end)


def pipe(line: Line | None = None, faults: Faults | None = None) -> tuple[PipeConnection, PipeConnection]:
    """A connected pair, client's end first."""
    lanes = _Link(line or Line(), faults or Faults()).lanes
    to_server, to_client = (lanes[direction] for direction in DIRECTIONS)
    return PipeConnection(to_client, to_server), PipeConnection(to_server, to_client)


Serve = Callable[[PipeConnection, str], Coroutine[Any, Any, None]]


class PipeTransport:
    """Opens connections to a server in the same process. Implements `timbot.im.transport.Transport`.

    `serve(connection, url)` runs in a task of its own for each connection, named `<name>-server-<n>` and owned by the
    transport until `aclose` (or the end of `async with`). When it returns or lets a `ConnectionLost` through, its side
    is closed with 1000; when it raises anything else, with 1011, and `aclose` raises that: a server that crashed under
    a test must not go unnoticed.
    """

    def __init__(self, serve: Serve, *, line: Line | None = None, faults: Faults | None = None, name: str = "pipe") -> None:
        self.line = line or Line()
        self.faults = faults or Faults()
        self.name = name
        self.urls: list[str] = []
        """Where each connect went, the refused ones included."""
        self._serve = serve
        self._tasks: set[asyncio.Task[None]] = set()
        self._crashes: list[BaseException] = []
        self._served = 0
        self._closed = False

    async def connect(self, url: str) -> PipeConnection:
        """Open a connection; takes a round trip of the line. Raises `ConnectionLost` when it is refused."""
        self.urls.append(url)
        await self.faults.reachable()
        if self.line.latency:
            await asyncio.sleep(2 * self.line.latency)
        if self._closed or self.faults.refusal():
            raise ConnectionLost(f"{url} refused the connection.")
        client, server = pipe(self.line, self.faults)
        hangup = self.faults.hangup()
        if hangup is not None:
            server.hang_up(hangup)
            return client
        self._served += 1
        task = asyncio.create_task(self._serve(server, url), name=f"{self.name}-server-{self._served}")
        self._tasks.add(task)
        task.add_done_callback(functools.partial(self._ended, server))
        return client

    async def aclose(self) -> None:
        """Stop serving: running servers are cancelled, their peers see 1001, later connects are refused."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        crashes, self._crashes = self._crashes, []
        if len(crashes) == 1:
            raise crashes[0]
        if crashes:
            raise BaseExceptionGroup("Several servers failed", crashes)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def _ended(self, connection: PipeConnection, task: asyncio.Task[None]) -> None:
        # Here rather than around the call: a task cancelled before its first step never runs a line of its own.
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if task.cancelled():
            connection.hang_up(1001, "going away")
        elif error is None or isinstance(error, ConnectionLost):  # the peer left: how most connections end
            connection.hang_up()
        else:
            self._crashes.append(error)
            connection.hang_up(1011, "the server failed")
