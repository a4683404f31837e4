"""Which connection carries which login. Two things end separately: a socket, and the login it carried."""

from __future__ import annotations

from typing import Final

from timbot.sandbox.domain.accounts import Accounts
from timbot.sandbox.line import Line

REPLACED: Final = 1000


class Presence:
    """The connections of all logins."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._lines: dict[tuple[str, int], Line] = {}

    def bind(self, line: Line, user: str, instance: int) -> None:
        """This login is reached over `line` now. A different connection that carried it before is closed."""
        old = self._lines.get((user, instance))
        if old is not None and old is not line:
            old.owner = None
            old.end(REPLACED, "this login has come back on another connection")
        if line.owner is not None and line.owner != (user, instance):
            self.lost(line)
        line.owner = (user, instance)
        self._lines[user, instance] = line

    def release(self, user: str, instance: int) -> None:
        """The login has ended; its connection stays open."""
        line = self._lines.pop((user, instance), None)
        if line is not None:
            line.owner = None

    def lost(self, line: Line) -> None:
        """The connection is gone; the login it carried may come back on another."""
        if line.owner is not None:
            user, instance = line.owner
            line.owner = None
            del self._lines[user, instance]
            self._accounts.drop(user, instance)

    def line_of(self, user: str, instance: int) -> Line | None:
        """The connection of this login, if it has one."""
        return self._lines.get((user, instance))
