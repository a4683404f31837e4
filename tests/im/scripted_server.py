"""A TIM server that does what a test says, one connection at a time, over the in-memory pipe.

It shares nothing with the sandbox: frames are JSON objects, answers are dictionaries. What came in is kept in `frames`;
`answers` says what to give back for a command, and `SILENT` that nothing is.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from timbot.im.credentials import Credentials, Source, from_secret_key
from timbot.im.endpoints import Endpoint
from timbot.im.exchange import Ticket
from timbot.im.happenings import Happening, Synced
from timbot.im.session import Session, Timing
from timbot.im.wire.commands.base import Command, Empty
from timbot.im.wire.envelope import Answer
from timbot.testing import Faults, Line, PipeConnection, PipeTransport, VirtualLoop

APP: Final = 1400000000
KEY: Final = "a-key-nobody-else-has"
READ: Final = Command("test.read", Empty, Answer)
WRITE: Final = Command("test.write", Empty, Answer, changes=True)

LOGIN: Final = "im_open_status.wslogin"
LOGOUT: Final = "im_open_status.wslogout"
HELLO: Final = "im_open_status.wshello"
ALIVE: Final = "heartbeat.alive"
GETMSG: Final = "openim.getmsg"
ACK: Final = "openim.ws_msg_push_ack"
PUSH: Final = "im_open_push.msg_push"
OFFLINE: Final = "im_open_status.stat_forceoffline"

Body = dict[str, Any]
Ask = Command[Empty, Answer]
Answers = Body | Callable[["Frame"], Body | None] | None
SILENT: Final[Answers] = None

T = TypeVar("T", bound=Happening)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that came in: on which connection (from 1), when (virtual seconds), and what it said."""

    connection: int
    at: float
    head: Body
    body: Body

    @property
    def servcmd(self) -> str:
        return str(self.head["servcmd"])


def refusal(code: int, info: str = "no", **fields: object) -> Body:
    return {"ActionStatus": "FAIL", "ErrorCode": code, "ErrorInfo": info, **fields}


def c2c(text: str, *, sender: str = "alice", seq: int = 1, random: int = 1, time: int = 1767571300, **more: object) -> Body:
    """A C2C message to the bot, as it is pushed and listed."""
    return {
        "From_Account": sender,
        "To_Account": "bot",
        "MsgSeq": seq,
        "MsgRandom": random,
        "MsgTimeStamp": time,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
        **more,
    }


def kick(kind: int = 1) -> Body:
    """An item that says this login was ended."""
    return {"Event": 10, "C2cNotifyMsgArray": [{"KickoutMsgNotify": {"KickType": kind, "NewInstInfo": {}}}]}


class ScriptedServer:
    """The server, and the account that logs in to it."""

    def __init__(self, *, line: Line | None = None) -> None:
        self.faults = Faults()
        self.transport = PipeTransport(self._serve, line=line, faults=self.faults)
        self.frames: list[Frame] = []
        self.connections: list[PipeConnection] = []
        self.hello_interval = 120
        self._arrived = asyncio.Event()
        self.answers: dict[str, Answers] = {
            LOGIN: self.login_answer,
            LOGOUT: {},
            HELLO: {},
            ALIVE: {},
            GETMSG: {"Cookie": "cookie", "SyncFlag": 2, "MsgList": []},
            ACK: SILENT,
            READ.name: {},
            WRITE.name: {},
        }

    def login_answer(self, _frame: Frame | None = None) -> Body:
        """A ticket that names the login it came from."""
        number = len(self.seen(LOGIN))
        now = int(VirtualLoop.running().clock.now())
        ticket = {"A2Key": f"a2-{number}", "TinyId": "144115", "InstId": number}
        return {**ticket, "HelloInterval": self.hello_interval, "TimeStamp": now}

    # What came in

    def seen(self, command: str) -> list[Frame]:
        return [frame for frame in self.frames if frame.servcmd == command]

    def commands(self, connection: int = 0) -> list[str]:
        """What was asked, in order; of one connection if a number is given."""
        return [frame.servcmd for frame in self.frames if connection in (0, frame.connection)]

    async def expect(self, command: str, number: int = 1, *, within: float = 2000.0) -> Frame:
        """Wait for the `number`-th frame of a command."""
        async with asyncio.timeout(within):
            while len(self.seen(command)) < number:
                self._arrived.clear()
                await self._arrived.wait()
        return self.seen(command)[number - 1]

    # What goes out

    @property
    def newest(self) -> PipeConnection:
        return self.connections[-1]

    async def say(self, raw: bytes | Body) -> None:
        """Send a frame on the newest connection."""
        await self.newest.send(raw if isinstance(raw, bytes) else json.dumps(raw).encode())

    async def answer(self, frame: Frame, body: Body) -> None:
        """Answer a request, on the newest connection."""
        await self.say({"head": {"servcmd": frame.servcmd, "seq": frame.head["seq"]}, "body": body})

    async def push(self, *items: Body, servcmd: str = PUSH, **fields: object) -> None:
        await self.say({"head": {"servcmd": servcmd, "seq": 1}, "body": {"EventArray": list(items), **fields}})

    async def push_messages(self, *messages: Body, **fields: Any) -> None:
        await self.push({"Event": 9, "C2cMsgArray": list(messages)}, **fields)

    # The other end

    def session(
        self,
        source: Source | None = None,
        *,
        timing: Timing | None = None,
        backlog: int = 1000,
        seed: int = 1,
        cookie: str = "",
    ) -> Session:
        """A session of `bot` that is not started yet."""
        return Session(
            Ticket(APP, "bot"),
            Credentials("bot", source or from_secret_key(APP, KEY)),
            Endpoint("scripted", ("ws://one", "ws://two")),
            transport=self.transport,
            clock=VirtualLoop.running().clock,
            chance=random.Random(seed),
            timing=timing,
            backlog=backlog,
            cookie=cookie,
        )

    async def _serve(self, connection: PipeConnection, _url: str) -> None:
        self.connections.append(connection)
        number = len(self.connections)
        while True:
            raw = json.loads(await connection.receive())
            frame = Frame(number, asyncio.get_running_loop().time(), raw["head"], raw["body"])
            self.frames.append(frame)
            self._arrived.set()
            answer = self.answers.get(frame.servcmd)
            body = answer(frame) if callable(answer) else answer
            if body is not None:
                head = {"servcmd": frame.servcmd, "seq": frame.head["seq"]}
                await connection.send(json.dumps({"head": head, "body": body}).encode())


class Watch:
    """Reads a session's happenings as they come. `keeps`: pages count as kept at once."""

    def __init__(self, session: Session, *, keeps: bool = True) -> None:
        self.keeps = keeps
        self.happenings: list[Happening] = []
        self._arrived = asyncio.Event()
        self._task = asyncio.create_task(self._read(session), name="watch")

    def of(self, kind: type[T]) -> list[T]:
        return [happening for happening in self.happenings if isinstance(happening, kind)]

    def names(self) -> list[str]:
        return [type(happening).__name__ for happening in self.happenings]

    async def expect(self, kind: type[T], number: int = 1, *, within: float = 2000.0) -> T:
        """Wait for the `number`-th happening of a kind."""
        async with asyncio.timeout(within):
            while len(self.of(kind)) < number:
                self._arrived.clear()
                await self._arrived.wait()
        return self.of(kind)[number - 1]

    async def ended(self) -> None:
        """Wait until the session says no more."""
        async with asyncio.timeout(2000):
            await asyncio.shield(self._task)

    async def _read(self, session: Session) -> None:
        async for happening in session.happenings():
            self.happenings.append(happening)
            self._arrived.set()
            if self.keeps and isinstance(happening, Synced):
                happening.keep()


@asynccontextmanager
async def logged_in(server: ScriptedServer, **options: Any) -> AsyncIterator[tuple[Session, Watch]]:
    """A started session and its watch; closed in the end, and nothing may be left over."""
    session = server.session(**options)
    watch = Watch(session)
    await session.start()
    try:
        yield session, watch
    finally:
        await session.close()
        await watch.ended()


def tasks_besides_this() -> list[str]:
    """The names of all other tasks, those of the pipe's servers apart."""
    current = asyncio.current_task()
    return sorted(task.get_name() for task in asyncio.all_tasks() if task is not current and "-server-" not in task.get_name())


def timers() -> list[asyncio.TimerHandle]:
    """Timers that are still set."""
    return [timer for timer in VirtualLoop.running()._scheduled if not timer.cancelled()]


async def settle(turns: int = 50) -> None:
    """Let everything run that can run now, without time passing."""
    for _ in range(turns):
        await asyncio.sleep(0)


def now() -> float:
    return asyncio.get_running_loop().time()
