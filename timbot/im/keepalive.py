"""Keeps one connection alive, and notices when it is not: heartbeats in silence, `wshello` at its interval."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from timbot.errors import ConnectionLost, ImError, LoginRefused, ServerError
from timbot.im.clock import Clock
from timbot.im.exchange import Exchange
from timbot.im.wire.commands import status
from timbot.im.wire.commands.base import Empty

NEVER_AGAIN: Final = 60002
"""In answer to a heartbeat: this client is not wanted, do not come back."""


async def keep_alive(
    exchange: Exchange, clock: Clock, heard_at: Callable[[], float], *, heartbeat: float, hello: float, patience: float
) -> None:
    """Runs until the connection has to be given up, which it says by `ConnectionLost` (or `LoginRefused`: for ever).

    `heard_at` tells when the last frame came (monotonic seconds); `heartbeat` is the silence after which to ask,
    `hello` the interval of `wshello`, `patience` how long an answer may take, all in seconds.
    """

    async def beat() -> None:
        try:
            await exchange.request(status.HEARTBEAT, Empty(), timeout=patience, bound=True)
        except ServerError as error:
            if error.code == NEVER_AGAIN:
                raise LoginRefused(error.command, error.code, error.info) from None
            raise ConnectionLost(f"The heartbeat was refused: {error.code} {error.info}.") from None
        except ImError:
            silence = clock.monotonic() - heard_at()
            if silence >= heartbeat:
                raise ConnectionLost(f"The server has been silent for {silence:.0f} s.") from None

    async def say_hello() -> None:
        try:
            await exchange.request(status.HELLO, Empty(), timeout=patience, bound=True)
        except ImError:
            return  # a kick or an expiry is noticed where the answer is read; anything else says nothing

    await beat()
    next_hello = clock.monotonic() + hello
    while True:
        now = clock.monotonic()
        next_beat = heard_at() + heartbeat
        if now >= next_hello:
            next_hello = now + hello
            await say_hello()
        elif now >= next_beat:
            await beat()
        else:
            await asyncio.sleep(min(next_beat, next_hello) - now)
