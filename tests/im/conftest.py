from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from client_site import Site, open_site
from scripted_server import ScriptedServer

from timbot.sandbox.domain import Settings


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer()
    async with server.transport:
        yield server


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site(Settings(instances=2)) as site:
        yield site
