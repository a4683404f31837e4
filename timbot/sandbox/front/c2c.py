"""C2C messages: sent, recalled, read, paged back, deleted."""

from __future__ import annotations

from timbot.errors import FrameError
from timbot.im.wire.commands import c2c as wire
from timbot.im.wire.elements import Element, open_element
from timbot.im.wire.envelope import Answer
from timbot.im.wire.messages import SYSTEM_ACCOUNT
from timbot.im.wire.value import Raw, UnsetType, encode, given
from timbot.sandbox.domain import Code, Domain, Refused
from timbot.sandbox.files import Files
from timbot.sandbox.front import codes
from timbot.sandbox.front.desk import Call, Desk
from timbot.sandbox.front.files import with_sizes
from timbot.sandbox.front.render import Render

HISTORY_PAGE = 100
"""The most messages in a page of history, whatever is asked for."""


class C2C:
    """The commands of `openim` about messages."""

    def __init__(self, domain: Domain, render: Render, files: Files) -> None:
        self._domain = domain
        self._render = render
        self._files = files

    def register(self, desk: Desk) -> None:
        """Take these commands."""
        desk.add(wire.SEND, self.send)
        desk.add(wire.REVOKE, self.revoke)
        desk.add(wire.READ, self.read)
        desk.add(wire.PEER_READ, self.peer_read)
        desk.add(wire.HISTORY, self.history)
        desk.add(wire.DELETE, self.delete)
        desk.add(wire.DELETE_NOTICES, self.delete_notices)

    def send(self, call: Call, request: wire.SendRequest) -> wire.SendAnswer:
        """A message; its elements are kept as they came."""
        if not given(request.to_account, ""):
            raise Refused(codes.RECEIVER_MISSING, "To_Account is missing")
        if isinstance(request.msg_random, UnsetType):
            raise Refused(codes.RANDOM_MISSING, "MsgRandom is missing")
        if isinstance(request.msg_seq, UnsetType):
            raise Refused(Code.C2C_BAD_REQUEST, "MsgSeq is missing")
        body, size = checked_body(request.msg_body)
        sent = self._domain.chats.send(
            call.user,
            given(request.to_account, ""),
            with_sizes(body, self._files),
            size=size + len(given(request.cloud_custom_data, "").encode("utf-8", "replace")),
            sequence=request.msg_seq,
            random=request.msg_random,
            instance=call.instance,
            cloud_custom_data=given(request.cloud_custom_data, ""),
            online_only=given(request.msg_life_time, -1) == 0,
            client_time=given(request.msg_client_time, 0),
        )
        message = sent.message
        return wire.SendAnswer(msg_time=message.time, msg_key=f"{message.sequence}_{message.random}_{message.time}")

    def revoke(self, call: Call, request: wire.RevokeRequest) -> Answer:
        """Recall one's own message."""
        named = request.msg_info
        self._domain.chats.recall(
            call.user,
            named.to_account,
            sequence=named.msg_seq,
            random=named.msg_random,
            time=given(named.msg_time_stamp, 0),
            instance=call.instance,
        )
        return Answer()

    def read(self, call: Call, request: wire.ReadRequest) -> Answer:
        """What peers sent up to a time is read."""
        for item in request.c2c_msg_readed.c2c_msg_readed_item:
            self._domain.chats.read(call.user, item.to_account, item.lasted_msg_time, instance=call.instance)
        return Answer()

    def peer_read(self, call: Call, request: wire.PeerReadRequest) -> wire.PeerReadAnswer:
        """How far peers have read."""
        return wire.PeerReadAnswer(
            read_time=[self._domain.chats.peer_read_time(call.user, peer) for peer in request.to_account]
        )

    def history(self, call: Call, request: wire.HistoryRequest) -> wire.HistoryAnswer:
        """A page, oldest first. `MsgKey` says where the one before began; without it `LastMsgTime` does."""
        key = given(request.msg_key, "")
        if key and not (key.isascii() and key.isdigit() and len(key) < 19):
            raise Refused(Code.C2C_BAD_REQUEST, "MsgKey is not one this server gave")
        count = min(max(request.max_cnt, 1), HISTORY_PAGE)
        page = self._domain.chats.history(
            call.user,
            request.peer_account,
            count,
            key=int(key) if key else None,
            until=request.last_msg_time if request.last_msg_time > 0 and not key else None,
        )
        with_revoked = given(request.with_recalled_msg, 0) == 1
        shown = [message for message in page.messages if with_revoked or not message.recalled]
        return wire.HistoryAnswer(
            complete=int(page.complete),
            msg_cnt=len(shown),
            msg_list=[Raw(encode(self._render.c2c(message))) for message in shown],
            msg_key=str(page.key) if page.key else "",
            last_msg_time=page.messages[0].time if page.messages else request.last_msg_time,
        )

    def delete(self, call: Call, request: wire.DeleteRequest) -> Answer:
        """Delete messages for oneself."""
        keys = [_message_key(key) for key in request.msg_key_list]
        self._domain.chats.delete(call.user, request.to_account, keys)
        return Answer()

    def delete_notices(self, call: Call, request: wire.DeleteNoticesRequest) -> Answer:
        """Group system notices are done with. Marks of mentions are not kept, so there is nothing of them to delete."""
        for named in request.del_msg_list:
            if named.from_account == SYSTEM_ACCOUNT:
                sequence, random = given(named.msg_seq, 0), given(named.msg_random, 0)
                self._domain.group_applications.delete_notice(call.user, sequence, random)
        return Answer()


def checked_body(body: list[Element] | UnsetType) -> tuple[list[Element], int]:
    """The elements of a new message and their size in bytes. Known kinds must hold what they should.

    Refused: 90002 there are none, 90010 one cannot be understood.
    """
    found = given(body, [])
    if not found:
        raise Refused(codes.BODY_MISSING, "MsgBody is missing or empty")
    for element in found:
        try:
            open_element(element)
        except FrameError as error:
            raise Refused(codes.ELEMENT_MALFORMED, error.message) from None
    return found, len(encode(found))


def _message_key(key: str) -> tuple[int, int, int]:
    parts = key.split("_")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise Refused(Code.C2C_BAD_REQUEST, "a message key is <MsgSeq>_<MsgRandom>_<MsgTime>")
    return int(parts[0]), int(parts[1]), int(parts[2])
