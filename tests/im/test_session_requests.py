"""Requests: whose answer it is, how long it may take, and what a break does to them."""

from __future__ import annotations

import asyncio

import pytest
from scripted_server import (
    ALIVE,
    LOGIN,
    READ,
    SILENT,
    WRITE,
    Ask,
    ScriptedServer,
    Watch,
    logged_in,
    now,
    refusal,
    settle,
)

from timbot.errors import FrameError, NotLoggedIn, OutcomeUnknown, RequestTimeout, ServerError
from timbot.im.happenings import Connected
from timbot.im.session import Timing
from timbot.im.wire.commands.base import Empty
from timbot.testing import Line


class TestAnswers:
    async def test_out_of_order_each_finds_its_request(self, server: ScriptedServer) -> None:
        server.answers[READ.name] = SILENT
        async with logged_in(server) as (session, _):
            asked = [asyncio.create_task(session.request(READ, Empty())) for _turn in range(3)]
            await server.expect(READ.name, 3)
            for index in (2, 0, 1):
                await server.answer(server.seen(READ.name)[index], {"ErrorInfo": str(index)})
            assert [(await task).error_info for task in asked] == ["0", "1", "2"]

    async def test_the_command_belongs_to_the_match(self, server: ScriptedServer) -> None:
        server.answers[READ.name] = SILENT
        async with logged_in(server) as (session, _):
            asked = asyncio.create_task(session.request(READ, Empty()))
            frame = await server.expect(READ.name)
            await server.say({"head": {"servcmd": WRITE.name, "seq": frame.head["seq"]}, "body": {"ErrorCode": 10002}})
            await server.answer(frame, {})
            await asked

    async def test_a_refusal_carries_code_and_words(self, server: ScriptedServer) -> None:
        server.answers[READ.name] = refusal(10007, "not permitted")
        async with logged_in(server) as (session, _):
            with pytest.raises(ServerError) as refused:
                await session.request(READ, Empty())
        assert (refused.value.command, refused.value.code, refused.value.info) == (READ.name, 10007, "not permitted")

    @pytest.mark.parametrize("body", [{}, {"ErrorCode": 0}, {"ActionStatus": "FAIL"}])
    async def test_success_is_no_code_or_none(self, server: ScriptedServer, body: dict[str, object]) -> None:
        server.answers[READ.name] = body
        async with logged_in(server) as (session, _):
            await session.request(READ, Empty())

    async def test_an_answer_that_makes_no_sense_is_the_askers(self, server: ScriptedServer) -> None:
        server.answers[READ.name] = {"ErrorCode": "zero"}
        async with logged_in(server) as (session, watch):
            with pytest.raises(FrameError, match="ErrorCode"):
                await session.request(READ, Empty())
            assert "BrokenFrame" not in watch.names()

    async def test_a_refusal_is_one_even_if_the_rest_makes_no_sense(self, server: ScriptedServer) -> None:
        server.answers[READ.name] = {"ErrorCode": 10007, "ErrorInfo": 7}
        async with logged_in(server) as (session, _):
            with pytest.raises(ServerError, match="10007"):
                await session.request(READ, Empty())


class TestTimeLimit:
    async def test_a_read_ends_after_exactly_15_seconds(self, server: ScriptedServer) -> None:
        server.answers[READ.name] = SILENT
        async with logged_in(server) as (session, _):
            began = now()
            with pytest.raises(RequestTimeout) as timeout:
                await session.request(READ, Empty())
            assert now() - began == 15.0
        assert (timeout.value.command, timeout.value.seconds) == (READ.name, 15.0)

    async def test_a_write_ends_unknown_with_token_and_time(self, server: ScriptedServer) -> None:
        server.answers[WRITE.name] = SILENT
        async with logged_in(server) as (session, _):
            await asyncio.sleep(3)
            with pytest.raises(OutcomeUnknown) as unknown:
                await session.request(WRITE, Empty(), token=(7, 8))
        assert (unknown.value.command, unknown.value.token) == (WRITE.name, (7, 8))
        assert unknown.value.sent_at == pytest.approx(1767571203)

    async def test_a_limit_of_its_own(self, server: ScriptedServer) -> None:
        server.answers[READ.name] = SILENT
        async with logged_in(server) as (session, _):
            with pytest.raises(RequestTimeout, match=r"2\.5 s"):
                await session.request(READ, Empty(), timeout=2.5)
            assert now() == 2.5

    @pytest.mark.parametrize("command", [READ, WRITE])
    async def test_a_late_answer_is_harmless(self, server: ScriptedServer, command: Ask) -> None:
        server.answers[command.name] = SILENT
        async with logged_in(server) as (session, watch):
            with pytest.raises((RequestTimeout, OutcomeUnknown)):
                await session.request(command, Empty())
            before = watch.names()
            await server.answer(server.seen(command.name)[0], refusal(70001))
            await settle()
            assert watch.names() == before
            assert session.online

    @pytest.mark.parametrize("command", [READ, WRITE])
    async def test_a_server_that_does_not_read_is_given_up_too(self, command: Ask) -> None:
        server = ScriptedServer(line=Line(capacity=4))
        async with server.transport, logged_in(server) as (session, _):
            await settle()
            server.faults.black_hole("to_server")
            asked = [asyncio.create_task(session.request(command, Empty(), timeout=3)) for _turn in range(8)]
            began = now()
            await asyncio.wait(asked)
            assert now() - began == 3.0
            for task in asked:
                assert isinstance(task.exception(), (RequestTimeout, OutcomeUnknown))

    async def test_a_cancelled_request_leaves_nothing(self, server: ScriptedServer) -> None:
        server.answers[READ.name] = SILENT
        async with logged_in(server) as (session, _):
            asked = asyncio.create_task(session.request(READ, Empty()))
            frame = await server.expect(READ.name)
            asked.cancel()
            await settle()
            assert session._exchange.open_requests == 0
            await server.answer(frame, refusal(10002))
            await settle()
            assert session.online


class TestBreak:
    async def test_an_open_read_is_sent_again_and_answered(self, server: ScriptedServer) -> None:
        server.answers[READ.name] = lambda frame: {} if frame.connection == 2 else None
        async with logged_in(server) as (session, _):
            asked = asyncio.create_task(session.request(READ, Empty()))
            await server.expect(READ.name)
            server.faults.cut()
            await asked
            first, second = server.seen(READ.name)
            assert second.head["seq"] == first.head["seq"]
            assert server.commands(connection=2)[:2] == [LOGIN, READ.name]

    async def test_open_reads_are_sent_again_in_order(self, server: ScriptedServer) -> None:
        server.answers[READ.name] = lambda frame: {} if frame.connection == 2 else None
        async with logged_in(server) as (session, _):
            asked = [asyncio.create_task(session.request(READ, Empty())) for _turn in range(5)]
            await server.expect(READ.name, 5)
            server.faults.cut()
            await asyncio.gather(*asked)
            numbers = [frame.head["seq"] for frame in server.seen(READ.name)]
            assert numbers[5:] == numbers[:5]

    async def test_a_read_sent_again_has_its_time_anew(self, server: ScriptedServer) -> None:
        server.answers[READ.name] = SILENT
        async with logged_in(server) as (session, _):
            asked = asyncio.create_task(session.request(READ, Empty()))
            await asyncio.sleep(10)
            server.faults.cut()
            again = await server.expect(READ.name, 2)
            with pytest.raises(RequestTimeout):
                await asked
            assert now() == again.at + 15

    async def test_an_open_write_ends_unknown_at_once(self, server: ScriptedServer) -> None:
        server.answers[WRITE.name] = SILENT
        async with logged_in(server) as (session, watch):
            asked = asyncio.create_task(session.request(WRITE, Empty(), token="t"))
            await server.expect(WRITE.name)
            server.faults.cut()
            with pytest.raises(OutcomeUnknown) as unknown:
                await asked
            assert unknown.value.token == "t"
            await watch.expect(Connected, 2)
            await settle()
            assert len(server.seen(WRITE.name)) == 1

    @pytest.mark.parametrize("command", [READ, WRITE])
    async def test_what_is_asked_while_offline_waits_for_the_login(self, server: ScriptedServer, command: Ask) -> None:
        async with logged_in(server) as (session, _):
            server.faults.refuse(3)
            server.faults.cut()
            await settle()
            assert not session.online
            await session.request(command, Empty())
            assert server.commands(connection=2)[:2] == [LOGIN, command.name] or command.name in server.commands(2)
            assert now() > 1

    async def test_nothing_but_the_login_is_sent_before_its_answer(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (session, _):
            server.answers[LOGIN] = SILENT
            server.faults.cut()
            asked = asyncio.create_task(session.request(READ, Empty()))
            login = await server.expect(LOGIN, 2)
            await asyncio.sleep(5)
            assert server.commands(connection=2) == [LOGIN]
            await server.answer(login, server.login_answer())
            await asked

    async def test_before_the_start_there_is_nobody_to_ask(self, server: ScriptedServer) -> None:
        with pytest.raises(NotLoggedIn):
            await server.session().request(READ, Empty())

    async def test_a_slow_line_is_no_break(self) -> None:
        server = ScriptedServer(line=Line(latency=7))
        async with server.transport, logged_in(server) as (session, watch):
            await asyncio.sleep(300)
            await session.request(READ, Empty())
            assert len(watch.of(Connected)) == 1


class TestEnd:
    async def test_what_is_open_at_the_close_ends(self, server: ScriptedServer) -> None:
        server.answers[READ.name] = server.answers[WRITE.name] = SILENT
        async with logged_in(server) as (session, _):
            read = asyncio.create_task(session.request(READ, Empty()))
            write = asyncio.create_task(session.request(WRITE, Empty()))
            await server.expect(WRITE.name)
            await session.close()
            with pytest.raises(NotLoggedIn):
                await read
            with pytest.raises(OutcomeUnknown):
                await write

    async def test_what_waits_for_a_login_ends_with_the_session(self, server: ScriptedServer) -> None:
        session = server.session(timing=Timing(give_up=60))
        watch = Watch(session)
        await session.start()
        server.faults.refuse(10_000)
        server.faults.cut()
        await settle()
        with pytest.raises(NotLoggedIn, match="giving up"):
            await session.request(READ, Empty())
        await watch.ended()

    async def test_afterwards_there_is_nobody_to_ask(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (session, _):
            await session.close()
            with pytest.raises(NotLoggedIn):
                await session.request(READ, Empty())

    async def test_the_heartbeat_is_not_sent_again(self, server: ScriptedServer) -> None:
        server.answers[ALIVE] = SILENT
        async with logged_in(server) as (_, watch):
            await server.expect(ALIVE)
            server.faults.cut()
            await watch.expect(Connected, 2)
            await settle()
            seqs = [frame.head["seq"] for frame in server.seen(ALIVE)]
            assert len(set(seqs)) == len(seqs)
