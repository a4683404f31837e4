"""Messages and group tips as the server keeps them.

The content is opaque (`body`); the front measures it (`size`, bytes) and the rules here use only that measure. Times are
whole Unix seconds, as everywhere in this protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Priority(IntEnum):
    """Of a group message; a smaller number is more important."""

    HIGH = 1
    NORMAL = 2
    LOW = 3
    LOWEST = 4


class ConversationKind(StrEnum):
    """A conversation is with one user or with a group."""

    C2C = "c2c"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as one of its parties names it: by the peer's user ID, or by the group's ID."""

    kind: ConversationKind
    id: str

    @classmethod
    def c2c(cls, peer: str) -> Conversation:
        """The conversation with `peer`."""
        return cls(ConversationKind.C2C, peer)

    @classmethod
    def group(cls, group_id: str) -> Conversation:
        """The conversation of a group."""
        return cls(ConversationKind.GROUP, group_id)


@dataclass(frozen=True, slots=True)
class C2CMessage:
    """A message between two users. `sequence`, `random` and `client_time` are the sender's, `time` is the server's.

    `client_time` is 0 if the sender's client did not say.
    """

    sender: str
    receiver: str
    sequence: int
    random: int
    time: int
    body: object
    size: int
    cloud_custom_data: str = ""
    online_only: bool = False
    recalled: bool = False
    client_time: int = 0

    def peer_of(self, user: str) -> str:
        """The other party, seen from `user`; `user` itself in a conversation with oneself."""
        return self.receiver if self.sender == user else self.sender


@dataclass(frozen=True, slots=True)
class GroupMessage:
    """A message in a group. `sequence` is the server's, 1, 2, 3...; 0 for an online-only message, which takes none.

    `client_time` is the sender's, 0 if its client did not say. `recalled_by` and `recalled_at` belong to a recalled one.
    """

    group_id: str
    sender: str
    sequence: int
    random: int
    time: int
    body: object
    size: int
    client_sequence: int = 0
    priority: Priority = Priority.NORMAL
    cloud_custom_data: str = ""
    online_only: bool = False
    mentions: tuple[str, ...] = ()
    mention_all: bool = False
    name_card: str = ""
    recalled: bool = False
    client_time: int = 0
    recalled_by: str = ""
    recalled_at: int = 0


class TipKind(IntEnum):
    """What a group tip tells; the numbers are the documented ones."""

    JOINED = 1
    LEFT = 2
    REMOVED = 3
    MADE_ADMIN = 4
    ADMIN_WITHDRAWN = 5
    PROFILE_CHANGED = 6
    MEMBER_CHANGED = 7


class JoinOption(StrEnum):
    """Whether a stranger may come into a group."""

    FREE = "free"
    NEED_PERMISSION = "need_permission"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class GroupChanges:
    """What changes in a group's profile; `None` leaves a field alone. `custom`: an empty value deletes its key."""

    name: str | None = None
    introduction: str | None = None
    notification: str | None = None
    face_url: str | None = None
    max_members: int | None = None
    join_option: JoinOption | None = None
    mute_all: bool | None = None
    custom: tuple[tuple[str, str], ...] = ()
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class GroupTip:
    """A remark of the server in a group's stream. `sequence` shares the counter of the messages; 0 if it takes none."""

    group_id: str
    kind: TipKind
    operator: str
    users: tuple[str, ...]
    sequence: int
    random: int
    time: int
    member_count: int
    changes: GroupChanges | None = None
    mutes: tuple[tuple[str, int], ...] = ()
    """For `MEMBER_CHANGED`: who is muted and for how many seconds from `time`; 0 ends it."""
