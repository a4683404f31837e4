"""Who is in a group: coming, going, and what members are to each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.accounts import Accounts
from timbot.sandbox.domain.core import Core
from timbot.sandbox.domain.group_announcer import Announcer
from timbot.sandbox.domain.group_applications import GroupApplications
from timbot.sandbox.domain.group_rules import Entry, GroupType, RemindType, Role
from timbot.sandbox.domain.group_state import Group, GroupStore, Member, MemberInfo
from timbot.sandbox.domain.messages import JoinOption, TipKind
from timbot.sandbox.domain.notices import SystemKind
from timbot.sandbox.domain.refusals import Code, Refused


class JoinStatus(StrEnum):
    """What became of an application to join."""

    JOINED = "joined"
    WAITING = "waiting"


class AddResult(IntEnum):
    """What became of one invited user; the numbers are the documented ones."""

    FAILED = 0
    ADDED = 1
    ALREADY_IN = 2
    TOO_MANY_GROUPS = 4


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Members in order of joining. `total` counts all of them."""

    members: tuple[MemberInfo, ...]
    total: int


class GroupMembers:
    """Membership of all groups."""

    __slots__ = ("_accounts", "_announcer", "_applications", "_core", "_store")

    def __init__(
        self,
        core: Core,
        accounts: Accounts,
        store: GroupStore,
        announcer: Announcer,
        applications: GroupApplications,
    ) -> None:
        self._core = core
        self._accounts = accounts
        self._store = store
        self._announcer = announcer
        self._applications = applications

    def join(self, user: str, group_id: str, wording: str = "") -> JoinStatus:
        """Join, or apply where that is needed.

        Refused: 10007 the type or the group lets nobody in by applying, 10013 already a member (a live room says yes
        again), 10014 full, 10037 in too many groups.
        """
        group = self._store.require(group_id)
        if group.rules.entry is Entry.CLOSED:
            raise Refused(Code.GROUP_NOT_PERMITTED, "nobody can apply to join a Work group")
        if user in group.members:
            if group.type is GroupType.AV_CHAT_ROOM:
                return JoinStatus.JOINED
            raise Refused(Code.GROUP_ALREADY_MEMBER, "you are a member already")
        if group.rules.entry is Entry.BY_OPTION and group.join_option is JoinOption.DISABLED:
            raise Refused(Code.GROUP_NOT_PERMITTED, "this group takes no applications")
        if not self._store.has_room(group):
            raise Refused(Code.GROUP_FULL, "the group is full")
        if not self._store.may_join_more(user):
            raise Refused(Code.GROUP_USER_IN_TOO_MANY, "you are in too many groups")
        if group.rules.entry is Entry.BY_OPTION and group.join_option is JoinOption.NEED_PERMISSION:
            self._applications.apply(user, group, wording)
            return JoinStatus.WAITING
        self._store.add_member(group, user)
        self._announcer.joined(user, group_id)
        self._announcer.tip(group, TipKind.JOINED, user, (user,))
        return JoinStatus.JOINED

    def quit(self, user: str, group_id: str, *, instance: int | None = None) -> None:
        """Leave. Refused: 10007 not a member, 10009 the owner, save in a Work group, which then has none.

        A Work group ends with its last member.
        """
        group, member = self._store.require_member(group_id, user)
        if member.role is Role.OWNER and not group.rules.owner_leaves:
            raise Refused(Code.GROUP_OWNER_CANNOT_LEAVE, "the owner has to hand the group over first")
        self._store.remove_member(group, user)
        if group.owner == user:
            group.owner = ""
        self._announcer.tell(user, SystemKind.QUIT, group, user, skip_instance=instance)
        self._announcer.tip(group, TipKind.LEFT, user, (user,))
        if not group.members:
            self._store.dismiss(group)

    def add(self, user: str, group_id: str, others: Iterable[str]) -> tuple[tuple[str, AddResult], ...]:
        """Bring others in; they are not asked. Only members of Work groups may.

        Refused: 10007 not permitted, 10005 more than 500, 10014 full before anybody was added.
        """
        group = self._store.require(group_id)
        if group.type is GroupType.AV_CHAT_ROOM:
            raise Refused(Code.GROUP_NOT_PERMITTED, "nobody can be brought into a live room")
        self._store.require_role(group, user, Role.MEMBER if group.rules.anybody_invites else None)
        named = tuple(dict.fromkeys(others))
        _check_batch(named)
        results: list[tuple[str, AddResult]] = []
        added: list[str] = []
        for other in named:
            result = self._admission(group, other)
            results.append((other, result))
            if result is AddResult.ADDED:
                added.append(other)
                self._store.add_member(group, other)
                self._announcer.joined(other, group_id)
        if not added and not self._store.has_room(group) and any(r is AddResult.FAILED for _, r in results):
            raise Refused(Code.GROUP_FULL, "the group is full")
        for other in added:
            self._announcer.tell(other, SystemKind.INVITED, group, user)
        if added:
            self._announcer.tip(group, TipKind.JOINED, user, added)
        return tuple(results)

    def remove(self, user: str, group_id: str, others: Iterable[str], reason: str = "") -> tuple[str, ...]:
        """Remove members of a lower role and return who went; users who are no members are passed over.

        Refused: 10004 a live room, or oneself; 10005 more than 500; 10007 not permitted.
        """
        group = self._store.require(group_id)
        if group.type is GroupType.AV_CHAT_ROOM:
            raise Refused(Code.GROUP_BAD_PARAMETER, "nobody can be removed from a live room")
        role = self._store.require_role(group, user, group.rules.removes)
        named = tuple(dict.fromkeys(others))
        _check_batch(named)
        if user in named:
            raise Refused(Code.GROUP_BAD_PARAMETER, "members leave by themselves")
        going = tuple(other for other in named if other in group.members)
        for other in going:
            self._require_below(group, other, role)
        for other in going:
            self._store.remove_member(group, other)
            if group.owner == other:
                group.owner = ""
            self._announcer.tell(other, SystemKind.REMOVED, group, user, text=reason)
        if going:
            self._announcer.tip(group, TipKind.REMOVED, user, going)
        return going

    def listed(self, user: str, group_id: str, offset: int = 0, limit: int = limits.MEMBER_PAGE) -> MemberPage:
        """Up to 100 members in order of joining. Refused with 10007 for strangers and for live rooms."""
        group = self._store.require(group_id)
        self._store.require_role(group, user, Role.MEMBER)
        if not group.rules.lists_members:
            raise Refused(Code.GROUP_NOT_PERMITTED, "a live room does not list its members")
        start = max(offset, 0)
        page = tuple(group.members.values())[start : start + min(max(limit, 0), limits.MEMBER_PAGE)]
        return MemberPage(tuple(self._store.member_info(group, member) for member in page), len(group.members))

    def get(self, user: str, group_id: str, others: Iterable[str]) -> tuple[MemberInfo, ...]:
        """These members; users who are none are left out. Refused with 10007 for strangers."""
        group = self._store.require(group_id)
        self._store.require_role(group, user, Role.MEMBER)
        found = (group.members.get(other) for other in dict.fromkeys(others))
        return tuple(self._store.member_info(group, member) for member in found if member is not None)

    def online_count(self, group_id: str) -> int:
        """How many members have an instance online."""
        return sum(self._accounts.online(user) for user in self._store.require(group_id).members)

    def set_role(self, user: str, group_id: str, other: str, role: Role) -> None:
        """Make a member an admin, or no longer one. Refused: 10007 not the owner or no such roles here, 10004 else."""
        group = self._store.require(group_id)
        self._store.require_role(group, user, Role.OWNER)
        if not group.rules.has_admins:
            raise Refused(Code.GROUP_NOT_PERMITTED, f"a {group.type} group has no admins")
        member = self._require_listed(group, other)
        if role is Role.OWNER or member.role is Role.OWNER:
            raise Refused(Code.GROUP_BAD_PARAMETER, "the owner is changed by a transfer")
        if member.role is role:
            return
        member.role = role
        made = role is Role.ADMIN
        self._announcer.tell(other, SystemKind.MADE_ADMIN if made else SystemKind.ADMIN_WITHDRAWN, group, user)
        self._announcer.tip(group, TipKind.MADE_ADMIN if made else TipKind.ADMIN_WITHDRAWN, user, (other,))

    def mute(self, user: str, group_id: str, other: str, seconds: int) -> None:
        """Mute a member of a lower role for so many seconds; 0 ends it, 4294967295 is for ever.

        Refused: 10007 not permitted, 10004 no member, oneself, or bad time.
        """
        group = self._store.require(group_id)
        role = self._store.require_role(group, user, group.rules.mutes)
        if not group.rules.mutes or not 0 <= seconds <= limits.MUTED_FOR_EVER:
            raise Refused(Code.GROUP_BAD_PARAMETER, "no such time, or nobody can be muted here")
        self._require_listed(group, other)
        if other == user:
            raise Refused(Code.GROUP_BAD_PARAMETER, "nobody mutes themselves")
        self._require_below(group, other, role)
        if seconds == 0:
            group.mutes.pop(other, None)
        else:
            for_ever = seconds == limits.MUTED_FOR_EVER
            group.mutes[other] = limits.MUTED_FOR_EVER if for_ever else self._core.seconds() + seconds
        self._announcer.tip(group, TipKind.MEMBER_CHANGED, user, (other,), mutes=((other, seconds),))

    def set_name_card(self, user: str, group_id: str, other: str, name_card: str) -> None:
        """Set one's own name card, or that of a member of a lower role. At most 50 bytes (10004)."""
        member = self._editable(user, group_id, other)
        if limits.size(name_card) > limits.NAME_CARD_SIZE:
            raise Refused(Code.GROUP_BAD_PARAMETER, f"a name card holds at most {limits.NAME_CARD_SIZE} bytes")
        member.name_card = name_card

    def set_custom(self, user: str, group_id: str, other: str, changes: Mapping[str, str]) -> None:
        """Set custom fields (5 of 64 bytes at most, 10004) of oneself or a member of a lower role; empty deletes."""
        member = self._editable(user, group_id, other)
        merged = {key: value for key, value in {**member.custom, **changes}.items() if value}
        too_long = any(limits.size(value) > limits.MEMBER_CUSTOM_VALUE_SIZE for value in merged.values())
        if too_long or len(merged) > limits.MEMBER_CUSTOM_FIELDS:
            raise Refused(Code.GROUP_BAD_PARAMETER, "a member has at most 5 custom fields of 64 bytes")
        member.custom = merged

    def set_remind(self, user: str, group_id: str, remind: RemindType) -> None:
        """Choose how the group's messages reach oneself. Refused with 10007 for strangers and live rooms."""
        self._editable(user, group_id, user).remind = remind

    def _admission(self, group: Group, other: str) -> AddResult:
        if other in group.members:
            return AddResult.ALREADY_IN
        if other not in self._accounts or not self._store.has_room(group):
            return AddResult.FAILED
        return AddResult.ADDED if self._store.may_join_more(other) else AddResult.TOO_MANY_GROUPS

    def _editable(self, user: str, group_id: str, other: str) -> Member:
        group = self._store.require(group_id)
        role = self._store.require_role(group, user, Role.MEMBER)
        if not group.rules.lists_members:
            raise Refused(Code.GROUP_NOT_PERMITTED, "members of a live room have no such settings")
        member = self._require_listed(group, other)
        if other != user:
            self._require_below(group, other, role)
        return member

    def _require_listed(self, group: Group, other: str) -> Member:
        member = group.members.get(other)
        if member is None:
            raise Refused(Code.GROUP_BAD_PARAMETER, f"{other!r} is not a member of this group")
        return member

    def _require_below(self, group: Group, other: str, role: Role) -> None:
        if group.members[other].role >= role and role is not Role.OWNER:
            raise Refused(Code.GROUP_NOT_PERMITTED, f"{other!r} has a role not below yours")


def _check_batch(named: tuple[str, ...]) -> None:
    if len(named) > limits.MEMBERS_AT_ONCE:
        raise Refused(Code.GROUP_TOO_MANY_ACCOUNTS, f"at most {limits.MEMBERS_AT_ONCE} users at a time")
