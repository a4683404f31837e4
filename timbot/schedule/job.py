"""A job as a value: what runs, when, and what becomes of runs that could not be on time."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Final, Literal, get_args

from timbot.schedule.problem import ScheduleError
from timbot.schedule.triggers import Trigger

Missed = Literal["skip", "once", "all"]
"""What becomes of runs that passed while nobody was there: none, one for the latest, or each in order."""

Overlap = Literal["skip", "queue"]
"""What becomes of a run whose time comes while the one before still goes on."""

GRACE: Final = 86400.0
"""Seconds after which a missed run is not made up for, unless the job says otherwise: nobody wants yesterday's greeting."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job. Raises `ScheduleError` for a setting that cannot be.

    `name` is unique in its account and stays the same over restarts (`plugin:function`). `jitter`: a run starts up to so
    many seconds later, by an amount that is always the same for the same run; keep it below the time between two runs, or one
    overtaken by the next counts as missed. `grace`: missed runs older than so many seconds are dropped. `place`: where
    the job is declared (`file:line`), for people.
    """

    name: str
    trigger: Trigger
    place: str = ""
    missed: Missed = "skip"
    overlap: Overlap = "skip"
    jitter: float = 0.0
    grace: float = GRACE

    def __post_init__(self) -> None:
        for setting, value, allowed in (("missed", self.missed, Missed), ("overlap", self.overlap, Overlap)):
            words = get_args(allowed)
            if value not in words:
                raise ScheduleError(f"{setting}={value!r} is no choice.", hint=f"Choose one of {', '.join(words)}.")
        for setting, seconds in (("jitter", self.jitter), ("grace", self.grace)):
            if not (math.isfinite(seconds) and seconds >= 0):
                raise ScheduleError(f"{setting}={seconds!r} is no number of seconds.", hint="Give 0 or more.")


def delay(key: str, nominal: float, most: float) -> float:
    """Seconds, from 0 to below `most`, by which the run of job `key` at `nominal` is late on purpose.

    It depends on nothing else, so a run that is looked at twice, or after a restart, has the same delay.
    """
    if most <= 0:
        return 0.0
    digest = hashlib.blake2b(f"{key}@{nominal!r}".encode(), digest_size=6).digest()
    return most * int.from_bytes(digest, "big") / 2**48
