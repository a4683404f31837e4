"""The real transport: WebSocket over TCP or TLS, by the `websockets` library."""

from __future__ import annotations

import asyncio
import ssl
from socket import gaierror
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus, WebSocketException

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
            why, cure = _why(error, where.scheme)
            raise ConnectionLost(f"Cannot connect to {where.scheme}://{where.netloc}: {why}.", hint=cure) from error
        return WebSocketConnection(socket)


def _why(error: Exception, scheme: str) -> tuple[str, str]:
    """What went wrong, and what can be done about it, as far as the error tells."""
    if isinstance(error, gaierror):
        return "the name is not known", "Check 'endpoint' for a slip, and whether this machine has a name server."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted ({error.verify_message})", "Check 'endpoint' and this machine's clock."
    if isinstance(error, ssl.SSLError):
        return "it does not speak TLS", "Is it a wss:// address? A local server is at ws://."
    if isinstance(error, InvalidStatus):
        return (
            f"it answered HTTP {error.response.status_code}",
            "Check 'endpoint': this may be no TIM server, or the wrong path.",
        )
    if isinstance(error, InvalidMessage):
        tls = " If it wants TLS, write wss://." if scheme == "ws" else ""
        return "what answered there is no WebSocket server", f"Check 'endpoint', and its port.{tls}"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there", "Check 'endpoint' and its port; is the server up?"
    if isinstance(error, TimeoutError):
        return f"no answer within {OPEN_TIMEOUT:g} s", "A firewall may be in between."
    return str(error) or type(error).__name__, ""


def _lost(error: ConnectionClosed) -> ConnectionLost:
    if error.rcvd is None:
        return ConnectionLost("The connection broke off without a goodbye.")
    return ConnectionLost(
        f"The server closed the connection ({error.rcvd.code} {error.rcvd.reason}).".replace(" )", ")"),
        code=error.rcvd.code,
        reason=error.rcvd.reason,
    )
