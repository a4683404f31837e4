"""A server on a real socket for the tests, and peers that speak to it byte by byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from timbot.im.transport import Connection
from timbot.im.wire.commands.status import LOGIN
from timbot.im.wire.envelope import Answer, encode_response
from timbot.sandbox.asgi import SandboxServer, Serve

LOGGED_IN = encode_response(LOGIN.name, 1, Answer())


async def echo(connection: Connection, _url: str) -> None:
    """A hub that lets in whoever says `login`, and says everything else back."""
    while True:
        frame = await connection.receive()
        await connection.send(LOGGED_IN if frame == b"login" else frame)


@asynccontextmanager
async def serving(serve: Serve = echo, **options: Any) -> AsyncIterator[SandboxServer]:
    server = SandboxServer(serve, **{"port": 0, **options})
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def until(condition: Callable[[], bool], *, within: float = 10.0) -> None:
    """Wait for what the server gives no word of: the end of a socket, a count."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def tcp(server: SandboxServer) -> AsyncIterator[Peer]:
    """A bare TCP connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def handshake(path: str = "/info?sdkappid=1400000000", **headers: str) -> bytes:
    """A WebSocket's opening request; `headers` with underscores for hyphens, an empty one is left out."""
    fields = {
        "Host": "127.0.0.1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def frame(payload: bytes, opcode: int = 1, *, fin: bool = True) -> bytes:
    """A masked frame; the mask is zero, which is legal and leaves the payload readable."""
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | size])
    elif size < 65536:
        head = bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | 127]) + size.to_bytes(8, "big")
    return bytes([(0x80 if fin else 0) | opcode]) + head + bytes(4) + payload


@asynccontextmanager
async def websocket(server: SandboxServer, **headers: str) -> AsyncIterator[Peer]:
    """A TCP connection that has become a WebSocket."""
    async with tcp(server) as (reader, writer):
        writer.write(handshake(**headers))
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101"), answer
        yield reader, writer


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The opcode and payload of one frame from the server."""
    first, second = await reader.readexactly(2)
    size = second & 127
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    elif size == 127:
        size = int.from_bytes(await reader.readexactly(8), "big")
    return first & 15, await reader.readexactly(size)


async def close_code(reader: asyncio.StreamReader) -> int:
    """Read until the server closes; the code it closes with, 1006 if it says none."""
    try:
        while True:
            opcode, payload = await read_frame(reader)
            if opcode == 8:
                return int.from_bytes(payload[:2], "big") if payload else 1005
    except (asyncio.IncompleteReadError, ConnectionError):
        return 1006


async def http(server: SandboxServer, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """Status and body of a request on a connection of its own."""
    fields = {"Host": "127.0.0.1", "Connection": "close", **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value)]
    async with tcp(server) as (reader, writer):
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


async def healthy(server: SandboxServer) -> dict[str, Any]:
    status, body = await http(server, "/healthz")
    assert status == 200
    answer: dict[str, Any] = json.loads(body)
    assert answer["status"] == "ok"
    return answer
