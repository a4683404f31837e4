"""The jobs of one account: what its plugins and their settings ask for, run by the scheduler."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from timbot.errors import NotLoggedIn, PluginError, TimbotError
from timbot.im.delivery import Change
from timbot.routing.plugin import JobRoute, Planned
from timbot.runtime.activity import Activity, Ending, sentence_of
from timbot.runtime.clientview import view
from timbot.runtime.dispatcher import JOBS
from timbot.runtime.failures import tell_failure
from timbot.runtime.handling import FINAL, RETRY_AFTER
from timbot.runtime.job import Job
from timbot.runtime.journal.identities import job_identity
from timbot.runtime.journal.values import Bury, KeptEvent, NewEvent, OpenLane
from timbot.runtime.machinery import Machinery
from timbot.runtime.overtime import Overtime
from timbot.runtime.scheduler import CLEAN_UP_SECONDS, Run, Scheduler
from timbot.runtime.steps import Divergence, Steps
from timbot.runtime.turn import Turn
from timbot.schedule import JobSpec

if TYPE_CHECKING:
    from timbot.runtime.enabled import Enabled
    from timbot.runtime.log import Log
    from timbot.store import Database, Jobs


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job as its plugin wants it, and as the scheduler does."""

    route: JobRoute
    planned: Planned
    spec: JobSpec


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """A run as the journal keeps it."""

    name: str
    nominal: float
    due: float
    missed: bool


class JobRunner:
    """Makes the jobs when it is made, so that what is wrong with them shows at the start; runs them from `start` to `stop`.

    A run is an event: it is in the journal before it begins, and one that a process has left in the middle is gone through
    again by the next.
    """

    def __init__(self, machinery: Machinery, log: Log, tell: Callable[[Activity], None], database: Database | None) -> None:
        self._machinery = machinery
        self._log = log
        self._tell = tell
        self._work = {
            job.spec.name: (job, outfit.wire(job.route))
            for outfit in machinery.outfits.values()
            for job in planned_jobs(outfit.enabled)
        }
        specs = [job.spec for job, _ in self._work.values()]
        records = None if database is None else _Records(database, machinery.key)
        self._scheduler = Scheduler(specs, machinery.client.clock, records, log, self._run)
        self._unlimited = Overtime(0.0)
        self._left: set[asyncio.Task[None]] = set()
        self._locks = {name: asyncio.Lock() for name in self._work}

    @property
    def busy(self) -> bool:
        """Whether any job is running."""
        return self._scheduler.running > 0 or bool(self._left)

    async def start(self, lanes: Iterable[OpenLane] = ()) -> None:
        """Go on with what was left, then begin to wait for the first."""
        for lane in lanes:
            if lane.lane.startswith(JOBS):
                task = asyncio.create_task(self._go_on(lane.lane), name=f"job {lane.lane[len(JOBS) :]}: left")
                self._left.add(task)
                task.add_done_callback(self._left.discard)
        await asyncio.sleep(0)  # they have their locks before anything new begins
        await self._scheduler.start()

    async def stop(self, grace: float) -> None:
        """Begin no more, and let what runs finish for `grace` seconds."""
        until = asyncio.get_running_loop().time() + grace
        await self._scheduler.stop(grace)
        if self._left:
            left = max(0.0, until - asyncio.get_running_loop().time())
            _, running = await asyncio.wait(self._left, timeout=left)
            for task in running:
                task.cancel()
            if running:
                await asyncio.wait(running, timeout=CLEAN_UP_SECONDS)

    def abandon(self) -> None:
        """Stop at once."""
        self._scheduler.abandon()
        for task in self._left:
            task.cancel()

    async def _run(self, spec: JobSpec, run: Run) -> None:
        body = msgspec.json.encode(_Kept(spec.name, run.nominal, run.due, run.missed))
        new = NewEvent(f"{JOBS}{spec.name}", "job", job_identity(spec.name, run.nominal), body, run.nominal)
        (number,) = await self._machinery.journal.take([new], Change())
        if number > 0:  # else this run was there already: it is under way, or done
            async with self._locks[spec.name]:
                await self._turn(spec.name, run, self._new_turn(number, spec.name))

    async def _go_on(self, lane: str) -> None:
        """Runs of a job that a process before has left open, in their order."""
        journal = self._machinery.journal
        name = lane[len(JOBS) :]
        if name not in self._locks:
            self._log.warning("a run of a job that is gone is given up", job=name)
            for kept in await journal.waiting(lane, 0, 1000):
                await journal.commit(Bury(kept.number, "diverged", "There is no such job any more.", self._now()))
            return
        async with self._locks[name]:
            after = 0  # nobody waits for a run's end to be written down: the next look may still see it open
            while events := await journal.waiting(lane, after, 1):
                after = events[0].number
                if not await self.turn_kept(events[0]):
                    return

    def revive(self, kept: KeptEvent) -> None:
        """A dead letter is tried again, beside what else the job does."""
        task = asyncio.create_task(self._again(kept), name=f"job {kept.lane[len(JOBS) :]}: revived")
        self._left.add(task)
        task.add_done_callback(self._left.discard)

    async def _again(self, kept: KeptEvent) -> None:
        async with self._locks[kept.lane[len(JOBS) :]]:
            await self.turn_kept(kept)

    async def turn_kept(self, kept: KeptEvent) -> bool:
        """Go through a run from the journal. False if there is no login for it any more."""
        name = kept.lane[len(JOBS) :]
        run = msgspec.json.decode(kept.body, type=_Kept)
        steps, sends = await self._machinery.journal.steps(kept.number)
        turn = self._new_turn(kept.number, name, attempts=kept.attempts, steps=steps, sends=sends)
        late = max(0.0, self._now() - run.due)
        try:
            await self._turn(name, Run(name, run.nominal, run.due, run.missed, late), turn)
        except NotLoggedIn:
            return False
        except Exception as error:
            tell_failure(self._log, error, place=self._work[name][0].route.place)
        return True

    def _new_turn(self, number: int, name: str, **left: Any) -> Turn:
        key = f"{self._machinery.key}/{number}"
        return Turn(self._machinery.journal, self._unlimited, number, key, lambda: msgspec.json.encode([name]), **left)

    async def _turn(self, name: str, run: Run, turn: Turn) -> None:
        """One run, through all its attempts. Raises what the last one came to."""
        while True:
            began = time.perf_counter()
            try:
                await self._attempt(name, run, turn)
            except asyncio.CancelledError:
                self._told(name, Ending("cancelled"), began)
                raise
            except Exception as error:
                final = isinstance(error, (*FINAL, NotLoggedIn, PluginError))  # the next attempt would come to the same
                if final or turn.attempts >= len(RETRY_AFTER):
                    self._told(name, Ending("failed", f"failed: {sentence_of(error)}"), began)
                    if not isinstance(error, NotLoggedIn):  # then it stays open
                        turn.bury("diverged" if isinstance(error, Divergence) else "failed", sentence_of(error), self._now())
                    raise
                wait = RETRY_AFTER[turn.attempts]
                turn.fail()
                told = sentence_of(error)
                self._log.warning("job failed, trying again", job=name, attempt=turn.attempts, wait=wait, error=told)
                await asyncio.sleep(wait)
            else:
                self._told(name, Ending("done"), began)
                turn.finish()
                return

    async def _attempt(self, name: str, run: Run, turn: Turn) -> None:
        planned, wiring = self._work[name]
        route, now = planned.route, planned.spec.trigger.local(run.nominal)
        steps = Steps(turn, name, route.plugin, self._machinery.speaker.outbox)
        out = wiring.out.within(steps)
        client = view(self._machinery.client, steps)
        stores = self._machinery.stores
        store = None if stores is None else stores(route.plugin)
        data, late, missed = planned.planned.data, run.late, run.missed
        job = Job(name, now, out, data=data, late=late, missed=missed, turn=turn, steps=steps, client=client, store=store)
        arguments = wiring.arguments_for(lambda: client, out)
        turn.began()
        try:
            await (route.handler(job, **arguments) if route.wants_job else route.handler(**arguments))
        except SystemExit as error:  # it is no reason to end the process
            raise PluginError(f"{name} ({route.place}) ended with SystemExit.", hint="Let it return instead.") from error
        finally:
            steps.end()
            turn.ended()

    def _told(self, name: str, ended: Ending, began: float) -> None:
        client, seconds = self._machinery.client, time.perf_counter() - began
        now = client.server_now()
        self._tell(Activity(now, client.user_id, "job", "", "", name, ended.outcome, (), seconds, ended.words))

    def _now(self) -> float:
        return self._machinery.client.clock.now()


class _Records:
    """What the scheduler remembers, each job with its plugin's."""

    def __init__(self, database: Database, key: str) -> None:
        self._database = database
        self._key = key

    async def last(self, key: str) -> float | None:
        jobs, name = self._of(key)
        return await jobs.last(name)

    async def record(self, key: str, nominal: float, outcome: str, *, finished: float, detail: str = "") -> None:
        jobs, name = self._of(key)
        await jobs.record(name, nominal, outcome, finished=finished, detail=detail)

    def _of(self, key: str) -> tuple[Jobs, str]:
        plugin, _, name = key.partition(":")
        return self._database.jobs(self._key, plugin), name


def planned_jobs(enabled: Enabled) -> list[PlannedJob]:
    """What a plugin's jobs and its settings come to. Raises `PluginError` for what cannot be."""
    jobs: dict[str, PlannedJob] = {}
    for route in enabled.plugin.jobs:
        try:
            planned = [PlannedJob(route, each, _spec(route, each)) for each in route.plan(enabled.settings)]
        except TimbotError as error:
            raise PluginError(f"{route.place}: {error.message}", hint=error.hint) from error
        except Exception as error:  # the plugin's own code
            raise PluginError(f"{route.place}: the jobs cannot be planned: {type(error).__name__}: {error}.") from error
        for job in planned:
            if job.spec.name in jobs:
                hint = "Plan each under a name of its own; a function that runs by the clock has one decorator."
                raise PluginError(f"{route.place}: two jobs are called '{job.spec.name}'.", hint=hint)
            jobs[job.spec.name] = job
    return list(jobs.values())


def _spec(route: JobRoute, planned: object) -> JobSpec:
    if not isinstance(planned, Planned):
        raise PluginError(f"the plan makes a {type(planned).__name__}.", hint="It makes Planned(name, trigger, ...).")
    return JobSpec(
        f"{route.name}:{planned.name}" if planned.name else route.name,
        planned.trigger,
        missed=planned.missed,
        overlap=planned.overlap,
        jitter=planned.jitter,
        place=route.place,
    )
