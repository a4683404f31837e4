"""What carries requests, answers and pushes between the server and its clients, so that a harness can take its place: let
them be late, lost or doubled, or do something of its own between a request's effect and its answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from timbot.errors import FrameError
from timbot.im.wire.envelope import decode_request
from timbot.sandbox.line import Line
from timbot.sandbox.observe import Handled


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that has come in and had no effect yet. `user` is whose login its connection carries, empty before one."""

    line: int
    user: str
    command: str
    frame: bytes


class Courier:
    """Carries everything at once. A harness overrides what it wants to meddle with.

    Each method gets the call that does it. To call it later is to be slow, never to lose it, twice to double it. It may be
    called when the connection is gone: a request that was on its way then still has its effect, and its answer reaches
    nobody. Logins are not to be held longer than their connection lives. Only from the server's own loop.
    """

    def request(self, asked: Asked, carry_out: Callable[[], None]) -> None:
        """A request has come in; `carry_out` lets it have its effect, and hands its answer to `answer`."""
        carry_out()

    def answer(self, handled: Handled, hand_out: Callable[[], None]) -> None:
        """A request has had its effect, and nobody has been told; `hand_out` sends the answer. Not for one-way requests."""
        hand_out()

    def push(self, user: str, frame: bytes, hand_out: Callable[[], None]) -> None:
        """Something is to be told to one connection of `user`; `hand_out` sends it. Kicks are not asked about."""
        hand_out()


def asked_on(line: Line, frame: bytes) -> Asked | None:
    """What a frame asks for; None if it is no request."""
    try:
        head = decode_request(frame).head
    except FrameError:
        return None
    return Asked(line.number, "" if line.owner is None else line.owner[0], head.servcmd, frame)
