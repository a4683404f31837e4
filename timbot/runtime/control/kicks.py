"""What is done after a kick: the end, or another login after a pause, a few times and no more.

Two bots that share an account and both come back kick each other out for ever, and neither serves anybody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from timbot.errors import KickedOutError

if TYPE_CHECKING:
    from timbot.runtime.log import Log

MOST: Final = 3
"""Logins after a kick within `WITHIN`."""

WITHIN: Final = 3600.0


class Runs(Protocol):
    """An account at work."""

    async def start(self) -> None:
        """Log in and begin."""
        ...

    async def ended(self) -> None:
        """Wait until the login has ended by itself, and raise why."""
        ...

    async def stop(self, grace: float = 10.0) -> None:
        """Let handlers finish, and log out."""
        ...


R = TypeVar("R", bound=Runs)


class Keeper(Generic[R]):
    """Keeps one account at work. `runner` is its present login; after a kick, and the pause, `make` makes the next one.

    `retry_after` in seconds, None: the first kick is the end. Used like the runner: `start`, `ended`, `stop`.
    """

    def __init__(self, make: Callable[[], R], log: Log, *, retry_after: float | None = None, grace: float = 10.0) -> None:
        self._make = make
        self._log = log
        self._retry_after = retry_after
        self._grace = grace
        self._kicks: deque[float] = deque()
        self._again_at: float | None = None
        self.runner = make()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it does not work just now, a sentence each."""
        if self._again_at is None:
            return ()
        left = max(0.0, self._again_at - asyncio.get_running_loop().time())
        return (f"waits after a kick, and logs in again in {left:.0f} s ({len(self._kicks)} of {MOST} within the hour)",)

    async def start(self) -> None:
        """Log in and begin. Raises what the runner raises."""
        await self.runner.start()

    async def ended(self) -> None:
        """Wait until the account cannot go on. Raises why: `KickedOutError` once there were too many kicks."""
        while True:
            try:
                await self.runner.ended()
                return
            except KickedOutError as kicked:
                await self._come_back(kicked)

    async def stop(self, grace: float = 10.0) -> None:
        """Stop the present login, if there is one."""
        if self._again_at is None:
            await self.runner.stop(grace)

    async def _come_back(self, kicked: KickedOutError) -> None:
        """Pause, and log in anew; that may fail as any login may."""
        while True:
            pause = self._pause(kicked)
            await self.runner.stop(self._grace)
            self._again_at = asyncio.get_running_loop().time() + pause
            self._log.warning("logging in again after a kick", seconds=pause, kicks=len(self._kicks), most=MOST)
            await asyncio.sleep(pause)
            self.runner = self._make()
            self._again_at = None
            try:
                await self.runner.start()
                return
            except KickedOutError as again:
                kicked = again

    def _pause(self, kicked: KickedOutError) -> float:
        """How long to wait, in seconds. Raises `kicked` if there is to be no other login."""
        if self._retry_after is None:
            raise kicked
        now = asyncio.get_running_loop().time()
        while self._kicks and self._kicks[0] <= now - WITHIN:
            self._kicks.popleft()
        if len(self._kicks) >= MOST:
            raise KickedOutError(
                kicked.kind,
                f"Kicked out again ({kicked.kind.value}), after {MOST} logins within the hour.",
                hint="Somebody else uses this account: find and stop that one, then start this bot.",
            ) from kicked
        self._kicks.append(now)
        return self._retry_after
