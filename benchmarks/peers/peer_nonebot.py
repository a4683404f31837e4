# mypy: disable-error-code="import-not-found,untyped-decorator,misc"
"""NoneBot2 with its OneBot v11 adapter, connected forward: a WebSocket client of our own in place of the driver's."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import nonebot
from nonebot.adapters.onebot.v11 import Adapter, MessageEvent
from nonebot.drivers import Request, WebSocket, WebSocketClientMixin
from nonebot.params import ArgPlainText

from benchmarks.peers.far_end import FarEnd

_far: list[FarEnd] = []
"""The far end: the framework makes its driver, and so the socket, by name."""


class Socket(WebSocket):
    """The OneBot side of the connection. There is nothing to acknowledge: what is handed over is gone."""

    def __init__(self, far: FarEnd, request: Request) -> None:
        super().__init__(request=request)
        self._far = far
        self._answers: deque[str] = deque()
        self._answered = asyncio.Event()
        self._greeted = False
        self._open = True

    @property
    def closed(self) -> bool:
        """Whether it was closed from our side."""
        return not self._open

    async def accept(self) -> None:
        """Only for servers."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it."""
        self._open = False

    async def receive(self) -> str:
        """The next frame: an answer to a call, or a user's message."""
        if not self._greeted:
            self._greeted = True
            return json.dumps(
                {**self._base(), "post_type": "meta_event", "meta_event_type": "lifecycle", "sub_type": "connect"}
            )
        self._far.connected()
        while not self._answers and not self._far.unread:
            self._answered.clear()
            reading = asyncio.ensure_future(self._answered.wait())
            news = asyncio.ensure_future(self._far.news())
            await asyncio.wait({reading, news}, return_when=asyncio.FIRST_COMPLETED)
            reading.cancel()
            news.cancel()
        if self._answers:
            return self._answers.popleft()
        (said,) = await self._far.take()
        self._far.acknowledge(said.number)
        event = {
            **self._base(),
            "post_type": "message",
            "message_type": "private",
            "sub_type": "friend",
            "message_id": said.number,
            "user_id": said.user,
            "message": "/start" if said.text == "start" else said.text,
            "raw_message": said.text,
            "font": 0,
            "sender": {"user_id": said.user, "nickname": "u"},
        }
        return json.dumps(event)

    async def receive_text(self) -> str:
        """The same."""
        return await self.receive()

    async def receive_bytes(self) -> bytes:
        """Frames are text."""
        return (await self.receive()).encode()

    async def send_text(self, data: str) -> None:
        """A call of the bot; its answer comes with the frames."""
        call = json.loads(data)
        text = "".join(part["data"].get("text", "") for part in call["params"].get("message", []))
        task = asyncio.ensure_future(self._carry_out(int(call["params"].get("user_id", 0)), text, call["echo"]))
        _calls.add(task)
        task.add_done_callback(_calls.discard)

    async def send_bytes(self, data: bytes) -> None:
        """The same."""
        await self.send_text(data.decode())

    async def _carry_out(self, user: int, text: str, echo: str) -> None:
        await self._far.receive(user, text)
        self._answers.append(json.dumps({"status": "ok", "retcode": 0, "data": {"message_id": 1}, "echo": echo}))
        self._answered.set()

    @staticmethod
    def _base() -> dict[str, Any]:
        return {"time": 1, "self_id": 1}


_calls: set[asyncio.Future[None]] = set()


class Mixin(WebSocketClientMixin):
    """Joined to the framework's own driver."""

    @property
    def type(self) -> str:
        """A name for the log."""
        return "memory"

    @asynccontextmanager
    async def websocket(self, setup: Request) -> AsyncGenerator[WebSocket, None]:
        """A connection."""
        yield Socket(_far[0], setup)


def run(far: FarEnd, config: str) -> None:
    """Run the bot until it is stopped."""
    _far.append(far)
    driver = "~none+benchmarks.peers.peer_nonebot:Mixin"
    nonebot.init(driver=driver, onebot_ws_urls=["ws://127.0.0.1/"], log_level="CRITICAL", _env_file=None)
    nonebot.get_driver().register_adapter(Adapter)
    if config == "single_session":
        nonebot.load_builtin_plugin("single_session")

    start = nonebot.on_command("start", block=True)

    @start.got("name", prompt="name?")
    async def name() -> None:
        await far.save()

    @start.got("age", prompt="age?")
    async def age(name: str = ArgPlainText(), age: str = ArgPlainText()) -> None:
        await start.finish(f"{name}, {age}")

    work = nonebot.on_startswith("work ")

    @work.handle()
    async def working(event: MessageEvent) -> None:
        await work.finish(await far.work(event.user_id, event.get_plaintext()))

    nonebot.run()
