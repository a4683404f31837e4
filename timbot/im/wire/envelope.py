"""Frames: a head and a body. Bodies stay bytes until somebody who knows the command opens them."""

from __future__ import annotations

from typing import Final

from timbot.errors import FrameError
from timbot.im.wire.heads import RequestHead, ResponseHead
from timbot.im.wire.repair import valid_utf8
from timbot.im.wire.value import UNSET, Int, Opt, Raw, Value, decode, encode

MAX_FRAME: Final = 16 * 1024 * 1024
"""Bytes of the largest frame either side takes. A page of history with long messages stays well below."""

PUSH: Final = "im_open_push.msg_push"
FORCE_OFFLINE: Final = "im_open_status.stat_forceoffline"
PUSH_CONFIG: Final = "im_sdk_config_mgr.push_configv2"

EMPTY_BODY: Final = Raw(b"{}")


class Request(Value, frozen=True, rename=None):
    """What a client sends."""

    head: RequestHead
    body: Raw = EMPTY_BODY


class ServerFrame(Value, frozen=True, rename=None):
    """What a server sends: the answer to a request, or a push. Which of the two only the waiting requests tell."""

    head: ResponseHead
    body: Raw = EMPTY_BODY


class Answer(Value, frozen=True):
    """What every response body holds. Success is `ErrorCode` 0 *or absent*; `ActionStatus` is never looked at."""

    action_status: Opt[str] = UNSET
    error_code: Opt[Int] = UNSET
    error_info: Opt[str] = UNSET


class PushBody(Value, frozen=True):
    """The body of a push. `EventArray` items stay bytes: a broken one must not take its neighbours with it."""

    event_array: Opt[list[Raw]] = UNSET
    need_ack: Opt[Int] = UNSET
    session_data: Opt[str] = UNSET
    flag: Opt[Int] = UNSET


def decode_request(frame: bytes) -> Request:
    """A client's frame. Raises `FrameError`. What stays bytes in it is UTF-8, so that it can be passed on in text frames."""
    return decode(Request, valid_utf8(frame))


def decode_server_frame(frame: bytes) -> ServerFrame:
    """A server's frame. Raises `FrameError`. What stays bytes in it is UTF-8."""
    return decode(ServerFrame, valid_utf8(frame))


def encode_request(head: RequestHead, body: object) -> bytes:
    """A request frame; `body` is the command's request value."""
    return encode(Request(head=head, body=Raw(encode(body))))


def encode_response(servcmd: str, seq: int, body: object) -> bytes:
    """A response frame; `body` is the command's answer value."""
    return encode(ServerFrame(head=ResponseHead(servcmd=servcmd, seq=seq, contenttype="json"), body=Raw(encode(body))))


def encode_push(seq: int, body: object, servcmd: str = PUSH) -> bytes:
    """A push frame."""
    return encode_response(servcmd, seq, body)


def refusal(code: int, info: str) -> Answer:
    """The body of a failed answer."""
    return Answer(action_status="FAIL", error_code=code, error_info=info)


def frame_size_error(size: int) -> FrameError:
    """The error for a frame beyond `MAX_FRAME`."""
    return FrameError(f"A frame of {size} bytes is over the limit of {MAX_FRAME}.")
