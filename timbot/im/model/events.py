"""What can happen, one type each. Every event knows its conversation: events of one conversation are handled in order.

The SDK raises MESSAGE_RECEIVED for messages, tips and system notices alike; here each has its own type.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from timbot.errors import FrameError, KickKind
from timbot.im.model.message import Message
from timbot.im.model.people import FriendApplication


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message from somebody else (MESSAGE_RECEIVED)."""

    message: Message

    @property
    def conversation_id(self) -> str:
        """Where it was said."""
        return self.message.conversation_id


@dataclass(frozen=True, slots=True)
class OwnMessage:
    """A message of this account, written on another instance or found in a look back."""

    message: Message

    @property
    def conversation_id(self) -> str:
        """Where it was said."""
        return self.message.conversation_id


@dataclass(frozen=True, slots=True)
class MessageModified:
    """A message whose content the app's server has changed (MESSAGE_MODIFIED)."""

    message: Message

    @property
    def conversation_id(self) -> str:
        """Where it was said."""
        return self.message.conversation_id


@dataclass(frozen=True, slots=True)
class MessageRevoked:
    """A message was taken back (MESSAGE_REVOKED). In groups `random` may be 0."""

    conversation_id: str
    from_: str
    sequence: int
    random: int


@dataclass(frozen=True, slots=True)
class MessageReadByPeer:
    """`user_id` has read what this account wrote up to `time`, Unix seconds (MESSAGE_READ_BY_PEER)."""

    user_id: str
    time: int

    @property
    def conversation_id(self) -> str:
        """The C2C conversation."""
        return f"C2C{self.user_id}"


@dataclass(frozen=True, slots=True)
class ReadElsewhere:
    """Another instance of this account has read a conversation, up to a time (C2C) or a sequence (group)."""

    conversation_id: str
    up_to: int


class TipType(Enum):
    """What a group tip tells (the SDK's `GRP_TIP_*`)."""

    MEMBER_JOIN = 1
    MEMBER_QUIT = 2
    MEMBER_KICKED_OUT = 3
    MEMBER_SET_ADMIN = 4
    MEMBER_CANCELED_ADMIN = 5
    GROUP_PROFILE_UPDATED = 6
    MEMBER_PROFILE_UPDATED = 7


@dataclass(frozen=True, slots=True)
class GroupTip:
    """Something happened in a group. `user_ids` are whom it concerns; `changes` the new values of a changed profile.

    `sequence` is 0 for tips that are not stored. `mute_seconds` belongs to the user at the same place.
    """

    type: TipType
    group_id: str
    group_name: str
    operator_id: str
    user_ids: tuple[str, ...]
    nicks: tuple[str, ...]
    member_count: int
    time: int
    sequence: int
    changes: tuple[tuple[str, str], ...] = ()
    mute_seconds: tuple[int, ...] = ()

    @property
    def conversation_id(self) -> str:
        """The group's conversation."""
        return f"GROUP{self.group_id}"


class MemberJoined(GroupTip):
    """Members came into a group."""

    __slots__ = ()


class NoticeType(Enum):
    """What a group system notice tells (its `ReportType`), applications and invitations apart."""

    JOIN_ACCEPTED = 2
    JOIN_REFUSED = 3
    REMOVED = 4
    DISMISSED = 5
    CREATED = 6
    INVITED = 7
    QUIT = 8
    ADMIN_SET = 9
    ADMIN_CANCELLED = 10
    CUSTOM = 255


@dataclass(frozen=True, slots=True)
class GroupNotice:
    """A group system notice to this account. `text` is what was said with it."""

    type: NoticeType
    group_id: str
    group_name: str
    operator_id: str
    text: str
    time: int

    @property
    def conversation_id(self) -> str:
        """The group's conversation: what is said about a group stays in order with what is said in it."""
        return f"GROUP{self.group_id}"


@dataclass(frozen=True, slots=True)
class GroupApplication:
    """Somebody asks to join a group this account owns or administers. The last four belong to the answer."""

    group_id: str
    group_name: str
    user_id: str
    nick: str
    wording: str
    time: int
    authentication: str
    message_key: int | str
    sequence: int
    random: int

    @property
    def conversation_id(self) -> str:
        """A lane of its own: the group goes on while one application waits."""
        return f"APPLICATION{self.group_id}/{self.user_id}"


@dataclass(frozen=True, slots=True)
class GroupInvitation:
    """Somebody invites this account into a group, and consent is needed."""

    group_id: str
    group_name: str
    inviter_id: str
    wording: str
    time: int
    authentication: str
    message_key: int | str

    @property
    def conversation_id(self) -> str:
        """A lane of its own."""
        return f"INVITATION{self.group_id}/{self.inviter_id}"


@dataclass(frozen=True, slots=True)
class FriendApplicationReceived:
    """Somebody wants to be friends with this account."""

    application: FriendApplication

    @property
    def conversation_id(self) -> str:
        """The C2C conversation with the applicant."""
        return f"C2C{self.application.user_id}"


class RelationChange(Enum):
    """What has changed between this account and others."""

    FRIENDS_ADDED = "friends added"
    FRIENDS_REMOVED = "friends removed"
    APPLICATIONS_REMOVED = "applications removed"
    APPLICATIONS_READ = "applications read"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"


@dataclass(frozen=True, slots=True)
class RelationsChanged:
    """News of friends, applications and the blocklist."""

    change: RelationChange
    user_ids: tuple[str, ...] = ()
    conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class ProfileUpdated:
    """A friend, or this account elsewhere, changed these fields of the profile, by tag (PROFILE_UPDATED)."""

    user_id: str
    changes: tuple[tuple[str, str | int], ...]

    @property
    def conversation_id(self) -> str:
        """The C2C conversation with the user."""
        return f"C2C{self.user_id}"


@dataclass(frozen=True, slots=True)
class ConversationsChanged:
    """Another instance deleted, pinned or unpinned conversations."""

    change: str
    conversation_ids: tuple[str, ...]
    conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class Mentioned:
    """This account was mentioned in a group; the message itself comes as `MessageReceived`."""

    group_id: str
    from_: str
    message_sequence: int
    everybody: bool

    @property
    def conversation_id(self) -> str:
        """The group's conversation."""
        return f"GROUP{self.group_id}"


class NetState(Enum):
    """The SDK's `NET_STATE_*`."""

    CONNECTED = "connected"
    CONNECTING = "connecting"


@dataclass(frozen=True, slots=True)
class NetStateChanged:
    """The connection came or went (NET_STATE_CHANGE). `cause` and `retry_in` (seconds) say why and what next."""

    state: NetState
    cause: str = ""
    retry_in: float = 0.0
    conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """Logged in, and everything missed has been handed over (SDK_READY). `again`: after a break."""

    again: bool
    conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The account was kicked out or its signature expired (KICKED_OUT). `kind` None: expired, a new login follows."""

    kind: KickKind | None
    conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class BrokenItem:
    """Something the server sent could not be understood. It was acknowledged and is reported, not handled.

    `raw` is all of it; of a frame that is no frame at all, its first 200 bytes.
    """

    error: FrameError
    conversation_id: str = ""
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class UnknownItem:
    """The server sent something of a kind this library does not know."""

    event: int
    conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A look back could not find everything: `first` to `last` of a group, or a whole round, with the reason.

    `since` and `until` (Unix seconds, the server's) are the window in which something may be missing; 0: not known.
    """

    conversation_id: str
    reason: str
    first: int = 0
    last: int = 0
    since: float = 0.0
    until: float = 0.0


Event = (
    MessageReceived
    | OwnMessage
    | MessageModified
    | MessageRevoked
    | MessageReadByPeer
    | ReadElsewhere
    | GroupTip
    | GroupNotice
    | GroupApplication
    | GroupInvitation
    | FriendApplicationReceived
    | RelationsChanged
    | ProfileUpdated
    | ConversationsChanged
    | Mentioned
    | NetStateChanged
    | Ready
    | LoggedOut
    | BrokenItem
    | UnknownItem
    | Incomplete
)
