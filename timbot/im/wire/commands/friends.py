"""Friends, applications, friend groups and the blocklist (`sns`)."""

from __future__ import annotations

from typing import Final

from timbot.im.wire.commands.base import Command, ResultsAnswer, TagValue
from timbot.im.wire.envelope import Answer
from timbot.im.wire.value import UNSET, Int, Opt, Value

COME_IN: Final = "Pendency_Type_ComeIn"
SEND_OUT: Final = "Pendency_Type_SendOut"
BOTH: Final = "Pendency_Type_Both"
AGREE: Final = "Response_Action_Agree"
AGREE_AND_ADD: Final = "Response_Action_AgreeAndAdd"
REJECT: Final = "Response_Action_Reject"
WAITING_FOR_CONSENT: Final = 30539
"""A result that is no error: the other side has to agree."""


class GetRequest(Value, frozen=True):
    """One page of friends."""

    start_index: Int
    from_account: Opt[str] = UNSET
    standard_sequence: Opt[Int] = UNSET
    custom_sequence: Opt[Int] = UNSET


class FriendItem(Value, frozen=True):
    """A friend with the fields of the friendship."""

    to_account: str
    value_item: Opt[list[TagValue]] = UNSET


class GetAnswer(Answer, frozen=True):
    """`complete_flag` 0 = ask again from `next_start_index`."""

    user_data_item: Opt[list[FriendItem]] = UNSET
    friend_num: Opt[Int] = UNSET
    next_start_index: Opt[Int] = UNSET
    standard_sequence: Opt[Int] = UNSET
    custom_sequence: Opt[Int] = UNSET
    complete_flag: Opt[Int] = UNSET


class GetListRequest(Value, frozen=True):
    """Chosen fields of chosen friends."""

    to_account: list[str]
    tag_list: Opt[list[str]] = UNSET
    from_account: Opt[str] = UNSET


class FriendInfo(Value, frozen=True):
    """One friend in an answer."""

    to_account: str
    result_code: Opt[Int] = UNSET
    result_info: Opt[str] = UNSET
    relation: Opt[str] = UNSET
    sns_profile_item: Opt[list[TagValue]] = UNSET


class InfoAnswer(Answer, frozen=True):
    """One entry per user asked for."""

    info_item: Opt[list[FriendInfo]] = UNSET


class AddItem(Value, frozen=True):
    """Whom to ask, from where, with which words."""

    to_account: str
    add_source: Opt[str] = UNSET
    add_wording: Opt[str] = UNSET
    remark: Opt[str] = UNSET
    group_name: Opt[str] = UNSET


class AddRequest(Value, frozen=True):
    """`add_type` Add_Type_Both or Add_Type_Single."""

    add_friend_item: list[AddItem]
    from_account: Opt[str] = UNSET
    add_type: Opt[str] = UNSET


class DeleteRequest(Value, frozen=True):
    """`delete_type` Delete_Type_Both or Delete_Type_Single."""

    to_account: list[str]
    from_account: Opt[str] = UNSET
    delete_type: Opt[str] = UNSET


class UpdateItem(Value, frozen=True):
    """New values of one friendship."""

    to_account: str
    sns_item: list[TagValue]


class UpdateRequest(Value, frozen=True):
    """Remark, friend groups, custom fields."""

    update_item: list[UpdateItem]
    from_account: Opt[str] = UNSET


class CheckRequest(Value, frozen=True):
    """`check_type` CheckResult_Type_Both or _Single."""

    to_account: list[str]
    from_account: Opt[str] = UNSET
    check_type: Opt[str] = UNSET


class ResponseItem(Value, frozen=True):
    """The answer to one applicant."""

    to_account: str
    response_action: str
    remark: Opt[str] = UNSET
    tag_name: Opt[str] = UNSET


class ResponseRequest(Value, frozen=True):
    """Accepts or refuses friend applications."""

    response_friend_item: list[ResponseItem]
    from_account: Opt[str] = UNSET


class PendencyRequest(Value, frozen=True):
    """The applications, from a time on."""

    start_time: Int
    pendency_type: Opt[str] = UNSET
    max_limited: Opt[Int] = UNSET
    last_sequence: Opt[Int] = UNSET
    from_account: Opt[str] = UNSET


class PendencyItem(Value, frozen=True):
    """An application; `pendency_type` ComeIn = sent to me, SendOut = sent by me."""

    to_account: str
    nick: Opt[str] = UNSET
    image: Opt[str] = UNSET
    add_source: Opt[str] = UNSET
    add_wording: Opt[str] = UNSET
    add_time: Opt[Int] = UNSET
    pendency_type: Opt[str] = UNSET


class PendencyAnswer(Answer, frozen=True):
    """The applications; `start_time` and `current_sequence` go into the next request."""

    pendency_item: Opt[list[PendencyItem]] = UNSET
    unread_pendency_count: Opt[Int] = UNSET
    start_time: Opt[Int] = UNSET
    current_sequence: Opt[Int] = UNSET


class PendencyDeleteRequest(Value, frozen=True):
    """Applications to forget."""

    to_account: list[str]
    pendency_type: Opt[str] = UNSET
    from_account: Opt[str] = UNSET


class PendencyReportRequest(Value, frozen=True):
    """Applications up to this time (Unix seconds) were seen."""

    latest_pendency_time_stamp: Int
    from_account: Opt[str] = UNSET


class GroupGetRequest(Value, frozen=True):
    """The friend groups."""

    last_sequence: Opt[Int] = UNSET
    need_friend: Opt[str] = UNSET
    from_account: Opt[str] = UNSET


class FriendGroupItem(Value, frozen=True):
    """A friend group."""

    group_name: str
    friend_number: Opt[Int] = UNSET
    to_account: Opt[list[str]] = UNSET


class GroupGetAnswer(Answer, frozen=True):
    """All friend groups."""

    result_item: Opt[list[FriendGroupItem]] = UNSET
    current_sequence: Opt[Int] = UNSET


class GroupAddRequest(Value, frozen=True):
    """A new friend group, with members if wanted."""

    group_name: list[str]
    to_account: Opt[list[str]] = UNSET
    from_account: Opt[str] = UNSET


class GroupDeleteRequest(Value, frozen=True):
    """Friend groups to delete."""

    group_name: list[str]
    from_account: Opt[str] = UNSET


class GroupMemberChange(Value, frozen=True):
    """`update_type` Update_Type_Add or Update_Type_Delete."""

    to_account: str
    update_type: str


class GroupUpdateRequest(Value, frozen=True):
    """Renames a friend group or changes its members."""

    group_old_name: str
    group_new_name: Opt[str] = UNSET
    update_group_item: Opt[list[GroupMemberChange]] = UNSET
    from_account: Opt[str] = UNSET


class GroupUpdateResult(Value, frozen=True):
    """The verdict on one member."""

    to_account: str
    update_type: Opt[str] = UNSET
    result_code: Opt[Int] = UNSET
    result_info: Opt[str] = UNSET


class GroupUpdateAnswer(Answer, frozen=True):
    """One verdict per member."""

    result_item: Opt[list[GroupUpdateResult]] = UNSET


class BlacklistRequest(Value, frozen=True):
    """One page of the blocklist."""

    start_index: Int
    max_limited: Opt[Int] = UNSET
    last_sequence: Opt[Int] = UNSET
    from_account: Opt[str] = UNSET


class BlacklistItem(Value, frozen=True):
    """Somebody blocked."""

    to_account: str
    add_black_time_stamp: Opt[Int] = UNSET


class BlacklistAnswer(Answer, frozen=True):
    """`start_index` 0 = the end. The misspelt sequence is the protocol's."""

    black_list_item: Opt[list[BlacklistItem]] = UNSET
    start_index: Opt[Int] = UNSET
    curruent_sequence: Opt[Int] = UNSET


class UsersRequest(Value, frozen=True):
    """A request about several users."""

    to_account: list[str]
    from_account: Opt[str] = UNSET


GET: Final = Command("sns.friend_get", GetRequest, GetAnswer)
GET_LIST: Final = Command("sns.friend_get_list", GetListRequest, InfoAnswer)
GET_SPECIFIED: Final = Command("sns.friend_get_specified", GetListRequest, InfoAnswer)
ADD: Final = Command("sns.friend_add", AddRequest, ResultsAnswer, changes=True)
DELETE: Final = Command("sns.friend_delete", DeleteRequest, ResultsAnswer, changes=True)
UPDATE: Final = Command("sns.friend_update", UpdateRequest, ResultsAnswer, changes=True)
CHECK: Final = Command("sns.friend_check", CheckRequest, InfoAnswer)
RESPONSE: Final = Command("sns.friend_response", ResponseRequest, ResultsAnswer, changes=True)
PENDENCY: Final = Command("sns.pendency_get", PendencyRequest, PendencyAnswer)
PENDENCY_DELETE: Final = Command("sns.pendency_delete", PendencyDeleteRequest, ResultsAnswer, changes=True)
PENDENCY_REPORT: Final = Command("sns.pendency_report", PendencyReportRequest, Answer, changes=True)
GROUP_GET: Final = Command("sns.group_get", GroupGetRequest, GroupGetAnswer)
GROUP_ADD: Final = Command("sns.group_add", GroupAddRequest, ResultsAnswer, changes=True)
GROUP_DELETE: Final = Command("sns.group_delete", GroupDeleteRequest, Answer, changes=True)
GROUP_UPDATE: Final = Command("sns.group_update", GroupUpdateRequest, GroupUpdateAnswer, changes=True)
BLACKLIST_GET: Final = Command("sns.black_list_get", BlacklistRequest, BlacklistAnswer)
BLACKLIST_ADD: Final = Command("sns.black_list_add", UsersRequest, ResultsAnswer, changes=True)
BLACKLIST_DELETE: Final = Command("sns.black_list_delete", UsersRequest, ResultsAnswer, changes=True)
