"""Groups and their messages (`group_open_http_svc` and its sisters)."""

from __future__ import annotations

from typing import Final

import msgspec

from timbot.im.wire.commands.base import Command
from timbot.im.wire.elements import Element
from timbot.im.wire.envelope import Answer
from timbot.im.wire.messages import Attribute, GroupAt, KeyValue, OfflinePush
from timbot.im.wire.value import UNSET, Int, Opt, Raw, Value


class SelfInfo(Value, frozen=True):
    """The caller's own membership. `msg_flag` AcceptAndNotify, AcceptNotNotify or Discard."""

    role: Opt[str] = UNSET
    join_time: Opt[Int] = UNSET
    msg_flag: Opt[str] = UNSET
    name_card: Opt[str] = UNSET
    msg_seq: Opt[Int] = UNSET


class Group(Value, frozen=True):
    """A group in a list. A non-zero `error_code` is a failure for this one group."""

    group_id: Opt[str] = UNSET
    error_code: Opt[Int] = UNSET
    error_info: Opt[str] = UNSET
    type: Opt[str] = UNSET
    name: Opt[str] = UNSET
    owner_account: Opt[str] = UNSET
    create_time: Opt[Int] = UNSET
    info_seq: Opt[Int] = UNSET
    last_info_time: Opt[Int] = UNSET
    last_msg_time: Opt[Int] = UNSET
    next_msg_seq: Opt[Int] = UNSET
    member_num: Opt[Int] = UNSET
    introduction: Opt[str] = UNSET
    notification: Opt[str] = UNSET
    face_url: Opt[str] = UNSET
    apply_join_option: Opt[str] = UNSET
    max_member_num: Opt[Int] = UNSET
    shut_up_all_member: Opt[str] = UNSET
    app_defined_data: Opt[list[KeyValue]] = UNSET
    self_info: Opt[SelfInfo] = UNSET


class ResponseFilter(Value, frozen=True):
    """Which fields the answer should have."""

    group_base_info_filter: Opt[list[str]] = UNSET
    group_base_public_info_filter: Opt[list[str]] = UNSET
    self_info_filter: Opt[list[str]] = UNSET
    member_info_filter: Opt[list[str]] = UNSET
    app_defined_data_filter_group: Opt[list[str]] = msgspec.field(name="AppDefinedDataFilter_Group", default=UNSET)
    app_defined_data_filter_group_member: Opt[list[str]] = msgspec.field(name="AppDefinedDataFilter_GroupMember", default=UNSET)


class JoinedRequest(Value, frozen=True):
    """One page of the caller's groups; `limit` 50 is the SDK's."""

    member_account: Opt[str] = UNSET
    limit: Opt[Int] = UNSET
    offset: Opt[Int] = UNSET
    response_filter: Opt[ResponseFilter] = UNSET
    support_topic: Opt[Int] = UNSET
    need_app_define_data: Opt[Int] = UNSET


class JoinedAnswer(Answer, frozen=True):
    """The groups, live rooms excluded."""

    total_count: Opt[Int] = UNSET
    group_id_list: Opt[list[Group]] = UNSET


class InfoRequest(Value, frozen=True):
    """Up to 50 groups."""

    group_id_list: list[str]
    response_filter: Opt[ResponseFilter] = UNSET


class InfoAnswer(Answer, frozen=True):
    """One entry per group asked for."""

    group_info: Opt[list[Group]] = UNSET


class Invitee(Value, frozen=True):
    """A member named at creation or invitation."""

    member_account: str


class CreateRequest(Value, frozen=True):
    """A new group. Without a picture 2.14.0 sends the literal "FaceUrl": treat it as empty."""

    type: str
    name: str
    group_id: Opt[str] = UNSET
    owner_account: Opt[str] = UNSET
    introduction: Opt[str] = UNSET
    notification: Opt[str] = UNSET
    face_url: Opt[str] = UNSET
    max_member_count: Opt[Int] = UNSET
    apply_join_option: Opt[str] = UNSET
    member_list: Opt[list[Invitee]] = UNSET
    app_defined_data: Opt[list[KeyValue]] = UNSET
    web_push_flag: Opt[Int] = UNSET


class CreateAnswer(Answer, frozen=True):
    """`over_joined_group_limit_account`: who was left out for being in too many groups."""

    group_id: Opt[str] = UNSET
    type: Opt[str] = UNSET
    huge_group_flag: Opt[Int] = UNSET
    over_joined_group_limit_account: Opt[list[str]] = UNSET


class GroupRequest(Value, frozen=True):
    """A request that names a group and nothing else."""

    group_id: str


class ModifyRequest(Value, frozen=True):
    """Any of the profile fields. `shut_up_all_member` "On" or "Off"."""

    group_id: str
    name: Opt[str] = UNSET
    introduction: Opt[str] = UNSET
    notification: Opt[str] = UNSET
    face_url: Opt[str] = UNSET
    max_member_count: Opt[Int] = UNSET
    apply_join_option: Opt[str] = UNSET
    app_defined_data: Opt[list[KeyValue]] = UNSET
    shut_up_all_member: Opt[str] = UNSET


class JoinRequest(Value, frozen=True):
    """An application to join."""

    group_id: str
    apply_msg: Opt[str] = UNSET
    user_defined_field: Opt[str] = UNSET
    web_push_flag: Opt[Int] = UNSET


class JoinAnswer(Answer, frozen=True):
    """`joined_status` JoinedSuccess or WaitAdminApproval; `huge_group_flag` 1 = a live room."""

    joined_status: Opt[str] = UNSET
    huge_group_flag: Opt[Int] = UNSET
    av_chat_room_key: Opt[str] = msgspec.field(name="AVChatRoomKey", default=UNSET)
    long_polling_key: Opt[str] = UNSET


class OwnerRequest(Value, frozen=True):
    """Hands the group over."""

    group_id: str
    new_owner_account: str


class HandleApplicationRequest(Value, frozen=True):
    """Says yes or no to an application. `authentication` and `msg_key` come from the notice, `handle_msg` Agree or Reject."""

    group_id: str
    applicant_account: str
    handle_msg: str
    approval_msg: Opt[str] = UNSET
    authentication: Opt[str] = UNSET
    msg_key: Opt[Int | str] = UNSET
    user_defined_field: Opt[str] = UNSET


class HandleInvitationRequest(Value, frozen=True):
    """Says yes or no to an invitation."""

    group_id: str
    inviter_account: str
    handle_msg: str
    approval_msg: Opt[str] = UNSET
    authentication: Opt[str] = UNSET
    msg_key: Opt[Int | str] = UNSET
    user_defined_field: Opt[str] = UNSET


class PendencyRequest(Value, frozen=True):
    """Which applications were handled already."""

    start_time: Int
    limit: Int
    handle_account: Opt[str] = UNSET


class Pendency(Value, frozen=True):
    """An application; `handled` non-zero = somebody has answered it. Newer SDKs answer by what is listed here."""

    from_account: str
    group_id: str
    to_account: Opt[str] = UNSET
    handled: Opt[Int] = UNSET
    from_user_nick_name: Opt[str] = UNSET
    group_name: Opt[str] = UNSET
    add_time: Opt[Int] = UNSET
    authentication: Opt[str] = UNSET
    pendency_type: Opt[Int] = UNSET


class PendencyAnswer(Answer, frozen=True):
    """`next_start_time` 0 = the end."""

    pendency_list: Opt[list[Pendency]] = UNSET
    next_start_time: Opt[Int] = UNSET


class OnlineAnswer(Answer, frozen=True):
    """How many are in a live room now; good for `expire_time` seconds."""

    online_member_num: Opt[Int] = UNSET
    expire_time: Opt[Int] = UNSET


class SendRequest(Value, frozen=True):
    """One group message. `random` is its token: the server drops a second one within five minutes."""

    group_id: str
    from_account: Opt[str] = UNSET
    random: Opt[Int] = UNSET
    client_seq: Opt[Int] = UNSET
    msg_priority: Opt[str] = UNSET
    msg_body: Opt[list[Element]] = UNSET
    cloud_custom_data: Opt[str] = UNSET
    online_only_flag: Opt[Int] = UNSET
    offline_push_info: Opt[OfflinePush] = UNSET
    group_at_info: Opt[list[GroupAt]] = UNSET
    msg_client_time: Opt[Int] = UNSET


class SendAnswer(Answer, frozen=True):
    """The group's sequence for the message. Without one, or with a reason, the message was dropped."""

    msg_time: Opt[Int] = UNSET
    msg_seq: Opt[Int] = UNSET
    msg_drop_reason: Opt[str] = UNSET


class SequenceItem(Value, frozen=True):
    """One message of a group."""

    msg_seq: Int


class RevokeRequest(Value, frozen=True):
    """Messages to revoke."""

    group_id: str
    msg_seq_list: list[SequenceItem]


class RevokeResult(Value, frozen=True):
    """The verdict on one message."""

    msg_seq: Opt[Int] = UNSET
    ret_code: Opt[Int] = UNSET


class RevokeAnswer(Answer, frozen=True):
    """One verdict per message."""

    recall_ret_list: Opt[list[RevokeResult]] = UNSET


class ReadRequest(Value, frozen=True):
    """Everything up to this sequence is read."""

    group_id: str
    msg_readed_seq: Int


class HistoryRequest(Value, frozen=True):
    """One page back, starting at `req_msg_seq` itself (absent: the newest)."""

    group_id: str
    req_msg_number: Int
    req_msg_seq: Opt[Int] = UNSET
    with_recalled_msg: Opt[Int] = UNSET


class HistoryAnswer(Answer, frozen=True):
    """Messages newest first. `is_finished` 2 = nothing there. `next_req_msg_seq` 0 = no older ones, for the newest SDKs."""

    group_id: Opt[str] = UNSET
    is_finished: Opt[Int] = UNSET
    rsp_msg_list: Opt[list[Raw]] = UNSET
    next_req_msg_seq: Opt[Int] = UNSET


class DeleteRequest(Value, frozen=True):
    """At most 30 sequences, as text."""

    group_id: str
    seqs: list[str]
    deleter_account: Opt[str] = UNSET


class AttributesRequest(Value, frozen=True):
    """A change of a live room's attributes. `attr_main_seq` must be the one held, or it is refused with 10056."""

    group_id: str
    group_attr: Opt[list[Attribute]] = UNSET
    attr_main_seq: Opt[Int] = UNSET
    bytes_key: Opt[str] = UNSET
    attr_control: Opt[list[str]] = UNSET


class GetAttributesRequest(Value, frozen=True):
    """Reads them; `key` is the live room's key from joining."""

    group_id: str
    key: Opt[str] = UNSET
    group_type: Opt[Int] = UNSET


class AttributesAnswer(Answer, frozen=True):
    """The sequence after the change and the attributes concerned."""

    attr_main_seq: Opt[Int] = UNSET
    group_attr_ary: Opt[list[Attribute]] = UNSET


class PollRequest(Value, frozen=True):
    """A long poll of a live room; `hold_time` in seconds."""

    usp: Opt[Int] = msgspec.field(name="USP", default=UNSET)
    start_seq: Opt[Int] = UNSET
    hold_time: Opt[Int] = UNSET
    key: Opt[str] = UNSET


class PollAnswer(Answer, frozen=True):
    """What happened in the room since `start_seq`."""

    key: Opt[str] = UNSET
    next_seq: Opt[Int] = UNSET
    rsp_msg_list: Opt[list[Raw]] = UNSET


_SVC = "group_open_http_svc"
_POLL = "group_open_long_polling_http"

JOINED: Final = Command(f"{_SVC}.get_joined_group_list", JoinedRequest, JoinedAnswer)
COMMUNITIES: Final = Command("million_group_open_http_svc.get_joined_group_list", JoinedRequest, JoinedAnswer)
INFO: Final = Command(f"{_SVC}.get_group_info", InfoRequest, InfoAnswer)
SELF_INFO: Final = Command(f"{_SVC}.get_group_self_member_info", InfoRequest, InfoAnswer)
PUBLIC_INFO: Final = Command(f"{_SVC}.get_group_public_info", InfoRequest, InfoAnswer)
CREATE: Final = Command(f"{_SVC}.create_group", CreateRequest, CreateAnswer, changes=True)
DISMISS: Final = Command(f"{_SVC}.destroy_group", GroupRequest, Answer, changes=True)
MODIFY: Final = Command(f"{_SVC}.modify_group_base_info", ModifyRequest, Answer, changes=True)
JOIN: Final = Command(f"{_SVC}.apply_join_group", JoinRequest, JoinAnswer, changes=True)
JOIN_ANONYMOUSLY: Final = Command("group_open_http_noauth_svc.apply_join_group", JoinRequest, JoinAnswer, anonymous=True)
QUIT: Final = Command(f"{_SVC}.quit_group", GroupRequest, Answer, changes=True)
CHANGE_OWNER: Final = Command(f"{_SVC}.change_group_owner", OwnerRequest, Answer, changes=True)
HANDLE_APPLICATION: Final = Command(f"{_SVC}.handle_apply_join_group", HandleApplicationRequest, Answer, changes=True)
HANDLE_INVITATION: Final = Command(f"{_SVC}.handle_invite_join_group", HandleInvitationRequest, Answer, changes=True)
PENDENCY: Final = Command(f"{_SVC}.get_pendency", PendencyRequest, PendencyAnswer)
ONLINE_COUNT: Final = Command(f"{_SVC}.get_online_member_num", GroupRequest, OnlineAnswer)
SEND: Final = Command(f"{_SVC}.send_group_msg", SendRequest, SendAnswer, changes=True)
REVOKE: Final = Command(f"{_SVC}.group_msg_recall", RevokeRequest, RevokeAnswer, changes=True)
READ: Final = Command(f"{_SVC}.msg_read_report", ReadRequest, Answer, changes=True)
HISTORY: Final = Command(f"{_SVC}.group_msg_get", HistoryRequest, HistoryAnswer)
DELETE: Final = Command(f"{_SVC}.delete_group_ramble_msg_by_seq", DeleteRequest, Answer, changes=True)
SET_ATTRIBUTES: Final = Command(f"{_SVC}.set_group_attr", AttributesRequest, AttributesAnswer, changes=True)
MODIFY_ATTRIBUTES: Final = Command(f"{_SVC}.modify_group_attr", AttributesRequest, AttributesAnswer, changes=True)
DELETE_ATTRIBUTES: Final = Command(f"{_SVC}.delete_group_attr", AttributesRequest, AttributesAnswer, changes=True)
CLEAR_ATTRIBUTES: Final = Command(f"{_SVC}.clear_group_attr", AttributesRequest, AttributesAnswer, changes=True)
GET_ATTRIBUTES: Final = Command("group_open_attr_http_svc.get_group_attr", GetAttributesRequest, AttributesAnswer)
POLL: Final = Command(f"{_POLL}_svc.get_msg", PollRequest, PollAnswer)
POLL_ANONYMOUSLY: Final = Command(f"{_POLL}_noauth_svc.get_msg", PollRequest, PollAnswer, anonymous=True)
