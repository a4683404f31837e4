"""A bot that survives every kill without a journal, by cheating: it knows from the judge's own rules what is due, and reads
everything it has said so far from the server before it says another word.

It takes seconds to make sure that nothing is on its way any more, which no real bot could afford. It is there to show that
the harness lets a bot pass that makes no mistake.
"""

from __future__ import annotations

import asyncio
import time

from tests.chaos import fuse
from tests.chaos.plan import BOT
from tests.chaos.town import MENTION
from tests.chaos.verdict import Stored, due
from timbot import Context, MessageReceived, Plugin
from timbot.im.client import Client
from timbot.im.model.events import Ready
from timbot.im.model.message import split_conversation_id

fuse.install()

bot = Plugin("oracle")

STILL = 8.0
"""Seconds after which what was on its way has arrived, and shows: the harness holds a request for 4, and a history for 2."""

born = time.monotonic()
locks: dict[str, asyncio.Lock] = {}
said: set[str] = set()
tasks: set[asyncio.Task[None]] = set()


@bot.on_event(Ready)
async def begin(ctx: Context[Ready]) -> None:
    peers, _ = await ctx.client._last_c2c_messages()
    groups = await ctx.client.get_group_list()
    for name in [*(f"C2C{last.peer}" for last in peers), *(f"GROUP{group.group_id}" for group in groups)]:
        task = asyncio.create_task(answer(ctx.client, name, ""), name=f"oracle {name}")
        tasks.add(task)
        task.add_done_callback(tasks.discard)


@bot.on_event(MessageReceived)
async def take(ctx: Context[MessageReceived]) -> None:
    await answer(ctx.client, ctx.conversation_id, ctx.raw_text.removeprefix(MENTION))


async def answer(client: Client, name: str, heard: str) -> None:
    """Say what is due in a conversation, as soon as the history shows what was heard."""
    async with locks.setdefault(name, asyncio.Lock()):
        await asyncio.sleep(born + STILL - time.monotonic())
        stored = await history(client, name)
        while heard and heard not in {message.text for message in stored}:
            await asyncio.sleep(0.2)
            stored = await history(client, name)
        done = said | {message.text for message in stored if message.sender == BOT}
        kind, peer = split_conversation_id(name)
        for item in due(stored):
            if item.text in done:
                continue
            if item.text.endswith(" b"):
                await fuse.effect(item.id, key=f"key of {item.id}")
            message = client.create_text_message(peer, kind, item.text)
            await client.send_message(message)
            said.add(item.text)


async def history(client: Client, name: str) -> list[Stored]:
    """The whole of it, oldest first."""
    found: list[Stored] = []
    cursor: tuple[int, str] | None = None
    while True:
        page = await client.get_message_list(name, cursor=cursor)
        found[:0] = [Stored(message.from_, message.text.removeprefix(MENTION), message.time) for message in page.messages]
        cursor = page.next_cursor
        if cursor is None:
            return found
