"""Friend groups: the drawers a user files friends in. Nobody else sees them, so nobody is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.refusals import Code, Refused
from timbot.sandbox.domain.relations import Relations


@dataclass(frozen=True, slots=True)
class FriendGroup:
    """A friend group and the friends in it."""

    name: str
    friends: tuple[str, ...]


class FriendGroups:
    """The friend groups of all users: at most 32 each, names of at most 30 bytes."""

    __slots__ = ("_relations",)

    def __init__(self, relations: Relations) -> None:
        self._relations = relations

    def listed(self, user: str) -> tuple[FriendGroup, ...]:
        """All friend groups, in order of making."""
        groups = self._relations.friend_groups.get(user, {})
        return tuple(FriendGroup(name, tuple(members)) for name, members in groups.items())

    def create(self, user: str, name: str, friends: Iterable[str] = ()) -> tuple[tuple[str, int], ...]:
        """Make a group and put friends in. Returns (user, code): 0, or 32216 not a friend.

        Refused: 30001 bad or known name, 30011 too many groups.
        """
        groups = self._relations.friend_groups.setdefault(user, {})
        self._check_new(groups, name)
        if len(groups) >= limits.FRIEND_GROUPS:
            raise Refused(Code.FRIEND_GROUPS_FULL, f"at most {limits.FRIEND_GROUPS} friend groups")
        groups[name] = {}
        return self.put_in(user, name, friends)

    def delete(self, user: str, name: str) -> None:
        """Remove a group; its friends stay friends. Refused with 30001 if there is none."""
        self._require(user, name)
        del self._relations.friend_groups[user][name]

    def rename(self, user: str, old: str, new: str) -> None:
        """Give a group another name, at the same place. Refused with 30001: no such group, bad or known name."""
        self._require(user, old)
        groups = self._relations.friend_groups[user]
        self._check_new(groups, new)
        self._relations.friend_groups[user] = {new if name == old else name: who for name, who in groups.items()}

    def put_in(self, user: str, name: str, friends: Iterable[str]) -> tuple[tuple[str, int], ...]:
        """File friends in a group. Returns (user, code): 0, or 32216 not a friend. Refused with 30001: no such group."""
        members = self._require(user, name)
        results: list[tuple[str, int]] = []
        for friend in dict.fromkeys(friends):
            known = self._relations.lists(user, friend)
            if known:
                members[friend] = None
            results.append((friend, 0 if known else int(Code.FRIEND_GROUP_NOT_FRIEND)))
        return tuple(results)

    def take_out(self, user: str, name: str, friends: Iterable[str]) -> tuple[tuple[str, int], ...]:
        """Take friends out of a group. Returns (user, code): 0, or 32216 not in it. Refused with 30001: no such group."""
        members = self._require(user, name)
        results: list[tuple[str, int]] = []
        for friend in dict.fromkeys(friends):
            there = friend in members
            members.pop(friend, None)
            results.append((friend, 0 if there else int(Code.FRIEND_GROUP_NOT_FRIEND)))
        return tuple(results)

    def _require(self, user: str, name: str) -> dict[str, None]:
        members = self._relations.friend_groups.get(user, {}).get(name)
        if members is None:
            raise Refused(Code.FRIEND_BAD_PARAMETER, f"no such friend group: {name!r}")
        return members

    def _check_new(self, groups: dict[str, dict[str, None]], name: str) -> None:
        if not name or limits.size(name) > limits.FRIEND_GROUP_NAME_SIZE or name in groups:
            raise Refused(Code.FRIEND_BAD_PARAMETER, "a friend group needs a new name of 1 to 30 bytes")
