"""A sandbox and clients that talk through it, each over a network of its own that can be broken."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import Endpoint
from timbot.im.model import events as model
from timbot.im.model.message import ConversationType, Message
from timbot.im.session import Timing
from timbot.sandbox.domain import Settings
from timbot.sandbox.hub import Sandbox
from timbot.testing import Faults, PipeTransport, VirtualLoop

C2C, GROUP = ConversationType.C2C, ConversationType.GROUP
E = TypeVar("E")


class Seat:
    """One client and everything it was told."""

    def __init__(self, client: Client, transport: PipeTransport) -> None:
        self.client = client
        self.transport = transport
        self.events: list[model.Event] = []
        self._arrived = asyncio.Event()
        self._listener = asyncio.create_task(self._listen(), name=f"seat of {client.user_id}")

    @property
    def faults(self) -> Faults:
        return self.transport.faults

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def messages(self, conversation: str = "") -> list[Message]:
        found = [event.message for event in self.of(model.MessageReceived)]
        return [message for message in found if conversation in ("", message.conversation_id)]

    def texts(self, conversation: str = "") -> list[str]:
        return [message.text for message in self.messages(conversation)]

    def forget(self) -> None:
        self.events.clear()

    async def say(self, to: str, *texts: str, kind: ConversationType = C2C) -> list[Message]:
        make = self.client.create_text_message
        return [await self.client.send_message(make(to, kind, text)) for text in texts]

    async def ready(self, number: int = 1) -> None:
        """Wait for the `number`-th `Ready` since the last `forget`."""
        async with asyncio.timeout(600):
            while len(self.of(model.Ready)) < number:
                self._arrived.clear()
                await self._arrived.wait()

    async def leave(self) -> None:
        await self.client.logout()
        await asyncio.wait({self._listener})

    async def _listen(self) -> None:
        async for event in self.client.events():
            self.events.append(event)
            self._arrived.set()


class Site:
    """The server and its seats."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.clock = VirtualLoop.running().clock
        people = ("alice", "bob", "carol", "bot")
        self.sandbox = Sandbox("key", users=people, now=self.clock.now, chance=random.Random(1), settings=settings)
        self.seats: list[Seat] = []

    def client(self, user: str, **options: Any) -> tuple[Client, PipeTransport]:
        """A client that is not logged in yet."""
        transport = PipeTransport(self.sandbox.serve, faults=Faults(), name=user)
        source = from_secret_key(self.sandbox.sdk_app_id, "key")
        client = Client(
            Account(self.sandbox.sdk_app_id, user, source),
            endpoint=Endpoint("site", ("ws://site",)),
            transport=transport,
            clock=self.clock,
            chance=random.Random(len(self.seats)),
            **options,
        )
        return client, transport

    async def enter(self, user: str, *, timing: Timing | None = None, backlog: int = 1000) -> Seat:
        """Somebody logged in and ready."""
        client, transport = self.client(user, timing=timing, backlog=backlog)
        seat = Seat(client, transport)
        self.seats.append(seat)
        await client.login()
        await seat.ready()
        return seat

    async def close(self) -> None:
        for seat in self.seats:
            await seat.leave()
        await self.sandbox.stop()
        for seat in self.seats:
            await seat.transport.aclose()


@asynccontextmanager
async def open_site(settings: Settings | None = None) -> AsyncIterator[Site]:
    site = Site(settings)
    try:
        yield site
    finally:
        await site.close()


async def quiet(seconds: float = 1.0) -> None:
    """Let everything arrive."""
    await asyncio.sleep(seconds)


def pushing(text: str) -> Callable[[bytes], bool]:
    """Matches the pushes that hold a text."""
    return lambda frame: b"msg_push" in frame and text.encode() in frame


def of_command(command: str) -> Callable[[bytes], bool]:
    """Matches requests and answers of a command."""
    return lambda frame: json.loads(frame)["head"]["servcmd"] == command


def sequences(messages: Iterable[Message]) -> list[int]:
    return [message.sequence for message in messages]
