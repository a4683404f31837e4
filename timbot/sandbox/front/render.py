"""Messages, tips and notices of the domain as the wire shows them, in pushes and lists alike.

The domain keeps accounts; names and pictures are looked up here, at the moment of showing.
"""

from __future__ import annotations

from typing import Final, cast

from msgspec.structs import replace

from timbot.im.wire.elements import Element
from timbot.im.wire.messages import (
    FLAG_REVOKED,
    SYSTEM_ACCOUNT,
    AtTips,
    C2CMessage,
    GroupAt,
    GroupChange,
    GroupContext,
    GroupMessage,
    KeyValue,
    MemberExtra,
    MemberMute,
    NoticeBody,
    RevokedGroupMessage,
    Revoker,
    SenderExtra,
    TipBody,
)
from timbot.im.wire.pushes import EVENT_MESSAGE, EVENT_TIP
from timbot.im.wire.value import UNSET, Opt, Raw, encode
from timbot.sandbox.dialect import Dialect
from timbot.sandbox.domain import Domain
from timbot.sandbox.domain.group_messages import GroupRecord, RecordState
from timbot.sandbox.domain.messages import C2CMessage as DomainC2C
from timbot.sandbox.domain.messages import GroupChanges, GroupTip, TipKind
from timbot.sandbox.domain.messages import GroupMessage as DomainGroupMessage
from timbot.sandbox.domain.notices import Mentioned, SystemKind, SystemNotice
from timbot.sandbox.domain.profiles import ProfileField
from timbot.sandbox.front.words import JOIN_OPTIONS

NORMAL, PLACEHOLDER, REVOKED = 0, 1, 2
"""`IsPlaceMsg` of a listed group message."""

_MENTION_FLAGS: Final = {Dialect.CLASSIC: (1, 2), Dialect.NEWER: (0, 1)}
"""`GroupAtAllFlag` of a shown mention: of one user, of all. In requests it is 0 and 1 in every dialect."""

_ABOUT_OTHERS = frozenset({TipKind.JOINED, TipKind.REMOVED, TipKind.MADE_ADMIN, TipKind.ADMIN_WITHDRAWN})
"""Tips that show those they are about; in the others their names would push out the operator's."""


def elements(body: object) -> list[Element]:
    """The elements of a message. The domain keeps them as it was given them, without looking."""
    return cast("list[Element]", body)


class Render:
    """Makes wire values out of domain values."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def name_of(self, user: str) -> tuple[str, str]:
        """Nick and picture; empty for accounts nobody knows."""
        profile = self._domain.profiles.get(user)
        if profile is None:
            return "", ""
        return str(profile.fields[ProfileField.NICK]), str(profile.fields[ProfileField.AVATAR])

    def tiny_id_of(self, user: str) -> Opt[str]:
        """The numeric name, which newer SDKs build message IDs of; none for accounts nobody knows."""
        account = self._domain.accounts.get(user)
        return UNSET if account is None else account.tiny_id

    def c2c(self, message: DomainC2C, *, own_copy: bool = False) -> C2CMessage:
        """A C2C message. The copy for another instance of the sender has its accounts swapped."""
        nick, avatar = self.name_of(message.sender)
        return C2CMessage(
            from_account=message.receiver if own_copy else message.sender,
            to_account=message.sender if own_copy else message.receiver,
            msg_seq=message.sequence,
            msg_random=message.random,
            msg_time_stamp=message.time,
            msg_body=elements(message.body),
            from_account_nick=nick,
            from_account_headurl=avatar,
            cloud_custom_data=message.cloud_custom_data,
            msg_life_time=0 if message.online_only else UNSET,
            is_sync_msg=1 if own_copy else UNSET,
            msg_flag_bits=FLAG_REVOKED if message.recalled else 0,
            tiny_id=self.tiny_id_of(message.sender),
            msg_client_time=message.client_time or message.time,
            revoker_info=revoker(message.sender if message.recalled else ""),
        )

    def group_message(self, message: DomainGroupMessage, group_name: str, dialect: Dialect) -> GroupMessage:
        """A group message; the flags of its mentions are the dialect's."""
        one, everybody = _MENTION_FLAGS[dialect]
        mentions = [GroupAt(group_at_all_flag=one, group_at_account=user) for user in message.mentions]
        if message.mention_all:
            mentions.append(GroupAt(group_at_all_flag=everybody))
        return GroupMessage(
            from_account=message.sender,
            to_group_id=message.group_id,
            msg_seq=message.sequence,
            msg_random=message.random,
            msg_time_stamp=message.time,
            msg_body=Raw(encode(message.body)),
            group_info=self._context(message.group_id, group_name, message.sender, message.name_card),
            client_seq=message.client_sequence,
            msg_priority=int(message.priority),
            cloud_custom_data=message.cloud_custom_data,
            online_only_flag=1 if message.online_only else UNSET,
            group_at_info=mentions or UNSET,
            tiny_id=self.tiny_id_of(message.sender),
            msg_client_time=message.client_time or message.time,
            revoker_info=revoker(message.recalled_by),
        )

    def tip(self, tip: GroupTip, group_name: str) -> GroupMessage:
        """A tip; its body is an object."""
        return GroupMessage(
            from_account=tip.operator,
            to_group_id=tip.group_id,
            msg_seq=tip.sequence,
            msg_random=tip.random,
            msg_time_stamp=tip.time,
            msg_body=Raw(encode(self._tip_body(tip))),
            group_info=self._context(tip.group_id, group_name, tip.operator, ""),
            tiny_id=self.tiny_id_of(tip.operator),
            msg_client_time=tip.time,
        )

    def record(self, record: GroupRecord, group_id: str, group_name: str, dialect: Dialect) -> GroupMessage:
        """An item of a group's history."""
        content = record.content
        if content is None:
            return GroupMessage(
                to_group_id=group_id,
                msg_seq=record.sequence,
                msg_body=Raw(b"[]"),
                group_info=GroupContext(group_id=group_id, group_name=group_name),
                event=EVENT_MESSAGE,
                is_place_msg=PLACEHOLDER,
            )
        if isinstance(content, GroupTip):
            shown, event = self.tip(content, group_name), EVENT_TIP
        else:
            shown, event = self.group_message(content, group_name, dialect), EVENT_MESSAGE
        place = REVOKED if record.state is RecordState.RECALLED else NORMAL
        return _listed(shown, event, place)

    def notice(self, notice: SystemNotice, to: str) -> GroupMessage:
        """A group system notice."""
        body = NoticeBody(
            report_type=int(notice.kind),
            operator_account=notice.operator,
            remark_info=notice.text or UNSET,
            authentication=notice.key or UNSET,
            msg_key=notice.key or UNSET,
            user_defined_field=notice.text if notice.kind is SystemKind.CUSTOM else UNSET,
        )
        context = self._context(notice.group_id, notice.group_name, notice.operator, "", to=to)
        return GroupMessage(
            from_account=SYSTEM_ACCOUNT,
            to_account=to,
            to_group_id=notice.group_id,
            msg_seq=notice.sequence,
            msg_random=notice.random,
            msg_time_stamp=notice.time,
            msg_body=Raw(encode(body)),
            group_info=context,
            client_seq=notice.sequence,
            msg_client_time=notice.time,
        )

    def mention(self, mentioned: Mentioned, to: str) -> GroupMessage:
        """The news that one was mentioned."""
        kinds = [1] * mentioned.me + [2] * mentioned.everybody
        return GroupMessage(
            from_account=mentioned.sender,
            to_account=to,
            to_group_id=mentioned.group_id,
            msg_random=mentioned.random,
            client_seq=mentioned.sequence,
            msg_time_stamp=mentioned.time,
            group_info=GroupContext(group_id=mentioned.group_id, group_name=mentioned.group_name),
            group_at_tips=AtTips(
                group_id=mentioned.group_id,
                from_account=mentioned.sender,
                group_at_type=kinds,
                msg_seq=mentioned.message_sequence,
            ),
        )

    def _context(self, group_id: str, group_name: str, sender: str, name_card: str, *, to: str = "") -> GroupContext:
        nick, avatar = self.name_of(sender)
        return GroupContext(
            group_id=group_id,
            group_name=group_name,
            from_account=sender,
            from_account_nick=nick,
            from_account_headurl=avatar,
            msg_from_account_extra_info=SenderExtra(name_card=name_card),
            to_account=to or UNSET,
        )

    def _tip_body(self, tip: GroupTip) -> TipBody:
        about = [self._extra(user) for user in tip.users] if tip.kind in _ABOUT_OTHERS else UNSET
        mutes = [MemberMute(user_id=user, shutup_time=seconds) for user, seconds in tip.mutes]
        return TipBody(
            op_type=int(tip.kind),
            operator_account=tip.operator,
            list_account=list(tip.users) or UNSET,
            member_num=tip.member_count,
            msg_operator_member_extra_info=self._extra(tip.operator),
            msg_member_extra_info=about,
            msg_group_new_info=UNSET if tip.changes is None else _change(tip.changes),
            msg_member_info=mutes or UNSET,
        )

    def _extra(self, user: str) -> MemberExtra:
        nick, avatar = self.name_of(user)
        return MemberExtra(user_id=user, nick_name=nick, image_url=avatar)


def _change(changes: GroupChanges) -> GroupChange:
    muted = changes.mute_all
    option = changes.join_option
    return GroupChange(
        group_name=UNSET if changes.name is None else changes.name,
        group_introduction=UNSET if changes.introduction is None else changes.introduction,
        group_notification=UNSET if changes.notification is None else changes.notification,
        group_face_url=UNSET if changes.face_url is None else changes.face_url,
        group_apply_join_option=UNSET if option is None else JOIN_OPTIONS[option],
        shut_up_all_member=UNSET if muted is None else on_off(muted),
        owner_account=UNSET if changes.owner is None else changes.owner,
        msg_app_defined_data=[KeyValue(key=key, value=value) for key, value in changes.custom] or UNSET,
    )


def revoker(user: str) -> Opt[Revoker]:
    """Who recalled a message; nothing if nobody did."""
    return Revoker(revoker_account=user) if user else UNSET


def revoked_message(message: DomainGroupMessage) -> RevokedGroupMessage:
    """A recalled message as those are told who may still show it."""
    return RevokedGroupMessage(
        group_id=message.group_id,
        from_account=message.sender,
        msg_seq=message.sequence,
        msg_random=message.random,
        revoker_info=revoker(message.recalled_by),
    )


def on_off(flag: bool) -> str:
    """The protocol's words for yes and no."""
    return "On" if flag else "Off"


def _listed(message: GroupMessage, event: int, place: int) -> GroupMessage:
    return replace(message, event=event, is_place_msg=place, random=message.msg_random)
