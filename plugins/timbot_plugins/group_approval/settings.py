"""What stands under `group_approval:` in a configuration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from timbot import Template, User, Variables
from timbot.fields import Duration, OneOrMore, Place, raise_at, tried
from timbot_plugins._shared.fields import Model, Whole
from timbot_plugins._shared.people import Who, never_allowed
from timbot_plugins._shared.wording import Action, Wording
from timbot_plugins._shared.words import bare, plain
from timbot_plugins.group_approval.codes import Codes


@dataclass(frozen=True, slots=True)
class Group:
    """A group as a template sees it."""

    id: str
    name: str


_EXAMPLE: Final = {"sender": User("alice", "Alice"), "group": Group("@TGS#lobby", "Lobby"), "wording": "hello"}

Text = Annotated[Template, Variables(*_EXAMPLE), tried(**_EXAMPLE)]
"""A template with these variables."""

Wait = Annotated[Template, Variables(*_EXAMPLE, "minutes"), tried(**_EXAMPLE, minutes=10)]
"""A template that can also say how long to wait."""


class Rule(Wording):
    """What becomes of some applications: those whose message fits any of `keywords`, `regex`, `answers` and `codes`."""

    answers: tuple[Whole, ...] = ()
    """The whole message, without case, width and punctuation around it: answers to what the group's description asks."""
    codes: Codes | None = Field(default=None, repr=False)
    """Invite codes, in the message: a list, or a text such as `${file:codes.txt}`. Each is for one user."""
    do: Action
    """accept, refuse, or leave it to a person."""
    reason: Text | None = None
    """What those refused are told, instead of what all are told."""
    message: Text | None = None
    """What those accepted are told, instead of what all are told."""
    welcome: OneOrMore[Text] | None = None
    """What is said in the group, instead of what is said for all."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not (self.keywords or self.regex or self.answers or self.codes):
            raise ValueError("a rule needs something to fit: keywords, regex, answers or codes; 'default' is for the rest")
        if self.do != "refuse" and self.reason is not None:
            raise_at({("reason",): "this rule refuses nobody"})
        if self.do != "accept":
            unused = {"codes": self.codes, "message": self.message, "welcome": self.welcome}
            raise_at({(name,): "this rule accepts nobody" for name, value in unused.items() if value is not None})
        return self

    def fits(self, wording: str) -> bool:
        """Whether it is about this message, codes apart."""
        return bare(plain(wording)) in self.answers or super().fits(wording)

    def taken(self, earlier: Wording) -> Iterator[Place]:
        """The conditions for which `earlier` takes every message before this one is asked."""
        yield from super().taken(earlier)
        if isinstance(earlier, Rule):
            for number, answer in enumerate(self.answers):
                if answer in earlier.answers or earlier.has_keyword_in(answer):
                    yield "answers", number
            if set(self.codes or ()) & set(earlier.codes or ()):
                yield ("codes",)


class GroupSettings(Model):
    """Who comes into a group."""

    deny: tuple[Who, ...] = ()
    """Users who are refused: user IDs, or beginnings of them like `spam_*`. Asked first."""
    allow: tuple[Who, ...] = ()
    """Users who are accepted, whatever the rules say. Asked second."""
    rules: tuple[Rule, ...] = ()
    """From top to bottom; the first that fits decides."""
    default: Action = "leave"
    """What becomes of all others."""
    reason: Text | None = None
    """What those refused are told."""
    message: Text | None = None
    """What those accepted are told by the server's notice."""
    welcome: OneOrMore[Text] | None = None
    """What is said in the group when the bot has let somebody in: a text, `{file: name.j2}`, or a list of them."""
    max_members: Annotated[int, Field(ge=1)] | None = None
    """The bot lets nobody in beyond so many members."""
    full: Literal["leave", "refuse"] = "leave"
    """What becomes of those beyond."""
    full_reason: Text | None = None
    """What those are told who are refused because the group is full."""
    cooldown: Duration | None = None
    """How long whoever was refused by a rule or the default is refused again, whatever they write."""
    cooldown_reason: Wait | None = None
    """What they are told then; without it, `reason`. It has the variable `minutes`."""

    @property
    def accepts(self) -> bool:
        """Whether anybody can be accepted."""
        return bool(self.allow) or self.default == "accept" or any(rule.do == "accept" for rule in self.rules)

    @property
    def refuses(self) -> bool:
        """Whether anybody can be refused for what they are or wrote."""
        return bool(self.deny) or self._refuses_words

    @property
    def _refuses_words(self) -> bool:
        return self.default == "refuse" or any(rule.do == "refuse" for rule in self.rules)

    def mistakes(self) -> dict[Place, str]:
        """What can never come to anything, by its place."""
        found = never_allowed(self.allow, self.deny)
        for number, rule in enumerate(self.rules):
            for earlier, other in enumerate(self.rules[:number]):
                for place in rule.taken(other):
                    found["rules", number, *place] = f"no application gets here: rules.{earlier} takes it first"
        return found

    def unused(self) -> dict[Place, str]:
        """What is given for a case that never happens, by its place."""
        cases = [
            (self.accepts, "nobody is ever accepted", ("message", "welcome", "max_members")),
            (self.refuses, "nobody is ever refused", ("reason",)),
            (self._refuses_words, "nobody is ever refused for what they write", ("cooldown",)),
            (self.max_members is not None, "there is no 'max_members'", ("full", "full_reason")),
            (self.full == "refuse", "those beyond 'max_members' are not refused: 'full' is leave", ("full_reason",)),
            (self.cooldown is not None, "there is no 'cooldown'", ("cooldown_reason",)),
        ]
        return {
            (name,): problem
            for happens, problem, names in cases
            for name in names
            if not happens and name in self.model_fields_set
        }


class Settings(GroupSettings):
    """Who comes into the groups that the account owns or administers."""

    groups: dict[Annotated[str, Field(min_length=1)], GroupSettings] = Field(default_factory=dict)
    """Group ID -> what is different there. Each key given there replaces the one above."""

    @cached_property
    def merged(self) -> dict[str, GroupSettings]:
        """The settings of each group that has its own."""
        common = {name: getattr(self, name) for name in self.model_fields_set if name != "groups"}
        return {
            group: GroupSettings.model_construct(**{**common, **{name: getattr(own, name) for name in own.model_fields_set}})
            for group, own in self.groups.items()
        }

    def of(self, group_id: str) -> GroupSettings:
        """The settings of a group."""
        return self.merged.get(group_id, self)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        everywhere: list[GroupSettings] = [self, *self.merged.values()]
        if not any(settings.accepts or settings.refuses for settings in everywhere):
            raise ValueError("the bot would never decide anything: give allow, deny, rules or a default")
        problems = self.mistakes()
        for place, problem in self.unused().items():
            # What is of no use above may be of use to a group.
            if all(place[0] in own.model_fields_set or place in self.of(group).unused() for group, own in self.groups.items()):
                problems[place] = problem
        for group in self.groups:
            problems |= self._problems_of(group)
        raise_at(problems)
        return self

    def _problems_of(self, group: str) -> dict[Place, str]:
        """What is wrong with a group's own settings, and with what they make of those above."""
        own = self.groups[group].model_fields_set
        mistakes = self.of(group).mistakes()
        found = {**mistakes, **self.of(group).unused()}
        problems: dict[Place, str] = {("groups", group, *place): found[place] for place in found if place[0] in own}
        for place in mistakes.keys() - self.mistakes().keys():
            if place[0] not in own:
                problems["groups", group] = f"with {'.'.join(map(str, place))} above: {mistakes[place]}"
        return problems
