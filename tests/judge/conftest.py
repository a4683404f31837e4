"""Both generations of the official SDK sit in the other seat."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from .sdk import V2_14, V2_27, Generation
from .town import Door


@pytest.fixture(params=[V2_14, V2_27], ids=str)
def generation(request: pytest.FixtureRequest) -> Generation:
    """Which SDK the seats of a test run. Where the two differ on purpose, the test says how."""
    found: Generation = request.param
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door() -> AsyncIterator[Door]:
    """The server of all towns of a file. Its tests and fixtures share its loop: `loop_scope="module"`."""
    async with Door.open() as door:
        yield door
