"""An event with what routing found out about it: which routes it may take, and in which words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from timbot.im.model import events as model
from timbot.im.model.message import ConversationType, Message
from timbot.im.model.payloads import Text
from timbot.im.wire.messages import SYSTEM_ACCOUNT
from timbot.routing.plugin import Route
from timbot.routing.table import Table
from timbot.routing.text import normalize, without_mention

ROBOT_PREFIX: Final = "@RBT#"


@dataclass(slots=True)
class Occasion:
    """An event that may be handled. `time` is when it happened, the server's Unix seconds; `number` is the journal's,
    0 for what is not kept."""

    event: model.Event
    routes: tuple[Route, ...]
    time: float
    number: int = 0
    from_bot: bool = False
    message: Message | None = None
    text: str = ""
    args: tuple[str, ...] = ()
    addressed: bool = True
    """Whether the bot is meant: everywhere but in a group where nobody mentions it."""
    stale: bool = False
    kept: bool = False
    """Whether the journal has it, or will have it."""
    wanted: bool = True
    """Whether anybody would handle it."""

    @property
    def lane(self) -> str:
        """Its conversation."""
        return self.event.conversation_id

    @property
    def who(self) -> str:
        """Who wrote or asks; empty where it is nobody."""
        return asking(self.event) if self.message is None else self.message.from_


class Occasions:
    """Finds the routes of one account's events."""

    def __init__(self, table: Table, user_id: str, bots: Iterable[str]) -> None:
        self.names: tuple[str, ...] = (user_id,)
        """What the bot is called in a mention."""
        self._table = table
        self._user_id = user_id
        self._bots = frozenset(bots)

    def of(self, event: model.Event, time: float, number: int = 0, *, stale: bool = False) -> Occasion:
        """The occasion that an event is. `stale`: it is too old to be answered as if it were new."""
        message = event.message if isinstance(event, model.MessageReceived) else None
        if message is None:
            routes = self._table.for_event(event)
            return Occasion(event, routes, time, number, self._is_bot(asking(event)), stale=stale)
        from_bot, addressed = self._is_bot(message.from_), self._is_addressed(message)
        if stale:
            return Occasion(event, self._table.for_stale(), time, number, from_bot, message, addressed=addressed, stale=True)
        by_type = self._table.for_event(event)
        if not isinstance(message.payload, Text):
            routes = self._table.merge(self._table.for_payload(message.payload), by_type)
            return Occasion(event, routes, time, number, from_bot, message, addressed=addressed)
        text = normalize(without_mention(message.text, self.names))
        found, args = self._table.for_text(text, addressed=addressed)
        return Occasion(event, self._table.merge(found, by_type), time, number, from_bot, message, text, args, addressed)

    def words_of(self, message: Message) -> str:
        """What somebody has said, without a leading mention of the bot, trimmed."""
        return without_mention(message.text, self.names).strip()

    def _is_bot(self, user_id: str) -> bool:
        return user_id == SYSTEM_ACCOUNT or user_id.startswith(ROBOT_PREFIX) or user_id in self._bots

    def _is_addressed(self, message: Message) -> bool:
        """In a group a text is for the bot when it mentions the bot by name; everybody is nobody in particular."""
        return message.conversation_type is ConversationType.C2C or self._user_id in message.at_user_list


def asking(event: model.Event) -> str:
    """Who makes a request; empty if the event is none."""
    if isinstance(event, model.FriendApplicationReceived):
        return event.application.user_id
    return event.user_id if isinstance(event, model.GroupApplication) else ""
