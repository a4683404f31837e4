"""Friends: adding, removing, looking up and filing them.

The notices of adding and removing also go to the calling instance: clients learn these changes from the push, not from
the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.accounts import Accounts
from timbot.sandbox.domain.core import Core
from timbot.sandbox.domain.friend_applications import FriendApplication, FriendApplications
from timbot.sandbox.domain.notices import FriendsRemoved
from timbot.sandbox.domain.profiles import AllowType, Profiles
from timbot.sandbox.domain.refusals import Code, Refused
from timbot.sandbox.domain.relations import Friendship, Relations


class AddOutcome(StrEnum):
    """What became of an attempt to add a friend. `WAITING` is the documented code 30539."""

    FRIENDS = "friends"
    WAITING = "waiting"


class Relation(StrEnum):
    """Who lists whom, seen from the asker A towards B."""

    NONE = "none"
    A_WITH_B = "a_with_b"
    B_WITH_A = "b_with_a"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Friend:
    """An entry of a friend list. `added`: Unix seconds."""

    user_id: str
    added: int
    source: str
    wording: str
    remark: str
    groups: tuple[str, ...]
    custom: Mapping[str, str]


class Friends:
    """The friend lists of all users."""

    __slots__ = ("_accounts", "_applications", "_core", "_profiles", "_relations")

    def __init__(
        self,
        core: Core,
        accounts: Accounts,
        relations: Relations,
        profiles: Profiles,
        applications: FriendApplications,
    ) -> None:
        self._core = core
        self._accounts = accounts
        self._relations = relations
        self._profiles = profiles
        self._applications = applications

    def add(
        self,
        user: str,
        target: str,
        *,
        mutual: bool = True,
        wording: str = "",
        source: str = "",
        remark: str = "",
        friend_group: str = "",
    ) -> AddOutcome:
        """Add a friend, or apply for it where the target wants to be asked. An existing friendship is a success.

        Refused: 30001 oneself or a text too long, 30003 no such account, 30009 the user may not add, 30010 or 30014 a
        list is full, 30012 too many applications wait, 30515 or 30525 a blacklist, 30516 the target accepts nobody.
        """
        profile = self._check_adding(user, target, wording, remark)
        if self._relations.lists(user, target) and (not mutual or self._relations.lists(target, user)):
            return AddOutcome.FRIENDS
        if profile is AllowType.DENY_ANY:
            raise Refused(Code.FRIEND_ACCEPTS_NOBODY, "the other user accepts nobody")
        self._require_space(user, target, Code.FRIENDS_FULL)
        if mutual:
            self._require_space(target, user, Code.PEERS_FRIENDS_FULL)
        application = FriendApplication(user, target, wording, source, self._core.seconds(), remark, friend_group)
        if profile is AllowType.NEED_CONFIRM:
            self._applications.submit(application)
            return AddOutcome.WAITING
        self._applications.befriend(application, mutual=mutual)
        return AddOutcome.FRIENDS

    def delete(self, user: str, others: Iterable[str], *, both: bool) -> tuple[tuple[str, int], ...]:
        """Remove friends from one's own list, and oneself from theirs with `both`.

        Returns (user, code) for each: 0, or 31704 if not in the own list.
        """
        results: list[tuple[str, int]] = []
        removed: list[str] = []
        for other in dict.fromkeys(others):
            if not self._relations.unlink(user, other):
                results.append((other, int(Code.NOT_FRIENDS)))
                continue
            removed.append(other)
            results.append((other, 0))
            if both and self._relations.unlink(other, user):
                self._core.deliver(other, FriendsRemoved((user,)))
        if removed:
            self._core.deliver(user, FriendsRemoved(tuple(removed)))
        return tuple(results)

    def listed(self, user: str) -> tuple[Friend, ...]:
        """All friends of `user`, in order of adding."""
        return tuple(self._friend(user, other, entry) for other, entry in self._relations.friends_of(user).items())

    def get(self, user: str, other: str) -> Friend | None:
        """The entry of `other` in the user's list."""
        entry = self._relations.friends_of(user).get(other)
        return None if entry is None else self._friend(user, other, entry)

    def check(self, user: str, other: str, *, both: bool = True) -> Relation:
        """Who lists whom; without `both` only the user's own list is looked at."""
        ours = self._relations.lists(user, other)
        theirs = both and self._relations.lists(other, user)
        if ours and theirs:
            return Relation.BOTH
        if ours:
            return Relation.A_WITH_B
        return Relation.B_WITH_A if theirs else Relation.NONE

    def update(
        self,
        user: str,
        other: str,
        *,
        remark: str | None = None,
        groups: Iterable[str] | None = None,
        custom: Mapping[str, str] | None = None,
    ) -> Friend:
        """Change one's entry about a friend. `groups` replaces the friend groups, which come into being if need be.

        Refused: 31704 not a friend, 30001 a text too long, 30011 too many friend groups.
        """
        entry = self._relations.friends_of(user).get(other)
        if entry is None:
            raise Refused(Code.NOT_FRIENDS, f"{other!r} is not in your friend list")
        if remark is not None:
            _check_text(remark, limits.REMARK_SIZE)
        merged = {**entry.custom, **(custom or {})}
        if len(merged) > limits.FRIEND_CUSTOM_FIELDS:
            raise Refused(Code.FRIEND_BAD_PARAMETER, f"at most {limits.FRIEND_CUSTOM_FIELDS} custom fields")
        if groups is not None:
            self._refile(user, other, tuple(dict.fromkeys(groups)))
        if remark is not None:
            entry.remark = remark
        entry.custom = merged
        return self._friend(user, other, entry)

    def _check_adding(self, user: str, target: str, wording: str, remark: str) -> AllowType:
        if user == target:
            raise Refused(Code.FRIEND_BAD_PARAMETER, "nobody can add themselves")
        _check_text(wording, limits.WORDING_SIZE)
        _check_text(remark, limits.REMARK_SIZE)
        me, other = self._profiles.get(user), self._profiles.get(target)
        if me is None or other is None:
            raise Refused(Code.FRIEND_ACCOUNT_UNKNOWN, "no such account")
        if self._relations.has_blacklisted(user, target):
            raise Refused(Code.FRIEND_IN_OWN_BLACKLIST, "the other user is on your blacklist")
        if self._relations.has_blacklisted(target, user):
            raise Refused(Code.FRIEND_BLACKLISTED_BY_PEER, "the other user has black-listed you")
        if not me.may_add:
            raise Refused(Code.FRIEND_ADDING_FORBIDDEN, "you may not add friends")
        return other.allow_type

    def _require_space(self, user: str, other: str, code: int) -> None:
        friends = self._relations.friends_of(user)
        if other not in friends and len(friends) >= limits.FRIENDS:
            raise Refused(code, "the friend list is full")

    def _refile(self, user: str, other: str, names: tuple[str, ...]) -> None:
        for name in names:
            _check_text(name, limits.FRIEND_GROUP_NAME_SIZE)
        groups = self._relations.friend_groups.setdefault(user, {})
        if len({*groups, *names}) > limits.FRIEND_GROUPS:
            raise Refused(Code.FRIEND_GROUPS_FULL, f"at most {limits.FRIEND_GROUPS} friend groups")
        for members in groups.values():
            members.pop(other, None)
        for name in names:
            groups.setdefault(name, {})[other] = None

    def _friend(self, user: str, other: str, entry: Friendship) -> Friend:
        groups = self._relations.friend_groups.get(user, {})
        return Friend(
            user_id=other,
            added=entry.added,
            source=entry.source,
            wording=entry.wording,
            remark=entry.remark,
            groups=tuple(name for name, members in groups.items() if other in members),
            custom=dict(entry.custom),
        )


def _check_text(text: str, most: int) -> None:
    if limits.size(text) > most:
        raise Refused(Code.FRIEND_BAD_PARAMETER, f"this text holds at most {most} bytes")
