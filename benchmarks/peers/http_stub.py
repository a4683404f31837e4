# mypy: disable-error-code="import-not-found,untyped-decorator,misc"
"""A stand-in for `aiohttp.ClientSession`, for the two frameworks that make their own: requests and one WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from benchmarks.peers.far_end import FarEnd, Said

Answer = Callable[[str, str, dict[str, Any]], Awaitable[Any]]
"""The result of a request, from its verb, its address and its arguments."""


class Reply:
    """An answered request."""

    status = 200
    content_type = "application/json"
    headers = {"content-type": "application/json", "Content-Type": "application/json"}  # noqa: RUF012 - never changed

    def __init__(self, answer: Awaitable[Any]) -> None:
        self._answer = answer
        self._body: Any = None

    async def __aenter__(self) -> Reply:
        self._body = await self._answer
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to give back."""

    async def json(self, **_: Any) -> Any:
        """The body."""
        return self._body

    async def text(self, **_: Any) -> str:
        """The body, not yet read."""
        return json.dumps(self._body)


class Socket:
    """The framework's end of a WebSocket: frames of the server first, then the users' messages."""

    def __init__(self, far: FarEnd, frame: Callable[[Said], str], told: Callable[[str, Socket], None]) -> None:
        self.closed = False
        self.close_code: int | None = None
        self._far = far
        self._frame = frame
        self._told = told
        self._first: deque[aiohttp.WSMessage] = deque()
        self._news = asyncio.Event()

    def push(self, data: Any, kind: aiohttp.WSMsgType = aiohttp.WSMsgType.TEXT) -> None:
        """A frame of the server's own; it goes before messages."""
        self._first.append(aiohttp.WSMessage(kind, data, None))
        self._news.set()

    async def receive(self, timeout: float | None = None) -> aiohttp.WSMessage:
        """The next frame."""
        async with asyncio.timeout(timeout):
            while not self._first and not self._far.unread and not self.closed:
                self._news.clear()
                waits = [asyncio.ensure_future(self._news.wait()), asyncio.ensure_future(self._far.news())]
                try:
                    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for wait in waits:
                        wait.cancel()
        if self.closed:
            return aiohttp.WSMessage(aiohttp.WSMsgType.CLOSED, None, None)
        if self._first:
            return self._first.popleft()
        (said,) = await self._far.take()
        return aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, self._frame(said), None)

    async def send_str(self, data: str, *_: Any) -> None:
        """A frame of the framework."""
        self._told(data, self)

    async def ping(self, data: bytes = b"") -> None:
        """Answered at once."""
        self.push(data, aiohttp.WSMsgType.PONG)

    async def pong(self, data: bytes = b"") -> None:
        """Nobody waits for it."""

    async def close(self, *, code: int = 1000, message: bytes = b"") -> bool:
        """Close it."""
        self.closed, self.close_code = True, code
        self._news.set()
        return True


def install(answer: Answer, connect: Callable[[], Socket]) -> None:
    """Let every `aiohttp.ClientSession` made from now on in this process be ours."""

    class Session:
        def __init__(self, *_: Any, **__: Any) -> None:
            self.closed = False

        def request(self, verb: str, url: str, **arguments: Any) -> Reply:
            return Reply(answer(verb, url, arguments))

        async def ws_connect(self, *_: Any, **__: Any) -> Socket:
            return connect()

        async def close(self) -> None:
            self.closed = True

    aiohttp.ClientSession = Session
