"""The caps, on virtual time."""

from __future__ import annotations

import asyncio
import logging

import pytest

from timbot.errors import ConnectionLost
from timbot.im.transport import Connection
from timbot.im.wire.commands.status import LOGIN
from timbot.im.wire.envelope import Answer, encode_response, refusal
from timbot.sandbox.guard import Bucket, Caps, Guard, GuardedConnection
from timbot.testing import Line, PipeConnection, VirtualClock, pipe

LOGGED_IN = encode_response(LOGIN.name, 1, Answer(action_status="OK"))


def now() -> float:
    return asyncio.get_running_loop().time()


def guarded(
    clock: VirtualClock, caps: Caps | None = None, line: Line | None = None
) -> tuple[PipeConnection, GuardedConnection]:
    """A peer, and the server's end under the guard."""
    peer, end = pipe(line)
    admission = Guard(caps or Caps(), clock).admit("192.0.2.1")
    assert admission is not None
    return peer, admission.protect(end)


async def read_to_end(connection: Connection) -> tuple[int, int]:
    """How many frames came, and the code it ended with."""
    count = 0
    while True:
        try:
            await connection.receive()
        except ConnectionLost as lost:
            return count, lost.code
        count += 1


# Admission


async def test_there_is_room_for_so_many_and_no_more(clock: VirtualClock) -> None:
    guard = Guard(Caps(connections=3), clock)
    admitted = [guard.admit(f"192.0.2.{n}") for n in range(5)]
    assert [admission is not None for admission in admitted] == [True, True, True, False, False]
    assert guard.hits == {"connections": 2}


async def test_one_address_cannot_take_all_the_room(clock: VirtualClock) -> None:
    guard = Guard(Caps(per_address=2), clock)
    assert [guard.admit("192.0.2.1") is not None for _ in range(3)] == [True, True, False]
    assert guard.admit("192.0.2.2") is not None


async def test_an_ipv6_address_counts_by_its_network(clock: VirtualClock) -> None:
    guard = Guard(Caps(per_address=1), clock)
    assert guard.admit("2001:db8::1") is not None
    assert guard.admit("2001:db8::2") is None
    assert guard.admit("2001:db8:0:1::1") is not None


async def test_an_ipv4_address_in_ipv6_clothes_is_the_same(clock: VirtualClock) -> None:
    guard = Guard(Caps(per_address=1), clock)
    assert guard.admit("::ffff:192.0.2.1") is not None
    assert guard.admit("192.0.2.1") is None


async def test_who_has_left_makes_room_once(clock: VirtualClock) -> None:
    guard = Guard(Caps(connections=1), clock)
    first = guard.admit("192.0.2.1")
    assert first is not None
    first.release()
    first.release()
    assert guard.connections == 0
    assert guard.admit("192.0.2.1") is not None
    assert guard.admit("192.0.2.1") is None


async def test_addresses_seen_once_leave_nothing_behind(clock: VirtualClock) -> None:
    guard = Guard(clock=clock)
    for n in range(1000):
        admission = guard.admit(f"192.0.{n // 256}.{n % 256}")
        assert admission is not None
        admission.release()
    assert not guard._addresses


async def test_a_flood_of_refusals_is_a_trickle_of_lines(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard(Caps(connections=0), clock)
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            guard.admit("192.0.2.1")
        await asyncio.sleep(10)
        guard.admit("192.0.2.1")
    assert [record.getMessage() for record in caplog.records] == [
        "limit connections hit by 192.0.2.1 (1 times so far)",
        "limit connections hit by 192.0.2.1 (1001 times so far)",
    ]


# Time to log in


async def test_who_does_not_log_in_is_closed_after_the_time_for_it(clock: VirtualClock) -> None:
    peer, end = guarded(clock)
    assert await read_to_end(end) == (0, 1008)
    assert now() == 15
    assert (await read_to_end(peer))[1] == 1008


async def test_frames_alone_do_not_prolong_it(clock: VirtualClock) -> None:
    peer, end = guarded(clock)
    reading = asyncio.create_task(read_to_end(end))
    for _ in range(10):
        await peer.send(b"{}")
        await asyncio.sleep(1.4)
    assert await reading == (10, 1008)
    assert now() == 15


async def test_who_has_logged_in_may_stay(clock: VirtualClock) -> None:
    peer, end = guarded(clock)
    await peer.send(b"login")
    await end.receive()
    await end.send(LOGGED_IN)
    reading = asyncio.create_task(read_to_end(end))
    await asyncio.sleep(86400)
    assert not reading.done()
    await peer.close()
    assert await reading == (0, 1000)


async def test_a_login_counts_while_the_next_frame_is_awaited(clock: VirtualClock) -> None:
    peer, end = guarded(clock)
    reading = asyncio.create_task(read_to_end(end))
    await asyncio.sleep(14)
    await end.send(LOGGED_IN)
    await asyncio.sleep(60)
    assert not reading.done()
    await peer.close()
    await reading


async def test_no_socket_is_turned_out_within_its_first_second(clock: VirtualClock) -> None:
    _, end = guarded(clock, Caps(login_time=0.1))
    assert (await read_to_end(end))[1] == 1008
    assert now() == 1


async def test_a_peer_that_has_left_is_not_waited_for(clock: VirtualClock) -> None:
    peer, end = guarded(clock)
    await peer.close()
    await read_to_end(end)
    await end.part()
    assert now() == 0


@pytest.mark.parametrize(
    "frame",
    [
        encode_response(LOGIN.name, 1, refusal(70009, "wrong key")),
        encode_response("im_open_status.wslogout", 1, Answer(error_code=0)),
        encode_response("heartbeat.alive", 1, Answer()),
        b"{}",
        b"\xff",
    ],
)
async def test_other_answers_are_no_login(clock: VirtualClock, frame: bytes) -> None:
    _, end = guarded(clock)
    await end.send(frame)
    assert await read_to_end(end) == (0, 1008)


# Size


async def test_a_stranger_may_not_send_large_frames(clock: VirtualClock) -> None:
    peer, end = guarded(clock, Caps(first_frame=100, frame=1000))
    await peer.send(bytes(100))
    await peer.send(bytes(101))
    assert await read_to_end(end) == (1, 1009)


async def test_a_known_peer_may_send_larger_ones(clock: VirtualClock) -> None:
    peer, end = guarded(clock, Caps(first_frame=100, frame=1000))
    end.authenticated()
    await peer.send(bytes(1000))
    await peer.send(bytes(1001))
    assert await read_to_end(end) == (1, 1009)


async def test_the_socket_beneath_learns_of_the_login_once(clock: VirtualClock) -> None:
    told: list[str] = []
    admission = Guard(clock=clock).admit("192.0.2.1")
    assert admission is not None
    end = admission.protect(pipe()[1], lambda: told.append("trust"))
    end.authenticated()
    end.authenticated()
    assert told == ["trust"]


# Rate


def test_a_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    bucket = Bucket(10, 3, 0.0)
    assert [round(bucket.take(0.0), 3) for _ in range(5)] == [0, 0, 0, 0.1, 0.2]
    assert bucket.take(100.0) == 0


async def test_beyond_its_burst_a_connection_is_read_at_its_rate(clock: VirtualClock) -> None:
    peer, end = guarded(clock, Caps(rate=10, burst=20), Line(capacity=1000))
    end.authenticated()
    for _ in range(100):
        await peer.send(b"{}")
    for _ in range(100):
        await end.receive()
    assert now() == pytest.approx(7.9, abs=0.2)


async def test_a_wait_that_is_cancelled_loses_no_frame(clock: VirtualClock) -> None:
    peer, end = guarded(clock, Caps(rate=1, burst=1))
    end.authenticated()
    for text in (b"1", b"2", b"3"):
        await peer.send(text)
    assert [await end.receive(), await end.receive()] == [b"1", b"2"]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await end.receive()
    assert await end.receive() == b"3"


async def test_abuse_that_does_not_end_is_ended(clock: VirtualClock) -> None:
    peer, end = guarded(clock, Caps(rate=10, burst=20, abuse_time=30))
    end.authenticated()

    async def flood() -> None:
        while True:
            await peer.send(b"{}")

    flooding = asyncio.create_task(flood())
    assert (await read_to_end(end))[1] == 1008
    assert now() == pytest.approx(30, abs=1)
    with pytest.raises(ConnectionLost):
        await flooding


async def test_bursts_with_pauses_are_no_abuse(clock: VirtualClock) -> None:
    peer, end = guarded(clock, Caps(rate=10, burst=20, abuse_time=5), Line(capacity=1000))
    end.authenticated()
    reading = asyncio.create_task(read_to_end(end))
    for _ in range(20):
        for _ in range(50):
            await peer.send(b"{}")
        await asyncio.sleep(6)
    await peer.close()
    assert await reading == (1000, 1000)


# Slow readers


async def test_a_peer_that_does_not_read_is_given_up(clock: VirtualClock) -> None:
    peer, end = guarded(clock, line=Line(capacity=2))
    await end.send(b"1")
    await end.send(b"2")
    with pytest.raises(ConnectionLost) as lost:
        await end.send(b"3")
    assert (lost.value.code, now()) == (1008, 15)
    assert await read_to_end(peer) == (2, 1008)


async def test_a_peer_that_reads_slowly_is_served(clock: VirtualClock) -> None:
    peer, end = guarded(clock, line=Line(capacity=1))
    end.authenticated()

    async def read() -> list[bytes]:
        frames = []
        for _ in range(4):
            await asyncio.sleep(10)
            frames.append(await peer.receive())
        return frames

    reading = asyncio.create_task(read())
    for text in (b"1", b"2", b"3", b"4"):
        await end.send(text)
    assert await reading == [b"1", b"2", b"3", b"4"]


async def test_sending_to_a_peer_that_left_says_so(clock: VirtualClock) -> None:
    peer, end = guarded(clock)
    await peer.close()
    with pytest.raises(ConnectionLost):
        await end.send(b"late")
