"""Keeps what the bot says below the vendor's limits, and waits when the server says "too fast".

The server does not say no to a group that is too loud: it says yes and lets messages fall, the bot's or a person's. So the
limit has to be kept on this side. The numbers are in `vendor_limits.toml`, each with its page.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from heapq import heapify, heappop, heappush
from pathlib import Path
from random import Random
from typing import Final, Literal

import msgspec

from timbot.im.api.messages import OutgoingMessage
from timbot.im.clock import Clock
from timbot.im.model.message import ConversationType
from timbot.runtime.sending.windows import ALWAYS, Sliding, Turns, Window, Windows

_FILE: Final = Path(__file__).with_name("vendor_limits.toml")

REMEMBERED: Final = 300.0
"""Seconds after its last refusal for which a message is remembered: longer than it takes to look twice into history."""

QUIET: Final = 60.0
"""Seconds between two reports that the same limit makes messages wait."""


class Size(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many bytes a message holds, and how the server answers a longer one."""

    bytes: int
    answers: list[int]
    page: str


class Documented(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rate, or that there is none. `page` says where the vendor writes so."""

    page: str
    messages: int | None = None
    seconds: float = 1.0
    answers: list[int] = []


class Steps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the waits rise, in seconds: the first step, the longest, and all waits for one message together."""

    first: float
    most: float
    total: float


class Recovery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pace of an account that was too fast, and for how many seconds."""

    messages: int
    seconds: float
    lasts: float


class Passing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A refusal that passes by itself. `in_doubt`: the message may have got through; history tells."""

    code: int
    says: str
    scope: Literal["account", "target"]
    in_doubt: bool = False
    least: float = 0.0


class _Pages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    message: Size
    group: Documented
    c2c: Documented
    account: Documented


class _Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    group_share: float
    envelope: int
    back_off: Steps
    recovery: Recovery


class Vendor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `vendor_limits.toml` says."""

    documented: _Pages
    chosen: _Chosen
    codes: list[Passing]


@cache
def vendor() -> Vendor:
    """The vendor's limits, read once."""
    return msgspec.convert(tomllib.loads(_FILE.read_text("utf-8")), Vendor)


@cache
def _passing() -> dict[int, Passing]:
    return {code.code: code for code in vendor().codes}


def in_doubt(code: int) -> bool:
    """Whether a message refused with `code` may have got through: an error inside the server, not a no.

    Between two users the server knows a message again only within one second. So before such a message is sent again,
    history has to be asked, as after an answer that was lost.
    """
    found = _passing().get(code)
    return found is not None and found.in_doubt


@dataclass(frozen=True, slots=True)
class Limits:
    """What one account may say: to each user, to each group, and in all. None: as much as it likes."""

    c2c: Window | None = None
    group: Window | None = None
    account: Window | None = None

    @classmethod
    def documented(cls, *, group_share: float | None = None, c2c: int = 0, account: int = 0) -> Limits:
        """The vendor's limits. `group_share` (above 0, at most 1; three quarters unless it is said): the bot's part of what a
        group may say. `c2c`, `account`: messages a second to one user, and to everybody; 0: as documented."""
        pages, chosen = vendor().documented, vendor().chosen
        share = chosen.group_share if group_share is None else group_share
        if not 0 < share <= 1:
            raise ValueError(f"a share is above 0 and at most 1, not {share:g}")
        one, all_ = (Window(rate, 1.0) if rate else None for rate in (c2c, account))
        return cls(one or _window(pages.c2c, 1.0), _window(pages.group, share), all_ or _window(pages.account, 1.0))


def _window(rate: Documented, share: float) -> Window | None:
    return None if rate.messages is None else Window(max(1, int(rate.messages * share)), rate.seconds)


@dataclass(slots=True, eq=False)
class _Waiter:
    message: OutgoingMessage
    target: str
    windows: Windows | None
    admitted: asyncio.Future[None]
    is_later: bool = False
    gone: bool = False


@dataclass(slots=True)
class _Refused:
    """A message the server has told to wait."""

    message: tuple[int, int]
    last: float
    times: int = 0
    waited: float = 0.0


Told = Callable[[str, str], None]
"""Called with the limit (`c2c`, `group`, `account`) and the conversation whose message has to wait for it."""


@dataclass(slots=True)
class Pacer:
    """The limits of one account. `Outbox` asks it before each sending, and after each refusal.

    Order: two messages for one receiver are never exchanged, whatever their priority. (The outbox lets only one message of a
    receiver wait here; if others come all the same, they stand behind it.) Between receivers, where the account's own window
    makes them wait, `Turns` says who is next.

    A message that need not wait costs no future, no timer and no task. A receiver that is quiet costs nothing.
    """

    limits: Limits
    clock: Clock
    chance: Random
    told: Told = lambda _limit, _conversation: None
    delayed: int = 0
    """Messages that had to wait, since the start."""
    _users: Windows | None = field(init=False)
    _groups: Windows | None = field(init=False)
    _account: Sliding | None = field(init=False)
    _recovery: Sliding | None = None
    _held_until: float = ALWAYS
    _recovers_until: float = ALWAYS
    _lines: dict[str, deque[_Waiter]] = field(default_factory=dict)
    """Whoever waits, by receiver. Only the first of a line stands in `_later` or in `_turns`."""
    _later: list[tuple[float, int, _Waiter]] = field(default_factory=list)
    """Those whose receiver has heard enough for now, and until when."""
    _turns: Turns[_Waiter] = field(default_factory=Turns)
    """Those whom only the account's windows keep waiting."""
    _gone: int = 0
    _number: int = 0
    _timer: asyncio.TimerHandle | None = None
    _due: float = ALWAYS
    _refused: dict[str, _Refused] = field(default_factory=dict)
    _reported: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._users = None if self.limits.c2c is None else Windows(self.limits.c2c)
        self._groups = None if self.limits.group is None else Windows(self.limits.group)
        self._account = None if self.limits.account is None else Sliding(self.limits.account)

    @property
    def waiting(self) -> int:
        """Messages that wait now."""
        return sum(map(len, self._lines.values()))

    async def admit(self, message: OutgoingMessage) -> None:
        """Wait until the message may be sent. It is counted then, sent or not; one that is cancelled while it waits is not."""
        windows = self._users if message.conversation_type is ConversationType.C2C else self._groups
        alone = self._account is None and self._recovery is None and not self._lines and not self._refused
        if alone and windows is None:
            return
        now = self.clock.monotonic()
        if alone and windows is not None and windows.of(message.to, now).offer(now):
            return
        if self._refused or self._recovery is not None:
            self._tidy(now)
        if not self._lines:
            target = None if windows is None else windows.of(message.to, now)
            if (target is None or target.free_at <= now) and self._account_free_at() <= now:
                self._take(target, now)
                return
        await self._wait(message, windows, now)

    def back_off(self, message: OutgoingMessage, code: int) -> float | None:
        """Seconds to wait before `message` may be sent again, after a refusal with `code`; None: the refusal is final.

        Only the documented codes that pass by themselves are waited for, with rising waits, and not for ever. Where the whole
        account was too fast, everything else it says waits as well, and goes slowly for a minute. See `in_doubt` too.
        """
        passing = _passing().get(code)
        if passing is None:
            return None
        now = self.clock.monotonic()
        steps = vendor().chosen.back_off
        target, identity = message.conversation_id, (message.sequence, message.random)
        refused = self._refused.pop(target, None)
        if refused is None or refused.message != identity:
            refused = _Refused(identity, now)
        left = steps.total - refused.waited
        if left <= 0:
            return None
        step = min(steps.most, steps.first * 2.0**refused.times)
        seconds = min(left, max(passing.least, step * (1 + self.chance.random()) / 2))
        refused.times += 1
        refused.waited += seconds
        refused.last = now
        self._refused[target] = refused  # at the end: the dict is in the order of the last refusals
        if passing.scope == "account":
            self._slow_down(now, seconds)
        return seconds

    # The account

    def _slow_down(self, now: float, seconds: float) -> None:
        pace = vendor().chosen.recovery
        self._held_until = max(self._held_until, now + seconds)
        self._recovers_until = max(self._recovers_until, now + seconds + pace.lasts)
        if self._recovery is None:
            self._recovery = Sliding(Window(pace.messages, pace.seconds))

    def _account_free_at(self) -> float:
        free = self._held_until
        if self._account is not None:
            free = max(free, self._account.free_at)
        if self._recovery is not None:
            free = max(free, self._recovery.free_at)
        return free

    def _take(self, target: Sliding | None, now: float) -> None:
        for window in (target, self._account, self._recovery):
            if window is not None:
                window.take(now)

    def _tidy(self, now: float) -> None:
        """Let go of what is over."""
        if self._recovery is not None and now >= self._recovers_until:
            self._recovery, self._recovers_until = None, ALWAYS
        horizon = now - REMEMBERED - vendor().chosen.back_off.most if self._refused else 0.0
        while self._refused:
            target, refused = next(iter(self._refused.items()))
            if refused.last > horizon:
                return
            del self._refused[target]

    # Waiting

    async def _wait(self, message: OutgoingMessage, windows: Windows | None, now: float) -> None:
        waiter = _Waiter(message, message.conversation_id, windows, asyncio.get_running_loop().create_future())
        line = self._lines.setdefault(waiter.target, deque())
        line.append(waiter)
        if line[0] is waiter:
            self._place(waiter, now)
        self._release(now)
        if not waiter.admitted.done():
            self.delayed += 1
            self._report(waiter, now)
        try:
            await waiter.admitted
        except asyncio.CancelledError:
            self._leave(waiter)
            raise
        self._leave(waiter)

    def _place(self, waiter: _Waiter, now: float) -> None:
        free_at = ALWAYS if waiter.windows is None else waiter.windows.of(waiter.message.to, now).free_at
        if free_at <= now:
            self._turns.add(waiter, waiter.message.priority)
        else:
            self._number += 1
            waiter.is_later = True
            heappush(self._later, (free_at, self._number, waiter))

    def _release(self, now: float) -> None:
        """Let go whoever may go, and set the timer for the next."""
        self._tidy(now)
        while self._later and self._later[0][0] <= now:
            waiter = heappop(self._later)[2]
            waiter.is_later = False
            if waiter.gone:
                self._gone -= 1
            else:
                self._turns.add(waiter, waiter.message.priority)
        while self._turns and self._account_free_at() <= now:
            waiter = self._turns.pop()
            if waiter.admitted.done():
                continue  # cancelled a moment ago: it is about to leave by itself
            self._take(None if waiter.windows is None else waiter.windows.of(waiter.message.to, now), now)
            waiter.admitted.set_result(None)  # it leaves its line when it runs: nobody slips past it until then
        self._set_timer(now)

    def _leave(self, waiter: _Waiter) -> None:
        """It was let go or cancelled: the next of its line takes its place, and nothing of it stays."""
        now = self.clock.monotonic()
        line = self._lines[waiter.target]
        if line[0] is waiter:
            self._turns.remove(waiter, waiter.message.priority)
            waiter.gone = True
            self._gone += waiter.is_later
            line.popleft()
            if line:
                self._place(line[0], now)
        else:
            line.remove(waiter)
        if not line:
            del self._lines[waiter.target]
        if self._gone * 2 > len(self._later):
            self._later = [entry for entry in self._later if not entry[2].gone]
            heapify(self._later)
            self._gone = 0
        self._release(now)

    def _set_timer(self, now: float) -> None:
        due = float("inf")
        if self._later:
            due = self._later[0][0]
        if self._turns:
            due = min(due, self._account_free_at())
        if self._timer is not None:
            if due == self._due:
                return
            self._timer.cancel()
            self._timer = None
        if due < float("inf"):
            self._due = due
            self._timer = asyncio.get_running_loop().call_later(due - now, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._release(max(self.clock.monotonic(), self._due))  # a timer may come early by the clock's grain

    def _report(self, waiter: _Waiter, now: float) -> None:
        limit = "account"
        if waiter.windows is not None:
            free_at = waiter.windows.of(waiter.message.to, now).free_at
            if free_at > max(now, self._account_free_at()):
                limit = "c2c" if waiter.message.conversation_type is ConversationType.C2C else "group"
        if now >= self._reported.get(limit, ALWAYS) + QUIET:
            self._reported[limit] = now
            self.told(limit, waiter.target)
