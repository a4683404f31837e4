"""The life of groups: made, looked at, changed, handed over, dismissed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.accounts import Accounts
from timbot.sandbox.domain.core import Core
from timbot.sandbox.domain.group_announcer import Announcer
from timbot.sandbox.domain.group_log import GroupLog
from timbot.sandbox.domain.group_rules import RULES, Entry, GroupType, Role
from timbot.sandbox.domain.group_state import Group, GroupInfo, GroupStore
from timbot.sandbox.domain.messages import GroupChanges, TipKind
from timbot.sandbox.domain.notices import SystemKind
from timbot.sandbox.domain.refusals import Code, Refused

_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TEXT_SIZES = (
    ("name", limits.GROUP_NAME_SIZE),
    ("introduction", limits.GROUP_INTRODUCTION_SIZE),
    ("notification", limits.GROUP_NOTIFICATION_SIZE),
    ("face_url", limits.GROUP_FACE_URL_SIZE),
)


@dataclass(frozen=True, slots=True)
class GroupCreated:
    """A new group, and who was not put into it for being in too many groups already."""

    info: GroupInfo
    over_limit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JoinedPage:
    """Groups of a user. `total` counts all of them."""

    groups: tuple[GroupInfo, ...]
    total: int


class Groups:
    """All groups, apart from who is in them and what is said there."""

    __slots__ = ("_accounts", "_announcer", "_core", "_store")

    def __init__(self, core: Core, accounts: Accounts, store: GroupStore, announcer: Announcer) -> None:
        self._core = core
        self._accounts = accounts
        self._store = store
        self._announcer = announcer

    def create(
        self,
        user: str,
        group_type: GroupType,
        profile: GroupChanges,
        *,
        group_id: str | None = None,
        members: Iterable[str] = (),
        instance: int | None = None,
    ) -> GroupCreated:
        """Make a group owned by `user`, with up to 500 first members.

        Own IDs are printable ASCII, at most 48 bytes, not starting `@TGS#`. Refused: 10004 bad field, 10005 too many
        members at once, 10007 members for a live room, 10019 no such user, 10021 or 10025 ID taken, 10037 `user` in too
        many groups, 10038 more members than fit.
        """
        self._accounts.require(user, Code.GROUP_ACCOUNT_UNKNOWN)
        first = [other for other in dict.fromkeys(members) if other != user]
        if first and group_type is GroupType.AV_CHAT_ROOM:
            raise Refused(Code.GROUP_NOT_PERMITTED, "a live room starts without members")
        if len(first) > limits.MEMBERS_AT_ONCE:
            raise Refused(Code.GROUP_TOO_MANY_ACCOUNTS, f"at most {limits.MEMBERS_AT_ONCE} members at a time")
        for other in first:
            self._accounts.require(other, Code.GROUP_ACCOUNT_UNKNOWN)
        if not self._store.may_join_more(user):
            raise Refused(Code.GROUP_USER_IN_TOO_MANY, "you are in too many groups")
        if not profile.name or profile.owner is not None or profile.mute_all:
            raise Refused(Code.GROUP_BAD_PARAMETER, "a new group needs a name, and neither owner nor muting")
        self._check_id(user, group_id)
        group = self._new_group(group_id or self._new_id(), group_type, user, profile)
        joining = [other for other in first if self._store.may_join_more(other)]
        if not self._store.has_room(group, len(joining) + 1):
            raise Refused(Code.GROUP_TOO_MANY_MEMBERS, f"the group holds at most {group.max_members} members")
        self._store.add(group)
        self._store.add_member(group, user, Role.OWNER)
        self._announcer.tell(user, SystemKind.CREATED, group, user, skip_instance=instance)
        for other in joining:
            self._store.add_member(group, other)
            self._announcer.joined(other, group.group_id)
            self._announcer.tell(other, SystemKind.INVITED, group, user)
        over_limit = tuple(other for other in first if other not in group.members)
        return GroupCreated(self._store.info(group, user), over_limit)

    def info(self, user: str, group_id: str) -> GroupInfo:
        """Everything about a group. Strangers may ask about every type but Work (10007); 10010 if there is none."""
        group = self._store.require(group_id)
        if not group.rules.anybody_reads_info:
            self._store.require_role(group, user, Role.MEMBER)
        return self._store.info(group, user)

    def public_info(self, user: str, group_id: str) -> GroupInfo:
        """What a search shows: the same, without the asker's own state."""
        return replace(self.info(user, group_id), me=None)

    def exists(self, group_id: str) -> bool:
        """Whether there is such a group."""
        return self._store.find(group_id) is not None

    def joined(self, user: str, offset: int = 0, limit: int = 50, *, live_rooms: bool = False) -> JoinedPage:
        """The groups `user` is in, in order of joining; live rooms only if asked for."""
        groups = [g for g in self._store.of_user(user) if live_rooms or g.type is not GroupType.AV_CHAT_ROOM]
        page = groups[max(offset, 0) : max(offset, 0) + max(limit, 0)]
        return JoinedPage(tuple(self._store.info(group, user) for group in page), len(groups))

    def modify(self, user: str, group_id: str, changes: GroupChanges) -> GroupInfo:
        """Change the profile; members learn it by a tip.

        In a Work group every member may change name, introduction, notification, face and custom fields; the rest takes
        the owner. Muting all takes whoever may mute.

        Refused: 10007 not permitted, 10004 bad field (`owner` is changed by `transfer`).
        """
        group = self._store.require(group_id)
        needed = group.rules.edits_profile
        if changes.max_members is not None or changes.join_option is not None:
            needed = max(needed, Role.ADMIN)
        if replace(changes, mute_all=None) != GroupChanges() or changes.mute_all is None:
            self._store.require_role(group, user, needed)
        if changes.mute_all is not None:
            self._store.require_role(group, user, group.rules.mutes)
        if changes.owner is not None:
            raise Refused(Code.GROUP_BAD_PARAMETER, "the owner is changed by a transfer")
        self._check_profile(group.type, changes, len(group.members))
        custom = _merged_custom(group.custom, changes.custom)
        for name in ("name", "introduction", "notification", "face_url", "max_members", "join_option", "mute_all"):
            value = getattr(changes, name)
            if value is not None:
                setattr(group, name, value)
        group.custom = custom
        if changes == GroupChanges():
            return self._store.info(group, user)
        group.touch_info(self._core.seconds())
        self._announcer.tip(group, TipKind.PROFILE_CHANGED, user, changes=changes)
        return self._store.info(group, user)

    def transfer(self, user: str, group_id: str, new_owner: str) -> None:
        """Hand the group over to another member.

        Refused: 10007 not the owner, or a live room; 10004 not a member, or the owner already.
        """
        group = self._store.require(group_id)
        self._store.require_role(group, user, Role.OWNER)
        if group.type is GroupType.AV_CHAT_ROOM:
            raise Refused(Code.GROUP_NOT_PERMITTED, "a live room keeps its owner")
        if new_owner not in group.members or new_owner == group.owner:
            raise Refused(Code.GROUP_BAD_PARAMETER, "the new owner must be another member")
        if group.owner in group.members:
            group.members[group.owner].role = Role.MEMBER
        group.owner = new_owner
        group.members[new_owner].role = Role.OWNER
        group.touch_info(self._core.seconds())
        self._announcer.tip(group, TipKind.PROFILE_CHANGED, user, changes=GroupChanges(owner=new_owner))

    def dismiss(self, user: str, group_id: str, *, instance: int | None = None) -> None:
        """End the group; every member gets a notice. Refused with 10007: only the owner may, in a Work group nobody."""
        group = self._store.require(group_id)
        self._store.require_role(group, user, Role.OWNER if group.rules.owner_dismisses else None)
        members = tuple(group.members)
        self._store.dismiss(group)
        for member in members:
            skip = instance if member == user else None
            self._announcer.tell(member, SystemKind.DISMISSED, group, user, skip_instance=skip)

    def notify(self, user: str, group_id: str, text: str, to: Iterable[str] | None = None) -> None:
        """Send members a custom notice (all of them, or `to`). It reaches online instances only and is not kept."""
        group = self._store.require(group_id)
        self._store.require_role(group, user, Role.OWNER)
        for member in group.members if to is None else [other for other in to if other in group.members]:
            self._announcer.tell(member, SystemKind.CUSTOM, group, user, text=text)

    def _new_group(self, group_id: str, group_type: GroupType, owner: str, profile: GroupChanges) -> Group:
        self._check_profile(group_type, profile, 0)
        rules = RULES[group_type]
        created = self._store.incarnation(group_id)
        return Group(
            group_id=group_id,
            type=group_type,
            created=created,
            owner=owner,
            max_members=profile.max_members or self._core.settings.group_size,
            join_option=profile.join_option or rules.default_option,
            log=GroupLog(keeps=rules.keeps_history),
            name=profile.name or "",
            introduction=profile.introduction or "",
            notification=profile.notification or "",
            face_url=profile.face_url or "",
            custom=_merged_custom({}, profile.custom),
            last_info_time=created,
        )

    def _new_id(self) -> str:
        while True:
            group_id = "@TGS#1" + "".join(self._core.chance.choices(_ID_LETTERS, k=10))
            if self._store.find(group_id) is None:
                return group_id

    def _check_id(self, user: str, group_id: str | None) -> None:
        if group_id is None:
            return
        printable = all(" " <= letter <= "~" for letter in group_id)
        if not group_id or not printable or len(group_id) > limits.GROUP_ID_SIZE or group_id.startswith("@TGS#"):
            raise Refused(Code.GROUP_BAD_PARAMETER, "an own group ID is up to 48 printable ASCII bytes without @TGS#")
        taken = self._store.find(group_id)
        if taken is not None and taken.owner == user:
            raise Refused(Code.GROUP_ID_TAKEN_BY_YOURSELF, "you own a group with this ID already")
        if taken is not None:
            raise Refused(Code.GROUP_ID_TAKEN, "this group ID is taken")

    def _check_profile(self, group_type: GroupType, changes: GroupChanges, member_count: int) -> None:
        for name, most in _TEXT_SIZES:
            value: str | None = getattr(changes, name)
            if value is not None and limits.size(value) > most:
                raise Refused(Code.GROUP_BAD_PARAMETER, f"{name} holds at most {most} bytes")
        if changes.name == "":
            raise Refused(Code.GROUP_BAD_PARAMETER, "a group needs a name")
        if changes.join_option is not None and RULES[group_type].entry is not Entry.BY_OPTION:
            raise Refused(Code.GROUP_BAD_PARAMETER, f"a {group_type} group has no join option")
        size = changes.max_members
        if size is not None and not max(member_count, 1) <= size <= self._core.settings.group_size:
            raise Refused(Code.GROUP_BAD_PARAMETER, f"max_members must lie within 1..{self._core.settings.group_size}")


def _merged_custom(old: dict[str, str], changes: Iterable[tuple[str, str]]) -> dict[str, str]:
    merged = dict(old)
    for key, value in changes:
        if not key or limits.size(key) > limits.GROUP_CUSTOM_KEY_SIZE or limits.size(value) > limits.GROUP_CUSTOM_VALUE_SIZE:
            raise Refused(Code.GROUP_BAD_PARAMETER, "a custom field has a key of 1 to 16 and a value of up to 512 bytes")
        if value:
            merged[key] = value
        else:
            merged.pop(key, None)
    if len(merged) > limits.GROUP_CUSTOM_FIELDS:
        raise Refused(Code.GROUP_BAD_PARAMETER, f"a group has at most {limits.GROUP_CUSTOM_FIELDS} custom fields")
    return merged
