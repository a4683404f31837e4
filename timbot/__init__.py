"""timbot: bots for Tencent Cloud IM. What a plugin author imports, and nothing else."""

from timbot.im.model.events import (
    ConversationsChanged,
    GroupApplication,
    GroupInvitation,
    GroupNotice,
    GroupTip,
    LoggedOut,
    MemberJoined,
    MessageModified,
    MessageReadByPeer,
    MessageReceived,
    MessageRevoked,
    NetStateChanged,
    OwnMessage,
    ProfileUpdated,
    Ready,
    RelationsChanged,
)
from timbot.im.model.message import AT_ALL, ConversationType, Message, Priority
from timbot.im.model.payloads import Custom, Face, File, Image, Location, Merger, Sound, Text, Video
from timbot.routing.plugin import Plugin
from timbot.routing.replies import Accept, Decision, Reject, Reply
from timbot.runtime.bot import Bot
from timbot.runtime.context import Context, FriendRequest, GroupJoinRequest, User

__version__ = "0.1.0"

__all__ = [
    "AT_ALL",
    "Accept",
    "Bot",
    "Context",
    "ConversationType",
    "ConversationsChanged",
    "Custom",
    "Decision",
    "Face",
    "File",
    "FriendRequest",
    "GroupApplication",
    "GroupInvitation",
    "GroupJoinRequest",
    "GroupNotice",
    "GroupTip",
    "Image",
    "Location",
    "LoggedOut",
    "MemberJoined",
    "Merger",
    "Message",
    "MessageModified",
    "MessageReadByPeer",
    "MessageReceived",
    "MessageRevoked",
    "NetStateChanged",
    "OwnMessage",
    "Plugin",
    "Priority",
    "ProfileUpdated",
    "Ready",
    "Reject",
    "RelationsChanged",
    "Reply",
    "Sound",
    "Text",
    "User",
    "Video",
]
