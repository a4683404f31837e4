"""What a handler gets that runs by the clock."""

from __future__ import annotations

import random
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timbot.im.client import Client
    from timbot.runtime.log import Log
    from timbot.runtime.sender import Sender


class Job:
    """A run of a job. What the handler returns is not sent: say it through a `Sender`."""

    __slots__ = ("account", "client", "data", "late", "log", "missed", "name", "now", "random")

    def __init__(self, name: str, now: datetime, out: Sender, *, data: object, late: float, missed: bool) -> None:
        self.name = name
        """`plugin:function`, with the name of the planned job behind it if it has one."""
        self.now = now
        """When the run was due, in the job's time zone: the same however late it begins."""
        self.late = late
        """Seconds since then."""
        self.missed = missed
        """Whether it was due while the bot was not running."""
        self.data = data
        """What the plugin's settings gave for it (`Planned.data`)."""
        self.client: Client = out.client
        self.account: str = out.client.user_id
        self.random = random.Random(f"{name}/{now.timestamp()}")
        """Chance, the same for the same run."""
        self.log: Log = out.log.bind(job=name)
