"""timbot: bots for Tencent Cloud IM. What a plugin author imports, and nothing else.

What only some plugins need is imported when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

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
    NetState,
    NetStateChanged,
    NoticeType,
    OwnMessage,
    ProfileUpdated,
    Ready,
    RelationChange,
    RelationsChanged,
    TipType,
)
from timbot.im.model.message import AT_ALL, ConversationType, Message, Priority
from timbot.im.model.payloads import Custom, Face, File, Image, Location, Merger, Sound, Text, Video
from timbot.routing.plugin import Planned, Plugin
from timbot.routing.replies import PASS, Accept, Decision, Pass, Reject, Replies, Reply
from timbot.runtime.bot import Bot
from timbot.runtime.context import Context, FriendRequest, GroupJoinRequest, User
from timbot.runtime.job import Job

if TYPE_CHECKING:
    from timbot.im.client import Client
    from timbot.im.model.group import GroupType
    from timbot.patterns import Match, Pattern
    from timbot.runtime.dialogues import AskCancelled, AskTimeout
    from timbot.runtime.sender import Sender
    from timbot.store import Store
    from timbot.templating import Template, Variables

__version__ = "0.1.0"

__all__ = [
    "AT_ALL",
    "PASS",
    "Accept",
    "AskCancelled",
    "AskTimeout",
    "Bot",
    "Client",
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
    "GroupType",
    "Image",
    "Job",
    "Location",
    "LoggedOut",
    "Match",
    "MemberJoined",
    "Merger",
    "Message",
    "MessageModified",
    "MessageReadByPeer",
    "MessageReceived",
    "MessageRevoked",
    "NetState",
    "NetStateChanged",
    "NoticeType",
    "OwnMessage",
    "Pass",
    "Pattern",
    "Planned",
    "Plugin",
    "Priority",
    "ProfileUpdated",
    "Ready",
    "Reject",
    "RelationChange",
    "RelationsChanged",
    "Replies",
    "Reply",
    "Sender",
    "Sound",
    "Store",
    "Template",
    "Text",
    "TipType",
    "User",
    "Variables",
    "Video",
]

_LATER: Final = {
    "AskCancelled": "timbot.runtime.dialogues",
    "AskTimeout": "timbot.runtime.dialogues",
    "Client": "timbot.im.client",
    "GroupType": "timbot.im.model.group",
    "Match": "timbot.patterns",
    "Pattern": "timbot.patterns",
    "Sender": "timbot.runtime.sender",
    "Store": "timbot.store",
    "Template": "timbot.templating",
    "Variables": "timbot.templating",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module 'timbot' has no attribute '{name}'")
    found: object = getattr(importlib.import_module(_LATER[name]), name)
    globals()[name] = found
    return found
