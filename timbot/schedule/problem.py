"""The one error of this room."""

from __future__ import annotations

from timbot.errors import TimbotError


class ScheduleError(TimbotError):
    """A time that cannot be: a wrong cron line, interval, date or time zone, or a job with an impossible setting."""

    docs = "errors#schedule"
