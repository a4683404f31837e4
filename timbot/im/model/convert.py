"""From what the wire says to what happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from timbot.errors import FrameError
from timbot.im.model import events as model
from timbot.im.model.message import ConversationType, Message, c2c_message, conversation_id, group_message
from timbot.im.model.people import FriendApplication
from timbot.im.wire import pushes as wire
from timbot.im.wire.commands.contacts import C2C
from timbot.im.wire.messages import FLAG_REVOKED, AtTips, C2CMessage, GroupChange, GroupMessage, NoticeBody, NoticeKind, TipBody
from timbot.im.wire.value import UNSET, Raw, given

_OWN_APPLICATION: Final = (3, 4)
"""`PushType` of news of a friend application; it is this account's own if `From_Account` says so."""

_CONTACT_CHANGES: Final = {1: "deleted", 2: "pinned", 3: "unpinned"}
_NOTICES: Final = {kind.value for kind in model.NoticeType}
_TIPS: Final = {kind.value for kind in model.TipType}


def events_of(value: wire.PushValue, me: str, *, first: bool = False, raw: bytes | Raw = b"") -> Iterator[model.Event]:
    """The events in one pushed value, as the account `me` sees them. A broken message comes out as `BrokenItem` with `raw`.

    What a list shows as revoked or deleted meanwhile is no event any more. `first`: nothing was told of this message before,
    so that a changed one is news as a message, not as a change.
    """
    try:
        yield from _events(value, me, first, raw)
    except FrameError as error:
        yield model.BrokenItem(error, raw=bytes(raw))


def _events(value: wire.PushValue, me: str, first: bool, raw: bytes | Raw) -> Iterator[model.Event]:
    match value:
        case C2CMessage():
            if not given(value.msg_flag_bits, 0) & FLAG_REVOKED:
                yield message_event(c2c_message(value, me), first=first)
        case GroupMessage():
            if not given(value.is_place_msg, 0):
                yield message_event(group_message(value, me), first=first)
        case wire.Tip():
            yield from _tip(value.message, value.body, stored=value.stored)
        case wire.Notice():
            yield from _notice(value.message, value.body)
        case wire.Mention(message=GroupMessage(group_at_tips=AtTips() as tips)):
            yield model.Mentioned(
                tips.group_id, given(tips.from_account, ""), given(tips.msg_seq, 0), 2 in given(tips.group_at_type, [])
            )
        case wire.C2CWithdrawn():
            for gone in value.c2c_withdraw_info_array:
                peer = gone.to_account if gone.from_account == me else gone.from_account
                yield model.MessageRevoked(f"C2C{peer}", gone.from_account, gone.msg_seq, gone.msg_random)
        case wire.ReadReceipt():
            for pair in value.uin_pair_read_array:
                yield model.MessageReadByPeer(value.to_account, pair.last_read_time)
        case wire.ReadElsewhere():
            for pair in value.uin_pair_read_array:
                yield model.ReadElsewhere(f"C2C{given(pair.from_account, '')}", pair.last_read_time)
        case wire.ProfileMod():
            yield model.ProfileUpdated(value.profile_account, tuple((item.tag, _value(item)) for item in value.profile_list))
        case wire.FriendMod():
            yield from _relations(value, me)
        case wire.ContactMod():
            yield _contacts(value)
        case wire.Broken():
            yield model.BrokenItem(value.error, raw=bytes(raw))
        case wire.Unknown():
            yield model.UnknownItem(value.event)


def _value(field: wire.ProfileField) -> str | int:
    return field.value_bytes if field.value_bytes is not UNSET else given(field.value_num, 0)


def message_event(message: Message, *, first: bool = False) -> model.Event:
    """Which event a message is; `first`: it was not told of before."""
    if message.is_modified and not first:
        return model.MessageModified(message)
    return model.OwnMessage(message) if message.flow == "out" else model.MessageReceived(message)


def _tip(message: GroupMessage, body: TipBody, *, stored: bool) -> Iterator[model.Event]:
    number = given(body.op_type, 0)
    if number not in _TIPS:
        return  # the online count of a live room, for example: no event of the SDK
    kind = model.TipType(number)
    operator = given(body.operator_account, given(message.from_account, ""))
    extras = given(body.msg_member_extra_info, [])
    mutes = given(body.msg_member_info, [])
    users = tuple(given(body.list_account, [])) or tuple(given(mute.user_id, "") for mute in mutes) or (operator,)
    nicks = {given(extra.user_id, ""): given(extra.nick_name, "") for extra in extras}
    muted = {given(mute.user_id, ""): given(mute.shutup_time, 0) for mute in mutes}
    joined = kind is model.TipType.MEMBER_JOIN
    yield (model.MemberJoined if joined else model.GroupTip)(
        type=kind,
        group_id=message.group_id,
        group_name=_group_name(message),
        operator_id=operator,
        user_ids=users,
        nicks=tuple(nicks.get(user, "") for user in users),
        member_count=given(body.member_num, 0),
        time=given(message.msg_time_stamp, 0),
        sequence=given(message.msg_seq, 0) if stored else 0,
        changes=tuple(_changes(body.msg_group_new_info)) if body.msg_group_new_info is not UNSET else (),
        mute_seconds=tuple(muted.get(user, 0) for user in users) if muted else (),
    )


def _changes(change: GroupChange) -> Iterator[tuple[str, str]]:
    """The new values of a group's profile, under the SDK's names."""
    for name, value in (
        ("groupName", change.group_name),
        ("introduction", change.group_introduction),
        ("notification", change.group_notification),
        ("avatar", change.group_face_url),
        ("joinOption", change.group_apply_join_option),
        ("muteAllMembers", change.shut_up_all_member),
        ("ownerID", change.owner_account),
    ):
        if value is not UNSET:
            yield name, value
    for item in given(change.msg_app_defined_data, []):
        yield f"groupCustomField.{item.key}", given(item.value, "")


def _notice(message: GroupMessage, body: NoticeBody) -> Iterator[model.Event]:
    group = message.group_id
    for gone in given(body.group_withdraw_info_array, []):
        where = given(gone.group_id, group)
        yield model.MessageRevoked(f"GROUP{where}", given(gone.from_account, ""), gone.msg_seq, given(gone.msg_random, 0))
    for read in given(body.group_read_info_array, []):
        yield model.ReadElsewhere(f"GROUP{read.group_id}", read.last_read_msg_seq)
    number = given(body.report_type, 0)
    operator, text = given(body.operator_account, ""), given(body.remark_info, "")
    time = given(message.msg_time_stamp, 0)
    if number == NoticeKind.JOIN_APPLICATION:
        nicks = [given(extra.nick_name, "") for extra in given(body.msg_member_extra_info, [])]
        yield model.GroupApplication(
            group_id=group,
            group_name=_group_name(message),
            user_id=operator,
            nick=nicks[0] if nicks else "",
            wording=text,
            time=time,
            authentication=given(body.authentication, ""),
            message_key=_key(body),
            sequence=given(message.client_seq, given(message.msg_seq, 0)),
            random=given(message.msg_random, 0),
        )
    elif number == NoticeKind.INVITATION:
        key = _key(body)
        name, auth = _group_name(message), given(body.authentication, "")
        yield model.GroupInvitation(group, name, operator, text, time, auth, key)
    elif number in _NOTICES:
        words = text or given(body.user_defined_field, "")
        yield model.GroupNotice(model.NoticeType(number), group, _group_name(message), operator, words, time)


def _key(body: NoticeBody) -> int | str:
    return 0 if body.msg_key is UNSET else body.msg_key


def _group_name(message: GroupMessage) -> str:
    return given(message.group_info.group_name, "") if message.group_info is not UNSET else ""


def _relations(value: wire.FriendMod, me: str) -> Iterator[model.Event]:
    own = given(value.push_type, 0) in _OWN_APPLICATION and value.from_account == me
    for added in given(value.pendency_add, []):
        if not own:
            yield model.FriendApplicationReceived(
                FriendApplication(
                    user_id=added.pendency_add_account,
                    nick=given(added.profile_im_nick, ""),
                    avatar=given(added.profile_im_image, ""),
                    source=given(added.add_source, ""),
                    wording=given(added.add_wording, ""),
                    time=given(added.add_time, 0),
                )
            )
    kinds = model.RelationChange
    for change, users in (
        (kinds.FRIENDS_ADDED, value.friend_add_account),
        (kinds.FRIENDS_REMOVED, value.friend_del_account),
        (kinds.APPLICATIONS_REMOVED, value.frien_pencyd_del_account),
        (kinds.BLOCKED, value.black_list_add_account),
        (kinds.UNBLOCKED, value.black_list_del_account),
    ):
        if users is not UNSET:
            yield model.RelationsChanged(change, tuple(users))
    if value.report_time is not UNSET:
        yield model.RelationsChanged(kinds.APPLICATIONS_READ)


def _contacts(value: wire.ContactMod) -> model.Event:
    part = value.recent_contact_delete_item if value.push_type == 1 else value.recent_contact_top_item
    keys = part.recent_contact_list if part is not UNSET else []
    conversations = tuple(
        conversation_id(ConversationType.C2C, given(key.peer_account, ""))
        if key.type == C2C
        else conversation_id(ConversationType.GROUP, given(key.group_id, ""))
        for key in keys
    )
    return model.ConversationsChanged(_CONTACT_CHANGES.get(value.push_type, "changed"), conversations)
