"""Groups and members as the server keeps them, and the questions every group room asks first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from timbot.sandbox.domain.core import Core
from timbot.sandbox.domain.group_log import GroupLog
from timbot.sandbox.domain.group_rules import RULES, GroupType, RemindType, Role, Rules
from timbot.sandbox.domain.messages import JoinOption
from timbot.sandbox.domain.refusals import Code, Refused


@dataclass(slots=True)
class Member:
    """A member's own state. `first_visible`: the oldest sequence of the history the member may see."""

    user_id: str
    role: Role
    joined: int
    joined_ordinal: int
    first_visible: int
    read_sequence: int
    name_card: str = ""
    remind: RemindType = RemindType.ACCEPT_AND_NOTIFY
    custom: dict[str, str] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    contact_hidden_to: int = 0
    """The conversation was deleted from the contact list when this was the newest sequence."""


@dataclass(slots=True)
class Group:
    """A group. `created` is also its incarnation: a later group under the same ID has a greater one."""

    group_id: str
    type: GroupType
    created: int
    owner: str
    max_members: int
    join_option: JoinOption
    log: GroupLog
    name: str = ""
    introduction: str = ""
    notification: str = ""
    face_url: str = ""
    mute_all: bool = False
    custom: dict[str, str] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    mutes: dict[str, int] = field(default_factory=dict)
    """Who is muted until when; it outlives leaving and joining again."""
    info_sequence: int = 1
    last_info_time: int = 0

    @property
    def rules(self) -> Rules:
        """What this type of group allows."""
        return RULES[self.type]

    def muted_until(self, user: str, now: int) -> int:
        """Until when `user` is muted, Unix seconds; 0 if not (any more)."""
        until = self.mutes.get(user, 0)
        return until if until > now else 0

    def touch_info(self, now: int) -> None:
        """Note that the profile changed."""
        self.info_sequence += 1
        self.last_info_time = now


@dataclass(frozen=True, slots=True)
class MemberInfo:
    """A member as others see it. `muted_until`: Unix seconds, 0 if not muted."""

    user_id: str
    role: Role
    joined: int
    name_card: str
    muted_until: int
    remind: RemindType
    custom: Mapping[str, str]
    read_sequence: int


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """A group as the asker sees it; `me` is `None` for a stranger. `incarnation` tells groups of one ID apart."""

    group_id: str
    type: GroupType
    name: str
    introduction: str
    notification: str
    face_url: str
    owner: str
    created: int
    info_sequence: int
    last_info_time: int
    last_message_time: int
    next_sequence: int
    member_count: int
    max_members: int
    join_option: JoinOption
    mute_all: bool
    custom: Mapping[str, str]
    me: MemberInfo | None

    @property
    def incarnation(self) -> int:
        """The creation time."""
        return self.created


class GroupStore:
    """All groups, by ID and by member."""

    __slots__ = ("_by_user", "_core", "_groups", "_last_incarnation")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._groups: dict[str, Group] = {}
        self._by_user: dict[str, dict[str, None]] = {}
        self._last_incarnation: dict[str, int] = {}

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups.values())

    def find(self, group_id: str) -> Group | None:
        """The living group with this ID."""
        return self._groups.get(group_id)

    def require(self, group_id: str) -> Group:
        """The group; refused with 10010 if there is none (any more)."""
        group = self._groups.get(group_id)
        if group is None:
            raise Refused(Code.GROUP_ABSENT, f"no such group, or it was dismissed: {group_id!r}")
        return group

    def require_member(self, group_id: str, user: str) -> tuple[Group, Member]:
        """The group and its member `user`; refused with 10010 or 10007."""
        group = self.require(group_id)
        member = group.members.get(user)
        if member is None:
            raise Refused(Code.GROUP_NOT_PERMITTED, "you are not a member of this group")
        return group, member

    def standing(self, group: Group, user: str) -> Role | None:
        """What `user` may act as: an app administrator always as the owner, a stranger as nothing."""
        if user in self._core.settings.admins:
            return Role.OWNER
        member = group.members.get(user)
        return None if member is None else member.role

    def require_role(self, group: Group, user: str, lowest: Role | None) -> Role:
        """The standing of `user`; refused with 10007 if it is below `lowest`, or nobody may."""
        role = self.standing(group, user)
        allowed = lowest if user not in self._core.settings.admins else Role.MEMBER
        if role is None or allowed is None or role < allowed:
            raise Refused(Code.GROUP_NOT_PERMITTED, f"your role in this {group.type} group does not permit that")
        return role

    def incarnation(self, group_id: str) -> int:
        """A creation time for a new group: now, but later than that of any earlier group with this ID."""
        return max(self._core.seconds(), self._last_incarnation.get(group_id, 0) + 1)

    def add(self, group: Group) -> None:
        """Take in a new group."""
        self._groups[group.group_id] = group

    def dismiss(self, group: Group) -> None:
        """Take a group out, its members included."""
        for user in tuple(group.members):
            self.remove_member(group, user)
        del self._groups[group.group_id]
        self._last_incarnation[group.group_id] = group.created

    def add_member(self, group: Group, user: str, role: Role = Role.MEMBER) -> Member:
        """Put `user` into the group; what is in the stream so far counts as read."""
        last = group.log.last_sequence
        member = Member(
            user_id=user,
            role=role,
            joined=self._core.seconds(),
            joined_ordinal=self._core.ordinal(),
            first_visible=1 if group.rules.history_before_joining else last + 1,
            read_sequence=last,
        )
        group.members[user] = member
        self._by_user.setdefault(user, {})[group.group_id] = None
        return member

    def remove_member(self, group: Group, user: str) -> None:
        """Take `user` out of the group."""
        del group.members[user]
        self._by_user[user].pop(group.group_id, None)

    def has_room(self, group: Group, newcomers: int = 1) -> bool:
        """Whether so many more fit in. A live room has no limit."""
        return group.type is GroupType.AV_CHAT_ROOM or len(group.members) + newcomers <= group.max_members

    def may_join_more(self, user: str) -> bool:
        """Whether `user` is in fewer groups than the plan allows."""
        return len(self._by_user.get(user, ())) < self._core.settings.groups_per_user

    def of_user(self, user: str) -> tuple[Group, ...]:
        """The groups of `user`, in order of joining."""
        return tuple(self._groups[group_id] for group_id in self._by_user.get(user, ()))

    def member_info(self, group: Group, member: Member) -> MemberInfo:
        """A snapshot of a member."""
        return MemberInfo(
            user_id=member.user_id,
            role=member.role,
            joined=member.joined,
            name_card=member.name_card,
            muted_until=group.muted_until(member.user_id, self._core.seconds()),
            remind=member.remind,
            custom=dict(member.custom),
            read_sequence=member.read_sequence,
        )

    def info(self, group: Group, asker: str) -> GroupInfo:
        """A snapshot of a group, as `asker` sees it."""
        me = group.members.get(asker)
        return GroupInfo(
            group_id=group.group_id,
            type=group.type,
            name=group.name,
            introduction=group.introduction,
            notification=group.notification,
            face_url=group.face_url,
            owner=group.owner,
            created=group.created,
            info_sequence=group.info_sequence,
            last_info_time=group.last_info_time,
            last_message_time=group.log.last_message_time,
            next_sequence=group.log.next_sequence,
            member_count=len(group.members),
            max_members=group.max_members,
            join_option=group.join_option,
            mute_all=group.mute_all,
            custom=dict(group.custom),
            me=None if me is None else self.member_info(group, me),
        )

    def prune(self) -> None:
        """Forget old records, ended mutes, and dismissed IDs nobody can remember any more."""
        now, horizon = self._core.seconds(), self._core.horizon()
        for group in self._groups.values():
            group.log.prune(horizon, now)
            group.mutes = {user: until for user, until in group.mutes.items() if until > now}
            for member in group.members.values():
                member.deleted = {sequence for sequence in member.deleted if sequence >= group.log.first_kept}
        self._last_incarnation = {key: time for key, time in self._last_incarnation.items() if time >= horizon}
