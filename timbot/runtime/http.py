"""A small HTTP server within the bot's own loop, for what an operator's tools ask. Signals are not its business."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Generator
from typing import Final

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from timbot.errors import TimbotError
from timbot.im.endpoints import is_loopback
from timbot.sandbox.guard import Caps, Guard, Hosts
from timbot.sandbox.sockets import Config

BACKLOG: Final = 64
"""Connections that may wait to be accepted."""

CAPS: Final = Caps(connections=64, per_address=32, http_time=10.0)
"""Nobody needs more: a probe and a scraper or two. A connection lives ten seconds at most."""

SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Headers of every answer: it is for tools, and no page may make anything of it."""


class HttpError(TimbotError):
    """The address for health and metrics cannot be served. `host` and `port` as they were asked for."""

    docs = "errors#http"

    def __init__(self, message: str, host: str, port: int, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.host = host
        self.port = port


class HttpServer:
    """Serves an ASGI app on one address until it is stopped.

    On loopback it answers only to the names of this machine: a page of another host that points its own name here (DNS
    rebinding) is turned away.
    """

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on; before `start` the one it was given."""
        return self._port

    @property
    def url(self) -> str:
        """What a client of this machine asks: `http://host:port`."""
        return f"http://{reachable(self._host, self._port)}"

    async def start(self) -> None:
        """Listen. Raises `HttpError`."""
        listener = await self._bind()
        local, self._port = listener.getsockname()[:2]
        app = _Door(self._app) if is_loopback(str(local)) else self._app
        self._server = _Server(Config(app, Guard(CAPS)))
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]), name="operations server")
        ready = asyncio.create_task(self._server.ready.wait(), name="operations server start")
        try:
            await asyncio.wait({self._task, ready}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._task.done():
            listener.close()
            await self._task

    async def stop(self) -> None:
        """Stop listening; answers that are under way get two seconds. Idempotent."""
        if self._task is None or self._server is None:
            return
        self._server.should_exit = True
        await asyncio.wait({self._task})
        await asyncio.sleep(0)  # the transports tell their protocols in the next turn

    async def _bind(self) -> socket.socket:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        except OSError:
            raise self._error(f"There is no address named '{self._host}'.", "See 'http: host:'.") from None
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":  # on Windows this would let two servers have the same port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                raise self._error(
                    f"Port {self._port} on {self._host} is in use: health and metrics cannot be served there.",
                    "Perhaps another bot runs here: choose another 'http: port:' for one of them, or say 'http: false'.",
                ) from None
            why = error.strerror or str(error)
            raise self._error(
                f"Cannot listen on {self._host}, port {self._port}: {why}.", "See 'http: host:' and 'http: port:'."
            ) from None
        return listener

    def _error(self, message: str, hint: str) -> HttpError:
        return HttpError(message, self._host, self._port, hint=hint)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, and with word of being ready."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class _Door:
    """Turns away who does not ask for this machine by one of its own names."""

    __slots__ = ("_app", "_hosts")

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._hosts = Hosts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = scope.get("server")
        if scope["type"] == "http" and self._hosts.refusal(scope["headers"], server[0] if server else ""):
            text = "This server answers to the names of its own machine only: localhost, 127.0.0.1.\n"
            await PlainTextResponse(text, 403, headers=SAFE)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def reachable(host: str, port: int) -> str:
    """`host:port` as a client on this machine asks for it: an address that means everywhere is none to connect to."""
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
