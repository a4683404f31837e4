"""Tips into a group's stream and system notices to single users.

Tips go to every member, the one whose call caused them included: they take a sequence number, and a member who missed one
would see a gap. System notices about oneself skip the calling instance, which learns the outcome from its answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.core import Core
from timbot.sandbox.domain.group_state import Group
from timbot.sandbox.domain.messages import GroupChanges, GroupTip, TipKind
from timbot.sandbox.domain.notices import GroupTipped, SystemKind, SystemNotice

_MEMBERSHIP = frozenset({TipKind.JOINED, TipKind.LEFT, TipKind.REMOVED})
_AWAY = frozenset({SystemKind.REMOVED, SystemKind.DISMISSED})
_HERE = frozenset({SystemKind.ACCEPTED, SystemKind.INVITED, SystemKind.MADE_ADMIN, SystemKind.ADMIN_WITHDRAWN})


class Announcer:
    """Makes tips and system notices, and keeps the notices of those who were away."""

    __slots__ = ("_core", "_kept", "_next_notice")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._kept: dict[str, list[SystemNotice]] = {}
        self._next_notice = 1

    def tip(
        self,
        group: Group,
        kind: TipKind,
        operator: str,
        users: Iterable[str] = (),
        *,
        changes: GroupChanges | None = None,
        mutes: tuple[tuple[str, int], ...] = (),
    ) -> None:
        """Put a tip into the stream and tell all members; nothing where the type has no tips of this kind."""
        if kind in _MEMBERSHIP and not group.rules.membership_tips:
            return
        tip = GroupTip(
            group_id=group.group_id,
            kind=kind,
            operator=operator,
            users=tuple(users),
            sequence=group.log.next_sequence,
            random=self._core.random32(),
            time=self._core.seconds(),
            member_count=len(group.members),
            changes=changes,
            mutes=mutes,
        )
        group.log.append(tip, self._core.ordinal())
        for user in group.members:
            self._core.deliver(user, GroupTipped(tip, group.name))

    def tell(
        self,
        user: str,
        kind: SystemKind,
        group: Group,
        operator: str,
        *,
        text: str = "",
        key: str = "",
        skip_instance: int | None = None,
    ) -> SystemNotice:
        """Send `user` a system notice. If no instance is online, it is kept for the next login, save custom ones.

        Applications are kept by their own room, until they are handled.
        """
        notice = SystemNotice(
            kind=kind,
            group_id=group.group_id,
            group_name=group.name,
            operator=operator,
            sequence=self._next_notice,
            random=self._core.random32(),
            time=self._core.seconds(),
            text=text,
            key=key,
        )
        self._next_notice += 1
        self._core.deliver(user, notice, skip_instance)
        if kind not in (SystemKind.JOIN_APPLICATION, SystemKind.CUSTOM, SystemKind.CREATED, SystemKind.QUIT):
            self._supersede(user, notice)
            if user not in self._core.online:
                self._keep(user, notice)
        return notice

    def kept(self, user: str) -> tuple[SystemNotice, ...]:
        """The notices `user` was away for, oldest first."""
        horizon = self._core.horizon()
        return tuple(notice for notice in self._kept.get(user, ()) if notice.time >= horizon)

    def forget(self, user: str, sequence: int, random: int) -> bool:
        """Delete a kept notice; False if there is none."""
        kept = self._kept.get(user, [])
        for index, notice in enumerate(kept):
            if (notice.sequence, notice.random) == (sequence, random):
                del kept[index]
                return True
        return False

    def joined(self, user: str, group_id: str) -> None:
        """`user` came into the group: kept notices of having gone out of it are no longer true."""
        kept = self._kept.get(user)
        if kept:
            self._kept[user] = [notice for notice in kept if notice.group_id != group_id or notice.kind not in _AWAY]

    def prune(self) -> None:
        """Forget notices older than the server keeps."""
        self._kept = {user: list(kept) for user in self._kept if (kept := self.kept(user))}

    def _supersede(self, user: str, notice: SystemNotice) -> None:
        outdated = _HERE if notice.kind in _AWAY else _AWAY if notice.kind in _HERE else frozenset()
        kept = self._kept.get(user)
        if kept and outdated:
            self._kept[user] = [n for n in kept if n.group_id != notice.group_id or n.kind not in outdated]

    def _keep(self, user: str, notice: SystemNotice) -> None:
        kept = self._kept.setdefault(user, [])
        kept.append(notice)
        del kept[: -limits.KEPT_NOTICES]
