"""One connection as the server holds it: a bounded queue out, and a task that writes it.

Whoever has something to say to a client puts it into the queue and goes on; only the line's own task waits for the
network. A client that does not read fills its own queue and loses its own connection, and nobody else notices.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import Final

from timbot.errors import ConnectionLost
from timbot.im.transport import Connection
from timbot.sandbox.auth import Strikes
from timbot.sandbox.dialect import dialect_of

log = logging.getLogger(__name__)

YOUNGEST: Final = 1.0
"""Seconds a socket lives at least: clients take one that closes earlier for a server that is down."""

TRY_AGAIN_LATER: Final = 1013
GOING_AWAY: Final = 1001


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait to be written to one connection; above it the connection is closed with 1013."""

    frames: int = 2000
    size: int = 16 * 1024 * 1024
    """Bytes."""


class Line:
    """A connection with its outgoing queue. `number` names it in logs; `owner` is whose login it carries; `url` is where the
    client found the server."""

    def __init__(self, connection: Connection, number: int, bounds: Bounds, url: str = "") -> None:
        self.number = number
        self.url = url
        self.dialect = dialect_of(url)
        self.strikes = Strikes()
        self.owner: tuple[str, int] | None = None
        self.ended = ""
        """Why this side has closed it; empty while it is open."""
        self._connection = connection
        self._bounds = bounds
        self._queue: deque[bytes] = deque()
        self._size = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._accepted = asyncio.get_running_loop().time()
        self._writer = asyncio.create_task(self._write(), name=f"sandbox line {number} writer")
        self._closer: asyncio.Task[None] | None = None

    def send(self, frame: bytes) -> None:
        """Queue a frame; never waits. Beyond the bound the line ends."""
        if self.ended:
            return
        self._queue.append(frame)
        self._size += len(frame)
        self._news.set()
        full = self._size > self._bounds.size and len(self._queue) > 1
        if full or len(self._queue) > self._bounds.frames:
            log.warning("connection %d does not read: %d frames, %d bytes waited", self.number, len(self._queue), self._size)
            self.end(TRY_AGAIN_LATER, "you do not read what is sent to you")

    async def receive(self) -> bytes:
        """The next request. Waits while half the queue is full: a client has to read its answers to be heard.

        Raises `ConnectionLost`.
        """
        while not self.ended and (2 * len(self._queue) > self._bounds.frames or 2 * self._size > self._bounds.size):
            self._room.clear()
            await self._room.wait()
        return await self._connection.receive()

    def end(self, code: int, reason: str) -> None:
        """Close from this side, at once or as soon as the socket is old enough. What is queued is lost."""
        if self.ended:
            return
        self.ended = reason
        self._forget_queue()
        self._closer = asyncio.create_task(self._close(code, reason), name=f"sandbox line {self.number} closer")

    async def hang_up(self, code: int, reason: str) -> None:
        """Close now, however young the socket is, and stop writing."""
        self.ended = self.ended or reason
        self._forget_queue()
        await _stop(self._writer, self._closer)
        await self._connection.close(code, reason)

    async def _write(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._queue:
                frame = self._queue.popleft()
                self._size -= len(frame)
                self._room.set()
                try:
                    await self._connection.send(frame)
                except ConnectionLost:
                    self._forget_queue()
                    return  # the reader hears of it too, and it owns the end

    def _forget_queue(self) -> None:
        self._queue.clear()
        self._size = 0
        self._room.set()

    async def _close(self, code: int, reason: str) -> None:
        age = asyncio.get_running_loop().time() - self._accepted
        if age < YOUNGEST:
            await asyncio.sleep(YOUNGEST - age)
        await self._connection.close(code, reason)


async def _stop(*tasks: asyncio.Task[None] | None) -> None:
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    for task, outcome in zip(running, await asyncio.gather(*running, return_exceptions=True), strict=True):
        if isinstance(outcome, Exception):
            log.error("%s failed", task.get_name(), exc_info=outcome)
