"""Errors that are results: kept, and raised again when a handler is gone through once more."""

from __future__ import annotations

import msgspec

from timbot.errors import ImError, OutcomeUnknown, ServerError
from timbot.im.api.messages import MessageDropped


class _Refusal(msgspec.Struct, array_like=True, frozen=True):
    kind: str
    command: str
    code: int = 0
    words: str = ""


_decoder = msgspec.json.Decoder(_Refusal)


def encode_refusal(error: ImError) -> bytes:
    """The error as bytes. Raises `TypeError` for one that is no result."""
    match error:
        case OutcomeUnknown():
            refusal = _Refusal("unknown", error.command, words=str(error))
        case MessageDropped():
            refusal = _Refusal("dropped", error.group_id, words=error.reason)
        case ServerError():
            refusal = _Refusal("server", error.command, error.code, error.info)
        case _:
            raise TypeError(f"{type(error).__name__} is no result.")
    return msgspec.json.encode(refusal)


def decode_refusal(data: bytes) -> ImError:
    """The error again."""
    refusal = _decoder.decode(data)
    if refusal.kind == "unknown":
        return OutcomeUnknown(refusal.command, cause="in an attempt before this one")
    if refusal.kind == "dropped":
        return MessageDropped(refusal.command, refusal.words)
    return ServerError(refusal.command, refusal.code, refusal.words)
