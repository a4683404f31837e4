"""The server on real sockets: what it serves, whom it turns away, how it starts and stops."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket

import pytest
from net_site import close_code, echo, frame, handshake, healthy, http, read_frame, serving, tcp, until, websocket

from timbot.errors import ConnectionLost
from timbot.im.transport import Connection
from timbot.im.websocket import WebSocketTransport
from timbot.sandbox.asgi import PortInUse, SandboxError, SandboxServer
from timbot.sandbox.guard import Caps
from timbot.sandbox.keys import SecretKey

pytestmark = pytest.mark.real_time

OWN_KEY = SecretKey("0123456789abcdef" * 4, "a test")


# Serving


async def test_the_clients_own_transport_is_served() -> None:
    async with serving() as server:
        connection = await WebSocketTransport().connect(f"{server.url}/info?sdkappid=1")
        await connection.send("\u4f60\u597d".encode())
        assert await connection.receive() == "\u4f60\u597d".encode()
        await connection.close()


async def test_the_hub_is_told_where_the_client_went() -> None:
    urls: list[str] = []

    async def note(_connection: Connection, url: str) -> None:
        urls.append(url)

    async with (
        serving(note, caps=Caps(least_time=0)) as server,
        websocket(server, path="/info?sdkappid=7&random=0.5") as (reader, _),
    ):
        assert await close_code(reader) == 1000
    assert urls == ["ws://127.0.0.1/info?sdkappid=7&random=0.5"]


@pytest.mark.parametrize(("path", "opcode"), [("/info", 1), ("/binfo", 2)])
async def test_each_dialect_is_answered_in_kind(path: str, opcode: int) -> None:
    async with serving() as server, websocket(server, path=path) as (reader, writer):
        for sent in (1, 2):
            writer.write(frame(b"{}", sent))
            assert await read_frame(reader) == (opcode, b"{}")


async def test_fragments_are_put_together() -> None:
    async with serving() as server, websocket(server) as (reader, writer):
        writer.write(frame(b"a", 1, fin=False) + frame(b"b", 0, fin=False) + frame(b"c", 0))
        assert await read_frame(reader) == (1, b"abc")


async def test_the_peers_close_code_reaches_the_hub() -> None:
    codes: list[int] = []

    async def note(connection: Connection, _url: str) -> None:
        try:
            await connection.receive()
        except ConnectionLost as lost:
            codes.append(lost.code)
            raise

    async with serving(note) as server:
        for payload in ((4001).to_bytes(2, "big") + b"bye", b""):
            async with websocket(server) as (reader, writer):
                writer.write(frame(payload, 8))
                await close_code(reader)
        async with websocket(server) as (_, writer):
            writer.transport.abort()
            await until(lambda: len(codes) == 3)
    assert codes == [4001, 1006, 1006]


async def test_the_hubs_close_code_reaches_the_peer_and_ends_its_reading() -> None:
    ended: list[int] = []

    async def kick(connection: Connection, _url: str) -> None:
        await connection.close(4003, "kicked")
        await connection.close(4004)
        with pytest.raises(ConnectionLost):
            await connection.send(b"late")
        with pytest.raises(ConnectionLost) as lost:
            await connection.receive()
        ended.append(lost.value.code)

    async with serving(kick) as server, websocket(server) as (reader, writer):
        assert await close_code(reader) == 4003
        writer.write(frame((4003).to_bytes(2, "big"), 8))
        await until(lambda: ended == [4003])


async def test_a_hub_that_fails_closes_with_1011_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(_connection: Connection, _url: str) -> None:
        raise ValueError("a bug")

    async with serving(fail, caps=Caps(least_time=0)) as server, websocket(server) as (reader, _):
        assert await close_code(reader) == 1011
    assert any("a connection failed" in record.message for record in caplog.records)


async def test_health_and_page() -> None:
    async with serving() as server:
        assert (await healthy(server))["connections"] == 1
        status, body = await http(server, "/")
        assert (status, "TIM server" in body) == (200, True)
        assert (await http(server, "/absent"))[0] == 404
        assert (await http(server, "/healthz", "POST"))[0] == 405


# Host and Origin: on every request


@pytest.mark.parametrize("path", ["/", "/healthz", "/absent"])
async def test_http_is_refused_to_a_rebound_name_and_to_other_origins(path: str) -> None:
    async with serving() as server:
        assert (await http(server, path, Host="evil.example"))[0] == 403
        assert (await http(server, path, Origin="http://evil.example"))[0] == 403


async def test_a_websocket_is_refused_before_the_hub_hears_of_it() -> None:
    served: list[str] = []

    async def note(_connection: Connection, url: str) -> None:
        served.append(url)

    async with serving(note) as server:
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
            async with tcp(server) as (reader, writer):
                writer.write(handshake(**headers))
                assert (await reader.read()).startswith(b"HTTP/1.1 403")
    assert not served


async def test_a_page_of_this_machine_and_an_allowed_name_are_let_in() -> None:
    async with serving(allow_hosts=["tim.example"]) as server:
        async with websocket(server, Origin="http://localhost:3000"):
            pass
        async with websocket(server, Host="tim.example", Origin="https://tim.example"):
            pass


# Starting


async def test_a_port_in_use_is_named_with_the_cure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = SandboxServer(echo, port=port)
        with pytest.raises(PortInUse) as error:
            await server.start()
        assert (error.value.port, error.value.host) == (port, "127.0.0.1")
        assert f"Port {port}" in str(error.value)
        assert "--port" in error.value.hint
        await server.stop()


async def test_a_port_just_left_can_be_taken_again_at_once() -> None:
    async with serving() as server, websocket(server):
        port = server.port
        await server.stop()
    async with serving(port=port) as server:
        await healthy(server)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_off_loopback_it_wants_a_key_and_a_word(host: str) -> None:
    with pytest.raises(SandboxError, match="demo key"):
        await SandboxServer(echo, host=host, port=0, public=True).start()
    with pytest.raises(SandboxError, match="--public"):
        await SandboxServer(echo, host=host, port=0, key=OWN_KEY).start()


async def test_off_loopback_with_both_it_serves() -> None:
    async with serving(host="0.0.0.0", key=OWN_KEY, public=True) as server:
        assert server.url == f"ws://127.0.0.1:{server.port}"
        await healthy(server)


async def test_a_host_that_is_not_there_is_named() -> None:
    with pytest.raises(SandboxError, match=r"no\.such\.host\.invalid"):
        await SandboxServer(echo, host="no.such.host.invalid", port=0).start()
    with pytest.raises(SandboxError, match=r"192\.0\.2\.1"):
        await SandboxServer(echo, host="192.0.2.1", port=0, key=OWN_KEY, public=True).start()


async def test_signals_stay_with_their_owner() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with serving():
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


# Stopping


async def test_stopping_closes_the_connections_and_leaves_no_task() -> None:
    async with serving() as server:
        async with websocket(server) as (reader, _):
            await server.stop()
            assert await close_code(reader) == 1012
        await server.stopped()
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", server.port)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_stopping_waits_for_nobody_for_long() -> None:
    async def push(connection: Connection, _url: str) -> None:
        while True:
            await connection.send(bytes(1 << 20))

    async def stubborn(connection: Connection, _url: str) -> None:
        try:
            await push(connection, "")
        except ConnectionLost:
            await asyncio.sleep(3600)

    started = asyncio.get_running_loop().time()
    async with serving(stubborn) as server:
        async with websocket(server), tcp(server), websocket(server):
            await until(lambda: server.guard.connections == 3)
            await server.stop()
        assert server.guard.connections == 0
    assert asyncio.get_running_loop().time() - started < 5
    assert asyncio.all_tasks() == {asyncio.current_task()}


# Caps where only a socket can show them


async def test_a_connection_too_many_is_told_so() -> None:
    async with serving(caps=Caps(connections=1)) as server:
        async with websocket(server), tcp(server) as (reader, _):
            assert (await reader.read()).startswith(b"HTTP/1.1 503")
        await until(lambda: server.guard.connections == 0)
        await healthy(server)


async def test_one_that_says_nothing_or_speaks_for_ever_is_dropped() -> None:
    async with serving(caps=Caps(http_time=0.2)) as server:
        async with tcp(server) as (silent, _), tcp(server) as (slow, writer), tcp(server) as (after, asking):
            writer.write(b"GET / HTTP/1.1\r\nX-Slow: ")
            asking.write(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n")
            for _ in range(20):
                writer.write(b"a")
                asking.write(b"a")
                await asyncio.sleep(0.01)
            for reader in (silent, slow, after):
                with pytest.raises((ConnectionError, EOFError)):
                    await reader.readuntil(b"never")
        await until(lambda: server.guard.connections == 0)


async def test_a_handshake_that_uvicorn_leaves_hanging_is_dropped() -> None:
    async with serving(caps=Caps(http_time=0.2)) as server:
        async with tcp(server) as (reader, writer):
            writer.write(handshake(**{f"X-{n}": "x" for n in range(200)}))
            with pytest.raises((ConnectionError, EOFError)):
                await reader.readuntil(b"101 Switching")
        await until(lambda: server.guard.connections == 0)


async def test_an_accepted_websocket_outlives_the_time_for_http() -> None:
    async with serving(caps=Caps(http_time=0.1)) as server, websocket(server) as (reader, writer):
        await asyncio.sleep(0.3)
        writer.write(frame(b"still here"))
        assert await read_frame(reader) == (1, b"still here")


async def test_a_stranger_cannot_make_the_server_hold_a_large_frame() -> None:
    async with serving(caps=Caps(first_frame=1000)) as server:
        async with websocket(server) as (reader, writer):
            writer.write(frame(bytes(10_000_000))[:20])
            assert await close_code(reader) == 1009
        async with websocket(server) as (reader, writer):
            writer.write(frame(b"login"))
            await read_frame(reader)
            writer.write(frame(bytes(200_000)))
            assert (await read_frame(reader))[1] == bytes(200_000)


@pytest.mark.parametrize("noise", [frame(b"", 10), frame(b"", 9), frame(b"", 0, fin=False)], ids=["pong", "ping", "fragment"])
async def test_noise_without_end_is_ended(noise: bytes) -> None:
    async with serving(caps=Caps(control_burst=100, control_rate=1)) as server, websocket(server) as (reader, writer):
        writer.write(frame(b"x", 1, fin=False) + noise * 200)
        assert await close_code(reader) == 1008
        assert server.guard.hits["control"] == 1


@pytest.mark.parametrize("rest", [b"", frame(b"", 8), frame(b"{}")], ids=["alone", "goodbye", "more"])
async def test_text_that_is_no_utf8_ends_its_connection_without_a_word(rest: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as server, websocket(server) as (reader, writer):
        writer.write(frame(b"\xff") + rest)
        assert await close_code(reader) in (1005, 1006, 1007)
        await until(lambda: server.guard.connections == 0)
    assert not [record for record in caplog.records if record.name != "timbot.sandbox.guard"]


async def test_pings_that_are_never_read_do_not_pile_up() -> None:
    async with serving(caps=Caps(control_burst=1_000_000)) as server, websocket(server) as (_, writer):
        (connection,) = server._serving._server.server_state.connections  # type: ignore[union-attr]
        largest = 0
        for _ in range(100):
            writer.write(frame(bytes(125), 9) * 1000)
            await asyncio.sleep(0.01)
            largest = max(largest, connection.transport.get_write_buffer_size())
        assert largest < 200_000


async def test_a_peer_that_does_not_read_loses_its_connection() -> None:
    lost: list[int] = []

    async def push(connection: Connection, _url: str) -> None:
        try:
            while True:
                await connection.send(bytes(1 << 20))
        except ConnectionLost as error:
            lost.append(error.code)
            raise

    async with serving(push, caps=Caps(send_time=0.2, close_time=0.1, least_time=0)) as server, websocket(server):
        await until(lambda: lost == [1008])
        await until(lambda: server.guard.connections == 0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_reader_learns_that_the_writer_gave_its_peer_up() -> None:
    ended: list[int] = []

    async def push(connection: Connection) -> None:
        with contextlib.suppress(ConnectionLost):
            while True:
                await connection.send(bytes(1 << 20))

    async def serve(connection: Connection, _url: str) -> None:
        writer = asyncio.create_task(push(connection), name="writer")
        try:
            await connection.receive()
        except ConnectionLost as lost:
            ended.append(lost.code)
        await writer

    async with serving(serve, caps=Caps(send_time=0.2, close_time=0.2, least_time=0)) as server, websocket(server):
        await until(lambda: ended == [1006], within=5)
        await until(lambda: server.guard.connections == 0)


async def test_a_peer_that_does_not_fetch_the_rest_is_dropped_after_closing() -> None:
    server: SandboxServer

    async def fill(connection: Connection, _url: str) -> None:
        (beneath,) = server._serving._server.server_state.connections  # type: ignore[union-attr]
        while not beneath.transport.get_write_buffer_size():  # a little is left: too little to block the goodbye
            await connection.send(bytes(8192))

    async with serving(fill, caps=Caps(close_time=0.2, least_time=0)) as server, websocket(server):
        await until(lambda: server.guard.connections == 0, within=5)


async def test_a_server_that_has_stopped_leaves_no_file_open() -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    async with serving() as server, websocket(server), tcp(server):
        pass
    await asyncio.sleep(0)
    assert len(os.listdir("/proc/self/fd")) == before
