"""Standard cron lines, as cron(8) reads them, and as calendars that APScheduler understands.

The two differ in three ways, all settled here: APScheduler counts weekdays from Monday = 0, wants ranges to run upwards
within the week, and asks that day of month *and* weekday match where cron, when both are restricted, is content with either.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from timbot.schedule.problem import ScheduleError

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ALIASES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_TERM: Final = re.compile(r"(?P<first>[^-/]+)(?:-(?P<last>[^-/]+))?(?:/(?P<step>[^-/]+))?")
_SHOWN_SINGLY: Final = 4
"""How many times of day are listed one by one."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of the five fields: its name for people, its bounds, the words for its numbers, an example."""

    name: str
    low: int
    high: int
    example: str
    words: tuple[str, ...] = ()

    @property
    def bounds(self) -> str:
        known = f", or {self.words[0]} to {self.words[-1]}" if self.words else ""
        return f"{self.low} to {self.high}{known}"


_KINDS: Final = (
    _Kind("minute", 0, 59, "'*/15' for every quarter of an hour, '0,30' for twice an hour"),
    _Kind("hour", 0, 23, "'9' for nine, '9-17' for each of these hours"),
    _Kind("day of the month", 1, 31, "'1' for the first, '*' for every day"),
    _Kind("month", 1, 12, "'12' or 'dec' for December, '*' for every month", _MONTHS),
    _Kind("weekday", 0, 7, "'mon-fri' or '1-5' for working days, '0' or '7' for Sunday", _WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class CronLine:
    """A cron line that is right. Weekdays count from Sunday = 0. `either`: day of month or weekday is enough."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    @property
    def every_hour(self) -> bool:
        """Whether it runs in each hour of the day."""
        return len(self.hours) == 24

    @property
    def calendars(self) -> tuple[tuple[str, str, str, str, str], ...]:
        """The same as APScheduler's fields: whatever any of these matches."""
        return _calendars(self)

    def describe(self) -> str:
        """In words, without a time zone."""
        return f"{self._times()}{self._dates()}"

    def _times(self) -> str:
        minutes = _steps(self.minutes, 60)
        if self.every_hour:
            return minutes or f"at minute {_spans(self.minutes, str)} of every hour"
        if len(self.minutes) * len(self.hours) <= _SHOWN_SINGLY:
            return ", ".join(f"{hour:02}:{minute:02}" for hour in sorted(self.hours) for minute in sorted(self.minutes))
        hours = _spans(self.hours, str)
        return f"{minutes or f'at minute {_spans(self.minutes, str)}'} of hours {hours}"

    def _dates(self) -> str:
        days = "" if len(self.days) == 31 else f"day {_spans(self.days, str)}"
        weekdays = "" if len(self.weekdays) == 7 else _spans({(day or 7) for day in self.weekdays}, _weekday)
        months = "" if len(self.months) == 12 else f" in {_spans(self.months, lambda month: _MONTHS[month - 1].title())}"
        if self.either:
            on = f" on {days or 'any day'} or on {weekdays or 'any weekday'}"
        elif days and weekdays:
            on = f" on {days} where it is {weekdays}"
        else:
            on = f" on {days or weekdays}" if days or weekdays else ""
        return f"{on}{months}"


def parse(expression: str) -> CronLine:
    """Read a cron line. Raises `ScheduleError` that names the field and the cure."""
    text = " ".join(expression.split())
    if text.startswith("@"):
        known = _ALIASES.get(text.lower())
        if known is None:
            raise _wrong(text, f"there is no {text}", f"There are {', '.join(_ALIASES)}.")
        return parse(known)
    terms = text.split(" ") if text else []
    if len(terms) != len(_KINDS):
        six = " Seconds are not part of it: every('30s') knows them." if len(terms) == 6 else ""
        names = ", ".join(kind.name for kind in _KINDS)
        raise _wrong(
            text, f"it has {len(terms)} fields", f"Five are needed: {names}; '0 9 * * mon-fri' is 9:00 on working days.{six}"
        )
    minutes, hours, days, months, weekdays = (_field(text, kind, term) for kind, term in zip(_KINDS, terms, strict=True))
    # As cron does it: what begins with a star restricts nothing, '*/2' included.
    either = not (terms[2].startswith("*") or terms[4].startswith("*"))
    line = CronLine(text, minutes, hours, days, months, frozenset(day % 7 for day in weekdays), either)
    if not either and all(min(days) > _LONGEST[month - 1] for month in months):
        raise _wrong(
            text,
            f"day {min(days)} does not come in {_spans(months, lambda month: _MONTHS[month - 1].title())}",
            "It would never run: choose another day, or other months.",
        )
    return line


def _wrong(text: str, what: str, hint: str) -> ScheduleError:
    return ScheduleError(f"Cron line '{text}': {what}.", hint=hint)


def _field(text: str, kind: _Kind, field: str) -> frozenset[int]:
    return frozenset(itertools.chain.from_iterable(_term(text, kind, term) for term in field.split(",")))


def _term(text: str, kind: _Kind, term: str) -> Iterable[int]:
    """The values of one piece of a list: `*`, `5`, `1-5`, `*/2`, `1-5/2`."""
    found = _TERM.fullmatch(term)
    if found is None or (found["first"] == "*" and found["last"]):
        raise _wrong(text, f"'{term}' is no {kind.name}: {kind.bounds}", f"Write for example {kind.example}.")
    step = _step(text, kind, term, found["step"])
    if found["first"] == "*":
        return range(kind.low, kind.high + 1, step)
    first = _value(text, kind, found["first"])
    if found["last"] is None:
        if found["step"]:
            raise _wrong(text, f"'{term}' has a step but no range", f"Write '{first}-{kind.high}/{step}' or '*/{step}'.")
        return (first,)
    last = _value(text, kind, found["last"])
    if kind.name == "weekday" and first > last:
        last += 7  # round the week; the remainder by 7 is the day
    if first > last:
        cure = f"'{first}-{kind.high},{kind.low}-{last}'"
        raise _wrong(text, f"the {kind.name} range '{term}' runs backwards", f"Write {cure}.")
    return range(first, last + 1, step)


def _step(text: str, kind: _Kind, term: str, step: str | None) -> int:
    if step is None:
        return 1
    if not (step.isascii() and step.isdigit() and int(step) > 0):
        raise _wrong(text, f"'{step}' is no step, in the {kind.name} '{term}'", f"A step is 1 or more: {kind.example}.")
    return int(step)


def _value(text: str, kind: _Kind, word: str) -> int:
    lower = word.lower()
    if lower in kind.words:
        return kind.words.index(lower) + kind.low
    if lower.isascii() and lower.isdigit() and kind.low <= int(lower) <= kind.high:
        return int(lower)
    hint = f"Write for example {kind.example}."
    if lower[:3] in kind.words:
        hint = f"Write '{lower[:3]}'."
    elif word == "?":
        hint = "Write '*'."
    raise _wrong(text, f"{word} is no {kind.name}: {kind.bounds}", hint)


@functools.lru_cache(maxsize=1024)
def _calendars(line: CronLine) -> tuple[tuple[str, str, str, str, str], ...]:
    minute, hour, month = _list(line.minutes, 0, 59), _list(line.hours, 0, 23), _list(line.months, 1, 12)
    day = _list(line.days, 1, 31)
    weekday = _list({(number - 1) % 7 for number in line.weekdays}, 0, 6)  # from Monday = 0
    if line.either:
        return ((minute, hour, day, month, "*"), (minute, hour, "*", month, weekday))
    return ((minute, hour, day, month, weekday),)


def _list(values: Iterable[int], low: int, high: int) -> str:
    """As few terms as there are runs: each term costs time at every step through the calendar."""
    numbers = sorted(values)
    if len(numbers) == high - low + 1:
        return "*"
    step = numbers[1] - numbers[0] if len(numbers) > 2 else 0
    if step > 1 and numbers == list(range(numbers[0], numbers[-1] + 1, step)):
        return f"{numbers[0]}-{numbers[-1]}/{step}"
    return ",".join(f"{first}-{last}" if first != last else str(first) for first, last in _runs(numbers))


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _steps(values: frozenset[int], size: int) -> str:
    """`every 10 minutes` for values that divide the hour evenly, else nothing."""
    if len(values) == size:
        return "every minute"
    step = size // len(values)
    return f"every {step} minutes" if len(values) > 1 and values == frozenset(range(0, size, step)) else ""


def _spans(values: Iterable[int], name: Callable[[int], str]) -> str:
    return ", ".join(name(first) if first == last else f"{name(first)}-{name(last)}" for first, last in _runs(values))


def _weekday(number: int) -> str:
    return _WEEKDAYS[number % 7].title()
