"""The jobs of one account: what its plugins and their settings ask for, run by the scheduler."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from timbot.errors import PluginError
from timbot.im.client import Client
from timbot.routing.plugin import JobRoute, Planned
from timbot.runtime.activity import Activity
from timbot.runtime.job import Job
from timbot.runtime.outfit import Outfit, Wiring
from timbot.runtime.scheduler import Run, Scheduler
from timbot.schedule import JobSpec

if TYPE_CHECKING:
    from timbot.runtime.log import Log
    from timbot.store import Database, Jobs


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
        self._work: dict[str, tuple[Wiring, JobRoute, Planned]] = {}
        specs = [self._spec(outfit, route, planned) for outfit, route, planned in _planned(outfits)]
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

    def _spec(self, outfit: Outfit, route: JobRoute, planned: Planned) -> JobSpec:
        name = f"{route.name}:{planned.name}" if planned.name else route.name
        if name in self._work:
            raise PluginError(
                f"Two jobs are called '{name}' ({route.place}).", hint="Give each a name of its own in the settings."
            )
        self._work[name] = (outfit.wire(route), route, planned)
        return JobSpec(
            name,
            planned.trigger,
            missed=planned.missed,
            overlap=planned.overlap,
            jitter=planned.jitter,
            place=route.place,
        )

    async def _run(self, spec: JobSpec, run: Run) -> None:
        wiring, route, planned = self._work[spec.name]
        now = planned.trigger.local(run.nominal)
        job = Job(spec.name, now, wiring.out, data=planned.data, late=run.late, missed=run.missed)
        began = time.perf_counter()
        outcome = "failed"
        try:
            await (route.handler(job, **wiring.arguments) if route.wants_job else route.handler(**wiring.arguments))
            outcome = "done"
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        except SystemExit as error:  # it is no reason to end the process
            raise PluginError(f"{spec.name} ({route.place}) ended with SystemExit.", hint="Let it return instead.") from error
        finally:
            seconds = time.perf_counter() - began
            self._tell(Activity(self._client.server_now(), job.account, "job", "", "", spec.name, outcome, (), seconds))


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


def _planned(outfits: Mapping[str, Outfit]) -> Iterator[tuple[Outfit, JobRoute, Planned]]:
    for outfit in outfits.values():
        for route in outfit.enabled.plugin.jobs:
            for planned in route.plan(outfit.enabled.settings):
                yield outfit, route, planned
