"""Applications to join a group, kept until the owner or an admin handles them.

Several may be entitled to. Whoever is second is told so (10024), and everybody entitled finds an application in the list,
handled or not. Those not handled are repeated as notices at the next login.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from timbot.sandbox.domain.core import Core
from timbot.sandbox.domain.group_announcer import Announcer
from timbot.sandbox.domain.group_rules import Role
from timbot.sandbox.domain.group_state import Group, GroupStore
from timbot.sandbox.domain.messages import TipKind
from timbot.sandbox.domain.notices import SystemKind, SystemNotice
from timbot.sandbox.domain.refusals import Code, Refused


@dataclass(frozen=True, slots=True)
class GroupApplication:
    """One application. `number` rises with every application; `key` names it when it is handled.

    `handled_by` is empty while it waits; then `agreed` and `answer` say what the handler decided.
    """

    number: int
    group_id: str
    incarnation: int
    applicant: str
    wording: str
    key: str
    time: int
    handled_by: str = ""
    agreed: bool = False
    answer: str = ""

    @property
    def handled(self) -> bool:
        """Whether it has been decided."""
        return bool(self.handled_by)


@dataclass(frozen=True, slots=True)
class ApplicationPage:
    """Applications, oldest first. `next_start` asks for the next page; 0: this is the last."""

    applications: tuple[GroupApplication, ...]
    next_start: int


class GroupApplications:
    """All applications to all groups."""

    __slots__ = ("_announcer", "_applications", "_core", "_next", "_notices", "_store", "_waiting")

    def __init__(self, core: Core, store: GroupStore, announcer: Announcer) -> None:
        self._core = core
        self._store = store
        self._announcer = announcer
        self._applications: dict[int, GroupApplication] = {}
        self._waiting: dict[tuple[str, str], int] = {}
        self._notices: dict[str, dict[int, SystemNotice]] = {}
        self._next = 1

    def apply(self, user: str, group: Group, wording: str) -> GroupApplication:
        """Take an application in and tell those who may decide. Applying again renews the wording, under the same key."""
        waiting = self._find_waiting(group, user)
        if waiting is None:
            key = f"{self._core.chance.getrandbits(64):016x}"
            application = GroupApplication(self._next, group.group_id, group.created, user, wording, key, self._core.seconds())
            self._next += 1
        else:
            application = replace(waiting, wording=wording, time=self._core.seconds())
        self._applications[application.number] = application
        self._waiting[group.group_id, user] = application.number
        for handler in self._handlers(group):
            notice = self._announcer.tell(handler, SystemKind.JOIN_APPLICATION, group, user, text=wording, key=application.key)
            self._notices.setdefault(handler, {})[application.number] = notice
        return application

    def handle(
        self, handler: str, group_id: str, applicant: str, key: str, *, agree: bool, message: str = ""
    ) -> GroupApplication:
        """Decide an application.

        Refused: 10007 neither owner nor admin, 10024 handled before, 10004 no such application, 10013 the applicant has
        come in another way (the application is settled by that), 10014 full and 10037 in too many groups (it goes on
        waiting).
        """
        group = self._store.require(group_id)
        self._store.require_role(group, handler, Role.ADMIN)
        application = self._find_waiting(group, applicant)
        if application is None or application.key != key:
            self._refuse_absent(group, applicant, key)
            raise Refused(Code.GROUP_BAD_PARAMETER, "no such application")
        settled = replace(application, handled_by=handler, agreed=agree, answer=message)
        if applicant in group.members:
            self._settle(settled)
            raise Refused(Code.GROUP_ALREADY_MEMBER, "the applicant is a member already")
        if agree and not self._store.has_room(group):
            raise Refused(Code.GROUP_FULL, "the group is full")
        if agree and not self._store.may_join_more(applicant):
            raise Refused(Code.GROUP_USER_IN_TOO_MANY, "the applicant is in too many groups")
        self._settle(settled)
        if agree:
            self._store.add_member(group, applicant)
            self._announcer.joined(applicant, group_id)
        self._announcer.tell(applicant, SystemKind.ACCEPTED if agree else SystemKind.REFUSED, group, handler, text=message)
        if agree:
            self._announcer.tip(group, TipKind.JOINED, handler, (applicant,))
        return settled

    def pending(self, handler: str, start: int = 0, limit: int = 10) -> ApplicationPage:
        """What `handler` may decide or could have decided, `handled` saying which, from number `start` on."""
        found = [
            application
            for number, application in self._applications.items()
            if number >= start and self._may_decide(handler, application)
        ]
        page = tuple(found[: max(limit, 1)])
        return ApplicationPage(page, found[len(page)].number if len(found) > len(page) else 0)

    def notices_for(self, user: str) -> tuple[SystemNotice, ...]:
        """What to repeat at a login, oldest first: applications nobody has handled, and what happened while away.

        Notices stay in this list until they are handled, deleted, overtaken by events, or seven days old.
        """
        waiting = [
            notice
            for number, notice in self._notices.get(user, {}).items()
            if (application := self._applications.get(number)) is not None
            and not application.handled
            and self._may_decide(user, application)
        ]
        return tuple(sorted((*waiting, *self._announcer.kept(user)), key=lambda notice: notice.sequence))

    def delete_notice(self, user: str, sequence: int, random: int) -> bool:
        """Stop repeating a notice, named by its two numbers; False if there is none. An application stays decidable."""
        notices = self._notices.get(user, {})
        for number, notice in notices.items():
            if (notice.sequence, notice.random) == (sequence, random):
                del notices[number]
                return True
        return self._announcer.forget(user, sequence, random)

    def prune(self) -> None:
        """Forget applications that were handled, or lost their group, longer ago than the server keeps."""
        horizon = self._core.horizon()
        for number, application in tuple(self._applications.items()):
            if application.time < horizon and (application.handled or self._group_of(application) is None):
                del self._applications[number]
                waiting = (application.group_id, application.applicant)
                if self._waiting.get(waiting) == number:
                    del self._waiting[waiting]
        for user, notices in tuple(self._notices.items()):
            alive = {number: notice for number, notice in notices.items() if number in self._applications}
            if alive:
                self._notices[user] = alive
            else:
                del self._notices[user]

    def _find_waiting(self, group: Group, applicant: str) -> GroupApplication | None:
        application = self._applications.get(self._waiting.get((group.group_id, applicant), 0))
        if application is None or application.incarnation != group.created:
            return None
        return application

    def _refuse_absent(self, group: Group, applicant: str, key: str) -> None:
        wanted = (group.group_id, group.created, applicant, key)
        for application in self._applications.values():
            if (application.group_id, application.incarnation, application.applicant, application.key) == wanted:
                raise Refused(Code.GROUP_APPLICATION_HANDLED, "this application has been handled before")

    def _settle(self, settled: GroupApplication) -> None:
        self._applications[settled.number] = settled
        self._waiting.pop((settled.group_id, settled.applicant), None)
        for notices in self._notices.values():
            notices.pop(settled.number, None)

    def _handlers(self, group: Group) -> tuple[str, ...]:
        return tuple(user for user, member in group.members.items() if member.role >= Role.ADMIN)

    def _group_of(self, application: GroupApplication) -> Group | None:
        group = self._store.find(application.group_id)
        return group if group is not None and group.created == application.incarnation else None

    def _may_decide(self, user: str, application: GroupApplication) -> bool:
        group = self._group_of(application)
        member = None if group is None else group.members.get(user)
        return member is not None and member.role >= Role.ADMIN
