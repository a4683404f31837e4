"""A journal of each engine, and a database in a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from journal_kit import journal_on

from timbot.runtime.journal.interface import Journal
from timbot.store import Database


@pytest.fixture(params=["sqlite", "memory"])
async def journal(request: pytest.FixtureRequest) -> AsyncIterator[Journal]:
    """One of each engine, on a database without a file: what a file adds has tests of its own."""
    async with await Database.memory() as database:
        made = journal_on(database, request.param)
        await made.resume()
        yield made


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A new one in a file."""
    async with await Database.open(tmp_path) as made:
        yield made
