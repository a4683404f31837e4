"""What the bot says, in order for each receiver, and settled when an answer was lost.

A message has its identity before it is sent. If the answer is lost, history is read: found means done; absent twice, the
second time at least 15 s after the loss, means that it may be sent again under the same identity. Where there is no history
to read, the outcome stays unknown and is raised to whoever sent it: it is never guessed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from timbot.errors import NotLoggedIn, OutcomeUnknown, RequestTimeout, ServerError
from timbot.im.api.messages import MessageDropped, OutgoingMessage
from timbot.im.client import Client
from timbot.im.model.message import ConversationType, Message

if TYPE_CHECKING:
    from timbot.runtime.log import Log

SECOND_LOOK: Final = 15.0
"""Seconds after the loss of an answer before history is believed that the message is not there."""

DROPPED_RETRY: Final = 1.0
"""Seconds before a message that a busy group let fall is sent again, once."""

DEDUPLICATED: Final = 280.0
"""Seconds after a loss in which a group still drops a second message under the same random: five minutes, less one answer."""

MOST_ROUNDS: Final = 20
"""How often a message is looked for and sent again before its outcome counts as unknown."""


class Outbox:
    """The outgoing messages of one account."""

    def __init__(self, client: Client, log: Log) -> None:
        self._client = client
        self._log = log
        self._turns: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}

    @property
    def open(self) -> int:
        """Messages on their way or waiting for their turn."""
        return sum(self._users.values())

    async def send(self, message: OutgoingMessage, *, online_user_only: bool = False) -> Message:
        """Send, after everything said before to the same receiver.

        Raises `ServerError` (refused), `MessageDropped` (twice), `OutcomeUnknown` (cannot be settled), `NotLoggedIn`.
        """
        async with self._turn(message.conversation_id):
            try:
                return await self._deliver(message, online_user_only)
            except MessageDropped:
                await asyncio.sleep(DROPPED_RETRY)
                return await self._deliver(message, online_user_only)

    async def _deliver(self, message: OutgoingMessage, online_user_only: bool) -> Message:
        for _ in range(MOST_ROUNDS):
            try:
                return await self._client.send_message(message, online_user_only=online_user_only)
            except OutcomeUnknown as unknown:
                if online_user_only:
                    raise  # no list keeps it: nobody can tell
                found = await self._settle(message, unknown)
                if found is not None:
                    return found
        raise OutcomeUnknown("send", token=message.random, cause=f"lost {MOST_ROUNDS} times")

    async def _settle(self, message: OutgoingMessage, unknown: OutcomeUnknown) -> Message | None:
        """The message, if the server has it; None if it has not, and it may be sent again."""
        self._log.info("answer lost, looking into history", conversation=message.conversation_id, cause=str(unknown))
        lost_at = asyncio.get_running_loop().time()
        found = await self._look(message, unknown, lost_at)
        if found is None:
            await asyncio.sleep(max(0.0, lost_at + SECOND_LOOK - asyncio.get_running_loop().time()))
            found = await self._look(message, unknown, lost_at)
        self._log.info("settled", conversation=message.conversation_id, outcome="was sent" if found else "sending again")
        return found

    async def _look(self, message: OutgoingMessage, unknown: OutcomeUnknown, lost_at: float) -> Message | None:
        for _ in range(MOST_ROUNDS):
            try:
                return await self._client.find_sent(message, unknown.sent_at)
            except RequestTimeout:
                continue
            except ServerError:
                return await self._without_history(message, unknown, lost_at)
            except NotLoggedIn as error:
                raise unknown from error
        raise unknown

    async def _without_history(self, message: OutgoingMessage, unknown: OutcomeUnknown, lost_at: float) -> Message:
        """A live room keeps no history, but knows a message by its random for five minutes: saying it again is safe."""
        if message.conversation_type is not ConversationType.GROUP:
            raise unknown
        try:
            async with asyncio.timeout_at(lost_at + DEDUPLICATED):
                while True:
                    try:
                        return await self._client.send_message(message)
                    except OutcomeUnknown:
                        continue
        except (TimeoutError, ServerError) as error:
            raise unknown from error

    @asynccontextmanager
    async def _turn(self, conversation: str) -> AsyncIterator[None]:
        """One at a time for each receiver; a receiver nobody writes to takes no memory."""
        lock = self._turns.setdefault(conversation, asyncio.Lock())
        self._users[conversation] = self._users.get(conversation, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._users[conversation] -= 1
            if not self._users[conversation]:
                del self._users[conversation], self._turns[conversation]
