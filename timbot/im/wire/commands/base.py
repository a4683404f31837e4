"""What a command is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from timbot.im.wire.envelope import Answer
from timbot.im.wire.value import UNSET, Int, Opt, Value

Req = TypeVar("Req", bound=Value)
Ans = TypeVar("Ans", bound=Value)


class Empty(Value, frozen=True):
    """A request that says nothing."""


@dataclass(frozen=True, slots=True)
class Command(Generic[Req, Ans]):
    """One request command.

    `changes`: it has an effect on the server, so it is never repeated blindly; `anonymous`: served without a login;
    `one_way`: the server does not answer it.
    """

    name: str
    request: type[Req]
    answer: type[Ans]
    changes: bool = False
    anonymous: bool = False
    one_way: bool = False


class UserResult(Value, frozen=True):
    """The verdict on one user in a batch; 0 or absent is success."""

    to_account: str
    result_code: Opt[Int] = UNSET
    result_info: Opt[str] = UNSET


class ResultsAnswer(Answer, frozen=True):
    """An answer with one verdict per user."""

    result_item: Opt[list[UserResult]] = UNSET


class TagValue(Value, frozen=True):
    """One field of a profile or of a friendship: text, a number, or a list of names."""

    tag: str
    value: Opt[str | Int | list[str]] = UNSET
