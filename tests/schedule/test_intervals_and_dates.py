"""Intervals, dates, time zones, and jobs as values."""

from __future__ import annotations

import subprocess
import sys
import zoneinfo
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reference import utc

from timbot.schedule import JobSpec, ScheduleError, at, cron, delay, every


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86400),
        ("1h30m", 5400),
        ("1d 2h 3m 4s", 93784),
        (" 90M ", 5400),
        (45, 45),
        (1.5, 1.5),
    ],
)
def test_intervals(text: str | float, seconds: float) -> None:
    assert every(text).seconds == seconds


@pytest.mark.parametrize("text", ["", "30", "5 minutes", "30m1h", "1.5h", "-5s", "s", "100ms", "٣s", "9" * 400 + "d"])
def test_what_is_no_interval_shows_how_one_is_written(text: str) -> None:
    with pytest.raises(ScheduleError, match=r"is no interval.*'1h30m'"):
        every(text)


@pytest.mark.parametrize("seconds", ["0s", 0, 0.5, -3, float("nan"), float("inf")])
def test_an_interval_has_at_least_a_second(seconds: str | float) -> None:
    with pytest.raises(ScheduleError, match="The least is 1 s"):
        every(seconds)


@given(st.floats(1, 1e7), st.floats(-1e9, 4e9), st.floats(-1e9, 4e9))
@example(1.1, 0.0, 1.1)
@example(30.0, 0.0, 1767571230.0)
def test_the_next_of_an_interval_is_the_first_of_its_grid_after_the_question(
    seconds: float, start: float, after: float
) -> None:
    trigger = every(seconds, start=start)
    found = trigger.next(after)
    assert found is not None
    assert found > after
    if after < start:
        assert found == start
    else:
        count = round((found - start) / seconds)
        assert found == start + count * seconds
        assert start + (count - 1) * seconds <= after


def test_an_interval_lies_on_the_hour_and_keeps_its_places_after_a_restart() -> None:
    assert every("1h").next(utc(2026, 3, 1, 12, 34).timestamp()) == utc(2026, 3, 1, 13).timestamp()


def test_a_start_moves_the_grid() -> None:
    trigger = every("1h", start=utc(2026, 3, 1, 12, 10))
    assert trigger.next(0) == utc(2026, 3, 1, 12, 10).timestamp()
    assert trigger.next(utc(2026, 3, 1, 12, 10).timestamp()) == utc(2026, 3, 1, 13, 10).timestamp()
    with pytest.raises(ScheduleError, match="needs a time zone"):
        every("1h", start=datetime(2026, 3, 1))


def test_intervals_in_words() -> None:
    assert every("1h30m").describe() == "every 1 h 30 min"
    assert every("1d").describe() == "every 1 d"
    assert every(61.5).describe() == "every 1 min 1.5 s"


def test_the_latest_of_a_month_of_seconds_are_found_at_once() -> None:
    until = 1e9 + 30 * 86400
    times, more = every("1s").latest(1e9, until, 100)
    assert (times[0], times[-1], len(times), more) == (until - 99, until, 100, True)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-12-24 09:00", utc(2026, 12, 24, 1)),
        ("2026-12-24T09:00:30", utc(2026, 12, 24, 1, 0, 30)),
        ("2026-12-24T09:00:00+01:00", utc(2026, 12, 24, 8)),
        ("2026-12-24T09:00Z", utc(2026, 12, 24, 9)),
        (datetime(2026, 12, 24, 9), utc(2026, 12, 24, 1)),
        (datetime(2026, 12, 24, 9, tzinfo=ZoneInfo("Europe/Berlin")), utc(2026, 12, 24, 8)),
    ],
)
def test_dates(when: str | datetime, expected: datetime) -> None:
    trigger = at(when, tz="Asia/Shanghai")
    assert trigger.next(0) == expected.timestamp()
    assert trigger.next(expected.timestamp()) is None
    assert trigger.tz == "Asia/Shanghai"


def test_a_date_keeps_its_fraction_of_a_second() -> None:
    assert at(datetime(2026, 12, 24, 9, 0, 0, 250_000), tz="UTC").moment == utc(2026, 12, 24, 9).timestamp() + 0.25


def test_a_date_with_a_zone_is_shown_in_it() -> None:
    assert at("2026-12-24T09:00+08:00").describe() == "once, 2026-12-24 09:00, UTC+08:00"
    assert at(datetime(2026, 12, 24, 9, tzinfo=ZoneInfo("Europe/Berlin"))).tz == "Europe/Berlin"
    assert at("2026-12-24 09:00:05", tz="Asia/Shanghai").describe() == "once, 2026-12-24 09:00:05, Asia/Shanghai"


def test_a_date_in_a_gap_and_one_that_comes_twice() -> None:
    assert at("2026-03-29 02:30", tz="Europe/Berlin").moment == utc(2026, 3, 29, 1).timestamp()
    assert at("2026-10-25 02:30", tz="Europe/Berlin").moment == utc(2026, 10, 25, 0, 30).timestamp()


@pytest.mark.parametrize(
    ("when", "what"),
    [
        ("2026-12-24", "'2026-12-24' has no time of day"),
        ("20261224", "has no time of day"),
        ("2026-02-30 09:00", "day"),
        ("24.12.2026 09:00", "is no date and time"),
        ("tomorrow", "is no date and time"),
        ("0001-01-01 00:00", "year 1 is out of reach"),
        ("9999-12-31T23:59+00:00", "year 9999 is out of reach"),
    ],
)
def test_what_is_no_date_shows_how_one_is_written(when: str, what: str) -> None:
    with pytest.raises(ScheduleError, match=f"{what}.*'2026-12-24 09:00'"):
        at(when, tz="UTC")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("europe/berlin", "Europe/Berlin"),
        ("Europe/Berln", "Europe/Berlin"),
        ("Shanghai", "Asia/Shanghai"),
        ("Asia/Beijing", "Asia/Shanghai"),
        ("America/New York", "America/New_York"),
        ("New_Yrok", "America/New_York"),
    ],
)
def test_an_unknown_zone_names_the_closest(name: str, meant: str) -> None:
    with pytest.raises(ScheduleError, match=f"no time zone '{name}'.*Did you mean '{meant}'"):
        cron("@daily", tz=name)


@pytest.mark.parametrize("name", ["", "Europe", "../etc/passwd", "/etc/localtime", "x\0y", "Qqqqqqq"])
def test_what_is_no_zone_at_all_shows_what_one_looks_like(name: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        cron("@daily", tz=name)
    assert "time zone" in caught.value.message
    assert "Did you mean" in caught.value.hint or "IANA" in caught.value.hint


def test_a_machine_without_time_zone_data(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> Any:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(zoneinfo, "ZoneInfo", nothing)
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    with pytest.raises(ScheduleError, match=r"no time zone data\. .*tzdata"):
        cron("@daily", tz="Asia/Shanghai")
    assert cron("@daily", tz="UTC").next(0) == 86400, "UTC needs no data"


def test_without_a_zone_it_is_the_machine_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    assert cron("@daily").tz == "Asia/Shanghai"
    assert at("2026-12-24 09:00").moment == utc(2026, 12, 24, 1).timestamp()
    monkeypatch.setenv("TZ", "UTC")
    assert cron("@daily").tz == "UTC"


def test_a_machine_whose_zone_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST")
    with pytest.raises(ScheduleError, match=r"The machine's time zone has no name.*Give tz="):
        cron("@daily")


def test_jitter_is_the_same_for_the_same_run_and_spreads_the_others() -> None:
    delays = [delay("dice:morning", 86400.0 * day, 300) for day in range(1000)]
    assert delays == [delay("dice:morning", 86400.0 * day, 300) for day in range(1000)]
    assert all(0 <= seconds < 300 for seconds in delays)
    assert all(sum(low <= seconds < low + 30 for seconds in delays) > 50 for low in range(0, 300, 30))
    assert delay("dice:morning", 0.0, 300) != delay("dice:evening", 0.0, 300)
    assert delay("dice:morning", 0.0, 0) == 0


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ({"missed": "never"}, "missed='never' is no choice.*skip, once, all"),
        ({"overlap": "once"}, "overlap='once' is no choice.*skip, queue"),
        ({"jitter": -1.0}, "jitter=-1.0 is no number"),
        ({"grace": float("nan")}, "grace=nan is no number"),
    ],
)
def test_impossible_settings_of_a_job(setting: dict[str, Any], what: str) -> None:
    with pytest.raises(ScheduleError, match=what):
        JobSpec("a", every("1h"), **setting)


def test_apscheduler_is_not_loaded_before_a_time_is_asked_for() -> None:
    code = "import sys; from timbot.schedule import cron; cron('@daily', tz='UTC'); print('apscheduler' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_moments_are_shown_in_the_trigger_s_zone() -> None:
    assert cron("@daily", tz="Asia/Shanghai").local(0).isoformat() == "1970-01-01T08:00:00+08:00"
    assert every("1h").local(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert at(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))).local(0).hour == 2
