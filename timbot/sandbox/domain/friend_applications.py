"""Friend applications: asked, listed on both sides, answered, deleted.

Each side has its own record, as with the vendor: deleting mine leaves yours. What is absent cannot be answered (30614).
"""

from __future__ import annotations

from dataclasses import dataclass

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.core import Core
from timbot.sandbox.domain.notices import ApplicationAdded, ApplicationRemoved, ApplicationsRead, FriendsAdded
from timbot.sandbox.domain.refusals import Code, Refused
from timbot.sandbox.domain.relations import Friendship, Relations


@dataclass(frozen=True, slots=True)
class FriendApplication:
    """An application. `remark` and `friend_group` are what the applicant will file the friend under."""

    applicant: str
    target: str
    wording: str
    source: str
    time: int
    remark: str = ""
    friend_group: str = ""


@dataclass(frozen=True, slots=True)
class ApplicationList:
    """All applications of a user, oldest first. `unread` counts incoming ones after `read_time` (Unix seconds)."""

    incoming: tuple[FriendApplication, ...]
    outgoing: tuple[FriendApplication, ...]
    unread: int
    read_time: int


class FriendApplications:
    """The applications of all users."""

    __slots__ = ("_core", "_incoming", "_outgoing", "_read_times", "_relations")

    def __init__(self, core: Core, relations: Relations) -> None:
        self._core = core
        self._relations = relations
        self._incoming: dict[str, dict[str, FriendApplication]] = {}
        self._outgoing: dict[str, dict[str, FriendApplication]] = {}
        self._read_times: dict[str, int] = {}

    def submit(self, application: FriendApplication) -> None:
        """File an application with both sides, in place of an earlier one. Refused with 30012 if 100 wait already."""
        applicant, target = application.applicant, application.target
        waiting = self._incoming.setdefault(target, {})
        if applicant not in waiting and len(waiting) >= limits.FRIEND_APPLICATIONS:
            raise Refused(Code.APPLICATIONS_FULL, "too many applications wait there already")
        outgoing = self._outgoing.setdefault(applicant, {})
        if target not in outgoing and len(outgoing) >= limits.FRIEND_APPLICATIONS:
            raise Refused(Code.APPLICATIONS_FULL, "too many applications of yours wait already")
        for records, peer in ((waiting, applicant), (outgoing, target)):
            records.pop(peer, None)
            records[peer] = application
        for user, peer, incoming in ((target, applicant, True), (applicant, target, False)):
            notice = ApplicationAdded(peer, incoming, application.wording, application.source, application.time)
            self._core.deliver(user, notice)

    def listed(self, user: str) -> ApplicationList:
        """Both directions, with the unread count."""
        incoming = tuple(self._incoming.get(user, {}).values())
        read_time = self._read_times.get(user, 0)
        unread = sum(application.time > read_time for application in incoming)
        return ApplicationList(incoming, tuple(self._outgoing.get(user, {}).values()), unread, read_time)

    def mark_read(self, user: str, time: int) -> None:
        """Report applications up to `time` (Unix seconds, at most now) as read; all the user's instances learn it."""
        self._read_times[user] = max(self._read_times.get(user, 0), min(time, self._core.seconds()))
        self._core.deliver(user, ApplicationsRead(self._read_times[user]))

    def accept(self, user: str, applicant: str, *, add_back: bool, remark: str = "", friend_group: str = "") -> None:
        """Let `applicant` have `user` as a friend, and with `add_back` the other way round too.

        `remark` and `friend_group` (must exist) are for the user's own entry. Refused: 30614 no such application, 30010
        or 30014 a full friend list, 30001 remark over 96 bytes.
        """
        application = self._require(user, applicant)
        if limits.size(remark) > limits.REMARK_SIZE:
            raise Refused(Code.FRIEND_BAD_PARAMETER, f"a remark holds at most {limits.REMARK_SIZE} bytes")
        if add_back:
            self._require_space(user, applicant, Code.FRIENDS_FULL)
        self._require_space(applicant, user, Code.PEERS_FRIENDS_FULL)
        self.befriend(application, mutual=add_back, remark=remark, friend_group=friend_group)

    def befriend(self, application: FriendApplication, *, mutual: bool, remark: str = "", friend_group: str = "") -> None:
        """Write the friendship an application asked for into the lists and tell whom it concerns."""
        applicant, target, now = application.applicant, application.target, self._core.seconds()
        entries = [
            (
                applicant,
                target,
                Friendship(now, application.source, application.wording, application.remark),
                application.friend_group,
            )
        ]
        if mutual:
            entries.append((target, applicant, Friendship(now, application.source, application.wording, remark), friend_group))
        for user, other, entry, group in entries:
            if self._relations.link(user, other, entry):
                named = self._relations.friend_groups.get(user, {}).get(group)
                if named is not None:
                    named[other] = None
                self._core.deliver(user, FriendsAdded((other,)))
        self._withdraw(applicant, target)
        if mutual:
            self._withdraw(target, applicant)

    def refuse(self, user: str, applicant: str) -> None:
        """Refuse; both sides' records go. Refused with 30614 if there is no such application."""
        self._require(user, applicant)
        self._withdraw(applicant, user)

    def delete(self, user: str, peer: str, *, incoming: bool) -> None:
        """Delete the user's own record of an application. Refused with 30614 if there is none."""
        records = (self._incoming if incoming else self._outgoing).get(user, {})
        if records.pop(peer, None) is None:
            raise Refused(Code.FRIEND_APPLICATION_ABSENT, "no such application")
        self._core.deliver(user, ApplicationRemoved(peer, incoming))

    def _require(self, user: str, applicant: str) -> FriendApplication:
        application = self._incoming.get(user, {}).get(applicant)
        if application is None:
            raise Refused(Code.FRIEND_APPLICATION_ABSENT, "no such application: never made, answered, or deleted")
        return application

    def _require_space(self, user: str, other: str, code: int) -> None:
        friends = self._relations.friends_of(user)
        if other not in friends and len(friends) >= limits.FRIENDS:
            raise Refused(code, "the friend list is full")

    def _withdraw(self, applicant: str, target: str) -> None:
        if self._incoming.get(target, {}).pop(applicant, None) is not None:
            self._core.deliver(target, ApplicationRemoved(applicant, incoming=True))
        if self._outgoing.get(applicant, {}).pop(target, None) is not None:
            self._core.deliver(applicant, ApplicationRemoved(target, incoming=False))
