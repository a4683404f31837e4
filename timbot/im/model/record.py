"""Events and messages as bytes for a journal, and back.

One byte says the format, the rest is MessagePack: compact, and an element's content is kept as the bytes in which it came,
to be opened when somebody looks. Fields are told apart by their place: new ones come last and have a default, so that what
was kept before stays readable. Anything else is a new format.
"""

from __future__ import annotations

import dataclasses
from typing import Final, TypeVar, Union, get_type_hints

import msgspec

from timbot.errors import FrameError, TimbotError
from timbot.im.model import events as model
from timbot.im.model.message import ConversationType, Message, Priority
from timbot.im.wire.elements import Element
from timbot.im.wire.value import Raw

_T = TypeVar("_T")

FORMAT: Final = 1
_HEAD: Final = bytes((FORMAT,))


class UnreadableRecord(TimbotError):
    """Bytes of a journal that this version cannot read. `format` is what they say they are in; -1: they are empty."""

    docs = "errors#record"

    def __init__(self, reason: str, number: int) -> None:
        super().__init__(
            f"A kept event or message cannot be read: {reason}.",
            hint="Run the version that wrote it, or a newer one; bytes that no version reads are damaged.",
        )
        self.format = number


class _Message(msgspec.Struct, array_like=True, omit_defaults=True):
    """A message, field by field in the order of writing."""

    group: bool
    peer: str
    from_: str
    to: str
    out: bool
    time: int
    sequence: int
    random: int
    elements: list[tuple[str, bytes]]
    nick: str = ""
    avatar: str = ""
    name_card: str = ""
    cloud_custom_data: str = ""
    priority: Priority = Priority.NORMAL
    at_user_list: tuple[str, ...] = ()
    client_sequence: int = 0
    is_revoked: bool = False
    is_modified: bool = False
    online_only: bool = False


class _Received(msgspec.Struct, array_like=True, tag_field="kind", tag=1):
    message: _Message


class _Own(msgspec.Struct, array_like=True, tag_field="kind", tag=2):
    message: _Message


class _Modified(msgspec.Struct, array_like=True, tag_field="kind", tag=3):
    message: _Message


class _Broken(msgspec.Struct, array_like=True, tag_field="kind", tag=4):
    """Of the error only what its making takes."""

    message: str
    path: str
    start: bytes
    raw: bytes


_MESSAGES: Final = {model.MessageReceived: _Received, model.OwnMessage: _Own, model.MessageModified: _Modified}

_FLAT: Final[dict[type, int]] = {
    model.MessageRevoked: 5,
    model.GroupTip: 6,
    model.MemberJoined: 7,
    model.GroupNotice: 8,
    model.GroupApplication: 9,
    model.GroupInvitation: 10,
    model.FriendApplicationReceived: 11,
}
"""Events that are kept field by field, with their numbers, which are never given anew."""


def _struct(event: type, tag: int) -> type[msgspec.Struct]:
    hints = get_type_hints(event)
    fields = [
        (field.name, hints[field.name])
        if field.default is dataclasses.MISSING
        else (field.name, hints[field.name], field.default)
        for field in dataclasses.fields(event)
    ]
    return msgspec.defstruct(f"_{event.__name__}", fields, array_like=True, tag_field="kind", tag=tag)


_STRUCTS: Final = {event: _struct(event, tag) for event, tag in _FLAT.items()}
_FLAT_EVENTS: Final = {struct: event for event, struct in _STRUCTS.items()}
_NAMES: Final = {event: tuple(field.name for field in dataclasses.fields(event)) for event in _FLAT}

_encoder: Final = msgspec.msgpack.Encoder()
_messages: Final = msgspec.msgpack.Decoder(_Message)
_events: Final = msgspec.msgpack.Decoder(Union[(*_MESSAGES.values(), _Broken, *_FLAT_EVENTS)])


def encode_event(event: model.Event) -> bytes:
    """The bytes of an event that can have an identity, or of a `BrokenItem`. Raises `TypeError` for others."""
    kind = type(event)
    if isinstance(event, (model.MessageReceived, model.OwnMessage, model.MessageModified)):
        return _HEAD + _encoder.encode(_MESSAGES[type(event)](_kept(event.message)))
    if isinstance(event, model.BrokenItem):
        error = event.error
        return _HEAD + _encoder.encode(_Broken(_said(error), error.path, error.raw, event.raw))
    if kind in _STRUCTS:
        return _HEAD + _encoder.encode(_STRUCTS[kind](*[getattr(event, name) for name in _NAMES[kind]]))
    raise TypeError(f"A {kind.__name__} is not kept.")


def decode_event(data: bytes) -> model.Event:
    """The event again. Raises `UnreadableRecord`."""
    kept = unsealed(_events, data)
    kind = type(kept)
    if isinstance(kept, (_Received, _Own, _Modified)):
        return _message_event(kept)
    if isinstance(kept, _Broken):
        return model.BrokenItem(FrameError(kept.message, path=kept.path, raw=kept.start), raw=kept.raw)
    flat = _FLAT_EVENTS[kind]
    made: model.Event = flat(*[getattr(kept, name) for name in _NAMES[flat]])
    return made


def _message_event(kept: _Received | _Own | _Modified) -> model.Event:
    message = _message(kept.message)
    match kept:
        case _Received():
            return model.MessageReceived(message)
        case _Own():
            return model.OwnMessage(message)
    return model.MessageModified(message)


def encode_message(message: Message) -> bytes:
    """The bytes of a message."""
    return _HEAD + _encoder.encode(_kept(message))


def decode_message(data: bytes) -> Message:
    """The message again, its payloads not opened yet. Raises `UnreadableRecord`."""
    return _message(unsealed(_messages, data))


def unsealed(decoder: msgspec.msgpack.Decoder[_T], data: bytes) -> _T:
    """What the bytes say after their format. Raises `UnreadableRecord`."""
    number = data[0] if data else -1
    if number != FORMAT:
        raise UnreadableRecord("it is empty" if number < 0 else f"its format is {number}, and {FORMAT} is known here", number)
    try:
        return decoder.decode(memoryview(data)[1:])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise UnreadableRecord(str(error), number) from None


def _said(error: FrameError) -> str:
    """What an error was made from: its message without the place, which is added again."""
    return error.message.removesuffix(f" (at {error.path})") if error.path else error.message


def _kept(message: Message) -> _Message:
    return _Message(
        message.conversation_type is ConversationType.GROUP,
        message.peer,
        message.from_,
        message.to,
        message.flow == "out",
        message.time,
        message.sequence,
        message.random,
        [(element.msg_type, bytes(element.msg_content)) for element in message.elements],
        message.nick,
        message.avatar,
        message.name_card,
        message.cloud_custom_data,
        message.priority,
        message.at_user_list,
        message.client_sequence,
        message.is_revoked,
        message.is_modified,
        message.online_only,
    )


def _message(kept: _Message) -> Message:
    return Message(
        conversation_type=ConversationType.GROUP if kept.group else ConversationType.C2C,
        peer=kept.peer,
        from_=kept.from_,
        to=kept.to,
        flow="out" if kept.out else "in",
        time=kept.time,
        sequence=kept.sequence,
        random=kept.random,
        elements=[Element(msg_type=kind, msg_content=Raw(content)) for kind, content in kept.elements],
        nick=kept.nick,
        avatar=kept.avatar,
        name_card=kept.name_card,
        cloud_custom_data=kept.cloud_custom_data,
        priority=kept.priority,
        at_user_list=kept.at_user_list,
        client_sequence=kept.client_sequence,
        is_revoked=kept.is_revoked,
        is_modified=kept.is_modified,
        online_only=kept.online_only,
    )
