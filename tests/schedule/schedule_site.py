"""A scheduler on virtual time, its records in memory, and what it did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from structlog.testing import LogCapture

from timbot.runtime.scheduler import Run, Scheduler
from timbot.schedule import JobSpec
from timbot.testing import VirtualClock, VirtualLoop


class MemoryRecords:
    """One record a job, the newest in place of the one before, as a database keeps them. It outlives its scheduler."""

    def __init__(self, **last: float) -> None:
        self.kept: dict[str, float] = dict(last)
        self.history: list[tuple[str, float, str]] = []
        self.details: list[str] = []

    async def last(self, key: str) -> float | None:
        await asyncio.sleep(0)
        return self.kept.get(key)

    async def record(self, key: str, nominal: float, outcome: str, *, finished: float, detail: str = "") -> None:
        await asyncio.sleep(0)
        assert finished == VirtualLoop.running().clock.now()
        self.kept[key] = nominal
        self.history.append((key, nominal, outcome))
        if detail:
            self.details.append(detail)


@dataclass(slots=True)
class Begun:
    """A run that began: its job, when it did, and the rest."""

    key: str
    at: float
    run: Run


class Site:
    """`work(spec, run)` is what the jobs do."""

    def __init__(
        self,
        *jobs: JobSpec,
        records: MemoryRecords | None = None,
        work: Callable[[JobSpec, Run], Awaitable[None]] | None = None,
        keep: bool = True,
        recheck: float = 60.0,
    ) -> None:
        self.clock: VirtualClock = VirtualLoop.running().clock
        self.records = records or MemoryRecords()
        self.begun: list[Begun] = []
        self._work = work
        capture = LogCapture()
        self.logs: list[MutableMapping[str, Any]] = capture.entries
        log = structlog.wrap_logger(structlog.PrintLogger(), [capture], structlog.make_filtering_bound_logger(0))
        self.scheduler = Scheduler(jobs, self.clock, self.records if keep else None, log, self._run, recheck=recheck)

    async def _run(self, spec: JobSpec, run: Run) -> None:
        self.begun.append(Begun(spec.name, self.clock.now(), run))
        if self._work is not None:
            await self._work(spec, run)

    async def go(self, seconds: float) -> None:
        """Start, and let virtual time pass."""
        await self.scheduler.start()
        await asyncio.sleep(seconds)

    @property
    def times(self) -> list[str]:
        """When each run began, in UTC, and `+` behind the missed ones."""
        return [f"{clock(one.at)}{'+' if one.run.missed else ''}" for one in self.begun]

    @property
    def nominals(self) -> list[str]:
        """Which time each run was for."""
        return [f"{clock(one.run.nominal)}{'+' if one.run.missed else ''}" for one in self.begun]

    @property
    def outcomes(self) -> list[str]:
        """What was recorded, in order."""
        return [f"{clock(nominal)} {outcome}" for _, nominal, outcome in self.records.history]

    def said(self, event: str) -> list[MutableMapping[str, Any]]:
        """The log's entries of one kind."""
        return [entry for entry in self.logs if entry["event"] == event]


def clock(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S").removesuffix(":00")
