"""Business hours: when it is open, and when it opens next.

A span belongs to the day on which it begins: `fri 22:00-02:00` on a Friday that is closed is closed until Saturday 02:00,
and the one of the evening before goes on into a closed day. Times are those of the clock on the wall in one time zone: where
it is put forward over an opening, the doors open when the gap ends; where a time comes twice, the first one counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS: Final = {name: number for names in (_DAYS, _FULL_DAYS) for number, name in enumerate(names)}
_SPAN: Final = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DAY_MINUTES: Final = 24 * 60
_YEARS: Final = range(2000, 2101)
_DASHES: Final = str.maketrans("–—−", "---")

_NEEDED: Final = "days and hours are needed, like 'mon-fri 09:00-18:00', 'sat,sun 10:00-14:00' or '2026-10-10 09:00-18:00'"
_HOURS_NEEDED: Final = "hours are needed, like 09:00-18:00 or 22:00-02:00; several with commas: 09:00-12:00,13:00-18:00"
_DATE_NEEDED: Final = "a date like 2026-12-25, or two like 2026-10-01..2026-10-07, is needed"


@dataclass(frozen=True, slots=True)
class Dates:
    """From one day to another, both included."""

    first: date
    last: date

    @classmethod
    def parse(cls, text: str) -> Dates:
        """`2026-12-25` or `2026-10-01..2026-10-07`. Raises `ValueError` with what to write."""
        first, dots, last = text.replace(" ", "").partition("..")
        dates = cls(_date(first), _date(last if dots else first))
        if dates.last < dates.first:
            raise ValueError("the second date is before the first")
        return dates

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes from midnight of its day; the end is over 24 hours where it is on the next day."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Opening:
    """One line of opening hours: on some days of the week, or on some dates."""

    days: frozenset[int]
    """0 is Monday; empty for a line with dates."""
    dates: Dates | None
    spans: tuple[Span, ...]

    @classmethod
    def parse(cls, text: str) -> Opening:
        """`mon-fri 09:00-12:00,13:00-18:00`, `fri,sat 22:00-02:00`, `daily 00:00-24:00`, `2026-10-10 09:00-18:00`.

        Raises `ValueError` with what to write.
        """
        tight = re.sub(r"\s*(,|-|\.\.)\s*", r"\1", text.translate(_DASHES).strip().casefold())
        when, _, hours = tight.partition(" ")
        if not hours or not when:
            raise ValueError(_NEEDED)
        spans = tuple(_span(part) for part in hours.strip().split(","))
        if when[0].isdecimal():
            return cls(frozenset(), Dates.parse(when), spans)
        return cls(frozenset(range(7)) if when == "daily" else _days(when), None, spans)


@dataclass(frozen=True, slots=True)
class Calendar:
    """All hours. A line with dates counts, on those, instead of the days of the week and of what is closed."""

    zone: tzinfo
    openings: tuple[Opening, ...]
    closed: tuple[Dates, ...] = ()

    def local(self, at: float) -> datetime:
        """A moment (Unix seconds) by the clock on the wall."""
        return datetime.fromtimestamp(at, self.zone)

    def is_open(self, at: float) -> bool:
        """Whether it is open at a moment (Unix seconds)."""
        today = self.local(at).date()
        return any(start <= at < end for day in (today - timedelta(days=1), today) for start, end in self._on(day))

    def next_open(self, at: float) -> datetime:
        """When it opens next after a moment (Unix seconds).

        Raises `ValueError` if it never does, which a week with hours in it rules out.
        """
        day = self.local(at).date()
        last = max((dates.last for dates in self.closed), default=day)
        while day <= max(last, self.local(at).date()) + timedelta(days=8):
            starts = [start for start, _ in self._on(day) if start > at]
            if starts:
                return self.local(min(starts))
            day += timedelta(days=1)
        raise ValueError("it never opens again")

    def _on(self, day: date) -> Iterator[tuple[float, float]]:
        """The spans that begin on a day, as moments."""
        dated = [opening for opening in self.openings if opening.dates is not None and day in opening.dates]
        if not dated and any(day in dates for dates in self.closed):
            return
        for opening in dated or [opening for opening in self.openings if day.weekday() in opening.days]:
            for span in opening.spans:
                yield self._moment(day, span.start), self._moment(day, span.end)

    def _moment(self, day: date, minutes: int) -> float:
        """When the clock first shows this or, where it leaves it out, more."""
        wanted = datetime.combine(day, time()) + timedelta(minutes=minutes)
        moments = [wanted.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        moment = min(moments)
        while moment.astimezone(self.zone).replace(tzinfo=None) < wanted:
            moment += timedelta(minutes=1)  # within a gap: to its end
        return moment.timestamp()


def check_week(openings: tuple[Opening, ...]) -> list[tuple[int, str]]:
    """What is wrong with the lines taken together, each with the number of its line."""
    if not any(opening.days for opening in openings):
        return [(0, "the hours of a week are needed: at least one line with days, like 'mon-fri 09:00-18:00'")]
    problems = []
    for number, opening in enumerate(openings):
        for before in openings[:number]:
            if before.days & opening.days and any(_overlap(one, other) for one in before.spans for other in opening.spans):
                days = ", ".join(_DAYS[day] for day in sorted(before.days & opening.days))
                problems.append((number, f"these hours overlap with those of a line before, on {days}: say each day once"))
                break
    return problems


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise ValueError(_DATE_NEEDED)
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"this is no date: {error}") from None
    if found.year not in _YEARS:
        raise ValueError(f"a year from {_YEARS.start} to {_YEARS.stop - 1} is needed")
    return found


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        begin, end = _day(first), _day(last if dash else first)
        found.update(number % 7 for number in range(begin, (end if end >= begin else end + 7) + 1))
    return frozenset(found)


def _day(name: str) -> int:
    if name not in _NUMBERS:
        raise ValueError(f"a day is one of {', '.join(_DAYS)}, or 'daily' for all of them; {_NEEDED}")
    return _NUMBERS[name]


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(_HOURS_NEEDED)
    first, first_minute, last, last_minute = map(int, found.groups())
    start, end = first * 60 + first_minute, last * 60 + last_minute
    if first_minute > 59 or last_minute > 59 or start >= _DAY_MINUTES or end > _DAY_MINUTES:
        raise ValueError("the hours of a day go from 00:00 to 24:00")
    if start == end:
        raise ValueError("these hours begin and end at the same time: a whole day is 00:00-24:00")
    return Span(start, end if end > start else end + _DAY_MINUTES)
