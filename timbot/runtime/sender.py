"""`Sender`: one plugin's way of saying things in one account, to anybody and at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from timbot.im.client import Client
from timbot.im.model.message import ConversationType, Message, Priority, conversation_id
from timbot.routing.replies import Render, Replies, payloads_of
from timbot.runtime.sending.outbox import Origin
from timbot.runtime.sending.split import split

if TYPE_CHECKING:
    from timbot.im.api.messages import OutgoingMessage
    from timbot.runtime.log import Log
    from timbot.runtime.speaker import Speaker
    from timbot.runtime.steps import Steps


class Sender:
    """Says things of its own accord; the loop guard counts only answers. Order is kept for each receiver.

    What a handler says through the one it was given are steps of the handler: said once, however often it is gone through.
    """

    __slots__ = ("_speaker", "_steps", "client", "log", "plugin", "render")

    def __init__(self, speaker: Speaker, plugin: str, render: Render, steps: Steps | None = None) -> None:
        self._speaker = speaker
        self._steps = steps
        self.render = render
        self.plugin = plugin
        self.client: Client = speaker.client
        self.log: Log = speaker.log

    def within(self, steps: Steps) -> Sender:
        """The same, for the handler that takes these steps."""
        return Sender(self._speaker, self.plugin, self.render, steps)

    async def user(self, user_id: str, reply: Replies, *, key: str = "") -> list[Message]:
        """Say something to a user. The messages as sent.

        `key`: outside a handler, the plugin says something under one key only once, in whichever process; within one, it tells
        steps apart that go on at the same time. Raises `ServerError` (20009 to 20011: no friends, where the app asks for
        that), `OutcomeUnknown`, `NotLoggedIn`.
        """
        return await self._say(ConversationType.C2C, user_id, reply, Priority.NORMAL, key)

    async def group(
        self, group_id: str, reply: Replies, *, priority: Priority = Priority.NORMAL, key: str = ""
    ) -> list[Message]:
        """Say something in a group, as `user` does. Where a group has more to say than it may, what has low priority falls
        first.

        Raises `ServerError` (10007: not in the group, 10017: muted), `MessageDropped`, `OutcomeUnknown`, `NotLoggedIn`.
        """
        return await self._say(ConversationType.GROUP, group_id, reply, priority, key)

    async def _say(self, kind: ConversationType, to: str, reply: Replies, priority: Priority, key: str) -> list[Message]:
        def messages() -> list[OutgoingMessage]:
            payloads = payloads_of(reply, f"A message of plugin {self.plugin}", self.render)
            parts = [part for payload in payloads for part in split(payload)]
            return [self.client.create_message(to, kind, part, priority=priority) for part in parts]

        said: list[Message] = []
        try:
            if self._steps is not None:
                await self._steps.send(messages, conversation_id(kind, to), said, key=key)
            elif made := messages():
                await self._speaker.outbox.send(made, Origin(self.plugin, key=key), said)
        finally:
            for message in said:
                self._speaker.told(self.plugin, message)
        return said
