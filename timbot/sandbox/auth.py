"""Who is asking: decided anew for every request, never once per socket.

Requests may arrive on a new socket before its login, so identity travels in each head: the ticket of a login (`a2`), or a
user ID with its signature. Nothing a body says about its sender is ever looked at.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from timbot.im.wire import usersig
from timbot.im.wire.heads import RequestHead
from timbot.im.wire.value import given
from timbot.sandbox.domain.accounts import Accounts
from timbot.sandbox.domain.refusals import Code, Refused

EXPIRED: Final = usersig.EXPIRED
SIGNATURE_EMPTY: Final = 70002
APP_UNKNOWN: Final = 70020
TOO_MANY_CHECKS: Final = 70050
ACCOUNT_ABSENT: Final = 70169

FAILED_CHECKS: Final = 10
"""Forged or wrong credentials a connection may show; then it waits."""

WAIT_AFTER_FAILURES: Final = 60
"""Seconds in which nothing is checked for a connection that has shown too many."""

TICKET_BYTES: Final = 24
TICKETS_BEFORE_SWEEP: Final = 1024


@dataclass(slots=True)
class Ticket:
    """What an `a2` stands for. `expires_at` (Unix seconds) is that of the signature it was given for."""

    a2: str
    user: str
    tiny_id: str
    instance: int
    sdk_app_id: int
    expires_at: int
    logged_out: bool = False


@dataclass(slots=True)
class Strikes:
    """The failed checks of one connection."""

    count: int = 0
    blocked_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. Without a `ticket` a signature said so; `instance` is 0 if no login of the user is meant."""

    user: str
    instance: int
    expires_at: int
    ticket: Ticket | None = None


class Gate:
    """Checks heads and gives tickets."""

    def __init__(self, accounts: Accounts, sdk_app_id: int, secret_key: str, now: Callable[[], float]) -> None:
        self._accounts = accounts
        self._sdk_app_id = sdk_app_id
        self._secret_key = secret_key
        self._now = now
        self._tickets: dict[str, Ticket] = {}
        self._sweep_at = TICKETS_BEFORE_SWEEP

    def issue(self, user: str, tiny_id: str, instance: int, expires_at: int) -> Ticket:
        """A new ticket for a login."""
        if len(self._tickets) >= self._sweep_at:
            self._sweep()
        a2 = secrets.token_urlsafe(TICKET_BYTES)
        ticket = Ticket(a2, user, tiny_id, instance, self._sdk_app_id, expires_at)
        self._tickets[a2] = ticket
        return ticket

    def identify(self, head: RequestHead, strikes: Strikes, *, leaving: bool = False) -> Identity:
        """Who sent this head. `leaving`: for a logout, which is granted to every ticket that was ever good.

        Refused: 70020 another app, 70050 too many failed checks, 70001 ticket unknown or expired, 1002 its login was
        ended by another, 70002, 70003, 70009, 70013, 70014, 70001 something is wrong with the signature.
        """
        if self._now() < strikes.blocked_until:
            raise Refused(TOO_MANY_CHECKS, f"too many failed checks on this connection; wait {WAIT_AFTER_FAILURES} s")
        if given(head.sdkappid, 0) != self._sdk_app_id:
            raise Refused(APP_UNKNOWN, f"no such app here: {given(head.sdkappid, 0)}")
        a2 = given(head.a2, "")
        return self._by_ticket(a2, head, strikes, leaving) if a2 else self._by_signature(head, strikes)

    def _by_ticket(self, a2: str, head: RequestHead, strikes: Strikes, leaving: bool) -> Identity:
        ticket = self._tickets.get(a2)
        if ticket is None:
            self._strike(strikes)
            raise Refused(EXPIRED, "no such ticket: log in")
        if given(head.tinyid, ticket.tiny_id) != ticket.tiny_id:
            self._strike(strikes)
            raise Refused(EXPIRED, "this ticket belongs to somebody else")
        if given(head.status_instid, 0) not in (0, ticket.instance):
            self._strike(strikes)
            raise Refused(EXPIRED, "this ticket belongs to another instance")
        if not leaving:
            self._check_state(ticket)
        return Identity(ticket.user, ticket.instance, ticket.expires_at, ticket)

    def _check_state(self, ticket: Ticket) -> None:
        if ticket.logged_out:
            raise Refused(EXPIRED, "this login was ended by a logout")
        if not self._accounts.logged_in(ticket.user, ticket.instance):
            raise Refused(Code.KICKED_OUT, "another login of this account has ended this one")
        if ticket.expires_at <= self._now():
            raise Refused(EXPIRED, "the ticket has expired with its signature")

    def _by_signature(self, head: RequestHead, strikes: Strikes) -> Identity:
        user, signature = given(head.identifier, ""), given(head.usersig, "")
        if not user or not signature:
            raise Refused(SIGNATURE_EMPTY, "neither a ticket nor a user ID with its signature")
        now = int(self._now())
        code = usersig.check(signature, sdk_app_id=self._sdk_app_id, secret_key=self._secret_key, user_id=user, now=now)
        if code:
            if code != EXPIRED:
                self._strike(strikes)
            raise Refused(code, _WRONG[code])
        instance = given(head.status_instid, 0)
        known = self._accounts.logged_in(user, instance)
        return Identity(user, instance if known else 0, usersig.read(signature).expires_at)

    def _strike(self, strikes: Strikes) -> None:
        strikes.count += 1
        if strikes.count >= FAILED_CHECKS:
            strikes.count = 0
            strikes.blocked_until = self._now() + WAIT_AFTER_FAILURES

    def _sweep(self) -> None:
        """Forget tickets that can never be good again, so that a thousand logins a day leave nothing behind."""
        now = self._now()
        self._tickets = {
            a2: ticket
            for a2, ticket in self._tickets.items()
            if ticket.expires_at > now and self._accounts.logged_in(ticket.user, ticket.instance)
        }
        self._sweep_at = max(TICKETS_BEFORE_SWEEP, 2 * len(self._tickets))


_WRONG: Final[dict[int, str]] = {
    usersig.EXPIRED: "the signature has expired",
    usersig.MALFORMED: "this is no signature",
    usersig.WRONG_KEY: "the signature was made with another key",
    usersig.WRONG_USER: "the signature is another user's",
    usersig.WRONG_APP: "the signature is for another app",
}
