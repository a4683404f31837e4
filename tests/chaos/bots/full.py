"""Everything a death may tear apart: two replies with an effect between them, and questions that wait for their answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from tests.chaos import fuse
from timbot import Context, Plugin, Text

fuse.install()

bot = Plugin("full")


class Durable(Protocol):
    """What a context promises beyond replying."""

    effect_key: str

    async def ask(self, question: str, kind: type[str], *, timeout: str) -> str: ...
    async def once(self, name: str, effect: Callable[..., Awaitable[bool]], *args: str, key: str) -> bool: ...


def durable(ctx: Context[Text]) -> Durable:
    return cast(Durable, ctx)


@bot.on_regex(r"^two \S+$")
async def two(ctx: Context[Text]) -> str:
    name = ctx.text.partition(" ")[2]
    await ctx.reply(f"re {name} a")
    await durable(ctx).once("effect", fuse.effect, name, key=durable(ctx).effect_key)
    return f"re {name} b"


@bot.on_regex(r"^ask \S+$")
async def ask(ctx: Context[Text]) -> str:
    name = ctx.text.partition(" ")[2]
    answer = await durable(ctx).ask(f"? {name}", str, timeout="1h")
    return f"re {answer.split()[-1]} to {name}"


@bot.on_text
async def echo(ctx: Context[Text]) -> str:
    return f"re {ctx.text.partition(' ')[2]}"
