"""What a push holds: each item of its `EventArray` opened to a typed value, one by one.

An item that cannot be understood comes out as `Broken`, with its bytes and the reason, in its place among its
neighbours; an item of a kind unknown here as `Unknown`. Nothing is dropped silently and nothing raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from timbot.errors import FrameError
from timbot.im.wire.envelope import PushBody
from timbot.im.wire.messages import C2CMessage, GroupMessage, NoticeBody, Revoker, TipBody
from timbot.im.wire.value import UNSET, Int, Opt, Raw, Value, decode, given, wire_name

EVENT_MESSAGE: Final = 3
EVENT_TIP: Final = 4
EVENT_NOTICE: Final = 5
EVENT_TIP_UNSTORED: Final = 6
EVENT_FRIENDS: Final = 7
EVENT_PROFILE: Final = 8
EVENT_C2C: Final = 9
EVENT_C2C_NOTICE: Final = 10
EVENT_MENTION: Final = 12
EVENT_CONTACTS: Final = 13
"""Any number but 14 and 16: under those, newer SDKs look for other news than the payload key says."""


class PushItem(Value, frozen=True):
    """One item of `EventArray`. Dispatch goes by the payload key; the number matters for groups only."""

    event: Opt[Int] = UNSET
    c2c_msg_array: Opt[list[Raw]] = UNSET
    group_msg_array: Opt[list[Raw]] = UNSET
    group_tips: Opt[list[Raw]] = UNSET
    c2c_notify_msg_array: Opt[list[Raw]] = UNSET
    profile_data_mod: Opt[list[Raw]] = UNSET
    friend_list_mod: Opt[list[Raw]] = UNSET
    recent_contact_mod: Opt[list[Raw]] = UNSET


class Kickout(Value, frozen=True):
    """This login was ended. `kick_type` 1 another login of the account, 2 another device type."""

    kick_type: Opt[Int] = UNSET
    new_inst_info: Opt[Raw] = UNSET


class C2CReference(Value, frozen=True):
    """Names a C2C message."""

    from_account: str
    to_account: str
    msg_seq: Int
    msg_random: Int
    msg_time_stamp: Opt[Int] = UNSET
    revoker_info: Opt[Revoker] = UNSET


class C2CWithdrawn(Value, frozen=True):
    """C2C messages that were revoked."""

    c2c_withdraw_info_array: list[C2CReference]


class ReadPair(Value, frozen=True):
    """A reading time in one conversation (Unix seconds): everything up to it is read."""

    last_read_time: Int
    from_account: Opt[str] = UNSET
    peer_read_time: Opt[Int] = UNSET


class ReadReceipt(Value, frozen=True):
    """`to_account` has read what I wrote."""

    to_account: str
    uin_pair_read_array: list[ReadPair]


class ReadElsewhere(Value, frozen=True):
    """Another instance of mine has read a C2C conversation."""

    uin_pair_read_array: list[ReadPair]


class C2CNotice(Value, frozen=True):
    """One item of `C2cNotifyMsgArray`: exactly one of four."""

    kickout_msg_notify: Opt[Kickout] = UNSET
    withdraw_c2c_msg_notify: Opt[C2CWithdrawn] = UNSET
    c2c_readed_receipt: Opt[ReadReceipt] = UNSET
    read_c2c_msg_notify: Opt[ReadElsewhere] = UNSET


class ProfileField(Value, frozen=True):
    """One changed field of a profile: text or a number."""

    tag: str
    value_bytes: Opt[str] = UNSET
    value_num: Opt[Int] = UNSET


class ProfileMod(Value, frozen=True):
    """Somebody's profile changed."""

    profile_account: str
    profile_list: list[ProfileField]


class PendencyAdded(Value, frozen=True):
    """A friend application that was made."""

    pendency_add_account: str
    profile_im_nick: Opt[str] = UNSET
    profile_im_image: Opt[str] = UNSET
    add_source: Opt[str] = UNSET
    add_wording: Opt[str] = UNSET
    add_time: Opt[Int] = UNSET


class FriendMod(Value, frozen=True):
    """News of friends, applications and the blocklist. `push_type` 3 and 4 mark applications of one's own making."""

    push_type: Opt[Int] = UNSET
    from_account: Opt[str] = UNSET
    friend_add_account: Opt[list[str]] = UNSET
    friend_del_account: Opt[list[str]] = UNSET
    pendency_add: Opt[list[PendencyAdded]] = UNSET
    frien_pencyd_del_account: Opt[list[str]] = UNSET
    report_time: Opt[Int] = UNSET
    black_list_add_account: Opt[list[str]] = UNSET
    black_list_del_account: Opt[list[str]] = UNSET


class ContactKey(Value, frozen=True):
    """A conversation: `type` 1 with `peer_account`, 2 with `group_id`."""

    type: Int
    peer_account: Opt[str] = UNSET
    group_id: Opt[str] = UNSET


class ContactList(Value, frozen=True):
    """Conversations."""

    recent_contact_list: list[ContactKey]


class ContactMod(Value, frozen=True):
    """Conversations deleted (`push_type` 1), pinned (2) or unpinned (3) on another instance."""

    push_type: Int
    recent_contact_delete_item: Opt[ContactList] = UNSET
    recent_contact_top_item: Opt[ContactList] = UNSET


@dataclass(frozen=True, slots=True)
class Tip:
    """A group tip; `stored` ones (`Event` 4) took a sequence number of the group."""

    message: GroupMessage
    body: TipBody
    stored: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """A group system notice, or the news of recalls or of reading elsewhere."""

    message: GroupMessage
    body: NoticeBody


@dataclass(frozen=True, slots=True)
class Mention:
    """You were mentioned in a group. The message itself comes too."""

    message: GroupMessage


@dataclass(frozen=True, slots=True)
class Broken:
    """Bytes in place of an item that could not be understood."""

    error: FrameError


@dataclass(frozen=True, slots=True)
class Unknown:
    """An item of a kind this library does not know."""

    event: int


PushValue = (
    C2CMessage
    | GroupMessage
    | Tip
    | Notice
    | Mention
    | Kickout
    | C2CWithdrawn
    | ReadReceipt
    | ReadElsewhere
    | ProfileMod
    | FriendMod
    | ContactMod
    | Broken
    | Unknown
)


class Pushed(msgspec.Struct, frozen=True):
    """One thing a push says, and the bytes that say it: a part of an item, under `key` and with the item's number `event`;
    without a `key`, the whole item."""

    value: PushValue
    raw: Raw
    event: int = 0
    key: str = ""


def open_push(body: PushBody) -> Iterator[Pushed]:
    """Everything a push says, in order."""
    for index, raw in enumerate(given(body.event_array, [])):
        yield from open_item(raw, path=f"$.EventArray[{index}]")


def open_item(raw: Raw, *, path: str) -> Iterator[Pushed]:
    """One item of an `EventArray`, of a push or of `getmsg`."""
    try:
        item = decode(PushItem, raw, path=path)
    except FrameError as error:
        yield Pushed(Broken(error), raw)
        return
    event = given(item.event, 0)
    found = False
    for field, name, opener in _PAYLOADS:
        parts = getattr(item, field)
        if parts is UNSET:
            continue
        found = True
        for number, part in enumerate(parts):
            yield _open_part(part, event, name, opener, f"{path}.{name}[{number}]")
    if not found:
        yield Pushed(Unknown(event), raw)


def open_c2c_list(parts: list[Raw], *, path: str) -> Iterator[Pushed]:
    """A list of C2C messages, of `getmsg` or of a page of history, one by one."""
    for index, part in enumerate(parts):
        yield _open_part(part, EVENT_C2C, "C2cMsgArray", open_c2c, f"{path}[{index}]")


def open_group_list(parts: list[Raw], *, path: str) -> Iterator[Pushed]:
    """A list of group messages and tips, of a page of history or of a long poll, one by one."""
    for index, part in enumerate(parts):
        yield _open_part(part, EVENT_MESSAGE, "GroupMsgArray", open_group, f"{path}[{index}]")


def seal_item(pushed: Pushed) -> bytes:
    """An item of an `EventArray` that says just this: `open_item` makes the same of it, whichever way it came."""
    if not pushed.key:
        return bytes(pushed.raw)
    return b'{"Event":%d,"%s":[%s]}' % (pushed.event, pushed.key.encode(), bytes(pushed.raw))


def _open_part(raw: Raw, event: int, key: str, opener: _Opener, path: str) -> Pushed:
    try:
        return Pushed(opener(raw, event, path), raw, event, key)
    except FrameError as error:
        return Pushed(Broken(error), raw, event, key)


def open_c2c(raw: Raw, _event: int, path: str) -> PushValue:
    """A C2C message."""
    return decode(C2CMessage, raw, path=path)


def open_group(raw: Raw, event: int, path: str) -> PushValue:
    """A group message, or in a list a tip (`Event` 4)."""
    message = decode(GroupMessage, raw, path=path)
    if given(message.event, event) in (EVENT_TIP, EVENT_TIP_UNSTORED, EVENT_NOTICE):
        return _open_tip(message, given(message.event, event), path)
    if not message.group_id or message.msg_seq is UNSET:
        raise FrameError("Group message without a group or a sequence", path=path, raw=bytes(raw))
    return message


def _open_group_tip(raw: Raw, event: int, path: str) -> PushValue:
    return _open_tip(decode(GroupMessage, raw, path=path), event, path)


def _open_tip(message: GroupMessage, event: int, path: str) -> PushValue:
    body = given(message.msg_body, Raw(b"{}"))
    if event == EVENT_NOTICE:
        return Notice(message, decode(NoticeBody, body, path=f"{path}.MsgBody"))
    if event in (EVENT_TIP, EVENT_TIP_UNSTORED):
        return Tip(message, decode(TipBody, body, path=f"{path}.MsgBody"), stored=event == EVENT_TIP)
    if event == EVENT_MENTION:
        return Mention(message)
    return Unknown(event)


def _open_c2c_notice(raw: Raw, event: int, path: str) -> PushValue:
    notice = decode(C2CNotice, raw, path=path)
    for value in (
        notice.kickout_msg_notify,
        notice.withdraw_c2c_msg_notify,
        notice.c2c_readed_receipt,
        notice.read_c2c_msg_notify,
    ):
        if value is not UNSET:
            return value
    return Unknown(event)


_Opener = Callable[[Raw, int, str], PushValue]

_PAYLOADS: Final[tuple[tuple[str, str, _Opener], ...]] = tuple(
    (field, wire_name(field), opener)
    for field, opener in (
        ("c2c_msg_array", open_c2c),
        ("group_msg_array", open_group),
        ("group_tips", _open_group_tip),
        ("c2c_notify_msg_array", _open_c2c_notice),
        ("profile_data_mod", lambda raw, _event, path: decode(ProfileMod, raw, path=path)),
        ("friend_list_mod", lambda raw, _event, path: decode(FriendMod, raw, path=path)),
        ("recent_contact_mod", lambda raw, _event, path: decode(ContactMod, raw, path=path)),
    )
)
