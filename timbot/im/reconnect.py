"""When to try again, and when to stop trying.

A connection that is accepted and then closed at once backs off like one that is refused: only a connection that has held
for a while starts the count afresh. Two deployments that share an account must never fight; what is hopeless ends.
"""

from __future__ import annotations

import asyncio
import random
from enum import Enum, auto
from typing import Final

from timbot.errors import ConnectionLost, ImError, KickedOutError, LoginRefused
from timbot.im.clock import Clock
from timbot.im.keepalive import NEVER_AGAIN

FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 30.0

_SIGNATURE: Final = frozenset({20002, 70001, 70002, 70003, 70005, 70009, 70013, 70014, 70052, 60025})
"""Refusals that a new signature may cure; a second one in a row says that the key, the app or the account is wrong."""

_PASSING: Final = frozenset(
    {10002, 20004, 20005, 60004, 60005, 60007, 60008, 60011, 60013, 60014, 60018, 60019, 70050, 70169, 70202, 70500, 91000}
)
"""Trouble of the server's own, or too many requests: worth another try later."""


class Verdict(Enum):
    """What a refused login means."""

    NEW_SIGNATURE = auto()
    RETRY = auto()
    STOP = auto()


def judge_login(code: int, *, by_ticket: bool, refused_before: int) -> Verdict:
    """What to do after the server refused a login with `code`.

    `by_ticket`: the way back in, for which a signature was not asked yet; `refused_before`: how many signatures in a row were
    refused already.
    """
    if code in _PASSING:
        return Verdict.RETRY
    if code == NEVER_AGAIN:
        return Verdict.STOP
    if by_ticket or (code in _SIGNATURE and refused_before == 0):
        return Verdict.NEW_SIGNATURE
    return Verdict.STOP


class Backoff:
    """Growing, jittered pauses between attempts, and an end to them.

    `stable` and `give_up` in seconds: how long a connection must hold to count as good, and how long to go on without one.
    """

    def __init__(self, chance: random.Random, clock: Clock, *, stable: float, give_up: float) -> None:
        self._chance = chance
        self._clock = clock
        self._stable = stable
        self._give_up = give_up
        self._failures = 0
        self._trouble_since: float | None = None
        self._good_since: float | None = None
        self.refusals = 0

    def logged_in(self) -> None:
        """A login has succeeded on the present connection."""
        self._good_since = self._clock.monotonic()
        self.refusals = 0

    def next_delay(self, error: ImError) -> float:
        """Seconds to wait after `error`. Raises `ConnectionLost` when it has gone on for too long."""
        now = self._clock.monotonic()
        if self._good_since is not None and now - self._good_since >= self._stable:
            self._failures, self._trouble_since = 0, None
        self._good_since = None
        self._failures += 1
        if self._trouble_since is None:
            self._trouble_since = now
        if now - self._trouble_since > self._give_up:
            raise ConnectionLost(
                f"No stable connection for {now - self._trouble_since:.0f} s; giving up. Last: {error}"
            ) from error
        longest = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(self._failures - 1, 16))
        return self._chance.uniform(longest / 2, longest)


def gravest(ended: set[asyncio.Task[None]]) -> BaseException:
    """Why a connection is over, when several tasks found it out at once: a kick must not pass for a broken line."""
    errors = [task.exception() or ConnectionLost("The connection ended.") for task in ended]
    return min(errors, key=lambda error: [isinstance(error, kind) for kind in (ConnectionLost, LoginRefused, KickedOutError)])
