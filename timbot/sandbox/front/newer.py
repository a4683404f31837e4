"""What newer SDKs ask and 2.14.0 does not.

Much of it, at login, is about features that cost extra and that this server does not sell: there is nothing of them.
"""

from __future__ import annotations

from typing import Final

import msgspec

from timbot.im.wire.commands import c2c, contacts, groups
from timbot.im.wire.commands.base import Command, Empty
from timbot.im.wire.envelope import Answer
from timbot.im.wire.messages import RevokedGroupMessage
from timbot.im.wire.value import UNSET, Int, Opt, Value, given
from timbot.sandbox.domain import Domain, Refused
from timbot.sandbox.domain.messages import ConversationKind
from timbot.sandbox.front.contacts import named_conversation
from timbot.sandbox.front.desk import Call, Desk
from timbot.sandbox.front.render import revoked_message

PURCHASE_LIFETIME: Final = 3600


class PurchaseAnswer(Answer, frozen=True):
    """Bought features as a row of 0 and 1. Newer clients repeat the question every second until it succeeds."""

    int32_error_code: Opt[Int] = msgspec.field(name="int32_error_code", default=UNSET)
    str_error_message: Opt[str] = msgspec.field(name="str_error_message", default=UNSET)
    str_purchase_bits: Opt[str] = msgspec.field(name="str_purchase_bits", default=UNSET)
    uint32_expired_time: Opt[Int] = msgspec.field(name="uint32_expired_time", default=UNSET)


class RecallsRequest(Value, frozen=True):
    """What was recalled in a group since `begin_time` (milliseconds)?"""

    group_id: str
    begin_time: Int


class RecallsAnswer(Answer, frozen=True):
    """`next_msg_time` is the `begin_time` of the next page, 0 after the last."""

    notify_msg_list: Opt[list[RevokedGroupMessage]] = UNSET
    next_msg_time: Opt[Int] = UNSET


class ClearRequest(Value, frozen=True):
    """The whole history of a conversation is to go, for the caller."""

    type: Int
    to_account: Opt[str] = UNSET
    to_groupid: Opt[str] = UNSET


class GroupReadTo(Value, frozen=True):
    """A group is read up to a sequence; in an answer with the verdict on it, 0 for success."""

    group_id: str
    msg_seq: Int
    ret_code: Opt[Int] = UNSET


class ReadAllRequest(Value, frozen=True):
    """Every conversation with a user is read if `c2c_read_all_msg` is 1, and these groups are."""

    c2c_read_all_msg: Opt[Int] = msgspec.field(name="C2CReadAllMsg", default=UNSET)
    group_read_info: Opt[list[GroupReadTo]] = UNSET


class ReadAllAnswer(Answer, frozen=True):
    """The same again, with verdicts."""

    c2c_read_all_msg: Opt[Int] = msgspec.field(name="C2CReadAllMsg", default=UNSET)
    group_read_info_array: Opt[list[GroupReadTo]] = UNSET


PURCHASE_BITS: Final = Command("im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2", Empty, PurchaseAnswer)
RECALLS: Final = Command("group_open_http_svc.get_group_notify", RecallsRequest, RecallsAnswer)

CLEAR: Final = Command("recentcontact.clear_msg", ClearRequest, Answer, changes=True)
READ_ALL: Final = Command("openim.read_all_unread_msg", ReadAllRequest, ReadAllAnswer, changes=True)


class Newer:
    """The commands that only newer SDKs send."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def register(self, desk: Desk) -> None:
        """Take these commands."""
        desk.add(PURCHASE_BITS, self.purchase_bits)
        desk.add(RECALLS, self.recalls)
        desk.add(CLEAR, self.clear)
        desk.add(READ_ALL, self.read_all)
        desk.add(groups.COMMUNITIES, self.communities)
        desk.add(contacts.CONTACT_GROUP, self.contact_groups)
        desk.add(c2c.MUTE_NOTIFICATIONS, self.mute_notifications)

    def purchase_bits(self, _call: Call, _request: Empty) -> PurchaseAnswer:
        """No bought features: the SDK itself then refuses those calls."""
        return PurchaseAnswer(
            int32_error_code=0, str_error_message="", str_purchase_bits="0", uint32_expired_time=PURCHASE_LIFETIME
        )

    def recalls(self, call: Call, request: RecallsRequest) -> RecallsAnswer:
        """What was recalled in a group while a client was away, all on one page."""
        recalled = self._domain.group_messages.recalled_since(call.user, request.group_id, request.begin_time // 1000)
        return RecallsAnswer(notify_msg_list=[revoked_message(message) for message in recalled], next_msg_time=0)

    def clear(self, call: Call, request: ClearRequest) -> Answer:
        """Delete the history of a conversation for the caller. The conversation stays in the list."""
        conversation = named_conversation(request.type, given(request.to_account, ""), given(request.to_groupid, ""))
        if conversation.kind is ConversationKind.C2C:
            self._domain.chats.clear(call.user, conversation.id)
        else:
            self._domain.group_messages.clear(call.user, conversation.id)
        return Answer()

    def read_all(self, call: Call, request: ReadAllRequest) -> ReadAllAnswer:
        """Everything is read, or all of one kind. A group that refuses does not hold up the others."""
        chats, c2c_too = self._domain.chats, given(request.c2c_read_all_msg, 0)
        if c2c_too:
            unread = [peer for peer in chats.recent(call.user) if chats.unread(call.user, peer).count]
            for peer in unread:
                chats.read(call.user, peer, self._domain.time(), instance=call.instance)
        groups_read = [self._read_group(call, group) for group in given(request.group_read_info, [])]
        return ReadAllAnswer(c2c_read_all_msg=c2c_too, group_read_info_array=groups_read)

    def communities(self, _call: Call, _request: groups.JoinedRequest) -> groups.JoinedAnswer:
        """The caller's communities."""
        return groups.JoinedAnswer(total_count=0, group_id_list=[])

    def contact_groups(self, _call: Call, _request: contacts.ContactGroupRequest) -> contacts.ContactGroupAnswer:
        """The caller's conversation groups."""
        return contacts.ContactGroupAnswer(complete_flag=1, next_start_index=0, group_item=[], contact_item=[])

    def mute_notifications(self, _call: Call, _request: c2c.MuteNotificationsRequest) -> c2c.MuteNotificationsAnswer:
        """Peers whose messages come without a notification."""
        return c2c.MuteNotificationsAnswer(update_seq=0, mute_notifications_list=[])

    def _read_group(self, call: Call, group: GroupReadTo) -> GroupReadTo:
        code = 0
        try:
            self._domain.group_messages.read(call.user, group.group_id, group.msg_seq, instance=call.instance)
        except Refused as no:
            code = int(no.code)
        return GroupReadTo(group_id=group.group_id, msg_seq=group.msg_seq, ret_code=code)
