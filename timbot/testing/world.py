"""`World`: a bot, a TIM server and people who talk, in one process on virtual time.

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("hello") == ["Hello, ann!"]

The real client speaks to the real sandbox; only the network is in memory and the clock is virtual. Nothing waits in real
time: an hour passes as soon as nobody has anything to do before it is over.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from timbot.errors import ConfigError
from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import Endpoint
from timbot.im.model import events as model
from timbot.im.model.message import ConversationType, Message
from timbot.im.model.payloads import Payload, Text
from timbot.routing.plugin import Plugin
from timbot.runtime.account import AccountRunner
from timbot.runtime.activity import Activity
from timbot.runtime.dispatcher import Options
from timbot.runtime.enabled import enable
from timbot.runtime.journal.sqlite import SqliteJournal
from timbot.runtime.log import get_log
from timbot.sandbox.domain import Settings
from timbot.sandbox.hub import Sandbox
from timbot.store import Database
from timbot.testing.death import MortalJournal
from timbot.testing.faults import Faults
from timbot.testing.loop import VirtualClock, VirtualLoop
from timbot.testing.pipe import Line, PipeTransport

if TYPE_CHECKING:
    from pydantic import JsonValue

SECRET_KEY: Final = "the-key-of-a-world-that-is-not-there"  # noqa: S105 - it opens nothing else
SDK_APP_ID: Final = 1400000000
STEP: Final = 0.5
"""Virtual seconds between two looks whether everybody is done."""

PATIENCE: Final = 60.0
"""Virtual seconds `says` waits for a bot that is still at it."""

_ENDPOINT: Final = Endpoint("world", ("ws://world",))

Said = str | Payload
"""What was said: a text as `str`, anything else as its payload."""


class Person:
    """Somebody who talks with the bot, through a client of their own."""

    def __init__(self, world: World, client: Client) -> None:
        self.world = world
        self.client = client
        self.user_id = client.user_id
        self.events: list[model.Event] = []
        """Everything this client was told, in order."""
        self._listener = asyncio.create_task(self._listen(), name=f"world: {client.user_id} listens")
        self._answered = 0

    async def says(self, text: str, *, to: str = "", group: str = "", mention: bool = False) -> list[Said]:
        """Say something to the bot (or `to` somebody, or in a `group`, where `mention` names the bot). What came back."""
        await self.send(Text(text), to=to, group=group, mention=mention)
        return await self.answers()

    async def sends(self, payload: Payload, *, to: str = "", group: str = "") -> list[Said]:
        """Like `says`, for other payloads."""
        await self.send(payload, to=to, group=group)
        return await self.answers()

    async def burst(self, texts: Sequence[str], *, to: str = "", group: str = "") -> list[Said]:
        """Say many things without waiting in between. What came back once it is quiet again."""
        for text in texts:
            await self.send(Text(text), to=to, group=group)
        return await self.answers()

    async def expect(self, *said: Said) -> None:
        """Check that exactly this has come back since the last look, in this order."""
        got = await self.answers()
        assert got == list(said), f"{self.user_id} expected {list(said)} and got {got}"

    async def send(self, payload: Payload, *, to: str = "", group: str = "", mention: bool = False) -> Message:
        """Send without waiting for an answer."""
        bot = self.world.bot_id
        if isinstance(payload, Text) and mention:
            return await self.client.send_message(self.client.create_text_at_message(group, f"@{bot} {payload.text}", [bot]))
        kind = ConversationType.GROUP if group else ConversationType.C2C
        return await self.client.send_message(self.client.create_message(group or to or bot, kind, payload))

    async def answers(self) -> list[Said]:
        """What others have said since the last look, once it is quiet."""
        await self.world.settle()
        messages = self.received()
        new = messages[self._answered :]
        self._answered = len(messages)
        return [message.payload.text if isinstance(message.payload, Text) else message.payload for message in new]

    def received(self) -> list[Message]:
        """All messages received so far, in order."""
        return [event.message for event in self.events if isinstance(event, model.MessageReceived)]

    async def leave(self) -> None:
        """Log out."""
        await self.client.logout()
        await asyncio.wait({self._listener})

    async def _listen(self) -> None:
        async for event in self.client.events():
            self.events.append(event)


@dataclass(frozen=True, slots=True)
class _Bot:
    """What a bot is made from, each time it is started."""

    user_id: str
    plugins: tuple[Plugin, ...]
    options: Options | None
    faults: Faults | None


class World:
    """A sandbox, a bot with these plugins, and people.

    `users` exist from the start. `seed` decides everything random. `settings` are the server's, `options` the bot's; `line`
    is how the bot is wired (latency, jitter). `configs` are settings of plugins by their names, as they would stand in YAML.
    `durable`: whether the bots keep a journal, and so survive `restart`.
    `faults` works on the bot's connection. Several bots: `add_bot`. `activity` is what the bots' handlers and jobs did.
    """

    def __init__(
        self,
        *plugins: Plugin,
        users: Iterable[str] = ("alice", "bob"),
        bot_id: str = "bot",
        seed: int = 0,
        settings: Settings | None = None,
        options: Options | None = None,
        line: Line | None = None,
        durable: bool = True,
        configs: Mapping[str, Mapping[str, JsonValue]] | None = None,
    ) -> None:
        self.bot_id = bot_id
        self.chance = random.Random(seed)
        self.faults = Faults(random.Random(self.chance.random()))
        self._plugins = plugins
        self._users = tuple(users)
        self._settings = settings
        self._options = options
        self._line = line
        self._durable = durable
        self._configs = configs or {}
        self._people: dict[str, Person] = {}
        self._transports: list[PipeTransport] = []
        self._runners: list[AccountRunner] = []
        self._made: dict[str, AccountRunner] = {}
        self._bots: dict[str, _Bot] = {}
        self._mortal: dict[str, MortalJournal] = {}
        self.activity: list[Activity] = []

    async def __aenter__(self) -> Self:
        clock = self.clock
        unknown = set(self._configs) - {plugin.name for plugin in self._plugins}
        if unknown:
            raise ConfigError(
                f"'configs' has settings for {', '.join(sorted(unknown))}, and there is no such plugin here.",
                hint=f"There is {', '.join(plugin.name for plugin in self._plugins) or 'none'}.",
            )
        self.database = await Database.memory()
        self.sandbox = Sandbox(
            SECRET_KEY,
            sdk_app_id=SDK_APP_ID,
            users=(self.bot_id, *self._users),
            now=clock.now,
            chance=random.Random(self.chance.random()),
            settings=self._settings,
        )
        try:
            self.bot = await self.add_bot(self.bot_id, *self._plugins, options=self._options, faults=self.faults)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        for person in self._people.values():
            await person.leave()
        for runner in self._runners:
            await runner.stop(grace=0.0)
        await self.sandbox.stop()
        for transport in self._transports:
            await transport.aclose()
        await self.database.close()

    def heard(self, account: str, event: model.Event) -> None:
        """An `Observer`'s: the people's own events are looked at instead."""

    def did(self, activity: Activity) -> None:
        """A handler or a job of one of the bots has ended."""
        if activity.route:
            self.activity.append(activity)

    def said(self, account: str, plugin: str, message: Message) -> None:
        """What the bots say of their own accord is seen where it arrives."""

    @property
    def clock(self) -> VirtualClock:
        """The time in this world."""
        return VirtualLoop.running().clock

    async def add_bot(
        self, user_id: str, *plugins: Plugin, options: Options | None = None, faults: Faults | None = None
    ) -> AccountRunner:
        """Another bot account, logged in and ready."""
        made = _Bot(user_id, plugins, options, faults)
        runner = self._made[user_id] = await self._start(made)
        self._bots[user_id] = made
        await runner.ready.wait()
        return runner

    async def restart(self, user_id: str = "", *plugins: Plugin) -> AccountRunner:
        """Let a bot (the first, if none is named) die as by `kill -9`, and start it again on what it has written down.

        `plugins`: what it runs from then on, if that has changed. `wait` for `ready` of what is returned, or `settle`.
        """
        bot = user_id or self.bot_id
        if bot in self._made:
            self.kill(bot)
        made = self._bots[bot]
        if plugins:
            made = self._bots[bot] = replace(made, plugins=plugins)
        runner = self._made[bot] = await self._start(made)
        if bot == self.bot_id:
            self.bot = runner
        return runner

    def kill(self, user_id: str = "") -> None:
        """Let a bot die as by `kill -9`: no handler gets a word more, and nobody says goodbye."""
        runner = self._made.pop(user_id or self.bot_id)
        self._runners.remove(runner)
        self._mortal[user_id or self.bot_id].die()
        runner.abandon()

    async def _start(self, bot: _Bot) -> AccountRunner:
        journal = None
        if self._durable:
            journal = self._mortal[bot.user_id] = MortalJournal(SqliteJournal(self.database, bot.user_id, clock=self.clock))
        client = self._client(bot.user_id, faults=bot.faults, line=self._line)
        runner = AccountRunner(
            client,
            [enable(plugin, self._configs.get(plugin.name)) for plugin in bot.plugins],
            get_log(),
            bot.options,
            key=bot.user_id,
            database=self.database,
            journal=journal,
            observers=[self],
        )
        self._runners.append(runner)
        await runner.start()
        return runner

    async def user(self, user_id: str) -> Person:
        """Somebody, logged in and ready; the same one each time."""
        if user_id not in self._people:
            client = self._client(user_id)
            await client.login()
            self._people[user_id] = Person(self, client)
            await self.settle()
        return self._people[user_id]

    async def settle(self, patience: float = PATIENCE) -> None:
        """Let things happen until nobody has heard anything new and no handler is at it, or `patience` seconds are over."""
        until = self.clock.monotonic() + patience
        quiet = 0
        while quiet < 2 and self.clock.monotonic() < until:
            before = self._heard()
            await asyncio.sleep(STEP)
            busy = any(runner.busy for runner in self._runners) or self._heard() != before
            quiet = 0 if busy else quiet + 1

    def cut(self) -> None:
        """Cut the bot's connection, as a network would: without a word."""
        self.faults.cut()

    def _heard(self) -> int:
        return sum(len(person.events) for person in self._people.values())

    def _client(self, user_id: str, *, faults: Faults | None = None, line: Line | None = None) -> Client:
        transport = PipeTransport(self.sandbox.serve, line=line, faults=faults, name=f"world: {user_id}")
        self._transports.append(transport)
        return Client(
            Account(SDK_APP_ID, user_id, from_secret_key(SDK_APP_ID, SECRET_KEY)),
            endpoint=_ENDPOINT,
            transport=transport,
            clock=self.clock,
            chance=random.Random(self.chance.random()),
        )
