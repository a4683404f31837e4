"""The waiting loop: runs the jobs of one account when their triggers say so.

One task waits for all jobs. It looks at the wall clock anew at least once a minute, because that clock may be set, and
because a suspended machine wakes hours later without a timer having fired.

**At most once for each time.** A run's nominal time is recorded before the run begins, its outcome afterwards; a time at or
below the last record is never run again, neither after a crash in the middle of the run nor when the clock is put back.
Whoever wants "at least once" repeats inside the handler.

A time is *missed* when nobody was there: the process was down, the machine asleep, the clock put forward, the loop blocked
for over a minute. `JobSpec.missed` says what becomes of it. A job seen for the first time has missed nothing.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from timbot.im.clock import Clock
from timbot.schedule import JobSpec, ScheduleError, delay

if TYPE_CHECKING:
    from timbot.runtime.log import Log

RECHECK_SECONDS: Final = 60.0
"""How long the wall clock may go unread."""

LATE_SECONDS: Final = 60.0
"""How late a run may begin and still count as on time."""

MOST_MADE_UP: Final = 100
"""Missed runs of one job that `missed="all"` makes up for at a time: the latest so many."""

MOST_WAITING: Final = 2 * MOST_MADE_UP
"""Runs of one job that wait for the one before."""

CLEAN_UP_SECONDS: Final = 5.0
"""How long a cancelled run may clean up behind itself before it is left to itself."""


class Records(Protocol):
    """What is known of the last run of each job, also after a restart."""

    async def last(self, key: str) -> float | None:
        """The nominal time recorded last (Unix seconds); None for a job never seen."""
        ...

    async def record(self, key: str, nominal: float, outcome: str, *, finished: float, detail: str = "") -> None:
        """Record in place of the record before. `outcome`: `new`, `started`, `done`, `failed`, `cancelled`."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job. Times are Unix seconds."""

    key: str
    """The job's name."""
    nominal: float
    """The time it is for: with the key, its identity."""
    due: float
    """When it was to begin: the nominal time and the job's jitter."""
    missed: bool
    """Whether it makes up for a time at which nobody was there."""
    late: float = 0.0
    """Seconds after `due` at which it began."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How a job stands, for a display."""

    spec: JobSpec
    next: float | None
    """When it runs next, jitter included (Unix seconds); None: never again."""
    last: float | None
    """The nominal time of the run that ended last in this process."""
    outcome: str
    """How that ended: `done`, `failed`, `cancelled`, `unrecorded` (not begun); empty if none ended yet."""
    running: bool
    waiting: int
    """Runs that wait for the one before."""


@dataclass(slots=True, eq=False)
class _Line:
    """A job, and its runs one behind the other."""

    spec: JobSpec
    seen: float = 0.0
    """Times up to here are dealt with: run, waiting or given up."""
    next: float | None = None
    given_up: float = 0.0
    """The last time that fell to a run still going; recorded together with that run's outcome."""
    waiting: deque[Run] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    ended: float | None = None
    outcome: str = ""

    def due(self, nominal: float) -> float:
        return nominal + delay(self.spec.name, nominal, self.spec.jitter)


class Scheduler:
    """Runs `jobs` by calling `run` for each of their times. Without `records`, a restart knows nothing of what went before.

    Runs of one job never overlap; different jobs run side by side. An exception out of `run` is logged and ends only that
    run. Raises `ScheduleError` when two jobs have one name.
    """

    def __init__(
        self,
        jobs: Iterable[JobSpec],
        clock: Clock,
        records: Records | None,
        log: Log,
        run: Callable[[JobSpec, Run], Awaitable[None]],
        *,
        recheck: float = RECHECK_SECONDS,
    ) -> None:
        self._clock = clock
        self._records = records
        self._log = log
        self._run = run
        self._recheck = recheck
        self._lines: dict[str, _Line] = {}
        for spec in jobs:
            if spec.name in self._lines:
                places = f"{self._lines[spec.name].spec.place}, {spec.place}"
                raise ScheduleError(f"Two jobs are called '{spec.name}' ({places}).", hint="Give each a name of its own.")
            self._lines[spec.name] = _Line(spec)
        self._coming: list[tuple[float, int, _Line]] = []
        self._pushed = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> int:
        """How many runs are going on."""
        return sum(line.task is not None for line in self._lines.values())

    def jobs(self) -> list[JobStatus]:
        """How each job stands."""
        return [
            JobStatus(
                line.spec,
                None if line.next is None else line.due(line.next),
                line.ended,
                line.outcome,
                line.task is not None,
                len(line.waiting),
            )
            for line in self._lines.values()
        ]

    async def start(self) -> None:
        """Read what ran last, deal with what was missed, and begin to wait. Raises what `records` raises."""
        for line in self._lines.values():
            await self._resume(line)
        self._fire_all(starting=True)
        self._task = asyncio.create_task(self._wait(), name="scheduler")

    async def stop(self, grace: float = 10.0) -> None:
        """Begin no more runs, let the ones going on finish for `grace` seconds, then cancel them.

        Runs that waited are not begun; they count as missed at the next start.
        """
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        dropped = 0
        for line in self._lines.values():
            dropped += len(line.waiting)
            line.waiting.clear()
        if dropped:
            self._log.info("runs of jobs left for the next start", count=dropped)
        going = {line.task for line in self._lines.values() if line.task is not None}
        try:
            if going:
                _, going = await asyncio.wait(going, timeout=grace)
        finally:
            for task in going:
                task.cancel()
        if going:
            self._log.warning("jobs cancelled", jobs=sorted(task.get_name() for task in going), grace_seconds=grace)
            _, stuck = await asyncio.wait(going, timeout=CLEAN_UP_SECONDS)
            if stuck:
                self._log.error("jobs do not end", jobs=sorted(task.get_name() for task in stuck))

    def abandon(self) -> None:
        """Stop at once."""
        for task in (self._task, *(line.task for line in self._lines.values())):
            if task is not None:
                task.cancel()

    # Waiting

    async def _resume(self, line: _Line) -> None:
        spec, now = line.spec, self._clock.now()
        last = None if self._records is None else await self._records.last(spec.name)
        if last is None:
            # Recorded at once: should the process be down at the job's first time, that time was missed.
            if self._records is not None:
                await self._records.record(spec.name, now, "new", finished=now)
            last = now
        elif last > now + LATE_SECONDS:
            self._log.warning(
                "job has run in the future, nothing runs before that", job=spec.name, place=spec.place, last=last, now=now
            )
        line.seen = last
        self._push(line)

    def _push(self, line: _Line) -> None:
        line.next = line.spec.trigger.next(line.seen)
        if line.next is not None:
            self._pushed += 1
            heapq.heappush(self._coming, (line.due(line.next), self._pushed, line))

    async def _wait(self) -> None:
        while self._coming:
            await asyncio.sleep(max(0.0, min(self._recheck, self._coming[0][0] - self._clock.now())))
            self._fire_all(starting=False)

    def _fire_all(self, *, starting: bool) -> None:
        now = self._clock.now()
        while self._coming and self._coming[0][0] <= now:
            _, _, line = heapq.heappop(self._coming)
            assert line.next is not None
            try:
                self._fire(line, line.next, now, starting=starting)
                self._push(line)
            except Exception:
                # A trigger of somebody's own: the other jobs are not to suffer for it.
                line.next = None
                self._log.exception("job's times cannot be told, it runs no more", job=line.spec.name, place=line.spec.place)

    def _fire(self, line: _Line, first: float, now: float, *, starting: bool) -> None:
        """Deal with the times of a job up to now; `first` is one of them."""
        times = self._passed(line, first, now)
        line.seen = times[-1]
        on_time = not starting and now - line.due(times[-1]) <= LATE_SECONDS
        missed = times[:-1] if on_time else times
        chosen = self._made_up(line.spec, missed, later=on_time, now=now, first=first) if missed else ()
        for nominal in chosen:
            self._add(line, Run(line.spec.name, nominal, line.due(nominal), missed=True), wait=True)
        if on_time:
            run = Run(line.spec.name, times[-1], line.due(times[-1]), missed=False)
            self._add(line, run, wait=bool(chosen) or line.spec.overlap == "queue")

    def _passed(self, line: _Line, first: float, now: float) -> list[float]:
        trigger = line.spec.trigger
        second = trigger.next(first)
        if second is None or line.due(second) > now:
            return [first]
        oldest = max(line.seen, now - line.spec.grace - line.spec.jitter)
        times, _ = trigger.latest(oldest, now, MOST_MADE_UP + 1)
        # Not beyond one that is not due yet: its turn would never come.
        due = next((at for at, nominal in enumerate(times) if line.due(nominal) > now), len(times))
        return times[:due] or [first]

    def _made_up(self, spec: JobSpec, missed: Sequence[float], *, later: bool, now: float, first: float) -> Sequence[float]:
        """Which of the missed times are run after all. `later`: a newer one is on time; `first`: the first that was missed."""
        recent = [nominal for nominal in missed if now - nominal - delay(spec.name, nominal, spec.jitter) <= spec.grace]
        chosen: Sequence[float] = ()
        if spec.missed == "all":
            chosen = recent[-MOST_MADE_UP:]
        elif spec.missed == "once" and not later:
            chosen = recent[-1:]
        tell = self._log.info if spec.missed == "skip" else self._log.warning  # what was asked for is no reason to worry
        tell(
            "job missed runs",
            job=spec.name,
            place=spec.place,
            count=len(missed) if missed[0] == first else f"more than {len(missed)}",
            latest=spec.trigger.local(missed[-1]).isoformat(),
            missed=spec.missed,
            made_up=len(chosen),
        )
        return chosen

    # Running

    def _add(self, line: _Line, run: Run, *, wait: bool) -> None:
        """Begin a run, or let it `wait` for the one that goes on, or give it up."""
        spec = line.spec
        if line.task is not None and not wait:
            if not line.waiting:  # else it would be recorded before those that wait have run
                line.given_up = run.nominal
            self._log.warning("job skipped, the run before still goes on", job=spec.name, place=spec.place)
        elif len(line.waiting) >= MOST_WAITING:
            self._log.error("job skipped, too many of its runs wait", job=spec.name, place=spec.place, waiting=MOST_WAITING)
        else:
            line.waiting.append(run)
            if line.task is None:
                line.task = asyncio.create_task(self._work_off(line), name=f"job {spec.name}")

    async def _work_off(self, line: _Line) -> None:
        try:
            while line.waiting:
                await self._one(line, line.waiting.popleft())
        finally:
            line.task = None

    async def _one(self, line: _Line, planned: Run) -> None:
        spec = line.spec
        if not await self._record(spec, planned.nominal, "started"):
            line.ended, line.outcome = planned.nominal, "unrecorded"
            return
        run = replace(planned, late=max(0.0, self._clock.now() - planned.due))
        outcome, detail = "failed", ""
        try:
            await self._run(spec, run)
            outcome = "done"
        except asyncio.CancelledError:
            outcome = "cancelled"
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            self._log.error("job failed", job=spec.name, place=spec.place, error="it was cancelled from within")
        except Exception as error:
            detail = type(error).__name__  # no more: what errors say may hold what people wrote
            self._log.exception("job failed", job=spec.name, place=spec.place)
        finally:
            line.ended, line.outcome = run.nominal, outcome
            await self._record(spec, max(run.nominal, line.given_up), outcome, detail)

    async def _record(self, spec: JobSpec, nominal: float, outcome: str, detail: str = "") -> bool:
        if self._records is None:
            return True
        try:
            await self._records.record(spec.name, nominal, outcome, finished=self._clock.now(), detail=detail)
        except Exception:
            cure = "it was not begun, or it could run twice" if outcome == "started" else ""
            self._log.exception("job's record cannot be written", job=spec.name, place=spec.place, outcome=outcome, note=cure)
            return False
        return True
