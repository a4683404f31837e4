"""The domain of a local TIM server: accounts, chats, groups, friends, profiles and conversation lists.

It knows nothing of the wire: a front maps commands to the methods here and notices to pushes. It does no I/O and has no
clock and no chance of its own, so that the same calls at the same times give the same world.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from timbot.sandbox.domain.accounts import Accounts
from timbot.sandbox.domain.blacklist import Blacklist
from timbot.sandbox.domain.chats import Chats
from timbot.sandbox.domain.contacts import Contacts
from timbot.sandbox.domain.core import Core, Dedupe, Settings, Unacked
from timbot.sandbox.domain.friend_applications import FriendApplications
from timbot.sandbox.domain.friend_groups import FriendGroups
from timbot.sandbox.domain.friends import Friends
from timbot.sandbox.domain.group_announcer import Announcer
from timbot.sandbox.domain.group_applications import GroupApplications
from timbot.sandbox.domain.group_members import GroupMembers
from timbot.sandbox.domain.group_messages import GroupMessages
from timbot.sandbox.domain.group_state import GroupStore
from timbot.sandbox.domain.groups import Groups
from timbot.sandbox.domain.notices import Delivery, Notice
from timbot.sandbox.domain.profiles import Profiles
from timbot.sandbox.domain.refusals import Code, Refused
from timbot.sandbox.domain.relations import Relations

__all__ = ["Code", "Dedupe", "Delivery", "Domain", "Notice", "Refused", "Settings", "Unacked"]


class Domain:
    """The whole server, as rooms. Every call returns its result and queues notices, which `take_deliveries` hands over.

    `now` gives Unix seconds. `users` exist from the start; others from their first login. A refused call (`Refused`) has
    changed nothing, unless its docstring says otherwise.
    """

    def __init__(
        self,
        now: Callable[[], float],
        chance: random.Random,
        *,
        users: Iterable[str] = (),
        settings: Settings | None = None,
    ) -> None:
        core = Core(now, chance, settings or Settings())
        relations = Relations()
        store = GroupStore(core)
        announcer = Announcer(core)
        self._core = core
        self._store = store
        self._announcer = announcer
        self.settings = core.settings
        self.world_id = f"{chance.getrandbits(64):016x}"
        self.accounts = Accounts(core)
        self.profiles = Profiles(core, self.accounts, relations)
        self.chats = Chats(core, self.accounts, relations)
        self.groups = Groups(core, self.accounts, store, announcer)
        self.group_applications = GroupApplications(core, store, announcer)
        self.group_members = GroupMembers(core, self.accounts, store, announcer, self.group_applications)
        self.group_messages = GroupMessages(core, store)
        self.friend_applications = FriendApplications(core, relations)
        self.friends = Friends(core, self.accounts, relations, self.profiles, self.friend_applications)
        self.friend_groups = FriendGroups(relations)
        self.blacklist = Blacklist(core, self.accounts, relations)
        self.contacts = Contacts(core, self.chats, store, self.group_messages)
        for user in users:
            self.accounts.ensure(user)

    def time(self) -> int:
        """Server time, whole Unix seconds."""
        return self._core.seconds()

    def take_deliveries(self) -> list[Delivery]:
        """The notices queued since the last call, oldest first."""
        return self._core.take_deliveries()

    def prune(self) -> None:
        """Forget what is older than the server keeps (seven days). To be called now and then; it bounds the memory."""
        self.chats.prune()
        self._store.prune()
        self._announcer.prune()
        self.group_applications.prune()
        self.contacts.prune()
