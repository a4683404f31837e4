"""What stands under `responder:` in a configuration."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from timbot_plugins._shared.fields import Duration, Model, raise_at
from timbot_plugins.responder.fields import ClosedDates, Name, OpeningLine, Texts, Value, Zone, know
from timbot_plugins.responder.hours import Calendar, check_week
from timbot_plugins.responder.reach import unreachable
from timbot_plugins.responder.rules import Menu, Rule


class Hours(Model):
    """Business hours."""

    tz: Zone
    """The time zone, an IANA name such as Asia/Shanghai."""
    open: Annotated[tuple[OpeningLine, ...], Field(min_length=1)]
    """Days and hours: `mon-fri 09:00-12:00,13:00-18:00`, `fri,sat 22:00-02:00`, `daily 00:00-24:00`. A line with a date,
    `2026-10-10 09:00-18:00`, counts on that date instead of all others."""
    closed: tuple[ClosedDates, ...] = ()
    """Holidays: `2026-12-25`, `2026-10-01..2026-10-07`."""
    answer: Texts | None = None
    """What is said outside of them to everything that no rule is for."""
    answer_once_per: Duration | None = None
    """For how long the same person is not told so again in the same conversation."""

    @field_validator("open")
    @classmethod
    def _is_a_week(cls, lines: tuple[OpeningLine, ...]) -> tuple[OpeningLine, ...]:
        raise_at({(number,): problem for number, problem in check_week(lines)})
        return lines

    @model_validator(mode="after")
    def _has_what_it_limits(self) -> Self:
        if self.answer_once_per is not None and self.answer is None:
            raise_at({("answer_once_per",): "there is no 'answer' beside it to be said less often"})
        return self

    @cached_property
    def calendar(self) -> Calendar:
        """What can be asked whether it is open."""
        return Calendar(self.tz, self.open, self.closed)


class Staff(Model):
    """Who is told that a person is wanted."""

    users: tuple[str, ...] = ()
    """User IDs."""
    groups: tuple[str, ...] = ()
    """Group IDs; the bot must be a member."""
    text: Texts
    """What they are told: a text, `{file: name.j2}`, or a list of them."""

    @model_validator(mode="after")
    def _has_anybody(self) -> Self:
        if not (self.users or self.groups):
            raise ValueError("there is nobody to be told: give users or groups")
        return self


class Settings(Model):
    """What the bot says, to what and when."""

    variables: Annotated[dict[Name, Value], BeforeValidator(know)] = Field(default_factory=dict)
    """Values for all texts, by name: `{{ shop }}`."""
    hours: Hours | None = None
    """Business hours; without them it is always open."""
    menu: Menu | None = None
    """The menu a person can ask for. It is looked at before the rules."""
    rules: tuple[Rule, ...] = ()
    """From top to bottom; the first that fits answers, and no other."""
    fallback: Texts | None = None
    """What is said to everything else; without it the bot says nothing, and the plugins behind this one are asked."""
    fallback_once_per: Duration | None = None
    """For how long the same person does not hear the fall-back again in the same conversation."""
    quiet: Duration = 1800.0
    """How long the bot keeps quiet in a conversation after `hand_over`, or after a person wrote there from its account."""
    step_back: bool = True
    """Whether the bot keeps quiet where a person has written from its account."""
    staff: Staff | None = None
    """Who is told of a hand-over."""

    @field_validator("rules")
    @classmethod
    def _can_all_be_reached(cls, rules: tuple[Rule, ...], info: ValidationInfo) -> tuple[Rule, ...]:
        # What is wrong itself is not in the data: then nothing is said that would depend on it.
        has_hours = "hours" not in info.data or info.data["hours"] is not None
        raise_at(unreachable(info.data.get("menu"), rules, has_hours=has_hours))
        return rules

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.fallback_once_per is not None and self.fallback is None:
            raise_at({("fallback_once_per",): "there is no 'fallback' beside it to be said less often"})
        if not (self.menu or self.rules or self.fallback or (self.hours and self.hours.answer)):
            raise ValueError("the bot would never say anything: give rules, a menu or a fallback")
        return self
