"""Everything a death may tear apart: two replies with an effect between them, and questions that wait for their answers."""

from __future__ import annotations

from tests.chaos import fuse
from timbot import Context, Plugin, Text

fuse.install()

bot = Plugin("full")


@bot.on_regex(r"^two \S+$")
async def two(ctx: Context[Text]) -> str:
    name = ctx.text.partition(" ")[2]
    await ctx.reply(f"re {name} a")
    await ctx.once("effect", fuse.effect, name, key=ctx.effect_key)
    return f"re {name} b"


@bot.on_regex(r"^ask \S+$")
async def ask(ctx: Context[Text]) -> str:
    name = ctx.text.partition(" ")[2]
    answer = await ctx.ask(f"? {name}", str, timeout="1h")
    return f"re {answer.split()[-1]} to {name}"


@bot.on_text
async def echo(ctx: Context[Text]) -> str:
    return f"re {ctx.text.partition(' ')[2]}"
