"""Members of groups (`group_open_http_svc`)."""

from __future__ import annotations

from typing import Final

import msgspec

from timbot.im.wire.commands.base import Command
from timbot.im.wire.commands.groups import Invitee
from timbot.im.wire.envelope import Answer
from timbot.im.wire.messages import KeyValue
from timbot.im.wire.value import UNSET, Int, Opt, Value


class Member(Value, frozen=True):
    """A member. `shut_up_until` Unix seconds, 0 = not muted."""

    member_account: str
    role: Opt[str] = UNSET
    join_time: Opt[Int] = UNSET
    name_card: Opt[str] = UNSET
    shut_up_until: Opt[Int] = UNSET
    app_member_defined_data: Opt[list[KeyValue]] = UNSET


class ListRequest(Value, frozen=True):
    """One page of members, `limit` at most 100."""

    group_id: str
    limit: Opt[Int] = UNSET
    offset: Opt[Int] = UNSET
    member_info_filter: Opt[list[str]] = UNSET


class ListAnswer(Answer, frozen=True):
    """The page and the number of members in all."""

    member_num: Opt[Int] = UNSET
    member_list: Opt[list[Member]] = UNSET


class ProfilesRequest(Value, frozen=True):
    """Up to 50 members by name."""

    group_id: str
    member_list_account: list[str] = msgspec.field(name="Member_List_Account")
    member_info_filter: Opt[list[str]] = UNSET
    app_defined_data_filter_group_member: Opt[list[str]] = msgspec.field(name="AppDefinedDataFilter_GroupMember", default=UNSET)


class AddRequest(Value, frozen=True):
    """Members to put in."""

    group_id: str
    member_list: list[Invitee]


class AddResult(Value, frozen=True):
    """`result` 0 failed, 1 added, 2 already in, 3 waits for consent, 4 in too many groups."""

    member_account: str
    result: Int


class AddAnswer(Answer, frozen=True):
    """One verdict per member."""

    member_list: Opt[list[AddResult]] = UNSET


class DeleteRequest(Value, frozen=True):
    """Members to remove."""

    group_id: str
    member_to_del_account: list[str]
    reason: Opt[str] = UNSET


class ModifyRequest(Value, frozen=True):
    """One change of one member. `shut_up_time` in seconds from now, 0 ends it."""

    group_id: str
    member_account: str
    role: Opt[str] = UNSET
    name_card: Opt[str] = UNSET
    msg_flag: Opt[str] = UNSET
    shut_up_time: Opt[Int] = UNSET
    app_member_defined_data: Opt[list[KeyValue]] = UNSET


_SVC = "group_open_http_svc"

LIST: Final = Command(f"{_SVC}.get_group_member_info", ListRequest, ListAnswer)
PROFILES: Final = Command(f"{_SVC}.get_specified_group_member_info", ProfilesRequest, ListAnswer)
ADD: Final = Command(f"{_SVC}.add_group_member", AddRequest, AddAnswer, changes=True)
DELETE: Final = Command(f"{_SVC}.delete_group_member", DeleteRequest, Answer, changes=True)
MODIFY: Final = Command(f"{_SVC}.modify_group_member_info", ModifyRequest, Answer, changes=True)
