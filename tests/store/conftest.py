"""A store in each of its two forms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from timbot.store import Database


@pytest.fixture(params=["file", "memory"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A new one, which the test may close itself."""
    made = await (Database.open(tmp_path / "store") if request.param == "file" else Database.memory())
    async with made:
        yield made
