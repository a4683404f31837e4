"""What newer SDKs ask at login and after a reconnect, and 2.14.0 does not.

Most of it is about features that cost extra and that this server does not sell: the answer is that there is nothing.
"""

from __future__ import annotations

from typing import Final

import msgspec

from timbot.im.wire.commands import c2c, contacts, groups
from timbot.im.wire.commands.base import Command, Empty
from timbot.im.wire.envelope import Answer
from timbot.im.wire.messages import RevokedGroupMessage
from timbot.im.wire.value import UNSET, Int, Opt, Value
from timbot.sandbox.domain import Domain
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


PURCHASE_BITS: Final = Command("im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2", Empty, PurchaseAnswer)
RECALLS: Final = Command("group_open_http_svc.get_group_notify", RecallsRequest, RecallsAnswer)


class Newer:
    """The commands that only newer SDKs send."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def register(self, desk: Desk) -> None:
        """Take these commands."""
        desk.add(PURCHASE_BITS, self.purchase_bits)
        desk.add(RECALLS, self.recalls)
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

    def communities(self, _call: Call, _request: groups.JoinedRequest) -> groups.JoinedAnswer:
        """The caller's communities."""
        return groups.JoinedAnswer(total_count=0, group_id_list=[])

    def contact_groups(self, _call: Call, _request: contacts.ContactGroupRequest) -> contacts.ContactGroupAnswer:
        """The caller's conversation groups."""
        return contacts.ContactGroupAnswer(complete_flag=1, next_start_index=0, group_item=[], contact_item=[])

    def mute_notifications(self, _call: Call, _request: c2c.MuteNotificationsRequest) -> c2c.MuteNotificationsAnswer:
        """Peers whose messages come without a notification."""
        return c2c.MuteNotificationsAnswer(update_seq=0, mute_notifications_list=[])
