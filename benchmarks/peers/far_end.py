"""The other side of a framework: a server that keeps messages until they are acknowledged, and what was sent to it.

It outlives the framework's process: what was said, acknowledged and sent is written to a file with one unbuffered write
each, so that a process killed with -9 can be followed by another one which gets what the server would deliver again.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LATENCY: Final = 0.02
"""Seconds the server takes to answer a request to send."""

SAVING: Final = 0.05
"""Seconds a step of the dialogue takes to look something up, before it asks the next question."""

CHUNK: Final = 100
"""Frames a socket hands out before the loop gets a turn, as one read of a real socket would; also Telegram's `limit`."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a user."""

    number: int
    user: int
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of the bot, as it reached the server."""

    user: int
    text: str
    at: float


class FarEnd:
    """The server and its users. `scenario` is what the users do once the framework has connected.

    `pace` scales the seconds handlers take: a run after a restart need not be slow.
    """

    def __init__(self, scenario: Callable[[FarEnd], Awaitable[None]], file: Path | None = None, pace: float = 1.0) -> None:
        self.sent: list[Sent] = []
        self.sent_count = 0
        self.taken_count = 0
        self.running = 0
        self.keep_sent = True
        self.late = 0.0
        """The longest the transport kept the server waiting, in seconds (see `waited`)."""
        self.owed_since: float | None = None
        """Since when the transport owes the server something now, if it does."""
        self._scenario = scenario
        self._pace = pace
        self._number = 0
        self._flood = 0
        self._unread: deque[Said] = deque()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._out: int | None = None
        if file is not None:
            self._reload(file)
            self._out = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def connected(self) -> None:
        """The framework listens: the users begin (once)."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="the users")

    def say(self, user: int, text: str) -> Said:
        """A user sends a message."""
        self._number += 1
        said = Said(self._number, user, text, time.monotonic())
        self._unread.append(said)
        self._write("say", said.number, user, text)
        self._news.set()
        return said

    def flood(self, count: int) -> None:
        """`count` users send one message each; made when they are read, so that they take no memory before."""
        self._flood = count
        self._news.set()

    @property
    def unread(self) -> int:
        """Messages the framework has not read yet."""
        return len(self._unread) + self._flood

    async def take(self, limit: int = 1, timeout: float | None = None) -> list[Said]:
        """What the framework reads next: at least one message, or none after `timeout` seconds."""
        if not self.unread:
            self._news.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._news.wait()
            except TimeoutError:
                return []
        elif self.taken_count % CHUNK == 0:
            await asyncio.sleep(0)
        taken: list[Said] = []
        while len(taken) < limit and self.unread:
            taken.append(self._next())
        self.taken_count += len(taken)
        return taken

    async def news(self) -> None:
        """Wait until a user says something (at once if there is anything unread)."""
        if not self.unread:
            self._news.clear()
            await self._news.wait()

    def acknowledge(self, number: int) -> None:
        """The framework has told the server that it need not keep this message any longer."""
        self._write("ack", number)

    async def receive(self, user: int, text: str) -> None:
        """The framework sends a message to a user."""
        self.sent_count += 1
        if self.keep_sent:
            self.sent.append(Sent(user, text, time.monotonic()))
        self._write("sent", user, text)
        await asyncio.sleep(LATENCY)

    def waited(self, seconds: float) -> None:
        """The server had to wait this long for something the transport owes it (a poll, a heartbeat, an acknowledgement)."""
        self.late = max(self.late, seconds)

    def waited_longest(self) -> float:
        """The longest wait, the one that goes on now included."""
        now = time.monotonic()
        return max(self.late, 0.0 if self.owed_since is None else now - self.owed_since)

    async def work(self, user: int, text: str) -> str:
        """What every handler does with 'work SECONDS LABEL': take that long. What it should answer."""
        _, seconds, label = text.split()
        self._write("began", user)
        self.running += 1
        try:
            await asyncio.sleep(float(seconds) * self._pace)
            self._write("ended", user)
        finally:
            self.running -= 1
        return f"done {label}"

    async def save(self) -> None:
        """What a step of the dialogue does before it asks on."""
        await asyncio.sleep(SAVING)

    async def _run(self) -> None:
        try:
            await self._scenario(self)
        except (asyncio.CancelledError, GeneratorExit):
            raise  # the framework cleans up behind itself; let it
        except BaseException as error:
            print(json.dumps({"failed": repr(error)}), flush=True)
            os._exit(1)
        os._exit(0)  # the case is over; stopping well is another case

    def _next(self) -> Said:
        if self._unread:
            return self._unread.popleft()
        self._flood -= 1
        self._number += 1
        return Said(self._number, 1000 + self._number, f"work 2 {self._number}", 0.0)

    def _reload(self, file: Path) -> None:
        lines = read_lines(file)
        acknowledged = {line[1] for line in lines if line[0] == "ack"}
        for line in lines:
            if line[0] == "say":
                self._number = int(line[1])
                if line[1] not in acknowledged:
                    self._unread.append(Said(int(line[1]), int(line[2]), str(line[3]), 0.0))

    def _write(self, *line: str | int) -> None:
        if self._out is not None:
            os.write(self._out, json.dumps(line).encode() + b"\n")


def read_lines(file: Path) -> list[list[str | int]]:
    """What happened, in order.

    `["say", number, user, text]`, `["ack", number]`, `["began", user]`, `["ended", user]`, `["sent", user, text]`.
    """
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines()]
