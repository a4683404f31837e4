"""`Sender`: one plugin's way of saying things in one account, to anybody and at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from timbot.im.client import Client
from timbot.im.model.message import ConversationType, Message, Priority
from timbot.routing.replies import Render, Replies, payloads_of

if TYPE_CHECKING:
    from timbot.runtime.log import Log
    from timbot.runtime.speaker import Speaker


class Sender:
    """Says things of its own accord; the loop guard counts only answers. Order is kept for each receiver."""

    __slots__ = ("_render", "_speaker", "client", "log", "plugin")

    def __init__(self, speaker: Speaker, plugin: str, render: Render) -> None:
        self._speaker = speaker
        self._render = render
        self.plugin = plugin
        self.client: Client = speaker.client
        self.log: Log = speaker.log

    async def user(self, user_id: str, reply: Replies) -> list[Message]:
        """Say something to a user. The messages as sent.

        Raises `ServerError` (20009 to 20011: no friends, where the app asks for that), `OutcomeUnknown`, `NotLoggedIn`.
        """
        return await self._say(ConversationType.C2C, user_id, reply, Priority.NORMAL)

    async def group(self, group_id: str, reply: Replies, *, priority: Priority = Priority.NORMAL) -> list[Message]:
        """Say something in a group. Where a group has more to say than it may, what has low priority falls first.

        Raises `ServerError` (10007: not in the group, 10017: muted), `MessageDropped`, `OutcomeUnknown`, `NotLoggedIn`.
        """
        return await self._say(ConversationType.GROUP, group_id, reply, priority)

    async def answer(self, conversation_id: str, reply: object, where: str, said: list[Message]) -> list[Message]:
        """What a handler (`where`) says where its event came from. Raises `Silenced` when the bot has said too much there.

        Each message is added to `said` once it is sent: those before one that fails have been said all the same.
        """
        sent = []
        for payload in payloads_of(reply, where, self._render):
            sent.append(await self._speaker.say(conversation_id, payload))
            said.append(sent[-1])
        return sent

    async def _say(self, kind: ConversationType, to: str, reply: Replies, priority: Priority) -> list[Message]:
        outbox = self._speaker.outbox
        payloads = payloads_of(reply, f"A message of plugin {self.plugin}", self._render)
        sent = []
        for payload in payloads:
            message = await outbox.send(self.client.create_message(to, kind, payload, priority=priority))
            self._speaker.told(self.plugin, message)
            sent.append(message)
        return sent
