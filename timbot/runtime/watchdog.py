"""A thread that watches whether the event loop turns, and says who holds it up.

A handler that waits without `await`, or computes for long, stops everything: no message is answered, no heartbeat is sent, and
the loop itself can tell nobody. The thread looks at the loop's stack and names the handler and the line. It writes nothing
itself, so it waits for nothing: what it has to say is written by a second thread, which may be held up with the rest.

Where Python itself stands still, as in a regular expression that runs away, no thread of Python's runs. `faulthandler`, which
needs none, then writes the stacks to standard error by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Final, Self

from timbot.routing.plugin import JobRoute, Plugin, Route

if TYPE_CHECKING:
    from timbot.runtime.log import Log

TICK: Final = 0.5
"""Seconds between two looks, and between two signs of life of the loop."""

LAST_WORDS: Final = 1.0
"""Seconds the last line of the log may take before the process exits all the same."""

LONGEST_PAUSE: Final = 300.0
"""Seconds between two tellings of one block, at most: each pause is twice the one before."""

EXIT_CODE: Final = 71
"""What the process exits with when the loop does not come back (`timbot.cli.exits.BLOCKED`)."""

_NOT_TO_BLAME: Final = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_HINT: Final = (
    "It waits without 'await', or computes for long: nothing else runs meanwhile. 'await asyncio.to_thread(...)' helps."
)


@dataclass(frozen=True, slots=True)
class Blocked:
    """The loop does not turn. `handler` is `plugin:function` where it can be told, `place` the `file:line` that is held up."""

    seconds: float
    plugin: str
    handler: str
    function: str
    place: str


@dataclass(frozen=True, slots=True)
class Places:
    """Which code is whose: files -> plugins, and (file, qualified name) -> handlers, as `plugin:function`."""

    plugins: Mapping[str, str] = field(default_factory=dict)
    handlers: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, plugins: Iterable[Plugin]) -> Self:
        """Of these plugins."""
        files: dict[str, str] = {}
        handlers: dict[tuple[str, str], str] = {}
        for plugin in plugins:
            files[str(plugin.file)] = plugin.name
            routes: list[Route | JobRoute] = [*plugin.routes, *plugin.jobs]
            for route in routes:
                file = route.place.rpartition(":")[0]
                files.setdefault(file, plugin.name)
                handlers[file, route.handler.__qualname__] = route.name
        return cls(files, handlers)

    def blame(self, frame: FrameType, seconds: float) -> Blocked:
        """Who is at work in this stack, given by its innermost frame.

        The line is the innermost one in a plugin's file; without any, the innermost one that belongs to no library.
        """
        frames = list(_outwards(frame))
        in_plugins = [one for one in frames if one.f_code.co_filename in self.plugins]
        ours = [one for one in frames if not one.f_code.co_filename.startswith(_NOT_TO_BLAME)]
        guilty = (in_plugins or ours or frames)[0]
        known = [self.handlers.get((one.f_code.co_filename, one.f_code.co_qualname), "") for one in in_plugins]
        return Blocked(
            seconds,
            self.plugins.get(guilty.f_code.co_filename, ""),
            next(filter(None, reversed(known)), ""),
            guilty.f_code.co_qualname,
            f"{guilty.f_code.co_filename}:{guilty.f_lineno}",
        )


class Watchdog:
    """Watches the loop it is entered on. A context manager.

    After `warn_after` seconds without a turn it is told, then again after twice as long, and so on; and when the loop goes
    on. After `exit_after` seconds (0: never) the process exits with `EXIT_CODE`: without its heartbeats the login is lost by
    then, and a supervisor can start it afresh. A process that was stopped, or a machine that slept, is not blocked.
    """

    def __init__(self, log: Log, places: Places, *, warn_after: float = 5.0, exit_after: float = 0.0) -> None:
        self._log = log
        self._places = places
        self._warn_after = warn_after
        self._exit_after = exit_after
        self._listeners: list[Callable[[Blocked], None]] = []
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._stopped = threading.Event()
        self._teller: threading.Thread | None = None
        self._loop_thread = 0
        self._beat_at = 0.0
        self._seen = 0.0
        self._held = 0.0
        self._told = 0
        self._next = warn_after
        self._timer: asyncio.TimerHandle | None = None

    def listen(self, listener: Callable[[Blocked], None]) -> None:
        """Tell it of every block once, when it is first noticed, from another thread. It must be quick."""
        self._listeners.append(listener)

    def __enter__(self) -> Self:
        self._loop_thread = threading.get_ident()
        self._beat(asyncio.get_running_loop())
        self._seen = self._beat_at
        self._thread.start()
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._stopped.set()
        self._thread.join(LAST_WORDS)

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._beat_at = time.monotonic()
        self._timer = loop.call_later(TICK, self._beat, loop)

    # In the thread

    def _watch(self) -> None:
        with contextlib.suppress(Exception):  # it must never take anything down with it
            awake = time.monotonic()
            self._guard()
            while not self._stopped.wait(TICK):
                now = time.monotonic()
                self._look(now - awake)
                awake = now
                self._guard()
        with contextlib.suppress(Exception):
            faulthandler.cancel_dump_traceback_later()

    def _guard(self) -> None:
        """What happens should this thread not come to run again."""
        seconds = max(self._exit_after, self._warn_after) if self._exit_after else self._warn_after
        faulthandler.dump_traceback_later(seconds + 2 * TICK, exit=self._exit_after > 0, file=2)

    def _look(self, awake: float) -> None:
        beat = self._beat_at
        if beat != self._seen:
            if self._told:
                blocked = round(self._held, 1)
                self._tell(lambda: self._log.warning("loop goes on", seconds=blocked))
            self._seen, self._held, self._told, self._next = beat, 0.0, 0, self._warn_after
            return
        # A time in which this thread did not run either says nothing about the loop: the process was stopped.
        self._held += min(awake, 2 * TICK)
        seconds = self._held
        leaving = 0 < self._exit_after <= seconds
        if seconds < self._next and not leaving:
            return
        frame = sys._current_frames().get(self._loop_thread)
        if frame is None:
            return
        blocked_by = self._places.blame(frame, seconds)
        del frame
        self._next = seconds + min(seconds, LONGEST_PAUSE)
        self._told += 1
        self._report(blocked_by, first=self._told == 1, leaving=leaving)
        if leaving:
            if self._teller is not None:
                self._teller.join(LAST_WORDS)
            os._exit(EXIT_CODE)

    def _report(self, blocked: Blocked, *, first: bool, leaving: bool) -> None:
        fields = {"handler": blocked.handler or blocked.plugin, "function": blocked.function, "place": blocked.place}
        if leaving:
            fields["exit_code"] = str(EXIT_CODE)
        hint = {"hint": _HINT} if first else {}
        told = {name: value for name, value in fields.items() if value} | hint

        def tell() -> None:
            self._log.error("loop blocked", seconds=round(blocked.seconds, 1), **told)
            if first:
                for listener in self._listeners:
                    listener(blocked)

        self._tell(tell)

    def _tell(self, work: Callable[[], None]) -> None:
        """In a thread of its own: a full pipe for the log must not hold the watch up. One at a time."""
        if self._teller is not None and self._teller.is_alive():
            return

        def quietly() -> None:
            with contextlib.suppress(Exception):
                work()

        self._teller = threading.Thread(target=quietly, name="watchdog: telling", daemon=True)
        self._teller.start()


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
