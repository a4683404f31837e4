"""How a group and its members look on the wire, narrowed to the fields somebody asked for."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from timbot.im.wire.commands.groups import Group, ResponseFilter, SelfInfo
from timbot.im.wire.commands.members import Member
from timbot.im.wire.messages import KeyValue
from timbot.im.wire.value import UNSET, Opt, given
from timbot.sandbox.domain.group_state import GroupInfo, MemberInfo
from timbot.sandbox.front.render import on_off
from timbot.sandbox.front.words import GROUP_TYPES, JOIN_OPTIONS, REMIND_TYPES, ROLES

_ALWAYS = frozenset({"GroupId", "ErrorCode", "ErrorInfo", "Type", "SelfInfo", "AppDefinedData"})


def group(info: GroupInfo, wanted: Opt[ResponseFilter]) -> Group:
    """A group; without a filter everything."""
    me = info.me
    whole = Group(
        group_id=info.group_id,
        error_code=0,
        error_info="",
        type=GROUP_TYPES[info.type],
        name=info.name,
        owner_account=info.owner,
        create_time=info.created,
        info_seq=info.info_sequence,
        last_info_time=info.last_info_time,
        last_msg_time=info.last_message_time,
        next_msg_seq=info.next_sequence,
        member_num=info.member_count,
        introduction=info.introduction,
        notification=info.notification,
        face_url=info.face_url,
        apply_join_option=JOIN_OPTIONS[info.join_option],
        max_member_num=info.max_members,
        shut_up_all_member=on_off(info.mute_all),
        app_defined_data=_pairs(info.custom.items()),
        self_info=UNSET if me is None else _self_info(me),
    )
    return _narrow(whole, wanted)


def member(info: MemberInfo) -> Member:
    """A member as others see it."""
    return Member(
        member_account=info.user_id,
        role=ROLES[info.role],
        join_time=info.joined,
        name_card=info.name_card,
        shut_up_until=info.muted_until,
        app_member_defined_data=_pairs(info.custom.items()),
    )


def _self_info(me: MemberInfo) -> SelfInfo:
    return SelfInfo(
        role=ROLES[me.role],
        join_time=me.joined,
        msg_flag=REMIND_TYPES[me.remind],
        name_card=me.name_card,
        msg_seq=me.read_sequence,
    )


def _pairs(items: Iterable[tuple[str, str]]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value) for key, value in items]


def _narrow(whole: Group, wanted: Opt[ResponseFilter]) -> Group:
    if wanted is UNSET:
        return whole
    names = {*given(wanted.group_base_info_filter, []), *given(wanted.group_base_public_info_filter, [])}
    if not names:
        return whole
    left_out = {
        field.name: UNSET
        for field in msgspec.structs.fields(Group)
        if field.encode_name not in _ALWAYS and field.encode_name not in names
    }
    return msgspec.structs.replace(whole, **left_out)
