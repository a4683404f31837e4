"""The least a bot can do: one reply to each message."""

from __future__ import annotations

from tests.chaos import fuse
from timbot import Context, Plugin, Text

fuse.install()

bot = Plugin("echo")


@bot.on_text
async def echo(ctx: Context[Text]) -> str:
    return f"re {ctx.text.partition(' ')[2]}"
