"""`getmsg`: the C2C messages and events that no push brought, after each login, when a push says so, and now and then."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from timbot.errors import ConnectionLost, ImError
from timbot.im.exchange import Exchange
from timbot.im.happenings import Synced, SyncFailed
from timbot.im.timing import Timing
from timbot.im.wire.commands import status
from timbot.im.wire.pushes import open_c2c_list, open_item
from timbot.im.wire.value import given

MAX_PAGES: Final = 1000
DONE: Final = 2


class EndlessAnswer(ImError):
    """The server said "more to come" a thousand times in a row."""

    docs = "errors#endless-answer"

    def __init__(self, command: str) -> None:
        super().__init__(f"{command} had no end after {MAX_PAGES} pages.")
        self.command = command


class Sync:
    """Fetches, round by round, what no push brought; each round goes on where the one before stopped, at the `cookie`.

    A page counts as received as soon as the next one is asked for, and then never comes again. So each is reported by
    itself, and the next is asked for when whoever reads the reports has kept it.
    """

    def __init__(
        self,
        exchange: Exchange,
        report: Callable[[Synced | SyncFailed], None],
        timing: Timing,
        *,
        now: Callable[[], float],
    ) -> None:
        self._exchange = exchange
        self._report = report
        self._timing = timing
        self._now = now
        self.cookie = ""
        self._wanted = asyncio.Event()
        self._kept = asyncio.Event()
        self._kept.set()
        self._online = False

    def soon(self, *, online: bool = False) -> None:
        """Begin a round now, not at the next regular time. `online`: because a push said so."""
        self._online |= online
        self._wanted.set()

    def connected(self) -> None:
        """A login has succeeded: its first round is due, and is none that a push has asked for."""
        self._online = False
        self._wanted.set()

    async def keep(self) -> None:
        """A round whenever one is wanted, and every few minutes. Runs until the connection is lost, which it raises."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._timing.sync):
                    await self._wanted.wait()
            self._wanted.clear()
            online, self._online = self._online, False
            try:
                await self._fetch(online)
            except ConnectionLost:
                raise
            except ImError as error:
                self._report(SyncFailed(error))
                endless = isinstance(error, EndlessAnswer)
                await asyncio.sleep(self._timing.sync if endless else self._timing.heartbeat)
                self.soon(online=online)

    async def _fetch(self, online: bool) -> None:
        """Page by page, in the server's order. Raises what a request raises, and `EndlessAnswer`."""
        flag = 0
        for _ in range(MAX_PAGES):
            await self._kept.wait()
            request = status.SyncRequest(cookie=self.cookie, sync_flag=flag, need_abstract=1, is_online_sync=int(online))
            answer = await self._exchange.request(status.SYNC, request, timeout=self._timing.request, bound=True)
            items = list(open_c2c_list(given(answer.msg_list, []), path="$.MsgList"))
            for index, raw in enumerate(given(answer.event_array, [])):
                items.extend(open_item(raw, path=f"$.EventArray[{index}]"))
            self.cookie = given(answer.cookie, "") or self.cookie
            flag = given(answer.sync_flag, DONE)
            self._kept.clear()
            self._report(Synced(tuple(items), self.cookie, flag == DONE, self._now(), self._kept.set))
            if flag == DONE:
                return
        raise EndlessAnswer(status.SYNC.name)
