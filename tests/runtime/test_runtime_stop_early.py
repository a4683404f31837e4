"""A stop signal counts from the first moment, also while no server can be reached."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from timbot.config import parse
from timbot.runtime.process import run

CONFIG = """
endpoint: ws://127.0.0.1:1
accounts:
  - user_id: bot
    user_sig: none-that-is-any-good
"""


@pytest.mark.real_time
async def test_it_ends_although_no_server_was_ever_reached() -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(run(parse(CONFIG), [], Path("bot.yaml"), stop, lambda text: None))
    stop.set()
    async with asyncio.timeout(10):
        await running
