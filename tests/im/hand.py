"""A reader of deliveries in the hands of a test, and what the server is asked meanwhile."""

from __future__ import annotations

import asyncio

from mortal_bot import Mortals

from timbot.im.client import Client
from timbot.im.delivery import Delivery, Memory
from timbot.im.model import events as model
from timbot.sandbox.observe import Handled


class Hand:
    """Reads the deliveries of a client and accepts them when it is told to."""

    def __init__(self, mortals: Mortals, memory: Memory | None = None) -> None:
        mortals.life = None
        self.journal = mortals.journal
        self.client: Client = mortals.client(memory)
        self.read: list[Delivery] = []
        self.accepts = True
        self._deliveries = self.client.deliveries()
        self._reader = asyncio.create_task(self._read(), name="hand")

    async def __aenter__(self) -> Hand:
        await self.client.login()
        await asyncio.sleep(10)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.logout()
        await asyncio.wait({self._reader})

    async def _read(self) -> None:
        async for delivery in self._deliveries:
            self.read.append(delivery)
            if self.accepts:
                self.journal.take(delivery)
                await delivery.accept()

    def forget(self) -> None:
        self.read.clear()

    @property
    def events(self) -> list[model.Event]:
        return [arrival.event for delivery in self.read for arrival in delivery.arrivals]


async def chatter(mortals: Mortals, *, days: int, messages: int) -> None:
    """So much is said in a group every day, as fast as it takes it."""
    for _ in range(days):
        for _ in range(messages // 40):
            await mortals.group("g", 40)
            await asyncio.sleep(1)
        await asyncio.sleep(86_400 - messages // 40)


class Wire:
    """Counts what the server is asked."""

    def __init__(self, mortals: Mortals) -> None:
        self._observer = mortals.sandbox.observe()
        self.commands: list[str] = []
        self._task = asyncio.create_task(self._watch(), name="wire")

    async def _watch(self) -> None:
        async for happening in self._observer:
            if isinstance(happening, Handled):
                self.commands.append(happening.done.command)

    def count(self, command: str) -> int:
        return self.commands.count(command)
