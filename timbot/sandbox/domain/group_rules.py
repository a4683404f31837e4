"""What each group type allows: the vendor's table, as one value per type."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from timbot.sandbox.domain.messages import JoinOption


class GroupType(StrEnum):
    """The four kinds of groups."""

    WORK = "work"
    PUBLIC = "public"
    MEETING = "meeting"
    AV_CHAT_ROOM = "av_chat_room"


class Role(IntEnum):
    """A member's standing; a greater number may do more."""

    MEMBER = 1
    ADMIN = 2
    OWNER = 3


class RemindType(StrEnum):
    """What a member wants to happen with new messages. `DISCARD`: they are not pushed at all."""

    ACCEPT_AND_NOTIFY = "accept_and_notify"
    ACCEPT_NOT_NOTIFY = "accept_not_notify"
    DISCARD = "discard"


class Entry(StrEnum):
    """How a stranger gets in by applying."""

    CLOSED = "closed"
    BY_OPTION = "by_option"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Rules:
    """One column of the table. A role is the lowest that may; `None`: nobody."""

    entry: Entry
    default_option: JoinOption
    anybody_invites: bool
    edits_profile: Role
    has_admins: bool
    owner_dismisses: bool
    owner_leaves: bool
    removes: Role | None
    mutes: Role | None
    keeps_history: bool
    history_before_joining: bool
    counts_unread: bool
    membership_tips: bool
    lists_members: bool
    mention_all: bool
    anybody_reads_info: bool


RULES: Final[dict[GroupType, Rules]] = {
    GroupType.WORK: Rules(
        entry=Entry.CLOSED,
        default_option=JoinOption.DISABLED,
        anybody_invites=True,
        edits_profile=Role.MEMBER,
        has_admins=False,
        owner_dismisses=False,
        owner_leaves=True,
        removes=Role.OWNER,
        mutes=None,
        keeps_history=True,
        history_before_joining=False,
        counts_unread=True,
        membership_tips=True,
        lists_members=True,
        mention_all=True,
        anybody_reads_info=False,
    ),
    GroupType.PUBLIC: Rules(
        entry=Entry.BY_OPTION,
        default_option=JoinOption.NEED_PERMISSION,
        anybody_invites=False,
        edits_profile=Role.ADMIN,
        has_admins=True,
        owner_dismisses=True,
        owner_leaves=False,
        removes=Role.ADMIN,
        mutes=Role.ADMIN,
        keeps_history=True,
        history_before_joining=False,
        counts_unread=True,
        membership_tips=True,
        lists_members=True,
        mention_all=True,
        anybody_reads_info=True,
    ),
    GroupType.MEETING: Rules(
        entry=Entry.OPEN,
        default_option=JoinOption.FREE,
        anybody_invites=False,
        edits_profile=Role.OWNER,
        has_admins=True,
        owner_dismisses=True,
        owner_leaves=False,
        removes=Role.ADMIN,
        mutes=Role.ADMIN,
        keeps_history=True,
        history_before_joining=True,
        counts_unread=False,
        membership_tips=False,
        lists_members=True,
        mention_all=True,
        anybody_reads_info=True,
    ),
    GroupType.AV_CHAT_ROOM: Rules(
        entry=Entry.OPEN,
        default_option=JoinOption.FREE,
        anybody_invites=False,
        edits_profile=Role.OWNER,
        has_admins=False,
        owner_dismisses=True,
        owner_leaves=False,
        removes=None,
        mutes=Role.OWNER,
        keeps_history=False,
        history_before_joining=False,
        counts_unread=False,
        membership_tips=True,
        lists_members=False,
        mention_all=False,
        anybody_reads_info=True,
    ),
}
