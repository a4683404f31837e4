"""The bot as its supervisor sees it: a process that is started, dies, and is started again at once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
KILLED: Final = -signal.SIGKILL

HOPELESS: Final = 5
"""So many deaths in a row that nobody brought about, each within two seconds: it will not come up any more."""

READY: Final = b'"event": "ready"'
"""How the bot's log says that it has caught up."""

STOP_PATIENCE: Final = 40.0
"""Seconds a clean stop may take."""


class WillNotRun(Exception):
    """The bot ends by itself as soon as it is started."""


@dataclass(slots=True)
class Life:
    """One process. Times are Unix seconds; `code` is None while it lives."""

    number: int
    pid: int
    started: float
    log_from: int
    """Where its part of the log begins, bytes."""
    ready: float = 0.0
    """When it had caught up; 0 if it never did."""
    ended: float = 0.0
    code: int | None = None


class Lives:
    """Starts `timbot run` again and again until told to stop. All lives write to one log."""

    def __init__(self, folder: Path, config: Path) -> None:
        self.log = folder / "bot.log"
        self.lives: list[Life] = []
        self._folder = folder
        self._config = config
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def life(self) -> Life:
        """The current one, or the last."""
        return self.lives[-1]

    @property
    def unexpected(self) -> list[Life]:
        """Those that ended, and neither a kill nor a stop was why."""
        return [life for life in self.lives if life.code not in (None, KILLED, 0)]

    def begin(self) -> None:
        """Start the first life."""
        self._stopping = False
        self._task = asyncio.create_task(self._keep_alive(), name="the bot's lives")

    def kill(self) -> None:
        """End this life with signal 9, at this instruction."""
        if self._process is not None and self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to end (SIGTERM), and do not start it again. Its exit code."""
        self._stopping = True
        assert self._task is not None
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        done, _ = await asyncio.wait({self._task}, timeout=STOP_PATIENCE)
        if not done:
            self.kill()
        await self._task
        return self.life.code if self.life.code is not None else KILLED

    async def until(self, met: Callable[[], bool], patience: float) -> bool:
        """Wait until something about the lives is so. False if it is not within `patience` seconds. Raises `WillNotRun`."""
        try:
            async with asyncio.timeout(patience):
                while not met():
                    self.check()
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    def check(self) -> None:
        """Raises `WillNotRun` if it does not."""
        if self._task is not None and self._task.done() and not self._stopping:
            self._task.result()

    async def ready(self, patience: float) -> None:
        """Wait until the current life has caught up. Raises `WillNotRun`."""
        end = time.monotonic() + patience
        while not self._saw_ready():
            self.check()
            if time.monotonic() > end:
                raise WillNotRun(f"not ready within {patience:g} s:\n{self.tail()}")
            await asyncio.sleep(0.05)

    def tail(self, lines: int = 30) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def _saw_ready(self) -> bool:
        if not self.lives or self.life.ended:
            return False
        with self.log.open("rb") as log:
            log.seek(self.life.log_from)
            return READY in log.read()

    def read_readiness(self) -> None:
        """Note for every life when it was ready, by its log."""
        whole = self.log.read_bytes()
        ends = [life.log_from for life in self.lives[1:]] + [len(whole)]
        for life, end in zip(self.lives, ends, strict=True):
            before, found, _ = whole[life.log_from : end].partition(READY)
            if found:
                stamp = before.rpartition(b'"timestamp": "')[2].partition(b'"')[0]
                life.ready = datetime.fromisoformat(stamp.decode()).timestamp()

    async def _keep_alive(self) -> None:
        short = 0
        while not self._stopping:
            life = await self._start()
            assert self._process is not None
            life.code = await self._process.wait()
            life.ended = time.time()
            self._news.set()
            self.mark(f"LIFE {life.number} ended with {life.code}")
            by_itself = life.code != KILLED and not self._stopping
            short = short + 1 if by_itself and life.ended - life.started < 2.0 else 0
            if short >= HOPELESS:
                self._news.set()
                raise WillNotRun(f"it ended {short} times at once, last with {life.code}:\n{self.tail()}")

    async def _start(self) -> Life:
        self.mark(f"LIFE {len(self.lives) + 1} begins")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TIMBOT_")}
        command = (sys.executable, "-m", "timbot", "run", str(self._config))
        log_from = self.log.stat().st_size
        with self.log.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, stdout=out, stderr=out, env={**kept, "CHAOS_FOLDER": str(self._folder)}
            )
        life = Life(len(self.lives) + 1, self._process.pid, time.time(), log_from)
        self.lives.append(life)
        self._news.set()
        return life

    def mark(self, event: str) -> None:
        """A line of the harness's own in the bot's log."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() // 1000 % 1_000_000:06}Z"
        with self.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"timestamp": stamp, "level": "harness", "event": event}) + "\n")
