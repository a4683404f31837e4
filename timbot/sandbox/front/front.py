"""From a frame to its answer: read the head, find the command, check the caller, read the body, call the handler.

Whatever comes in, exactly one answer goes out, save for commands that have none and for bytes that do not even say what
they are.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import msgspec

from timbot.errors import FrameError
from timbot.im.wire.commands import status as wire
from timbot.im.wire.envelope import Answer, Request, decode_request, encode_response, refusal
from timbot.im.wire.heads import RequestHead
from timbot.im.wire.value import UNSET, Int, Raw, Value, decode
from timbot.sandbox.auth import ACCOUNT_ABSENT, Gate, Identity
from timbot.sandbox.domain import Code, Domain, Refused
from timbot.sandbox.front import codes
from timbot.sandbox.front.desk import Call, Desk, Done, Entry
from timbot.sandbox.line import Line

log = logging.getLogger(__name__)

KICKED_BY_ANOTHER_LOGIN = 1


class _Name(msgspec.Struct, frozen=True):
    """The least a frame must say to be answered."""

    servcmd: str
    seq: Int


class _Named(msgspec.Struct, frozen=True):
    head: _Name


@dataclass(frozen=True, slots=True)
class Outcome:
    """The frame to send back, if any, and what there is to tell about it."""

    frame: bytes | None
    done: Done


class Front:
    """Answers requests."""

    def __init__(self, domain: Domain, gate: Gate, desk: Desk) -> None:
        self._domain = domain
        self._gate = gate
        self._desk = desk

    def take(self, frame: bytes, line: Line) -> Outcome | None:
        """Deal with one frame of a client. `None` if it is nothing that could be answered."""
        try:
            request = decode_request(frame)
        except FrameError as error:
            return self._unreadable(frame, error)
        head = request.head
        entry = self._desk.find(head.servcmd)
        user, value = "", None
        try:
            identity = self._identify(head, line, entry)
            user = "" if identity is None else identity.user
            if entry is None:
                raise Refused(codes.UNKNOWN_COMMAND, f"unknown command {head.servcmd}")
            value = self._read(entry, request)
            answer = entry.handle(Call(line, identity), value)
        except Refused as no:
            answer = _no(no)
        except Exception:
            log.exception("%s of %r failed", head.servcmd, user)
            answer = refusal(codes.internal(head.servcmd), "internal error")
        return self._outcome(head.servcmd, head.seq, Done(head.servcmd, user, value, answer), entry)

    def _identify(self, head: RequestHead, line: Line, entry: Entry | None) -> Identity | None:
        if entry is not None and entry.command.anonymous:
            return None
        name = head.servcmd
        identity = self._gate.identify(head, line.strikes, leaving=name == wire.LOGOUT.name)
        if name != wire.LOGIN.name and identity.user not in self._domain.accounts:
            raise Refused(ACCOUNT_ABSENT, "this account has never logged in")
        return identity

    def _read(self, entry: Entry, request: Request) -> Value:
        try:
            value: Value = decode(entry.command.request, request.body)
        except FrameError as error:
            raise Refused(codes.bad_body(entry.command.name, error.path), error.message) from None
        return value

    def _unreadable(self, frame: bytes, error: FrameError) -> Outcome | None:
        try:
            name = decode(_Named, frame).head
        except FrameError:
            return None
        answer = refusal(codes.bad_body(name.servcmd, ""), error.message)
        return self._outcome(name.servcmd, name.seq, Done(name.servcmd, "", None, answer), self._desk.find(name.servcmd))

    def _outcome(self, servcmd: str, seq: int, done: Done, entry: Entry | None) -> Outcome:
        if entry is not None and entry.command.one_way:
            return Outcome(None, done)
        answer = done.answer
        if answer.error_code is UNSET:
            answer = msgspec.structs.replace(answer, action_status="OK", error_code=0, error_info="")
        return Outcome(encode_response(servcmd, seq, answer), done)


def _no(no: Refused) -> Answer:
    if no.code != Code.KICKED_OUT:
        return refusal(no.code, no.info)
    return wire.HelloAnswer(
        action_status="FAIL",
        error_code=no.code,
        error_info=no.info,
        kick_type=KICKED_BY_ANOTHER_LOGIN,
        new_inst_info=Raw(b"{}"),
    )
