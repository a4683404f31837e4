"""Opens a recorded frame as deep as the wire goes, and hands out each level with the bytes it was read from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from timbot.errors import FrameError
from timbot.im.wire import pushes
from timbot.im.wire.commands import COMMANDS, c2c, contacts, groups, status
from timbot.im.wire.elements import Element, open_element_whole
from timbot.im.wire.envelope import FORCE_OFFLINE, PUSH, PUSH_CONFIG, PushBody, Request, ServerFrame
from timbot.im.wire.messages import C2CMessage, GroupMessage, NoticeBody, TipBody
from timbot.im.wire.value import UNSET, Opened, Raw, Value, given

FRAMES = Path(__file__).parents[2] / "data" / "frames.jsonl"

CLIENT = "client>server"
SERVER = "server>client"


@dataclass(frozen=True)
class Recorded:
    """One line of the recording."""

    number: int
    sdk: str
    label: str
    direction: str
    servcmd: str
    frame: bytes

    @property
    def name(self) -> tuple[str, str, str, str]:
        return (self.sdk, self.label, self.direction, self.servcmd)

    def __str__(self) -> str:
        return f"{self.number} {self.sdk} {self.label} {self.direction} {self.servcmd}"


def recorded() -> list[Recorded]:
    """Every frame of the recording; the opening and closing of sockets is no frame."""
    found = []
    for number, line in enumerate(FRAMES.read_text("utf-8").splitlines(), 1):
        entry = json.loads(line)
        if entry["dir"] in (CLIENT, SERVER):
            frame = json.dumps(entry["frame"], ensure_ascii=False).encode()
            servcmd = entry["frame"]["head"]["servcmd"]
            found.append(Recorded(number, entry["sdk"], entry["label"], entry["dir"], servcmd, frame))
    return found


@dataclass(frozen=True)
class Layer:
    """A value of one level, the type or field it is called by, and its bytes."""

    place: str
    opened: Opened[Any]

    def before(self) -> Any:
        return json.loads(bytes(self.opened.raw))

    def after(self) -> Any:
        return json.loads(self.opened.encode())


def layers(frame: bytes, direction: str) -> Iterator[Layer]:
    """All levels of a frame, outermost first. Raises `FrameError` where one cannot be understood."""
    if direction == CLIENT:
        request = Opened.decode(Request, frame)
        yield Layer("Request", request)
        if (command := COMMANDS.get(request.value.head.servcmd)) is not None:
            yield from _value(Opened.decode(command.request, request.value.body))
        return
    answer = Opened.decode(ServerFrame, frame)
    yield Layer("ServerFrame", answer)
    servcmd = answer.value.head.servcmd
    if servcmd in (PUSH, FORCE_OFFLINE):
        body = Opened.decode(PushBody, answer.value.body)
        yield Layer("PushBody", body)
        for item in given(body.value.event_array, []):
            yield from _item(item)
    elif servcmd == PUSH_CONFIG:
        yield from _value(Opened.decode(status.ConfigAnswer, answer.value.body))
    elif (command := COMMANDS.get(servcmd)) is not None:
        yield from _value(Opened.decode(command.answer, answer.value.body))


def _value(opened: Opened[Any]) -> Iterator[Layer]:
    value = opened.value
    yield Layer(f"{type(value).__module__.rpartition('.')[2]}.{type(value).__name__}", opened)
    yield from _elements(value)
    match value:
        case c2c.HistoryAnswer():
            yield from _listed(value.msg_list, _c2c)
        case groups.HistoryAnswer() | groups.PollAnswer():
            yield from _listed(value.rsp_msg_list, _group)
        case status.SyncAnswer():
            yield from _listed(value.msg_list, _c2c)
            yield from _listed(value.event_array, _item)
        case contacts.PageAnswer():
            for session in given(value.session_item, []):
                if session.last_msg is not UNSET and session.last_msg.msg_body is not UNSET:
                    yield from _body(session.last_msg.msg_body, TipBody)


def _listed(items: Any, opener: Any) -> Iterator[Layer]:
    for item in given(items, []):
        yield from opener(item)


def _c2c(raw: Raw) -> Iterator[Layer]:
    message = pushes.open_c2c(raw, 0, "$")
    assert isinstance(message, C2CMessage)
    yield from _pushed(pushes.Pushed(message, raw))


def _group(raw: Raw) -> Iterator[Layer]:
    yield from _pushed(pushes.Pushed(pushes.open_group(raw, 0, "$"), raw))


def _item(raw: Raw) -> Iterator[Layer]:
    yield Layer("PushItem", Opened.decode(pushes.PushItem, raw))
    for pushed in pushes.open_item(raw, path="$"):
        yield from _pushed(pushed)


def _pushed(pushed: pushes.Pushed) -> Iterator[Layer]:
    value = pushed.value
    match value:
        case pushes.Broken():
            raise value.error
        case pushes.Unknown():
            raise FrameError(f"unknown event {value.event}")
        case pushes.Tip() | pushes.Notice() | pushes.Mention():
            yield Layer(type(value).__name__, Opened(value.message, pushed.raw))
            if value.message.msg_body is not UNSET:
                yield from _body(value.message.msg_body, NoticeBody if isinstance(value, pushes.Notice) else TipBody)
        case pushes.Kickout() | pushes.C2CWithdrawn() | pushes.ReadReceipt() | pushes.ReadElsewhere():
            yield Layer("C2CNotice", Opened.decode(pushes.C2CNotice, pushed.raw))
        case GroupMessage():
            yield Layer("GroupMessage", Opened(value, pushed.raw))
            if value.msg_body is not UNSET:
                yield from _body(value.msg_body, TipBody)
        case _:
            yield Layer(type(value).__name__, Opened(value, pushed.raw))
            yield from _elements(value)


def _body(raw: Raw, of_object: type[Value]) -> Iterator[Layer]:
    if bytes(raw).startswith(b"{"):
        yield Layer(of_object.__name__, Opened.decode(of_object, raw))
        return
    elements = Opened.decode(list[Element], raw)
    yield Layer("MsgBody", elements)
    yield from _elements(elements.value)


def _elements(value: object) -> Iterator[Layer]:
    if isinstance(value, Element):
        content = open_element_whole(value)
        yield Layer(value.msg_type, content)
        yield from _elements(content.value)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _elements(getattr(value, name))
    elif isinstance(value, list):
        for item in value:
            yield from _elements(item)
