"""What is done after a kick: the end, or another login after a pause, a few times and no more.

Two bots that share an account and both come back kick each other out for ever, and neither serves anybody. Whoever supervises
the process may start it again whatever its exit code says, so the kicks are written down: a bot that was kicked out three
times within an hour does not log in, however often it is started.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

import msgspec

from timbot.errors import KickedOutError, KickKind

if TYPE_CHECKING:
    from timbot.runtime.log import Log

MOST: Final = 3
"""Logins after a kick within `WITHIN`."""

WITHIN: Final = 3600.0


FILE_NAME: Final = "kicks.json"


class Kicks:
    """When an account was kicked out of late, kept in the state folder. What cannot be written only this process knows."""

    def __init__(self, folder: Path | None, account: str, now: Callable[[], float]) -> None:
        self.path = None if folder is None else folder / FILE_NAME
        self._account = account
        self._now = now
        self._times = self._read().get(account, [])

    @property
    def recent(self) -> list[float]:
        """Those within the hour, Unix seconds, oldest first."""
        now = self._now()
        return [time for time in self._times if now - WITHIN < time <= now]

    def add(self) -> None:
        """One more, now."""
        self._times = [*self.recent, self._now()]
        if self.path is None:
            return
        with contextlib.suppress(OSError):
            fresh = self.path.with_name(f"{FILE_NAME}.new")
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(handle, "wb") as opened:
                opened.write(msgspec.json.encode(self._read() | {self._account: self._times}))
            fresh.replace(self.path)

    def _read(self) -> dict[str, list[float]]:
        if self.path is None:
            return {}
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=dict[str, list[float]])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return {}


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

    def __init__(
        self, make: Callable[[], R], log: Log, kicks: Kicks, *, retry_after: float | None = None, grace: float = 10.0
    ) -> None:
        self._make = make
        self._log = log
        self._kicks = kicks
        self._retry_after = retry_after
        self._grace = grace
        self._again_at: float | None = None
        self.runner = make()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it does not work just now, a sentence each."""
        if self._again_at is None:
            return ()
        left = max(0.0, self._again_at - asyncio.get_running_loop().time())
        count = len(self._kicks.recent)
        return (f"waits after a kick, and logs in again in {left:.0f} s ({count} of {MOST} within the hour)",)

    async def start(self) -> None:
        """Log in and begin. Raises what the runner raises, and `KickedOutError` after too many kicks."""
        if len(self._kicks.recent) >= MOST:
            raise self._too_many(KickKind.MULTIPLE_ACCOUNT)
        try:
            await self.runner.start()
        except KickedOutError:
            self._kicks.add()
            raise

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
            before = len(self._kicks.recent)
            self._kicks.add()
            if self._retry_after is None:
                raise kicked
            if before >= MOST:
                raise self._too_many(kicked.kind) from kicked
            await self.runner.stop(self._grace)
            self._again_at = asyncio.get_running_loop().time() + self._retry_after
            self._log.warning("logging in again after a kick", seconds=self._retry_after, kicks=before + 1, most=MOST)
            await asyncio.sleep(self._retry_after)
            self.runner = self._make()
            self._again_at = None
            try:
                await self.runner.start()
                return
            except KickedOutError as again:
                kicked = again

    def _too_many(self, kind: KickKind) -> KickedOutError:
        path = self._kicks.path
        sooner = f" Within the hour it logs in only once {path} is removed." if path else ""
        return KickedOutError(
            kind,
            f"Kicked out {len(self._kicks.recent)} times within an hour ({kind.value}): it does not log in again.",
            hint=f"Somebody else uses this account: find and stop that one, then start this bot.{sooner}",
        )
