"""A town of official SDKs: timbot's sandbox behind a real socket, and what tests do there often."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

from timbot.im.transport import Connection
from timbot.im.wire.elements import TextElem, seal_element
from timbot.sandbox import Sandbox, Settings
from timbot.sandbox.asgi import SandboxServer

from .sdk import V2_14, Generation, Message, Sdk, Seat, frames

KEY = "0123456789abcdef" * 4


class Clock:
    """The server's clock, which a test puts forward instead of waiting."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        return time.time() + self._ahead

    def skip(self, seconds: float) -> None:
        self._ahead += seconds


class Town:
    """A sandbox behind a listener, and the SDK process with its seats."""

    def __init__(self, sandbox: Sandbox, sdk: Sdk, port: int, clock: Clock) -> None:
        self.sandbox = sandbox
        self.sdk = sdk
        self.port = port
        self.clock = clock
        self.seats: list[Seat] = []
        self._numbers = itertools.count(1000)

    async def seat(self, name: str, user: str | None = None) -> Seat:
        seat = await self.sdk.seat(name, port=self.port, user_id=user or name)
        self.seats.append(seat)
        return seat

    async def enter(self, name: str, user: str | None = None) -> Seat:
        seat = await self.seat(name, user)
        await self.login(seat)
        return seat

    async def fresh(self, user: str) -> Seat:
        """A seat that remembers nothing; it kicks the one before out."""
        return await self.enter(f"{user} anew", user)

    async def login(self, seat: Seat) -> None:
        await seat.login(self.sandbox.usersig(seat.user_id))
        await seat.ready()
        await settled(seat)

    def say_c2c(self, sender: str, receiver: str, text: str) -> None:
        """A message that takes no seat and no time."""
        number = next(self._numbers)
        body = [seal_element(TextElem(text=text))]
        self.sandbox.domain.chats.send(sender, receiver, body, size=len(text), sequence=number, random=number)
        self.sandbox.flush()


class Door:
    """The server that `timbot sandbox` runs, on a free port of the loopback, before whichever sandbox stands behind it.

    Stopping it takes a fifth of a second, so the tests of a file share one.
    """

    def __init__(self) -> None:
        self._server = SandboxServer(self._serve, port=0)
        self._sandbox: Sandbox | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncIterator[Self]:
        door = cls()
        await door._server.start()
        try:
            yield door
        finally:
            await door._server.stop()

    @contextlib.asynccontextmanager
    async def before(self, sandbox: Sandbox) -> AsyncIterator[int]:
        """The port at which this sandbox is found until the end of the block; then it is stopped."""
        self._sandbox = sandbox
        try:
            yield self._server.port
        finally:
            self._sandbox = None
            await sandbox.stop()

    async def _serve(self, connection: Connection, url: str) -> None:
        if self._sandbox is not None:
            await self._sandbox.serve(connection, url)


@contextlib.asynccontextmanager
async def listening(sandbox: Sandbox) -> AsyncIterator[int]:
    """The port of a server of its own before this sandbox."""
    async with Door.open() as door, door.before(sandbox) as port:
        yield port


@contextlib.asynccontextmanager
async def open_town(settings: Settings, generation: Generation = V2_14, door: Door | None = None) -> AsyncIterator[Town]:
    """A town in which, at the end, no seat may have thrown anything."""
    clock, users = Clock(), ("alice", "bob", "carol", "dave")
    sandbox = Sandbox(KEY, users=users, now=clock.now, chance=random.Random(7), settings=settings)
    entrance = listening(sandbox) if door is None else door.before(sandbox)
    async with entrance as port, Sdk.start(generation) as sdk:
        town = Town(sandbox, sdk, port, clock)
        yield town
        thrown = [(seat.name, seat.warnings) for seat in town.seats if seat.warnings]
        assert not thrown, thrown


async def settled(seat: Seat) -> None:
    """Waits until the SDK has no question open. A kick that meets one makes it throw, as 2.14.0 does everywhere."""
    for _ in range(500):
        wire = await seat.wire(peek=True)
        asked = {frame["head"]["seq"] for frame in frames(wire, "out") if "push_ack" not in frame["head"]["servcmd"]}
        if asked <= {frame["head"]["seq"] for frame in frames(wire, "in")}:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{seat} waits for an answer")


async def befriend(asker: Seat, answerer: Seat) -> None:
    await asker.call("addFriend", {"to": answerer.user_id, "source": "AddSource_Type_Web", "type": "Add_Type_Both"})
    await answerer.expect("onFriendApplicationListUpdated", where=lambda data: data["unreadCount"] == 1)
    await answerer.call("acceptFriendApplication", {"userID": asker.user_id, "type": "Response_Action_AgreeAndAdd"})


async def make_group(owner: Seat, kind: str, *members: str, group_id: str = "den", **more: Any) -> str:
    listed = {"memberList": [{"userID": member} for member in members]} if members else {}
    made = await owner.call("createGroup", {"type": kind, "name": "Den", "groupID": group_id, **listed, **more})
    found: str = made["group"]["groupID"]
    return found


async def history(seat: Seat, conversation: str) -> list[Message]:
    """All of it, oldest first, page by page."""
    found: list[Message] = []
    position: dict[str, str] = {}
    for _ in range(20):
        page = await seat.call("getMessageList", {"conversationID": conversation, "count": 15, **position})
        found = page["messageList"] + found
        if page["isCompleted"]:
            return found
        position = {"nextReqMessageID": page["nextReqMessageID"]}
    raise AssertionError("the history has no end")


def texts(messages: list[Message]) -> list[str]:
    return [message["payload"]["text"] for message in messages if "text" in message["payload"]]


async def unread(seat: Seat, conversation: str) -> int:
    for item in (await seat.call("getConversationList"))["conversationList"]:
        if item["conversationID"] == conversation:
            return int(item["unreadCount"])
    return -1


def notice(kind: int) -> Callable[[Message], bool]:
    return lambda message: message["type"] == "TIMGroupSystemNoticeElem" and message["payload"]["operationType"] == kind


def tip(kind: int) -> Callable[[Message], bool]:
    return lambda message: message["type"] == "TIMGroupTipElem" and message["payload"]["operationType"] == kind
