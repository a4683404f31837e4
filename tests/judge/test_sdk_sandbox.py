"""The official SDK in every seat, timbot's sandbox between them."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from timbot.errors import ConnectionLost
from timbot.sandbox import Sandbox

from .sdk import Message, Sdk, SdkError, Seat, frames, live

pytestmark = pytest.mark.judge

KEY = "0123456789abcdef" * 4


class Socket:
    """A real WebSocket as the sandbox wants its connections."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def send(self, frame: bytes) -> None:
        try:
            await self._connection.send(frame.decode())
        except ConnectionClosed as error:
            raise ConnectionLost(str(error)) from None

    async def receive(self) -> bytes:
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise ConnectionLost(str(error)) from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._connection.close(code, reason[:100])


class Town:
    """A sandbox behind a listener, and the SDK process with its seats."""

    def __init__(self, sandbox: Sandbox, sdk: Sdk, port: int) -> None:
        self.sandbox = sandbox
        self.sdk = sdk
        self.port = port

    async def seat(self, name: str, user: str | None = None) -> Seat:
        return await self.sdk.seat(name, port=self.port, user_id=user or name)

    async def enter(self, name: str, user: str | None = None) -> Seat:
        seat = await self.seat(name, user)
        await self.login(seat)
        return seat

    async def login(self, seat: Seat) -> None:
        await seat.login(self.sandbox.usersig(seat.user_id))
        await seat.ready()


@contextlib.asynccontextmanager
async def listening(sandbox: Sandbox) -> AsyncIterator[int]:
    async def accept(connection: ServerConnection) -> None:
        assert connection.request is not None
        await sandbox.serve(Socket(connection), connection.request.path)

    async with serve(accept, "127.0.0.1", 0) as server:
        try:
            yield port_of(server)
        finally:
            await sandbox.stop()


def port_of(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    sandbox = Sandbox(KEY, users=("alice", "bob", "carol", "dave"), chance=random.Random(7))
    async with listening(sandbox) as port, Sdk.start() as sdk:
        yield Town(sandbox, sdk, port)


async def test_two_users_talk(town: Town) -> None:
    alice, bob = await town.enter("alice"), await town.enter("bob")
    sent = await alice.send_text("bob", "hello")
    got = await bob.expect_message(text="hello")
    assert (got["from"], got["to"], got["conversationID"]) == ("alice", "bob", "C2Calice")
    assert (got["sequence"], got["random"], got["time"]) == (sent["sequence"], sent["random"], sent["time"])
    assert alice.warnings == bob.warnings == []
