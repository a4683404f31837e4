"""An ASGI app on a listening socket, under a guard, in a loop that is somebody else's. Signals are not its business."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Generator

import uvicorn
from starlette.types import ASGIApp

from timbot.sandbox.guard import Guard
from timbot.sandbox.sockets import GRACE, Config


async def listen(host: str, port: int, *, backlog: int, allow: Callable[[str], None] = lambda _: None) -> socket.socket:
    """A listening socket; port 0 takes a free one. `allow` may refuse the address by raising.

    Raises `socket.gaierror` for a host that is none, else `OSError`.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    allow(str(address[0]))
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # on Windows this would let two servers have the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener


def reachable(host: str, port: int) -> str:
    """`host:port` as a client on this machine asks for it: an address that means everywhere is none to connect to."""
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Serving:
    """A server at work. `name` is what its task is called."""

    def __init__(self, app: ASGIApp, guard: Guard, name: str) -> None:
        self._server = _Server(Config(app, guard))
        self._name = name
        self._task: asyncio.Task[None] | None = None

    async def start(self, listener: socket.socket) -> None:
        """Serve on this socket from now on. Raises what kept it from starting."""
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]), name=self._name)
        ready = asyncio.create_task(self._server.ready.wait(), name=f"{self._name} start")
        try:
            await asyncio.wait({self._task, ready}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._task.done():
            listener.close()
            await self._task

    async def stop(self) -> None:
        """Close all connections (WebSockets with 1012) and the socket; takes `GRACE` seconds and a little at most."""
        if self._task is None:
            return
        self._server.should_exit = True
        await asyncio.wait({self._task})
        state = self._server.server_state
        for connection in list(state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        tasks = set(state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=GRACE)
        await asyncio.sleep(0)  # the transports tell their protocols in the next turn

    async def stopped(self) -> None:
        """Wait until it serves no more; raises what it failed with."""
        if self._task is not None:
            await asyncio.shield(self._task)


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
