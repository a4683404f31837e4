"""What every noun's verbs stand on."""

from __future__ import annotations

import random
from collections.abc import Iterable

from timbot.errors import InvalidArgument, ServerError
from timbot.im.clock import Clock
from timbot.im.delivery import Arrival
from timbot.im.inbox import Inbox
from timbot.im.session import Session
from timbot.im.wire.commands.base import UserResult
from timbot.im.wire.value import given


class Api:
    """The session of one account and what belongs to it."""

    _session: Session
    _clock: Clock
    _chance: random.Random
    _inbox: Inbox

    @property
    def user_id(self) -> str:
        """The account."""
        return self._session.ticket.user_id

    def _hand_over(self, arrivals: list[Arrival]) -> None:
        """What a verb has made ready."""
        raise NotImplementedError


def check_result(command: str, results: Iterable[UserResult], *, fine: frozenset[int] = frozenset({0})) -> int:
    """The verdict on the one user a request was about. Raises `ServerError` for a code that is not `fine`."""
    for result in results:
        code: int = given(result.result_code, 0)
        if code not in fine:
            raise ServerError(command, code, given(result.result_info, ""))
        return code
    return 0


def required(value: str, name: str) -> str:
    """`value`, if it is not empty. Raises `InvalidArgument`."""
    if not value:
        raise InvalidArgument(f"'{name}' must not be empty.")
    return value
