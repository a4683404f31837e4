"""The conversation list: whom and which groups a user has to do with, pinned first, then the most recent.

It holds 100 conversations; the oldest fall off. Group entries are computed when asked for, so that a message to a large
group costs nothing here. Live rooms are not listed.
"""

from __future__ import annotations

from dataclasses import dataclass

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.chats import Activity, Chats
from timbot.sandbox.domain.core import Core
from timbot.sandbox.domain.group_messages import GroupMessages
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.group_state import Group, GroupStore
from timbot.sandbox.domain.messages import C2CMessage, Conversation, ConversationKind, GroupMessage
from timbot.sandbox.domain.notices import ConversationDeleted, ConversationPinned, ConversationUnpinned
from timbot.sandbox.domain.refusals import Code, Refused


@dataclass(frozen=True, slots=True)
class Contact:
    """An entry. `last` is the newest visible message, `time` that of the last activity (Unix seconds).

    C2C: `peer_read_time` is up to when the peer has read. Group: `read_sequence` is up to where the user has;
    `read_sequence + unread` is the newest sequence.
    """

    conversation: Conversation
    last: C2CMessage | GroupMessage | None
    time: int
    pinned: bool
    unread: int
    peer_read_time: int = 0
    read_sequence: int = 0


@dataclass(frozen=True, slots=True)
class ContactPage:
    """A page of the list. `next_start` asks for the next one; `complete`: this is the last."""

    contacts: tuple[Contact, ...]
    next_start: int
    complete: bool


class Contacts:
    """The conversation lists of all users."""

    __slots__ = ("_chats", "_core", "_messages", "_pinned", "_store")

    def __init__(self, core: Core, chats: Chats, store: GroupStore, messages: GroupMessages) -> None:
        self._core = core
        self._chats = chats
        self._store = store
        self._messages = messages
        self._pinned: dict[str, dict[Conversation, Activity]] = {}

    def page(self, user: str, start: int = 0, count: int = limits.CONTACTS) -> ContactPage:
        """Entries from place `start` on: pinned ones by the time of pinning, then the others, newest first."""
        places = self._places(user)
        start, count = max(start, 0), max(count, 1)
        part = places[start : start + count]
        end = start + len(part)
        contacts = tuple(self._contact(user, conversation, activity) for conversation, activity in part)
        return ContactPage(contacts, end, complete=end >= len(places))

    def get(self, user: str, conversation: Conversation) -> Contact | None:
        """One entry, if it is in the list."""
        for other, activity in self._places(user):
            if other == conversation:
                return self._contact(user, conversation, activity)
        return None

    def pin(self, user: str, conversation: Conversation, *, instance: int | None = None) -> None:
        """Pin a conversation. Refused: 51012 over 50 pinned, 50002 no such group of the user."""
        self._check(user, conversation)
        pinned = self._pinned.setdefault(user, {})
        if conversation in pinned:
            return
        if len(pinned) >= limits.PINNED:
            raise Refused(Code.CONTACTS_TOO_MANY_PINNED, f"at most {limits.PINNED} conversations can be pinned")
        pinned[conversation] = Activity(self._core.seconds(), self._core.ordinal())
        self._core.deliver(user, ConversationPinned(conversation), skip_instance=instance)

    def unpin(self, user: str, conversation: Conversation, *, instance: int | None = None) -> None:
        """Unpin a conversation; harmless if it is not pinned."""
        if self._pinned.get(user, {}).pop(conversation, None) is not None:
            self._core.deliver(user, ConversationUnpinned(conversation), skip_instance=instance)

    def delete(
        self, user: str, conversation: Conversation, *, clear_history: bool = False, instance: int | None = None
    ) -> None:
        """Take a conversation off the list until something happens in it, and on demand delete the user's history."""
        self._pinned.get(user, {}).pop(conversation, None)
        if conversation.kind is ConversationKind.C2C:
            self._chats.forget_recent(user, conversation.id)
            if clear_history:
                self._chats.clear(user, conversation.id)
        else:
            self._check(user, conversation)
            group, member = self._store.require_member(conversation.id, user)
            member.contact_hidden_to = group.log.last_sequence
            if clear_history:
                self._messages.clear(user, conversation.id)
        self._core.deliver(user, ConversationDeleted(conversation), skip_instance=instance)

    def prune(self) -> None:
        """Forget pins of groups their users are no longer in."""
        for user, pinned in tuple(self._pinned.items()):
            alive = {conversation: when for conversation, when in pinned.items() if self._exists(user, conversation)}
            if alive:
                self._pinned[user] = alive
            else:
                del self._pinned[user]

    def _places(self, user: str) -> list[tuple[Conversation, Activity]]:
        pinned = {c: when for c, when in self._pinned.get(user, {}).items() if self._exists(user, c)}
        others = [(Conversation.c2c(peer), last) for peer, last in self._chats.recent(user).items()]
        others += [
            (Conversation.group(group.group_id), activity)
            for group in self._store.of_user(user)
            if (activity := self._group_activity(user, group)) is not None
        ]
        others.sort(key=lambda place: place[1].ordinal, reverse=True)
        active = dict(others)
        first = [(c, active.get(c, when)) for c, when in sorted(pinned.items(), key=_pinned_last, reverse=True)]
        rest = [place for place in others if place[0] not in pinned]
        return (first + rest)[: limits.CONTACTS]

    def _group_activity(self, user: str, group: Group) -> Activity | None:
        member = group.members[user]
        log = group.log
        if group.type is GroupType.AV_CHAT_ROOM or log.last_sequence <= member.contact_hidden_to:
            return None
        if log.last_sequence < member.first_visible:
            return None
        return Activity(log.last_time, log.last_ordinal)

    def _contact(self, user: str, conversation: Conversation, activity: Activity) -> Contact:
        pinned = conversation in self._pinned.get(user, {})
        if conversation.kind is ConversationKind.C2C:
            peer = conversation.id
            return Contact(
                conversation,
                self._chats.last_message(user, peer),
                activity.time,
                pinned,
                self._chats.unread(user, peer).count,
                peer_read_time=self._chats.peer_read_time(user, peer),
            )
        group, member = self._store.require_member(conversation.id, user)
        unread = self._messages.unread(user, conversation.id)
        return Contact(
            conversation,
            self._messages.last_message(user, conversation.id),
            activity.time,
            pinned,
            unread,
            read_sequence=member.read_sequence if group.rules.counts_unread else group.log.last_sequence,
        )

    def _check(self, user: str, conversation: Conversation) -> None:
        if not self._exists(user, conversation):
            raise Refused(Code.CONTACT_BAD_PARAMETER, "no such conversation")

    def _exists(self, user: str, conversation: Conversation) -> bool:
        if conversation.kind is ConversationKind.C2C:
            return True
        group = self._store.find(conversation.id)
        return group is not None and user in group.members


def _pinned_last(pin: tuple[Conversation, Activity]) -> int:
    return pin[1].ordinal
