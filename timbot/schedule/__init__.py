"""When jobs run: cron lines, intervals and dates become fire times. Pure: no clock, no waiting, no asyncio.

APScheduler's cron fields walk the calendar. Ours are the standard notation in front of it (weekday numbers, day of month
*or* weekday) and the time zone behind it: a calendar knows nothing of days on which 02:30 comes twice or not at all.
`timbot.runtime.scheduler` waits for these times.
"""

from __future__ import annotations

from timbot.schedule.job import GRACE, JobSpec, Missed, Overlap, delay
from timbot.schedule.problem import ScheduleError
from timbot.schedule.triggers import At, Cron, Every, Trigger, at, cron, every

__all__ = [
    "GRACE",
    "At",
    "Cron",
    "Every",
    "JobSpec",
    "Missed",
    "Overlap",
    "ScheduleError",
    "Trigger",
    "at",
    "cron",
    "delay",
    "every",
]
