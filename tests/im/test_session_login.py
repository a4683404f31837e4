"""Logging in: heads, order, refusals, expiry."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scripted_server import (
    ALIVE,
    GETMSG,
    LOGIN,
    READ,
    WRITE,
    Answers,
    Ask,
    Frame,
    ScriptedServer,
    Watch,
    logged_in,
    now,
    refusal,
    settle,
)

from timbot.errors import ConnectionLost, FrameError, LoginRefused, NotLoggedIn
from timbot.im.credentials import CredentialsError, Source, from_callable, from_text
from timbot.im.happenings import Connected, Disconnected, Expired
from timbot.im.wire.commands.base import Empty


def counted() -> tuple[Source, list[str]]:
    """A source of signatures that numbers them."""
    given: list[str] = []

    def make(user: str) -> str:
        given.append(f"sig-{len(given) + 1}-of-{user}")
        return given[-1]

    return from_callable(make), given


def in_turn(*answers: Answers) -> Callable[[Frame], Answers]:
    """Each answer once, the last one for ever."""
    left = list(answers)

    def give(frame: Frame) -> Answers:
        answer = left.pop(0) if len(left) > 1 else left[0]
        return answer(frame) if callable(answer) else answer

    return give


class TestHeads:
    async def test_the_first_frame_is_the_login_by_signature(self, server: ScriptedServer) -> None:
        async with logged_in(server, source=from_text("the-signature")):
            head = server.frames[0].head
        assert list(head) == [
            "ver", "platform", "websdkappid", "websdkversion", "status_instid", "sdkappid", "contenttype",
            "reqtime", "identifier", "usersig", "sdkability", "tjgID", "servcmd", "seq",
        ]  # fmt: skip
        assert (head["servcmd"], head["identifier"], head["usersig"]) == (LOGIN, "bot", "the-signature")
        assert (head["status_instid"], head["sdkappid"], head["platform"]) == (0, 1400000000, 7)
        assert server.frames[0].body == {"State": "Online"}

    async def test_afterwards_the_ticket_speaks(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (session, _):
            await session.request(READ, Empty())
        later = [frame.head for frame in server.frames[1:]]
        assert later
        for head in later:
            assert (head["a2"], head["tinyid"], head["status_instid"]) == ("a2-1", "144115", 1)
            assert "usersig" not in head
            assert "identifier" not in head

    async def test_heartbeat_and_sync_follow_the_login(self, server: ScriptedServer) -> None:
        async with logged_in(server):
            await settle()
            assert server.commands() == [LOGIN, ALIVE, GETMSG]

    async def test_the_sequence_rises_by_one(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (session, _):
            for _turn in range(5):
                await session.request(READ, Empty())
        numbers = [frame.head["seq"] for frame in server.frames]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert numbers[0] < 100_000_001

    async def test_the_instance_stays_and_the_random_does_not(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            server.faults.cut()
            await watch.expect(Connected, 2)
        queries = [url.partition("?")[2].split("&") for url in server.transport.urls]
        assert [url.partition("/info")[0] for url in server.transport.urls] == ["ws://one", "ws://two"]
        assert queries[0][:2] == queries[1][:2]
        assert queries[0][2] != queries[1][2]
        assert queries[0][1].startswith("instanceid=")
        assert len(queries[0][1]) == len("instanceid=") + 32

    async def test_the_way_back_in_is_by_ticket(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            server.faults.cut()
            connected = await watch.expect(Connected, 2)
            first, second = server.seen(LOGIN)
            assert connected.again
            assert "usersig" not in second.head
            assert (second.head["a2"], second.head["status_instid"]) == ("a2-1", 1)
            assert server.commands(connection=2)[0] == LOGIN
            assert "a2" not in first.head

    async def test_of_the_second_answer_only_the_instance_counts(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (session, watch):
            server.faults.cut()
            await watch.expect(Connected, 2)
            await session.request(READ, Empty())
            assert (server.frames[-1].head["a2"], server.frames[-1].head["status_instid"]) == ("a2-1", 2)

    async def test_the_servers_time_is_known(self, server: ScriptedServer) -> None:
        server.answers[LOGIN] = lambda _: {**server.login_answer(), "TimeStamp": 1800000000}
        async with logged_in(server) as (session, watch):
            assert (await watch.expect(Connected)).server_time == 1800000000
            assert session.server_now() == pytest.approx(1800000000)

    @pytest.mark.parametrize("absent", [{}, {"TimeStamp": 0}])
    async def test_without_a_time_the_clock_is_believed(self, server: ScriptedServer, absent: dict[str, int]) -> None:
        ticket = {"A2Key": "a2", "TinyId": "1", "InstId": 1, **absent}
        server.answers[LOGIN] = ticket
        async with logged_in(server) as (session, _):
            assert session.server_now() == pytest.approx(1767571200, abs=5)


class TestRefusals:
    @pytest.mark.parametrize("code", [70001, 70003, 70009, 70013, 70014])
    async def test_two_bad_signatures_end_it(self, server: ScriptedServer, code: int) -> None:
        server.answers[LOGIN] = refusal(code)
        source, given = counted()
        session = server.session(source)
        with pytest.raises(LoginRefused) as refused:
            await session.start()
        assert refused.value.code == code
        assert session.error is refused.value
        assert given == ["sig-1-of-bot", "sig-2-of-bot"]
        assert [frame.head["usersig"] for frame in server.seen(LOGIN)] == given

    async def test_a_second_signature_may_be_better(self, server: ScriptedServer) -> None:
        server.answers[LOGIN] = in_turn(refusal(70001), server.login_answer)  # type: ignore[assignment]
        source, given = counted()
        async with logged_in(server, source=source):
            assert len(given) == 2
        assert now() < 1  # no pause: nothing is wrong but the signature

    async def test_other_codes_end_it_at_once(self, server: ScriptedServer) -> None:
        server.answers[LOGIN] = refusal(70402)
        session = server.session()
        with pytest.raises(LoginRefused, match="70402"):
            await session.start()
        assert len(server.seen(LOGIN)) == 1

    @pytest.mark.parametrize("code", [60008, 70050, 70500, 91000])
    async def test_passing_trouble_is_waited_out(self, server: ScriptedServer, code: int) -> None:
        server.answers[LOGIN] = in_turn(*[refusal(code)] * 3, server.login_answer)  # type: ignore[assignment]
        async with logged_in(server):
            assert len(server.seen(LOGIN)) == 4
        assert now() > 1

    async def test_passing_trouble_is_no_bad_signature(self, server: ScriptedServer) -> None:
        server.answers[LOGIN] = in_turn(refusal(91000), refusal(70001), server.login_answer)  # type: ignore[assignment]
        async with logged_in(server):
            assert len(server.seen(LOGIN)) == 3

    async def test_passing_trouble_costs_no_ticket(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (_, watch):
            server.answers[LOGIN] = in_turn(refusal(60008), server.login_answer)  # type: ignore[assignment]
            server.faults.cut()
            await watch.expect(Connected, 2)
            assert [frame.head.get("a2") for frame in server.seen(LOGIN)] == [None, "a2-1", "a2-1"]

    @pytest.mark.parametrize("code", [70001, 20002, 70346])
    async def test_a_refused_ticket_leads_to_a_full_login(self, server: ScriptedServer, code: int) -> None:
        source, given = counted()
        async with logged_in(server, source=source) as (_, watch):
            server.answers[LOGIN] = lambda frame: refusal(code) if "a2" in frame.head else server.login_answer()
            server.faults.cut()
            connected = await watch.expect(Connected, 2)
            assert not connected.again
            third = server.seen(LOGIN)[2].head
            assert (third["usersig"], third["status_instid"]) == ("sig-2-of-bot", 0)
            assert len(given) == 2

    @pytest.mark.parametrize("missing", ["A2Key", "TinyId"])
    async def test_an_answer_without_a_ticket_is_no_login(self, server: ScriptedServer, missing: str) -> None:
        server.answers[LOGIN] = lambda _: {**server.login_answer(), missing: ""}
        session = server.session()
        with pytest.raises(FrameError, match="ticket"):
            await session.start()

    async def test_a_malformed_answer_is_tried_again(self, server: ScriptedServer) -> None:
        server.answers[LOGIN] = in_turn({"A2Key": 17}, server.login_answer)  # type: ignore[assignment]
        async with logged_in(server) as (_, watch):
            assert "not answered" in watch.of(Disconnected)[0].cause

    async def test_a_login_without_an_answer_is_tried_again(self, server: ScriptedServer) -> None:
        server.answers[LOGIN] = in_turn(None, server.login_answer)  # type: ignore[assignment]
        async with logged_in(server):
            assert 15 < now() < 16

    async def test_without_a_signature_there_is_no_session(self, server: ScriptedServer) -> None:
        session = server.session(from_text(" "))
        with pytest.raises(CredentialsError, match="empty"):
            await session.start()
        assert server.frames == []

    async def test_later_a_missing_signature_is_waited_for(self, server: ScriptedServer) -> None:
        signatures = ["good", "", "", "good again"]
        async with logged_in(server, source=from_callable(lambda _: signatures.pop(0))) as (_, watch):
            server.answers[LOGIN] = lambda frame: refusal(70001) if "a2" in frame.head else server.login_answer()
            server.faults.cut()
            await watch.expect(Connected, 2)
            assert signatures == []

    async def test_it_starts_once(self, server: ScriptedServer) -> None:
        async with logged_in(server) as (session, _):
            with pytest.raises(NotLoggedIn, match="already"):
                await session.start()
            await session.request(READ, Empty())


class TestExpiry:
    @pytest.mark.parametrize("code", [70001, 20002])
    @pytest.mark.parametrize("command", [READ, WRITE])
    async def test_it_logs_in_anew_and_asks_again(self, server: ScriptedServer, code: int, command: Ask) -> None:
        source, given = counted()
        async with logged_in(server, source=source) as (session, watch):
            server.answers[command.name] = in_turn(refusal(code), {"ErrorInfo": "done"})  # type: ignore[assignment]
            answer = await session.request(command, Empty())
            assert answer.error_info == "done"
            assert [expired.code for expired in watch.of(Expired)] == [code]
            assert not watch.of(Connected)[1].again
            assert given == ["sig-1-of-bot", "sig-2-of-bot"]
            assert "a2" not in server.seen(LOGIN)[1].head

    async def test_a_request_is_asked_again_once_only(self, server: ScriptedServer) -> None:
        server.answers[READ.name] = refusal(70001)
        async with logged_in(server) as (session, _):
            with pytest.raises(Exception, match="70001"):
                await session.request(READ, Empty())
            assert len(server.seen(READ.name)) == 2

    async def test_a_login_that_expires_at_once_every_time_backs_off(self, server: ScriptedServer) -> None:
        server.answers[ALIVE] = refusal(70001)
        session = server.session()
        watch = Watch(session)
        await session.start()
        await watch.ended()
        assert isinstance(session.error, ConnectionLost)
        assert "giving up" in str(session.error)
        assert len(server.seen(LOGIN)) < 60
