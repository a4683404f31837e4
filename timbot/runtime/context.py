"""What a handler gets: the event, who it is about, and the means to answer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from timbot.errors import ImError
from timbot.im.model import events as model
from timbot.im.model.message import ConversationType, Message
from timbot.im.model.people import FriendApplication
from timbot.routing.replies import Replies

if TYPE_CHECKING:
    from timbot.im.client import Client
    from timbot.patterns import Match
    from timbot.runtime.log import Log
    from timbot.runtime.sender import Sender

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class User:
    """A user as the event shows them; `name` is what to call them."""

    id: str
    nick: str = ""
    avatar: str = ""
    name_card: str = ""

    @property
    def name(self) -> str:
        """Name card, nick or user ID: the first there is."""
        return self.name_card or self.nick or self.id


class BaseContext:
    """What every handler has, whatever happened."""

    __slots__ = ("_out", "account", "client", "event", "handler", "log", "said", "unsent", "why")

    def __init__(self, event: model.Event, out: Sender, handler: str) -> None:
        self.event = event
        self._out = out
        self.handler = handler
        """`plugin:function`, as it stands in the log."""
        self.client: Client = out.client
        self.account: str = out.client.user_id
        """The user ID of the bot's own account."""
        self.said: list[Message] = []
        """What the bot has said so far because of this event."""
        self.unsent = 0
        """Replies so far that were not sent, or nobody knows."""
        self.why = ""
        """To be set by a handler that chooses between many answers: which it was, in a word or two (`rules.2`), for the log
        and the chat page. Nothing that people wrote: the log would show it."""
        self.log: Log = out.log.bind(handler=handler, conversation=event.conversation_id)

    @property
    def conversation_id(self) -> str:
        """`C2C<user>` or `GROUP<group>`."""
        return self.event.conversation_id

    @property
    def now(self) -> float:
        """The server's time, Unix seconds."""
        return self.client.server_now()

    @contextmanager
    def replying(self) -> Iterator[list[Message]]:
        """For the runtime: `said`, to be added to; a reply that is not sent is counted."""
        try:
            yield self.said
        except ImError:
            self.unsent += 1
            raise


class Context(BaseContext, Generic[P]):
    """A message, by its payload (`Context[Text]`), or another event, by its type (`Context[MemberJoined]`)."""

    __slots__ = ("_random", "args", "match", "message", "raw_text", "sender", "text")

    def __init__(
        self,
        event: model.Event,
        out: Sender,
        handler: str,
        *,
        message: Message | None = None,
        text: str = "",
        args: tuple[str, ...] = (),
        match: Match | None = None,
    ) -> None:
        super().__init__(event, out, handler)
        self.message = message
        """The message, if the event is one."""
        self.text = text
        """The text without a leading mention of the bot, in normal form, trimmed; empty if there is none."""
        self.raw_text = message.text if message else ""
        """The text as it was written."""
        self.args = args
        """The words behind a command."""
        self.match = match
        """What the pattern of `on_regex` found."""
        self.sender = _sender(event, message)
        self._random: random.Random | None = None

    @property
    def payload(self) -> P:
        """What the message says: `Text`, `Custom`, ...; for other events the event itself."""
        return self.message.payload if self.message else self.event  # type: ignore[return-value]  # P is the author's word

    @property
    def group_id(self) -> str:
        """The group it happened in; empty in C2C."""
        kind = ConversationType.GROUP.value
        return self.conversation_id[len(kind) :] if self.conversation_id.startswith(kind) else ""

    @property
    def random(self) -> random.Random:
        """Chance, the same for the same event and handler."""
        if self._random is None:
            self._random = random.Random(f"{_seed(self.event, self.message)}/{self.handler}")
        return self._random

    async def reply(self, reply: Replies) -> list[Message]:
        """Say something where the event came from, before the handler ends. The messages as sent.

        Raises `ServerError`, `MessageDropped`, `OutcomeUnknown`, and `Silenced` when the bot has said too much.
        """
        with self.replying() as said:
            return await self._out.answer(self.conversation_id, reply, f"A reply of {self.handler}", said)


class FriendRequest(BaseContext):
    """Somebody wants to be friends. Answer by returning `Accept`, `Reject`, or None to leave it to a person."""

    __slots__ = ("application",)

    def __init__(self, application: FriendApplication, event: model.Event, out: Sender, handler: str) -> None:
        super().__init__(event, out, handler)
        self.application = application

    @property
    def sender(self) -> User:
        """Who asks."""
        return User(self.application.user_id, self.application.nick, self.application.avatar)

    @property
    def wording(self) -> str:
        """What they wrote, at most 256 bytes."""
        return self.application.wording

    @property
    def source(self) -> str:
        """Where they found the bot: `AddSource_Type_` and a name of the app's."""
        return self.application.source


class GroupJoinRequest(BaseContext):
    """Somebody wants into a group. Answer by returning `Accept`, `Reject`, or None to leave it to a person."""

    __slots__ = ("application",)

    def __init__(self, application: model.GroupApplication, out: Sender, handler: str) -> None:
        super().__init__(application, out, handler)
        self.application = application

    @property
    def sender(self) -> User:
        """Who asks."""
        return User(self.application.user_id, self.application.nick)

    @property
    def wording(self) -> str:
        """What they wrote."""
        return self.application.wording

    @property
    def group_id(self) -> str:
        """The group they want into."""
        return self.application.group_id

    @property
    def group_name(self) -> str:
        """Its name."""
        return self.application.group_name


def _sender(event: model.Event, message: Message | None) -> User:
    if message is not None:
        return User(message.from_, message.nick, message.avatar, message.name_card)
    if isinstance(event, model.GroupTip):
        return User(event.user_ids[0], event.nicks[0])
    return User(getattr(event, "user_id", "") or getattr(event, "from_", "") or getattr(event, "operator_id", ""))


def _seed(event: model.Event, message: Message | None) -> str:
    if message is not None:
        return message.id
    if isinstance(event, model.GroupTip):
        return f"{event.conversation_id}-{event.sequence}-{event.time}"
    return repr(event)
