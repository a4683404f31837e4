"""What the secrets tests share: a plugin that leaks whatever it can get hold of, in every way there is."""

from __future__ import annotations

import asyncio
import base64
import logging
import threading
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

from timbot import Accept, Context, FriendRequest, Plugin, Text

LEAST = 16
"""Characters of a secret in a row that count as a leak."""


def leaking(on_secret: Callable[[str], None] = lambda _: None, *more: str) -> Plugin:
    """A plugin of the worst kind. `on_secret` is told every secret it has seen; `more` are further ones to leak."""
    bot = Plugin("leaky")

    def secrets_of(ctx: Context[Any] | FriendRequest) -> list[str]:
        ticket = ctx.client._session.ticket
        found = [ticket.a2, ticket.usersig, *more]
        for secret in found:
            on_secret(secret)
        return found

    @bot.on_text("raise")
    async def raises(ctx: Context[Text]) -> str:
        held = secrets_of(ctx)  # a local variable of the traceback
        try:
            raise KeyError(*held)
        except KeyError as error:
            raise ValueError(f"no good: {held} {ctx.client._session.ticket!r}") from error

    @bot.on_text("log")
    async def logs(ctx: Context[Text]) -> str:
        held = secrets_of(ctx)
        for secret in held:
            ctx.log.debug(f"event {secret}", value=secret, url=f"wss://h/?usersig={urllib.parse.quote(secret)}&x=1")
            ctx.log.info("nested", deep={"list": [secret.encode(), {"key": secret}]}, bound=(secret, secret))
            ctx.log.warning("encoded", basic=base64.b64encode(f"bot:{secret}".encode()), part=secret[:-7])
            logging.getLogger("a.library").warning("library says %r", {"a2": secret})
        return "logged"

    @bot.on_text("task")
    async def tasks(ctx: Context[Text]) -> str:
        held = secrets_of(ctx)

        async def fail() -> None:
            raise ValueError(f"in a task: {held}")

        task = asyncio.create_task(fail(), name="leaky task")
        await asyncio.wait({task})
        return "tasked"

    @bot.on_text("thread")
    async def threads(ctx: Context[Text]) -> str:
        held = secrets_of(ctx)

        def fail() -> None:
            raise ValueError(f"in a thread: {held}")

        thread = threading.Thread(target=fail)
        thread.start()
        await asyncio.to_thread(thread.join)
        return "threaded"

    @bot.on_text("wrong")
    async def wrong(ctx: Context[Text]) -> object:
        return {"reply": secrets_of(ctx)}  # no reply at all: an error that shows what it was

    @bot.on_friend_request
    async def friend(req: FriendRequest) -> Accept:
        req.log.info("friend", wording=req.wording, held=secrets_of(req))
        return Accept()

    @bot.on_text
    async def fallback(ctx: Context[Text]) -> str:
        return f"heard {ctx.text}"

    return bot


COMMANDS = ("raise", "log", "task", "thread", "wrong", "hello")


def leaks(printed: str, secrets: Iterable[str]) -> list[str]:
    """Every piece of a secret that was printed, by itself or in base64; what a test prints of it is its beginning only."""
    found = []
    for secret in secrets:
        for spelled in (secret, urllib.parse.quote(secret, safe=""), *(encoded(secret, ahead) for ahead in ("", "a", "ab"))):
            pieces = [spelled[at : at + LEAST] for at in range(len(spelled) - LEAST + 1)]
            found += [piece for piece in pieces if piece in printed][:1]
    return found


def encoded(secret: str, ahead: str) -> str:
    """The middle of it in base64, when `ahead` stands before it."""
    text = base64.b64encode(f"{ahead}{secret}".encode()).decode().rstrip("=")
    return text[len(ahead) * 4 // 3 + 2 : -2]
