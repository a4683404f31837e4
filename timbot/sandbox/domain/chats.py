"""C2C: sending, history, recall, receipts and the offline queue.

De-duplication is the documented one and no better: same sender, receiver and random within one second of server time. A
repeated send a second later is a new message; a client that cares has to look into the history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.accounts import Accounts
from timbot.sandbox.domain.core import Core
from timbot.sandbox.domain.inbox import Inbox
from timbot.sandbox.domain.messages import C2CMessage
from timbot.sandbox.domain.notices import C2CArrived, C2CReadByPeer, C2CReadElsewhere, C2CRevoked
from timbot.sandbox.domain.refusals import Code, Refused
from timbot.sandbox.domain.relations import Relations
from timbot.sandbox.domain.thread import Stored, Thread


@dataclass(frozen=True, slots=True)
class C2CSent:
    """The outcome of a send. `duplicate`: nothing was delivered again, `message` is the first one."""

    message: C2CMessage
    duplicate: bool = False

    @property
    def time(self) -> int:
        """Server time of the message, Unix seconds."""
        return self.message.time


@dataclass(frozen=True, slots=True)
class C2CPage:
    """A page of history, oldest first. `key` asks for the page before it; `complete`: there is none."""

    messages: tuple[C2CMessage, ...]
    key: int
    complete: bool


@dataclass(frozen=True, slots=True)
class UnreadCount:
    """Unread messages from `peer`; `last_time` is the newest one's, Unix seconds."""

    peer: str
    count: int
    last_time: int


@dataclass(frozen=True, slots=True)
class PendingPage:
    """A page of the offline queue, in order of arrival. `cursor` asks for what comes after it; `complete`: nothing yet.

    `remaining`, on a first page only: per peer the unread messages that the queue will not list. `unread`: per peer all of
    them, whatever the pages list.
    """

    messages: tuple[C2CMessage, ...]
    cursor: int
    complete: bool
    remaining: tuple[UnreadCount, ...] = ()
    unread: tuple[UnreadCount, ...] = ()


@dataclass(frozen=True, slots=True)
class Activity:
    """When something last happened in a conversation."""

    time: int
    ordinal: int


class Chats:
    """All C2C conversations."""

    __slots__ = ("_accounts", "_core", "_inboxes", "_recent", "_relations", "_second", "_seen", "_threads")

    def __init__(self, core: Core, accounts: Accounts, relations: Relations) -> None:
        self._core = core
        self._accounts = accounts
        self._relations = relations
        self._threads: dict[tuple[str, str], Thread] = {}
        self._inboxes: dict[str, Inbox] = {}
        self._recent: dict[str, dict[str, Activity]] = {}
        self._second = 0
        self._seen: dict[tuple[str, str, int], C2CMessage] = {}

    @property
    def conversation_count(self) -> int:
        """How many conversations are kept, for those who watch the memory."""
        return len(self._threads)

    def send(
        self,
        sender: str,
        receiver: str,
        body: object,
        *,
        size: int,
        sequence: int,
        random: int,
        instance: int | None = None,
        cloud_custom_data: str = "",
        online_only: bool = False,
        client_time: int = 0,
    ) -> C2CSent:
        """Send a message from `sender`'s `instance`; its other instances get a copy. `size`: bytes, at most 12 KB.

        Refused: 20003 unknown party, 93000 too long, 20007 black-listed by the receiver, 20009 to 20011 not friends.
        """
        self._check_sending(sender, receiver, size)
        time = self._core.seconds()
        key = (sender, receiver, random)
        if time != self._second:
            self._second, self._seen = time, {}
        first = self._seen.get(key)
        if first is not None:
            return C2CSent(first, duplicate=True)
        message = C2CMessage(
            sender, receiver, sequence, random, time, body, size, cloud_custom_data, online_only, client_time=client_time
        )
        if self._core.settings.dedupe == "documented":
            self._seen[key] = message
        position = 0
        if not online_only:
            position = self._keep(message)
        self._core.deliver(sender, C2CArrived(message, own_copy=True), skip_instance=instance)
        if receiver != sender:
            self._core.deliver(receiver, C2CArrived(message, position=position))
        return C2CSent(message)

    def recall(self, user: str, peer: str, *, sequence: int, random: int, time: int, instance: int | None = None) -> C2CMessage:
        """Recall one's own message, named as it was sent, `time` being the server's.

        Refused: 20022 no such message of `user`, 20023 recalled before, 20016 older than two minutes.
        """
        thread = self._threads.get(_pair(user, peer))
        stored = None if thread is None else thread.find(sequence, random, time)
        if thread is None or stored is None or stored.message.sender != user:
            raise Refused(Code.C2C_MESSAGE_ABSENT, "no such message of yours in this conversation")
        if stored.message.recalled:
            raise Refused(Code.C2C_ALREADY_RECALLED, "this message has been recalled before")
        if self._core.seconds() - stored.message.time > limits.RECALL_WINDOW:
            raise Refused(Code.C2C_RECALL_TOO_LATE, f"a message can be recalled within {limits.RECALL_WINDOW} seconds")
        message = thread.recall(stored)
        if peer != user:
            self._inbox(peer).remove(message)
            self._core.deliver(peer, C2CRevoked(message))
        self._core.deliver(user, C2CRevoked(message), skip_instance=instance)
        return message

    def delete(self, user: str, peer: str, keys: Iterable[tuple[int, int, int]]) -> int:
        """Delete messages, named by (sequence, random, time), for `user` alone; unknown ones are passed over.

        Returns how many were there. Refused: 20001 if more than 30 are named.
        """
        named = tuple(keys)
        if len(named) > limits.DELETE_AT_ONCE:
            raise Refused(Code.C2C_BAD_REQUEST, f"at most {limits.DELETE_AT_ONCE} messages at a time")
        thread = self._threads.get(_pair(user, peer))
        deleted = 0
        if thread is None:
            return 0
        for sequence, random, time in named:
            stored = thread.find(sequence, random, time)
            if stored is not None and user not in stored.hidden_for:
                self._hide(user, stored)
                deleted += 1
        return deleted

    def clear(self, user: str, peer: str) -> None:
        """Delete the whole history with `peer` for `user` alone."""
        thread = self._threads.get(_pair(user, peer))
        for stored in tuple(thread.newest_first(user, 0)) if thread is not None else ():
            self._hide(user, stored)

    def read(self, user: str, peer: str, time: int, *, instance: int | None = None) -> bool:
        """Report what `peer` sent up to `time` (Unix seconds, at most now) as read; False if that is no news."""
        thread = self._threads.get(_pair(user, peer))
        time = min(time, self._core.seconds())
        if thread is None or time <= thread.read_times.get(user, 0):
            return False
        thread.read_times[user] = time
        if peer != user:
            self._core.deliver(peer, C2CReadByPeer(user, time))
        self._core.deliver(user, C2CReadElsewhere(peer, time), skip_instance=instance)
        return True

    def peer_read_time(self, user: str, peer: str) -> int:
        """Up to when `peer` has read what `user` sent, Unix seconds; 0 if unknown."""
        thread = self._threads.get(_pair(user, peer))
        return 0 if thread is None else thread.read_times.get(peer, 0)

    def unread(self, user: str, peer: str) -> UnreadCount:
        """How many messages from `peer` the user has not read."""
        thread = self._threads.get(_pair(user, peer))
        count = last_time = 0
        if thread is not None and peer != user:
            read_time = thread.read_times.get(user, 0)
            for stored in thread.newest_first(user, max(self._core.horizon(), read_time + 1)):
                if stored.message.sender == peer and not stored.message.recalled:
                    count += 1
                    last_time = max(last_time, stored.message.time)
        return UnreadCount(peer, count, last_time)

    def history(self, user: str, peer: str, count: int, *, key: int | None = None, until: int | None = None) -> C2CPage:
        """The newest `count` messages below `key` (of the page before) and not after `until` (Unix seconds).

        Each page is oldest first. Recalled messages are flagged; those the user deleted are absent, and those that are late
        (`Settings.history_late`) as well.
        """
        thread = self._threads.get(_pair(user, peer))
        if thread is None or count < 1:
            return C2CPage((), key or 0, complete=thread is None)
        found: list[Stored] = []
        hidden = thread.lag.first_hidden(self._core.moment())
        below = min((number for number in (key, hidden) if number is not None), default=None)
        for stored in thread.newest_first(user, self._core.horizon(), below, until):
            if len(found) == count:
                return C2CPage(_messages(found), found[-1].number, complete=False)
            found.append(stored)
        return C2CPage(_messages(found), found[-1].number if found else key or 0, complete=True)

    def last_message(self, user: str, peer: str) -> C2CMessage | None:
        """The newest message the user can see in the conversation with `peer`."""
        thread = self._threads.get(_pair(user, peer))
        if thread is None:
            return None
        newest = next(thread.newest_first(user, self._core.horizon()), None)
        return None if newest is None else newest.message

    def recent(self, user: str) -> dict[str, Activity]:
        """The up to 100 peers the user wrote with last, oldest first."""
        return self._recent.get(user, {})

    def forget_recent(self, user: str, peer: str) -> bool:
        """Take `peer` out of the recent ones until the next message; False if it is not among them."""
        return self._recent.get(user, {}).pop(peer, None) is not None

    def pending(self, user: str, instance: int, after: int | None, limit: int = 100) -> PendingPage:
        """Messages that have not reached this instance, in order of arrival.

        `after` is the cursor of the page before. `None` begins anew, as a client does that remembers nothing: it gets what
        no instance of the account has received and the user has not read. Handing a cursor in acknowledges what lies
        before it. Up to `limit` messages a page.
        """
        inbox = self._inbox(user)
        inbox.prune(self._core.horizon())
        if after is None:
            inbox.begin(instance, self._read_test(user))
        else:
            inbox.covered(instance, after)
        waiting = list(inbox.waiting(instance))
        listed = waiting[:limit]
        complete = len(listed) == len(waiting)
        unread = tuple(count for peer in self._recent.get(user, {}) if (count := self.unread(user, peer)).count)
        return PendingPage(
            messages=tuple(entry.message for entry in listed),
            cursor=inbox.head if complete else listed[-1].position,
            complete=complete,
            remaining=_remaining(unread, [entry.message for entry in waiting]) if after is None else (),
            unread=unread,
        )

    def acknowledged(self, user: str, instance: int, position: int) -> None:
        """The instance has the message pushed with this position (`C2CArrived.position`)."""
        self._inbox(user).acknowledged(instance, position)

    def prune(self) -> None:
        """Forget what is older than the server keeps."""
        horizon = self._core.horizon()
        for thread in self._threads.values():
            thread.prune(horizon)
        self._threads = {pair: thread for pair, thread in self._threads.items() if len(thread)}
        for inbox in self._inboxes.values():
            inbox.prune(horizon)
        for user, peers in self._recent.items():
            self._recent[user] = {peer: last for peer, last in peers.items() if last.time >= horizon}

    def _check_sending(self, sender: str, receiver: str, size: int) -> None:
        for user in (sender, receiver):
            self._accounts.require(user, Code.C2C_ACCOUNT_UNKNOWN)
        if size > limits.MESSAGE_SIZE:
            raise Refused(Code.C2C_MESSAGE_TOO_LONG, f"a message holds at most {limits.MESSAGE_SIZE} bytes")
        if self._relations.has_blacklisted(receiver, sender):
            raise Refused(Code.C2C_BLACKLISTED, "the receiver has black-listed you")
        if not self._core.settings.friends_only or sender == receiver:
            return
        ours, theirs = self._relations.lists(sender, receiver), self._relations.lists(receiver, sender)
        if not ours and not theirs:
            raise Refused(Code.C2C_NOT_MUTUAL_FRIENDS, "you and the receiver are not friends")
        if not theirs:
            raise Refused(Code.C2C_NOT_RECEIVERS_FRIEND, "you are not in the receiver's friend list")
        if not ours:
            raise Refused(Code.C2C_NOT_SENDERS_FRIEND, "the receiver is not in your friend list")

    def _keep(self, message: C2CMessage) -> int:
        sender, receiver = message.sender, message.receiver
        thread = self._threads.setdefault(_pair(sender, receiver), Thread())
        number = thread.add(message)
        if self._core.settings.history_late:
            thread.lag.add(number, self._core.shown_at())
        activity = Activity(message.time, self._core.ordinal())
        for user in {sender: None, receiver: None}:
            peers = self._recent.setdefault(user, {})
            peers.pop(message.peer_of(user), None)
            peers[message.peer_of(user)] = activity
            if len(peers) > limits.CONTACTS:
                del peers[next(iter(peers))]
        if sender == receiver:
            return 0
        pushed = self._accounts.online_instances(receiver) if self._core.settings.unacked == "forget" else ()
        return self._inbox(receiver).add(message, pushed)

    def _hide(self, user: str, stored: Stored) -> None:
        stored.hidden_for = (*stored.hidden_for, user)
        if stored.message.receiver == user:
            self._inbox(user).remove(stored.message)

    def _inbox(self, user: str) -> Inbox:
        inbox = self._inboxes.get(user)
        if inbox is None:
            inbox = self._inboxes[user] = Inbox()
        return inbox

    def _read_test(self, user: str) -> Callable[[C2CMessage], bool]:
        def is_read(message: C2CMessage) -> bool:
            thread = self._threads.get(_pair(user, message.sender))
            return thread is not None and message.time <= thread.read_times.get(user, 0)

        return is_read


def _remaining(unread: tuple[UnreadCount, ...], listed: list[C2CMessage]) -> tuple[UnreadCount, ...]:
    counts = Counter(message.sender for message in listed)
    left = [UnreadCount(each.peer, each.count - counts[each.peer], each.last_time) for each in unread]
    return tuple(each for each in left if each.count > 0)


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)


def _messages(newest_first: list[Stored]) -> tuple[C2CMessage, ...]:
    return tuple(stored.message for stored in reversed(newest_first))
