"""C2C messages: send, revoke, read, page back, delete (`openim`)."""

from __future__ import annotations

from typing import Final

import msgspec

from timbot.im.wire.commands.base import Command
from timbot.im.wire.elements import Element
from timbot.im.wire.envelope import Answer
from timbot.im.wire.messages import OfflinePush
from timbot.im.wire.pushes import C2CReference
from timbot.im.wire.value import UNSET, Int, Opt, Raw, Value


class SendRequest(Value, frozen=True):
    """One message. `msg_life_time` 0 = only if the receiver is online, nothing is stored; otherwise absent."""

    from_account: Opt[str] = UNSET
    to_account: Opt[str] = UNSET
    msg_time_stamp: Opt[Int] = UNSET
    msg_seq: Opt[Int] = UNSET
    msg_random: Opt[Int] = UNSET
    msg_body: Opt[list[Element]] = UNSET
    cloud_custom_data: Opt[str] = UNSET
    from_account_nick: Opt[str] = UNSET
    from_account_headurl: Opt[str] = UNSET
    offline_push_info: Opt[OfflinePush] = UNSET
    msg_life_time: Opt[Int] = UNSET
    msg_client_time: Opt[Int] = UNSET


class SendAnswer(Answer, frozen=True):
    """`msg_time` is the server's (seconds), and what listed copies carry."""

    msg_time: Opt[Int] = UNSET
    msg_key: Opt[str] = UNSET


class RevokeRequest(Value, frozen=True):
    """Names the message; `MsgTimeStamp` is the server's time of it."""

    msg_info: C2CReference


class ReadItem(Value, frozen=True):
    """Everything of `to_account` up to `lasted_msg_time` (spelled so) is read."""

    to_account: str
    lasted_msg_time: Int
    receipt: Opt[Int] = UNSET


class ReadBatch(Value, frozen=True):
    """Read reports for several conversations."""

    c2c_msg_readed_item: list[ReadItem] = msgspec.field(name="C2CMsgReadedItem")
    cookie: Opt[str] = UNSET


class ReadRequest(Value, frozen=True):
    """A read report."""

    c2c_msg_readed: ReadBatch = msgspec.field(name="C2CMsgReaded")


class PeerReadRequest(Value, frozen=True):
    """Asks how far these users have read what I wrote."""

    to_account: list[str]


class PeerReadAnswer(Answer, frozen=True):
    """Times in the order of the question; 0 = unknown."""

    read_time: Opt[list[Int]] = UNSET


class HistoryRequest(Value, frozen=True):
    """One page back. `last_msg_time` and `msg_key` are 0 and "" first, then time of the oldest held and the key returned."""

    peer_account: str
    max_cnt: Int
    last_msg_time: Int
    msg_key: Opt[str] = UNSET
    with_recalled_msg: Opt[Int] = UNSET


class HistoryAnswer(Answer, frozen=True):
    """Messages oldest first; `complete` 1 = there are no older ones."""

    complete: Opt[Int] = UNSET
    msg_cnt: Opt[Int] = UNSET
    msg_list: Opt[list[Raw]] = UNSET
    msg_key: Opt[str] = UNSET
    last_msg_time: Opt[Int] = UNSET


class DeleteRequest(Value, frozen=True):
    """At most 30 keys `<MsgSeq>_<MsgRandom>_<MsgTime>`."""

    to_account: str
    msg_key_list: list[str]
    from_account: Opt[str] = UNSET


class NoticeReference(Value, frozen=True):
    """A system notice (`From_Account` is the system account) or a mention, by its `ClientSeq` and `MsgRandom`."""

    from_account: str
    msg_seq: Opt[Int] = UNSET
    msg_random: Opt[Int] = UNSET
    to_account: Opt[str] = UNSET
    group_id: Opt[str] = UNSET


class DeleteNoticesRequest(Value, frozen=True):
    """System notices and mentions that are done with."""

    del_msg_list: list[NoticeReference]


class MuteNotificationsRequest(Value, frozen=True):
    """Asked by newer SDKs at login."""

    to_account: Opt[str] = UNSET
    peer_account: Opt[list[str]] = UNSET
    update_seq: Opt[Int] = UNSET


class MuteNotificationsAnswer(Answer, frozen=True):
    """Peers whose messages come quietly or not at all. `update_seq` comes back with the next question."""

    update_seq: Opt[Int] = UNSET
    mute_notifications_list: Opt[list[Raw]] = UNSET


SEND: Final = Command("openim.sendmsg", SendRequest, SendAnswer, changes=True)
REVOKE: Final = Command("openim.msgwithdraw", RevokeRequest, Answer, changes=True)
READ: Final = Command("openim.msgreaded", ReadRequest, Answer, changes=True)
PEER_READ: Final = Command("openim.get_peer_read_time", PeerReadRequest, PeerReadAnswer)
HISTORY: Final = Command("openim.getroammsg", HistoryRequest, HistoryAnswer)
DELETE: Final = Command("openim.delete_c2c_msg_ramble", DeleteRequest, Answer, changes=True)
DELETE_NOTICES: Final = Command("openim.deletemsg", DeleteNoticesRequest, Answer, changes=True)
MUTE_NOTIFICATIONS: Final = Command("openim.get_c2c_peer_mute_notifications", MuteNotificationsRequest, MuteNotificationsAnswer)
