"""The in-memory network behaves like a WebSocket, and its faults strike exactly where they were planned."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timbot.errors import ConnectionLost
from timbot.im.transport import Connection, Transport
from timbot.testing import Deadlock, Faults, Line, PipeConnection, PipeTransport, pipe, run


def now() -> float:
    return asyncio.get_running_loop().time()


async def read_all(connection: Connection) -> tuple[list[bytes], int]:
    """Every frame until the end, and the code it ended with."""
    frames: list[bytes] = []
    while True:
        try:
            frames.append(await connection.receive())
        except ConnectionLost as lost:
            return frames, lost.code


async def send_all(connection: Connection, *frames: bytes) -> None:
    for frame in frames:
        await connection.send(frame)


async def echo(connection: PipeConnection, url: str) -> None:
    while True:
        await connection.send(b"re:" + await connection.receive())


# A pair without faults


@given(
    st.lists(st.binary(max_size=8), max_size=60),
    st.lists(st.binary(max_size=8), max_size=60),
    st.floats(0, 5),
    st.floats(0, 5),
    st.integers(1, 10),
    st.integers(0, 2**32),
)
def test_the_pipe_keeps_order_and_loses_nothing(
    up: list[bytes], down: list[bytes], latency: float, jitter: float, capacity: int, seed: int
) -> None:
    async def main() -> list[tuple[list[bytes], int]]:
        client, server = pipe(Line(latency, jitter, capacity), Faults(random.Random(seed)))

        async def talk(connection: PipeConnection, frames: list[bytes]) -> None:
            await send_all(connection, *frames, b"the last")

        async def listen(connection: PipeConnection, count: int) -> list[bytes]:
            return [await connection.receive() for _ in range(count)]

        async with asyncio.TaskGroup() as group:
            group.create_task(talk(client, up), name="client talks")
            group.create_task(talk(server, down), name="server talks")
            at_server = group.create_task(listen(server, len(up) + 1), name="server listens")
            at_client = group.create_task(listen(client, len(down) + 1), name="client listens")
        await client.close()
        return [(at_server.result(), (await read_all(server))[1]), (at_client.result(), (await read_all(client))[1])]

    assert run(main()) == [([*up, b"the last"], 1000), ([*down, b"the last"], 1000)]


async def test_a_frame_takes_the_lines_latency() -> None:
    client, server = pipe(Line(latency=0.25))
    await client.send(b"x")
    await server.receive()
    assert now() == 0.25


async def test_jitter_comes_from_the_injected_chance() -> None:
    client, server = pipe(Line(latency=1, jitter=2), Faults(random.Random(7)))
    await client.send(b"x")
    await server.receive()
    assert now() == 1 + random.Random(7).uniform(0, 2)


async def test_a_full_pipe_makes_the_sender_wait() -> None:
    client, server = pipe(Line(capacity=2))
    await send_all(client, b"1", b"2")
    third = asyncio.create_task(client.send(b"3"), name="third")
    await asyncio.sleep(1)
    waited = not third.done()
    await server.receive()
    await third
    assert waited


async def test_waiting_senders_keep_their_order() -> None:
    client, server = pipe(Line(capacity=1))
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(client.send(b"%d" % number), name=f"sender {number}")
        received = [await server.receive() for _ in range(20)]
    assert received == [b"%d" % number for number in range(20)]


async def test_a_new_sender_does_not_pass_one_that_waits() -> None:
    client, server = pipe(Line(capacity=1))
    await client.send(b"1")
    second = asyncio.create_task(client.send(b"2"), name="second")
    await asyncio.sleep(1)
    received = [await server.receive()]  # there is room now, and the one who waited for it has not run yet
    rest = asyncio.create_task(read_all(server), name="reader")
    await client.send(b"3")
    await second
    await client.close()
    assert received + (await rest)[0] == [b"1", b"2", b"3"]


async def test_a_cancelled_sender_sends_nothing() -> None:
    client, server = pipe(Line(capacity=1))
    await client.send(b"1")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.send(b"2"), 1)
    await server.receive()
    await client.send(b"3")
    assert await server.receive() == b"3"


async def test_a_cancelled_receive_loses_no_frame() -> None:
    client, server = pipe()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(server.receive(), 1)
    await client.send(b"x")
    assert await server.receive() == b"x"


async def test_a_second_reader_is_refused() -> None:
    _, server = pipe()
    reader = asyncio.create_task(server.receive(), name="first reader")
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="one reader"):
        await server.receive()
    reader.cancel()


async def test_only_bytes_are_frames() -> None:
    client, _ = pipe()
    with pytest.raises(TypeError, match="not str"):
        await client.send("text")  # type: ignore[arg-type]


# Closing


async def test_the_close_code_comes_after_the_frames() -> None:
    client, server = pipe(Line(latency=1))
    await send_all(client, b"1", b"2")
    await client.close(4001, "enough")
    assert await read_all(server) == ([b"1", b"2"], 4001)


async def test_the_reason_reaches_the_peer() -> None:
    client, server = pipe()
    await client.close(4001, "enough")
    with pytest.raises(ConnectionLost, match="4001 enough"):
        await server.receive()


async def test_a_closed_side_sends_nothing_more() -> None:
    client, _ = pipe()
    await client.close()
    with pytest.raises(ConnectionLost):
        await client.send(b"x")


async def test_closing_wakes_ones_own_reader() -> None:
    client, _ = pipe()
    reading = asyncio.create_task(read_all(client), name="reader")
    await asyncio.sleep(1)
    await client.close()
    assert await reading == ([], 1000)


async def test_only_the_first_close_counts() -> None:
    client, server = pipe()
    await client.close(4001)
    await client.close(4002)
    assert (await read_all(server))[1] == 4001


async def test_a_peer_that_has_not_heard_of_the_close_sends_into_the_void() -> None:
    client, server = pipe(Line(latency=1))
    await client.close()
    await server.send(b"too late")
    assert await read_all(client) == ([], 1000)


async def test_a_close_releases_a_waiting_sender_of_the_peer() -> None:
    client, server = pipe(Line(capacity=1))
    await server.send(b"1")
    second = asyncio.create_task(server.send(b"2"), name="second")
    await asyncio.sleep(1)
    await client.close()
    with pytest.raises(ConnectionLost):
        await second


async def test_closing_wakes_ones_own_waiting_sender() -> None:
    client, _ = pipe(Line(latency=60, capacity=1))
    await client.send(b"1")
    second = asyncio.create_task(client.send(b"2"), name="second")
    await asyncio.sleep(1)
    await client.close()
    with pytest.raises(ConnectionLost):
        await second
    assert now() == 1.0


# Cuts


async def test_a_cut_is_1006_on_both_sides() -> None:
    faults = Faults()
    client, server = pipe(faults=faults)
    faults.cut()
    assert [(await read_all(end))[1] for end in (client, server)] == [1006, 1006]


async def test_a_cut_gives_what_had_arrived_and_loses_what_was_in_flight() -> None:
    faults = Faults()
    client, server = pipe(Line(latency=1), faults)
    await client.send(b"arrived")
    await asyncio.sleep(1)
    await client.send(b"in flight")
    faults.cut()
    assert await read_all(server) == ([b"arrived"], 1006)


async def test_a_cut_can_let_what_is_in_flight_arrive() -> None:
    faults = Faults()
    client, server = pipe(Line(latency=1), faults)
    await send_all(client, b"1", b"2")
    faults.cut(delivering=["to_server"])
    assert await read_all(server) == ([b"1", b"2"], 1006)


async def test_a_cut_that_still_delivers_upwards_is_known_to_the_client_at_once() -> None:
    faults = Faults()
    client, _ = pipe(Line(latency=1), faults)
    await client.send(b"x")
    faults.cut(delivering=["to_server"])
    assert (await read_all(client), now()) == (([], 1006), 0.0)


async def test_a_cut_wakes_a_waiting_sender() -> None:
    faults = Faults()
    client, _ = pipe(Line(capacity=1), faults)
    await client.send(b"1")
    second = asyncio.create_task(client.send(b"2"), name="second")
    await asyncio.sleep(1)
    faults.cut()
    with pytest.raises(ConnectionLost):
        await second


def test_a_cut_leaves_no_timer_behind() -> None:
    async def main() -> None:
        faults = Faults()
        client, _ = pipe(Line(latency=60), faults)
        await client.send(b"x")
        faults.cut()
        await asyncio.Event().wait()

    with pytest.raises(Deadlock) as caught:
        run(main())
    assert caught.value.at == 0.0


async def test_a_request_cut_after_it_arrived_is_handled_and_its_answer_lost() -> None:
    faults = Faults()
    handled: list[bytes] = []

    async def serve(connection: PipeConnection, url: str) -> None:
        while True:
            handled.append(await connection.receive())
            await connection.send(b"ok " + handled[-1])

    async with PipeTransport(serve, faults=faults) as transport:
        client = await transport.connect("pipe:")
        faults.cut_when(lambda frame: b"sendmsg" in frame, "after", direction="to_server")
        await client.send(b"login")
        await client.receive()
        await client.send(b"sendmsg")
        answers = await read_all(client)
        await asyncio.sleep(1)
    assert (handled, answers) == ([b"login", b"sendmsg"], ([], 1006))


async def test_a_request_cut_before_it_arrived_is_not_handled() -> None:
    faults = Faults()
    client, server = pipe(faults=faults)
    faults.cut_when(lambda frame: frame == b"2", "before")
    await send_all(client, b"1", b"2")
    assert await read_all(server) == ([b"1"], 1006)


async def test_cut_after_counts_the_frames_of_its_direction() -> None:
    faults = Faults()
    client, server = pipe(faults=faults)
    faults.cut_after("to_server", 2)
    await server.send(b"does not count")
    await send_all(client, b"1", b"2")
    assert await read_all(server) == ([b"1", b"2"], 1006)


async def test_cut_after_none_is_refused() -> None:
    with pytest.raises(ValueError, match="from 1"):
        Faults().cut_after("to_server", 0)


async def test_a_cut_strikes_once_unless_told_otherwise() -> None:
    faults = Faults()
    rule = faults.cut_when(lambda frame: True)
    (first, _), (second, _) = pipe(faults=faults), pipe(faults=faults)
    await first.send(b"x")
    await second.send(b"x")
    assert (rule.fired, second.end) == (1, None)


async def test_a_rule_can_be_waited_for() -> None:
    faults = Faults()
    client, _ = pipe(Line(latency=3), faults)
    rule = faults.cut_after("to_server", 1)
    await client.send(b"x")
    await rule.happened.wait()
    assert now() == 3.0


# Frames


async def test_a_dropped_frame_is_lost_and_the_connection_stays_up() -> None:
    faults = Faults()
    client, server = pipe(faults=faults)
    faults.drop(lambda frame: frame == b"2")
    await send_all(client, b"1", b"2", b"3", b"2")
    await client.close()
    assert await read_all(server) == ([b"1", b"3", b"2"], 1000)


async def test_a_rule_keeps_to_its_direction() -> None:
    faults = Faults()
    client, server = pipe(faults=faults)
    faults.drop(lambda frame: True, direction="to_client", times=None)
    await client.send(b"x")
    assert await server.receive() == b"x"


async def test_a_duplicated_frame_arrives_twice() -> None:
    faults = Faults()
    client, server = pipe(faults=faults)
    faults.duplicate(lambda frame: frame == b"1")
    await send_all(client, b"1", b"2")
    assert [await server.receive() for _ in range(3)] == [b"1", b"1", b"2"]


async def test_a_delayed_frame_holds_those_behind_it() -> None:
    faults = Faults()
    client, server = pipe(faults=faults)
    faults.delay(lambda frame: frame == b"1", 5)
    await send_all(client, b"1", b"2")
    assert ([await server.receive() for _ in range(2)], now()) == ([b"1", b"2"], 5.0)


async def test_a_delayed_frame_may_be_overtaken() -> None:
    faults = Faults()
    client, server = pipe(faults=faults)
    faults.delay(lambda frame: frame == b"1", 5, overtaken=True)
    await send_all(client, b"1", b"2")
    assert [(await server.receive(), now()) for _ in range(2)] == [(b"2", 0.0), (b"1", 5.0)]


async def test_probable_faults_are_the_same_for_the_same_seed() -> None:
    async def survivors(seed: int) -> list[bytes]:
        faults = Faults(random.Random(seed))
        client, server = pipe(faults=faults)
        faults.drop(lambda frame: True, times=None, probability=0.5)
        await send_all(client, *(b"%d" % number for number in range(40)))
        await client.close()
        return (await read_all(server))[0]

    assert await survivors(3) == await survivors(3) != await survivors(4)


# Black holes


async def test_nothing_leaves_a_black_hole_and_nobody_is_told() -> None:
    faults = Faults()
    client, server = pipe(faults=faults)
    faults.black_hole()
    await client.send(b"x")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(server.receive(), 3600)
    assert client.end is None


async def test_what_waited_in_a_black_hole_arrives_when_it_heals() -> None:
    faults = Faults()
    client, server = pipe(faults=faults)
    faults.black_hole()
    await send_all(client, b"1", b"2")
    await asyncio.sleep(60)
    faults.heal()
    await client.send(b"3")
    assert ([await server.receive() for _ in range(3)], now()) == ([b"1", b"2", b"3"], 60.0)


async def test_a_black_hole_can_have_one_direction() -> None:
    faults = Faults()
    client, server = pipe(faults=faults)
    faults.black_hole("to_server")
    await server.send(b"x")
    assert await client.receive() == b"x"


async def test_a_cut_loses_what_waited_in_a_black_hole() -> None:
    faults = Faults()
    client, server = pipe(faults=faults)
    faults.black_hole()
    await client.send(b"x")
    faults.cut()
    assert await read_all(server) == ([], 1006)


async def test_a_cut_can_let_out_what_waited_in_a_black_hole() -> None:
    faults = Faults()
    client, server = pipe(faults=faults)
    faults.black_hole()
    await client.send(b"x")
    faults.cut(delivering=["to_server"])
    assert await read_all(server) == ([b"x"], 1006)


async def test_new_connections_are_not_in_the_black_hole() -> None:
    faults = Faults()
    async with PipeTransport(echo, faults=faults) as transport:
        await transport.connect("pipe:")
        faults.black_hole()
        second = await transport.connect("pipe:")
        await second.send(b"x")
        assert await second.receive() == b"re:x"


async def test_connects_can_hang_in_the_black_hole_until_it_heals() -> None:
    faults = Faults()
    async with PipeTransport(echo, faults=faults) as transport:
        faults.black_hole(connects=True)
        asyncio.get_running_loop().call_later(30, faults.heal)
        await transport.connect("pipe:")
        assert now() == 30.0


# The transport


async def test_the_transport_hands_the_other_end_and_the_url_to_the_server() -> None:
    async def serve(connection: PipeConnection, url: str) -> None:
        await connection.send(url.encode())

    async with PipeTransport(serve) as opened:
        transport: Transport = opened
        client: Connection = await transport.connect("pipe:a")
        assert await read_all(client) == ([b"pipe:a"], 1000)


async def test_a_connect_takes_a_round_trip() -> None:
    async with PipeTransport(echo, line=Line(latency=0.1)) as transport:
        await transport.connect("pipe:")
        assert now() == 0.2


async def test_refused_connects_fail_and_the_next_succeeds() -> None:
    faults = Faults()
    faults.refuse(2)
    async with PipeTransport(echo, faults=faults) as transport:
        for _ in range(2):
            with pytest.raises(ConnectionLost, match="refused"):
                await transport.connect("pipe:")
        assert (await transport.connect("pipe:")).end is None


async def test_an_accepted_connection_can_end_at_once_unseen_by_the_server() -> None:
    served: list[str] = []

    async def serve(connection: PipeConnection, url: str) -> None:
        served.append(url)

    faults = Faults()
    faults.accept_then_close(code=1013)
    async with PipeTransport(serve, faults=faults) as transport:
        code = (await read_all(await transport.connect("pipe:")))[1]
    assert (code, served) == (1013, [])


async def test_servers_run_in_named_tasks() -> None:
    names: list[str] = []

    async def serve(connection: PipeConnection, url: str) -> None:
        task = asyncio.current_task()
        names.append(task.get_name() if task else "")

    async with PipeTransport(serve, name="room") as transport:
        for _ in range(2):
            await read_all(await transport.connect("pipe:"))
    assert names == ["room-server-1", "room-server-2"]


async def test_a_server_that_fails_closes_with_1011_and_is_not_forgotten() -> None:
    async def serve(connection: PipeConnection, url: str) -> None:
        raise ZeroDivisionError

    transport = PipeTransport(serve)
    code = (await read_all(await transport.connect("pipe:")))[1]
    with pytest.raises(ZeroDivisionError):
        await transport.aclose()
    assert code == 1011


async def test_several_failed_servers_are_all_told() -> None:
    async def serve(connection: PipeConnection, url: str) -> None:
        raise ZeroDivisionError(url)

    transport = PipeTransport(serve)
    for url in ("a", "b"):
        await read_all(await transport.connect(url))
    with pytest.raises(ExceptionGroup) as caught:
        await transport.aclose()
    assert [str(error) for error in caught.value.exceptions] == ["a", "b"]


async def test_stopping_tells_the_peers_even_of_a_server_not_yet_started() -> None:
    transport = PipeTransport(echo)
    client = await transport.connect("pipe:")
    await transport.aclose()
    assert await read_all(client) == ([], 1001)


async def test_a_stopped_transport_refuses_connects() -> None:
    transport = PipeTransport(echo)
    await transport.aclose()
    with pytest.raises(ConnectionLost, match="refused"):
        await transport.connect("pipe:")


async def test_a_finished_connection_leaves_nothing_behind() -> None:
    faults = Faults()
    async with PipeTransport(echo, faults=faults) as transport:
        for _ in range(3):
            await (await transport.connect("pipe:")).close()
        await asyncio.sleep(1)
        assert faults.cut() == 0
