"""From what the client hands over to what is handled: written down first, then acknowledged, then passed on in order.

Many deliveries may be on their way into the journal at once; what comes out keeps their order.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Final

from timbot.im.client import Client
from timbot.im.delivery import Delivery
from timbot.im.model import events as model
from timbot.im.model.record import encode_event
from timbot.im.wire.identity import encode_identity
from timbot.runtime.activity import kind_of
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.unawaited import unawaited
from timbot.runtime.journal.values import NewEvent
from timbot.runtime.occasion import Occasion, Occasions

if TYPE_CHECKING:
    from timbot.runtime.log import Log

MOST_ON_THE_WAY: Final = 256
"""Deliveries that wait for the journal at once."""

_Written = tuple[Delivery, list[Occasion], "asyncio.Future[list[int]] | None"]


class Intake:
    """Reads one client. `wanted` says whether anybody would handle an occasion; `stale_after` in seconds."""

    def __init__(
        self,
        client: Client,
        journal: Journal,
        occasions: Occasions,
        wanted: Callable[[Occasion], bool],
        log: Log,
        *,
        stale_after: float,
    ) -> None:
        self._client = client
        self._journal = journal
        self._occasions = occasions
        self._wanted = wanted
        self._log = log
        self._stale_after = stale_after
        self._deliveries: AsyncIterator[Delivery] | None = None
        self.doubled = 0
        """Events that came twice although the client had not noticed."""

    def prepare(self) -> None:
        """To be called before the client logs in."""
        self._deliveries = self._client.deliveries()

    async def read(self) -> AsyncIterator[Occasion]:
        """What happens, each once it is written down. Raises `StoreBroken`."""
        written: asyncio.Queue[_Written | None] = asyncio.Queue(MOST_ON_THE_WAY)
        reader = asyncio.create_task(self._write_down_all(written), name=f"account {self._client.user_id}: intake")
        try:
            while (item := await written.get()) is not None:
                delivery, occasions, future = item
                if future is not None:
                    self._number([each for each in occasions if each.kept], await future)
                await delivery.accept()
                for occasion in occasions:
                    if occasion.number >= 0:
                        yield occasion
            await reader
        finally:
            reader.cancel()
            await asyncio.wait({reader})

    async def _write_down_all(self, written: asyncio.Queue[_Written | None]) -> None:
        try:
            await self._write_down(written)
        except Exception:
            await written.put(None)  # else whoever reads would wait for ever, and the bot be deaf
            raise
        await written.put(None)

    async def _write_down(self, written: asyncio.Queue[_Written | None]) -> None:
        assert self._deliveries is not None, "prepare() comes first"
        async for delivery in self._deliveries:
            occasions, new = [], []
            for arrival in delivery.arrivals:
                occasion = self._occasion(arrival.event)
                occasions.append(occasion)
                if arrival.identity is not None:
                    occasion.kept = True
                    new.append(self._new(occasion, encode_identity(arrival.identity)))
            future = unawaited(self._journal.take(new, delivery.change)) if new or delivery.change else None
            await written.put((delivery, occasions, future))

    def _occasion(self, event: model.Event) -> Occasion:
        now = self._client.server_now()
        time = time_of(event) or now
        stale = isinstance(event, model.MessageReceived) and now - time > self._stale_after
        occasion = self._occasions.of(event, time, stale=stale)
        occasion.wanted = self._wanted(occasion)
        return occasion

    def _new(self, occasion: Occasion, identity: bytes) -> NewEvent:
        event = occasion.event
        broken = isinstance(event, model.BrokenItem)
        return NewEvent(
            occasion.lane,
            "broken" if broken else kind_of(event),
            identity,
            encode_event(event),
            occasion.time,
            wanted=occasion.wanted,
            dead="broken" if broken else "",
            who=occasion.who,
        )

    def _number(self, occasions: Sequence[Occasion], numbers: Sequence[int]) -> None:
        for occasion, number in zip(occasions, numbers, strict=True):
            occasion.number = number
            if number < 0:
                self.doubled += 1
                self._log.error("came twice", kind=kind_of(occasion.event), conversation=occasion.lane, kept_as=-number)


def time_of(event: model.Event) -> float:
    """When it happened, by the server's clock, Unix seconds; 0 if it does not say."""
    match event:
        case model.MessageReceived() | model.OwnMessage() | model.MessageModified():
            return float(event.message.time)
        case model.FriendApplicationReceived():
            return float(event.application.time)
        case model.GroupTip() | model.GroupNotice() | model.GroupApplication() | model.GroupInvitation():
            return float(event.time)
    return 0.0
