"""Messages as they are pushed and listed: C2C, group, group tips and group system notices.

One type serves pushes and lists alike; what only one of them carries is optional. The body of a tip or a notice is an
object where that of a message is a list, so it stays bytes until the event number has told which it is.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from timbot.im.wire.elements import Element
from timbot.im.wire.value import UNSET, Int, Opt, Raw, Value

SYSTEM_ACCOUNT: Final = "@TIM#SYSTEM"
"""Whom group system notices come from, and the conversation they are filed in."""

AT_ALL_ACCOUNT: Final = "__kImSDK_MesssageAtALL__"
"""The SDK's user ID for "everybody" in a list of mentions (spelled so)."""

FLAG_REVOKED: Final = 8
"""`MsgFlagBits` of a C2C message that was revoked."""


class OfflinePush(Value, frozen=True):
    """What a phone shows when the receiver is away. `push_flag` 1 = nothing."""

    push_flag: Opt[Int] = UNSET
    title: Opt[str] = UNSET
    desc: Opt[str] = UNSET
    ext: Opt[str] = UNSET
    apns_info: Opt[ApnsInfo] = UNSET
    android_info: Opt[AndroidInfo] = UNSET


class ApnsInfo(Value, frozen=True):
    """Apple's part. `badge_mode` 1 = leave the badge alone."""

    badge_mode: Opt[Int] = UNSET


class AndroidInfo(Value, frozen=True):
    """Android's part."""

    oppo_channel_id: Opt[str] = msgspec.field(name="OPPOChannelID", default=UNSET)


class Revoker(Value, frozen=True):
    """Who revoked a message, for newer SDKs."""

    revoker_account: str


class C2CMessage(Value, frozen=True):
    """A message between two users. Sequence and random are the sender's, the time is the server's (whole seconds).

    Newer SDKs name a message by `tiny_id` (the sender's), `msg_client_time` (seconds, the sender's clock) and the random.
    """

    from_account: str
    to_account: str
    msg_seq: Int
    msg_random: Int
    msg_time_stamp: Int
    msg_body: list[Element]
    from_account_nick: Opt[str] = UNSET
    from_account_headurl: Opt[str] = UNSET
    cloud_custom_data: Opt[str] = UNSET
    msg_life_time: Opt[Int] = UNSET
    is_sync_msg: Opt[Int] = UNSET
    msg_modified_flag: Opt[Int] = UNSET
    msg_flag_bits: Opt[Int] = UNSET
    client_seq: Opt[Int] = UNSET
    tiny_id: Opt[str] = UNSET
    msg_client_time: Opt[Int] = UNSET
    revoker_info: Opt[Revoker] = UNSET


class SenderExtra(Value, frozen=True):
    """The sender's name card in the group."""

    name_card: Opt[str] = UNSET


class GroupContext(Value, frozen=True):
    """Where a group message comes from. Nick, picture and name card of the sender live here."""

    group_id: str
    group_name: Opt[str] = UNSET
    from_account: Opt[str] = UNSET
    from_account_nick: Opt[str] = UNSET
    from_account_headurl: Opt[str] = UNSET
    msg_from_account_extra_info: Opt[SenderExtra] = msgspec.field(name="MsgFrom_AccountExtraInfo", default=UNSET)
    to_account: Opt[str] = UNSET


class GroupAt(Value, frozen=True):
    """One mention. The flag is 0 one, 1 all when sent, and when shown to newer SDKs; 1 one, 2 all when shown to 2.14.0."""

    group_at_all_flag: Int
    group_at_account: Opt[str] = msgspec.field(name="GroupAt_Account", default=UNSET)


class GroupMessage(Value, frozen=True):
    """A message, tip or notice of a group. `msg_seq` is the group's own counter: 1, 2, 3 ... without gaps.

    `msg_body` is a list of elements for a message, an object for a tip (`TipBody`) or a notice (`NoticeBody`). In lists
    `event` tells them apart (3 message, 4 tip) and `is_place_msg` says 0 normal, 1 placeholder, 2 revoked.
    """

    from_account: Opt[str] = UNSET
    to_account: Opt[str] = UNSET
    to_group_id: Opt[str] = UNSET
    msg_seq: Opt[Int] = UNSET
    msg_random: Opt[Int] = UNSET
    random: Opt[Int] = UNSET
    msg_time_stamp: Opt[Int] = UNSET
    msg_body: Opt[Raw] = UNSET
    group_info: Opt[GroupContext] = UNSET
    client_seq: Opt[Int] = UNSET
    msg_priority: Opt[Int | str] = UNSET
    cloud_custom_data: Opt[str] = UNSET
    online_only_flag: Opt[Int] = UNSET
    group_at_info: Opt[list[GroupAt]] = UNSET
    group_at_tips: Opt[AtTips] = UNSET
    msg_modified_flag: Opt[Int] = UNSET
    event: Opt[Int] = UNSET
    is_place_msg: Opt[Int] = UNSET
    tiny_id: Opt[str] = UNSET
    msg_client_time: Opt[Int] = UNSET
    revoker_info: Opt[Revoker] = UNSET

    @property
    def group_id(self) -> str:
        """The group, wherever this form of the message says it; empty if nowhere."""
        if self.group_info is not UNSET:
            return self.group_info.group_id
        return self.to_group_id if self.to_group_id is not UNSET else ""


class AtTips(Value, frozen=True):
    """An `Event` 12: you were mentioned. `group_at_type` [1] me, [2] everybody, [1, 2] both."""

    group_id: str
    from_account: Opt[str] = UNSET
    group_at_type: Opt[list[Int]] = UNSET
    msg_seq: Opt[Int] = UNSET


class TipKind(IntEnum):
    """`OpType` of a tip."""

    JOINED = 1
    LEFT = 2
    REMOVED = 3
    ADMIN_SET = 4
    ADMIN_CANCELLED = 5
    GROUP_PROFILE_CHANGED = 6
    MEMBER_PROFILE_CHANGED = 7


class MemberExtra(Value, frozen=True):
    """A member's name and picture."""

    user_id: Opt[str] = UNSET
    nick_name: Opt[str] = UNSET
    image_url: Opt[str] = UNSET


class MemberMute(Value, frozen=True):
    """A muted member; `shutup_time` in seconds, 0 = unmuted (the small `u` is the protocol's)."""

    user_id: Opt[str] = UNSET
    shutup_time: Opt[Int] = UNSET


class KeyValue(Value, frozen=True):
    """A custom field."""

    key: str
    value: Opt[str] = UNSET


class Attribute(Value, frozen=True, rename=None):
    """A group attribute; `seq` counts its changes. Lower-case on the wire."""

    key: str
    value: Opt[str] = UNSET
    seq: Opt[Int] = UNSET


class AttributeChange(Value, frozen=True):
    """`op_type` 1 replaced, 2 modified, 3 cleared, 4 deleted."""

    group_attr_seq: Opt[Int] = UNSET
    op_type: Opt[Int] = UNSET
    push_changed_attr_val_flag: Opt[Int] = UNSET
    group_attr_info: Opt[list[Attribute]] = UNSET


class GroupChange(Value, frozen=True):
    """What changed in a group's profile: only the changed fields are there."""

    group_name: Opt[str] = UNSET
    group_introduction: Opt[str] = UNSET
    group_notification: Opt[str] = UNSET
    group_face_url: Opt[str] = UNSET
    group_apply_join_option: Opt[str] = UNSET
    shut_up_all_member: Opt[str] = UNSET
    owner_account: Opt[str] = UNSET
    msg_app_defined_data: Opt[list[KeyValue]] = UNSET
    group_attr_option: Opt[AttributeChange] = UNSET


class OnlineCount(Value, frozen=True):
    """How many are in a live room; `expire_time` seconds of validity."""

    online_member_num: Int
    expire_time: Opt[Int] = UNSET


class TipBody(Value, frozen=True):
    """The body of a group tip (`TIMGroupTipElem`)."""

    op_type: Opt[Int] = UNSET
    operator_account: Opt[str] = UNSET
    list_account: Opt[list[str]] = UNSET
    member_num: Opt[Int] = UNSET
    msg_operator_member_extra_info: Opt[MemberExtra] = UNSET
    msg_member_extra_info: Opt[list[MemberExtra]] = UNSET
    msg_group_new_info: Opt[GroupChange] = UNSET
    msg_member_info: Opt[list[MemberMute]] = UNSET
    online_member_info: Opt[OnlineCount] = UNSET


class NoticeKind(IntEnum):
    """`ReportType` of a group system notice."""

    JOIN_APPLICATION = 1
    JOIN_ACCEPTED = 2
    JOIN_REFUSED = 3
    REMOVED = 4
    DISMISSED = 5
    CREATED = 6
    INVITED = 7
    QUIT = 8
    ADMIN_SET = 9
    ADMIN_CANCELLED = 10
    INVITATION = 12
    READ = 15
    CUSTOM = 255


class RevokedGroupMessage(Value, frozen=True):
    """Which group message was revoked."""

    msg_seq: Int
    group_id: Opt[str] = UNSET
    from_account: Opt[str] = UNSET
    msg_random: Opt[Int] = UNSET
    revoker_info: Opt[Revoker] = UNSET


class GroupReadTo(Value, frozen=True):
    """How far another instance of mine has read a group."""

    group_id: str
    last_read_msg_seq: Int


class NoticeBody(Value, frozen=True):
    """The body of an `Event` 5: a system notice, or the news of recalls or of reading elsewhere."""

    report_type: Opt[Int] = UNSET
    operator_account: Opt[str] = UNSET
    remark_info: Opt[str] = UNSET
    authentication: Opt[str] = UNSET
    msg_key: Opt[Int | str] = UNSET
    user_defined_field: Opt[str] = UNSET
    msg_member_extra_info: Opt[list[MemberExtra]] = UNSET
    group_withdraw_info_array: Opt[list[RevokedGroupMessage]] = UNSET
    group_read_info_array: Opt[list[GroupReadTo]] = UNSET
