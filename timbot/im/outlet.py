"""The way out of a client: to one reader, as events that count as kept at once, or as deliveries that have to be accepted."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable

from timbot.im.backlog import Backlog
from timbot.im.clock import Clock
from timbot.im.delivery import Arrival, Change, Delivery
from timbot.im.model.events import Event

Then = Callable[[], Awaitable[None]]


class Outlet:
    """Events or deliveries in order. `bound` is how many arrivals may wait, for being read or for being accepted, before the
    brake begins to work; nothing is ever dropped. `by_hand`: there are deliveries."""

    def __init__(self, bound: int, clock: Clock, *, by_hand: bool) -> None:
        self.by_hand = by_hand
        self._bound = bound
        self._events: Backlog[Event] = Backlog(bound, clock)
        self._deliveries = _Deliveries(bound, clock)

    def put_events(self, arrivals: list[Arrival]) -> None:
        """Hand over as events."""
        for arrival in arrivals:
            self._events.put(arrival.event)

    def put_delivery(self, arrivals: list[Arrival], change: Change, then: Then | None) -> None:
        """Hand over as a delivery; `then` is done once it is accepted."""
        weight = max(1, len(arrivals) + len(change.held))
        self._deliveries.open += weight
        receipt = _Receipt(self._deliveries, weight, then)
        self._deliveries.put(Delivery(tuple(arrivals), change, receipt))

    def events(self) -> AsyncIterator[Event]:
        """The events, until the end."""
        return self._events.read()

    def deliveries(self) -> AsyncIterator[Delivery]:
        """The deliveries, until the end."""
        return self._deliveries.read()

    def nudge(self) -> None:
        """Whoever waits in `wait_for_room` looks again."""
        self._events.nudge()
        self._deliveries.nudge()

    def end(self) -> None:
        """There will be no more."""
        self._events.end()
        self._deliveries.end()

    async def wait_for_room(self, urgent: Callable[[], bool]) -> None:
        """Wait until the reader has caught up below the bound; not while `urgent`."""
        backlog: Backlog[Event] | Backlog[Delivery] = self._deliveries if self.by_hand else self._events
        if len(backlog) >= self._bound:
            await backlog.wait_for_room(patience=math.inf, urgent=urgent)


class _Deliveries(Backlog[Delivery]):
    """Its length is what was not accepted yet, read or not: that is what takes room."""

    open = 0

    def __len__(self) -> int:
        return self.open


class _Receipt:
    """What accepting a delivery does, the first time."""

    __slots__ = ("_deliveries", "_given", "_then", "_weight")

    def __init__(self, deliveries: _Deliveries, weight: int, then: Then | None) -> None:
        self._deliveries = deliveries
        self._weight = weight
        self._then = then
        self._given = False

    async def __call__(self) -> None:
        if self._given:
            return
        self._given = True
        self._deliveries.open -= self._weight
        self._deliveries.nudge()
        if self._then is not None:
            await self._then()
