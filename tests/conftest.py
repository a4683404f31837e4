"""Every async test runs on virtual time, unless it says that it needs the real one.

The marks `judge` and `real_time` (on a test, a class or a module) choose asyncio's ordinary loop. A synchronous test
that asks for an async fixture gets the ordinary loop as well: pytest-asyncio chooses loops for coroutines only.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from timbot import redaction
from timbot.testing import VirtualClock, VirtualLoop

REAL_TIME = ("judge", "real_time")
TESTS = Path(__file__).parent

# How long an example takes says how busy the machine is; a test of what something costs measures by itself.
settings.register_profile("timbot", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timbot")

LONG = (
    "judge/test_sdk_storm.py",
    "chaos/test_chaos_short.py",
    "judge/test_driver.py",
    "judge/test_sdk_sandbox.py",
    "judge/test_sdk_bot.py",
    "operation/test_secrets_stay_secret.py",
    "runtime/test_runtime_command.py",
    "judge/test_sdk_sandbox_groups.py",
    "runtime/test_runtime_deaths.py",
    "page/test_page_net.py",
    "wheel/test_wheel.py",
    "sandbox/net/test_net_rude.py",
    "sandbox/net/test_net_server.py",
)
"""The files that take longest, the longest first."""


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if any(item.get_closest_marker(mark) for mark in REAL_TIME):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualLoop}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where workers share the files among them, the long ones are begun first: none is left for the end alone."""
    if hasattr(config, "workerinput"):
        places = {TESTS / name: place for place, name in enumerate(LONG)}
        items.sort(key=lambda item: places.get(item.path, len(LONG)))


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: collecting garbage need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
async def clock() -> VirtualClock:
    """The virtual clock of the test's loop."""
    return VirtualLoop.running().clock


@pytest.fixture(autouse=True)
def process_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test sets up for the whole process is undone: how is logged, and which secrets are known."""
    monkeypatch.setattr(redaction, "_forms", redaction._Forms())
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)
