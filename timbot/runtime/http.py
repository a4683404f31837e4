"""A small HTTP server within the bot's own loop, for what an operator's tools ask. Signals are not its business."""

from __future__ import annotations

import errno
import socket
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from timbot.errors import TimbotError
from timbot.im.endpoints import is_loopback
from timbot.sandbox.guard import Caps, Guard, Hosts
from timbot.sandbox.serving import Serving, listen, reachable

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
        self._serving: Serving | None = None

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
        self._serving = Serving(app, Guard(CAPS), "operations server")
        await self._serving.start(listener)

    async def stop(self) -> None:
        """Stop listening; answers that are under way get a moment. Idempotent."""
        if self._serving is not None:
            await self._serving.stop()

    async def _bind(self) -> socket.socket:
        try:
            return await listen(self._host, self._port, backlog=BACKLOG)
        except socket.gaierror:
            raise self._error(f"There is no address named '{self._host}'.", "See 'http: host:'.") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise self._error(
                    f"Port {self._port} on {self._host} is in use: health and metrics cannot be served there.",
                    "Perhaps another bot runs here: choose another 'http: port:' for one of them, or say 'http: false'.",
                ) from None
            why = error.strerror or str(error)
            raise self._error(
                f"Cannot listen on {self._host}, port {self._port}: {why}.", "See 'http: host:' and 'http: port:'."
            ) from None

    def _error(self, message: str, hint: str) -> HttpError:
        return HttpError(message, self._host, self._port, hint=hint)


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
