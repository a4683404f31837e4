"""Read reports: tells the server how far the bot has read, once for many messages of a conversation."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from timbot.errors import ImError, NotLoggedIn
from timbot.im.client import Client
from timbot.im.model.message import ConversationType, Message

if TYPE_CHECKING:
    from timbot.runtime.log import Log

PAUSE: Final = 0.2
"""Seconds in which the reports of a conversation are gathered into one."""


class Reporter:
    """Reports in the background, one request at a time. A report that is lost costs nothing: the next one says more."""

    def __init__(self, client: Client, log: Log) -> None:
        self._client = client
        self._log = log
        self._up_to: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def read(self, message: Message) -> None:
        """This message was dealt with."""
        if message.online_only:
            return
        place = message.sequence if message.conversation_type is ConversationType.GROUP else message.time
        self._up_to[message.conversation_id] = max(place, self._up_to.get(message.conversation_id, 0))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._report(), name=f"account {self._client.user_id}: read reports")

    async def close(self, patience: float) -> None:
        """Report what is left, for at most `patience` seconds: without a connection it would take for ever."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=patience)
            self._task.cancel()
            await asyncio.wait({self._task})

    def abandon(self) -> None:
        """Report nothing more."""
        if self._task is not None:
            self._task.cancel()

    async def _report(self) -> None:
        while self._up_to:
            await asyncio.sleep(PAUSE)
            gathered, self._up_to = self._up_to, {}
            for conversation, up_to in gathered.items():
                try:
                    await self._client.set_message_read(conversation, up_to)
                except NotLoggedIn:
                    return
                except ImError as error:
                    self._log.debug("read report failed", conversation=conversation, error=str(error))
