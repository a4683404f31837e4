"""Kicked out: said once, answered with a logout, and the end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scripted_server import (
    ACK,
    ALIVE,
    GETMSG,
    HELLO,
    LOGIN,
    LOGOUT,
    OFFLINE,
    PUSH,
    READ,
    SILENT,
    ScriptedServer,
    Watch,
    c2c,
    kick,
    now,
    refusal,
    settle,
    tasks_besides_this,
)

from timbot.errors import KickedOutError, KickKind, ServerError
from timbot.im.happenings import KickedOut, Push
from timbot.im.session import Session
from timbot.im.wire.commands.base import Empty
from timbot.testing import Line

KINDS = [(1, KickKind.MULTIPLE_ACCOUNT), (2, KickKind.MULTIPLE_DEVICE)]


async def started(server: ScriptedServer) -> tuple[Session, Watch]:
    session = server.session()
    watch = Watch(session)
    await session.start()
    await settle()
    return session, watch


async def check_end(server: ScriptedServer, session: Session, watch: Watch, kind: KickKind) -> None:
    await watch.ended()
    assert [happening.kind for happening in watch.of(KickedOut)] == [kind]
    assert isinstance(session.error, KickedOutError)
    assert session.error.kind is kind
    await settle()
    assert [frame.body for frame in server.seen(LOGOUT)] == [{"wslogout_type": 1}]
    assert server.seen(LOGOUT)[0].head["a2"] == "a2-1"
    logins = len(server.seen(LOGIN))
    await asyncio.sleep(2000)
    assert len(server.seen(LOGIN)) == logins
    assert not session.online


@pytest.mark.parametrize(("number", "kind"), KINDS)
class TestTwoKinds:
    @pytest.mark.parametrize("servcmd", [PUSH, OFFLINE])
    async def test_by_push(self, server: ScriptedServer, number: int, kind: KickKind, servcmd: str) -> None:
        session, watch = await started(server)
        await server.push(kick(number), servcmd=servcmd)
        await check_end(server, session, watch, kind)

    async def test_by_hello(self, server: ScriptedServer, number: int, kind: KickKind) -> None:
        server.answers[HELLO] = refusal(1002, KickType=number, NewInstInfo={})
        session, watch = await started(server)
        await check_end(server, session, watch, kind)
        assert server.seen(HELLO)[0].at == 120


class TestByAnswer:
    @pytest.mark.parametrize("command", [ALIVE, GETMSG, HELLO])
    async def test_any_answer_will_do(self, server: ScriptedServer, command: str) -> None:
        session, watch = await started(server)
        server.answers[command] = refusal(1002)
        await check_end(server, session, watch, KickKind.MULTIPLE_ACCOUNT)

    async def test_the_asker_is_told_as_well(self, server: ScriptedServer) -> None:
        server.answers[READ.name] = refusal(1002)
        session, watch = await started(server)
        with pytest.raises(ServerError, match="1002"):
            await session.request(READ, Empty())
        await check_end(server, session, watch, KickKind.MULTIPLE_ACCOUNT)

    @pytest.mark.parametrize("fields", [{"KickType": "one"}, {"NewInstInfo": 7, "KickType": []}])
    async def test_the_code_is_enough(self, server: ScriptedServer, fields: dict[str, Any]) -> None:
        server.answers[HELLO] = refusal(1002, **fields)
        session, watch = await started(server)
        await check_end(server, session, watch, KickKind.MULTIPLE_ACCOUNT)

    async def test_when_coming_back(self, server: ScriptedServer) -> None:
        session, watch = await started(server)
        server.answers[LOGIN] = lambda frame: refusal(1002, KickType=2)
        server.faults.cut()
        await check_end(server, session, watch, KickKind.MULTIPLE_DEVICE)


class TestAround:
    @pytest.mark.parametrize("code", [1000, 1006])
    async def test_a_socket_closed_behind_it_makes_no_difference(self, server: ScriptedServer, code: int) -> None:
        session, watch = await started(server)
        await server.push(kick())
        await server.newest.close(code)
        await watch.ended()
        assert isinstance(session.error, KickedOutError)

    async def test_what_came_before_it_is_told_first(self, server: ScriptedServer) -> None:
        _session, watch = await started(server)
        await server.push_messages(c2c("last words"))
        await server.push(kick())
        await watch.ended()
        assert watch.names()[-2:] == ["Push", "KickedOut"]

    async def test_what_came_with_it_is_told_too(self, server: ScriptedServer) -> None:
        session, watch = await started(server)
        await server.push({"Event": 9, "C2cMsgArray": [c2c("last words")]}, kick())
        await watch.ended()
        assert isinstance(session.error, KickedOutError)
        assert len(watch.of(Push)) == 1

    async def test_a_server_that_does_not_read_holds_nothing_up(self) -> None:
        server = ScriptedServer(line=Line(capacity=4))
        async with server.transport:
            session, watch = await started(server)
            server.faults.black_hole("to_server")
            asked = [asyncio.create_task(session.request(READ, Empty())) for _turn in range(8)]
            await settle()
            await server.push(kick())
            await watch.ended()
            assert isinstance(session.error, KickedOutError)
            assert now() <= 5
            await asyncio.wait(asked)

    async def test_closing_afterwards_changes_nothing(self, server: ScriptedServer) -> None:
        session, watch = await started(server)
        await server.push(kick())
        await watch.ended()
        await session.close()
        assert isinstance(session.error, KickedOutError)
        assert len(server.seen(LOGOUT)) == 1
        assert tasks_besides_this() == []

    async def test_it_can_happen_at_the_login_already(self, server: ScriptedServer) -> None:
        server.answers[LOGIN] = SILENT
        session = server.session()
        starting = asyncio.create_task(session.start())
        await server.expect(LOGIN)
        await server.push(kick())
        with pytest.raises(KickedOutError):
            await starting
        assert server.seen(ACK) == []
