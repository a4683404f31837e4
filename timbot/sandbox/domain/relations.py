"""Who lists whom as a friend and who has black-listed whom.

A store without rules: several rooms read it, the friends' rooms write it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Friendship:
    """One side's entry about a friend. Groups are kept per name in `Relations.friend_groups`."""

    added: int
    source: str = ""
    wording: str = ""
    remark: str = ""
    custom: dict[str, str] = field(default_factory=dict)


class Relations:
    """Friend lists, friend groups and blacklists of all users. A friendship may be one-sided."""

    __slots__ = ("_listed_by", "_lists", "blacklists", "friend_groups")

    def __init__(self) -> None:
        self._lists: dict[str, dict[str, Friendship]] = {}
        self._listed_by: dict[str, dict[str, None]] = {}
        self.blacklists: dict[str, dict[str, int]] = {}
        self.friend_groups: dict[str, dict[str, dict[str, None]]] = {}

    def lists(self, user: str, other: str) -> bool:
        """Whether `other` is in the friend list of `user`."""
        return other in self._lists.get(user, ())

    def has_blacklisted(self, user: str, other: str) -> bool:
        """Whether `other` is on the blacklist of `user`."""
        return other in self.blacklists.get(user, ())

    def friends_of(self, user: str) -> dict[str, Friendship]:
        """The friend list of `user`, in order of adding."""
        return self._lists.get(user, {})

    def listed_by(self, user: str) -> tuple[str, ...]:
        """Who has `user` in the friend list."""
        return tuple(self._listed_by.get(user, ()))

    def link(self, user: str, other: str, entry: Friendship) -> bool:
        """Put `other` into the friend list of `user`; False if it is there already."""
        friends = self._lists.setdefault(user, {})
        if other in friends:
            return False
        friends[other] = entry
        self._listed_by.setdefault(other, {})[user] = None
        return True

    def unlink(self, user: str, other: str) -> bool:
        """Take `other` out of the friend list of `user` and its friend groups; False if it is not there."""
        if self._lists.get(user, {}).pop(other, None) is None:
            return False
        self._listed_by.get(other, {}).pop(user, None)
        for members in self.friend_groups.get(user, {}).values():
            members.pop(other, None)
        return True
