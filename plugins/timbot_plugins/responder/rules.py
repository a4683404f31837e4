"""What a rule and a menu are: what they are for, and what is said then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from timbot import Pattern
from timbot_plugins._shared.fields import Duration, Model, Place, Whole, Word, raise_at
from timbot_plugins._shared.words import bare, contains, plain
from timbot_plugins.responder.fields import Texts, groups_of, without_taken_groups

Where = Literal["c2c", "group", "any"]
When = Literal["open", "closed", "always"]


class Answer(Model):
    """What is said, and whether a person takes over."""

    reply: Texts
    """What the bot says: a text, `{file: name.j2}`, or a list of them, said one after the other."""
    hand_over: bool = False
    """Whether the bot then keeps quiet in this conversation, since a person will go on."""


class Rule(Model):
    """What the bot says to some messages. It is for a message that fits any of `exact`, `keywords` and `regex`."""

    exact: tuple[Whole, ...] = ()
    """The whole message, without case, width and punctuation around it."""
    keywords: tuple[Word, ...] = ()
    """Words or phrases within the message: `hi` is not in `this`."""
    unsafe_regex: bool = False
    """Take a pattern that may run away."""
    regex: Annotated[Pattern | None, AfterValidator(without_taken_groups)] = None
    """A pattern that finds something in the message. Its named groups are variables."""
    where: Where = "any"
    """c2c, group, or any of both. In a group, the bot answers who mentions it."""
    when: When = "open"
    """open: within business hours; closed: outside; always."""
    reply: Texts
    """What the bot says: a text, `{file: name.j2}`, or a list of them, said one after the other."""
    hand_over: bool = False
    """Whether the bot then keeps quiet in this conversation, since a person will go on."""

    @model_validator(mode="after")
    def _has_condition(self) -> Self:
        if not (self.exact or self.keywords or self.regex):
            raise ValueError("a rule needs something to fit: exact, keywords or regex")
        return self

    def match(self, text: str, raw: str) -> Mapping[str, str] | None:
        """The named groups if the rule is for this message (`text` is plain, `raw` as it was written), else None."""
        found = None if self.regex is None else self.regex.search(raw)
        if found is not None:
            return found.named
        if bare(text) in self.exact or any(contains(text, word) for word in self.keywords):
            return dict.fromkeys(groups_of(self.regex), "")
        return None


def _kind(value: object) -> str:
    if isinstance(value, Mapping) and ("items" in value or "text" in value):
        return "menu"
    return "answer" if isinstance(value, Mapping) and ("reply" in value or "hand_over" in value) else "texts"


T = TypeVar("T")


def _by_word(items: dict[str, T]) -> dict[str, T]:
    """The items by their choices as messages are compared with them."""
    found: dict[str, T] = {}
    problems: dict[Place, str] = {}
    for choice, item in items.items():
        word = bare(plain(choice))
        if not word or word in found:
            problems[choice,] = "this choice is there already" if word else "a choice is a text with something in it"
        found[word] = item
    raise_at(problems)
    return found


class Submenu(Model):
    """A text with choices."""

    text: Texts
    """What is said to show the menu; it names the choices."""
    items: Annotated[
        dict[
            str,
            Annotated[
                Annotated[Texts, Tag("texts")] | Annotated[Submenu, Tag("menu")] | Annotated[Answer, Tag("answer")],
                Discriminator(_kind),
            ],
        ],
        Field(min_length=1),
        AfterValidator(_by_word),
    ]
    """Choice -> what is said: a text or a list, an answer that hands over, or a menu with `text` and `items`."""

    @cached_property
    def choices(self) -> frozenset[str]:
        """The choices of this menu and of all below it."""
        return frozenset(self.items).union(*(item.choices for item in self.items.values() if isinstance(item, Submenu)))


class Menu(Submenu):
    """The menu a person can ask for. Choices count for who has seen them, for a while."""

    on: Annotated[tuple[Whole, ...], Field(min_length=1)]
    """What shows it: whole messages."""
    when: When = "open"
    """open: within business hours; closed: outside; always."""
    forget_after: Duration = 600.0
    """How long after it was last shown or used its choices count."""

    @model_validator(mode="after")
    def _has_no_word_twice(self) -> Self:
        if self.choices & set(self.on):
            raise_at({("on",): "a choice of the menu stands here too, and would show the menu instead"})
        return self

    def at(self, path: Sequence[str]) -> Submenu | None:
        """The menu these choices lead to, if they do."""
        found: Submenu = self
        for word in path:
            below = found.items.get(word)
            if not isinstance(below, Submenu):
                return None
            found = below
        return found
