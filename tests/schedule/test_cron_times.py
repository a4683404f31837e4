"""Cron lines against the plain reference: ordinary days, and days on which the clocks are moved."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference import MONTHS, WEEKDAYS, fires, matches, utc

from timbot.schedule import ScheduleError, cron

MOVES = [
    ("Europe/Berlin", utc(2026, 3, 29, 1)),
    ("Europe/Berlin", utc(2026, 10, 25, 1)),
    ("America/New_York", utc(2026, 3, 8, 7)),
    ("America/New_York", utc(2026, 11, 1, 6)),
    ("Australia/Lord_Howe", utc(2026, 10, 3, 15, 30)),
    ("Australia/Lord_Howe", utc(2026, 4, 4, 15)),
    ("Asia/Beirut", utc(2024, 3, 30, 22)),
    ("Pacific/Apia", utc(2011, 12, 30, 10)),
    ("Asia/Shanghai", utc(2026, 3, 29, 1)),
]
"""Moments at which clocks are put forward or back: by an hour, by half an hour, over midnight, over a whole day; never."""


def numbers(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(str)


def field(position: int, low: int, high: int, names: str = "") -> st.SearchStrategy[str]:
    single = (numbers(low, high) | st.sampled_from(names.split())) if names else numbers(low, high)
    ends = st.lists(st.integers(low, high), min_size=2, max_size=2)
    ranges = (ends if position == 4 else ends.map(sorted)).map(lambda pair: f"{pair[0]}-{pair[1]}")
    steps = st.integers(1, high + 3).map(str)
    stepped = st.builds("{}/{}".format, ranges | st.just("*"), steps)
    terms = st.lists(single | ranges | stepped, min_size=1, max_size=3).map(",".join)
    return st.just("*") | terms


EXPRESSIONS = st.builds(
    " ".join,
    st.tuples(
        field(0, 0, 59),
        field(1, 0, 23),
        field(2, 1, 31),
        field(3, 1, 12, MONTHS),
        field(4, 0, 7, WEEKDAYS),
    ),
)
BUSY = st.builds(" ".join, st.tuples(field(0, 0, 59), field(1, 0, 23), st.just("*"), st.just("*"), st.just("*")))


@settings(deadline=None)
@given(EXPRESSIONS | BUSY, st.sampled_from(MOVES), st.integers(-2000, 2000))
@example("30 2 * * *", MOVES[0], 0)
@example("30 2 * * *", MOVES[1], 0)
@example("*/10 * * * *", MOVES[1], 0)
@example("0 0-22 * * *", MOVES[1], 0)
@example("30 0-23 * * *", MOVES[1], 0)
@example("*/7 * * * *", MOVES[4], 0)
@example("45 * * * *", MOVES[5], 0)
@example("0 0 * * *", MOVES[6], 0)
@example("0 9 30 12 *", MOVES[7], 0)
def test_no_run_too_many_and_none_left_out(expression: str, move: tuple[str, datetime], minutes: int) -> None:
    name, moment = move
    start = moment + timedelta(minutes=minutes - 1440)
    end = start + timedelta(days=2)
    try:
        trigger = cron(expression, tz=name)
    except ScheduleError:
        # Only what has no day at all may be refused.
        year = [datetime(2028, 1, 1) + timedelta(days=day) for day in range(366)]
        dates = " ".join(["*", "*", *expression.split()[2:]])
        assert expression.split()[4].startswith("*")
        assert not any(matches(dates.rpartition(" ")[0] + " *", day) for day in year)
        return
    expected = fires(expression, ZoneInfo(name), start, end)
    assert trigger.between(start.timestamp() - 1, end.timestamp() - 1) == expected


@settings(deadline=None)
@given(EXPRESSIONS, st.sampled_from(MOVES), st.floats(0, 4e9, allow_subnormal=False))
def test_each_time_is_strictly_after_and_matches(expression: str, move: tuple[str, datetime], after: float) -> None:
    try:
        trigger = cron(expression, tz=move[0])
    except ScheduleError:
        return
    times = [after]
    for _ in range(5):
        at = trigger.next(times[-1])
        if at is None:
            break
        times.append(at)
        assert trigger.next(at - 1e-3) == at, "a question just before it gets it"
        zone = ZoneInfo(move[0])
        local = datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)
        before = datetime.fromtimestamp(at - 1, zone).replace(tzinfo=None, fold=0)
        jumped = [
            before.replace(second=0) + timedelta(minutes=m) for m in range(1, int((local - before).total_seconds()) // 60 + 1)
        ]
        assert any(matches(expression, moment) for moment in [local, *jumped])
    assert all(first < second for first, second in pairwise(times))


def shown(expression: str, tz: str, day: datetime, hours: int = 24) -> list[str]:
    """What the clock on the wall shows at the runs from a moment on."""
    start = day.timestamp()
    trigger = cron(expression, tz=tz)
    return [trigger.local(at).strftime("%d %H:%M %z") for at in trigger.between(start - 1, start + hours * 3600 - 1)]


def test_a_time_the_clock_jumps_over_is_met_when_the_jump_ends() -> None:
    assert shown("30 2 * * *", "Europe/Berlin", utc(2026, 3, 28), 60) == ["28 02:30 +0100", "29 03:00 +0200", "30 02:30 +0200"]


def test_several_times_the_clock_jumps_over_are_one_run() -> None:
    assert shown("*/10 2 * * *", "Europe/Berlin", utc(2026, 3, 29)) == ["29 03:00 +0200"]


def test_a_time_that_comes_twice_is_met_the_first_time() -> None:
    assert shown("30 2 * * *", "Europe/Berlin", utc(2026, 10, 24, 12), 48) == ["25 02:30 +0200", "26 02:30 +0100"]


def test_a_line_for_every_hour_goes_on_through_both_hours() -> None:
    assert shown("*/30 * * * *", "Europe/Berlin", utc(2026, 10, 25), 3) == [
        "25 02:00 +0200", "25 02:30 +0200", "25 02:00 +0100", "25 02:30 +0100", "25 03:00 +0100", "25 03:30 +0100",
    ]  # fmt: skip


def test_a_line_for_every_hour_has_nothing_to_make_up_for_in_spring() -> None:
    assert shown("30 * * * *", "Europe/Berlin", utc(2026, 3, 29), 3) == ["29 01:30 +0100", "29 03:30 +0200", "29 04:30 +0200"]


def test_half_an_hour_of_summer_time() -> None:
    assert shown("15 2 * * *", "Australia/Lord_Howe", utc(2026, 10, 3, 12)) == ["04 02:30 +1100"]
    assert shown("45 1 * * *", "Australia/Lord_Howe", utc(2026, 4, 4, 12)) == ["05 01:45 +1100"]
    assert shown("45 * * * *", "Australia/Lord_Howe", utc(2026, 4, 4, 14), 2) == ["05 01:45 +1100", "05 01:45 +1030"]


def test_midnight_that_does_not_come() -> None:
    assert shown("@daily", "Asia/Beirut", utc(2024, 3, 30, 12)) == ["31 01:00 +0300"]


def test_an_hour_that_comes_twice_at_the_end_of_the_only_day_of_the_year() -> None:
    assert shown("30 * 24 10 *", "Asia/Beirut", utc(2026, 10, 24, 20), 12) == ["24 23:30 +0300", "24 23:30 +0200"]


def test_a_day_that_does_not_come() -> None:
    assert shown("0 9 30 12 *", "Pacific/Apia", utc(2011, 12, 29, 12), 48) == ["31 00:00 +1400"]


def test_shanghai_has_no_summer_time() -> None:
    assert shown("0 9 * * mon-fri", "Asia/Shanghai", utc(2026, 3, 26), 120) == [
        "26 09:00 +0800", "27 09:00 +0800", "30 09:00 +0800",
    ]  # fmt: skip


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai"])
def test_a_daily_job_runs_once_a_day_all_the_year(zone: str) -> None:
    trigger = cron("30 2 * * *", tz=zone)
    start = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).timestamp()
    days = [trigger.local(at).date() for at in trigger.between(start - 1, start + 365 * 86400 - 1)]
    assert len(days) == len(set(days)) == 365


def test_the_leap_day() -> None:
    leap = cron("0 12 29 2 *", tz="UTC")
    times = leap.between(utc(2026, 1, 1).timestamp(), utc(2040, 1, 1).timestamp())
    assert [leap.local(at).year for at in times] == [2028, 2032, 2036]


def test_a_question_from_the_end_of_time_has_no_answer() -> None:
    for expression in ("* * * * *", "0 9 29 2 *"):
        trigger = cron(expression, tz="Europe/Berlin")
        assert trigger.next(float("inf")) is None
        assert trigger.next(utc(9995, 1, 1).timestamp()) is None


@settings(deadline=None)
@given(EXPRESSIONS, st.integers(1, 40), st.integers(0, 200))
def test_the_latest_are_the_end_of_all(expression: str, limit: int, hours: int) -> None:
    try:
        trigger = cron(expression, tz="Europe/Berlin")
    except ScheduleError:
        return
    until = utc(2026, 11, 1).timestamp()
    every = trigger.between(until - hours * 3600, until)
    assert trigger.latest(until - hours * 3600, until, limit) == (every[-limit:], len(every) > limit)
    assert trigger.between(until - hours * 3600, until, limit) == every[:limit]
