"""Events that nobody took: told to whoever watches, and to the log once for each kind, with what to write for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from timbot.im.client import Client
from timbot.im.model import events as model
from timbot.im.model.payloads import Text
from timbot.runtime.activity import Activity, Ending, kind_of
from timbot.runtime.occasion import Occasion

if TYPE_CHECKING:
    from timbot.runtime.log import Log

_ANY_HANDLER: Final = "write @bot.on_event(MessageReceived) async def handler(ctx: Context[{}])"
_HANDLERS: Final = {
    "text": "write @bot.on_text async def handler(ctx: Context[Text])",
    "custom": "write @bot.on_custom() async def handler(ctx: Context[Custom])",
    "friend request": "write @bot.on_friend_request async def handler(request: FriendRequest)",
    "join request": "write @bot.on_group_join_request async def handler(request: GroupJoinRequest)",
}
"""What to write for a kind of event."""


class Unhandled:
    """Tells of the events of one account."""

    def __init__(self, client: Client, tell: Callable[[Activity], None], log: Log) -> None:
        self._client = client
        self._tell = tell
        self._log = log
        self._kinds: set[str] = set()

    def tell(self, occasion: Occasion, passed_on: Sequence[str] = ()) -> None:
        """Somebody meant the bot, and it does nothing. `passed_on`: handlers that were asked, and passed it on."""
        event, message = occasion.event, occasion.message
        kind = kind_of(event)
        if passed_on:
            if message is not None:
                asked = ", ".join(passed_on)
                self._log.info("left unanswered", kind=kind, conversation=occasion.lane, asked=asked)
                self._nobody(occasion, Ending("left unanswered", f"left unanswered, passed on by {asked}"))
            return
        if occasion.from_bot:
            return
        if message is None and not isinstance(event, model.FriendApplicationReceived | model.GroupApplication):
            return
        if occasion.stale:
            self._log.info("too old to be answered", kind=kind, sender=occasion.who, conversation=occasion.lane)
            self._nobody(occasion, Ending("too old to be answered"))
            return
        overheard = not occasion.addressed and message is not None and isinstance(message.payload, Text)
        self._nobody(occasion, Ending("not mentioned, so not answered" if overheard else "no handler for this"))
        if not occasion.addressed:
            return
        if kind in self._kinds:
            self._log.debug("not handled", kind=kind, sender=occasion.who, conversation=occasion.lane)
            return
        self._kinds.add(kind)
        any_handler = _ANY_HANDLER.format(type(message.payload).__name__ if message else "")
        hint = f"{_HANDLERS.get(kind, any_handler)}; from now on this is told at the level debug only"
        self._log.info("not handled", kind=kind, sender=occasion.who, conversation=occasion.lane, hint=hint)

    def _nobody(self, occasion: Occasion, ended: Ending) -> None:
        """No handler took it: no news for the log, but for who watches."""
        now, account = self._client.server_now(), self._client.user_id
        kind = kind_of(occasion.event)
        self._tell(Activity(now, account, kind, occasion.who, occasion.lane, "", ended.outcome, (), 0.0, ended.words))
