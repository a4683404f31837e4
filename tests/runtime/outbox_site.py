"""What the outbox's tests share: a bot that answers everything, and what the server has of its words."""

from __future__ import annotations

import random
from typing import Literal

from timbot import Context, Message, Plugin, Text
from timbot.im.api.messages import OutgoingMessage
from timbot.im.wire.elements import Element, TextElem, open_element
from timbot.runtime.dispatcher import Options
from timbot.runtime.journal.memory import MemoryJournal
from timbot.runtime.log import get_log
from timbot.runtime.sending.limits import Limits, Pacer
from timbot.runtime.sending.outbox import Origin, Outbox
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import C2CMessage, GroupChanges, GroupMessage
from timbot.testing import Person, World

Kind = Literal["C2C", "GROUP"]
KINDS: tuple[Kind, ...] = ("C2C", "GROUP")
QUIET = Options(loop_guard=0)


def echo(handled: dict[str, list[str]] | None = None) -> Plugin:
    bot = Plugin("echo")

    def answer(ctx: Context[Text], text: str) -> str:
        if handled is not None:
            handled.setdefault(ctx.sender.id, []).append(f"re {text}")
        return f"re {text}"

    @bot.on_text
    async def handler(ctx: Context[Text]) -> str:
        return answer(ctx, ctx.text)

    @bot.on_command("say")
    async def say(ctx: Context[Text]) -> str:
        return answer(ctx, " ".join(ctx.args))

    return bot


class Voice:
    """An outbox of its own, for messages one at a time."""

    def __init__(self, world: World) -> None:
        client = world.bot.client
        pacer = Pacer(Limits(None, None, None), client.clock, random.Random(1))
        self.outbox = Outbox(client, MemoryJournal(None, "voice", clock=client.clock), get_log(), pacer)

    async def send(self, message: OutgoingMessage, *, online_user_only: bool = False) -> Message:
        sent: list[Message] = []
        await self.outbox.send([message], Origin("test"), sent, online_user_only=online_user_only)
        return sent[0]


def make_group(world: World, *others: str) -> None:
    world.sandbox.domain.groups.create("bot", GroupType.WORK, GroupChanges(name="g"), group_id="g")
    world.sandbox.domain.group_members.add("bot", "g", others)
    world.sandbox.flush()


def text_of(body: object) -> str:
    assert isinstance(body, list)
    element: Element = body[0]
    content = open_element(element)
    assert isinstance(content, TextElem)
    return content.text


def said(world: World, kind: Kind, peer: str = "ann") -> list[str]:
    """What the server has of the bot's words, in its order."""
    domain = world.sandbox.domain
    if kind == "C2C":
        messages: list[C2CMessage | GroupMessage] = [*domain.chats.history("bot", peer, 10_000).messages]
    else:
        records = domain.group_messages.history("bot", "g", None, 10_000).records
        messages = [record.content for record in reversed(records) if isinstance(record.content, GroupMessage)]
    return [text_of(message.body) for message in messages if message.sender == "bot"]


def sends(frame: bytes) -> bool:
    return b".sendmsg" in frame or b".send_group_msg" in frame


async def ask(person: Person, kind: Kind, text: str) -> None:
    await person.send(Text(f"/say {text}"), group="g" if kind == "GROUP" else "")
