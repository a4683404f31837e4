"""Notices of the domain as push frames.

The rules the official SDK taught: one kind of payload in an item, one item in a push, one kind of notice in a
`C2cNotifyMsgArray`. So every notice travels in a push of its own; what its receiver chokes on takes nothing else along.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final

from timbot.im.wire.envelope import FORCE_OFFLINE, PushBody, encode_push
from timbot.im.wire.messages import GroupContext, GroupMessage, GroupReadTo, NoticeBody
from timbot.im.wire.pushes import (
    EVENT_C2C,
    EVENT_C2C_NOTICE,
    EVENT_CONTACTS,
    EVENT_FRIENDS,
    EVENT_MENTION,
    EVENT_MESSAGE,
    EVENT_NOTICE,
    EVENT_PROFILE,
    EVENT_TIP,
    EVENT_TIP_UNSTORED,
    C2CNotice,
    C2CReference,
    C2CWithdrawn,
    ContactKey,
    ContactList,
    ContactMod,
    FriendMod,
    Kickout,
    PendencyAdded,
    ProfileField,
    ProfileMod,
    PushItem,
    ReadElsewhere,
    ReadPair,
    ReadReceipt,
)
from timbot.im.wire.value import UNSET, Raw, Value, encode
from timbot.sandbox.dialect import Dialect
from timbot.sandbox.domain import Domain, notices
from timbot.sandbox.domain.messages import Conversation, ConversationKind
from timbot.sandbox.front.render import Render, revoked_message, revoker
from timbot.sandbox.front.words import profile_tag, profile_word

FRIENDS_ADDED: Final = 1
FRIENDS_REMOVED: Final = 2
APPLICATION_ADDED: Final = 3
APPLICATION_REMOVED: Final = 5
APPLICATIONS_READ: Final = 7
BLACKLIST_ADDED: Final = 8
BLACKLIST_REMOVED: Final = 9

_DELETED, _PINNED, _UNPINNED = 1, 2, 3

_SAME_FOR_ALL = (notices.GroupArrived, notices.GroupTipped, notices.GroupRevoked, notices.ProfileChanged)


class Pushes:
    """Makes push frames. The same message to a whole group is written once, or once for each dialect spoken in it."""

    def __init__(self, domain: Domain, render: Render) -> None:
        self._domain = domain
        self._render = render
        self._numbers = itertools.count(1)
        self._last: tuple[notices.Notice | None, str, dict[Dialect, bytes]] = (None, "", {})
        self._spoken: Final[dict[type[Any], Callable[[Any, Dialect], PushItem]]] = {notices.GroupArrived: self._group}
        self._makers: Final[dict[type[Any], Callable[[str, Any], PushItem]]] = {
            notices.C2CArrived: self._c2c,
            notices.C2CRevoked: self._c2c_revoked,
            notices.C2CReadByPeer: self._read_by_peer,
            notices.C2CReadElsewhere: self._read_elsewhere,
            notices.GroupTipped: self._tip,
            notices.GroupRevoked: self._group_revoked,
            notices.GroupReadElsewhere: self._group_read_elsewhere,
            notices.SystemNotice: self._system,
            notices.Mentioned: self._mentioned,
            notices.ProfileChanged: self._profile,
            notices.FriendsAdded: self._friends_added,
            notices.FriendsRemoved: self._friends_removed,
            notices.ApplicationAdded: self._application_added,
            notices.ApplicationRemoved: self._application_removed,
            notices.ApplicationsRead: self._applications_read,
            notices.BlacklistAdded: self._blacklist_added,
            notices.BlacklistRemoved: self._blacklist_removed,
            notices.ConversationDeleted: self._deleted,
            notices.ConversationPinned: self._pinned,
            notices.ConversationUnpinned: self._unpinned,
        }

    def frame(self, to: str, notice: notices.Notice, dialect: Dialect) -> bytes:
        """The push that tells `to` of `notice`."""
        if isinstance(notice, notices.KickedOut):
            return self._kick()
        reader = "" if isinstance(notice, _SAME_FOR_ALL) else to
        if self._last[0] is not notice or self._last[1] != reader:
            self._last = (notice, reader, {})
        written = self._last[2]
        if dialect not in written:
            written[dialect] = self._write(to, notice, dialect)
        return written[dialect]

    def item(self, to: str, notice: notices.Notice, dialect: Dialect) -> PushItem:
        """The item of an `EventArray` that tells `to` of `notice`."""
        spoken = self._spoken.get(type(notice))
        return self._makers[type(notice)](to, notice) if spoken is None else spoken(notice, dialect)

    def _write(self, to: str, notice: notices.Notice, dialect: Dialect) -> bytes:
        number = next(self._numbers)
        body = PushBody(
            event_array=[Raw(encode(self.item(to, notice, dialect)))],
            need_ack=1,
            session_data=session_data(number, notice.position if isinstance(notice, notices.C2CArrived) else 0),
            flag=0,
        )
        return encode_push(number, body)

    def _kick(self) -> bytes:
        kicked = C2CNotice(kickout_msg_notify=Kickout(kick_type=1, new_inst_info=Raw(b"{}")))
        item = PushItem(event=EVENT_C2C_NOTICE, c2c_notify_msg_array=_raw(kicked))
        return encode_push(next(self._numbers), PushBody(event_array=[Raw(encode(item))]), FORCE_OFFLINE)

    def _c2c(self, _to: str, notice: notices.C2CArrived) -> PushItem:
        message = self._render.c2c(notice.message, own_copy=notice.own_copy)
        return PushItem(event=EVENT_C2C, c2c_msg_array=_raw(message))

    def _c2c_revoked(self, _to: str, notice: notices.C2CRevoked) -> PushItem:
        message = notice.message
        reference = C2CReference(
            from_account=message.sender,
            to_account=message.receiver,
            msg_seq=message.sequence,
            msg_random=message.random,
            msg_time_stamp=message.time,
            revoker_info=revoker(message.sender),
        )
        return _c2c_notice(C2CNotice(withdraw_c2c_msg_notify=C2CWithdrawn(c2c_withdraw_info_array=[reference])))

    def _read_by_peer(self, _to: str, notice: notices.C2CReadByPeer) -> PushItem:
        pair = ReadPair(last_read_time=notice.time, peer_read_time=notice.time)
        return _c2c_notice(C2CNotice(c2c_readed_receipt=ReadReceipt(to_account=notice.reader, uin_pair_read_array=[pair])))

    def _read_elsewhere(self, _to: str, notice: notices.C2CReadElsewhere) -> PushItem:
        pair = ReadPair(from_account=notice.peer, last_read_time=notice.time)
        return _c2c_notice(C2CNotice(read_c2c_msg_notify=ReadElsewhere(uin_pair_read_array=[pair])))

    def _group(self, notice: notices.GroupArrived, dialect: Dialect) -> PushItem:
        message = self._render.group_message(notice.message, notice.group_name, dialect)
        return PushItem(event=EVENT_MESSAGE, group_msg_array=_raw(message))

    def _tip(self, _to: str, notice: notices.GroupTipped) -> PushItem:
        event = EVENT_TIP if notice.tip.sequence else EVENT_TIP_UNSTORED
        return PushItem(event=event, group_tips=_raw(self._render.tip(notice.tip, notice.group_name)))

    def _group_revoked(self, _to: str, notice: notices.GroupRevoked) -> PushItem:
        revoked = [revoked_message(message) for message in notice.messages]
        return self._group_news(notice.group_id, NoticeBody(group_withdraw_info_array=revoked), notice.operator)

    def _group_read_elsewhere(self, to: str, notice: notices.GroupReadElsewhere) -> PushItem:
        read = GroupReadTo(group_id=notice.group_id, last_read_msg_seq=notice.sequence)
        return self._group_news(notice.group_id, NoticeBody(group_read_info_array=[read]), to)

    def _group_news(self, group_id: str, body: NoticeBody, operator: str) -> PushItem:
        message = GroupMessage(
            to_group_id=group_id,
            msg_time_stamp=self._domain.time(),
            msg_body=Raw(encode(body)),
            group_info=GroupContext(group_id=group_id, from_account=operator),
        )
        return PushItem(event=EVENT_NOTICE, group_tips=_raw(message))

    def _system(self, to: str, notice: notices.SystemNotice) -> PushItem:
        return PushItem(event=EVENT_NOTICE, group_tips=_raw(self._render.notice(notice, to)))

    def _mentioned(self, to: str, notice: notices.Mentioned) -> PushItem:
        return PushItem(event=EVENT_MENTION, group_tips=_raw(self._render.mention(notice, to)))

    def _profile(self, _to: str, notice: notices.ProfileChanged) -> PushItem:
        fields = [_profile_field(key, value) for key, value in notice.changes]
        return PushItem(
            event=EVENT_PROFILE, profile_data_mod=_raw(ProfileMod(profile_account=notice.user, profile_list=fields))
        )

    def _friends_added(self, to: str, notice: notices.FriendsAdded) -> PushItem:
        added = list(notice.users)
        return _friends(FriendMod(push_type=FRIENDS_ADDED, from_account=to, friend_add_account=added))

    def _friends_removed(self, to: str, notice: notices.FriendsRemoved) -> PushItem:
        removed = list(notice.users)
        return _friends(FriendMod(push_type=FRIENDS_REMOVED, from_account=to, friend_del_account=removed))

    def _application_added(self, to: str, notice: notices.ApplicationAdded) -> PushItem:
        nick, avatar = self._render.name_of(notice.peer)
        added = PendencyAdded(
            pendency_add_account=notice.peer,
            profile_im_nick=nick,
            profile_im_image=avatar,
            add_source=notice.source,
            add_wording=notice.wording,
            add_time=notice.time,
        )
        applicant = notice.peer if notice.incoming else to
        return _friends(FriendMod(push_type=APPLICATION_ADDED, from_account=applicant, pendency_add=[added]))

    def _application_removed(self, to: str, notice: notices.ApplicationRemoved) -> PushItem:
        gone = [notice.peer]
        return _friends(FriendMod(push_type=APPLICATION_REMOVED, from_account=to, frien_pencyd_del_account=gone))

    def _applications_read(self, to: str, notice: notices.ApplicationsRead) -> PushItem:
        return _friends(FriendMod(push_type=APPLICATIONS_READ, from_account=to, report_time=notice.time))

    def _blacklist_added(self, to: str, notice: notices.BlacklistAdded) -> PushItem:
        added = list(notice.users)
        return _friends(FriendMod(push_type=BLACKLIST_ADDED, from_account=to, black_list_add_account=added))

    def _blacklist_removed(self, to: str, notice: notices.BlacklistRemoved) -> PushItem:
        removed = list(notice.users)
        return _friends(FriendMod(push_type=BLACKLIST_REMOVED, from_account=to, black_list_del_account=removed))

    def _deleted(self, _to: str, notice: notices.ConversationDeleted) -> PushItem:
        return _contact(ContactMod(push_type=_DELETED, recent_contact_delete_item=_one(notice.conversation)))

    def _pinned(self, _to: str, notice: notices.ConversationPinned) -> PushItem:
        return _contact(ContactMod(push_type=_PINNED, recent_contact_top_item=_one(notice.conversation)))

    def _unpinned(self, _to: str, notice: notices.ConversationUnpinned) -> PushItem:
        return _contact(ContactMod(push_type=_UNPINNED, recent_contact_top_item=_one(notice.conversation)))


def session_data(number: int, position: int) -> str:
    """What an acknowledgement brings back; opaque to clients."""
    return f"s{number}.{position}"


def position_of(data: str) -> int:
    """The place in the inbox an acknowledgement speaks of; 0 if of none."""
    _, _, position = data.partition(".")
    return int(position) if position.isascii() and position.isdigit() and len(position) < 19 else 0


def _raw(value: Value) -> list[Raw]:
    return [Raw(encode(value))]


def _c2c_notice(notice: C2CNotice) -> PushItem:
    return PushItem(event=EVENT_C2C_NOTICE, c2c_notify_msg_array=_raw(notice))


def _friends(news: FriendMod) -> PushItem:
    return PushItem(event=EVENT_FRIENDS, friend_list_mod=_raw(news))


def _contact(news: ContactMod) -> PushItem:
    return PushItem(event=EVENT_CONTACTS, recent_contact_mod=_raw(news))


def _one(conversation: Conversation) -> ContactList:
    if conversation.kind is ConversationKind.C2C:
        return ContactList(recent_contact_list=[ContactKey(type=1, peer_account=conversation.id)])
    return ContactList(recent_contact_list=[ContactKey(type=2, group_id=conversation.id)])


def _profile_field(key: str, value: str | int) -> ProfileField:
    tag, word = profile_tag(key), profile_word(key, value)
    if isinstance(word, int):
        return ProfileField(tag=tag, value_num=word)
    return ProfileField(tag=tag, value_bytes=word, value_num=UNSET)
