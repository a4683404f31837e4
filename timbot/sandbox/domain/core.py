"""What all rooms of the domain share: time, chance, the settings, who is online, and the outgoing notices.

Time and chance come from outside, so that a test owns both.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.notices import Delivery, Notice

Dedupe = Literal["documented", "none"]
Unacked = Literal["redeliver", "forget"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The switches of the server.

    `instances`: logins per account at a time. `dedupe`: drop repeated sends as documented, or never. `unacked`: whether a
    pushed but never acknowledged C2C message waits in the queue. `friends_only`: C2C needs friendship. `admins`: app
    administrators, who have an owner's rights in every group. `group_size` and `groups_per_user` depend on the plan.
    `history_late`: a message appears in the history of its conversation up to so many seconds after it was sent, by chance;
    pushes, the offline queue and the conversation list have it at once.
    """

    instances: int = 1
    dedupe: Dedupe = "documented"
    unacked: Unacked = "redeliver"
    friends_only: bool = False
    admins: frozenset[str] = frozenset({"administrator"})
    group_size: int = 2000
    groups_per_user: int = 500
    history_late: float = 0.0


class Core:
    """Time, chance, presence and the outgoing list."""

    __slots__ = ("_now", "_ordinal", "_outgoing", "_seconds", "chance", "online", "settings")

    def __init__(self, now: Callable[[], float], chance: random.Random, settings: Settings) -> None:
        self.chance = chance
        self.settings = settings
        self.online: dict[str, list[int]] = {}
        self._now = now
        self._seconds = 0
        self._ordinal = 0
        self._outgoing: list[Delivery] = []

    def seconds(self) -> int:
        """Server time in whole Unix seconds. It never goes back, even if the clock outside does."""
        self._seconds = max(self._seconds, int(self._now()))
        return self._seconds

    def moment(self) -> float:
        """Server time, Unix seconds, with its fraction."""
        return max(float(self._seconds), self._now())

    def shown_at(self) -> float:
        """When what is sent now appears in a history, if these are late."""
        return self.moment() + self.chance.uniform(0.0, self.settings.history_late)

    def horizon(self) -> int:
        """The oldest second the server still keeps."""
        return self.seconds() - limits.RETENTION

    def ordinal(self) -> int:
        """A number greater than all before: the order of things that share a second."""
        self._ordinal += 1
        return self._ordinal

    def random32(self) -> int:
        """A random number for an item the server itself makes. At least 3: clients replace the pairs (1,1) and (2,2)."""
        return self.chance.randrange(3, 1 << 31)

    def deliver(self, to: str, notice: Notice, skip_instance: int | None = None) -> None:
        """Queue a notice, unless no instance is there to hear it: what must not get lost is kept elsewhere as state."""
        if any(instance != skip_instance for instance in self.online.get(to, ())):
            self._outgoing.append(Delivery(to, notice, skip_instance))

    def deliver_always(self, to: str, notice: Notice) -> None:
        """Queue a notice for an instance that has just ceased to be online."""
        self._outgoing.append(Delivery(to, notice))

    def take_deliveries(self) -> list[Delivery]:
        """Hand over what has been queued, oldest first, and start afresh."""
        taken, self._outgoing = self._outgoing, []
        return taken
