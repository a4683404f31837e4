"""Messages that are to be sent as bytes for a journal, and back. The rules are those of `timbot.im.model.record`."""

from __future__ import annotations

from typing import Final

import msgspec

from timbot.im.api.messages import OutgoingMessage
from timbot.im.model.message import ConversationType, Priority
from timbot.im.model.payloads import element_of, payload_of
from timbot.im.model.record import FORMAT, unsealed
from timbot.im.wire.elements import Element
from timbot.im.wire.repair import without_surrogates
from timbot.im.wire.value import Raw


class _Outgoing(msgspec.Struct, array_like=True, omit_defaults=True):
    """A message to be sent, field by field in the order of writing. `sequence` and `random` are its token."""

    group: bool
    to: str
    sequence: int
    random: int
    kind: str
    content: bytes
    cloud_custom_data: str = ""
    priority: Priority = Priority.NORMAL
    at_user_list: tuple[str, ...] = ()


_HEAD: Final = bytes((FORMAT,))
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Outgoing)


def encode_outgoing(message: OutgoingMessage) -> bytes:
    """The bytes of a message, its token with it. Lone surrogates become U+FFFD, as they would in sending.

    Raises `TypeError` for a payload that cannot be sent.
    """
    element = element_of(message.payload)
    kept = _Outgoing(
        message.conversation_type is ConversationType.GROUP,
        message.to,
        message.sequence,
        message.random,
        element.msg_type,
        bytes(element.msg_content),
        message.cloud_custom_data,
        message.priority,
        message.at_user_list,
    )
    try:
        return _HEAD + _encoder.encode(kept)
    except UnicodeEncodeError:
        return _HEAD + _encoder.encode(without_surrogates(msgspec.to_builtins(kept, builtin_types=(bytes,))))


def decode_outgoing(data: bytes) -> OutgoingMessage:
    """The message again, with the same token. Raises `UnreadableRecord`."""
    kept = unsealed(_decoder, data)
    return OutgoingMessage(
        conversation_type=ConversationType.GROUP if kept.group else ConversationType.C2C,
        to=kept.to,
        payload=payload_of(Element(msg_type=kept.kind, msg_content=Raw(kept.content))),
        sequence=kept.sequence,
        random=kept.random,
        cloud_custom_data=kept.cloud_custom_data,
        priority=kept.priority,
        at_user_list=kept.at_user_list,
    )
