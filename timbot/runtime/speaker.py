"""The bot's voice in one account: says things through the outbox, and falls silent when it has said too much."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from timbot.errors import TimbotError
from timbot.im.client import Client
from timbot.im.model.message import Message
from timbot.im.model.payloads import Payload
from timbot.runtime.sending.outbox import Outbox

if TYPE_CHECKING:
    from timbot.runtime.log import Log

Told = Callable[[str, Message], None]
"""Called with a plugin's name and what it has said."""

WINDOW: Final = 60.0
"""Seconds over which automatic replies are counted."""


class Silenced(TimbotError):
    """The bot has said so much in a conversation within a minute that it keeps quiet there for a while."""

    docs = "errors#silenced"

    def __init__(self, conversation_id: str, limit: int) -> None:
        super().__init__(
            f"{limit} automatic replies within a minute in {conversation_id}: silent there until it is quieter.",
            hint="Two bots may be talking to each other: list the other one under 'bots:'. The limit is 'loop_guard'.",
        )
        self.conversation_id = conversation_id


class LoopGuard:
    """Counts automatic replies by conversation. `limit` a minute; 0 counts nothing. Quiet conversations take no memory."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._said: OrderedDict[str, deque[float]] = OrderedDict()
        self._silent: set[str] = set()

    def allows(self, conversation: str, now: float) -> bool:
        """Whether another reply is in order at `now` (seconds, rising: no wall clock). It is counted if so."""
        if not self.limit:
            return True
        self._forget_before(now - WINDOW)
        said = self._said.setdefault(conversation, deque())
        while said and said[0] <= now - WINDOW:
            said.popleft()
        if len(said) >= self.limit:
            return False
        said.append(now)
        self._said.move_to_end(conversation)
        self._silent.discard(conversation)
        return True

    def falls_silent(self, conversation: str) -> bool:
        """Whether this is the first refusal since the bot last spoke there: the moment for a warning."""
        first = conversation not in self._silent
        self._silent.add(conversation)
        return first

    def _forget_before(self, time: float) -> None:
        while self._said:
            conversation, said = next(iter(self._said.items()))
            if said and said[-1] > time:
                return
            del self._said[conversation]
            self._silent.discard(conversation)


class Speaker:
    """One account's voice. `told` hears of what plugins say of their own accord."""

    def __init__(self, client: Client, outbox: Outbox, log: Log, *, loop_guard: int, told: Told) -> None:
        self.client = client
        self.outbox = outbox
        self.log = log
        self.told = told
        self._guard = LoopGuard(loop_guard)

    def admitted(self, conversation_id: str, payloads: Sequence[Payload]) -> tuple[Sequence[Payload], Silenced | None]:
        """What of these automatic replies may be said there, and what speaks against the rest."""
        now = asyncio.get_running_loop().time()
        for place in range(len(payloads)):
            if not self._guard.allows(conversation_id, now):
                silenced = Silenced(conversation_id, self._guard.limit)
                if self._guard.falls_silent(conversation_id):
                    self.log.warning(
                        "silenced", conversation=conversation_id, replies_a_minute=self._guard.limit, hint=silenced.hint
                    )
                return payloads[:place], silenced
        return payloads, None
