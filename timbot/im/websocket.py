"""The real transport: WebSocket over TCP or TLS, by the `websockets` library."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from timbot.errors import ConnectionLost
from timbot.im.endpoints import is_loopback
from timbot.im.wire.envelope import MAX_FRAME

OPEN_TIMEOUT: Final = 10.0
"""Seconds for TCP, TLS and the opening handshake together."""

CLOSE_TIMEOUT: Final = 2.0
"""Seconds a goodbye may take, one to a peer that does not read included."""


class WebSocketConnection:
    """One open WebSocket."""

    __slots__ = ("_socket",)

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, frame: bytes) -> None:
        """Send one text frame."""
        try:
            await self._socket.send(frame, text=True)
        except ConnectionClosed as error:
            raise _lost(error) from None

    async def receive(self) -> bytes:
        """The next frame's bytes, text or binary."""
        try:
            return await self._socket.recv(decode=False)
        except ConnectionClosed as error:
            raise _lost(error) from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close, waiting a little for the other side's goodbye."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._socket.close(code, reason)
        except TimeoutError:
            pass
        finally:  # whatever came in between: the socket does not stay
            self._socket.transport.abort()


class WebSocketTransport:
    """Opens WebSockets. No pings of its own: the protocol has a heartbeat, and that is what the server looks at."""

    __slots__ = ()

    async def connect(self, url: str) -> WebSocketConnection:
        """Open a WebSocket. A proxy named in the environment is used, except towards this machine."""
        try:
            socket = await connect(
                url,
                max_size=MAX_FRAME,
                open_timeout=OPEN_TIMEOUT,
                close_timeout=CLOSE_TIMEOUT,
                ping_interval=None,
                proxy=None if is_loopback(urlsplit(url).hostname or "") else True,
            )
        except (OSError, ValueError, WebSocketException) as error:
            where = urlsplit(url)
            why = str(error) or type(error).__name__
            raise ConnectionLost(f"Cannot connect to {where.scheme}://{where.netloc}: {why}.") from error
        return WebSocketConnection(socket)


def _lost(error: ConnectionClosed) -> ConnectionLost:
    if error.rcvd is None:
        return ConnectionLost("The connection broke off without a goodbye.")
    return ConnectionLost(
        f"The server closed the connection ({error.rcvd.code} {error.rcvd.reason}).".replace(" )", ")"),
        code=error.rcvd.code,
        reason=error.rcvd.reason,
    )
