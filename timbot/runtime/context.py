"""What a handler gets: the event, who it is about, and the means to answer."""

from __future__ import annotations

import inspect
import random
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

from timbot.errors import ImError
from timbot.im.model import events as model
from timbot.im.model.message import ConversationType, Message, split_conversation_id
from timbot.im.model.people import FriendApplication
from timbot.routing.replies import Replies, payloads_of
from timbot.runtime.asking import ask
from timbot.runtime.sending.split import split
from timbot.runtime.state import Scope, State

if TYPE_CHECKING:
    from timbot.im.api.messages import OutgoingMessage
    from timbot.im.client import Client
    from timbot.patterns import Match
    from timbot.runtime.log import Log
    from timbot.runtime.machinery import Machinery
    from timbot.runtime.occasion import Occasion
    from timbot.runtime.sender import Sender
    from timbot.runtime.speaker import Silenced
    from timbot.runtime.steps import Steps
    from timbot.runtime.turn import Turn

NOT_YET_FRIENDS: Final = frozenset({20009, 20010, 20011})
"""The server may need a moment to know of a friendship it has just confirmed."""

P = TypeVar("P")
T = TypeVar("T")


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
    """What every handler has, whatever happened.

    What a handler does through it is kept step by step. After a failure, or in the next process, the handler is gone through
    again, and a step that was done is not done twice: so whatever decides which steps come must be the same then. Take the
    time from `now` and chance from `random`; ask the world outside through `once`.
    """

    __slots__ = (
        *("_client", "_machinery", "_occasion", "_out", "_random", "_state", "account", "event", "handler"),
        *("log", "said", "steps", "turn", "unsent", "why"),
    )

    def __init__(self, occasion: Occasion, machinery: Machinery, turn: Turn, steps: Steps, out: Sender) -> None:
        self.event = occasion.event
        self.turn = turn
        self.steps = steps
        self.handler = steps.handler
        """`plugin:function`, as it stands in the log."""
        self.account: str = machinery.client.user_id
        """The user ID of the bot's own account."""
        self.said: list[Message] = []
        """What the bot has said so far because of this event."""
        self.unsent = 0
        """Replies so far that were not sent, or nobody knows."""
        self.why = ""
        """To be set by a handler that chooses between many answers: which it was, in a word or two (`rules.2`), for the log
        and the chat page. Nothing that people wrote: the log would show it."""
        self.log: Log = out.log.bind(handler=steps.handler, conversation=occasion.lane)
        self._occasion = occasion
        self._machinery = machinery
        self._out = out
        self._client: Client | None = None
        self._random: random.Random | None = None
        self._state: State | None = None

    @property
    def client(self) -> Client:
        """The SDK's methods for this account. What changes something is a step, and its result is kept."""
        if self._client is None:
            from timbot.runtime.clientview import view  # most handlers never need it

            self._client = view(self._machinery.client, self.steps)
        return self._client

    @property
    def conversation_id(self) -> str:
        """`C2C<user>` or `GROUP<group>`."""
        return self.event.conversation_id

    @property
    def now(self) -> float:
        """When the event happened, by the server's time, Unix seconds: the same on every attempt."""
        return self._occasion.time

    @property
    def random(self) -> random.Random:
        """Chance, the same for the same event and handler."""
        if self._random is None:
            self._random = random.Random(f"{_seed(self.event, self._occasion.message)}/{self.handler}")
        return self._random

    def uuid(self) -> uuid.UUID:
        """A new UUID; on another attempt the same ones in the same order."""
        return uuid.UUID(int=self.random.getrandbits(128), version=4)

    @property
    def effect_key(self) -> str:
        """Stands for the step that comes next, the same on every attempt and in every process.

        Hand it to whoever can tell by it that they have done something already: `once` may be cut off between the effect and
        its record, and is carried out again then.
        """
        return self.steps.effect_key

    @property
    def state(self) -> State:
        """What the plugin remembers of the sender, the conversation, or altogether."""
        if self._state is None:
            plugin, stores = self.steps.plugin, self._machinery.stores
            store = None if stores is None else stores(plugin)
            self._state = State(
                lambda key: Scope(key, plugin, store, self.steps, self.turn), self._occasion.who, self.conversation_id
            )
        return self._state

    @overload
    def once(self, name: str, effect: Callable[..., Awaitable[T]], /, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, T]: ...
    @overload
    def once(self, name: str, effect: Callable[..., T], /, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, T]: ...
    def once(self, name: str, effect: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        """Call `effect(*args, **kwargs)` as a step: what it returns is kept, at most 64 KiB of JSON, and is given again
        without a second call when the handler is gone through again.

        Names tell steps apart that go on at the same time. An exception is no result: the next attempt calls again.
        """

        async def work() -> object:
            result = effect(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result

        key = f"once {name}" if self.steps.busy else ""
        return self.steps.effect("once", "", name, work, key=key)

    def say(
        self, reply: object, *, to: str = "", where: str = "", key: str = "", patient: bool = False
    ) -> Coroutine[Any, Any, list[Message]]:
        """For the runtime: say it where the event came from, or `to` another conversation. See `Context.reply`."""
        target = to or self.conversation_id
        patient_with = NOT_YET_FRIENDS if patient else frozenset[int]()
        silenced: Silenced | None = None

        def messages() -> list[OutgoingMessage]:
            nonlocal silenced
            kind, name = split_conversation_id(target)
            said = payloads_of(reply, where or f"A reply of {self.handler}", self._out.render)
            payloads = [part for payload in said for part in split(payload)]
            speaker = self._machinery.speaker
            admitted, silenced = speaker.admitted(target, payloads)
            return [speaker.client.create_message(name, kind, payload) for payload in admitted]

        sending = self.steps.send(messages, target, self.said, key=key, patient_with=patient_with)

        async def said() -> list[Message]:
            try:
                sent = await sending
            except ImError:
                self.unsent += 1
                raise
            if silenced is not None:
                raise silenced
            return sent

        return said()


class Context(BaseContext, Generic[P]):
    """A message, by its payload (`Context[Text]`), or another event, by its type (`Context[MemberJoined]`)."""

    __slots__ = ("args", "match", "message", "raw_text", "sender", "text")

    def __init__(
        self, occasion: Occasion, machinery: Machinery, turn: Turn, steps: Steps, out: Sender, match: Match | None = None
    ) -> None:
        super().__init__(occasion, machinery, turn, steps, out)
        message = self.message = occasion.message
        """The message, if the event is one."""
        self.text = occasion.text
        """The text without a leading mention of the bot, in normal form, trimmed; empty if there is none."""
        self.raw_text = message.text if message else ""
        """The text as it was written."""
        self.args = occasion.args
        """The words behind a command."""
        self.match = match
        """What the pattern of `on_regex` found."""
        self.sender = _sender(occasion.event, message)

    @property
    def payload(self) -> P:
        """What the message says: `Text`, `Custom`, ...; for other events the event itself."""
        return self.message.payload if self.message else self.event  # type: ignore[return-value]  # P is the author's word

    @property
    def group_id(self) -> str:
        """The group it happened in; empty in C2C."""
        kind = ConversationType.GROUP.value
        return self.conversation_id[len(kind) :] if self.conversation_id.startswith(kind) else ""

    def reply(self, reply: Replies, *, key: str = "") -> Coroutine[Any, Any, list[Message]]:
        """Say something where the event came from, before the handler ends. The messages as sent.

        `key` tells it apart from other steps that go on at the same time. Raises `ServerError`, `MessageDropped`,
        `OutcomeUnknown`, and `Silenced` when the bot has said too much.
        """
        return self.say(reply, key=key)

    @overload
    async def ask(
        self,
        question: Replies,
        *,
        tries: int = 1,
        timeout: float | str | None = 600.0,
        who: str = "",
        again: Replies = None,
    ) -> str: ...
    @overload
    async def ask(
        self,
        question: Replies,
        kind: Callable[[str], T],
        *,
        tries: int = 1,
        timeout: float | str | None = 600.0,
        who: str = "",
        again: Replies = None,
    ) -> T: ...
    async def ask(
        self,
        question: Replies,
        kind: Callable[[str], Any] = str,
        *,
        tries: int = 1,
        timeout: float | str | None = 600.0,
        who: str = "",
        again: Replies = None,
    ) -> Any:
        """Say `question`, and wait for what the sender (or `who`) says next in this conversation.

        `kind` makes a value of the answer: `int`, or anything that raises `ValueError` for what it does not take; then
        `again` is said (the question, if there is nothing else), up to `tries` questions in all. `timeout`: seconds, or
        `"10m"`; None waits for ever. Meanwhile the conversation goes on: commands and other kinds of messages are handled as
        ever. Other steps that are still going on when it is called are an error (`StepOverlap`).

        Raises `AskTimeout` and `AskCancelled`. Not caught, they end the handler with a sentence to whoever was asked.
        """
        return await ask(self, self._machinery.dialogues, question, kind, tries=tries, timeout=timeout, who=who, again=again)


class FriendRequest(BaseContext):
    """Somebody wants to be friends. Answer by returning `Accept`, `Reject`, or None to leave it to a person."""

    __slots__ = ("application",)

    def __init__(
        self, application: FriendApplication, occasion: Occasion, machinery: Machinery, turn: Turn, steps: Steps, out: Sender
    ) -> None:
        super().__init__(occasion, machinery, turn, steps, out)
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

    def __init__(
        self,
        application: model.GroupApplication,
        occasion: Occasion,
        machinery: Machinery,
        turn: Turn,
        steps: Steps,
        out: Sender,
    ) -> None:
        super().__init__(occasion, machinery, turn, steps, out)
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
