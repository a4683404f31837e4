"""Messages: make, send, take back, read, page back."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from timbot.errors import FrameError, ImError, InvalidArgument, ServerError
from timbot.im.api.base import Api, required
from timbot.im.clock import Clock
from timbot.im.model.message import (
    AT_ALL,
    ConversationType,
    Message,
    Priority,
    c2c_message,
    group_message,
    split_conversation_id,
)
from timbot.im.model.payloads import SENDABLE, Custom, Face, Payload, Text, element_of
from timbot.im.streams import number_of, time_of
from timbot.im.sync import EndlessAnswer
from timbot.im.wire.commands import c2c, groups
from timbot.im.wire.messages import AndroidInfo, ApnsInfo, C2CMessage, GroupAt, GroupMessage, OfflinePush
from timbot.im.wire.pushes import C2CReference, Pushed, open_c2c_list, open_group_list
from timbot.im.wire.value import UNSET, given

HISTORY_PAGE: Final = 15
"""Messages of a page of history, the SDK's limit."""

C2C_PAGE: Final = 20
"""Messages of one page between two users, the SDK's."""

GROUP_PAGE: Final = 20
"""Messages of one group request, the vendor's limit."""

MAX_PAGES: Final = 1000
NOTHING_TO_SEND: Final = 2403
_NOTHING_THERE: Final = 2


class MessageDropped(ImError):
    """A group had too many messages at once: the server said yes and let this one fall. It can be sent again."""

    docs = "errors#dropped"

    def __init__(self, group_id: str, reason: str) -> None:
        super().__init__(f"The message to group {group_id} was dropped ({reason or 'no sequence'}).")
        self.group_id = group_id
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message to be sent. `sequence` and `random` are its identity: the same message sent again is the same message."""

    conversation_type: ConversationType
    to: str
    payload: Payload
    sequence: int
    random: int
    cloud_custom_data: str = ""
    priority: Priority = Priority.NORMAL
    at_user_list: tuple[str, ...] = ()

    @property
    def conversation_id(self) -> str:
        """`C2C<user>` or `GROUP<group>`."""
        return f"{self.conversation_type.value}{self.to}"


@dataclass(frozen=True, slots=True)
class MessageList:
    """A page of history, oldest first. `next_cursor` asks for the page before; None when `is_completed`."""

    messages: tuple[Message, ...]
    next_cursor: tuple[int, str] | None

    @property
    def is_completed(self) -> bool:
        """There are no older messages."""
        return self.next_cursor is None


class Sequences:
    """The sender's counter. It rises within a second, across a restart too: it is the time of day in 1/40 of a millisecond."""

    __slots__ = ("_clock", "_last")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = -1

    def next(self) -> int:
        """The next number; fits an unsigned 32-bit integer. It starts afresh at midnight UTC, which is a new second."""
        now = int(self._clock.now() * 1000) % 86_400_000 * 40
        wrapped = self._last - now > 1 << 31
        self._last = now if wrapped else max(self._last + 1, now)
        return self._last


class MessagesApi(Api):
    """`create...Message`, `sendMessage`, `revokeMessage`, `getMessageList`, `setMessageRead`."""

    _sequences: Sequences

    def create_text_message(
        self,
        to: str,
        conversation_type: ConversationType,
        text: str,
        *,
        priority: Priority = Priority.NORMAL,
        cloud_custom_data: str = "",
    ) -> OutgoingMessage:
        """A text (`createTextMessage`). `cloud_custom_data` travels with it unseen."""
        return self.create_message(to, conversation_type, Text(text), priority=priority, cloud_custom_data=cloud_custom_data)

    def create_text_at_message(
        self, to: str, text: str, at_user_list: Sequence[str], *, cloud_custom_data: str = ""
    ) -> OutgoingMessage:
        """A text to a group that mentions users (`createTextAtMessage`); `AT_ALL` mentions everybody. At most 30."""
        message = self.create_message(to, ConversationType.GROUP, Text(text), cloud_custom_data=cloud_custom_data)
        return dataclasses.replace(message, at_user_list=tuple(at_user_list))

    def create_custom_message(
        self, to: str, conversation_type: ConversationType, data: str = "", description: str = "", extension: str = ""
    ) -> OutgoingMessage:
        """The app's own message (`createCustomMessage`). One of the three must not be empty."""
        return self.create_message(to, conversation_type, Custom(data, description, extension))

    def create_face_message(self, to: str, conversation_type: ConversationType, index: int, data: str = "") -> OutgoingMessage:
        """A sticker (`createFaceMessage`)."""
        return self.create_message(to, conversation_type, Face(index, data))

    def create_message(
        self,
        to: str,
        conversation_type: ConversationType,
        payload: Payload,
        *,
        priority: Priority = Priority.NORMAL,
        cloud_custom_data: str = "",
    ) -> OutgoingMessage:
        """A message with any payload that can be sent. Raises `InvalidArgument` (2403) for one that says nothing."""
        required(to, "to")
        if not isinstance(payload, SENDABLE):
            raise InvalidArgument(f"A {type(payload).__name__} cannot be sent.", code=NOTHING_TO_SEND)
        if payload in (Text(""), Custom()):
            raise InvalidArgument(f"The {type(payload).__name__.lower()} message has nothing to send.", code=NOTHING_TO_SEND)
        return OutgoingMessage(
            conversation_type=conversation_type,
            to=to,
            payload=payload,
            sequence=self._sequences.next(),
            random=self._chance.randrange(100_000_000),
            cloud_custom_data=cloud_custom_data,
            priority=priority,
        )

    async def send_message(self, message: OutgoingMessage, *, online_user_only: bool = False) -> Message:
        """Send (`sendMessage`). `online_user_only`: whoever is away never gets it, and no list keeps it.

        Returns the message with the server's time and, in groups, sequence. Raises `ServerError` (refused),
        `MessageDropped` (a group above its 40 messages a second), `OutcomeUnknown` with the token `find_sent` looks for.
        """
        self._inbox.known.write(message.conversation_id, message.sequence, message.random)
        if message.conversation_type is ConversationType.C2C:
            return await self._send_c2c(message, online_user_only)
        self._inbox.streams.sending(message.to)
        sequence = 0
        try:
            sent = await self._send_group(message, online_user_only)
            sequence = 0 if online_user_only else sent.sequence
            return sent
        finally:
            self._hand_over(self._inbox.streams.sent(message.to, sequence))

    async def _send_c2c(self, message: OutgoingMessage, online_user_only: bool) -> Message:
        request = c2c.SendRequest(
            from_account=self.user_id,
            to_account=message.to,
            msg_time_stamp=int(self._clock.now()) + 1,
            msg_seq=message.sequence,
            msg_random=message.random,
            msg_body=[element_of(message.payload)],
            cloud_custom_data=message.cloud_custom_data,
            from_account_nick="",
            from_account_headurl="",
            offline_push_info=_offline_push(silent=online_user_only),
            msg_life_time=0 if online_user_only else UNSET,
        )
        answer = await self._session.request(
            c2c.SEND, request, token=(message.sequence, message.random), trace=self._trace(message.random)
        )
        return self._sent(message, given(answer.msg_time, 0), message.sequence)

    async def _send_group(self, message: OutgoingMessage, online_user_only: bool) -> Message:
        request = groups.SendRequest(
            from_account=self.user_id,
            group_id=message.to,
            random=message.random,
            client_seq=message.sequence,
            msg_priority=message.priority.value,
            msg_body=[element_of(message.payload)],
            cloud_custom_data=message.cloud_custom_data,
            online_only_flag=int(online_user_only),
            offline_push_info=_offline_push(silent=online_user_only),
            group_at_info=[_mention(user) for user in message.at_user_list],
        )
        answer = await self._session.request(groups.SEND, request, token=message.random, trace=self._trace(message.random))
        sequence = given(answer.msg_seq, 0)
        if given(answer.msg_drop_reason, "") or (not sequence and not online_user_only):
            raise MessageDropped(message.to, given(answer.msg_drop_reason, ""))
        return self._sent(message, given(answer.msg_time, 0), sequence)

    def _trace(self, random: int) -> str:
        return f"{self._session.ticket.tiny_id}-{random}"

    def _sent(self, message: OutgoingMessage, time: int, sequence: int) -> Message:
        return Message(
            conversation_type=message.conversation_type,
            peer=message.to,
            from_=self.user_id,
            to=message.to,
            flow="out",
            time=time,
            sequence=sequence,
            random=message.random,
            elements=[element_of(message.payload)],
            cloud_custom_data=message.cloud_custom_data,
            priority=message.priority,
            at_user_list=message.at_user_list,
            client_sequence=message.sequence,
        )

    async def find_sent(self, message: OutgoingMessage, sent_at: float) -> Message | None:
        """Look for a message whose sending ended unknown. `sent_at` (our Unix seconds) bounds how far back to look."""
        oldest = sent_at + self._session.server_now() - self._clock.now() - 60  # as the server counts, and a little more
        cursor: tuple[int, str] | None = None
        for _ in range(MAX_PAGES):
            page = await self.get_message_list(message.conversation_id, cursor=cursor)
            for found in page.messages:
                same = found.random == message.random and found.flow == "out"
                if same and message.sequence in (found.sequence, found.client_sequence):
                    return found
            cursor = page.next_cursor
            if cursor is None or (page.messages and page.messages[0].time < oldest):
                return None
        raise EndlessAnswer((c2c.HISTORY if message.conversation_type is ConversationType.C2C else groups.HISTORY).name)

    async def revoke_message(self, message: Message) -> None:
        """Take a message back (`revokeMessage`): one's own within 2 minutes; owners and admins of a group any.

        Raises `ServerError`: 20016 and 10031 too late, 20022 and 10030 no such message, 10007 not permitted.
        """
        if message.conversation_type is ConversationType.C2C:
            reference = C2CReference(
                from_account=message.from_,
                to_account=message.to,
                msg_seq=message.sequence,
                msg_random=message.random,
                msg_time_stamp=message.time,
            )
            await self._session.request(c2c.REVOKE, c2c.RevokeRequest(msg_info=reference))
            return
        sequence = groups.SequenceItem(msg_seq=message.sequence)
        request = groups.RevokeRequest(group_id=message.peer, msg_seq_list=[sequence])
        answer = await self._session.request(groups.REVOKE, request)
        for result in given(answer.recall_ret_list, [])[:1]:
            code: int = given(result.ret_code, 0)
            if code:
                raise ServerError(groups.REVOKE.name, code)

    async def set_message_read(self, conversation_id: str, up_to: int) -> None:
        """Report a conversation read (`setMessageRead`), up to a time (C2C, Unix seconds) or a sequence (group)."""
        kind, name = split_conversation_id(conversation_id)
        if kind is ConversationType.GROUP:
            await self._session.request(groups.READ, groups.ReadRequest(group_id=name, msg_readed_seq=up_to))
            return
        item = c2c.ReadItem(to_account=name, lasted_msg_time=up_to, receipt=1)
        await self._session.request(
            c2c.READ, c2c.ReadRequest(c2c_msg_readed=c2c.ReadBatch(cookie="", c2c_msg_readed_item=[item]))
        )

    async def get_message_list(
        self, conversation_id: str, *, cursor: tuple[int, str] | None = None, count: int = HISTORY_PAGE
    ) -> MessageList:
        """A page of history, newest page first (`getMessageList`). `count` at most 15; `cursor` from the page before."""
        kind, name = split_conversation_id(conversation_id)
        number = max(1, min(count, HISTORY_PAGE))
        if kind is ConversationType.GROUP:
            return await self._group_history(name, cursor, number)
        before, key = cursor or (0, "")
        request = c2c.HistoryRequest(peer_account=name, max_cnt=number, last_msg_time=before, msg_key=key, with_recalled_msg=1)
        answer = await self._session.request(c2c.HISTORY, request)
        listed = open_c2c_list(given(answer.msg_list, []), path="$.MsgList")
        messages = tuple(c2c_message(item.value, self.user_id) for item in listed if isinstance(item.value, C2CMessage))
        if given(answer.complete, 1) == 1 or not messages:
            return MessageList(messages, None)
        return MessageList(messages, (messages[0].time, given(answer.msg_key, "")))

    async def _c2c_since(self, peer: str, since: float) -> list[Pushed]:
        """Everything between this account and `peer` that is not older than `since` (Unix seconds), oldest first."""
        found: list[Pushed] = []
        before, key = 0, ""
        for _ in range(MAX_PAGES):
            request = c2c.HistoryRequest(
                peer_account=peer, max_cnt=C2C_PAGE, last_msg_time=before, msg_key=key, with_recalled_msg=1
            )
            answer = await self._session.request(c2c.HISTORY, request)
            page = list(open_c2c_list(given(answer.msg_list, []), path="$.MsgList"))
            found[:0] = page
            times = [item.value.msg_time_stamp for item in page if isinstance(item.value, C2CMessage)]
            if not times or times[0] < since or given(answer.complete, 1) == 1:
                break
            before, key = times[0], given(answer.msg_key, "")
        return [item for item in found if not isinstance(item.value, C2CMessage) or item.value.msg_time_stamp >= since]

    async def _group_history(self, group_id: str, cursor: tuple[int, str] | None, number: int) -> MessageList:
        newest = cursor[0] if cursor else await self._newest_sequence(group_id)
        if newest < 1:
            return MessageList((), None)
        items, complete = await self._group_page(group_id, newest, number)
        messages: list[Message] = []
        for item in reversed(items):
            if isinstance(item.value, GroupMessage):
                with contextlib.suppress(FrameError):  # one that makes no sense must not cost the page
                    messages.append(group_message(item.value, self.user_id))
        next_newest = _below(items, newest)
        return MessageList(tuple(messages), None if complete or next_newest < 1 else (next_newest, ""))

    async def _newest_sequence(self, group_id: str) -> int:
        answer = await self._session.request(groups.INFO, groups.InfoRequest(group_id_list=[group_id]))
        for info in given(answer.group_info, []):
            code: int = given(info.error_code, 0)
            if code:
                raise ServerError(groups.INFO.name, code, given(info.error_info, ""))
            return given(info.next_msg_seq, 1) - 1
        return 0

    async def _group_page(self, group_id: str, newest: int, number: int) -> tuple[list[Pushed], bool]:
        """Messages and tips from `newest` down, and whether that was the oldest there is."""
        request = groups.HistoryRequest(group_id=group_id, req_msg_seq=newest, req_msg_number=number, with_recalled_msg=1)
        answer = await self._session.request(groups.HISTORY, request)
        items = list(open_group_list(given(answer.rsp_msg_list, []), path="$.RspMsgList"))
        return items, not items or given(answer.is_finished, 0) == _NOTHING_THERE

    async def _group_range(self, group_id: str, first: int, last: int, *, since: int = 0) -> list[Pushed]:
        """Everything of a group from `first` to `last` that the server still has, oldest first.

        `since` (Unix seconds) ends the look back earlier: what is older may be missing.
        """
        found: list[Pushed] = []
        newest = last
        for _ in range(MAX_PAGES):
            if newest < first:
                break
            items, complete = await self._group_page(group_id, newest, min(GROUP_PAGE, newest - first + 1))
            found.extend(items)
            if complete or (items and time_of(items[-1].value) < since):
                break
            newest = _below(items, newest)
        found.reverse()
        return found


def _below(items: Sequence[Pushed], newest: int) -> int:
    """Where the page before begins, after one that began with `newest`. A server may give less than it was asked for."""
    return min([newest, *(number_of(item.value) or newest for item in items)]) - 1


def _mention(user: str) -> GroupAt:
    if user == AT_ALL:
        return GroupAt(group_at_all_flag=1)
    return GroupAt(group_at_all_flag=0, group_at_account=user)


def _offline_push(*, silent: bool) -> OfflinePush:
    return OfflinePush(
        push_flag=int(silent),
        title="",
        desc="",
        ext="",
        apns_info=ApnsInfo(badge_mode=0),
        android_info=AndroidInfo(oppo_channel_id=""),
    )
