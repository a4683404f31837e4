"""What the server sees of the bots, in words: the feed of a sandbox whose bots run elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from timbot.im.wire.commands import c2c, friends, groups, status
from timbot.im.wire.value import given
from timbot.sandbox.hub import Sandbox
from timbot.sandbox.observe import Handled
from timbot.sandbox.page.feed import Feed, FeedEntry

Words = tuple[str, str, str]
"""Event, who it concerns, conversation."""


async def watch(sandbox: Sandbox, bots: Iterable[str], feed: Feed) -> None:
    """Tell `feed` what `bots` ask the server to do, until the server ends."""
    watched = frozenset(bots)
    with sandbox.observe() as seen:
        async for happening in seen:
            if isinstance(happening, Handled) and happening.done.user in watched:
                for entry in entries(happening):
                    feed.publish(entry)


def entries(handled: Handled) -> list[FeedEntry]:
    """A request of a bot as entries; most are not worth one."""
    done = handled.done
    say = _SAID.get(done.command)
    if say is None or done.request is None:
        return []
    outcome = "done" if handled.code == 0 else f"refused ({handled.code}: {given(done.answer.error_info, '')})"
    return [
        FeedEntry(
            time=time.time(),
            account=done.user,
            event=event,
            who=who,
            conversation=conversation,
            route="",
            outcome=outcome,
            milliseconds=0.0,
        )
        for event, who, conversation in say(done.request)
    ]


def _login(_request: Any) -> list[Words]:
    return [("logged in", "", "")]


def _logout(_request: Any) -> list[Words]:
    return [("logged out", "", "")]


def _sent(request: c2c.SendRequest) -> list[Words]:
    peer = given(request.to_account, "")
    return [("sent a message", peer, f"C2C{peer}")]


def _recalled(request: c2c.RevokeRequest) -> list[Words]:
    peer = request.msg_info.to_account
    return [("recalled a message", peer, f"C2C{peer}")]


def _read(request: c2c.ReadRequest) -> list[Words]:
    peers = [item.to_account for item in request.c2c_msg_readed.c2c_msg_readed_item]
    return [("read the messages", peer, f"C2C{peer}") for peer in peers]


def _sent_to_group(request: groups.SendRequest) -> list[Words]:
    return [("sent a message", request.group_id, f"GROUP{request.group_id}")]


def _recalled_in_group(request: groups.RevokeRequest) -> list[Words]:
    return [("recalled a message", request.group_id, f"GROUP{request.group_id}")]


def _friends_answered(request: friends.ResponseRequest) -> list[Words]:
    return [
        (
            "refused a friend request" if item.response_action == friends.REJECT else "accepted a friend request",
            item.to_account,
            f"C2C{item.to_account}",
        )
        for item in request.response_friend_item
    ]


def _application_answered(request: groups.HandleApplicationRequest) -> list[Words]:
    word = "accepted" if request.handle_msg == "Agree" else "refused"
    return [(f"{word} a request to join", request.applicant_account, f"GROUP{request.group_id}")]


_SAID: Final[dict[str, Callable[[Any], list[Words]]]] = {
    status.LOGIN.name: _login,
    status.LOGOUT.name: _logout,
    c2c.SEND.name: _sent,
    c2c.REVOKE.name: _recalled,
    c2c.READ.name: _read,
    groups.SEND.name: _sent_to_group,
    groups.REVOKE.name: _recalled_in_group,
    friends.RESPONSE.name: _friends_answered,
    groups.HANDLE_APPLICATION.name: _application_answered,
}
