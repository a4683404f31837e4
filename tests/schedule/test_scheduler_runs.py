"""Runs: one behind the other, side by side, failing, stopped, recorded."""

from __future__ import annotations

import asyncio

import pytest
from schedule_site import MemoryRecords, Site, clock

from timbot.runtime.scheduler import CLEAN_UP_SECONDS, MOST_WAITING, Run
from timbot.schedule import JobSpec, Missed, Overlap, every
from timbot.testing import EPOCH


def job(interval: str, name: str = "a", overlap: Overlap = "skip", missed: Missed = "skip") -> JobSpec:
    return JobSpec(name, every(interval), place="bot.py:1", overlap=overlap, missed=missed)


async def slow(spec: JobSpec, run: Run) -> None:
    await asyncio.sleep(150)


async def failing(spec: JobSpec, run: Run) -> None:
    raise ValueError("ann said: my number is 1234")


class TestOverlap:
    async def test_skip(self) -> None:
        site = Site(job("1m"), work=slow)
        await site.go(425)
        assert site.nominals == ["00:01", "00:04", "00:07"]
        assert site.said("job skipped, the run before still goes on")[0]["place"] == "bot.py:1"

    async def test_a_skipped_time_is_settled_with_the_run_it_fell_to(self) -> None:
        site = Site(job("1m"), work=slow)
        await site.go(215)
        assert site.outcomes == ["00:00 new", "00:01 started", "00:03 done"]

    async def test_queue(self) -> None:
        site = Site(job("1m", overlap="queue"), work=slow)
        await site.go(500)
        assert site.nominals == ["00:01", "00:02", "00:03"]
        assert site.times == ["00:01", "00:03:30", "00:06"]
        assert [begun.run.late for begun in site.begun] == [0, 90, 180]
        assert site.scheduler.jobs()[0].waiting == 5

    async def test_the_queue_has_a_bound(self) -> None:
        async def endless(spec: JobSpec, run: Run) -> None:
            await asyncio.sleep(1e6)

        site = Site(job("1s", overlap="queue"), work=endless)
        await site.go(MOST_WAITING + 10.5)
        assert site.scheduler.jobs()[0].waiting == MOST_WAITING
        assert len(site.said("job skipped, too many of its runs wait")) == 9
        await site.scheduler.stop(0)

    @pytest.mark.parametrize(("overlap", "then"), [("queue", ["00:04", "00:05"]), ("skip", ["00:12"])], ids=["queue", "skip"])
    async def test_missed_runs_are_made_up_for_one_by_one(self, overlap: Overlap, then: list[str]) -> None:
        site = Site(job("1m", overlap=overlap, missed="all"), work=slow, records=MemoryRecords(a=EPOCH))
        site.clock.set(EPOCH + 210)
        await site.go(465)
        begun = [begun.at - EPOCH - 210 for begun in site.begun]
        assert begun[:3] == [0, 150, 300]
        await asyncio.sleep(175)
        assert site.nominals == ["00:01+", "00:02+", "00:03+", *then]

    async def test_a_run_on_time_closes_the_row_of_those_made_up_for(self) -> None:
        site = Site(job("5m", missed="all"), work=slow)
        await site.go(10)
        site.clock.set(EPOCH + 880)
        await asyncio.sleep(500)
        assert site.nominals == ["00:05+", "00:10+", "00:15"]

    async def test_a_skipped_time_is_not_settled_before_those_that_wait(self) -> None:
        site = Site(job("1m", missed="all"), work=slow, records=MemoryRecords(a=EPOCH))
        site.clock.set(EPOCH + 210)
        await site.go(80)
        assert site.said("job skipped, the run before still goes on")
        await site.scheduler.stop(grace=0)
        assert site.records.kept["a"] == EPOCH + 60, "00:02 and 00:03 are still to come"

    async def test_different_jobs_run_side_by_side(self) -> None:
        site = Site(job("1m"), job("1m", "b"), work=slow)
        await site.go(65)
        assert site.scheduler.running == 2


class TestFailing:
    async def test_a_run_that_raises_is_logged_with_its_place_and_the_next_comes(self) -> None:
        site = Site(job("1m"), work=failing)
        await site.go(150)
        assert site.nominals == ["00:01", "00:02"]
        said = site.said("job failed")
        assert [(entry["place"], entry["exc_info"], entry["log_level"]) for entry in said] == [("bot.py:1", True, "error")] * 2
        assert site.scheduler.jobs()[0].outcome == "failed"

    async def test_the_record_of_a_failure_holds_no_words_of_people(self) -> None:
        site = Site(job("1m"), work=failing)
        await site.go(70)
        assert site.outcomes[-1] == "00:01 failed"
        assert site.records.details == ["ValueError"]

    async def test_a_handler_that_is_cancelled_from_within_is_a_failure_among_others(self) -> None:
        async def odd(spec: JobSpec, run: Run) -> None:
            raise asyncio.CancelledError

        site = Site(job("1m"), work=odd)
        await site.go(150)
        assert site.nominals == ["00:01", "00:02"]
        assert len(site.said("job failed")) == 2

    async def test_a_start_that_cannot_be_recorded_is_no_run(self) -> None:
        class Full(MemoryRecords):
            async def record(self, key: str, nominal: float, outcome: str, *, finished: float, detail: str = "") -> None:
                if nominal == EPOCH + 60:
                    raise OSError("disk full")
                await super().record(key, nominal, outcome, finished=finished, detail=detail)

        site = Site(job("1m"), records=Full())
        await site.go(70)
        assert site.begun == []
        assert site.scheduler.jobs()[0].outcome == "unrecorded"
        assert site.said("job's record cannot be written")[0]["outcome"] == "started"
        await asyncio.sleep(60)
        assert site.nominals == ["00:02"]


class TestRecords:
    async def test_a_run_is_recorded_before_it_begins_and_its_outcome_afterwards(self) -> None:
        seen: list[float] = []

        async def look(spec: JobSpec, run: Run) -> None:
            seen.append(site.records.kept["a"])
            await asyncio.sleep(5)

        site = Site(job("1m"), work=look)
        await site.go(70)
        assert [clock(moment) for moment in seen] == ["00:01"]
        assert site.outcomes == ["00:00 new", "00:01 started", "00:01 done"]

    async def test_a_crash_in_the_middle_of_a_run_does_not_run_it_again(self) -> None:
        site = Site(job("1m", missed="all"), work=slow)
        await site.go(70)
        crashed = MemoryRecords(**site.records.kept)
        await site.scheduler.stop(0)
        again = Site(job("1m", missed="all"), records=crashed)
        await again.go(60)
        assert again.nominals == ["00:02"]

    async def test_queued_runs_of_a_stopped_process_count_as_missed(self) -> None:
        site = Site(job("1m", overlap="queue", missed="all"), work=slow)
        await site.go(190)
        await site.scheduler.stop(0)
        assert site.said("runs of jobs left for the next start")[0]["count"] == 2
        again = Site(job("1m", overlap="queue", missed="all"), records=site.records)
        await again.go(1)
        assert again.nominals == ["00:02+", "00:03+"]


class TestStopping:
    async def test_what_runs_may_finish_within_the_grace(self) -> None:
        site = Site(job("1m"), work=slow)
        await site.go(70)
        await site.scheduler.stop(grace=200)
        assert site.clock.now() == EPOCH + 60 + 150
        assert site.scheduler.running == 0
        assert site.outcomes[-1] == "00:01 done"

    async def test_no_run_begins_any_more(self) -> None:
        site = Site(job("1m"), job("1m", "b", "queue"), work=slow)
        await site.go(130)
        await site.scheduler.stop(grace=500)
        await asyncio.sleep(1000)
        assert len(site.begun) == 2

    async def test_after_the_grace_it_is_cancelled_and_so_recorded(self) -> None:
        site = Site(job("1m"), work=slow)
        await site.go(70)
        await site.scheduler.stop(grace=20)
        assert site.clock.now() == EPOCH + 90
        assert site.outcomes[-1] == "00:01 cancelled"
        assert site.said("jobs cancelled")[0]["jobs"] == ["job a"]
        assert not site.said("job failed")
        assert len(asyncio.all_tasks()) == 1

    async def test_one_that_does_not_let_itself_be_cancelled_holds_nobody_up_for_long(self) -> None:
        async def stubborn(spec: JobSpec, run: Run) -> None:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                await asyncio.sleep(100)

        site = Site(job("1m"), work=stubborn)
        await site.go(70)
        await site.scheduler.stop(grace=20)
        assert site.clock.now() == EPOCH + 90 + CLEAN_UP_SECONDS
        assert site.said("jobs do not end")[0]["jobs"] == ["job a"]
        await asyncio.sleep(100)

    async def test_a_stop_that_is_given_up_cancels_at_once(self) -> None:
        site = Site(job("1m"), work=slow)
        await site.go(70)
        stopping = asyncio.create_task(site.scheduler.stop(grace=100))
        await asyncio.sleep(1)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        await asyncio.sleep(1)
        assert site.scheduler.running == 0

    async def test_before_the_start_and_twice_it_does_nothing(self) -> None:
        site = Site(job("1m"))
        await site.scheduler.stop()
        await site.go(1)
        await site.scheduler.stop()
        await site.scheduler.stop()
        assert site.clock.now() == EPOCH + 1


async def test_how_jobs_stand() -> None:
    site = Site(job("1m"), job("2h", "b"), work=slow)
    await site.go(0)
    first, second = site.scheduler.jobs()
    assert (first.next, first.last, first.outcome, first.running) == (EPOCH + 60, None, "", False)
    assert second.next == EPOCH + 7200
    await asyncio.sleep(70)
    first, _ = site.scheduler.jobs()
    assert (first.next, first.last, first.running) == (EPOCH + 120, None, True)
    await asyncio.sleep(145)
    first, _ = site.scheduler.jobs()
    assert (first.last, first.outcome, first.running) == (EPOCH + 60, "done", False)
