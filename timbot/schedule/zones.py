"""Time zones: finding one by name, and what its clocks do when they are put forward or back."""

from __future__ import annotations

import difflib
import warnings
import zoneinfo
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from timbot.schedule.problem import ScheduleError

DAY: Final = 86400

_UTC_NAMES: Final = frozenset({"UTC", "Etc/UTC"})
_NO_DATA: Final = "Install the system's package 'tzdata', or 'pip install tzdata'."
_CITIES: Final = {"beijing": "Asia/Shanghai", "peking": "Asia/Shanghai", "shenzhen": "Asia/Shanghai"}
"""Cities people here name that the database does not know, and whose nearest spelling is another country."""


def find(name: str | None) -> tuple[str, tzinfo]:
    """A zone and its name; None is the machine's, UTC if the machine has none. Raises `ScheduleError`.

    The machine's zone is read when this is called: a change of it later counts from the next start or reload.
    """
    if name is None:
        return _of_the_machine()
    if name in _UTC_NAMES:
        return "UTC", UTC  # needs no data
    try:
        return name, zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
    if not known:
        raise ScheduleError(f"Time zone '{name}' cannot be read: this machine has no time zone data.", hint=_NO_DATA)
    raise ScheduleError(f"There is no time zone '{name}'.", hint=_nearest(name, known))


def _of_the_machine() -> tuple[str, tzinfo]:
    import tzlocal

    advice = "Give tz= with a name like 'Asia/Shanghai', or set the machine's zone."
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where it assumes UTC, and so do we: the zone is shown to people
            name = getattr(tzlocal.reload_localzone(), "key", None)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleError(f"The machine's time zone has no name: {error}.", hint=advice) from None
    return find(name or "UTC")


def _nearest(name: str, known: set[str]) -> str:
    wanted = name.casefold().replace(" ", "_")
    city = wanted.rpartition("/")[2]
    by_spelling = {zone.casefold(): zone for zone in sorted(known)}
    by_city = {zone.casefold().rpartition("/")[2]: zone for zone in sorted(known)}
    found = by_spelling.get(wanted) or _CITIES.get(city) or by_city.get(city)
    if found is None:
        close = difflib.get_close_matches(wanted, by_spelling, 1, 0.7)
        close_city = difflib.get_close_matches(city, by_city, 1, 0.7)
        found = by_spelling[close[0]] if close else by_city[close_city[0]] if close_city else None
    return f"Did you mean '{found}'?" if found else "Give an IANA name such as 'Asia/Shanghai', 'Europe/Berlin' or 'UTC'."


def shown(zone: tzinfo, at: int) -> datetime:
    """What a clock on the wall shows at a moment (Unix seconds): a date and time without zone."""
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)


def moment(zone: tzinfo, local: datetime) -> int:
    """The moment of a local time, in whole Unix seconds.

    A time that comes twice means its first coming; one that does not come at all, the moment its gap ends.
    """
    at = int(local.replace(tzinfo=zone, fold=0).timestamp())
    if shown(zone, at) == local:
        return at
    before = int(local.replace(tzinfo=zone, fold=1).timestamp())
    return change(zone, before, at) or at


def change(zone: tzinfo, after: int, until: int) -> int | None:
    """The first moment in (`after`, `until`] at which the clocks were moved."""
    offset = _offset(zone, after)
    low = after
    while low < until:
        high = min(low + DAY, until)
        if _offset(zone, high) != offset:
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if _offset(zone, middle) != offset else (middle, high)
            return high
        low = high
    return None


def _offset(zone: tzinfo, at: int) -> timedelta | None:
    return datetime.fromtimestamp(at, zone).utcoffset()
