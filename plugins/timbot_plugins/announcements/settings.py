"""What stands under `announcements:` in a configuration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from timbot import Planned, Priority, Template, Variables
from timbot.fields import CronLine, Duration, Moment, OneOrMore, Place, ZoneName, raise_at, tried
from timbot.schedule import Trigger, at, cron
from timbot_plugins._shared.fields import Model


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told. `name` is what to call them: a nick, a group's name, or the ID."""

    kind: Literal["user", "group"]
    id: str
    name: str


_EXAMPLE: Final = {"now": datetime(2026, 1, 5, 9, tzinfo=UTC), "recipient": Recipient("user", "alice", "Alice")}

Text = Annotated[Template, Variables(*_EXAMPLE), tried(**_EXAMPLE)]
"""A template with these variables."""

Choice = Literal["high", "normal", "low", "lowest"]


def _is_name(text: str) -> str:
    if not text or not text.isprintable() or len(text) > 64 or text != text.strip():
        raise ValueError("a name is needed: one line of at most 64 characters")
    return text


Id = Annotated[str, Field(min_length=1)]


class Announcement(Model):
    """What is said, when and to whom."""

    name: Annotated[str, AfterValidator(_is_name)]
    """What it is called in the log and in the store; no two have the same."""
    cron: CronLine | None = None
    """When: a cron line, `0 9 * * mon-fri`."""
    at: Moment | None = None
    """Or when, once: a date and time, `2026-12-24 09:00`."""
    tz: ZoneName | None = None
    """The time zone of that, instead of the one for all."""
    text: OneOrMore[Text]
    """What is said: a text, `{file: name.j2}`, or a list of them, said one after the other."""
    groups: tuple[Id, ...] = ()
    """Group IDs; the bot must be a member."""
    users: tuple[Id, ...] = ()
    """User IDs."""
    friends: bool = False
    """Whether all friends of the account are told too, as they are when the time has come."""
    priority: Choice = "normal"
    """In a group with more to say than it may, what has low priority falls first."""
    missed: Literal["skip", "once", "all"] | None = None
    """Times while the bot was down, up to a day ago: none, the latest or each. Unless given: once for `at`, skip for `cron`."""
    overlap: Literal["skip", "queue"] = "skip"
    """A time that comes while the one before is still being told: skipped, or told after it."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.cron is None) == (self.at is None):
            raise ValueError("give either cron or at")
        if not (self.groups or self.users or self.friends):
            raise ValueError("there is nobody to be told: give groups, users or friends: true")
        problems: dict[Place, str] = {}
        if "priority" in self.model_fields_set and not self.groups:
            problems["priority",] = "it is for groups, and there are none"
        if self.at is not None and self.missed == "all":
            problems["missed",] = "'at' comes once: write once or skip"
        for name, ids in (("groups", self.groups), ("users", self.users)):
            problems |= {
                (name, number): "this one is in the list already" for number, one in enumerate(ids) if one in ids[:number]
            }
        raise_at(problems)
        return self

    @property
    def group_priority(self) -> Priority:
        """The priority in groups."""
        return Priority[self.priority.upper()]

    def trigger(self, tz: str | None) -> Trigger:
        """When it is told; `tz` is the zone for all."""
        if self.at is not None:
            return at(self.at, tz=self.tz or tz)
        return cron(self.cron or "", tz=self.tz or tz)


class Settings(Model):
    """What is announced."""

    items: Annotated[tuple[Announcement, ...], Field(min_length=1)]
    """The announcements."""
    tz: ZoneName | None = None
    """The time zone of their times, an IANA name; the machine's unless given."""
    per_second: Annotated[float, Field(gt=0, le=100)] = 10.0
    """The most messages a second, over all announcements of an account."""
    keep: Duration = 7 * 86400.0
    """How long it is remembered who was told what; at least a day."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        names = [item.name for item in self.items]
        problems: dict[Place, str] = {
            ("items", number, "name"): "another announcement has this name"
            for number, name in enumerate(names)
            if name in names[:number]
        }
        if self.keep < 86400:
            problems["keep",] = "at least 1d is needed: for so long an announcement that was broken off is resumed"
        raise_at(problems)
        return self

    def plan(self) -> Iterator[Planned]:
        """A job for each."""
        for item in self.items:
            missed = item.missed or ("once" if item.at else "skip")
            yield Planned(item.name, item.trigger(self.tz), item, missed, item.overlap)
