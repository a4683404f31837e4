"""Groups and their members."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from timbot.im.wire.commands import groups as wire
from timbot.im.wire.commands import members
from timbot.im.wire.value import given


class GroupType(StrEnum):
    """The SDK's `GRP_*`; the values are the wire's older names for Work and Meeting."""

    WORK = "Private"
    PUBLIC = "Public"
    MEETING = "ChatRoom"
    AVCHATROOM = "AVChatRoom"


class JoinOption(StrEnum):
    """Who may join (the SDK's `JOIN_OPTIONS_*`)."""

    FREE_ACCESS = "FreeAccess"
    NEED_PERMISSION = "NeedPermission"
    DISABLE_APPLY = "DisableApply"


class JoinStatus(StrEnum):
    """What became of `join_group` (the SDK's `JOIN_STATUS_*`)."""

    SUCCESS = "JoinedSuccess"
    WAIT_APPROVAL = "WaitAdminApproval"
    ALREADY_IN_GROUP = "AlreadyInGroup"


@dataclass(frozen=True, slots=True)
class Group:
    """A group. Times in Unix seconds; `next_message_sequence` is the number its next message will get."""

    group_id: str
    name: str = ""
    type: str = ""
    owner_id: str = ""
    introduction: str = ""
    notification: str = ""
    avatar: str = ""
    create_time: int = 0
    next_message_sequence: int = 0
    member_count: int = 0
    max_member_count: int = 0
    join_option: str = ""
    mute_all_members: bool = False
    own_role: str = ""
    own_join_time: int = 0
    message_remind_type: str = ""
    group_custom_field: dict[str, str] = field(default_factory=dict)


def group_of(info: wire.Group) -> Group:
    """A group from a list of the server."""
    own = given(info.self_info, wire.SelfInfo())
    return Group(
        group_id=given(info.group_id, ""),
        name=given(info.name, ""),
        type=given(info.type, ""),
        owner_id=given(info.owner_account, ""),
        introduction=given(info.introduction, ""),
        notification=given(info.notification, ""),
        avatar=given(info.face_url, ""),
        create_time=given(info.create_time, 0),
        next_message_sequence=given(info.next_msg_seq, 0),
        member_count=given(info.member_num, 0),
        max_member_count=given(info.max_member_num, 0),
        join_option=given(info.apply_join_option, ""),
        mute_all_members=info.shut_up_all_member == "On",
        own_role=given(own.role, ""),
        own_join_time=given(own.join_time, 0),
        message_remind_type=given(own.msg_flag, ""),
        group_custom_field={item.key: given(item.value, "") for item in given(info.app_defined_data, [])},
    )


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A member. `role` Owner, Admin or Member; times in Unix seconds, `mute_until` 0 = not muted."""

    user_id: str
    role: str = ""
    join_time: int = 0
    name_card: str = ""
    mute_until: int = 0
    nick: str = ""
    avatar: str = ""
    member_custom_field: dict[str, str] = field(default_factory=dict)


def member_of(member: members.Member, nick: str = "", avatar: str = "") -> GroupMember:
    """A member from a list of the server."""
    return GroupMember(
        user_id=member.member_account,
        role=given(member.role, ""),
        join_time=given(member.join_time, 0),
        name_card=given(member.name_card, ""),
        mute_until=given(member.shut_up_until, 0),
        nick=nick,
        avatar=avatar,
        member_custom_field={item.key: given(item.value, "") for item in given(member.app_member_defined_data, [])},
    )
