"""The figures: what is counted, under which labels, and that none of them is about a person."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from timbot.runtime.metrics import JOURNAL, Metrics
from timbot.testing import VirtualLoop

LABELS = {"account", "plugin", "route", "outcome", "kind", "reason"}


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def watched(metrics: Metrics, **instead: Callable[[], float]) -> None:
    asked: dict[str, Callable[[], float]] = {
        "connected": lambda: True,
        "busy": lambda: 2,
        "waiting": lambda: 3,
        "outbox": lambda: 4,
        "heard": lambda: 1_700_000_000.5,
    }
    metrics.watch("bot", **{**asked, **instead})  # type: ignore[arg-type]  # a failing one has no right type


def everything(metrics: Metrics) -> None:
    """Call all there is to call."""
    metrics.received("bot", "text")
    metrics.handled("bot", "hello", "greet", "sent", 0.02)
    metrics.sent("bot", "text")
    metrics.handler_failed("bot", "hello", "greet")
    metrics.replies_failed("bot", "hello", "greet", 1)
    metrics.reconnected("bot")
    metrics.job_ran("bot", "news", "morning", "done", 1.5)
    metrics.limit_hit("bot", "loop_guard")
    metrics.possibly_incomplete("bot")
    metrics.not_understood("bot")
    metrics.duplicate_dropped("bot")
    metrics.attempt_failed("bot", "hello", "greet")
    metrics.time_limit("bot", "hello", "greet")
    metrics.event_died("bot", "time limit")
    metrics.kicked("bot")
    metrics.loop_blocked("hello", "greet")
    metrics.watch_journal("bot", lambda name: list(JOURNAL).index(name))
    metrics.watch_signature("bot", lambda: 1_900_000_000)
    watched(metrics)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("timbot_events_received_total", {"kind": "text"}),
        ("timbot_events_handled_total", {"plugin": "hello", "route": "greet", "outcome": "sent"}),
        ("timbot_handler_seconds_count", {"plugin": "hello", "route": "greet"}),
        ("timbot_messages_sent_total", {"kind": "text"}),
        ("timbot_handlers_failed_total", {"plugin": "hello", "route": "greet"}),
        ("timbot_replies_failed_total", {"plugin": "hello", "route": "greet"}),
        ("timbot_reconnects_total", {}),
        ("timbot_jobs_run_total", {"plugin": "news", "route": "morning", "outcome": "done"}),
        ("timbot_job_seconds_count", {"plugin": "news", "route": "morning"}),
        ("timbot_limits_hit_total", {"kind": "loop_guard"}),
        ("timbot_possibly_incomplete_total", {}),
        ("timbot_not_understood_total", {}),
        ("timbot_duplicates_dropped_total", {}),
        ("timbot_attempts_failed_total", {"plugin": "hello", "route": "greet"}),
        ("timbot_time_limits_total", {"plugin": "hello", "route": "greet"}),
        ("timbot_events_died_total", {"reason": "time limit"}),
        ("timbot_kicks_total", {}),
    ],
)
def test_what_happens_once_is_counted_once(name: str, labels: dict[str, str]) -> None:
    metrics = Metrics()
    everything(metrics)
    assert value(metrics, name, account="bot", **labels) == 1


def test_a_blocked_loop_is_nobody_s_in_particular() -> None:
    metrics = Metrics()
    metrics.loop_blocked("hello", "greet")
    assert value(metrics, "timbot_loop_blocked_total", plugin="hello", route="greet") == 1


def test_a_journal_is_asked_for_each_of_its_figures() -> None:
    metrics = Metrics()
    everything(metrics)
    shown = [value(metrics, f"timbot_journal_{short}", account="bot") for short, _ in JOURNAL.values()]
    assert shown == [0, 1, 2, 3, 4, 5]
    assert value(metrics, "timbot_usersig_expires_timestamp_seconds", account="bot") == 1_900_000_000


def test_durations_are_added_up() -> None:
    metrics = Metrics()
    metrics.handled("bot", "hello", "greet", "sent", 0.25)
    metrics.handled("bot", "hello", "greet", "failed", 0.5)
    assert value(metrics, "timbot_handler_seconds_sum", account="bot", plugin="hello", route="greet") == 0.75


def test_gauges_are_asked_when_somebody_looks() -> None:
    metrics = Metrics()
    busy = [1]
    watched(metrics, busy=lambda: busy[0])
    assert value(metrics, "timbot_busy_conversations", account="bot") == 1
    busy[0] = 7
    assert value(metrics, "timbot_busy_conversations", account="bot") == 7
    assert value(metrics, "timbot_connected", account="bot") == 1
    assert value(metrics, "timbot_waiting_events", account="bot") == 3
    assert value(metrics, "timbot_outbox_open", account="bot") == 4
    assert value(metrics, "timbot_last_heard_timestamp_seconds", account="bot") == 1_700_000_000.5


def test_a_gauge_that_fails_costs_only_itself() -> None:
    metrics = Metrics()
    watched(metrics, waiting=lambda: 1 / 0)
    assert math.isnan(value(metrics, "timbot_waiting_events", account="bot") or 0.0)
    assert b'timbot_busy_conversations{account="bot"} 2.0' in metrics.text()


def test_counters_of_trouble_begin_at_nought() -> None:
    metrics = Metrics()
    watched(metrics)
    for name in ("reconnects", "possibly_incomplete", "not_understood", "duplicates_dropped", "kicks"):
        assert value(metrics, f"timbot_{name}_total", account="bot") == 0


def test_no_label_is_about_a_person() -> None:
    metrics = Metrics()
    everything(metrics)
    used = {label for family in metrics.registry.collect() for sample in family.samples for label in sample.labels}
    assert used - {"le"} == LABELS | {"version", "python"}


def test_prometheus_can_read_it() -> None:
    metrics = Metrics()
    everything(metrics)
    families = {family.name for family in text_string_to_metric_families(metrics.text().decode())}
    assert {
        "timbot_events_received",
        "process_resident_memory_bytes",
        "timbot_loop_lag_seconds",
        "timbot_build_info",
    } <= families


def test_two_bots_in_a_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.reconnected("bot")
    assert value(other, "timbot_reconnects_total", account="bot") is None


async def test_a_loop_that_is_on_time_has_no_lag() -> None:
    metrics = Metrics()
    task = asyncio.create_task(metrics.watch_loop())
    await asyncio.sleep(10.1)
    task.cancel()
    await asyncio.wait({task})
    assert value(metrics, "timbot_loop_lag_seconds_count") == 20
    assert value(metrics, "timbot_loop_lag_seconds_sum") == 0


async def test_a_blocked_loop_is_seen() -> None:
    metrics = Metrics()
    task = asyncio.create_task(metrics.watch_loop())
    await asyncio.sleep(0.1)
    VirtualLoop.running()._jump(0.75)  # as if something had held the loop until then
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.wait({task})
    assert value(metrics, "timbot_loop_lag_seconds_sum") == pytest.approx(0.25)


def test_the_library_is_loaded_only_where_it_is_used() -> None:
    code = "import sys, timbot.runtime.metrics; print('prometheus_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"
