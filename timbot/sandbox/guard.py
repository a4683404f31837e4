"""What a peer may cost the server: caps on connections, frames, requests and waiting, and who may speak to it at all.

The server is for development, yet it listens on a socket, and any page in a browser of this machine can reach a loopback
port. So nothing a peer does is unbounded, and a page of another host is turned away before it is heard.

The hub knows nothing of this: that a peer has shown who it is, the guard sees from the answer to its login.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from timbot.errors import ConnectionLost, FrameError
from timbot.im.clock import Clock, SystemClock
from timbot.im.endpoints import is_loopback
from timbot.im.transport import Connection
from timbot.im.wire.commands.status import LOGIN
from timbot.im.wire.envelope import MAX_FRAME, Answer, decode_server_frame
from timbot.im.wire.value import decode, given

TOO_BIG: Final = 1009
POLICY: Final = 1008

REPORT_EVERY: Final = 10.0
"""Seconds between two log lines about the same limit: a flood must not become a flood of lines."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caps:
    """The limits. Sizes in bytes, times in seconds.

    - `frame`: the largest frame of an authenticated connection; `first_frame`: of one that is not yet.
    - `connections`, `per_address`: TCP connections at a time, HTTP included; an IPv6 address counts by its /64. Both stay
      below the usual limit of 1,024 open files.
    - `http_time`: the life of a connection that does not become a WebSocket, its opening handshake included.
    - `login_time`: until the first successful login; `least_time`: no WebSocket is closed sooner after accepting,
      because SDKs take that for a dead network and stop trying.
    - `rate`, `burst`: requests a second of one connection. Beyond them it is read slowly; after `abuse_time` of that
      without a pause it is closed with 1008.
    - `control_rate`, `control_burst`: pings, pongs and continuation frames, which are no requests.
    - `send_time`: how long a peer may leave no room for the next frame; `close_time`: to fetch what is left after closing.
    """

    frame: int = MAX_FRAME
    first_frame: int = 256 * 1024
    connections: int = 800
    per_address: int = 200
    http_time: float = 30.0
    login_time: float = 15.0
    least_time: float = 1.0
    rate: float = 200.0
    burst: int = 1000
    abuse_time: float = 30.0
    control_rate: float = 50.0
    control_burst: int = 4096
    send_time: float = 15.0
    close_time: float = 5.0


class Bucket:
    """A token bucket that may go into debt: whoever took too much is told how long to wait."""

    __slots__ = ("_burst", "_rate", "_tokens", "_updated")

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._updated = now

    def take(self, now: float) -> float:
        """Take one. The seconds until it would have been there; 0 if it was."""
        self._tokens = min(self._burst, self._tokens + (now - self._updated) * self._rate) - 1
        self._updated = now
        return max(0.0, -self._tokens / self._rate)


class Guard:
    """Counts who is here, lets in or not, and says aloud when a limit was hit."""

    __slots__ = ("_addresses", "_reported", "caps", "clock", "connections", "hits")

    def __init__(self, caps: Caps | None = None, clock: Clock | None = None) -> None:
        self.caps = caps or Caps()
        self.clock = clock or SystemClock()
        self.connections = 0
        self.hits: Counter[str] = Counter()
        """How often each limit was hit, by its name."""
        self._addresses: Counter[str] = Counter()
        self._reported: dict[str, float] = {}

    def admit(self, address: str) -> Admission | None:
        """Let a connection in, or None if there are too many."""
        household = _household(address)
        if self.connections >= self.caps.connections:
            self.hit("connections", address)
            return None
        if self._addresses[household] >= self.caps.per_address:
            self.hit("per_address", address)
            return None
        self.connections += 1
        self._addresses[household] += 1
        return Admission(self, household)

    def hit(self, limit: str, address: str) -> None:
        """Note that `address` ran into `limit`; logged at most every `REPORT_EVERY` seconds."""
        self.hits[limit] += 1
        now = self.clock.monotonic()
        if now - self._reported.get(limit, -REPORT_EVERY) >= REPORT_EVERY:
            self._reported[limit] = now
            log.warning("limit %s hit by %s (%d times so far)", limit, address, self.hits[limit])

    def leave(self, household: str) -> None:
        """A connection that was let in is gone."""
        self.connections -= 1
        self._addresses[household] -= 1
        if not self._addresses[household]:
            del self._addresses[household]  # or every address ever seen would stay


class Admission:
    """A connection that was let in. To be released once."""

    __slots__ = ("_household", "_released", "guard")

    def __init__(self, guard: Guard, household: str) -> None:
        self.guard = guard
        self._household = household
        self._released = False

    def release(self) -> None:
        """It is gone. Idempotent."""
        if not self._released:
            self._released = True
            self.guard.leave(self._household)

    def protect(self, connection: Connection, trust: Callable[[], None] | None = None) -> GuardedConnection:
        """The connection with the caps around it; `trust` is called when it has authenticated itself."""
        return GuardedConnection(connection, self.guard, self._household, trust)


class GuardedConnection:
    """A `Connection` that keeps its peer within the caps."""

    __slots__ = (
        "_address",
        "_bucket",
        "_connection",
        "_debt",
        "_guard",
        "_known",
        "_lost",
        "_opened",
        "_patience",
        "_sending",
        "_slowed_since",
        "_trust",
    )

    def __init__(self, connection: Connection, guard: Guard, address: str, trust: Callable[[], None] | None = None) -> None:
        self._connection = connection
        self._guard = guard
        self._address = address
        self._trust = trust
        self._opened = guard.clock.monotonic()
        self._bucket = Bucket(guard.caps.rate, guard.caps.burst, self._opened)
        self._debt = 0.0
        self._slowed_since: float | None = None
        self._known = False
        self._patience: asyncio.Timeout | None = None
        self._sending = asyncio.Lock()
        self._lost = False

    def authenticated(self) -> None:
        """The peer has shown who it is: the time for that no longer runs, and its frames may be large."""
        if self._known:
            return
        self._known = True
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(None)
        if self._trust is not None:
            self._trust()

    async def receive(self) -> bytes:
        """The next frame, later if the peer has been too quick. Raises `ConnectionLost`."""
        if self._debt:  # before reading, not after: a cancelled wait then loses no frame
            await asyncio.sleep(self._debt)
            self._debt = 0.0
        try:
            frame = await self._next()
        except ConnectionLost:
            self._lost = True
            raise
        caps = self._guard.caps
        if len(frame) > (caps.frame if self._known else caps.first_frame):
            raise await self._turn_out("frame", TOO_BIG, "the frame is too large")
        now = self._guard.clock.monotonic()
        self._debt = self._bucket.take(now)
        if not self._debt:
            self._slowed_since = None
        elif self._slowed_since is None:
            self._slowed_since = now
        elif now - self._slowed_since >= caps.abuse_time:
            raise await self._turn_out("rate", POLICY, "too many requests")
        return frame

    async def send(self, frame: bytes) -> None:
        """Send one frame; a peer that leaves no room for it in time is given up. Raises `ConnectionLost`."""
        if not self._known and _is_login(frame):
            self.authenticated()
        try:
            async with asyncio.timeout(self._guard.caps.send_time), self._sending:
                await self._connection.send(frame)
        except TimeoutError:
            raise await self._turn_out("send_time", POLICY, "the peer does not read") from None
        except ConnectionLost:
            self._lost = True
            raise

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close now. Idempotent; never raises."""
        self._lost = True
        await self._connection.close(code, reason)

    async def part(self, code: int = 1000, reason: str = "") -> None:
        """Close, though never sooner than `least_time` after accepting."""
        young = self._opened + self._guard.caps.least_time - self._guard.clock.monotonic()
        if young > 0 and not self._lost:
            await asyncio.sleep(young)
        await self.close(code, reason)

    async def _next(self) -> bytes:
        if self._known:
            return await self._connection.receive()
        left = self._opened + self._guard.caps.login_time - self._guard.clock.monotonic()
        try:
            async with asyncio.timeout(max(0.0, left)) as self._patience:
                return await self._connection.receive()
        except TimeoutError:
            raise await self._turn_out("login_time", POLICY, "no login in time") from None
        finally:
            self._patience = None

    async def _turn_out(self, limit: str, code: int, reason: str) -> ConnectionLost:
        self._guard.hit(limit, self._address)
        await self.part(code, reason)
        return ConnectionLost(f"The connection of {self._address} was closed: {reason}.", code=code, reason=reason)


def _is_login(frame: bytes) -> bool:
    """Whether this is the answer to a login, and a good one."""
    try:
        answer = decode_server_frame(frame)
        return answer.head.servcmd == LOGIN.name and given(decode(Answer, answer.body).error_code, 0) == 0
    except FrameError:
        return False


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names this server answers to. `allowed`: lower case, without port or brackets.

    A page of another host must not get in by pointing its own name at this machine (DNS rebinding): its `Host` then names
    that host. Nor by plain requests across origins: its `Origin` does. What is no browser sends no `Origin`.
    """

    allowed: frozenset[str] = frozenset()

    def refusal(self, headers: Iterable[tuple[bytes, bytes]], local: str = "") -> str:
        """Why a request with these headers is turned away; empty if it is not. `local`: the address it came in at."""
        values: dict[bytes, list[str]] = {b"host": [], b"origin": []}
        for name, value in headers:
            if name in values:
                values[name].append(value.decode("latin-1").strip())
        host = _host(values[b"host"][0]) if len(values[b"host"]) == 1 else None
        if host is None:
            return "The Host header is missing or makes no sense."
        if not (is_loopback(host) or host in self.allowed or (local and host == _plain(local))):
            return f"This server does not answer to the name {host!r}. Start it with --allow-host {host} if it should."
        if not values[b"origin"]:
            return ""
        origin = _origin(values[b"origin"][0]) if len(values[b"origin"]) == 1 else None
        if origin is None or not (origin == host or (is_loopback(origin) and is_loopback(host))):
            return "A page of another host may not talk to this server: its Origin is not this Host."
        return ""


_HOST: Final = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::[0-9]{0,5})?")
_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104
"""Addresses to bind to; as the name of a server they are nobody's."""
_SCHEME: Final = re.compile(r"https?://")


def _host(value: str) -> str | None:
    match = _HOST.fullmatch(value.lower())
    return _plain(match[1]) if match else None


def _origin(value: str) -> str | None:
    scheme = _SCHEME.match(value.lower())
    return _host(value[scheme.end() :]) if scheme else None


def _plain(host: str) -> str:
    """One spelling for each host: no brackets, no final dot, addresses in short form."""
    host = host.strip("[]").removesuffix(".").lower()
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host


def allowed_hosts(bound: str, more: Iterable[str] = ()) -> Hosts:
    """The names of a server bound to `bound`, with `more` of the operator's choice; ports in them are ignored."""
    names = (_host(name) or _plain(name) for name in (bound, *more) if name)
    return Hosts(frozenset(name for name in names if name not in _EVERYWHERE))


def _household(address: str) -> str:
    """Who is counted together: an IPv4 address, or the /64 that one IPv6 user has to itself."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, 64), strict=False))
