"""From an event to its handlers and their effects, one lane for each conversation."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from timbot.errors import NotLoggedIn
from timbot.im.client import Client
from timbot.im.model import events as model
from timbot.im.model.message import ConversationType, Message
from timbot.im.model.payloads import Text
from timbot.im.wire.messages import SYSTEM_ACCOUNT
from timbot.routing.plugin import Route
from timbot.routing.replies import PASS, Accept, Reject, WrongReply
from timbot.routing.table import Table, open_to
from timbot.routing.text import normalize, without_mention
from timbot.runtime.activity import Activity, Ending, kind_of, sentence_of
from timbot.runtime.context import BaseContext, Context, FriendRequest, GroupJoinRequest
from timbot.runtime.failures import tell_failure
from timbot.runtime.lanes import Lanes
from timbot.runtime.outfit import Stores, outfits
from timbot.runtime.reporter import Reporter
from timbot.runtime.requests import Outcome, answer_friend, answer_group, ending
from timbot.runtime.sender import Sender
from timbot.runtime.speaker import Silenced, Speaker, Told
from timbot.runtime.welcome import welcome

if TYPE_CHECKING:
    from timbot.runtime.enabled import Enabled
    from timbot.runtime.log import Log

Tell = Callable[[Activity], None]

ROBOT_PREFIX: Final = "@RBT#"

_ANY_HANDLER: Final = "write @bot.on_event(MessageReceived) async def handler(ctx: Context[{}])"
_HANDLERS: Final = {
    "text": "write @bot.on_text async def handler(ctx: Context[Text])",
    "custom": "write @bot.on_custom() async def handler(ctx: Context[Custom])",
    "friend request": "write @bot.on_friend_request async def handler(request: FriendRequest)",
    "join request": "write @bot.on_group_join_request async def handler(request: GroupJoinRequest)",
}
"""What to write for a kind of event."""


@dataclass(frozen=True, slots=True)
class Options:
    """How an account behaves.

    `bots`: accounts that are machines too, and reach only handlers that ask for them. `loop_guard`: automatic replies a
    minute in one conversation (0: no limit). `workers` and `backlog` bound what runs and waits at once.
    """

    bots: frozenset[str] = field(default_factory=frozenset)
    loop_guard: int = 30
    workers: int = 1000
    backlog: int = 10_000


@dataclass(frozen=True, slots=True)
class _Occasion:
    """An event with what routing found out about it."""

    event: model.Event
    routes: tuple[Route, ...]
    from_bot: bool = False
    message: Message | None = None
    text: str = ""
    args: tuple[str, ...] = ()


class Dispatcher:
    """The handlers of one account at work."""

    def __init__(
        self,
        client: Client,
        plugins: Sequence[Enabled],
        log: Log,
        options: Options,
        *,
        stores: Stores | None = None,
        tell: Tell = lambda _: None,
        told: Told = lambda _plugin, _message: None,
    ) -> None:
        self.client = client
        self.names: tuple[str, ...] = (client.user_id,)
        """What the bot is called in a mention."""
        self._table = Table(enabled.plugin for enabled in plugins)
        self._tell = tell
        self._log = log
        self._options = options
        self._lanes = Lanes(f"account {client.user_id}", workers=options.workers, backlog=options.backlog)
        self._speaker = Speaker(client, log, loop_guard=options.loop_guard, told=told)
        self.outfits = outfits(plugins, self._speaker, stores)
        """What each plugin's handlers get, by the plugin's name."""
        self._wirings = {id(route): self.outfits[route.plugin].wire(route) for route in self._table.routes}
        self._reporter = Reporter(client, log)
        self._unhandled_kinds: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether any handler runs or any event waits for one."""
        return self._lanes.count > 0

    @property
    def conversations(self) -> int:
        """Conversations with work, running or waiting."""
        return self._lanes.count

    @property
    def waiting(self) -> int:
        """Events that wait for their turn."""
        return self._lanes.waiting

    @property
    def unsent(self) -> int:
        """Messages on their way, or waiting for their turn."""
        return self._speaker.outbox.open

    async def take(self, event: model.Event) -> None:
        """Put an event into its lane. Waits while the backlog is full."""
        occasion = self._occasion(event)
        if occasion.routes:
            await self._lanes.put(event.conversation_id, functools.partial(self._turn, occasion))
        else:
            self._unhandled(occasion)

    async def close(self, grace: float) -> None:
        """Let the handlers finish for `grace` seconds, then stop them."""
        until = asyncio.get_running_loop().time() + grace
        left = await self._lanes.close(grace)
        if left:
            self._log.warning("stopped before everything was handled", left=left, grace_seconds=grace)
        await self._reporter.close(max(0.0, until - asyncio.get_running_loop().time()))

    # Which routes

    def _occasion(self, event: model.Event) -> _Occasion:
        by_type = self._table.for_event(event)
        if not isinstance(event, model.MessageReceived):
            return _Occasion(event, by_type, from_bot=self._is_bot(_asking(event)))
        message = event.message
        from_bot = self._is_bot(message.from_)
        if not isinstance(message.payload, Text):
            return _Occasion(event, self._table.merge(self._table.for_payload(message.payload), by_type), from_bot, message)
        text = normalize(without_mention(message.text, self.names))
        routes, args = self._table.for_text(text, addressed=self._is_addressed(message))
        return _Occasion(event, self._table.merge(routes, by_type), from_bot, message, text, args)

    def _is_bot(self, user_id: str) -> bool:
        return user_id == SYSTEM_ACCOUNT or user_id.startswith(ROBOT_PREFIX) or user_id in self._options.bots

    def _is_addressed(self, message: Message) -> bool:
        """In a group a text is for the bot when it mentions the bot by name; everybody is nobody in particular."""
        return message.conversation_type is ConversationType.C2C or self.client.user_id in message.at_user_list

    # One turn of a lane

    async def _turn(self, occasion: _Occasion) -> None:
        handled = False
        passed_on: list[str] = []
        for route in open_to(occasion.routes, bot_speaking=occasion.from_bot):
            if await self._run(route, occasion, passed_on):
                handled = True
                if route.block:
                    break
        message = occasion.message
        if handled and message is not None:
            self._reporter.read(message)
        elif not handled and not passed_on:
            self._unhandled(occasion)
        elif not handled and message is not None:
            kind, where, asked = kind_of(occasion.event), message.conversation_id, ", ".join(passed_on)
            self._log.info("left unanswered", kind=kind, conversation=where, asked=asked)
            self._nobody(occasion, Ending("left unanswered", f"left unanswered, passed on by {asked}"))

    async def _run(self, route: Route, occasion: _Occasion, passed_on: list[str]) -> bool:
        """Let a handler have the event; False if it passes it on, and then it is added to `passed_on`."""
        wiring = self._wirings[id(route)]
        context = self._context(route, occasion, wiring.out)
        began = time.perf_counter()
        passed = False
        try:
            result = await route.handler(context, **wiring.arguments)
            passed = result is PASS
            ended = Ending("passed on") if passed else await self._carry_out(route, occasion, wiring.out, result, context)
        except Silenced:
            ended = Ending("silenced", "silenced: too many replies within a minute")
        except NotLoggedIn:
            ended = Ending("not logged in any more")
        except asyncio.CancelledError as error:
            if _is_stopping():
                raise
            # Not we: the handler waited for something that was cancelled.
            ended = self._failed(route, context, error)
        except (Exception, SystemExit) as error:
            # Whatever a handler does wrong, the lane goes on: the failure is its own, and no reason to end the process.
            ended = self._failed(route, context, error)
        seconds = time.perf_counter() - began
        if passed:
            passed_on.append(f"{route.name} ({context.why})" if context.why else route.name)
        if passed and not context.said:
            context.log.debug("passed on", sender=_who(context), ms=round(seconds * 1000, 1))
        else:
            self._tell(self._activity(route, occasion.event, context, ended, seconds))
        return not passed

    def _activity(self, route: Route, event: model.Event, context: BaseContext, ended: Ending, seconds: float) -> Activity:
        return Activity(
            context.now,
            self.client.user_id,
            kind_of(event),
            _who(context),
            event.conversation_id,
            route.name,
            ended.outcome,
            tuple(context.said),
            seconds,
            ended.words,
            str(context.why),
            context.unsent,
        )

    def _failed(self, route: Route, context: BaseContext, error: BaseException) -> Ending:
        tell_failure(context.log, error, place=route.place, sender=_who(context))
        return Ending("failed", f"failed: {sentence_of(error)}")

    def _nobody(self, occasion: _Occasion, ended: Ending) -> None:
        """No handler took it: no news for the log, but for who watches."""
        event, message = occasion.event, occasion.message
        who, now = _asking(event) if message is None else message.from_, self.client.server_now()
        account, where = self.client.user_id, event.conversation_id
        self._tell(Activity(now, account, kind_of(event), who, where, "", ended.outcome, (), 0.0, ended.words))

    def _unhandled(self, occasion: _Occasion) -> None:
        """Somebody meant the bot, and it does nothing: told with what to write for it, once for each kind."""
        event, message = occasion.event, occasion.message
        if occasion.from_bot:
            return
        if message is None and not isinstance(event, model.FriendApplicationReceived | model.GroupApplication):
            return
        addressed = message is None or self._is_addressed(message)
        overheard = not addressed and message is not None and isinstance(message.payload, Text)
        self._nobody(occasion, Ending("not mentioned, so not answered" if overheard else "no handler for this"))
        if not addressed:
            return
        kind = kind_of(event)
        sender = _asking(event) if message is None else message.from_
        if kind in self._unhandled_kinds:
            self._log.debug("not handled", kind=kind, sender=sender, conversation=event.conversation_id)
            return
        self._unhandled_kinds.add(kind)
        any_handler = _ANY_HANDLER.format(type(message.payload).__name__ if message else "")
        hint = f"{_HANDLERS.get(kind, any_handler)}; from now on this is told at the level debug only"
        self._log.info("not handled", kind=kind, sender=sender, conversation=event.conversation_id, hint=hint)

    def _context(self, route: Route, occasion: _Occasion, out: Sender) -> BaseContext:
        event = occasion.event
        if route.kind == "friend" and isinstance(event, model.FriendApplicationReceived):
            return FriendRequest(event.application, event, out, route.name)
        if route.kind == "join" and isinstance(event, model.GroupApplication):
            return GroupJoinRequest(event, out, route.name)
        match = route.pattern.search(occasion.text) if route.pattern is not None else None
        return Context(event, out, route.name, message=occasion.message, text=occasion.text, args=occasion.args, match=match)

    async def _carry_out(self, route: Route, occasion: _Occasion, out: Sender, result: object, context: BaseContext) -> Ending:
        """What the handler returned becomes what the bot does and says."""
        if route.kind in ("friend", "join"):
            return await self._decide(route, occasion.event, out, result, context)
        with context.replying() as said:
            where = f"What {route.name} ({route.place}) returned"
            await out.answer(occasion.event.conversation_id, result, where, said)
        return Ending(f"{len(said)} sent" if said else "nothing said")

    async def _decide(self, route: Route, event: model.Event, out: Sender, decision: object, context: BaseContext) -> Ending:
        if decision is None:
            return Ending("left to a person")
        if not isinstance(decision, Accept | Reject):
            where = f"What {route.name} ({route.place}) returned"
            hint = "It may be Accept(...), Reject(...) or None."
            raise WrongReply(f"{where} is of type {type(decision).__name__}.", hint=hint)
        if isinstance(event, model.FriendApplicationReceived):
            outcome = await answer_friend(self.client, event.application, decision)
        elif isinstance(event, model.GroupApplication):
            outcome = await answer_group(self.client, event, decision)
        else:
            raise TypeError(f"{route.name}: {type(event).__name__} is no request.")
        if isinstance(decision, Accept) and decision.welcome is not None and outcome is Outcome.DONE:
            with context.replying() as said:
                await welcome(out, _home(event), decision.welcome, f"The welcome of {route.name}", said)
        return ending(decision, outcome, friend=route.kind == "friend")


def _is_stopping() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _asking(event: model.Event) -> str:
    """Who makes a request; empty if the event is none."""
    if isinstance(event, model.FriendApplicationReceived):
        return event.application.user_id
    return event.user_id if isinstance(event, model.GroupApplication) else ""


def _who(context: BaseContext) -> str:
    if isinstance(context, Context | FriendRequest | GroupJoinRequest):
        return context.sender.id
    return ""


def _home(event: model.Event) -> str:
    """Where a newcomer is welcomed."""
    if isinstance(event, model.GroupApplication):
        return f"{ConversationType.GROUP.value}{event.group_id}"
    return f"{ConversationType.C2C.value}{_asking(event)}"
