"""The jobs of one account: what its plugins and their settings ask for, run by the scheduler."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timbot.errors import PluginError, TimbotError
from timbot.im.client import Client
from timbot.routing.plugin import JobRoute, Planned
from timbot.runtime.activity import Activity, sentence_of
from timbot.runtime.job import Job
from timbot.runtime.outfit import Outfit
from timbot.runtime.scheduler import Run, Scheduler
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


class JobRunner:
    """Makes the jobs when it is made, so that what is wrong with them shows at the start; runs them from `start` to `stop`."""

    def __init__(
        self,
        outfits: Mapping[str, Outfit],
        client: Client,
        log: Log,
        tell: Callable[[Activity], None],
        database: Database | None,
        key: str,
    ) -> None:
        self._client = client
        self._tell = tell
        self._work = {
            job.spec.name: (job, outfit.wire(job.route)) for outfit in outfits.values() for job in planned_jobs(outfit.enabled)
        }
        specs = [job.spec for job, _ in self._work.values()]
        records = None if database is None else _Records(database, key)
        self._scheduler = Scheduler(specs, client.clock, records, log, self._run)

    @property
    def busy(self) -> bool:
        """Whether any job is running."""
        return self._scheduler.running > 0

    async def start(self) -> None:
        """Begin to wait for the first."""
        await self._scheduler.start()

    async def stop(self, grace: float) -> None:
        """Begin no more, and let what runs finish for `grace` seconds."""
        await self._scheduler.stop(grace)

    async def _run(self, spec: JobSpec, run: Run) -> None:
        planned, wiring = self._work[spec.name]
        route, now = planned.route, spec.trigger.local(run.nominal)
        job = Job(spec.name, now, wiring.out, data=planned.planned.data, late=run.late, missed=run.missed)
        began = time.perf_counter()
        outcome, words = "failed", ""
        try:
            await (route.handler(job, **wiring.arguments) if route.wants_job else route.handler(**wiring.arguments))
            outcome = "done"
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        except SystemExit as error:  # it is no reason to end the process
            words = f"failed: {sentence_of(error)}"
            raise PluginError(f"{spec.name} ({route.place}) ended with SystemExit.", hint="Let it return instead.") from error
        except Exception as error:
            words = f"failed: {sentence_of(error)}"
            raise
        finally:
            seconds = time.perf_counter() - began
            self._tell(Activity(self._client.server_now(), job.account, "job", "", "", spec.name, outcome, (), seconds, words))


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
