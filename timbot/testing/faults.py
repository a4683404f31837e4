"""What can go wrong on a network, on purpose and the same way each time.

A test holds one `Faults` beside a `PipeTransport` and says what is to happen: now (`cut`, `black_hole`), at a frame
(`cut_when`, `drop`, `duplicate`, `delay`) or at the next connects (`refuse`, `accept_then_close`). Whatever is left to
chance is drawn from the `random.Random` it was given.

Words: a frame is *in flight* from the moment it is sent until it arrives in the peer's buffer. What has arrived is
always given to the peer's reader, as a kernel would; what is in flight when the connection is cut is lost, unless the
cut names its direction in `delivering`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal, Protocol

Direction = Literal["to_server", "to_client"]
DIRECTIONS: tuple[Direction, Direction] = ("to_server", "to_client")

Matches = Callable[[bytes], bool]


class Link(Protocol):
    """What faults need of an open pair of connections."""

    def cut(self, delivering: Collection[Direction]) -> None:
        """End both sides with 1006; frames in flight still arrive in the directions named."""
        ...

    def silence(self, direction: Direction, silent: bool) -> None:
        """Stop or resume what travels in one direction."""
        ...


@dataclass(slots=True, frozen=True)
class Trip:
    """What becomes of one frame on its way: how many copies travel, how much longer, and whether others pass them."""

    copies: int = 1
    delay: float = 0.0
    overtaken: bool = False


class Rule:
    """One planned fault. `fired` counts how often it struck; `happened` is set the first time."""

    __slots__ = ("_chance", "_direction", "_matches", "_probability", "_skip", "_times", "fired", "happened")

    def __init__(
        self,
        matches: Matches,
        direction: Direction | None,
        times: int | None,
        *,
        chance: random.Random,
        probability: float = 1.0,
        skip: int = 0,
    ) -> None:
        self._matches = matches
        self._direction = direction
        self._times = times
        self._chance = chance
        self._probability = probability
        self._skip = skip
        self.fired = 0
        self.happened = asyncio.Event()

    @property
    def spent(self) -> bool:
        """Whether it has struck as often as it was to."""
        return self._times is not None and self.fired >= self._times

    def strikes(self, direction: Direction, frame: bytes) -> bool:
        """Whether this frame is hit. Counts it if so."""
        if self.spent or self._direction not in (None, direction) or not self._matches(frame):
            return False
        if self._skip:
            self._skip -= 1
            return False
        if self._probability < 1 and self._chance.random() >= self._probability:
            return False
        self.fired += 1
        self.happened.set()
        return True


class _Change(Rule):
    """A rule for a frame that is being sent."""

    __slots__ = ("trip",)

    trip: Trip


class Cut(Rule):
    """A rule for a frame that is about to arrive: the connection ends before or after it does."""

    __slots__ = ("after", "delivering")

    after: bool
    delivering: tuple[Direction, ...]


class Faults:
    """The faults of one transport. Rules apply in the order they were planned, to all its connections together."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self.chance = chance or random.Random(0)
        self._links: dict[Link, None] = {}  # a set that keeps its order: cuts must strike in the same order each run
        self._changes: list[_Change] = []
        self._cuts: list[Cut] = []
        self._refusals = 0
        self._hangups: list[int] = []
        self._reachable = asyncio.Event()
        self._reachable.set()

    # Connections

    def cut(self, *, delivering: Collection[Direction] = ()) -> int:
        """Cut every open connection now: both sides see 1006. Returns how many there were."""
        links = list(self._links)
        for link in links:
            link.cut(delivering)
        return len(links)

    def cut_when(
        self,
        matches: Matches,
        moment: Literal["before", "after"] = "after",
        *,
        direction: Direction | None = None,
        times: int | None = 1,
        delivering: Collection[Direction] = (),
    ) -> Rule:
        """Cut the connection when a matching frame arrives, `before` (it is lost) or `after` the peer has it.

        A request cut `after` it reached the server is handled there, and its answer is lost.
        """
        return self._plan_cut(Cut(matches, direction, times, chance=self.chance), moment == "after", delivering)

    def cut_after(self, direction: Direction, n: int, *, delivering: Collection[Direction] = ()) -> Rule:
        """Cut the connection right after the `n`-th frame from now has arrived in a direction."""
        if n < 1:
            raise ValueError("cut_after counts frames from 1; cut() cuts at once.")
        return self._plan_cut(Cut(_any, direction, 1, chance=self.chance, skip=n - 1), True, delivering)

    def refuse(self, n: int = 1) -> None:
        """Refuse the next `n` connects."""
        self._refusals += n

    def accept_then_close(self, n: int = 1, *, code: int = 1006) -> None:
        """Let the next `n` connects succeed (after any refusals) and end them at once; the server never sees them."""
        self._hangups += [code] * n

    def black_hole(self, direction: Direction | None = None, *, connects: bool = False) -> None:
        """Let nothing arrive any more on the open connections, in one direction or both, and tell nobody.

        Frames wait until `heal` and are lost by a cut, as in a kernel that keeps retransmitting. New connections are
        not affected, as when a router has forgotten the old one; with `connects` they hang until `heal`, too.
        """
        self._silence(direction, True)
        if connects:
            self._reachable.clear()

    def heal(self, direction: Direction | None = None) -> None:
        """End the black hole: what waited arrives, in order, and connects get through."""
        self._reachable.set()
        self._silence(direction, False)

    # Frames

    def drop(
        self,
        matches: Matches,
        *,
        direction: Direction | None = None,
        times: int | None = 1,
        probability: float = 1.0,
    ) -> Rule:
        """Lose the next matching frames (`times=None`: all of them); the connection stays up."""
        return self._plan_change(matches, direction, times, probability, Trip(copies=0))

    def duplicate(
        self,
        matches: Matches,
        *,
        direction: Direction | None = None,
        times: int | None = 1,
        probability: float = 1.0,
    ) -> Rule:
        """Let the next matching frames arrive twice, one right after the other."""
        return self._plan_change(matches, direction, times, probability, Trip(copies=2))

    def delay(
        self,
        matches: Matches,
        seconds: float,
        *,
        direction: Direction | None = None,
        times: int | None = 1,
        probability: float = 1.0,
        overtaken: bool = False,
    ) -> Rule:
        """Let the next matching frames arrive later; those behind them wait as well, unless they may be `overtaken`.

        A delayed frame that was overtaken by the end of the connection is lost.
        """
        return self._plan_change(matches, direction, times, probability, Trip(delay=seconds, overtaken=overtaken))

    # What the pipe asks

    def opened(self, link: Link) -> None:
        """Take an open pair under this plan."""
        self._links[link] = None

    def closed(self, link: Link) -> None:
        """Forget a pair both of whose sides have ended."""
        self._links.pop(link, None)

    async def reachable(self) -> None:
        """Wait until a connect can get through."""
        await self._reachable.wait()

    def refusal(self) -> bool:
        """Whether this connect is refused."""
        refused = self._refusals > 0
        self._refusals -= refused
        return refused

    def hangup(self) -> int | None:
        """The code with which this new connection is closed at once, if it is."""
        return self._hangups.pop(0) if self._hangups else None

    def trip(self, direction: Direction, frame: bytes) -> Trip:
        """What becomes of a frame that is being sent."""
        copies, delay, overtaken = 1, 0.0, False
        for rule in self._changes:
            if copies and rule.strikes(direction, frame):
                copies *= rule.trip.copies
                delay += rule.trip.delay
                overtaken |= rule.trip.overtaken
        self._changes = [rule for rule in self._changes if not rule.spent]
        return Trip(copies, delay, overtaken)

    def arriving(self, direction: Direction, frame: bytes) -> Cut | None:
        """The cut, if any, that a frame about to arrive brings about."""
        struck = next((rule for rule in self._cuts if rule.strikes(direction, frame)), None)
        self._cuts = [rule for rule in self._cuts if not rule.spent]
        return struck

    def _silence(self, direction: Direction | None, silent: bool) -> None:
        for link in list(self._links):
            for each in DIRECTIONS if direction is None else (direction,):
                link.silence(each, silent)

    def _plan_cut(self, rule: Cut, after: bool, delivering: Collection[Direction]) -> Rule:
        rule.after = after
        rule.delivering = tuple(delivering)
        self._cuts.append(rule)
        return rule

    def _plan_change(
        self, matches: Matches, direction: Direction | None, times: int | None, probability: float, trip: Trip
    ) -> Rule:
        rule = _Change(matches, direction, times, chance=self.chance, probability=probability)
        rule.trip = trip
        self._changes.append(rule)
        return rule


def _any(_: bytes) -> bool:
    return True
