"""What is said in groups: sending, history, recall, reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.core import Core
from timbot.sandbox.domain.group_log import GroupSent
from timbot.sandbox.domain.group_rules import GroupType, RemindType, Role
from timbot.sandbox.domain.group_state import Group, GroupStore, Member
from timbot.sandbox.domain.messages import GroupMessage, GroupTip, Priority
from timbot.sandbox.domain.notices import GroupArrived, GroupReadElsewhere, GroupRevoked, Mentioned
from timbot.sandbox.domain.refusals import Code, Refused


class RecordState(StrEnum):
    """How an item of a history looks to the one who asks."""

    NORMAL = "normal"
    PLACEHOLDER = "placeholder"
    RECALLED = "recalled"


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """An item of a group's history. `content` is `None` for a placeholder: deleted by the asker."""

    sequence: int
    state: RecordState
    content: GroupMessage | GroupTip | None


@dataclass(frozen=True, slots=True)
class GroupPage:
    """A page of history, newest first. `complete`: there is nothing older for this member."""

    records: tuple[GroupRecord, ...]
    complete: bool


class GroupMessages:
    """The streams of all groups."""

    __slots__ = ("_core", "_next_mark", "_store")

    def __init__(self, core: Core, store: GroupStore) -> None:
        self._core = core
        self._store = store
        self._next_mark = 1

    def send(
        self,
        user: str,
        group_id: str,
        body: object,
        *,
        size: int,
        random: int,
        client_sequence: int = 0,
        instance: int | None = None,
        priority: Priority = Priority.NORMAL,
        cloud_custom_data: str = "",
        online_only: bool = False,
        mentions: Iterable[str] = (),
        mention_all: bool = False,
        client_time: int = 0,
    ) -> GroupSent:
        """Send a message; `size` in bytes, at most 12 KB. In a live room `online_only` is ignored.

        The same sender's same `random` within five minutes gives the earlier outcome again. Above 40 messages a second
        the outcome may be *dropped*; that one is not remembered, so repeating it later is a fresh try.
        Refused: 10007 not a member, 10017 muted, 80002 too long, 10053 over 30 mentions, 10004 mentioning all in a live
        room.
        """
        group = self._store.require(group_id)
        member = group.members.get(user)
        self._store.require_role(group, user, Role.MEMBER)
        named = tuple(dict.fromkeys(mentions))
        self._check_content(group, size, named, mention_all)
        time = self._core.seconds()
        deduping = self._core.settings.dedupe == "documented"
        earlier = group.log.earlier(user, random, time) if deduping else None
        if earlier is not None:
            return earlier
        self._check_voice(group, user, time)
        if not group.log.admit(priority, time):
            return GroupSent(time, None, None, dropped=True)
        online_only = online_only and group.type is not GroupType.AV_CHAT_ROOM
        message = GroupMessage(
            group_id=group_id,
            sender=user,
            sequence=0 if online_only else group.log.next_sequence,
            random=random,
            time=time,
            body=body,
            size=size,
            client_sequence=client_sequence,
            priority=priority,
            cloud_custom_data=cloud_custom_data,
            online_only=online_only,
            mentions=named,
            mention_all=mention_all,
            name_card="" if member is None else member.name_card,
            client_time=client_time,
        )
        sent = GroupSent(time, message.sequence, message)
        if deduping:
            group.log.remember(user, random, sent)
        if not online_only:
            self._keep(group, member, message)
        self._spread(group, message, instance)
        return sent

    def history(self, user: str, group_id: str, newest: int | None, count: int) -> GroupPage:
        """Up to `count` records from sequence `newest` (`None`: the newest) downwards.

        Tips are among them, recalled messages are flagged, what the user deleted is a placeholder, and what is late
        (`Settings.history_late`) is absent. Refused: 10007 not a member, 10044 a live room.
        """
        group, member = self._store.require_member(group_id, user)
        if not group.rules.keeps_history:
            raise Refused(Code.GROUP_TYPE_WITHOUT_HISTORY, "a live room has no history")
        horizon = self._core.horizon()
        records: list[GroupRecord] = []
        newest = group.log.last_sequence if newest is None else newest
        hidden = group.log.lag.first_hidden(self._core.moment())
        for content in group.log.newest_first(newest if hidden is None else min(newest, hidden - 1)):
            if content.sequence < member.first_visible or content.time < horizon:
                break
            if len(records) == count:
                return GroupPage(tuple(records), complete=False)
            records.append(_record(content, member))
        return GroupPage(tuple(records), complete=True)

    def recall(
        self, user: str, group_id: str, sequences: Iterable[int], *, instance: int | None = None
    ) -> tuple[tuple[int, int], ...]:
        """Recall messages: one's own within two minutes; the owner and admins any, at any time.

        Returns (sequence, code) for each, code 0 for success, else 10007 another's, 10030 no such message, 10031 too
        late, 10032 cannot be recalled (a tip, or recalled before). Refused: 10007 not a member, 10033 a live room.
        """
        group = self._store.require(group_id)
        role = self._store.require_role(group, user, Role.MEMBER)
        if not group.rules.keeps_history:
            raise Refused(Code.GROUP_TYPE_WITHOUT_RECALL, "in a live room nothing can be recalled")
        results: list[tuple[int, int]] = []
        recalled: list[GroupMessage] = []
        for sequence in dict.fromkeys(sequences):
            content = group.log.get(sequence)
            code = self._recall_code(content, user, role)
            results.append((sequence, code))
            if code == 0 and isinstance(content, GroupMessage):
                recalled.append(group.log.recall(content, user, self._core.seconds()))
        if recalled:
            notice = GroupRevoked(group_id, user, tuple(recalled))
            for member in group.members:
                self._core.deliver(member, notice, instance if member == user else None)
        return tuple(results)

    def recalled_since(self, user: str, group_id: str, time: int) -> tuple[GroupMessage, ...]:
        """What was recalled at `time` (Unix seconds) or later, of what the user can see. Refused: 10007 not a member."""
        group, member = self._store.require_member(group_id, user)
        return tuple(
            message
            for message in group.log.recalled_since(time)
            if message.sequence >= member.first_visible and message.sequence not in member.deleted
        )

    def delete(self, user: str, group_id: str, sequences: Iterable[int]) -> int:
        """Delete up to 30 messages for `user` alone; returns how many were there.

        Refused: 10004 too many, 10007 not a member, 10035 a live room.
        """
        group, member = self._store.require_member(group_id, user)
        if not group.rules.keeps_history:
            raise Refused(Code.LIVE_ROOM_WITHOUT_DELETION, "in a live room nothing can be deleted")
        named = set(sequences)
        if len(named) > limits.DELETE_AT_ONCE:
            raise Refused(Code.GROUP_BAD_PARAMETER, f"at most {limits.DELETE_AT_ONCE} messages at a time")
        visible = {sequence for sequence in named if sequence >= member.first_visible and group.log.get(sequence)}
        fresh = visible - member.deleted
        member.deleted |= fresh
        return len(fresh)

    def clear(self, user: str, group_id: str) -> None:
        """Delete the whole history for `user` alone."""
        group, member = self._store.require_member(group_id, user)
        member.first_visible = group.log.next_sequence
        member.deleted.clear()

    def read(self, user: str, group_id: str, sequence: int, *, instance: int | None = None) -> bool:
        """Report everything up to `sequence` as read; False if that is no news. Refused with 10007 for strangers."""
        group, member = self._store.require_member(group_id, user)
        sequence = min(sequence, group.log.last_sequence)
        if sequence <= member.read_sequence:
            return False
        member.read_sequence = sequence
        self._core.deliver(user, GroupReadElsewhere(group_id, sequence), instance)
        return True

    def unread(self, user: str, group_id: str) -> int:
        """How many sequence numbers lie after the last one read; 0 in types that do not count.

        Clients compute the newest sequence as the last read plus this, so tips count. A member's own message is read if
        everything before it was.
        """
        group, member = self._store.require_member(group_id, user)
        return group.log.last_sequence - member.read_sequence if group.rules.counts_unread else 0

    def last_message(self, user: str, group_id: str) -> GroupMessage | None:
        """The newest message, tips apart, that the member can see in the history."""
        group, member = self._store.require_member(group_id, user)
        horizon = self._core.horizon()
        for content in group.log.newest_first(group.log.last_message_sequence):
            if content.sequence < member.first_visible or content.time < horizon:
                return None
            if isinstance(content, GroupMessage) and content.sequence not in member.deleted:
                return content
        return None

    def _check_content(self, group: Group, size: int, mentions: tuple[str, ...], mention_all: bool) -> None:
        if size > limits.MESSAGE_SIZE:
            raise Refused(Code.GROUP_MESSAGE_TOO_LONG, f"a message holds at most {limits.MESSAGE_SIZE} bytes")
        if len(mentions) > limits.MENTIONS:
            raise Refused(Code.GROUP_TOO_MANY_MENTIONS, f"a message mentions at most {limits.MENTIONS} users")
        if mention_all and not group.rules.mention_all:
            raise Refused(Code.GROUP_BAD_PARAMETER, "a live room has no mention of all")

    def _check_voice(self, group: Group, user: str, now: int) -> None:
        role = self._store.standing(group, user)
        if group.mute_all and (role is None or role < Role.ADMIN):
            raise Refused(Code.GROUP_MUTED, "all members of this group are muted")
        if group.muted_until(user, now):
            raise Refused(Code.GROUP_MUTED, "you are muted in this group")

    def _keep(self, group: Group, sender: Member | None, message: GroupMessage) -> None:
        group.log.append(message, self._core.ordinal())
        if self._core.settings.history_late and group.rules.keeps_history:
            group.log.lag.add(message.sequence, self._core.shown_at())
        if sender is not None and sender.read_sequence == message.sequence - 1:
            sender.read_sequence = message.sequence

    def _spread(self, group: Group, message: GroupMessage, instance: int | None) -> None:
        arrived = GroupArrived(message, group.name)
        for user, member in group.members.items():
            if member.remind is RemindType.DISCARD and user != message.sender:
                continue
            self._core.deliver(user, arrived, instance if user == message.sender else None)
        mentioned = group.members if message.mention_all else [m for m in message.mentions if m in group.members]
        for user in mentioned:
            if user != message.sender:
                self._mark(group, message, user)

    def _mark(self, group: Group, message: GroupMessage, user: str) -> None:
        notice = Mentioned(
            group_id=group.group_id,
            group_name=group.name,
            sender=message.sender,
            message_sequence=message.sequence,
            me=user in message.mentions,
            everybody=message.mention_all,
            sequence=self._next_mark,
            random=self._core.random32(),
            time=message.time,
        )
        self._next_mark += 1
        self._core.deliver(user, notice)

    def _recall_code(self, content: GroupMessage | GroupTip | None, user: str, role: Role) -> int:
        if content is None or content.time < self._core.horizon():
            return Code.GROUP_MESSAGE_ABSENT
        if isinstance(content, GroupTip) or content.recalled:
            return Code.GROUP_MESSAGE_NOT_RECALLABLE
        if role >= Role.ADMIN:
            return 0
        if content.sender != user:
            return Code.GROUP_NOT_PERMITTED
        late = self._core.seconds() - content.time > limits.RECALL_WINDOW
        return Code.GROUP_RECALL_TOO_LATE if late else 0


def _record(content: GroupMessage | GroupTip, member: Member) -> GroupRecord:
    if content.sequence in member.deleted:
        return GroupRecord(content.sequence, RecordState.PLACEHOLDER, None)
    recalled = isinstance(content, GroupMessage) and content.recalled
    return GroupRecord(content.sequence, RecordState.RECALLED if recalled else RecordState.NORMAL, content)
