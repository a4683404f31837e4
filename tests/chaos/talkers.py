"""The people: most of them raw clients, some at official SDKs of both generations."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Final, Protocol

from tests.chaos.killer import Killer
from tests.chaos.plan import BOT, Conversation, Kind, Line, Options, Plan
from tests.chaos.town import KEY, MENTION
from tests.judge.sdk import V2_14, V2_27, Sdk, Seat
from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import Endpoint
from timbot.im.model.message import ConversationType
from timbot.sandbox import Sandbox

AT_ONCE: Final = 10
"""Logins at a time."""

QUESTION_PATIENCE: Final = 60.0
"""Seconds somebody waits at least for the bot's question before they give the conversation up."""


class Talker(Protocol):
    """Somebody who can say a line."""

    async def say(self, conversation: Conversation, line: Line) -> None: ...


class Raw:
    """Somebody with timbot's own client."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ears = asyncio.create_task(self._listen(), name=f"ears of {client.user_id}")

    async def say(self, conversation: Conversation, line: Line) -> None:
        """Say it; in a group to the bot by name, unless it is an answer."""
        if not conversation.group:
            message = self._client.create_text_message(BOT, ConversationType.C2C, line.text)
        elif line.kind is Kind.ANSWER:
            message = self._client.create_text_message(conversation.id, ConversationType.GROUP, line.text)
        else:
            message = self._client.create_text_at_message(conversation.id, f"{MENTION}{line.text}", [BOT])
        await self._client.send_message(message)

    async def _listen(self) -> None:
        async for _ in self._client.events():
            pass


class Seated:
    """Somebody at an official SDK. One call at a time, as a person types."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._turn = asyncio.Lock()

    async def say(self, conversation: Conversation, line: Line) -> None:
        """Say it; in a group to the bot by name, unless it is an answer."""
        async with self._turn:
            if not conversation.group:
                await self._seat.send_text(BOT, line.text)
            elif line.kind is Kind.ANSWER:
                await self._seat.send_text(conversation.id, line.text, group=True)
            else:
                await self._seat.send_text(conversation.id, f"{MENTION}{line.text}", group=True, at=[BOT])


@contextlib.asynccontextmanager
async def everybody(options: Options, plan: Plan, sandbox: Sandbox, port: int) -> AsyncIterator[Mapping[str, Talker]]:
    """All users of the plan, logged in."""
    talkers: dict[str, Talker] = {}
    door = asyncio.Semaphore(AT_ONCE)
    async with AsyncExitStack() as stack:
        seated = plan.users[: options.seats]
        sdks = [await stack.enter_async_context(Sdk.start(generation)) for generation in (V2_14, V2_27)] if seated else []

        async def sit(number: int, user: str) -> None:
            async with door:
                seat = await sdks[number % len(sdks)].seat(user, port=port)
                await seat.login(sandbox.usersig(user))
                await seat.ready(60)
                talkers[user] = Seated(seat)

        async def connect(user: str) -> None:
            async with door:
                account = Account(sandbox.sdk_app_id, user, from_secret_key(sandbox.sdk_app_id, KEY))
                chance = random.Random(f"client {user} {options.seed}")
                client = Client(account, endpoint=Endpoint("chaos", (f"ws://127.0.0.1:{port}",)), chance=chance)
                await client.login()
                stack.push_async_callback(client.logout)
                talkers[user] = Raw(client)

        async with asyncio.TaskGroup() as group:
            for number, user in enumerate(plan.users):
                group.create_task(sit(number, user) if user in seated else connect(user))
        yield talkers


class Talk:
    """Lets everybody say everything, each conversation at its own pace."""

    def __init__(self, options: Options, plan: Plan, talkers: Mapping[str, Talker], killer: Killer) -> None:
        self._options = options
        self._plan = plan
        self._talkers = talkers
        self._killer = killer
        self.begun = 0
        """Messages that were sent, or are being sent."""
        self.given_up: list[str] = []
        """Questions that never came."""
        self.may_send: Callable[[], bool] = lambda: True
        """Whether anybody may say more now."""

    async def all(self) -> None:
        """Until everything is said."""
        async with asyncio.TaskGroup() as group:
            for conversation in self._plan.conversations:
                group.create_task(self._converse(conversation), name=f"talk in {conversation.id}")

    async def _converse(self, conversation: Conversation) -> None:
        chance = random.Random(f"pace {conversation.id} {self._options.seed}")
        patience = max(QUESTION_PATIENCE, 3 * self._options.patience)
        pause = len(self._plan.conversations) / self._options.rate
        for line in conversation.script:
            await asyncio.sleep(chance.expovariate(1 / pause))
            question = f"? {line.to}"
            asked = lambda question=question: self._killer.said[question] > 0  # noqa: E731
            if line.kind is Kind.ANSWER and not await self._killer.until(asked, patience):
                self.given_up.append(line.to)
                return
            while not await self._killer.until(self.may_send, 60.0):
                pass
            self.begun += 1
            await self._talkers[line.author].say(conversation, line)
