"""What the full bot does, as long as nobody kills it: questions wait in memory. It lets the harness be tried by itself."""

from __future__ import annotations

from tests.chaos import fuse
from timbot import Context, MessageReceived, Plugin

bot = Plugin("rehearsal")

asked: dict[tuple[str, str], str] = {}


@bot.on_event(MessageReceived)
async def take(ctx: Context[MessageReceived]) -> str:
    kind, _, name = ctx.raw_text.removeprefix("@bot ").partition(" ")
    who = (ctx.conversation_id, ctx.sender.id)
    if kind == "two":
        await ctx.reply(f"re {name} a")
        await fuse.effect(name, key=f"key of {name}")
        return f"re {name} b"
    if kind == "ask":
        asked[who] = name
        return f"? {name}"
    if kind == "answer":
        return f"re {name} to {asked.pop(who)}"
    return f"re {name}"
