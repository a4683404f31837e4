"""A domain with a clock one can turn, and short ways to say what tests say often."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from timbot.sandbox.domain import Domain, Notice, Refused, Settings
from timbot.sandbox.domain.accounts import Instance
from timbot.sandbox.domain.chats import C2CSent
from timbot.sandbox.domain.group_log import GroupSent
from timbot.sandbox.domain.group_rules import GroupType, Role
from timbot.sandbox.domain.messages import GroupChanges, Priority

START = 1_700_000_000
WORK, PUBLIC, MEETING, LIVE = GroupType.WORK, GroupType.PUBLIC, GroupType.MEETING, GroupType.AV_CHAT_ROOM
EVERY_TYPE = [WORK, PUBLIC, MEETING, LIVE]
USERS = ("alice", "bob", "carol", "dave")


class Site:
    def __init__(self, settings: Settings | None = None, users: tuple[str, ...] = USERS) -> None:
        self.now = float(START)
        self.domain = Domain(lambda: self.now, random.Random(7), users=users, settings=settings)
        self._random = 0

    def online(self, *users: str) -> tuple[Instance, ...]:
        instances = tuple(self.domain.accounts.login(user) for user in users)
        self.domain.take_deliveries()
        return instances

    def heard(self) -> list[tuple[str, Notice]]:
        return [(delivery.to, delivery.notice) for delivery in self.domain.take_deliveries()]

    def heard_by(self, user: str, kind: type[Notice] | None = None) -> list[Notice]:
        return [n for to, n in self.heard() if to == user and (kind is None or isinstance(n, kind))]

    def random(self) -> int:
        self._random += 1
        return self._random

    def c2c(
        self,
        sender: str,
        receiver: str,
        body: object = "hi",
        *,
        random: int | None = None,
        instance: int | None = None,
        online_only: bool = False,
        size: int = 10,
    ) -> C2CSent:
        number = self.random() if random is None else random
        return self.domain.chats.send(
            sender,
            receiver,
            body,
            size=size,
            sequence=number,
            random=number,
            instance=instance,
            online_only=online_only,
        )

    def group(self, kind: GroupType = GroupType.PUBLIC, *members: str, owner: str = "alice", name: str = "den") -> str:
        """A group of `owner` with these members, however the type lets them in."""
        group_id = self.domain.groups.create(owner, kind, GroupChanges(name=name)).info.group_id
        for member in members:
            if kind in (GroupType.MEETING, GroupType.AV_CHAT_ROOM):
                self.domain.group_members.join(member, group_id)
            else:
                self.domain.group_members.add("administrator", group_id, [member])
        self.domain.take_deliveries()
        return group_id

    def say(
        self,
        user: str,
        group_id: str,
        body: object = "hi",
        *,
        random: int | None = None,
        instance: int | None = None,
        online_only: bool = False,
        priority: Priority = Priority.NORMAL,
        mentions: tuple[str, ...] = (),
        mention_all: bool = False,
        size: int = 10,
    ) -> GroupSent:
        return self.domain.group_messages.send(
            user,
            group_id,
            body,
            size=size,
            random=self.random() if random is None else random,
            instance=instance,
            online_only=online_only,
            priority=priority,
            mentions=mentions,
            mention_all=mention_all,
        )


def with_admin(kind: GroupType = PUBLIC) -> tuple[Site, str]:
    """Alice owns, bob is an admin, carol a member, dave a stranger."""
    site = Site()
    group = site.group(kind, "bob", "carol")
    site.domain.group_members.set_role("alice", group, "bob", Role.ADMIN)
    site.domain.take_deliveries()
    return site, group


def refused(code: int) -> AbstractContextManager[pytest.ExceptionInfo[Refused]]:
    """The block must be refused with just this code."""
    return pytest.raises(Refused, match=f"^{code}: ")


def ignoring_refusals(call: Callable[[], object]) -> None:
    """For random walks: a refusal is as good an answer as any."""
    try:
        call()
    except Refused:
        return
