"""A bot with a signature, a network and a supervision of its own, in a world."""

from __future__ import annotations

import random

from timbot import Context, Plugin, Text
from timbot.im.client import Account, Client
from timbot.im.credentials import Source, from_secret_key
from timbot.im.endpoints import Endpoint
from timbot.runtime.account import AccountRunner
from timbot.runtime.activity import Observer
from timbot.runtime.dispatcher import Options
from timbot.runtime.enabled import enable
from timbot.runtime.log import get_log
from timbot.testing import PipeTransport, World
from timbot.testing.world import SDK_APP_ID, SECRET_KEY

OWN_KEY = from_secret_key(SDK_APP_ID, SECRET_KEY)


def echo() -> Plugin:
    bot = Plugin("echo")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        return f"heard {ctx.text}"

    return bot


class Bots(World):
    """A world in which bots are made one by one. Leaving it ends what they have opened."""

    def client(self, user_id: str, source: Source = OWN_KEY) -> Client:
        """A client that nobody has logged in yet."""
        transport = PipeTransport(self.sandbox.serve, faults=self.faults, name=user_id)
        self._transports.append(transport)
        return Client(
            Account(SDK_APP_ID, user_id, source),
            endpoint=Endpoint("world", ("ws://world",)),
            transport=transport,
            clock=self.clock,
            chance=random.Random(self.chance.random()),
        )

    def runner(self, user_id: str, source: Source = OWN_KEY, *, observer: Observer | None = None) -> AccountRunner:
        """A bot that echoes, not started yet."""
        observers = [self] if observer is None else [self, observer]
        return AccountRunner(
            self.client(user_id, source), [enable(echo(), None)], get_log(), Options(loop_guard=0), observers=observers
        )
