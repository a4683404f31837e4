"""Cron, written a second time and as plainly as can be: the judge of `timbot.schedule`. It shares no code with it."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
WEEKDAYS = "sun mon tue wed thu fri sat"
NAMES = {
    3: {name: number for number, name in enumerate(MONTHS.split(), 1)},
    4: {name: number for number, name in enumerate(WEEKDAYS.split())},
}
BOUNDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]


@functools.lru_cache(maxsize=10_000)
def field_matches(position: int, field: str, value: int) -> bool:
    names = NAMES.get(position, {})
    low, high = BOUNDS[position]
    for term in field.split(","):
        body, _, step = term.partition("/")
        first, _, last = body.partition("-")
        if first == "*":
            start, end = low, high if position != 4 else 6
        else:
            start = names[first] if first in names else int(first)
            end = start if not last else names[last] if last in names else int(last)
        if position == 4 and start > end:
            # A week goes round: walk from day to day until the end is met.
            walk = [start % 7]
            while walk[-1] != end % 7:
                walk.append((walk[-1] + 1) % 7)
        else:
            walk = list(range(start, end + 1))
        chosen = walk[:: int(step or 1)]
        if value in chosen or (position == 4 and value == 0 and 7 in chosen):
            return True
    return False


def matches(expression: str, local: datetime) -> bool:
    minute, hour, day, month, weekday = expression.split()
    by_day = field_matches(2, day, local.day)
    by_weekday = field_matches(4, weekday, local.isoweekday() % 7)
    both = day.startswith("*") or weekday.startswith("*")
    return (
        field_matches(0, minute, local.minute)
        and field_matches(1, hour, local.hour)
        and field_matches(3, month, local.month)
        and ((by_day and by_weekday) if both else (by_day or by_weekday))
    )


def fires(expression: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[float]:
    """The fire times in [start, end), found by looking at every minute."""
    since = start - timedelta(hours=6)  # longer than clocks are ever put back
    minutes = [since + MINUTE * count for count in range(int((end - since) / MINUTE))]
    shown = [(at, at.astimezone(zone).replace(tzinfo=None, fold=0)) for at in minutes]
    found: set[datetime] = set()
    if all(field_matches(1, expression.split()[1], hour) for hour in range(24)):
        found = {at for at, local in shown if matches(expression, local)}
    else:
        first: dict[datetime, datetime] = {}
        for at, local in shown:
            first.setdefault(local, at)
        local = shown[0][1]
        while local <= shown[-1][1]:
            if matches(expression, local):
                # A time that no clock showed is met as soon as the clock is past it.
                found.add(first.get(local) or next(at for at, other in shown if other > local))
            local += MINUTE
    return [at.timestamp() for at in sorted(found) if at >= start]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]
