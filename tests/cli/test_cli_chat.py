"""What `timbot chat` says of trouble: sentences, without the names that commands have on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from timbot import Plugin
from timbot.cli.conversation import Conversation, _describe, _why
from timbot.errors import ConnectionLost, KickedOutError, KickKind, OutcomeUnknown, ServerError, TimbotError
from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import resolve
from timbot.im.model.events import Event, NetState, NetStateChanged
from timbot.sandbox.keys import DEMO_KEY
from timbot.testing import World


@pytest.mark.parametrize(
    ("line", "error", "said"),
    [
        (
            ":join lobby let me in",
            ServerError("group_open_http_svc.apply_join_group", 10010, "there is no such group"),
            "Your request to join lobby was refused: there is no such group (10010).",
        ),
        (
            ":friend hello",
            ServerError("sns.friend_add", 30516),
            "Your friend request to bot was refused: the server does not say why (30516).",
        ),
        ("hello", ServerError("openim.sendmsg", 20007, "blocked"), "Your message was refused: blocked (20007)."),
        (
            "hello",
            OutcomeUnknown("openim.sendmsg"),
            "Your message may have arrived or not: the connection was lost before the answer came.",
        ),
        ("hello", ConnectionLost("The peer is gone."), "The peer is gone."),
    ],
)
def test_trouble_is_told_in_a_sentence(line: str, error: TimbotError, said: str) -> None:
    assert conversation()._trouble(line, error) == said


def conversation() -> Conversation:
    client = Client(Account(1400000000, "alice", from_secret_key(1400000000, DEMO_KEY)), endpoint=resolve("sandbox"))
    return Conversation(client, "bot", address="ws://127.0.0.1:8420")


async def test_who_is_no_member_is_told_how_to_become_one() -> None:
    talk, refusal = conversation(), ServerError("group_open_http_svc.send_group_msg", 10007, "not a member")
    assert talk._trouble("hello", refusal) == "Your message was refused: not a member (10007)."
    await talk._do(":group lobby")
    assert talk._trouble("hello", refusal) == "You are no member of lobby: ':join lobby some words' asks to be let in."


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            NetStateChanged(NetState.CONNECTING, "The login of alice was refused: 70001.", 0.0),
            "(the server has forgotten this login, as it does when it starts again: logging in anew)",
        ),
        (NetStateChanged(NetState.CONNECTING, "It is gone.", 1.5), "(disconnected: It is gone. Trying again in 1.5 s.)"),
    ],
)
def test_breaks_are_told_in_a_sentence(event: Event, said: str) -> None:
    assert _describe(event) == said


@pytest.mark.parametrize(("user", "other"), [("alice", "bob"), ("bob", "alice"), ("carol", "bob")])
def test_a_kick_names_somebody_else_to_be(user: str, other: str) -> None:
    error = _why(KickedOutError(KickKind.MULTIPLE_ACCOUNT), user)
    assert isinstance(error, KickedOutError), "its exit code stays"
    assert f"logged in as {user}," in str(error)
    assert f"--as {other}" in error.hint


async def test_the_end_does_not_stand_behind_the_prompt(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing() -> AsyncIterator[str]:
        for line in list[str]():
            yield line

    monkeypatch.setattr("timbot.cli.conversation._lines", nothing)
    async with World(Plugin("quiet")) as world:
        talk = Conversation(world._client("carol"), "bot", address="memory")
        talk._tty = True
        assert await talk.run()
    assert capsys.readouterr().out.endswith("carol> \n")


def test_other_ends_are_told_as_they_are() -> None:
    error = ConnectionLost("The peer is gone.")
    assert _why(error, "alice") is error
