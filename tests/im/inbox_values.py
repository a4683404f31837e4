"""Pushed values, made the way they come: from JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from timbot.im.delivery import Arrival, Memory
from timbot.im.inbox import Inbox
from timbot.im.model import events as model
from timbot.im.model.group import Group
from timbot.im.shelf import Shelf
from timbot.im.streams import Gap
from timbot.im.wire.identity import FriendApplicationIdentity
from timbot.im.wire.pushes import Pushed, open_item
from timbot.im.wire.value import Raw

T = 1_767_571_200


class Box:
    """An inbox of `bot`, and the events it makes ready."""

    def __init__(self, memory: Memory | None = None, *, keeps: bool = False) -> None:
        self.shelf = Shelf(keeps=keeps, last=0)
        self.inbox = Inbox("bot", memory, self.shelf)
        self.known = self.inbox.known
        self.streams = self.inbox.streams

    def logged_in(self, time: int) -> set[str]:
        self.inbox.floor = self.inbox.floor or time
        return self.inbox.hold()

    def pushed(self, items: Iterable[Pushed]) -> list[model.Event]:
        return _events(self.inbox.pushed(items))

    def synced(self, items: Iterable[Pushed]) -> list[model.Event]:
        """A page in its turn."""
        return _events(self.inbox.synced(items)) + _events(self.inbox.missed())

    def release(self) -> list[model.Event]:
        return _events(self.inbox.release())

    def groups_listed(self, groups: Iterable[Group], since: float = 0.0) -> list[Gap]:
        return self.inbox.groups_listed(groups, since=since)[0]

    def filled(self, gap: Gap, items: Iterable[Pushed]) -> list[model.Event]:
        return _events(self.streams.filled(gap, gap.last, items))

    def take_gaps(self) -> list[Gap]:
        return self.streams.take_gaps()

    def sent(self, group_id: str, sequence: int) -> list[model.Event]:
        return _events(self.streams.sent(group_id, sequence))

    def is_new_application(self, applicant: str, time: int) -> bool:
        return self.known.is_new(FriendApplicationIdentity(applicant, time))


def _events(arrivals: Iterable[Arrival]) -> list[model.Event]:
    return [arrival.event for arrival in arrivals]


def opened(item: dict[str, Any]) -> Pushed:
    (value,) = open_item(Raw(json.dumps(item).encode()), path="$")
    return value


def _text(text: str) -> list[dict[str, Any]]:
    return [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}]


def c2c(
    text: str, seq: int, *, sender: str = "alice", time: int = T, own: bool = False, modified: int = 0, **rest: int
) -> Pushed:
    message: dict[str, Any] = {
        "From_Account": sender,
        "To_Account": "bot",
        "MsgSeq": seq,
        "MsgRandom": rest.get("random", 1),
        "MsgTimeStamp": time,
        "MsgBody": _text(text),
        "MsgModifiedFlag": modified,
        "MsgFlagBits": rest.get("flags", 0),
        "IsSyncMsg": int(own),
    }
    if "life" in rest:
        message["MsgLifeTime"] = rest["life"]
    return opened({"Event": 9, "C2cMsgArray": [message]})


def group(
    seq: int, group_id: str = "g", *, sender: str = "alice", random: int = 2, body: object = None, time: int = T, **rest: int
) -> Pushed:
    message = {
        "From_Account": sender,
        "ToGroupId": group_id,
        "MsgSeq": seq,
        "MsgRandom": random,
        "MsgTimeStamp": time,
        "MsgBody": _text(str(seq)) if body is None else body,
        "GroupInfo": {"GroupId": group_id},
        "ClientSeq": rest.get("client", 0),
        "IsPlaceMsg": rest.get("place", 0),
        "MsgModifiedFlag": rest.get("modified", 0),
        "OnlineOnlyFlag": rest.get("online", 0),
    }
    return opened({"Event": 3, "GroupMsgArray": [message]})


def _tips(event: int, seq: int, group_id: str, random: int, body: dict[str, Any]) -> Pushed:
    message = {
        "From_Account": "alice",
        "ToGroupId": group_id,
        "MsgSeq": seq,
        "MsgRandom": random,
        "MsgTimeStamp": T,
        "ClientSeq": seq,
        "MsgBody": body,
        "GroupInfo": {"GroupId": group_id},
    }
    return opened({"Event": event, "GroupTips": [message]})


def tip(seq: int, group_id: str = "g", *, stored: bool = True, random: int = 2) -> Pushed:
    return _tips(4 if stored else 6, seq, group_id, random, {"OpType": 1, "Operator_Account": "alice"})


def notice(body: dict[str, Any], group_id: str = "g", *, number: int = 1) -> Pushed:
    return _tips(5, number, group_id, number, body)


def application(user: str, key: int = 1) -> dict[str, Any]:
    return {"ReportType": 1, "Operator_Account": user, "RemarkInfo": "let me in", "MsgKey": key, "Authentication": "a"}


def friend(user: str, time: int) -> Pushed:
    added = {"PendencyAdd_Account": user, "AddTime": time}
    return opened({"Event": 7, "FriendListMod": [{"PushType": 3, "From_Account": user, "PendencyAdd": [added]}]})


def texts(events: Iterable[model.Event]) -> list[str]:
    return [event.message.text for event in events if isinstance(event, (model.MessageReceived, model.OwnMessage))]


def numbers(events: Iterable[model.Event]) -> list[int | tuple[int, int]]:
    """The numbers of a group's events in order; a hole as (first, last)."""
    found: list[int | tuple[int, int]] = []
    for event in events:
        match event:
            case model.MessageReceived() | model.OwnMessage():
                found.append(event.message.sequence)
            case model.GroupTip():
                found.append(event.sequence)
            case model.Incomplete():
                found.append((event.first, event.last))
    return found
