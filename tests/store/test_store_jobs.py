"""The last run of each job."""

from __future__ import annotations

from pathlib import Path

import pytest

from timbot.store import Database, JobRecord, Jobs, UnstorableValue


@pytest.fixture
async def jobs(database: Database) -> Jobs:
    return database.jobs("bot", "announcements")


async def test_a_job_that_never_ran_has_no_last_run(jobs: Jobs) -> None:
    assert await jobs.last("morning") is None


async def test_the_last_run_is_the_one_recorded_last(jobs: Jobs) -> None:
    await jobs.record("morning", 200.0, "done", finished=201.0)
    await jobs.record("morning", 100.0, "done", finished=202.0)
    assert await jobs.last("morning") == 100.0


async def test_a_record_has_all_of_it(jobs: Jobs) -> None:
    await jobs.record("morning", 100.0, "done", finished=101.0)
    await jobs.record("evening", 300.5, "failed", finished=302.25, detail="no such group")
    assert await jobs.records() == [
        JobRecord("evening", 300.5, "failed", "no such group", 302.25),
        JobRecord("morning", 100.0, "done", "", 101.0),
    ]


async def test_a_long_detail_is_cut(jobs: Jobs) -> None:
    await jobs.record("morning", 1.0, "failed", finished=2.0, detail="x" * 501)
    assert [record.detail for record in await jobs.records()] == ["x" * 500]


async def test_a_detail_may_hold_anything(jobs: Jobs) -> None:
    await jobs.record("morning", 1.0, "failed", finished=2.0, detail="\ud800")
    assert [record.detail for record in await jobs.records()] == ["?"]


async def test_a_forgotten_one_never_ran(jobs: Jobs) -> None:
    await jobs.record("morning", 1.0, "done", finished=2.0)
    await jobs.forget("morning")
    assert await jobs.last("morning") is None


@pytest.mark.parametrize("other", [("bot", "dice"), ("other", "announcements")])
async def test_others_have_jobs_of_their_own(database: Database, jobs: Jobs, other: tuple[str, str]) -> None:
    await jobs.record("morning", 1.0, "done", finished=2.0)
    assert await database.jobs(*other).last("morning") is None
    assert await database.jobs(*other).records() == []


async def test_a_job_has_a_name(jobs: Jobs) -> None:
    with pytest.raises(UnstorableValue, match="key"):
        await jobs.record("", 1.0, "done", finished=2.0)


async def test_they_survive_a_restart(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        await database.jobs("bot", "dice").record("morning", 1767571200.125, "done", finished=2.0)
    async with await Database.open(tmp_path) as database:
        assert await database.jobs("bot", "dice").last("morning") == 1767571200.125
