"""The waiting loop: when runs begin, what is missed, clocks that are set. The virtual clock starts on a Monday at 00:00 UTC."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_site import MemoryRecords, Site

from timbot.runtime.scheduler import MOST_MADE_UP, RECHECK_SECONDS
from timbot.schedule import JobSpec, Missed, ScheduleError, Trigger, at, cron, delay, every
from timbot.testing import EPOCH, run

HOUR = 3600.0
DAY = 86400.0


def job(trigger: Trigger, missed: Missed = "skip", *, name: str = "a", jitter: float = 0.0, grace: float = DAY) -> JobSpec:
    return JobSpec(name, trigger, place="bot.py:1", missed=missed, jitter=jitter, grace=grace)


HOURLY = cron("0 * * * *", tz="UTC")


class TestOnTime:
    async def test_runs_begin_at_their_times(self) -> None:
        site = Site(job(cron("0 9,17 * * *", tz="Asia/Shanghai")))
        await site.go(DAY)
        assert site.times == ["01:00", "09:00"]
        assert [one.run.late for one in site.begun] == [0, 0]

    async def test_all_jobs_of_an_account_share_one_task(self) -> None:
        site = Site(job(HOURLY), job(every("100m"), name="b"), job(at("2026-01-05 02:30", tz="UTC"), name="c"))
        tasks = len(asyncio.all_tasks())
        await site.go(0)
        assert len(asyncio.all_tasks()) == tasks + 1
        await asyncio.sleep(3.6 * HOUR)
        begun = [f"{begun.key} {when}" for begun, when in zip(site.begun, site.times, strict=True)]
        assert begun == ["a 01:00", "b 01:20", "a 02:00", "c 02:30", "b 03:00", "a 03:00"]

    async def test_nobody_waits_when_nothing_comes_any_more(self) -> None:
        site = Site(job(at("2020-01-01 00:00", tz="UTC")))
        await site.go(1)
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "scheduler"]
        assert site.scheduler.jobs()[0].next is None

    async def test_jitter_delays_each_run_by_an_amount_of_its_own(self) -> None:
        spec = job(HOURLY, jitter=600)
        site = Site(spec)
        await site.go(5.5 * HOUR)
        hours = [EPOCH + count * HOUR for count in range(1, 6)]
        assert [begun.run.nominal for begun in site.begun] == hours
        assert [begun.at for begun in site.begun] == pytest.approx([at + delay("a", at, 600) for at in hours])
        assert [begun.run.due for begun in site.begun] == [at + delay("a", at, 600) for at in hours]

    async def test_jitter_longer_than_the_interval_leaves_no_run_out_and_keeps_the_order(self) -> None:
        site = Site(job(every("10s"), "all", jitter=45))
        await site.go(600)
        nominals = [begun.run.nominal for begun in site.begun]
        assert nominals == [EPOCH + 10 * count for count in range(1, len(nominals) + 1)]
        assert len(nominals) >= 55

    async def test_two_jobs_of_one_name_are_refused(self) -> None:
        with pytest.raises(ScheduleError, match=r"Two jobs are called 'a' \(bot.py:1, bot.py:1\)"):
            Site(job(HOURLY), job(every("1s")))

    async def test_a_trigger_that_fails_stops_no_other_job(self) -> None:
        class Broken(type(every("1s"))):  # type: ignore[misc]
            def next(self, after: float) -> float | None:
                if after > EPOCH + 10:
                    raise ArithmeticError
                return super().next(after)  # type: ignore[no-any-return]

        site = Site(job(Broken(30.0)), job(HOURLY, name="b"))
        await site.go(1.1 * HOUR)
        assert [begun.key for begun in site.begun] == ["b"]
        assert site.said("job's times cannot be told, it runs no more")[0]["place"] == "bot.py:1"
        assert site.scheduler.jobs()[0].next is None


class TestMissed:
    @pytest.mark.parametrize(
        ("choice", "expected"),
        [
            ("skip", []),
            ("once", ["03:00+"]),
            ("all", ["01:00+", "02:00+", "03:00+"]),
        ],
    )
    async def test_while_the_process_was_down(self, choice: Missed, expected: list[str]) -> None:
        site = Site(job(HOURLY, choice), records=MemoryRecords(a=EPOCH))
        site.clock.set(EPOCH + 3.5 * HOUR)
        await site.go(0.4 * HOUR)
        assert site.nominals == expected
        (said,) = site.said("job missed runs")
        assert (said["count"], said["missed"], said["made_up"]) == (3, choice, len(expected))
        assert said["latest"] == "2026-01-05T03:00:00+00:00"
        await asyncio.sleep(0.2 * HOUR)
        assert site.nominals == [*expected, "04:00"]

    @pytest.mark.parametrize("choice", ["skip", "once", "all"])
    async def test_a_first_start_has_missed_nothing(self, choice: Missed) -> None:
        site = Site(job(HOURLY, choice))
        site.clock.set(EPOCH + 3.5 * HOUR)
        await site.go(0.6 * HOUR)
        assert site.nominals == ["04:00"]
        assert not site.said("job missed runs")

    async def test_a_first_start_is_recorded_so_that_a_first_run_can_be_missed(self) -> None:
        first = Site(job(HOURLY, "once"))
        await first.go(0.5 * HOUR)
        await first.scheduler.stop()
        again = Site(job(HOURLY, "once"), records=first.records)
        await asyncio.sleep(HOUR)
        await again.go(1)
        assert again.nominals == ["01:00+"]

    async def test_nothing_missed_is_nothing_said(self) -> None:
        site = Site(job(HOURLY, "all"), records=MemoryRecords(a=EPOCH))
        await site.go(10)
        assert site.logs == []

    async def test_without_records_a_restart_has_missed_nothing(self) -> None:
        site = Site(job(HOURLY, "all"), keep=False)
        await site.go(1.5 * HOUR)
        await site.scheduler.stop()
        assert site.nominals == ["01:00"]

    async def test_what_is_older_than_the_grace_is_dropped(self) -> None:
        site = Site(job(HOURLY, "all", grace=2.6 * HOUR), records=MemoryRecords(a=EPOCH))
        site.clock.set(EPOCH + 5.5 * HOUR)
        await site.go(1)
        assert site.nominals == ["03:00+", "04:00+", "05:00+"]
        assert site.said("job missed runs")[0]["count"] == "more than 3"

    async def test_one_run_alone_is_dropped_after_the_grace_too(self) -> None:
        site = Site(job(at("2026-01-05 01:00", tz="UTC"), "once", grace=HOUR), records=MemoryRecords(a=EPOCH))
        site.clock.set(EPOCH + 2.1 * HOUR)
        await site.go(1)
        assert site.nominals == []

    async def test_a_date_that_was_missed_is_made_up_for(self) -> None:
        site = Site(job(at("2026-01-05 01:00", tz="UTC"), "once"), records=MemoryRecords(a=EPOCH))
        site.clock.set(EPOCH + 2 * HOUR)
        await site.go(1)
        assert site.nominals == ["01:00+"]

    async def test_all_has_a_bound_the_latest_are_made_up_for(self) -> None:
        site = Site(job(every("1m"), "all"), records=MemoryRecords(a=EPOCH))
        site.clock.set(EPOCH + 200 * 60 + 1)
        await site.go(1)
        assert len(site.begun) == MOST_MADE_UP
        assert [site.nominals[0], site.nominals[-1]] == ["01:41+", "03:20+"]
        assert site.said("job missed runs")[0]["count"] == f"more than {MOST_MADE_UP + 1}"

    async def test_a_run_still_within_its_jitter_is_not_missed(self) -> None:
        nominal = EPOCH + HOUR
        later = delay("a", nominal, 600)
        site = Site(job(HOURLY, "skip", jitter=600), records=MemoryRecords(a=EPOCH + 1))
        site.clock.set(nominal + later / 2)
        await site.go(600)
        assert [begun.at for begun in site.begun] == pytest.approx([nominal + later])
        assert not site.begun[0].run.missed

    async def test_of_several_the_one_still_within_its_jitter_comes_at_its_time(self) -> None:
        third = EPOCH + 3 * HOUR
        later = delay("a", third, 600)
        site = Site(job(HOURLY, "all", jitter=600), records=MemoryRecords(a=EPOCH))
        site.clock.set(third + later / 2)
        await site.go(600)
        assert site.nominals == ["01:00+", "02:00+", "03:00"]
        assert site.begun[-1].at == pytest.approx(third + later)

    async def test_one_within_its_jitter_is_found_behind_others_that_are_too_old(self) -> None:
        third = EPOCH + 3 * HOUR
        site = Site(job(HOURLY, "all", jitter=600, grace=0), records=MemoryRecords(a=EPOCH))
        site.clock.set(third + delay("a", third, 600) / 2)
        await site.go(600)
        assert site.nominals == ["03:00"]

    async def test_the_grace_counts_from_the_end_of_the_delay(self) -> None:
        later = delay("a", EPOCH + HOUR, 600)
        assert later > 30
        site = Site(job(HOURLY, "once", jitter=600, grace=30), records=MemoryRecords(a=EPOCH))
        site.clock.set(EPOCH + HOUR + later + 20)
        await site.go(1)
        assert site.nominals == ["01:00+"]

    async def test_no_grace_at_all_leaves_runs_that_are_on_time(self) -> None:
        site = Site(job(HOURLY, "all", jitter=600, grace=0), records=MemoryRecords(a=EPOCH))
        await site.go(2.5 * HOUR)
        assert site.nominals == ["01:00", "02:00"]


class TestClocks:
    async def test_a_clock_put_back_runs_nothing_twice(self) -> None:
        site = Site(job(HOURLY, "all"))
        await site.go(2.5 * HOUR)
        site.clock.set(EPOCH + 0.5 * HOUR)
        await asyncio.sleep(3 * HOUR)
        assert site.nominals == ["01:00", "02:00", "03:00"]

    async def test_a_clock_put_forward_is_noticed_within_a_minute(self) -> None:
        site = Site(job(cron("0 12 * * *", tz="UTC")))
        await site.go(10)
        site.clock.set(EPOCH + 12 * HOUR - 5)
        before = site.clock.monotonic()
        await asyncio.sleep(RECHECK_SECONDS)
        assert site.nominals == ["12:00"]
        assert site.begun[0].at - (EPOCH + 12 * HOUR - 5) <= RECHECK_SECONDS
        assert site.clock.monotonic() - before == RECHECK_SECONDS

    @pytest.mark.parametrize(
        ("choice", "expected"),
        [("skip", []), ("once", ["05:00+"]), ("all", ["01:00+", "02:00+", "03:00+", "04:00+", "05:00+"])],
    )
    async def test_a_machine_that_slept_has_missed_its_runs(self, choice: Missed, expected: list[str]) -> None:
        site = Site(job(HOURLY, choice))
        await site.go(10)
        site.clock.set(EPOCH + 5.5 * HOUR)
        await asyncio.sleep(RECHECK_SECONDS)
        assert site.nominals == expected

    @pytest.mark.parametrize(
        ("choice", "expected"), [("skip", ["05:00"]), ("once", ["05:00"]), ("all", ["03:00+", "04:00+", "05:00"])]
    )
    async def test_one_that_wakes_right_at_a_time_is_on_time_for_it(self, choice: Missed, expected: list[str]) -> None:
        site = Site(job(HOURLY, choice))
        await site.go(2.5 * HOUR + 10)
        site.begun.clear()
        site.clock.set(EPOCH + 5 * HOUR - 30)
        await asyncio.sleep(RECHECK_SECONDS)
        assert site.nominals == expected

    async def test_records_from_the_future_are_pointed_out(self) -> None:
        site = Site(job(HOURLY), records=MemoryRecords(a=EPOCH + 10 * DAY))
        await site.go(DAY)
        assert site.begun == []
        assert site.said("job has run in the future, nothing runs before that")[0]["job"] == "a"


def test_a_year_with_both_changes_of_the_clock() -> None:
    """Also the measure: a year of a daily job costs less than a second."""

    async def year() -> Site:
        site = Site(job(cron("30 2 * * *", tz="Europe/Berlin")), recheck=HOUR)
        await site.go(365 * DAY)
        await site.scheduler.stop()
        return site

    began = time.process_time()
    site = run(year(), start=datetime(2026, 1, 1, tzinfo=UTC), limit=400 * DAY)
    assert time.process_time() - began < 1.0
    local = [datetime.fromtimestamp(begun.at, ZoneInfo("Europe/Berlin")) for begun in site.begun]
    assert len({moment.date() for moment in local}) == len(local) == 365
    odd = [f"{moment:%m-%d %H:%M}" for moment in local if (moment.hour, moment.minute) != (2, 30)]
    assert odd == ["03-29 03:00"]
    assert [record for record in site.records.history if record[2] == "done"] == [
        ("a", begun.run.nominal, "done") for begun in site.begun
    ]


steps = st.lists(
    st.tuples(st.sampled_from(["wait", "set", "restart"]), st.floats(0, 3 * HOUR), st.floats(-4 * HOUR, 4 * HOUR)), max_size=12
)


@settings(deadline=None, max_examples=60)
@given(steps, st.sampled_from(["skip", "once", "all"]), st.sampled_from([0.0, 400.0, 4000.0]))
def test_whatever_the_clock_does_no_time_runs_twice(
    moves: list[tuple[str, float, float]], missed: Missed, jitter: float
) -> None:
    async def story() -> list[float]:
        records = MemoryRecords()
        nominals: list[float] = []
        site = Site(job(cron("*/20 * * * *", tz="UTC"), missed, jitter=jitter), records=records)
        await site.go(0)
        for what, seconds, jump in moves:
            if what == "set":
                site.clock.set(site.clock.now() + jump)
            elif what == "restart":
                await site.scheduler.stop()
                nominals += [begun.run.nominal for begun in site.begun]
                await asyncio.sleep(seconds)
                site = Site(job(cron("*/20 * * * *", tz="UTC"), missed, jitter=jitter), records=records)
                await site.go(0)
            await asyncio.sleep(seconds)
        await site.scheduler.stop()
        return nominals + [begun.run.nominal for begun in site.begun]

    nominals = run(story())
    assert all(first < second for first, second in pairwise(nominals))
    assert all(nominal % 1200 == 0 for nominal in nominals)
