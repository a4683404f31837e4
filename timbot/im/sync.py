"""One round of `getmsg`: the C2C messages and events that came while nobody listened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from timbot.errors import ImError
from timbot.im.exchange import Exchange
from timbot.im.wire.commands import status
from timbot.im.wire.pushes import Pushed, open_c2c_list, open_item
from timbot.im.wire.value import given

MAX_PAGES: Final = 1000
DONE: Final = 2


class EndlessAnswer(ImError):
    """The server said "more to come" a thousand times in a row."""

    docs = "errors#endless-answer"

    def __init__(self, command: str) -> None:
        super().__init__(f"{command} had no end after {MAX_PAGES} pages.")
        self.command = command


@dataclass(slots=True)
class LookBack:
    """Rounds of `getmsg`, one after the other; each goes on where the one before stopped.

    A page counts as received as soon as the next one is asked for, and then never comes again. So a round that breaks off
    keeps what it has, and the next round of this account hands it over with its own.
    """

    cookie: str = ""
    """Where the server goes on; to be kept with what was received up to it."""
    _received: list[Pushed] = field(default_factory=list)

    async def fetch(self, exchange: Exchange, *, online: bool, timeout: float) -> tuple[Pushed, ...]:
        """Everything new, in the server's order. `online`: because a push said so.

        Raises what a request raises, and `EndlessAnswer`.
        """
        flag = 0
        for _ in range(MAX_PAGES):
            request = status.SyncRequest(cookie=self.cookie, sync_flag=flag, need_abstract=1, is_online_sync=int(online))
            answer = await exchange.request(status.SYNC, request, timeout=timeout, bound=True)
            self._received.extend(open_c2c_list(given(answer.msg_list, []), path="$.MsgList"))
            for index, raw in enumerate(given(answer.event_array, [])):
                self._received.extend(open_item(raw, path=f"$.EventArray[{index}]"))
            self.cookie = given(answer.cookie, "") or self.cookie
            flag = given(answer.sync_flag, DONE)
            if flag == DONE:
                received, self._received = self._received, []
                return tuple(received)
        raise EndlessAnswer(status.SYNC.name)
