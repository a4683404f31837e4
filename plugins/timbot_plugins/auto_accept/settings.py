"""What stands under `auto_accept:` in a configuration."""

from __future__ import annotations

import re
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from timbot import Template, User, Variables
from timbot.fields import OneOrMore, Place, Zone, machine_zone, raise_at, tried
from timbot_plugins._shared.fields import Model
from timbot_plugins._shared.people import Who, listed, never_allowed
from timbot_plugins._shared.wording import Action, Wording

PREFIX: Final = "AddSource_Type_"
"""What the server puts before the app's own name of a source."""

_EXAMPLE: Final = {"sender": User("alice", "Alice"), "wording": "hello", "source": "Web"}

Text = Annotated[Template, Variables(*_EXAMPLE), tried(**_EXAMPLE)]
"""A template with these variables."""


def source_name(source: str) -> str:
    """A source without its prefix."""
    return source.removeprefix(PREFIX)


def _is_source(text: str) -> str:
    name = source_name(text)
    if not re.fullmatch(r"[A-Za-z]{1,8}", name):
        raise ValueError(f"no request can come from there: a source is 1 to 8 letters, with or without {PREFIX}")
    return name.casefold()


Source = Annotated[str, AfterValidator(_is_source)]
"""Where somebody found the bot, with or without the prefix."""


class Rule(Wording):
    """What becomes of some requests: those that fit `keywords` or `regex`, if there are any, and `source`, if there is one."""

    source: Annotated[tuple[Source, ...], Field(min_length=1)] | None = None
    """Where the request comes from, any of these: `Web`, or with its prefix `AddSource_Type_Web`."""
    do: Action
    """accept, refuse, or leave it to a person."""
    remark: Text | None = None
    """The remark of this friend, instead of the one for all."""
    welcome: OneOrMore[Text] | None = None
    """What is said to this friend, instead of what is said to all: a text, `{file: name.j2}`, or a list of them."""

    @property
    def has_words(self) -> bool:
        """Whether it looks at what was written."""
        return bool(self.keywords) or self.regex is not None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.has_words and self.source is None:
            raise ValueError("a rule needs something to fit: keywords, regex or source; 'default' is for the rest")
        if self.do != "accept":
            texts = {"remark": self.remark, "welcome": self.welcome}
            raise_at({(name,): "this rule accepts nobody" for name, text in texts.items() if text is not None})
        return self

    def is_for(self, wording: str, source: str) -> bool:
        """Whether it decides this request."""
        if self.source is not None and source_name(source).casefold() not in self.source:
            return False
        return not self.has_words or self.fits(wording)

    def lost(self, earlier: Rule) -> tuple[Place, ...]:
        """What of this rule never comes to anything, since `earlier` takes it."""
        if earlier.source is not None and not (self.source is not None and set(self.source) <= set(earlier.source)):
            return ()
        return tuple(self.taken(earlier)) if earlier.has_words else ((),)


class Settings(Model):
    """Which friend requests are accepted, which refused, and which left to a person."""

    deny: tuple[Who, ...] = ()
    """Users who are refused: user IDs, or beginnings of them like `spam_*`. Asked first."""
    allow: tuple[Who, ...] = ()
    """Users who are accepted, whatever the rules say. Asked second."""
    rules: tuple[Rule, ...] = ()
    """From top to bottom; the first that fits decides."""
    default: Action | None = None
    """What becomes of all others. Unless it is given: leave if there are rules or an allow list, accept if there are none."""
    per_day: Annotated[int, Field(ge=1)] | None = None
    """The most that are accepted in a day; those beyond are left to a person."""
    tz: Zone = Field(default_factory=machine_zone)
    """The time zone of that day, an IANA name; the machine's unless given."""
    remark: Text | None = None
    """How the bot files a new friend. Cut at 96 bytes."""
    welcome: OneOrMore[Text] | None = None
    """What is said to a new friend: a text, `{file: name.j2}`, or a list of them."""

    @property
    def rest(self) -> Action:
        """What becomes of requests that nothing decides."""
        return self.default or ("leave" if self.rules or self.allow else "accept")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        problems = never_allowed(self.allow, self.deny)
        for number, rule in enumerate(self.rules):
            for earlier, other in enumerate(self.rules[:number]):
                for place in rule.lost(other):
                    problems["rules", number, *place] = f"no request gets here: rules.{earlier} takes it first"
        if not (self.allow or self.rest == "accept" or any(rule.do == "accept" for rule in self.rules)):
            unused = {"per_day": self.per_day, "remark": self.remark, "welcome": self.welcome}
            problems |= {(name,): "nobody is ever accepted" for name, value in unused.items() if value is not None}
        raise_at(problems)
        return self

    def decide(self, user_id: str, wording: str, source: str) -> tuple[Action, Rule | None]:
        """What becomes of a request, and the rule that said so if one did."""
        if listed(user_id, self.deny):
            return "refuse", None
        if listed(user_id, self.allow):
            return "accept", None
        rule = next((rule for rule in self.rules if rule.is_for(wording, source)), None)
        return (self.rest, None) if rule is None else (rule.do, rule)
