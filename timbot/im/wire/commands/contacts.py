"""The conversation list (`recentcontact`)."""

from __future__ import annotations

from typing import Final

import msgspec

from timbot.im.wire.commands.base import Command
from timbot.im.wire.envelope import Answer
from timbot.im.wire.messages import Revoker
from timbot.im.wire.value import UNSET, Int, Opt, Raw, Value

C2C: Final = 1
GROUP: Final = 2
LAST_REVOKED_C2C: Final = 8
LAST_REVOKED_GROUP: Final = 2


class LastMessage(Value, frozen=True):
    """The body of a conversation's last message; for a tip an object, so it stays bytes. Newer SDKs read the rest here."""

    msg_body: Opt[Raw] = UNSET
    cloud_custom_data: Opt[str] = UNSET
    revoker_info: Opt[Revoker] = UNSET


class Session(Value, frozen=True):
    """A conversation. `type` 1 is keyed by `to_account`, 2 by `group_account` (`ToAccount` without the underscore)."""

    type: Int
    to_account: Opt[str] = UNSET
    group_account: Opt[str] = msgspec.field(name="ToAccount", default=UNSET)
    unread_msg_count: Opt[Int] = UNSET
    msg_time_stamp: Opt[Int] = UNSET
    msg_seq: Opt[Int] = UNSET
    msg_random: Opt[Int] = UNSET
    msg_show: Opt[str] = UNSET
    last_msg: Opt[LastMessage] = UNSET
    last_msg_flags: Opt[Int] = UNSET
    last_c2c_msg_from_account: Opt[str] = msgspec.field(name="LastC2CMsgFrom_Account", default=UNSET)
    c2c_nick: Opt[str] = UNSET
    c2c_image: Opt[str] = UNSET
    c2c_peer_read_time: Opt[Int] = UNSET
    msg_group_from_account: Opt[str] = UNSET
    msg_group_readed_seq: Opt[Int] = UNSET
    group_nick: Opt[str] = UNSET
    group_image: Opt[str] = UNSET
    cloud_custom_data: Opt[str] = UNSET
    top_flags: Opt[Int] = UNSET


class PageRequest(Value, frozen=True):
    """One page; the four positions come from the answer before, 0 at first."""

    time_stamp: Opt[Int] = UNSET
    start_index: Opt[Int] = UNSET
    top_time_stamp: Opt[Int] = UNSET
    top_start_index: Opt[Int] = UNSET
    order_type: Opt[Int] = UNSET
    msg_assist_flags: Opt[Int] = UNSET
    assist_flags: Opt[Int] = UNSET
    from_account: Opt[str] = UNSET


class PageAnswer(Answer, frozen=True):
    """`complete_flag` 1 = the last page."""

    session_item: Opt[list[Session]] = UNSET
    complete_flag: Opt[Int] = UNSET
    time_stamp: Opt[Int] = UNSET
    start_index: Opt[Int] = UNSET
    top_time_stamp: Opt[Int] = UNSET
    top_start_index: Opt[Int] = UNSET


class GetRequest(Value, frozen=True):
    """The whole list."""

    count: Opt[Int] = UNSET
    from_account: Opt[str] = UNSET


class DeleteRequest(Value, frozen=True):
    """`to_groupid` is spelled `ToGroupid` on the wire."""

    type: Int
    to_account: Opt[str] = UNSET
    to_groupid: Opt[str] = UNSET
    from_account: Opt[str] = UNSET


class ContactItem(Value, frozen=True):
    """A conversation to pin, unpin or delete. Which field holds a group differs by command and SDK."""

    type: Int
    to_account: Opt[str] = UNSET
    group_id: Opt[str] = UNSET
    to_group_id: Opt[str] = UNSET
    to_groupid: Opt[str] = UNSET


class TopRequest(Value, frozen=True):
    """`operation_type` 1 pin, 2 unpin."""

    operation_type: Int
    recent_contact_item: list[ContactItem]
    from_account: Opt[str] = UNSET


class BatchDeleteRequest(Value, frozen=True):
    """What newer SDKs send in place of `delete`. `clear_ramble` 1 = the history goes too."""

    contact_item: list[ContactItem]
    clear_ramble: Opt[Int] = UNSET
    from_account: Opt[str] = UNSET


class BatchDeleteResult(Value, frozen=True):
    """The verdict on one conversation; only 0 is success."""

    type: Int
    to_account: Opt[str] = UNSET
    to_groupid: Opt[str] = UNSET
    result_code: Opt[Int] = UNSET
    result_info: Opt[str] = UNSET


class BatchDeleteAnswer(Answer, frozen=True):
    """Verdicts."""

    result_item: Opt[list[BatchDeleteResult]] = UNSET


class ContactGroupRequest(Value, frozen=True):
    """Conversation groups, asked by newer SDKs at login."""

    start_time: Opt[Int] = UNSET
    start_index: Opt[Int] = UNSET
    from_account: Opt[str] = UNSET


class ContactGroupAnswer(Answer, frozen=True):
    """A page of conversation groups and of what is in them; `complete_flag` 1 = the last."""

    complete_flag: Opt[Int] = UNSET
    next_start_index: Opt[Int] = UNSET
    group_item: Opt[list[Raw]] = UNSET
    contact_item: Opt[list[Raw]] = UNSET


PAGE: Final = Command("recentcontact.page_get", PageRequest, PageAnswer)
GET: Final = Command("recentcontact.get", GetRequest, PageAnswer)
DELETE: Final = Command("recentcontact.delete", DeleteRequest, Answer, changes=True)
BATCH_DELETE: Final = Command("recentcontact.batch_delete", BatchDeleteRequest, BatchDeleteAnswer, changes=True)
TOP: Final = Command("recentcontact.top", TopRequest, Answer, changes=True)
CONTACT_GROUP: Final = Command("recentcontact.get_contact_group", ContactGroupRequest, ContactGroupAnswer)
