"""What a bot does, told to whoever watches: the metrics, the page of the sandbox, a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from timbot.errors import TimbotError
from timbot.im.model import events as model
from timbot.im.model.message import Message
from timbot.redaction import clean

LONGEST_SENTENCE: Final = 160
"""Characters of what an exception says that are told."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of a handler: `outcome` in few words, for counting, and `words` for people, where they say more."""

    outcome: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """An event that a handler has dealt with, or nobody; or a job that has run."""

    time: float
    """The server's time, Unix seconds."""
    account: str
    kind: str
    """What happened: `text`, `custom`, `friend request`, `member joined`, ...; `job`."""
    who: str
    conversation: str
    route: str
    """`plugin:function`; empty if no handler took the event."""
    outcome: str
    """In words: `2 sent`, `accept: done`, `left to a person`, `failed`, ..."""
    said: tuple[Message, ...]
    """What it replied. What it said through a `Sender` is told apart (`Observer.said`)."""
    seconds: float
    words: str = ""
    """The outcome for people, with the reason that was given or what went wrong; empty if `outcome` says it all. It may
    hold what people wrote."""
    why: str = ""
    """What made the handler decide so, if it says: `rules.2`."""
    unsent: int = 0
    """Replies that were not sent, or nobody knows."""


class Observer(Protocol):
    """Somebody who watches. It must be quick and must not raise."""

    def heard(self, account: str, event: model.Event) -> None:
        """An event has come in."""
        ...

    def did(self, activity: Activity) -> None:
        """A handler or a job has ended; or no handler took an event that was for the bot, or looked so (no `route`)."""
        ...

    def said(self, account: str, plugin: str, message: Message) -> None:
        """A plugin has said something through a `Sender`: to whom it wanted, and not as the reply to an event."""
        ...


def kind_of(event: model.Event) -> str:
    """An event in a word or two, by its type: `text`, `image`, `member joined`, ..."""
    if isinstance(event, model.MessageReceived):
        return type(event.message.payload).__name__.lower()
    if isinstance(event, model.FriendApplicationReceived):
        return "friend request"
    if isinstance(event, model.GroupApplication):
        return "join request"
    name = type(event).__name__
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def sentence_of(error: BaseException) -> str:
    """`ValueError: there is no order 7`: the type and the beginning of what it says, in one line and without secrets."""
    try:
        said = error.message if isinstance(error, TimbotError) else str(error)
    except Exception:  # its own __str__ fails
        said = ""
    line = clean(next(iter(said.strip().splitlines()), ""))
    if len(line) > LONGEST_SENTENCE:
        line = f"{line[:LONGEST_SENTENCE]}..."
    name = type(error).__name__
    return f"{name}: {line}" if line else name
