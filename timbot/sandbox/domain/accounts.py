"""Accounts and their logins.

An account exists from its first login, or from being named when the server is made. Whether a login is genuine is decided
elsewhere, before it gets here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.core import Core
from timbot.sandbox.domain.notices import KickedOut
from timbot.sandbox.domain.refusals import Code, Refused

SYSTEM_PREFIX = "@TIM#"
ROBOT_PREFIX = "@RBT#"


@dataclass(frozen=True, slots=True)
class Account:
    """A user. `tiny_id`: its numeric name, a string of digits. `created`: Unix seconds."""

    user_id: str
    tiny_id: str
    created: int


@dataclass(frozen=True, slots=True)
class Instance:
    """One login of a user: one client process."""

    user_id: str
    instance_id: int


class Accounts:
    """Who exists, who is logged in, who is online."""

    __slots__ = ("_accounts", "_core", "_instances", "_next_instance", "_tiny_ids")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._accounts: dict[str, Account] = {}
        self._tiny_ids: dict[str, str] = {}
        self._instances: dict[str, list[int]] = {}
        self._next_instance = 1

    def __contains__(self, user: str) -> bool:
        return user in self._accounts

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def ensure(self, user: str) -> Account:
        """The account of `user`, made if need be. Refused with 70402 if the name is not allowed."""
        account = self._accounts.get(user)
        if account is None:
            _check_name(user)
            account = Account(user, self._new_tiny_id(user), self._core.seconds())
            self._accounts[user] = account
        return account

    def get(self, user: str) -> Account | None:
        """The account of `user`, if there is one."""
        return self._accounts.get(user)

    def by_tiny_id(self, tiny_id: str) -> Account | None:
        """The account with this numeric name, if there is one."""
        user = self._tiny_ids.get(tiny_id)
        return None if user is None else self._accounts[user]

    def require(self, user: str, code: int) -> Account:
        """The account of `user`; refused with `code` if there is none."""
        account = self._accounts.get(user)
        if account is None:
            raise Refused(code, f"no such account: {user!r}")
        return account

    def login(self, user: str) -> Instance:
        """Log a new instance in. Above the limit others lose their login: first those without a socket, then the oldest.

        Refused with 70402 if the name is not allowed.
        """
        self.ensure(user)
        instance = self._next_instance
        self._next_instance += 1
        self._instances.setdefault(user, []).append(instance)
        self._core.online.setdefault(user, []).append(instance)
        self._make_room(user)
        return Instance(user, instance)

    def resume(self, user: str, instance: int) -> Instance:
        """Bring an instance whose socket was lost back online, under its old number.

        Refused with 1002 if it has lost its login in the meantime.
        """
        if instance not in self._instances.get(user, ()):
            raise Refused(Code.KICKED_OUT, "this instance is no longer logged in")
        online = self._core.online.setdefault(user, [])
        if instance not in online:
            online.append(instance)
        return Instance(user, instance)

    def drop(self, user: str, instance: int) -> None:
        """Note that the socket is gone. The instance stays logged in and may `resume`."""
        online = self._core.online.get(user)
        if online and instance in online:
            online.remove(instance)
            if not online:
                del self._core.online[user]

    def logout(self, user: str, instance: int) -> None:
        """End a login. Harmless if it has ended before."""
        self.drop(user, instance)
        logged_in = self._instances.get(user)
        if logged_in and instance in logged_in:
            logged_in.remove(instance)
            if not logged_in:
                del self._instances[user]

    def logged_in(self, user: str, instance: int) -> bool:
        """Whether this login is still good, online or not."""
        return instance in self._instances.get(user, ())

    def online(self, user: str) -> bool:
        """Whether any instance of `user` is online."""
        return user in self._core.online

    def online_instances(self, user: str) -> tuple[int, ...]:
        """The numbers of the online instances, in the order they came online."""
        return tuple(self._core.online.get(user, ()))

    def _make_room(self, user: str) -> None:
        logged_in = self._instances[user]
        online = self._core.online[user]
        while len(logged_in) > self._core.settings.instances:
            leaves = next((i for i in logged_in if i not in online), logged_in[0])
            was_online = leaves in online
            logged_in.remove(leaves)
            if was_online:
                online.remove(leaves)
                self._core.deliver_always(user, KickedOut(leaves))

    def _new_tiny_id(self, user: str) -> str:
        while True:
            tiny_id = f"1441152{self._core.chance.randrange(10**11):011d}"
            if tiny_id not in self._tiny_ids:
                self._tiny_ids[tiny_id] = user
                return tiny_id


def _check_name(user: str) -> None:
    if not user or limits.size(user) > limits.USER_ID_SIZE or not user.isprintable():
        raise Refused(Code.ACCOUNT_BAD_PARAMETER, f"a user ID is 1 to {limits.USER_ID_SIZE} printable bytes")
    if user.startswith(SYSTEM_PREFIX):
        raise Refused(Code.ACCOUNT_BAD_PARAMETER, f"names starting {SYSTEM_PREFIX} are the server's own")
