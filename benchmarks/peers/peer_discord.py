# mypy: disable-error-code="import-not-found,untyped-decorator,misc"
"""discord.py with `ext.commands`: `Bot.run`, with a gateway and REST answers of our own."""

from __future__ import annotations

import json
import signal
import time
from typing import Any, Final

import discord
from discord.ext import commands

from benchmarks.peers.far_end import FarEnd, Said
from benchmarks.peers.http_stub import Socket, install

BEAT: Final = 1.0
"""Seconds between two heartbeats (the real gateway asks for one every 41 s)."""

ME: Final = {"id": "1", "username": "bot", "discriminator": "0", "avatar": None, "global_name": None, "bot": True}
APP: Final = {
    "id": "1",
    "name": "bot",
    "icon": None,
    "description": "",
    "bot_public": True,
    "bot_require_code_grant": False,
    "verify_key": "",
    "flags": 0,
    "owner": ME,
}


def message(number: int, channel: int, author: dict[str, Any], text: str) -> dict[str, Any]:
    """A message as the gateway and the REST side show it; each user's direct channel has the user's number."""
    return {
        "id": str(number),
        "channel_id": str(channel),
        "author": author,
        "content": text,
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
        "channel_type": 1,
    }


class Gateway:
    """Discord's side. A message handed to the socket is not delivered again to a process that identifies anew."""

    def __init__(self, far: FarEnd) -> None:
        self._far = far
        self._sequence = 1
        self._beat = 0.0

    def connect(self) -> Socket:
        """A new connection."""
        socket = Socket(self._far, self._frame, self._told)
        socket.push(json.dumps({"op": 10, "d": {"heartbeat_interval": BEAT * 1000}, "s": None, "t": None}))
        return socket

    async def answer(self, verb: str, url: str, arguments: dict[str, Any]) -> Any:
        """A REST request."""
        if url.endswith("/users/@me"):
            return ME
        if url.endswith("/oauth2/applications/@me"):
            return APP
        channel = int(url.split("/channels/")[1].split("/")[0])
        text = json.loads(arguments["data"])["content"]
        await self._far.receive(channel, text)
        return message(1, channel, ME, text)

    def _frame(self, said: Said) -> str:
        self._far.acknowledge(said.number)
        self._sequence += 1
        author = {"id": str(said.user), "username": "u", "discriminator": "0", "avatar": None, "global_name": None}
        text = f"!{said.text}" if said.text.startswith(("work", "start")) else said.text
        return json.dumps(
            {"op": 0, "t": "MESSAGE_CREATE", "s": self._sequence, "d": message(said.number, said.user, author, text)}
        )

    def _told(self, data: str, socket: Socket) -> None:
        frame = json.loads(data)
        if frame["op"] == 2:
            ready = {
                "v": 10,
                "user": ME,
                "guilds": [],
                "session_id": "s",
                "resume_gateway_url": "wss://gateway",
                "application": APP,
            }
            socket.push(json.dumps({"op": 0, "t": "READY", "s": 1, "d": ready}))
            self._far.connected()
        elif frame["op"] == 1:
            now = time.monotonic()
            if self._beat:
                self._far.waited(now - self._beat - BEAT)
            self._beat = now
            socket.push(json.dumps({"op": 11, "d": None, "s": None, "t": None}))


def run(far: FarEnd, config: str) -> None:
    """Run the bot until it is stopped."""
    gateway = Gateway(far)
    install(gateway.answer, gateway.connect)
    careful = config != "default"

    class Bot(commands.Bot):
        async def setup_hook(self) -> None:
            if careful:
                self.loop.add_signal_handler(signal.SIGTERM, lambda: self.loop.create_task(self.close()))

    intents = discord.Intents.default()
    intents.message_content = True
    bot = Bot("!", intents=intents)

    async def start(ctx: commands.Context[Bot]) -> None:
        def same(message: discord.Message) -> bool:
            return bool(message.author == ctx.author and message.channel == ctx.channel)

        await ctx.send("name?")
        name = await bot.wait_for("message", check=same, timeout=60)
        await far.save()
        await ctx.send("age?")
        age = await bot.wait_for("message", check=same, timeout=60)
        await ctx.send(f"{name.content}, {age.content}")

    async def work(ctx: commands.Context[Bot], seconds: str, label: str) -> None:
        await ctx.send(await far.work(ctx.author.id, f"work {seconds} {label}"))

    for function in (start, work):
        limited = commands.max_concurrency(1, per=commands.BucketType.user, wait=True)(function) if careful else function
        bot.command()(limited)
    bot.run("token", log_handler=None)
