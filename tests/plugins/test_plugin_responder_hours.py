"""Business hours against a plain reference that asks every quarter of an hour, also on days when clocks are moved."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timbot_plugins.responder.hours import Calendar, Dates, Opening, Span, check_week

SHANGHAI, BERLIN, ADELAIDE = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Adelaide")


def calendar(*lines: str, closed: tuple[str, ...] = (), zone: ZoneInfo = SHANGHAI) -> Calendar:
    return Calendar(zone, tuple(map(Opening.parse, lines)), tuple(map(Dates.parse, closed)))


def at(text: str, zone: ZoneInfo = SHANGHAI, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


class TestReading:
    @pytest.mark.parametrize(
        ("text", "days", "spans"),
        [
            ("mon-fri 09:00-18:00", {0, 1, 2, 3, 4}, [(540, 1080)]),
            ("sat 10:00-14:00", {5}, [(600, 840)]),
            ("sat,sun 10:00-14:00", {5, 6}, [(600, 840)]),
            ("mon,wed-fri 9:00-12:00, 13:30-18:00", {0, 2, 3, 4}, [(540, 720), (810, 1080)]),
            ("fri-mon 22:00-02:00", {4, 5, 6, 0}, [(1320, 1560)]),
            ("Daily 00:00-24:00", {0, 1, 2, 3, 4, 5, 6}, [(0, 1440)]),
            ("  Monday – Friday   09:00 – 18:00 ", {0, 1, 2, 3, 4}, [(540, 1080)]),
            ("sun 22:00-00:00", {6}, [(1320, 1440)]),
        ],
    )
    def test_days_and_spans(self, text: str, days: set[int], spans: list[tuple[int, int]]) -> None:
        assert Opening.parse(text) == Opening(frozenset(days), None, tuple(Span(*span) for span in spans))

    def test_a_date(self) -> None:
        found = Opening.parse("2026-10-10 09:00-18:00")
        assert found == Opening(frozenset(), Dates(date(2026, 10, 10), date(2026, 10, 10)), (Span(540, 1080),))

    def test_dates(self) -> None:
        assert Dates.parse("2026-10-01 .. 2026-10-07") == Dates(date(2026, 10, 1), date(2026, 10, 7))

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("mon-fri", "days and hours are needed"),
            ("09:00-18:00", "days and hours are needed"),
            ("", "days and hours are needed"),
            ("mo-fr 09:00-18:00", "a day is one of mon"),
            ("workdays 09:00-18:00", "a day is one of mon"),
            ("mon-fri 9-18", "hours are needed"),
            ("mon-fri 09:00-12:00 13:00-18:00", "several with commas"),
            ("mon-fri 09:00-25:00", "from 00:00 to 24:00"),
            ("mon-fri 24:00-01:00", "from 00:00 to 24:00"),
            ("mon-fri 09:60-18:00", "from 00:00 to 24:00"),
            ("mon-fri 09:00-09:00", "a whole day is 00:00-24:00"),
            ("2026-13-01 09:00-18:00", "this is no date"),
            ("2026-10-1 09:00-18:00", "a date like 2026-12-25"),
        ],
    )
    def test_wrong_lines_say_what_is_needed(self, text: str, says: str) -> None:
        with pytest.raises(ValueError, match=says):
            Opening.parse(text)

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("2026-02-30", "this is no date"),
            ("25.12.2026", "a date like 2026-12-25"),
            ("2026-10-07..2026-10-01", "before the first"),
            ("2026-10-01..", "a date like 2026-12-25"),
            ("9999-12-31", "a year from 2000 to 2100"),
        ],
    )
    def test_wrong_dates_say_what_is_needed(self, text: str, says: str) -> None:
        with pytest.raises(ValueError, match=says):
            Dates.parse(text)

    @given(st.text(max_size=40) | st.from_regex(r"[a-z]{3}(-[a-z]{3})? \d\d?:\d\d-\d\d?:\d\d"))
    def test_any_text_is_read_or_refused_in_words(self, text: str) -> None:
        try:
            Opening.parse(text)
        except ValueError as error:
            assert "needed" in str(error) or "go from" in str(error) or "whole day" in str(error)  # noqa: PT017


class TestWeek:
    def test_a_week_is_needed(self) -> None:
        [(line, problem)] = check_week((Opening.parse("2026-10-10 09:00-18:00"),))
        assert line == 0
        assert "the hours of a week are needed" in problem

    def test_lines_that_overlap_on_a_day_are_named(self) -> None:
        lines = ("mon-fri 09:00-18:00", "sat 09:00-18:00", "fri,sun 17:00-20:00")
        [(line, problem)] = check_week(tuple(map(Opening.parse, lines)))
        assert line == 2
        assert "on fri:" in problem

    def test_lines_that_follow_on_each_other_are_fine(self) -> None:
        lines = ("mon-fri 09:00-12:00", "mon-fri 12:00-18:00", "fri 22:00-02:00", "sat 00:00-01:00")
        assert check_week(tuple(map(Opening.parse, lines))) == []


class TestOpen:
    @pytest.mark.parametrize(
        ("moment", "is_open"),
        [
            ("2026-01-05 08:59:59", False),
            ("2026-01-05 09:00", True),
            ("2026-01-05 17:59:59", True),
            ("2026-01-05 18:00", False),
            ("2026-01-10 12:00", False),
        ],
    )
    def test_the_first_minute_counts_and_the_last_does_not(self, moment: str, is_open: bool) -> None:
        assert calendar("mon-fri 09:00-18:00").is_open(at(moment)) is is_open

    @pytest.mark.parametrize(
        ("moment", "is_open"),
        [
            ("2026-01-09 21:59", False),
            ("2026-01-09 22:00", True),
            ("2026-01-10 00:00", True),
            ("2026-01-10 01:59", True),
            ("2026-01-10 02:00", False),
            ("2026-01-09 01:00", False),
        ],
    )
    def test_a_span_goes_over_midnight(self, moment: str, is_open: bool) -> None:
        assert calendar("fri 22:00-02:00").is_open(at(moment)) is is_open

    def test_a_holiday_takes_the_spans_that_begin_on_it(self) -> None:
        bar = calendar("daily 22:00-02:00", closed=("2026-12-25",))
        assert bar.is_open(at("2026-12-25 01:00"))  # the evening of the 24th
        assert not bar.is_open(at("2026-12-25 23:00"))
        assert not bar.is_open(at("2026-12-26 01:00"))
        assert bar.is_open(at("2026-12-26 23:00"))

    def test_a_line_with_a_date_counts_instead_of_the_week_and_of_holidays(self) -> None:
        shop = calendar(
            "mon-fri 09:00-18:00", "2026-10-10 10:00-12:00", "2026-10-05 13:00-14:00", closed=("2026-10-01..2026-10-07",)
        )
        assert shop.is_open(at("2026-10-10 11:00"))  # a Saturday that is worked
        assert not shop.is_open(at("2026-10-10 12:00"))
        assert shop.is_open(at("2026-10-05 13:30"))  # within the holidays
        assert not shop.is_open(at("2026-10-06 13:30"))

    def test_the_zone_counts(self) -> None:
        shop = calendar("mon-fri 09:00-18:00", zone=BERLIN)
        assert shop.is_open(datetime(2026, 1, 5, 8, 0, tzinfo=UTC).timestamp())
        assert not shop.is_open(datetime(2026, 7, 6, 6, 59, tzinfo=UTC).timestamp())
        assert shop.is_open(datetime(2026, 7, 6, 7, 0, tzinfo=UTC).timestamp())


class TestNextOpen:
    @pytest.mark.parametrize(
        ("moment", "opens"),
        [
            ("2026-01-05 08:00", "2026-01-05 09:00"),
            ("2026-01-05 09:00", "2026-01-05 13:00"),
            ("2026-01-05 18:00", "2026-01-06 09:00"),
            ("2026-01-09 18:00", "2026-01-12 09:00"),
            ("2026-09-30 20:00", "2026-10-08 09:00"),
        ],
    )
    def test_it_is_the_next_beginning(self, moment: str, opens: str) -> None:
        shop = calendar("mon-fri 09:00-12:00,13:00-18:00", closed=("2026-10-01..2026-10-07",))
        assert shop.next_open(at(moment)) == datetime.fromisoformat(opens).replace(tzinfo=SHANGHAI)

    def test_long_holidays_have_an_end(self) -> None:
        shop = calendar("mon 09:00-12:00", closed=("2026-01-01..2099-12-31",))
        assert shop.next_open(at("2026-01-05 10:00")).date() == date(2100, 1, 4)


class TestMovedClocks:
    def test_an_opening_that_the_clock_leaves_out_is_at_the_end_of_the_gap(self) -> None:
        shop = calendar("daily 02:30-05:00", zone=BERLIN)  # 2026-03-29 02:00 becomes 03:00
        assert not shop.is_open(at("2026-03-29 01:59:59", BERLIN))
        assert shop.is_open(at("2026-03-29 03:00", BERLIN))
        assert shop.next_open(at("2026-03-29 01:00", BERLIN)) == datetime(2026, 3, 29, 3, tzinfo=BERLIN)

    def test_a_time_that_comes_twice_counts_the_first_time(self) -> None:
        shop = calendar("daily 00:00-02:30", zone=BERLIN)  # 2026-10-25 03:00 becomes 02:00
        assert shop.is_open(at("2026-10-25 02:29", BERLIN))
        assert not shop.is_open(at("2026-10-25 02:45", BERLIN))
        assert not shop.is_open(at("2026-10-25 02:15", BERLIN, fold=1))

    def test_a_night_over_the_change_keeps_its_times_on_the_wall(self) -> None:
        bar = calendar("sat 22:00-06:00", zone=BERLIN)
        for morning in ("2026-03-29", "2026-10-25"):
            assert bar.is_open(at(f"{morning} 05:59", BERLIN))
            assert not bar.is_open(at(f"{morning} 06:00", BERLIN))


_minutes = st.integers(0, 95).map(lambda quarter: quarter * 15)
_spans = st.tuples(_minutes, _minutes).filter(lambda span: span[0] != span[1])
_days = st.dates(date(2026, 3, 20), date(2026, 4, 10)) | st.dates(date(2026, 10, 1), date(2026, 10, 30))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    week = [
        Opening(frozenset([day]), None, (Span(start, end if end > start else end + 1440),))
        for day in draw(st.sets(st.integers(0, 6), min_size=1))
        for start, end in [draw(_spans)]
    ]
    closed = tuple(Dates(day, day + timedelta(days=draw(st.integers(0, 3)))) for day in draw(st.lists(_days, max_size=3)))
    return Calendar(draw(st.sampled_from([SHANGHAI, BERLIN, ADELAIDE])), tuple(week), closed)


def spans_of(shop: Calendar, around: date) -> list[tuple[float, float]]:
    """The plain reference: every span of some weeks as moments, the wall's clock read every quarter of an hour."""
    moments: dict[datetime, float] = {}
    minute = datetime.combine(around - timedelta(days=2), time(), UTC)
    while minute < datetime.combine(around + timedelta(days=11), time(), UTC):
        wall = minute.astimezone(shop.zone).replace(tzinfo=None)
        moments.setdefault(wall, minute.timestamp())  # the first time it is shown
        minute += timedelta(minutes=15)

    def moment(wall: datetime) -> float:
        while wall not in moments:
            wall += timedelta(minutes=15)
        return moments[wall]

    found = []
    for number in range(-1, 8):
        day = around + timedelta(days=number)
        if any(dates.first <= day <= dates.last for dates in shop.closed):
            continue
        for opening in shop.openings:
            if day.weekday() in opening.days:
                midnight = datetime.combine(day, time())
                [span] = opening.spans
                found.append((moment(midnight + timedelta(minutes=span.start)), moment(midnight + timedelta(minutes=span.end))))
    return found


@settings(max_examples=60, deadline=None)
@given(calendars(), _days, st.integers(0, 24 * 60 - 1))
def test_it_agrees_with_a_reference(shop: Calendar, day: date, minute: int) -> None:
    spans = spans_of(shop, day)
    now = datetime.combine(day, time(minute // 60, minute % 60), shop.zone).timestamp()
    assert shop.is_open(now) == any(start <= now < end for start, end in spans)
    later = [start for start, _ in spans if start > now]
    if later:
        assert shop.next_open(now).timestamp() == min(later)
