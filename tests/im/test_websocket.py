"""The real transport, over real sockets on this machine."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from timbot.errors import ConnectionLost
from timbot.im import websocket
from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import Endpoint
from timbot.im.websocket import WebSocketConnection, WebSocketTransport
from timbot.im.wire.envelope import MAX_FRAME
from timbot.sandbox.asgi import SandboxServer
from timbot.sandbox.hub import Sandbox

pytestmark = pytest.mark.real_time

Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def connected(handler: Handler) -> AsyncIterator[WebSocketConnection]:
    async with serve(handler, "127.0.0.1", 0, max_size=None) as server:
        port = server.sockets[0].getsockname()[1]
        connection = await WebSocketTransport().connect(f"ws://127.0.0.1:{port}/info")
        yield connection
        await connection.close()


async def echo(peer: ServerConnection) -> None:
    async for message in peer:
        await peer.send(message)


async def test_frames_are_text_both_ways() -> None:
    kinds: list[type] = []

    async def note(peer: ServerConnection) -> None:
        async for message in peer:
            kinds.append(type(message))
            await peer.send(message)

    async with connected(note) as connection:
        await connection.send('{"text":"你好"}'.encode())
        assert await connection.receive() == '{"text":"你好"}'.encode()
    assert kinds == [str]


async def test_a_binary_frame_is_read_too() -> None:
    async with connected(lambda peer: peer.send(b"\x00\xff")) as connection:
        assert await connection.receive() == b"\x00\xff"


async def test_a_big_message_arrives() -> None:
    big = b"x" * (8 * 1024 * 1024)
    async with connected(echo) as connection:
        await connection.send(big)
        assert await connection.receive() == big


async def test_a_bigger_one_ends_the_connection() -> None:
    async with connected(lambda peer: peer.send("x" * (MAX_FRAME + 1))) as connection:
        with pytest.raises(ConnectionLost):
            await connection.receive()


async def test_the_code_of_a_goodbye_is_told() -> None:
    async with connected(lambda peer: peer.close(4009, "enough")) as connection:
        with pytest.raises(ConnectionLost, match=r"closed the connection \(4009 enough\)\.$") as lost:
            await connection.receive()
    assert (lost.value.code, lost.value.reason) == (4009, "enough")


async def test_no_goodbye_is_told_too() -> None:
    async def abort(peer: ServerConnection) -> None:
        peer.transport.abort()

    async with connected(abort) as connection:
        with pytest.raises(ConnectionLost, match="without a goodbye") as lost:
            await connection.receive()
    assert lost.value.code == 1006


async def test_sending_on_a_closed_connection() -> None:
    async with connected(lambda peer: peer.close()) as connection:
        with pytest.raises(ConnectionLost):
            await connection.receive()
        with pytest.raises(ConnectionLost):
            await connection.send(b"{}")


async def test_what_arrived_before_the_goodbye_is_read_first() -> None:
    async def talk(peer: ServerConnection) -> None:
        await peer.send("1")
        await peer.send("2")
        await peer.close()

    async with connected(talk) as connection:
        assert [await connection.receive(), await connection.receive()] == [b"1", b"2"]
        with pytest.raises(ConnectionLost):
            await connection.receive()


async def test_closing_says_the_code_and_is_idempotent() -> None:
    codes: asyncio.Queue[int | None] = asyncio.Queue()

    async def note(peer: ServerConnection) -> None:
        await peer.wait_closed()
        codes.put_nowait(peer.close_code)

    async with connected(note) as connection:
        await connection.close(4000, "bye")
        await connection.close(4001)
        assert await codes.get() == 4000


async def test_closing_does_not_wait_for_a_peer_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "CLOSE_TIMEOUT", 0.2)
    release = asyncio.Event()

    async def deaf(peer: ServerConnection) -> None:
        peer.transport.pause_reading()
        await release.wait()
        peer.transport.abort()

    async with connected(deaf) as connection:
        sending = asyncio.create_task(connection.send(os.urandom(32 * 1024 * 1024)))
        await asyncio.wait({sending}, timeout=0.2)
        stuck = not sending.done()
        async with asyncio.timeout(5):
            await connection.close()
        await asyncio.wait({sending}, timeout=5)
        release.set()
        assert stuck
        assert sending.done()


async def test_a_cancelled_close_leaves_no_socket() -> None:
    release = asyncio.Event()

    async def stubborn(peer: ServerConnection) -> None:
        peer.transport.pause_reading()
        await release.wait()
        peer.transport.abort()

    async with connected(stubborn) as connection:
        closing = asyncio.create_task(connection.close())
        await asyncio.wait({closing}, timeout=0.1)
        closing.cancel()
        await asyncio.wait({closing})
        assert connection._socket.transport.is_closing()
        release.set()


async def test_a_refused_connect_says_where_and_why() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ConnectionLost, match=rf"Cannot connect to ws://127\.0\.0\.1:{port}: .+"):
            await WebSocketTransport().connect(f"ws://127.0.0.1:{port}/info?usersig=secret")


async def test_a_server_of_another_kind_says_so() -> None:
    async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(http, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectionLost, match="403"):
            await WebSocketTransport().connect(f"ws://127.0.0.1:{port}/info")


@pytest.mark.parametrize("url", ["ws://127.0.0.1:99999/info", "http://127.0.0.1/info", "ws://no.such.host.invalid/info"])
async def test_an_address_that_is_none_is_a_lost_connection(url: str) -> None:
    with pytest.raises(ConnectionLost, match="Cannot connect"):
        await WebSocketTransport().connect(url)


async def test_a_client_and_the_sandbox_talk_over_it() -> None:
    sandbox = Sandbox("key", users=["alice", "bot"])
    server = SandboxServer(sandbox.serve, port=0)
    await server.start()
    try:
        endpoint = Endpoint("test", (f"ws://127.0.0.1:{server.port}",))
        source = from_secret_key(sandbox.sdk_app_id, "key")
        async with Client(Account(sandbox.sdk_app_id, "alice", source), endpoint=endpoint) as alice:
            profile = await alice.get_my_profile()
            assert profile.user_id == "alice"
            assert json.dumps(profile.nick)
    finally:
        await server.stop()
        await sandbox.stop()


# Why a connection cannot be had


async def refusal(url: str) -> ConnectionLost:
    with pytest.raises(ConnectionLost) as caught:
        await WebSocketTransport().connect(url)
    return caught.value


async def test_nothing_listens_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        error = await refusal(f"ws://127.0.0.1:{free.getsockname()[1]}/info")
    assert error.message.endswith(": nothing listens there.")
    assert "its port" in error.hint


async def test_a_name_that_is_not_known() -> None:
    error = await refusal("ws://no-such-host.invalid/info")
    assert error.message == "Cannot connect to ws://no-such-host.invalid: the name is not known."
    assert "for a slip" in error.hint


@pytest.mark.parametrize(
    ("answer", "scheme", "why", "cure"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "ws", "it answered HTTP 403", "no TIM server"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "ws", "no WebSocket server", "If it wants TLS, write wss://."),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "wss", "it does not speak TLS", "A local server is at ws://."),
    ],
)
async def test_something_else_answers_there(answer: bytes, scheme: str, why: str, cure: str) -> None:
    async def serve_it(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve_it, "127.0.0.1", 0) as server:
        error = await refusal(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/info")
    assert why in error.message
    assert cure in error.hint
