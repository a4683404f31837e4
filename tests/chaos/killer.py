"""Who stands between the server and the bot: sees every request, and ends the bot's life at the place the plan names."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.chaos.plan import BOT, IN_THE_BOT, Injection, Kill, Place
from timbot.im.wire.commands import c2c, groups, status
from timbot.im.wire.elements import TextElem, open_element
from timbot.sandbox import Asked, Courier
from timbot.sandbox.observe import Handled

Call = Callable[[], None]

SENDS: Final = frozenset({c2c.SEND.name, groups.SEND.name})
_MESSAGES: Final = (b'"C2cMsgArray"', b'"GroupMsgArray"')
_FROM: Final = b'"From_Account":"'

SPARE: Final = 20
"""Messages of the bot from one that is doubled to the next, or of people from one that is told late to the next."""


@dataclass(slots=True)
class Death:
    """A kill that happened. `hit`: at the place it was meant for; else the place was not passed in time."""

    kill: Kill
    life: int
    time: float
    sent: int
    hit: bool = True
    detail: str = ""


class Killer(Courier):
    """`strike` ends the bot. `sent` counts what people have said, `said` what the bot has."""

    def __init__(self, strike: Call, folder: Path, seed: int, injections: tuple[Injection, ...] = ()) -> None:
        self.sent = 0
        self.said: Counter[str] = Counter()
        self.struck: list[tuple[Place, float, str]] = []
        """What it has done: the place, when (Unix seconds), with which message."""
        self.injected: list[str] = []
        self._strike = strike
        self._fuse = folder / "fuse"
        self._chance = random.Random(f"killer {seed}")
        self._armed: Kill | None = None
        self.armed = False
        """Whether the bot is to die."""
        self._news = asyncio.Event()
        self._next: dict[Injection, int] = dict.fromkeys(injections, SPARE)
        self._held: tuple[bytes, Call] | None = None
        self._pushed = self._answered = 0

    def arm(self, kill: Kill) -> None:
        """The bot is to die at the next chance."""
        self.armed = True
        self._news.set()
        if kill.place in IN_THE_BOT:
            self._fuse.write_text(kill.place, encoding="utf-8")
        else:
            self._armed = kill

    def disarm(self) -> None:
        """Not any more."""
        self.armed, self._armed = False, None
        self._fuse.unlink(missing_ok=True)

    async def until(self, met: Callable[[], bool], patience: float) -> bool:
        """Wait until something about what was said is so. False if it never is."""
        try:
            async with asyncio.timeout(patience):
                while not met():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    def wake(self) -> None:
        """Let those who wait look again."""
        self._news.set()

    # What the server asks

    def request(self, asked: Asked, carry_out: Call) -> None:
        """Before the effect."""
        if asked.user != BOT:
            carry_out()
            return
        if asked.command == status.SYNC.name:
            self._news.set()  # it is there again, and people may go on
        place = None if self._armed is None else self._armed.place
        if place is Place.REQUEST_LOST and asked.command in SENDS:
            self._kill(place, asked.frame)
        elif place is Place.REQUEST_LATE and asked.command in SENDS:
            assert self._armed is not None
            asyncio.get_running_loop().call_later(self._armed.delay, carry_out)
            self._kill(place, asked.frame)
        elif (place is Place.JOURNALED and asked.command == status.ACK.name) or (
            place is Place.CATCHING_UP and asked.command == status.SYNC.name
        ):
            self._kill(place, asked.frame)
        else:
            carry_out()
            if asked.command in SENDS and self._due("doubled", self._answered):
                self.injected.append(f"doubled: {asked.frame.decode()[-400:]}")
                carry_out()

    def answer(self, handled: Handled, hand_out: Call) -> None:
        """After the effect."""
        done = handled.done
        if done.command in SENDS and handled.code == 0 and done.user == BOT:
            self._answered += 1
            self.said[_text(done.request)] += 1
            self._news.set()
            if self._armed is not None and self._armed.place is Place.ANSWER_LOST:
                self._kill(Place.ANSWER_LOST, _text(done.request).encode())
                return
        elif done.command in SENDS and handled.code == 0:
            self.sent += 1
            self._news.set()
        hand_out()

    def push(self, user: str, frame: bytes, hand_out: Call) -> None:
        """Towards the bot, or towards people, who get everything."""
        if user != BOT or not any(name in frame for name in _MESSAGES):
            hand_out()
            return
        self._pushed += 1
        if self._reorder(frame, hand_out):
            return
        hand_out()
        if self._armed is not None and self._armed.place is Place.PUSHED:
            kill, self._armed = self._armed, None
            asyncio.get_running_loop().call_later(kill.delay, self._kill, Place.PUSHED, frame)

    # What it does about it

    def _kill(self, place: Place, what: bytes) -> None:
        self._armed = None
        self._strike()
        self.struck.append((place, time.time(), what[-300:].decode(errors="replace")))

    def _due(self, injection: Injection, count: int) -> bool:
        if count < self._next.get(injection, count + 1):
            return False
        self._next[injection] = count + SPARE
        return True

    def _reorder(self, frame: bytes, hand_out: Call) -> bool:
        """Hold a person's message back until the next one of the same person; True if it has gone its own way."""
        if self._held is not None and _sender(frame) == self._held[0]:
            before, self._held = self._held[1], None
            hand_out()
            before()
            return True
        if self._held is None and _MESSAGES[0] in frame and self._due("reordered", self._pushed):
            self.injected.append(f"told late: {frame.decode()[-400:]}")
            self._held = (_sender(frame), hand_out)
            return True
        return False


def _sender(frame: bytes) -> bytes:
    return frame.partition(_FROM)[2].partition(b'"')[0]


def _text(request: object) -> str:
    if not isinstance(request, c2c.SendRequest | groups.SendRequest) or not isinstance(request.msg_body, list):
        return ""
    content = open_element(request.msg_body[0])
    return content.text if isinstance(content, TextElem) else ""
