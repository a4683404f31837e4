"""What is spoken through the control socket: a request and an answer, a line of JSON each.

    {"v":1,"id":1,"command":"dlq.list","args":{"limit":20}}
    {"v":1,"id":1,"result":{...},"error":null}
    {"v":1,"id":1,"result":null,"error":{"message":"...","hint":"..."}}

Requests of a connection are answered one after the other. A version that is not ours is refused with ours named.
"""

from __future__ import annotations

from typing import Final

import msgspec

from timbot.errors import TimbotError

VERSION: Final = 1

LONGEST_REQUEST: Final = 64 << 10
"""Bytes of a request's line."""

LONGEST_ANSWER: Final = 8 << 20
"""Bytes of an answer's line that a client reads."""


class ControlError(TimbotError):
    """A command could not be carried out, or the bot could not be reached."""

    docs = "errors#control"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A command. `args` as the command wants them."""

    v: int
    id: int = 0
    command: str
    args: msgspec.Raw = msgspec.Raw(b"{}")


class Failure(msgspec.Struct, frozen=True):
    """Why a command was not carried out."""

    message: str
    hint: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly one of `result` and `error` is there; the other is null."""

    v: int
    id: int = 0
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Failure | None = None


_request: Final = msgspec.json.Decoder(Request)
_answer: Final = msgspec.json.Decoder(Answer)


def read_request(line: bytes) -> Request:
    """A request from its line. Raises `ControlError` that says what is wrong with it."""
    try:
        request = _request.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ControlError(f"Not a request: {error}.") from None
    if request.v != VERSION:
        raise ControlError(f"The bot speaks version {VERSION}, not {request.v}.", hint="Use the timbot that the bot runs.")
    return request


def read_answer(line: bytes) -> Answer:
    """An answer from its line. Raises `ControlError`."""
    try:
        answer = _answer.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ControlError(f"What answers is no bot: {error}.") from None
    if answer.v != VERSION:
        raise ControlError(f"The bot speaks version {answer.v}, not {VERSION}.", hint="Use the timbot that the bot runs.")
    return answer


def line_of(value: msgspec.Struct) -> bytes:
    """A request or an answer as it is written."""
    return msgspec.json.encode(value) + b"\n"
