"""What an operator watches, in Prometheus' format, in a registry of its own.

Labels are `account` (the bot's own), `plugin`, `route`, `outcome`, `kind` and `reason`: all of them few, because they come
from the configuration and from code. Never a user or a conversation, of which there is no end, and whom it does not concern.

prometheus_client is imported only where `Metrics` is made.
"""

from __future__ import annotations

import asyncio
import functools
import math
import platform
from collections.abc import Callable
from importlib import metadata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from prometheus_client import Gauge

LAG_EVERY: Final = 0.5
"""Seconds between two looks at how late the loop is."""

HANDLER_BUCKETS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
LAG_BUCKETS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

JOURNAL: Final = {
    "open": ("open_events", "Events that wait for their turn, or have it, on disk."),
    "parked": ("parked_events", "Events whose handler waits for an answer."),
    "dead": ("dead_letters", "Events that were given up, and are kept to be looked at."),
    "unsent": ("unsent_messages", "Messages that are not settled."),
    "unknown": ("unknown_messages", "Messages of which nobody can tell whether they were sent."),
    "oldest": ("oldest_event_seconds", "How long ago the oldest open event came in."),
}
"""What a journal counts, and the gauge for each."""


class Metrics:
    """The figures of one process."""

    content_type: Final = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        build = Info("timbot_build", "Which timbot runs on which Python.", registry=registry)
        build.info({"version": metadata.version("timbot"), "python": platform.python_version()})

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"timbot_{name}", text, ("account", *labels), registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"timbot_{name}", text, ("account",), registry=registry)

        def seconds(name: str, text: str) -> Histogram:
            labels = ("account", "plugin", "route")
            return Histogram(f"timbot_{name}", text, labels, registry=registry, buckets=HANDLER_BUCKETS)

        self._received = counter("events_received", "Events that came in.", "kind")
        self._handled = counter("events_handled", "Events that a handler dealt with.", "plugin", "route", "outcome")
        self._handler_seconds = seconds("handler_seconds", "How long a handler and its replies took.")
        self._sent = counter("messages_sent", "Messages that the server has taken.", "kind")
        self._failed = counter("handlers_failed", "Events whose handler failed.", "plugin", "route")
        self._unsent = counter("replies_failed", "Replies that were not sent, or nobody knows.", "plugin", "route")
        self._reconnects = counter("reconnects", "Logins after a break.")
        self._jobs = counter("jobs_run", "Scheduled jobs that ended or were skipped.", "plugin", "route", "outcome")
        self._job_seconds = seconds("job_seconds", "How long a scheduled job took.")
        self._limits = counter("limits_hit", "Limits that were reached.", "kind")
        self._incomplete = counter("possibly_incomplete", "Breaks after which events may be missing.")
        self._broken = counter("not_understood", "Frames, or items in them, that made no sense.")
        self._duplicates = counter("duplicates_dropped", "Events that came twice, and were handled once.")
        self._attempts = counter(
            "attempts_failed", "Attempts at an event that failed, the last one included.", "plugin", "route"
        )
        self._time_limits = counter("time_limits", "Handlers that took too long and were stopped.", "plugin", "route")
        self._dead = counter("events_died", "Events that were given up.", "reason")
        self._kicks = counter("kicks", "Times the account was kicked out by another login.")
        self._blocked = Counter(
            "timbot_loop_blocked", "Times the loop did not turn for longer than 'watchdog:' allows.", ("plugin", "route"),
            registry=registry,
        )  # fmt: skip
        self._journal = {name: gauge(f"journal_{short}", text) for name, (short, text) in JOURNAL.items()}
        self._signature = gauge("usersig_expires_timestamp_seconds", "When the UserSig expires, where one is given, Unix time.")
        self._connected = gauge("connected", "1 while the account is logged in on an open connection.")
        self._busy = gauge("busy_conversations", "Conversations with work, running or waiting.")
        self._waiting = gauge("waiting_events", "Events that wait for their turn.")
        self._outbox = gauge("outbox_open", "Messages on their way or waiting for their turn.")
        self._heard = gauge("last_heard_timestamp_seconds", "When anything came from the server last, Unix time; 0: never.")
        self._lag = Histogram(
            "timbot_loop_lag_seconds", "How late the loop came to a timer.", registry=registry, buckets=LAG_BUCKETS
        )

    def text(self) -> bytes:
        """All figures as they are now, in Prometheus' text format."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)

    async def watch_loop(self) -> None:
        """Measure how late the loop is, until cancelled. To be run as one task of the process."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY
            await asyncio.sleep(LAG_EVERY)
            self._lag.observe(max(0.0, loop.time() - due))

    def received(self, account: str, kind: str) -> None:
        """An event has come in; `kind` as in the log: `text`, `friend request`, ..."""
        self._received.labels(account, kind).inc()

    def handled(self, account: str, plugin: str, route: str, outcome: str, seconds: float) -> None:
        """A handler has dealt with an event. `outcome` is one of few words, without numbers."""
        self._handled.labels(account, plugin, route, outcome).inc()
        self._handler_seconds.labels(account, plugin, route).observe(seconds)

    def sent(self, account: str, kind: str) -> None:
        """A message has gone out; `kind` of its payload."""
        self._sent.labels(account, kind).inc()

    def handler_failed(self, account: str, plugin: str, route: str) -> None:
        """A handler has raised, or what it returned could not be done."""
        self._failed.labels(account, plugin, route).inc()

    def replies_failed(self, account: str, plugin: str, route: str, count: int) -> None:
        """So many replies could not be sent, or nobody knows whether they were. Once called, the series is there."""
        self._unsent.labels(account, plugin, route).inc(count)

    def reconnected(self, account: str) -> None:
        """The account has logged in again after a break."""
        self._reconnects.labels(account).inc()

    def job_ran(self, account: str, plugin: str, route: str, outcome: str, seconds: float) -> None:
        """A scheduled job has ended, or was skipped (`outcome`)."""
        self._jobs.labels(account, plugin, route, outcome).inc()
        self._job_seconds.labels(account, plugin, route).observe(seconds)

    def limit_hit(self, account: str, kind: str) -> None:
        """A limit was reached; `kind` is its name: `loop_guard`, ..."""
        self._limits.labels(account, kind).inc()

    def possibly_incomplete(self, account: str) -> None:
        """After a break a list came back at its cap: events may be missing."""
        self._incomplete.labels(account).inc()

    def not_understood(self, account: str) -> None:
        """A frame, or an item in one, made no sense."""
        self._broken.labels(account).inc()

    def duplicate_dropped(self, account: str, count: int = 1) -> None:
        """Events came that were known."""
        self._duplicates.labels(account).inc(count)

    def attempt_failed(self, account: str, plugin: str, route: str) -> None:
        """An attempt at an event has failed; it may be tried again."""
        self._attempts.labels(account, plugin, route).inc()

    def time_limit(self, account: str, plugin: str, route: str) -> None:
        """A handler was stopped because it took too long."""
        self._time_limits.labels(account, plugin, route).inc()

    def event_died(self, account: str, reason: str) -> None:
        """An event was given up; `reason` is one of the few words of `DeadLetter.reason`."""
        self._dead.labels(account, reason).inc()

    def kicked(self, account: str) -> None:
        """The account was logged in somewhere else."""
        self._kicks.labels(account).inc()

    def loop_blocked(self, plugin: str, route: str) -> None:
        """The loop has not turned for too long; both empty where it is no plugin's fault. Any thread may call it."""
        self._blocked.labels(plugin, route).inc()

    def watch_journal(self, account: str, count: Callable[[str], float]) -> None:
        """Ask for a figure of `JOURNAL` by its name whenever somebody looks."""
        for name, shown in self._journal.items():
            shown.labels(account).set_function(_number(functools.partial(count, name)))

    def watch_signature(self, account: str, expires: Callable[[], float]) -> None:
        """Ask when the account's signature expires, Unix seconds."""
        self._signature.labels(account).set_function(_number(expires))

    def watch(
        self,
        account: str,
        *,
        connected: Callable[[], bool],
        busy: Callable[[], int],
        waiting: Callable[[], int],
        outbox: Callable[[], int],
        heard: Callable[[], float],
    ) -> None:
        """Ask these whenever somebody looks. One that fails counts as not a number. Counters of trouble begin at 0.

        Whether it is logged in on an open connection; conversations with work; events that wait; messages on their way;
        when anything was heard last (Unix seconds, 0: never).
        """
        asked = zip(self._gauges(), (connected, busy, waiting, outbox, heard), strict=True)
        for gauge, ask in asked:
            gauge.labels(account).set_function(_number(ask))
        for counter in (self._reconnects, self._incomplete, self._broken, self._duplicates, self._kicks):
            counter.labels(account)

    def _gauges(self) -> tuple[Gauge, ...]:
        return self._connected, self._busy, self._waiting, self._outbox, self._heard


def _number(ask: Callable[[], float]) -> Callable[[], float]:
    def answer() -> float:
        try:
            return float(ask())
        except Exception:  # one figure that cannot be had must not cost the others
            return math.nan

    return answer
