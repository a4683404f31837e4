"""A stop signal counts from the first moment, also while no server can be reached."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from timbot.runtime.assembly import assemble
from timbot.runtime.process import run

CONFIG = """
endpoint: ws://127.0.0.1:1
accounts:
  - user_id: bot
    user_sig: none-that-is-any-good
http: false
"""


@pytest.mark.real_time
async def test_it_ends_although_no_server_was_ever_reached(tmp_path: Path) -> None:
    config = tmp_path / "bot.yaml"
    config.write_text(CONFIG)
    stop = asyncio.Event()
    running = asyncio.create_task(run(assemble(config), stop, lambda text: None))
    stop.set()
    async with asyncio.timeout(10):
        await running
