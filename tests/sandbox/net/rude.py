"""Peers without manners, from a seed: connections dropped in every rude way, and frames no client would send."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from net_site import close_code, frame, handshake, tcp

from timbot.im.wire.commands import COMMANDS
from timbot.im.wire.usersig import sign
from timbot.sandbox.asgi import SandboxServer

STRANGE_KEY = "f" * 64


# Connections


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST: the peer has crashed, or wants to seem so."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _send(server: SandboxServer, data: bytes, *, reset: bool, wait: bool = False) -> None:
    async with tcp(server) as (reader, writer):
        writer.write(data)
        if wait:
            await reader.read(64)
        if reset:
            _reset(writer)


async def _stay(server: SandboxServer, data: bytes) -> None:
    """Say this and then nothing, until the server has had enough."""
    async with tcp(server) as (reader, writer):
        writer.write(data)
        try:
            while await reader.read(4096):
                pass
        except ConnectionError:
            return


def _ways(chance: random.Random) -> list[Callable[[SandboxServer], Awaitable[None]]]:
    """One of each, with random contents."""
    hello = handshake()
    cut = chance.randrange(1, len(hello))
    rubbish = chance.randbytes(chance.randrange(1, 5000))
    half_a_frame = frame(b"x" * 1000)[: chance.randrange(1, 900)]
    endless = b"\x81\xff" + (2**63 - 1).to_bytes(8, "big") + bytes(4)
    unmasked = b"\x81\x02{}"
    reserved = bytes([0x80 | chance.choice([3, 4, 5, 6, 7, 11, 12, 15]), 0x80]) + bytes(4)
    one_byte_close = frame(b"\x03", 8)
    long_header = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"a" * 100_000
    many_headers = handshake(**{f"X-{n}": "x" for n in range(200)})
    return [
        lambda server: _send(server, b"", reset=False),
        lambda server: _send(server, b"", reset=True),
        lambda server: _stay(server, b""),
        lambda server: _send(server, hello[:cut], reset=False),
        lambda server: _send(server, hello[:cut], reset=True),
        lambda server: _stay(server, hello[:cut]),
        lambda server: _send(server, hello, reset=True),
        lambda server: _send(server, hello, reset=True, wait=True),
        lambda server: _send(server, hello, reset=False, wait=True),
        lambda server: _stay(server, hello),
        lambda server: _send(server, rubbish, reset=True),
        lambda server: _stay(server, rubbish + b"\r\n\r\n"),
        lambda server: _send(server, hello + half_a_frame, reset=True, wait=True),
        lambda server: _talk(server, [half_a_frame]),
        lambda server: _talk(server, [endless]),
        lambda server: _talk(server, [unmasked]),
        lambda server: _talk(server, [reserved]),
        lambda server: _talk(server, [one_byte_close]),
        lambda server: _talk(server, [frame(b"", 0, fin=False)]),
        lambda server: _talk(server, [frame(bytes(126), 9)]),
        lambda server: _stay(server, long_header),
        lambda server: _stay(server, many_headers),
        lambda server: _stay(server, b"GET / HTTP/1.0\r\n\r\n"),
        lambda server: _stay(server, b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999\r\n\r\nabc"),
        lambda server: _stay(server, handshake(Sec_WebSocket_Key="short")),
        lambda server: _stay(server, handshake(path="/absent")),
        lambda server: _stay(server, handshake(Origin="http://evil.example")),
    ]


async def rude_connections(server: SandboxServer, count: int, seed: int) -> None:
    """`count` connections, a hundred at a time, until the server is rid of all of them."""
    chance = random.Random(seed)
    ways: list[Callable[[SandboxServer], Awaitable[None]]] = []
    while len(ways) < count:
        ways.extend(_ways(chance))
    room = asyncio.Semaphore(100)

    async def one(way: Callable[[SandboxServer], Awaitable[None]]) -> None:
        async with room:
            try:
                await way(server)
            except (ConnectionError, EOFError):
                return  # being thrown out is what it asked for

    await asyncio.gather(*(one(way) for way in ways[:count]))


# Frames


def hostile_frames(count: int, seed: int, victim: dict[str, Any]) -> Iterator[tuple[bytes, int]]:
    """(payload, opcode). `victim`: the fields of somebody's head that are no secret: identifier, tinyid, status_instid."""
    chance = random.Random(seed)
    names = sorted(COMMANDS)
    for n in range(count):
        opcode = 2 if n % 7 == 0 else 1
        yield _payload(n % 12, chance, names, victim), opcode


def _payload(kind: int, chance: random.Random, names: list[str], victim: dict[str, Any]) -> bytes:
    name = chance.choice(names)
    if kind == 0:
        return chance.randbytes(chance.randrange(0, 2000))
    if kind == 1:
        return chance.choice([b"[", b'{"a":', b'{"head":', b'[{"body":[']) * chance.randrange(1000, 25_000)
    if kind == 2:
        return _request(name, {"identifier": "x" * chance.randrange(1000, 200_000)}, {"GroupId": "y" * 20_000})
    if kind == 3:
        odd: object = chance.choice([None, [], {}, "text", 1.5, -1, 2**70, True, "\ud800"])
        return json.dumps({"head": {"servcmd": odd, "seq": odd, "sdkappid": odd}, "body": odd}).encode()
    if kind == 4:
        return chance.choice(
            [b"", b"null", b"0", b'"', b"{}", b"[]", b'{"head":{}}', b'{"head":null}', b"1e999", b"\xef\xbb\xbf{}"]
        )
    if kind == 5:
        whole = _request(name, victim, _body(chance))
        return whole[: chance.randrange(len(whole))]
    if kind == 6:
        return _request(name, {**victim, "identifier": "\udcff\x00\u202e"}, {"MsgBody": "\ud800" * 100})
    return _request(name, _forged(chance, victim), _body(chance))


def _forged(chance: random.Random, victim: dict[str, Any]) -> dict[str, Any]:
    """The head of somebody who claims to be the victim, and has nothing to show for it."""
    user = victim["identifier"]
    now = chance.choice([0, 1_700_000_000, 4_000_000_000])
    return chance.choice(
        [
            victim,
            {**victim, "usersig": ""},
            {**victim, "usersig": sign(1400000000, STRANGE_KEY, user, now=now)},
            {**victim, "usersig": sign(1400000001, STRANGE_KEY, user, now=now)},
            {**victim, "usersig": chance.randbytes(200).hex()},
            {**victim, "a2": chance.randbytes(24).hex()},
            {**victim, "a2": "", "usersig": None},
            {"identifier": "administrator", "usersig": sign(1400000000, STRANGE_KEY, "administrator", now=now)},
            {"identifier": "@TIM#SYSTEM", "usersig": sign(1400000000, STRANGE_KEY, "@TIM#SYSTEM", now=now)},
        ]
    )


def _body(chance: random.Random) -> dict[str, Any]:
    """Fields enough for any command that would change something."""
    message = [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "forged"}}]
    return {
        "From_Account": "alice",
        "To_Account": chance.choice(["bob", ["bob"]]),
        "MsgSeq": 1,
        "MsgRandom": chance.randrange(2**32),
        "Random": chance.randrange(2**32),
        "MsgBody": message,
        "MsgTimeStamp": 1,
        "State": "Online",
        "Type": "Public",
        "Name": "forged",
        "GroupId": chance.choice(["square", "forged"]),
        "MemberList": [{"Member_Account": "bob"}],
        "AddFriendItem": [{"To_Account": "bob", "AddSource": "AddSource_Type_Web"}],
        "ProfileItem": [{"Tag": "Tag_Profile_IM_Nick", "Value": "forged"}],
    }


def _request(name: str, head: dict[str, Any], body: object) -> bytes:
    return json.dumps({"head": {"servcmd": name, "seq": 1, "sdkappid": 1400000000, **head}, "body": body}).encode()


async def _talk(server: SandboxServer, frames: list[bytes]) -> None:
    """Open a WebSocket, say all this, and read until the server has had enough of it."""
    async with tcp(server) as (reader, writer):
        writer.write(handshake())
        await reader.readuntil(b"\r\n\r\n")
        for data in frames:
            writer.write(data)
        await writer.drain()
        await close_code(reader)


async def rude_frames(server: SandboxServer, count: int, seed: int, victim: dict[str, Any], *, sockets: int = 40) -> int:
    """`count` hostile frames, 25 to a connection, `sockets` connections at a time; how many of them the hub must have seen.

    Text that is no UTF-8 ends a connection (1007) before the hub sees it: such a frame is the last of its connection.
    """
    frames = hostile_frames(count, seed, victim)
    seen = 0

    async def one() -> None:
        nonlocal seen
        while batch := list(_batch(frames)):
            await _talk(server, [*(frame(*item) for item in batch), frame((1000).to_bytes(2, "big"), 8)])
            seen += len(batch) - _not_text(*batch[-1])

    await asyncio.gather(*(one() for _ in range(sockets)))
    return seen


def _batch(frames: Iterator[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
    for item in itertools.islice(frames, 25):
        yield item
        if _not_text(*item):
            return


def _not_text(payload: bytes, opcode: int) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return opcode == 1
    return False
