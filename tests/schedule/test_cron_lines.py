"""Reading cron lines: the notation, its refusals, its words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from timbot.schedule import ScheduleError, cron

WEEK = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
"""A Sunday."""


def weekdays(field: str) -> str:
    trigger = cron(f"0 12 * * {field}", tz="UTC")
    return " ".join(f"{trigger.local(at):%a}" for at in trigger.between(WEEK, WEEK + 7 * 86400))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("0", "Sun"),
        ("7", "Sun"),
        ("1", "Mon"),
        ("6", "Sat"),
        ("1-5", "Mon Tue Wed Thu Fri"),
        ("mon-fri", "Mon Tue Wed Thu Fri"),
        ("MON-Fri", "Mon Tue Wed Thu Fri"),
        ("0-6", "Sun Mon Tue Wed Thu Fri Sat"),
        ("0-7", "Sun Mon Tue Wed Thu Fri Sat"),
        ("1-7", "Sun Mon Tue Wed Thu Fri Sat"),
        ("6-7", "Sun Sat"),
        ("5-7", "Sun Fri Sat"),
        ("5-1", "Sun Mon Fri Sat"),
        ("fri-mon", "Sun Mon Fri Sat"),
        ("sat-sun", "Sun Sat"),
        ("7-2", "Sun Mon Tue"),
        ("7-7", "Sun"),
        ("7-0", "Sun"),
        ("1,3,5", "Mon Wed Fri"),
        ("sun,6", "Sun Sat"),
        ("1-5/2", "Mon Wed Fri"),
        ("5-1/2", "Sun Fri"),
        ("1-7/2", "Sun Mon Wed Fri"),
        ("*/2", "Sun Tue Thu Sat"),
        ("*/7", "Sun"),
        ("1-2/9", "Mon"),
    ],
)
def test_weekdays_as_cron_counts_them(field: str, expected: str) -> None:
    assert weekdays(field) == expected


def days(line: str) -> list[int]:
    trigger = cron(line, tz="UTC")
    return [trigger.local(at).day for at in trigger.between(WEEK - 1, WEEK + 31 * 86400 - 1)]


def test_day_of_month_or_weekday_is_enough_when_both_are_restricted() -> None:
    assert days("0 0 13 * fri") == [6, 13, 20, 27]
    assert days("0 0 1,2 * 1") == [1, 2, 9, 16, 23, 30]
    assert days("0 0 */2 * mon") == [9, 23], "a star restricts nothing, so both must match"
    assert days("0 0 1-9 * */6") == [1, 7, 8]


@pytest.mark.parametrize(
    ("alias", "line"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * sun"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 jan *"),
        ("@Annually", "0 0 1 1 *"),
    ],
)
def test_aliases(alias: str, line: str) -> None:
    until = WEEK + 800 * 86400
    assert cron(alias, tz="UTC").between(WEEK, until, 50) == cron(line, tz="UTC").between(WEEK, until, 50) != []


@pytest.mark.parametrize(
    ("line", "what", "cure"),
    [
        ("61 * * * *", "61 is no minute: 0 to 59", "'*/15'"),
        ("* 24 * * *", "24 is no hour: 0 to 23", "'9-17'"),
        ("* * 0 * *", "0 is no day of the month: 1 to 31", "'1' for the first"),
        ("* * * 13 *", "13 is no month: 1 to 12, or jan to dec", "'dec'"),
        ("* * * * 8", "8 is no weekday: 0 to 7, or sun to sat", "'mon-fri'"),
        ("* * * * monday", "monday is no weekday", "Write 'mon'."),
        ("* * * mon *", "mon is no month", "'dec'"),
        ("* * ? * *", "? is no day of the month", "Write '*'."),
        ("* * L * *", "L is no day of the month", "'1' for the first"),
        ("1,,2 * * * *", "'' is no minute", "'*/15'"),
        ("*-5 * * * *", "'*-5' is no minute", "'*/15'"),
        ("1-2-3 * * * *", "'1-2-3' is no minute", "'*/15'"),
        ("-5 * * * *", "'-5' is no minute", "'*/15'"),
        ("٣ * * * *", "٣ is no minute", "'*/15'"),
        ("*/0 * * * *", "'0' is no step", "1 or more"),
        ("*/x * * * *", "'x' is no step", "1 or more"),
        ("5/10 * * * *", "'5/10' has a step but no range", "'5-59/10'"),
        ("* 22-2 * * *", "the hour range '22-2' runs backwards", "'22-23,0-2'"),
        ("* * * nov-feb *", "the month range 'nov-feb' runs backwards", "'11-12,1-2'"),
        ("0 9 * *", "it has 4 fields", "minute, hour, day of the month, month, weekday"),
        ("0 0 9 * * *", "it has 6 fields", "every('30s')"),
        ("", "it has 0 fields", "Five are needed"),
        ("@daly", "there is no @daly", "@daily"),
        ("@reboot", "there is no @reboot", "@daily"),
        ("0 0 30 2 *", "day 30 does not come in Feb", "never run"),
        ("0 0 31 2,4,6 *", "day 31 does not come in Feb, Apr, Jun", "never run"),
        ("0 0 30 2 */2", "day 30 does not come in Feb", "never run"),
    ],
)
def test_a_wrong_line_names_the_field_and_the_cure(line: str, what: str, cure: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        cron(line, tz="UTC")
    assert caught.value.message.startswith(f"Cron line '{line}': {what}")
    assert cure in caught.value.hint


def test_a_day_that_never_comes_is_no_mistake_beside_a_weekday() -> None:
    assert cron("0 0 30 2 mon", tz="UTC").next(WEEK) is not None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 9 * * 1-5", "09:00 on Mon-Fri"),
        ("0 9,18 * * *", "09:00, 18:00"),
        ("0 9 * * 0-7", "09:00"),
        ("0 9 * * 6-7", "09:00 on Sat-Sun"),
        ("* * * * *", "every minute"),
        ("*/10 * * * *", "every 10 minutes"),
        ("5,6 * * * *", "at minute 5-6 of every hour"),
        ("*/15 9-17 * * mon-fri", "every 15 minutes of hours 9-17 on Mon-Fri"),
        ("7 1-6 * * *", "at minute 7 of hours 1-6"),
        ("0 0 1,15 dec *", "00:00 on day 1, 15 in Dec"),
        ("0 0 13 * fri", "00:00 on day 13 or on Fri"),
        ("0 0 1-7 * */6", "00:00 on day 1-7 where it is Sat-Sun"),
        ("0 0 1-31 * 1", "00:00 on any day or on Mon"),
        ("@yearly", "00:00 on day 1 in Jan"),
    ],
)
def test_in_words(line: str, words: str) -> None:
    assert cron(line, tz="Asia/Shanghai").describe() == f"{words}, Asia/Shanghai"


def test_lines_are_values() -> None:
    assert cron("0 9 * * 1", tz="UTC") == cron(" 0  9 * * 1 ", tz="UTC") != cron("0 9 * * 1", tz="Asia/Shanghai")
    assert len({cron("0 9 * * 1", tz="UTC"), cron("0 9 * * 1", tz="UTC")}) == 1
