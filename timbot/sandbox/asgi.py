"""The sandbox on a real socket: a Starlette app in a uvicorn server, within a loop that is somebody else's.

Signals are not its business, and neither is what is said over a connection: it runs whatever `Serve` it is given.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from timbot.errors import ConnectionLost, TimbotError
from timbot.im.clock import Clock
from timbot.im.endpoints import SANDBOX_PORT, is_loopback
from timbot.im.transport import Connection
from timbot.sandbox.downloads import file_routes
from timbot.sandbox.files import Files
from timbot.sandbox.guard import Caps, Guard, Hosts, allowed_hosts
from timbot.sandbox.keys import DEFAULT_HOST, DEMO, SANDBOX_VARIABLE, SecretKey
from timbot.sandbox.page.page import Page
from timbot.sandbox.page.site import Site
from timbot.sandbox.serving import Serving, listen, reachable
from timbot.sandbox.sockets import Socket

Serve = Callable[[Connection, str], Awaitable[None]]
"""Runs one connection, opened at a URL, to its end."""

BACKLOG: Final = 512
"""Connections that may wait to be accepted."""

log = logging.getLogger(__name__)

_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class SandboxError(TimbotError):
    """The sandbox cannot start as it was asked to."""

    docs = "errors#sandbox"


class PortInUse(SandboxError):
    """Something else listens there already."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Port {port} on {host} is in use.",
            hint="Perhaps another one runs there: stop it, or choose another port ('sandbox: port:' in the configuration of "
            "'timbot run', --port of 'timbot sandbox'; 0: any that is free).",
        )
        self.host = host
        self.port = port


class AsgiConnection:
    """An accepted ASGI WebSocket as a `Connection`. `abort` drops the socket beneath it."""

    __slots__ = ("_abort", "_binary", "_close_time", "_websocket")

    def __init__(self, websocket: WebSocket, abort: Callable[[], None], *, binary: bool, close_time: float) -> None:
        self._websocket = websocket
        self._abort = abort
        self._binary = binary
        self._close_time = close_time

    async def send(self, frame: bytes) -> None:
        """Send one frame: text, or binary to the SDKs that speak so."""
        message: dict[str, Any] = {"type": "websocket.send"}
        if self._binary:
            message["bytes"] = frame
        else:
            # A stray byte must not end the connection, as a text frame that is not UTF-8 does in browsers.
            message["text"] = frame.decode("utf-8", "replace")
        try:
            await self._websocket.send(message)
        except (WebSocketDisconnect, RuntimeError):  # starlette and uvicorn both raise RuntimeError after the end
            raise ConnectionLost("The peer is gone.") from None

    async def receive(self) -> bytes:
        """The next frame, text or binary, as bytes."""
        try:
            message = await self._websocket.receive()
        except WebSocketDisconnected:
            raise ConnectionLost("The peer is gone.") from None
        if message["type"] == "websocket.disconnect":
            code, reason = message.get("code", 1006), message.get("reason") or ""
            code = 1006 if code == 1005 else code  # 1005 says that there was no code
            raise ConnectionLost(f"The connection was closed ({code} {reason}).".replace(" )", ")"), code=code, reason=reason)
        text = message.get("text")
        return cast(bytes, message["bytes"]) if text is None else text.encode("utf-8", "replace")

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say goodbye; to a peer that leaves no room even for that, without a word."""
        try:
            async with asyncio.timeout(self._close_time):
                await self._websocket.close(code, reason)
        except TimeoutError:
            self._abort()
        except (WebSocketDisconnect, RuntimeError, OSError):
            return  # it has ended before


class SandboxServer:
    """Serves on one address until it is stopped.

    `key` is what the connections' signatures are checked with, by `serve`: off loopback it must not be the demo key, and
    `public` must say that this is meant. `allow_hosts`: names it answers to besides loopback and the address it is bound to.
    `page`: the chat page, at `/`. A `public` server has none, since it would sign for anybody. `files`: what it takes and gives
    as uploads, by default those of the page's sandbox.
    """

    def __init__(
        self,
        serve: Serve,
        *,
        host: str = DEFAULT_HOST,
        port: int = SANDBOX_PORT,
        key: SecretKey = DEMO,
        public: bool = False,
        allow_hosts: Iterable[str] = (),
        caps: Caps | None = None,
        clock: Clock | None = None,
        page: Page | None = None,
        files: Files | None = None,
    ) -> None:
        self.guard = Guard(caps, clock)
        self._site = None if page is None or public else Site(page)
        self._files = page.sandbox.files if files is None and page is not None else files
        routes = [] if self._files is None else file_routes(self._files)
        if self._site is not None:
            routes += self._site.routes()
        self._app = application(serve, self.guard, allowed_hosts(host, allow_hosts), routes)
        self._host = host
        self._port = port
        self._key = key
        self._public = public
        self._serving: Serving | None = None

    @property
    def port(self) -> int:
        """The port it listens on; before `start` the one it was given."""
        return self._port

    @property
    def url(self) -> str:
        """What clients of this machine connect to, without the path: `ws://host:port`."""
        return f"ws://{reachable(self._host, self._port)}"

    @property
    def page(self) -> str:
        """What a browser of this machine opens."""
        return f"http://{reachable(self._host, self._port)}/"

    async def start(self) -> None:
        """Listen. Raises `PortInUse`, or `SandboxError` if it must not or cannot serve there."""
        if self._serving is not None:
            raise RuntimeError("It has been started already.")
        listener = await self._bind()
        self._port = listener.getsockname()[1]
        if self._files is not None:
            self._files.open()
        if self._site is not None:
            self._site.start()
        self._serving = Serving(self._app, self.guard, "sandbox server")
        await self._serving.start(listener)

    async def stop(self) -> None:
        """Close all connections (1012) and stop listening; takes `GRACE` seconds and a little at most. Idempotent."""
        if self._serving is None:
            return
        if self._site is not None:
            await self._site.stop()
        await self._serving.stop()
        if self._files is not None:
            await asyncio.to_thread(self._files.close)

    async def stopped(self) -> None:
        """Wait until it serves no more; raises what it failed with."""
        if self._serving is not None:
            await self._serving.stopped()

    async def _bind(self) -> socket.socket:
        try:
            return await listen(self._host, self._port, backlog=BACKLOG, allow=self._check_reach)
        except socket.gaierror as error:
            raise SandboxError(f"There is no address named '{self._host}'.", hint="See --host.") from error
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(self._host, self._port) from None
            why = error.strerror or str(error)
            raise SandboxError(
                f"Cannot listen on {self._host}, port {self._port}: {why}.", hint="See --host, --port."
            ) from error

    def _check_reach(self, address: str) -> None:
        if is_loopback(address):
            return
        if self._key.demo:
            raise SandboxError(
                f"'{self._host}' can be reached from other machines, and everybody knows the demo key.",
                hint=f"Give it a key of its own: --secret-key-file, or the variable {SANDBOX_VARIABLE}.",
            )
        if not self._public:
            raise SandboxError(
                f"'{self._host}' can be reached from other machines.",
                hint="Say --public if that is meant. There is no TLS here: put a proxy that has it in front.",
            )


class _Door:
    """Looks at every request before anything else does."""

    __slots__ = ("_app", "_hosts")

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = scope.get("server")
        refusal = self._hosts.refusal(scope["headers"], server[0] if server else "")
        try:
            if refusal:
                await PlainTextResponse(refusal, 403, headers=_SAFE)(scope, receive, send)
            else:
                await self._app(scope, receive, send)
        except (ConnectionError, TimeoutError):
            raise  # the peer is gone
        except Exception:
            log.exception("request to %s failed", scope["path"])
            raise


def application(serve: Serve, guard: Guard, hosts: Hosts, more: Iterable[BaseRoute] = ()) -> ASGIApp:
    """The ASGI app, with `more` routes that come before its own.

    It runs under `SandboxServer` only, which puts the socket into each WebSocket's state.
    """

    def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok", "connections": guard.connections, "limits_hit": guard.hits}, headers=_SAFE)

    def page(_request: Request) -> Response:
        text = "A timbot sandbox: a local TIM server. SDKs connect to the WebSocket at /info; GET /healthz says how it is.\n"
        return PlainTextResponse(text, headers=_SAFE)

    async def speak(websocket: WebSocket) -> None:
        beneath: Socket = websocket.scope["state"]["socket"]
        try:
            await websocket.accept()
        except OSError:
            return  # it left during the handshake
        plain = AsgiConnection(
            websocket,
            beneath.transport.abort,
            binary=websocket.url.path == "/binfo",  # the newer SDKs: binary both ways
            close_time=guard.caps.close_time,
        )
        connection = beneath.tcp.admission.protect(plain, beneath.trust)
        _name_task(connection_of=beneath.client)
        try:
            await serve(connection, str(websocket.url))
        except ConnectionLost:
            pass  # how most connections end
        except Exception:
            log.exception("a connection failed")
            await connection.part(1011, "the server failed")
        await connection.part()

    routes = [
        *more,
        WebSocketRoute("/info", speak),
        WebSocketRoute("/binfo", speak),
        Route("/healthz", _async(health)),
        Route("/", _async(page)),
    ]
    return _Door(Starlette(routes=routes), hosts)


def _async(handler: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Starlette would run a plain function in a thread."""

    async def run(request: Request) -> Response:
        return handler(request)

    return run


def _name_task(connection_of: tuple[str, int] | None) -> None:
    task = asyncio.current_task()
    if task is not None and connection_of is not None:
        task.set_name(f"sandbox connection of {connection_of[0]}:{connection_of[1]}")
