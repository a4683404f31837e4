"""A real network that breaks on purpose: a bot's WebSocket, cut at moments a test chooses.

A cut drops the TCP connection without a goodbye. Where it falls matters most between a request and its answer: the server
may have had the request, or not, and the client cannot know which.
"""

from __future__ import annotations

from collections.abc import Callable

from timbot.errors import ConnectionLost
from timbot.im.websocket import WebSocketConnection, WebSocketTransport

Matches = Callable[[bytes], bool]


class CuttingConnection:
    """A connection under the knife."""

    def __init__(self, inner: WebSocketConnection, network: CuttingTransport) -> None:
        self._inner = inner
        self._network = network

    async def send(self, frame: bytes) -> None:
        if self._network.falls("request lost", frame):
            self.cut()
            raise ConnectionLost("cut before the request left")
        await self._inner.send(frame)

    async def receive(self) -> bytes:
        frame = await self._inner.receive()
        if self._network.falls("answer lost", frame):
            self.cut()
            raise ConnectionLost("cut before the answer arrived")
        return frame

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._inner.close(code, reason)

    def cut(self) -> None:
        self._inner._socket.transport.abort()


class CuttingTransport:
    """Opens real WebSockets and cuts them: at once (`cut`), or at the next frame that matches (`arm`)."""

    def __init__(self) -> None:
        self._inner = WebSocketTransport()
        self._armed: list[tuple[str, Matches]] = []
        self._current: CuttingConnection | None = None
        self.cuts: list[str] = []
        """What has been cut, in order: "request lost", "answer lost" or "idle"."""

    async def connect(self, url: str) -> CuttingConnection:
        self._current = CuttingConnection(await self._inner.connect(url), self)
        return self._current

    def cut(self) -> None:
        if self._current is not None:
            self._current.cut()
            self.cuts.append("idle")

    def arm(self, where: str, matches: Matches) -> None:
        """Cut at the next frame that matches: "request lost" before it is sent, "answer lost" when it would be read."""
        self._armed.append((where, matches))

    def falls(self, where: str, frame: bytes) -> bool:
        for rule in self._armed:
            if rule[0] == where and rule[1](frame):
                self._armed.remove(rule)
                self.cuts.append(where)
                return True
        return False
