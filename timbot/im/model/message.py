"""A message as the SDK shows it, and one that is being written."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from timbot.im.model.payloads import Custom, Face, Payload, Text, UnknownPayload, payload_of
from timbot.im.wire.elements import Element
from timbot.im.wire.identity import is_own, peer_of
from timbot.im.wire.messages import AT_ALL_ACCOUNT, FLAG_REVOKED, C2CMessage, GroupMessage
from timbot.im.wire.value import UNSET, Raw, decode, given

AT_ALL: Final = AT_ALL_ACCOUNT
"""In `at_user_list`: everybody."""


class ConversationType(StrEnum):
    """The SDK's `CONV_*`. The value begins every conversation ID of the type."""

    C2C = "C2C"
    GROUP = "GROUP"
    SYSTEM = "@TIM#SYSTEM"


class Priority(StrEnum):
    """How a group's messages give way above 40 a second (the SDK's `MSG_PRIORITY_*`)."""

    HIGH = "High"
    NORMAL = "Normal"
    LOW = "Low"
    LOWEST = "Lowest"


_PRIORITY_NUMBERS: Final = {1: Priority.HIGH, 2: Priority.NORMAL, 3: Priority.LOW, 4: Priority.LOWEST}
_REVOKED_PLACE: Final = 2


def conversation_id(kind: ConversationType, name: str) -> str:
    """`C2Calice`, `GROUPlobby`."""
    return f"{kind.value}{name}"


def split_conversation_id(text: str) -> tuple[ConversationType, str]:
    """The type and the user or group. Raises `ValueError` for anything else."""
    for kind in (ConversationType.GROUP, ConversationType.C2C):
        if text.startswith(kind.value) and len(text) > len(kind.value):
            return kind, text[len(kind.value) :]
    raise ValueError(f"'{text}' is no conversation ID: C2C<user> or GROUP<group>.")


class Message:
    """One message, received or sent. Its payloads are opened when first looked at.

    `id` is unique for this account; `flow` "in" or "out"; `time` is the server's, Unix seconds; `sequence` is the sender's
    own in C2C and the group's in groups; `nick`, `avatar` and `name_card` are the sender's.
    """

    __slots__ = (
        "_elements",
        "_payloads",
        "at_user_list",
        "avatar",
        "client_sequence",
        "cloud_custom_data",
        "conversation_type",
        "flow",
        "from_",
        "is_modified",
        "is_revoked",
        "name_card",
        "nick",
        "online_only",
        "peer",
        "priority",
        "random",
        "sequence",
        "time",
        "to",
    )

    def __init__(
        self,
        *,
        conversation_type: ConversationType,
        peer: str,
        from_: str,
        to: str,
        flow: str,
        time: int,
        sequence: int,
        random: int,
        elements: Sequence[Element],
        nick: str = "",
        avatar: str = "",
        name_card: str = "",
        cloud_custom_data: str = "",
        priority: Priority = Priority.NORMAL,
        at_user_list: tuple[str, ...] = (),
        client_sequence: int = 0,
        is_revoked: bool = False,
        is_modified: bool = False,
        online_only: bool = False,
    ) -> None:
        self.conversation_type = conversation_type
        self.peer = peer
        self.from_ = from_
        self.to = to
        self.flow = flow
        self.time = time
        self.sequence = sequence
        self.random = random
        self._elements = tuple(elements)
        self._payloads: tuple[Payload, ...] | None = None
        self.nick = nick
        self.avatar = avatar
        self.name_card = name_card
        self.cloud_custom_data = cloud_custom_data
        self.priority = priority
        self.at_user_list = at_user_list
        self.client_sequence = client_sequence
        self.is_revoked = is_revoked
        self.is_modified = is_modified
        self.online_only = online_only

    @property
    def conversation_id(self) -> str:
        """`C2C<user>` or `GROUP<group>`."""
        return f"{self.conversation_type.value}{self.peer}"

    @property
    def id(self) -> str:
        """The SDK's message ID: `C2C<peer>-<sequence>-<random>-<1 if I sent it>`."""
        return f"{self.conversation_id}-{self.sequence}-{self.random}-{int(self.flow == 'out')}"

    @property
    def elements(self) -> tuple[Element, ...]:
        """The elements as they travelled."""
        return self._elements

    @property
    def payloads(self) -> tuple[Payload, ...]:
        """Everything the message says, in order."""
        if self._payloads is None:
            self._payloads = tuple(payload_of(element) for element in self._elements)
        return self._payloads

    @property
    def payload(self) -> Payload:
        """The first thing the message says, which for the SDK is all of it."""
        return self.payloads[0] if self._elements else UnknownPayload("", Raw(b"{}"))

    @property
    def text(self) -> str:
        """The text of the message: all its text elements, joined; empty if it has none."""
        return "".join(payload.text for payload in self.payloads if isinstance(payload, Text))

    def __repr__(self) -> str:
        return f"<Message {self.id} from {self.from_} at {self.time}: {_summary(self.payload)}>"


def _summary(payload: Payload) -> str:
    """What kind of thing it is; never the words themselves, which belong in no log."""
    match payload:
        case Text():
            return f"text, {len(payload.text)} characters"
        case Custom():
            return "custom"
        case Face():
            return f"face {payload.index}"
        case UnknownPayload():
            return payload.type or "empty"
    return type(payload).__name__.lower()


def c2c_message(wire: C2CMessage, me: str) -> Message:
    """A C2C message as the account `me` sees it."""
    own, peer = is_own(wire, me), peer_of(wire, me)
    return Message(
        conversation_type=ConversationType.C2C,
        peer=peer,
        from_=me if own else peer,
        to=peer if own else me,
        flow="out" if own else "in",
        time=wire.msg_time_stamp,
        sequence=wire.msg_seq,
        random=wire.msg_random,
        elements=wire.msg_body,
        nick=given(wire.from_account_nick, ""),
        avatar=given(wire.from_account_headurl, ""),
        cloud_custom_data=given(wire.cloud_custom_data, ""),
        client_sequence=given(wire.client_seq, wire.msg_seq),
        is_revoked=given(wire.msg_flag_bits, 0) & FLAG_REVOKED != 0,
        is_modified=given(wire.msg_modified_flag, 0) == 1,
        online_only=wire.msg_life_time == 0,
    )


def group_message(wire: GroupMessage, me: str, *, path: str = "$") -> Message:
    """A group message as the account `me` sees it. Raises `FrameError` if its body is no list of elements."""
    group, sender, info = wire.group_id, given(wire.from_account, ""), wire.group_info
    nick = avatar = card = ""
    if info is not UNSET:
        nick, avatar = given(info.from_account_nick, ""), given(info.from_account_headurl, "")
        if info.msg_from_account_extra_info is not UNSET:
            card = given(info.msg_from_account_extra_info.name_card, "")
    elements = decode(list[Element], wire.msg_body, path=f"{path}.MsgBody") if wire.msg_body is not UNSET else []
    return Message(
        conversation_type=ConversationType.GROUP,
        peer=group,
        from_=sender,
        to=group,
        flow="out" if sender == me else "in",
        time=given(wire.msg_time_stamp, 0),
        sequence=given(wire.msg_seq, 0),
        random=given(wire.msg_random, given(wire.random, 0)),
        elements=elements,
        nick=nick,
        avatar=avatar,
        name_card=card,
        cloud_custom_data=given(wire.cloud_custom_data, ""),
        priority=_priority(wire),
        at_user_list=_mentioned(wire),
        client_sequence=given(wire.client_seq, 0),
        is_revoked=given(wire.is_place_msg, 0) == _REVOKED_PLACE,
        is_modified=given(wire.msg_modified_flag, 0) == 1,
        online_only=given(wire.online_only_flag, 0) == 1,
    )


def _priority(wire: GroupMessage) -> Priority:
    value = given(wire.msg_priority, 2)
    if isinstance(value, int):
        return _PRIORITY_NUMBERS.get(value, Priority.NORMAL)
    return Priority(value) if value in {priority.value for priority in Priority} else Priority.NORMAL


def _mentioned(wire: GroupMessage) -> tuple[str, ...]:
    """Who is mentioned. In pushes the flag 2 means everybody; a one with an account is a person."""
    mentions = given(wire.group_at_info, [])
    return tuple(AT_ALL if at.group_at_all_flag == 2 else given(at.group_at_account, "") for at in mentions)
