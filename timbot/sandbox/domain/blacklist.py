"""The blacklist: whom a user does not want to hear from. Adding somebody ends the friendship both ways."""

from __future__ import annotations

from collections.abc import Iterable

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.accounts import Accounts
from timbot.sandbox.domain.core import Core
from timbot.sandbox.domain.notices import BlacklistAdded, BlacklistRemoved, FriendsRemoved
from timbot.sandbox.domain.refusals import Code
from timbot.sandbox.domain.relations import Relations


class Blacklist:
    """The blacklists of all users, at most 1000 entries each."""

    __slots__ = ("_accounts", "_core", "_relations")

    def __init__(self, core: Core, accounts: Accounts, relations: Relations) -> None:
        self._core = core
        self._accounts = accounts
        self._relations = relations

    def listed(self, user: str) -> tuple[tuple[str, int], ...]:
        """(user, Unix seconds of adding), oldest first."""
        return tuple(self._relations.blacklists.get(user, {}).items())

    def add(self, user: str, others: Iterable[str]) -> tuple[tuple[str, int], ...]:
        """Black-list users. Returns (user, code): 0, 30001 oneself, 30003 no such account, 31307 the list is full.

        The calling instance is told too: clients learn this change from the push.
        """
        listed = self._relations.blacklists.setdefault(user, {})
        results: list[tuple[str, int]] = []
        added: list[str] = []
        ended: list[str] = []
        for other in dict.fromkeys(others):
            code = self._code(user, other, listed)
            results.append((other, code))
            if code or other in listed:
                continue
            listed[other] = self._core.seconds()
            added.append(other)
            if self._relations.unlink(user, other):
                ended.append(other)
            if self._relations.unlink(other, user):
                self._core.deliver(other, FriendsRemoved((user,)))
        if ended:
            self._core.deliver(user, FriendsRemoved(tuple(ended)))
        if added:
            self._core.deliver(user, BlacklistAdded(tuple(added)))
        return tuple(results)

    def delete(self, user: str, others: Iterable[str], *, instance: int | None = None) -> tuple[tuple[str, int], ...]:
        """Take users off; (user, 0) for each, on the list or not. The user's other instances are told."""
        listed = self._relations.blacklists.get(user, {})
        named = tuple(dict.fromkeys(others))
        removed = tuple(other for other in named if listed.pop(other, None) is not None)
        if removed:
            self._core.deliver(user, BlacklistRemoved(removed), skip_instance=instance)
        return tuple((other, 0) for other in named)

    def _code(self, user: str, other: str, listed: dict[str, int]) -> int:
        if other == user:
            return int(Code.FRIEND_BAD_PARAMETER)
        if other not in self._accounts:
            return int(Code.FRIEND_ACCOUNT_UNKNOWN)
        if other not in listed and len(listed) >= limits.BLACKLIST:
            return int(Code.BLACKLIST_FULL)
        return 0
