"""Triggers: from a moment to the next one. Times are Unix seconds; every answer is strictly after the question.

What happens when clocks are moved (daylight saving):

- A cron line that names hours is about the clock on the wall: each time it names comes once a day. A time the clock jumps
  over is met at the moment the jump ends (several of them: one run); a time that comes twice is met the first time.
- A cron line for every hour of the day is about time that passes: it goes on through both of two equal hours, and has
  nothing to make up for when an hour is left out.
- An interval knows no clocks: so many seconds are so many seconds.
"""

from __future__ import annotations

import functools
import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final

from timbot.schedule import zones
from timbot.schedule.expression import CronLine, parse
from timbot.schedule.problem import ScheduleError

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

_END: Final = datetime(9990, 1, 1, tzinfo=UTC).timestamp()
_SECOND: Final = timedelta(seconds=1)
_INTERVAL: Final = re.compile(r"(?:(\d{1,9})d)?\s*(?:(\d{1,9})h)?\s*(?:(\d{1,9})m)?\s*(?:(\d{1,9})s)?", re.ASCII)
_DATE_EXAMPLE: Final = "Write year-month-day hour:minute, for example '2026-12-24 09:00'."
_UNITS: Final = (86400, 3600, 60, 1)


class Trigger(ABC):
    """When a job runs. A value: equal triggers fire at equal times. Safe to share."""

    __slots__ = ()

    @property
    @abstractmethod
    def tz(self) -> str:
        """The name of the time zone it counts in."""

    @property
    @abstractmethod
    def zone(self) -> tzinfo:
        """The time zone it counts in, for showing its times."""

    @abstractmethod
    def next(self, after: float) -> float | None:
        """The first fire time strictly after `after`; None: never again."""

    @abstractmethod
    def describe(self) -> str:
        """In words, with the time zone."""

    def local(self, at: float) -> datetime:
        """A moment (Unix seconds) as a datetime in its time zone."""
        return datetime.fromtimestamp(at, self.zone)

    def between(self, after: float, until: float, limit: int | None = None) -> list[float]:
        """The fire times in (`after`, `until`], the earliest `limit` of them."""
        times: list[float] = []
        at = self.next(after)
        while at is not None and at <= until and (limit is None or len(times) < limit):
            times.append(at)
            at = self.next(at)
        return times

    def latest(self, after: float, until: float, limit: int) -> tuple[list[float], bool]:
        """The last `limit` fire times in (`after`, `until`], in order, and whether there were more."""
        span = 60.0
        while True:
            # From the end, in growing steps: after a month of standstill nobody counts its seconds.
            start = max(after, until - span)
            times = self.between(start, until)
            if start == after or len(times) > limit:
                return times[-limit:], len(times) > limit
            span *= 2


@dataclass(frozen=True, slots=True)
class Cron(Trigger):
    """A cron line in a time zone."""

    line: CronLine
    tz: str = field()  # `field`, or dataclass would take the base's property for a default
    zone: tzinfo = field(compare=False, repr=False)

    def next(self, after: float) -> float | None:
        """The first fire time strictly after `after`."""
        if not after < _END:
            return None
        at = math.floor(after)
        when = self._while_time_passes(at) if self.line.every_hour else self._by_the_clock(at)
        return None if when is None else float(when)

    def describe(self) -> str:
        """Such as `09:00 on Mon-Fri, Asia/Shanghai`."""
        return f"{self.line.describe()}, {self.tz}"

    def _by_the_clock(self, after: int) -> int | None:
        local: datetime | None = zones.shown(self.zone, after)
        while local is not None:
            local = self._following(local)
            if local is not None and (at := zones.moment(self.zone, local)) > after:
                return at
        return None

    def _while_time_passes(self, after: int) -> int | None:
        known, at, local = after, after, zones.shown(self.zone, after)
        while (following := self._following(local)) is not None:
            when = at + int((following - local).total_seconds())
            moved = zones.change(self.zone, known, when)
            if moved is None:
                return when
            # From here the clock shows something else, and that may match at once: begin one second earlier by the new clock.
            known, at, local = moved, moved - 1, zones.shown(self.zone, moved) - _SECOND
        return None

    def _following(self, local: datetime) -> datetime | None:
        # The calendar is walked as if it were UTC: zones and their gaps are our own business, above.
        since = (local + _SECOND).replace(tzinfo=UTC)
        found = [at for fields in self.line.calendars if (at := _calendar(fields).get_next_fire_time(None, since)) is not None]
        return min(found).replace(tzinfo=None) if found else None


@functools.lru_cache(maxsize=1024)
def _calendar(fields: tuple[str, str, str, str, str]) -> CronTrigger:
    from apscheduler.triggers.cron import CronTrigger

    minute, hour, day, month, weekday = fields
    return CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=weekday, timezone=UTC)


@dataclass(frozen=True, slots=True)
class Every(Trigger):
    """Every so many seconds, counted from `start` (Unix seconds) and not before it."""

    seconds: float
    start: float = 0.0

    @property
    def tz(self) -> str:
        """UTC: an interval knows no other."""
        return "UTC"

    @property
    def zone(self) -> tzinfo:
        """UTC."""
        return UTC

    def next(self, after: float) -> float | None:
        """The first fire time strictly after `after`."""
        if not after < _END:
            return None
        count = max(0, math.floor((after - self.start) / self.seconds))
        # Division rounds, and the products are the fire times: they have the last word.
        while (at := self.start + count * self.seconds) <= after:
            count += 1
        return at if at < _END else None

    def describe(self) -> str:
        """Such as `every 1 h 30 min`."""
        left, words = self.seconds, []
        for size, unit in zip(_UNITS, ("d", "h", "min", "s"), strict=True):
            count, left = (left / 1, 0.0) if unit == "s" else divmod(left, size)
            if count:
                words.append(f"{count:g} {unit}")
        return f"every {' '.join(words)}"


@dataclass(frozen=True, slots=True)
class At(Trigger):
    """Once, at `moment` (Unix seconds)."""

    moment: float
    tz: str = field(compare=False)
    zone: tzinfo = field(compare=False, repr=False)

    def next(self, after: float) -> float | None:
        """The moment, while it is still to come."""
        return self.moment if self.moment > after else None

    def describe(self) -> str:
        """Such as `once, 2026-12-24 09:00, Asia/Shanghai`."""
        return f"once, {self.local(self.moment).strftime('%Y-%m-%d %H:%M:%S').removesuffix(':00')}, {self.tz}"


def cron(expression: str, *, tz: str | None = None) -> Cron:
    """A standard cron line: minute, hour, day of month, month, weekday; or `@hourly`, `@daily`, `@weekly` and so on.

    `tz` is an IANA name; None is the machine's zone as it is now (UTC where it has none); `Trigger.tz` says which it was.
    Raises `ScheduleError`: for a wrong line, one that never fires (30 February), an unknown zone.
    """
    line = parse(expression)
    return Cron(line, *zones.find(tz))


def every(interval: str | float, *, start: float | datetime | None = None) -> Every:
    """Every `"30s"`, `"5m"`, `"2h"`, `"1d"`, `"1h30m"`, or so many seconds; at least 1 s. Raises `ScheduleError`.

    Fire times lie on a grid: full multiples since 1970 (`"1h"` on the hour, `"1d"` at 00:00 UTC), so they are the same
    after a restart. `start` (Unix seconds or a datetime with a zone) moves the grid; nothing fires before it.
    """
    seconds = _seconds(interval) if isinstance(interval, str) else float(interval)
    if not (math.isfinite(seconds) and seconds >= 1):
        raise ScheduleError(f"An interval of {interval!r} is too short, or none at all.", hint="The least is 1 s: '30s', '5m'.")
    if isinstance(start, datetime):
        if start.tzinfo is None:
            raise ScheduleError(
                "The start of an interval needs a time zone.", hint="datetime(..., tzinfo=ZoneInfo('Asia/Shanghai'))."
            )
        start = start.timestamp()
    return Every(seconds, start or 0.0)


def _seconds(text: str) -> float:
    found = _INTERVAL.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        raise ScheduleError(
            f"'{text}' is no interval.", hint="Write days, hours, minutes, seconds in this order: '30s', '5m', '1h30m', '1d'."
        )
    return float(sum(int(count or 0) * size for count, size in zip(found.groups(), _UNITS, strict=True)))


def at(when: str | datetime, *, tz: str | None = None) -> At:
    """Once: `"2026-12-24 09:00"` or any ISO 8601 date and time, or a datetime. Raises `ScheduleError`.

    Without an offset of its own, `when` is a local time in `tz` (IANA name; None: the machine's zone). A local time that
    comes twice means its first coming; one that does not come at all, the moment the clock has jumped over it.
    """
    local = _date(when) if isinstance(when, str) else when
    if not 1970 < local.year < 9990:
        raise ScheduleError(f"The year {local.year} is out of reach.", hint=_DATE_EXAMPLE)
    if local.tzinfo is not None:
        name, zone = zones.find(tz) if tz is not None else (str(local.tzinfo), local.tzinfo)
        return At(local.timestamp(), name, zone)
    name, zone = zones.find(tz)
    return At(zones.moment(zone, local.replace(microsecond=0, fold=0)) + local.microsecond / 1e6, name, zone)


def _date(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ScheduleError(f"'{text}' is no date and time ({error}).", hint=_DATE_EXAMPLE) from None
    try:
        date.fromisoformat(text.strip())
    except ValueError:
        return found
    raise ScheduleError(f"'{text}' has no time of day.", hint=_DATE_EXAMPLE)
