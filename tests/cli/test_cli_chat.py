"""What `timbot chat` says of trouble: sentences, without the names that commands have on the wire."""

from __future__ import annotations

import pytest

from timbot.cli.conversation import Conversation
from timbot.errors import ConnectionLost, OutcomeUnknown, ServerError, TimbotError
from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import resolve
from timbot.sandbox.keys import DEMO_KEY


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
    client = Client(Account(1400000000, "alice", from_secret_key(1400000000, DEMO_KEY)), endpoint=resolve("sandbox"))
    talk = Conversation(client, "bot", address="ws://127.0.0.1:8420")
    assert talk._trouble(line, error) == said
