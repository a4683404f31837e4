"""Windows over what was said, and whose turn it is when not all may speak. No clock in here: times are arguments.

A window is exact: it keeps the times of the last messages, so in no stretch of its length are there ever more than it allows,
wherever the stretch begins. A bucket that refills would let through up to twice as many.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from timbot.im.model.message import Priority

T = TypeVar("T")

PATIENCE: Final = 9
"""How often in a row a priority that waits lets higher ones go first. Then it is its turn, once."""

ALWAYS: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class Window:
    """At most `messages` (1 or more) in any `seconds` (above 0)."""

    messages: int
    seconds: float

    def __post_init__(self) -> None:
        if self.messages < 1 or not 0 < self.seconds < float("inf"):
            raise ValueError(f"a window holds at least one message in a time above 0: not {self.messages} in {self.seconds} s")


class Sliding:
    """What has gone through one window."""

    __slots__ = ("_seconds", "_times")

    def __init__(self, window: Window) -> None:
        self._times: deque[float] = deque(maxlen=window.messages)
        self._seconds = window.seconds

    @property
    def free_at(self) -> float:
        """When the next message may go: a time of the past, or one to come."""
        times = self._times
        return times[0] + self._seconds if len(times) == times.maxlen else ALWAYS

    def offer(self, now: float) -> bool:
        """Count a message if it may go."""
        times = self._times
        if len(times) == times.maxlen and times[0] + self._seconds > now:
            return False
        times.append(now)
        return True

    def take(self, now: float) -> None:
        """Count a message."""
        self._times.append(now)


class Windows:
    """One window for each receiver, remembered only as long as it says anything.

    There are two generations. What was not used for one to two lengths of the window goes with the older one; no timer and
    no scan is needed. After the very last message the last generation stays until there is another.
    """

    __slots__ = ("_new", "_old", "_turn_at", "_window")

    def __init__(self, window: Window) -> None:
        self._window = window
        self._new: dict[str, Sliding] = {}
        self._old: dict[str, Sliding] = {}
        self._turn_at = ALWAYS

    def __len__(self) -> int:
        return len(self._new) + len(self._old)

    def of(self, name: str, now: float) -> Sliding:
        """The window of this receiver. `now` never runs backwards."""
        if now >= self._turn_at:
            seconds = self._window.seconds
            self._old = self._new if now < self._turn_at + seconds else {}
            self._new = {}
            self._turn_at = now + seconds
        found = self._new.get(name)
        if found is None:
            found = self._new[name] = self._old.pop(name) if name in self._old else Sliding(self._window)
        return found


_RANKS: Final = {priority: rank for rank, priority in enumerate(Priority)}


class Turns(Generic[T]):
    """Who is next among those who could speak: the highest priority, within one the first come.

    Nobody starves: a priority that was passed over `PATIENCE` times in a row comes next, the longest passed over first. So with
    all four waiting, each gets at least one in twelve.
    """

    __slots__ = ("_lines", "_passed")

    def __init__(self) -> None:
        self._lines: tuple[OrderedDict[T, None], ...] = tuple(OrderedDict() for _ in Priority)
        self._passed = [0] * len(self._lines)

    def __len__(self) -> int:
        return sum(map(len, self._lines))

    def add(self, item: T, priority: Priority) -> None:
        """Let it wait behind others of its priority."""
        self._lines[_RANKS[priority]][item] = None

    def remove(self, item: T, priority: Priority) -> None:
        """It waits no more; nothing happens if it does not wait."""
        self._lines[_RANKS[priority]].pop(item, None)

    def pop(self) -> T:
        """The next. There has to be one."""
        waiting = [rank for rank, line in enumerate(self._lines) if line]
        rank = max(waiting, key=self._passed.__getitem__)
        if self._passed[rank] < PATIENCE:
            rank = waiting[0]
        for other in range(len(self._lines)):
            passed_over = other > rank and self._lines[other]
            if passed_over:
                self._passed[other] += 1
            elif other == rank or not self._lines[other]:
                self._passed[other] = 0
        return self._lines[rank].popitem(last=False)[0]
