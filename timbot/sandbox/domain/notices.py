"""What the server tells a user without being asked: a closed set of values.

The front turns each into a push. Nothing here knows how that push looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from timbot.sandbox.domain.messages import C2CMessage, Conversation, GroupMessage, GroupTip


class SystemKind(IntEnum):
    """The documented kinds of group system notices."""

    JOIN_APPLICATION = 1
    ACCEPTED = 2
    REFUSED = 3
    REMOVED = 4
    DISMISSED = 5
    CREATED = 6
    INVITED = 7
    QUIT = 8
    MADE_ADMIN = 9
    ADMIN_WITHDRAWN = 10
    CUSTOM = 255


@dataclass(frozen=True, slots=True)
class C2CArrived:
    """A C2C message. `own_copy`: the user wrote it, on another instance.

    `position` is its place in the receiver's inbox, to be handed to `Chats.acknowledged`; 0: nothing to acknowledge.
    """

    message: C2CMessage
    own_copy: bool = False
    position: int = 0


@dataclass(frozen=True, slots=True)
class C2CRevoked:
    """A C2C message was recalled by its sender."""

    message: C2CMessage


@dataclass(frozen=True, slots=True)
class C2CReadByPeer:
    """`reader` has read what the user sent, up to and including `time`."""

    reader: str
    time: int


@dataclass(frozen=True, slots=True)
class C2CReadElsewhere:
    """Another instance of the user read the conversation with `peer` up to `time`."""

    peer: str
    time: int


@dataclass(frozen=True, slots=True)
class GroupArrived:
    """A group message; also sent to the sender's other instances."""

    message: GroupMessage
    group_name: str


@dataclass(frozen=True, slots=True)
class GroupTipped:
    """A tip in a group's stream."""

    tip: GroupTip
    group_name: str


@dataclass(frozen=True, slots=True)
class GroupRevoked:
    """Group messages were recalled by `operator`."""

    group_id: str
    operator: str
    messages: tuple[GroupMessage, ...]


@dataclass(frozen=True, slots=True)
class GroupReadElsewhere:
    """Another instance of the user read the group up to `sequence`."""

    group_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class SystemNotice:
    """A group system notice. (`sequence`, `random`) identify it for deletion.

    For `JOIN_APPLICATION` the operator is the applicant, `text` the wording, and `key` comes back when it is handled.
    """

    kind: SystemKind
    group_id: str
    group_name: str
    operator: str
    sequence: int
    random: int
    time: int
    text: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Mentioned:
    """The user was mentioned in a group: by name (`me`), as one of all (`everybody`), or both."""

    group_id: str
    group_name: str
    sender: str
    message_sequence: int
    me: bool
    everybody: bool
    sequence: int
    random: int
    time: int


@dataclass(frozen=True, slots=True)
class ProfileChanged:
    """`user` changed these fields of the profile: (`ProfileField` value or custom key, new value)."""

    user: str
    changes: tuple[tuple[str, str | int], ...]


@dataclass(frozen=True, slots=True)
class FriendsAdded:
    """These users are in the user's friend list now."""

    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FriendsRemoved:
    """These users are no longer in the user's friend list."""

    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApplicationAdded:
    """A friend application. `incoming`: from `peer` to the user; otherwise the user's own, to `peer`."""

    peer: str
    incoming: bool
    wording: str
    source: str
    time: int


@dataclass(frozen=True, slots=True)
class ApplicationRemoved:
    """The friend application with `peer` is gone: handled or deleted."""

    peer: str
    incoming: bool


@dataclass(frozen=True, slots=True)
class ApplicationsRead:
    """The user's friend applications are read up to `time`."""

    time: int


@dataclass(frozen=True, slots=True)
class BlacklistAdded:
    """These users are on the user's blacklist now."""

    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlacklistRemoved:
    """These users are no longer on the user's blacklist."""

    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConversationDeleted:
    """Another instance deleted a conversation."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class ConversationPinned:
    """Another instance pinned a conversation."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class ConversationUnpinned:
    """Another instance unpinned a conversation."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class KickedOut:
    """This instance, and no other, lost its login to a newer one."""

    instance: int


Notice = (
    C2CArrived
    | C2CRevoked
    | C2CReadByPeer
    | C2CReadElsewhere
    | GroupArrived
    | GroupTipped
    | GroupRevoked
    | GroupReadElsewhere
    | SystemNotice
    | Mentioned
    | ProfileChanged
    | FriendsAdded
    | FriendsRemoved
    | ApplicationAdded
    | ApplicationRemoved
    | ApplicationsRead
    | BlacklistAdded
    | BlacklistRemoved
    | ConversationDeleted
    | ConversationPinned
    | ConversationUnpinned
    | KickedOut
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice for every online instance of `to`, except `skip_instance`. A `KickedOut` is for its instance alone."""

    to: str
    notice: Notice
    skip_instance: int | None = None
