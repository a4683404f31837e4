"""One round of `getmsg`: the C2C messages and events that came while nobody listened."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Missed:
    """What a round brought, messages in the server's order, and the cookie for the next round."""

    items: tuple[Pushed, ...]
    cookie: str


async def fetch_missed(exchange: Exchange, cookie: str, *, online: bool, timeout: float) -> Missed:
    """Ask page by page. `online`: because a push said so. Raises what a request raises, and `EndlessAnswer`."""
    items: list[Pushed] = []
    flag = 0
    for _ in range(MAX_PAGES):
        request = status.SyncRequest(cookie=cookie, sync_flag=flag, need_abstract=1, is_online_sync=int(online))
        answer = await exchange.request(status.SYNC, request, timeout=timeout, bound=True)
        items.extend(open_c2c_list(given(answer.msg_list, []), path="$.MsgList"))
        for index, raw in enumerate(given(answer.event_array, [])):
            items.extend(open_item(raw, path=f"$.EventArray[{index}]"))
        cookie = given(answer.cookie, "") or cookie
        flag = given(answer.sync_flag, DONE)
        if flag == DONE:
            return Missed(tuple(items), cookie)
    raise EndlessAnswer(status.SYNC.name)
