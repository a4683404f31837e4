"""Every async test runs on virtual time, unless it says that it needs the real one.

The marks `judge` and `real_time` (on a test, a class or a module) choose asyncio's ordinary loop. A synchronous test
that asks for an async fixture gets the ordinary loop as well: pytest-asyncio chooses loops for coroutines only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping

import pytest
import structlog

from timbot import redaction
from timbot.testing import VirtualClock, VirtualLoop

REAL_TIME = ("judge", "real_time")


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if any(item.get_closest_marker(mark) for mark in REAL_TIME):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualLoop}


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
