"""TCP connections under the guard's caps.

uvicorn bounds what an application does, not what a peer does before it gets there or after it has left: a connection that
never says anything, a header sent a byte at a time, pings that are answered and never read, empty fragments without end, a
peer that does not fetch the rest after closing. The two protocol classes here close these gaps; the rest is uvicorn's.
"""

# ruff: noqa: D102 (the methods are uvicorn's, and documented there)

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame

from timbot.sandbox.guard import POLICY, Admission, Bucket, Guard

GRACE: Final = 2
"""Whole seconds a stop waits for peers to take what was sent to them."""

READ_SIZE: Final = 32 * 1024
"""Bytes read at a time: what one peer can put into one turn of the loop, and as tiny frames into the memory."""

log = logging.getLogger(__name__)

_quiet = logging.getLogger(f"{__name__}.uvicorn")
_quiet.setLevel(logging.CRITICAL + 1)
"""uvicorn logs a line, at times a traceback, for whatever a hostile peer sends. What matters is logged by the app."""

_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 21\r\nConnection: close\r\n\r\nToo many connections."


class Tcp:
    """One TCP connection: its place under the caps, and the moment at which it is dropped."""

    __slots__ = ("_deadline", "_transport", "admission")

    def __init__(self, transport: asyncio.Transport, admission: Admission) -> None:
        self._transport = transport
        self._deadline: asyncio.TimerHandle | None = None
        self.admission = admission

    def drop_in(self, seconds: float) -> None:
        """Drop it then, whatever state it is in."""
        self.keep()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def keep(self) -> None:
        """Drop it no more."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def lost(self) -> None:
        """It is gone."""
        self.keep()
        self.admission.release()


class Config(uvicorn.Config):
    """uvicorn's configuration, and the guard for the protocol classes, which get nothing else."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        super().__init__(
            app,
            http=Http,
            ws="websockets-sansio",  # the other implementation is deprecated and warns
            ws_max_size=guard.caps.frame,
            ws_ping_interval=30.0,  # finds peers that vanished without a word; the protocol's heartbeat is the client's
            ws_ping_timeout=60.0,
            ws_per_message_deflate=False,  # costs more than it saves on this machine, and a small frame stays small
            lifespan="off",
            log_config=None,
            proxy_headers=False,  # or a header would say who the peer is
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
        self.guard = guard


class Http(H11Protocol):
    """HTTP, until a request asks for a WebSocket. Lives `http_time` at most."""

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = _quiet
        self.access_log = False
        self._guard = config.guard
        self._tcp: Tcp | None = None
        self.ws_protocol_class = cast("type[asyncio.Protocol]", self._socket)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        admission = self._guard.admit(self.client[0] if self.client else "")
        if admission is None:
            transport.write(_BUSY)
            transport.close()
            return
        self._tcp = Tcp(transport, admission)
        self._tcp.drop_in(self._guard.caps.http_time)

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except Exception:
            _drop(self._guard, self.transport, self.client)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._tcp is not None:
            self._tcp.lost()
        super().connection_lost(exc)

    def _socket(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> Socket:
        assert self._tcp is not None  # a connection that was not let in is never read
        return Socket(config, server_state, app_state, self._tcp)


class Socket(WebSocketsSansIOProtocol):
    """A WebSocket, from its opening handshake on."""

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], tcp: Tcp) -> None:
        super().__init__(config, server_state, {**app_state, "socket": self})
        self.logger = self.conn.logger = _quiet
        self.tcp = tcp
        caps = config.guard.caps
        self._caps = caps
        self._control = Bucket(caps.control_rate, caps.control_burst, config.guard.clock.monotonic())
        self._guard = config.guard
        self.conn.max_message_size = caps.first_frame

    def trust(self) -> None:
        """The peer is known: frames of full size from now on."""
        self.conn.max_message_size = self._caps.frame

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if hasattr(transport, "max_size"):
            transport.max_size = READ_SIZE

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except Exception:  # text that is no UTF-8 and a goodbye in one packet, for example
            _drop(self._guard, self.transport, self.client)

    def connection_lost(self, exc: Exception | None) -> None:
        self.tcp.lost()
        super().connection_lost(exc)

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.accept":
            self.tcp.keep()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        if not self.disconnected:
            self.tcp.drop_in(self._caps.close_time)

    def handle_ping(self) -> None:
        if self._within_control():
            if self.writable.is_set():
                super().handle_ping()
            else:
                self.conn.data_to_send()  # who does not read gets no pongs: they would pile up here

    def handle_pong(self, event: Frame) -> None:
        if self._within_control():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        if self._within_control():  # empty ones never reach the size limit
            super().handle_cont(event)

    def _within_control(self) -> bool:
        if self.close_sent:
            return False
        if not self._control.take(self._guard.clock.monotonic()):
            return True
        self._guard.hit("control", self.client[0] if self.client else "")
        self.conn.fail(POLICY, "too many control frames")
        self.handle_parser_exception()
        return False


def _drop(guard: Guard, transport: asyncio.Transport, client: tuple[str, int] | None) -> None:
    """End a connection whose bytes uvicorn stumbled over: left alone, the loop would log a traceback for each."""
    guard.hit("unreadable", client[0] if client else "")
    log.debug("a connection sent what cannot be read", exc_info=True)
    transport.abort()
