"""What a bot does, told to whoever watches: the metrics, the page of the sandbox, a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from timbot.im.model import events as model
from timbot.im.model.message import Message


@dataclass(frozen=True, slots=True)
class Activity:
    """An event that a handler has dealt with, or a job that has run."""

    time: float
    """The server's time, Unix seconds."""
    account: str
    kind: str
    """What happened: `text`, `custom`, `friend request`, `member joined`, ...; `job`."""
    who: str
    conversation: str
    route: str
    """`plugin:function`."""
    outcome: str
    """In words: `2 sent`, `accept: done`, `left to a person`, `failed`, ..."""
    said: tuple[Message, ...]
    """What it replied. What it said through a `Sender` is told apart (`Observer.said`)."""
    seconds: float


class Observer(Protocol):
    """Somebody who watches. It must be quick and must not raise."""

    def heard(self, account: str, event: model.Event) -> None:
        """An event has come in."""
        ...

    def did(self, activity: Activity) -> None:
        """A handler or a job has ended."""
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
