"""An event loop whose time is virtual: a test waits a month in a millisecond, and always the same way.

Time stands still while anything can still run. Only when no callback is ready, no file descriptor is readable and no
thread call is open does it jump, straight to the next timer. A timer fires exactly at its time, and timers set for the
same instant fire in the order they were set, as they would on a clock that moved between the two calls.

What the outside may do to it:

- **Thread calls** (`run_in_executor`, `asyncio.to_thread`) are waited for in real time, up to `patience`, a cancelled
  one included: its thread still runs. A thread the loop did not start is invisible to it; wrap that in `hold()`.
- **Sockets and pipes** work, and are polled without blocking. While timers are pending they do not hold time back: most
  open sockets are idle, and a loop that waited for each would be a real-time loop. With no timer left, an open
  descriptor is the only thing that can still speak, so it is waited for, up to `patience`. A test that depends on how
  fast a real peer answers (another process, another thread's socket) belongs on an ordinary loop.
- **Nothing at all left to wait for** raises `Deadlock`, which names every pending task and the line it waits on. Timers
  alone cannot spin for ever either: more than `limit` virtual seconds in one run raises `RunAway`.

Both are raised out of `run_until_complete`, not into a task, so no handler under test can swallow them.

Relied on beyond the documented API, on CPython 3.11 to 3.13: the selector loop asks its selector with a timeout of 0
while callbacks are ready or a timer is due, and with anything else only when idle; `_scheduled` is its heap of timers,
the head never a cancelled one when the selector is asked; `_clock_resolution` is how far ahead of a timer it may fire.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
import selectors
import sys
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from concurrent.futures import Future as ThreadFuture
from contextvars import Context
from datetime import datetime
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, Unpack

from timbot.testing.stuck import Deadlock, RunAway, pending

EPOCH = 1767571200.0
"""Where the virtual wall clock starts: Monday, 5 January 2026, 00:00:00 UTC."""

LIMIT = 30 * 86400.0
"""How much virtual time one run may take before it is called a run-away."""

PATIENCE = 60.0
"""How long, in real seconds, a thread call or an open socket is waited for when nothing else can happen."""

_T = TypeVar("_T")
_P = ParamSpec("_P")
_Ts = TypeVarTuple("_Ts")


class VirtualClock:
    """The loop's time read as a calendar. Implements `timbot.im.clock.Clock`."""

    __slots__ = ("_loop", "_start")

    def __init__(self, loop: VirtualLoop, start: float | datetime = EPOCH) -> None:
        self._loop = loop
        self._start = _unix(start)

    def now(self) -> float:
        """Unix time: where the clock started plus the loop's time."""
        return self._start + self._loop.time()

    def monotonic(self) -> float:
        """The loop's time, which starts at 0.0."""
        return self._loop.time()

    def set(self, now: float | datetime) -> None:
        """Set the wall clock, forwards or back, as an operator would: no timer moves."""
        self._start = _unix(now) - self._loop.time()


class VirtualLoop(asyncio.SelectorEventLoop):
    """The standard selector loop on virtual time. `clock` is its wall clock; `limit` and `patience` may be changed."""

    _scheduled: list[asyncio.TimerHandle]
    _clock_resolution: float

    def __init__(self, *, start: float | datetime = EPOCH, limit: float = LIMIT, patience: float = PATIENCE) -> None:
        selector = _Selector(self)
        super().__init__(selector)
        selector.own = len(selector.get_map())
        self._clock_resolution = math.ulp(0.0)
        self.limit = limit
        self.patience = patience
        self._now = 0.0
        self._run_began = 0.0
        self._timers_set = 0
        self._held: dict[object, str] = {}
        self._pool: Executor | None = None
        self._pool_was_shut = False
        try:
            self.clock = VirtualClock(self, start)
        except ValueError:
            self.close()
            raise

    @classmethod
    def running(cls) -> VirtualLoop:
        """The loop this code runs on. Raises `RuntimeError` when that is not a virtual one."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, cls):
            raise RuntimeError(f"The running loop is a {type(loop).__name__}, not a VirtualLoop.")
        return loop

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def call_at(
        self, when: float, callback: Callable[[Unpack[_Ts]], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back at a virtual time. Equal times keep the order of the calls, which asyncio does not promise."""
        self._timers_set += 1
        return super().call_at(_Moment(when, self._timers_set), callback, *args, context=context)

    def run_forever(self) -> None:
        """Run until stopped. Raises `Deadlock` or `RunAway` where an ordinary loop would hang."""
        self._run_began = self._now
        super().run_forever()

    # Threads: time must not pass a call that is still running.

    @contextlib.contextmanager
    def hold(self, what: str) -> Iterator[None]:
        """Keep time still while work goes on in a thread that was not started through this loop."""
        token = object()
        self._held[token] = what
        try:
            yield
        finally:
            del self._held[token]

    def run_in_executor(self, executor: Executor | None, func: Callable[[Unpack[_Ts]], _T], *args: *_Ts) -> asyncio.Future[_T]:
        """Call in a thread, as ever; time stands still until the thread is done and its result is here."""
        watched = _Watched(executor or self._default_pool())
        result = super().run_in_executor(watched, func, *args)
        call = watched.call
        token = object()
        self._held[token] = f"thread call {_name(func)}"

        def release() -> None:
            self._held.pop(token, None)

        def thread_ended(_: ThreadFuture[Any]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed before the thread came back
                self.call_soon_threadsafe(release)

        def settled(_: asyncio.Future[_T]) -> None:
            # Here and not in the thread: time must not move between a thread's end and its result's arrival.
            if call.done():
                release()
            else:
                call.add_done_callback(thread_ended)

        result.add_done_callback(settled)
        return result

    def set_default_executor(self, executor: ThreadPoolExecutor) -> None:  # type: ignore[override]
        """Set the executor that `run_in_executor(None, ...)` uses."""
        super().set_default_executor(executor)
        self._pool = executor

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Join the default executor's threads in real time: virtual time stands still, so `timeout` never ends it."""
        self._pool_was_shut = True
        with self.hold("shutdown of the default executor"):
            if sys.version_info >= (3, 12):
                await super().shutdown_default_executor(timeout)
            else:
                await super().shutdown_default_executor()

    def _default_pool(self) -> Executor:
        if self._pool_was_shut:
            raise RuntimeError("Executor shutdown has been called")
        if self._pool is None:
            pool = ThreadPoolExecutor(thread_name_prefix="virtual-loop")
            self.set_default_executor(pool)
            return pool
        return self._pool

    # What the selector asks when nothing is ready.

    def _next_timer(self) -> float | None:
        when = self._scheduled[0].when() if self._scheduled else math.inf
        return None if math.isinf(when) else float(when)

    def _jump(self, when: float) -> None:
        if when - self._run_began > self.limit:
            raise RunAway(self._now - self._run_began, self.limit, pending(self))
        self._now = max(self._now, when)
        # asyncio fires what lies before `time() + resolution`. One unit in the last place is the smallest step that
        # still includes `when` itself: a fixed nanosecond fires too early at first, and past half a year not at all.
        self._clock_resolution = math.ulp(self._now)

    def _outsiders(self, descriptors: int) -> list[str]:
        """What outside the loop may still wake it, in words."""
        return [*self._held.values(), *([f"{descriptors} open file descriptor(s)"] if descriptors else [])]


class _Selector(selectors.DefaultSelector):
    """The point where a loop goes to sleep, and therefore where virtual time passes instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self.own = 0
        """How many descriptors are the loop's self-pipe: what was registered while the loop was made."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        loop = self._loop
        when = loop._next_timer()
        foreign = len(self.get_map()) - self.own
        if loop._held or (when is None and foreign):
            ready = super().select(loop.patience)
            if not ready:
                raise Deadlock(loop.time(), pending(loop), loop._outsiders(foreign), loop.patience)
            return ready
        if when is None:
            raise Deadlock(loop.time(), pending(loop))
        loop._jump(when)
        return ready


class _Moment(float):
    """A timer's time that knows when it was set, so that equal times have an order."""

    __slots__ = ("_order",)

    def __new__(cls, when: float, order: int) -> _Moment:
        moment = super().__new__(cls, when)
        moment._order = order
        return moment

    def __init__(self, when: float, order: int) -> None:
        self._order: int

    def __lt__(self, other: float) -> bool:
        if isinstance(other, _Moment) and self == other:
            return self._order < other._order
        return super().__lt__(other)


class _Watched(Executor):
    """Passes one call on to an executor and keeps hold of the thread's own future, which asyncio hides."""

    def __init__(self, inner: Executor) -> None:
        self._inner = inner
        self.call: ThreadFuture[Any] = ThreadFuture()

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> ThreadFuture[_T]:
        call = self.call = self._inner.submit(fn, *args, **kwargs)
        return call


def run(
    main: Coroutine[Any, Any, _T],
    *,
    start: float | datetime = EPOCH,
    limit: float = LIMIT,
    patience: float = PATIENCE,
    debug: bool | None = None,
) -> _T:
    """Run a coroutine to its end on a new virtual loop: `asyncio.run`, without the waiting.

    `start` is the wall clock's first reading (Unix seconds or an aware datetime), `limit` the virtual seconds and
    `patience` the real ones after which the run is given up. Raises `Deadlock` and `RunAway`.
    """

    def factory() -> VirtualLoop:
        return VirtualLoop(start=start, limit=limit, patience=patience)

    with asyncio.Runner(loop_factory=factory, debug=debug) as runner:
        return runner.run(main)


def _name(func: object) -> str:
    """What a thread was asked to call. `asyncio.to_thread` hides it in a partial of `Context.run`."""
    while isinstance(func, functools.partial):
        inside = isinstance(getattr(func.func, "__self__", None), Context)
        func = func.args[0] if inside else func.func
    return str(getattr(func, "__qualname__", func))


def _unix(moment: float | datetime) -> float:
    if not isinstance(moment, datetime):
        return float(moment)
    if moment.tzinfo is None:
        raise ValueError("A virtual clock needs a datetime with a time zone.")
    return moment.timestamp()
