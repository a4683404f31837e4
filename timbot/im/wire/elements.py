"""Message elements: what a message says. On the wire `{"MsgType": ..., "MsgContent": {...}}`.

The content stays bytes until `open_element` is asked for it, so that an element nobody looks at costs nothing, and one
of a kind we do not know travels on unharmed. `seal_element` is the way back.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from timbot.im.wire.value import UNSET, Int, Opened, Opt, Raw, Value, decode, encode


class Element(Value, frozen=True):
    """One element as it travels."""

    msg_type: str
    msg_content: Raw


class Content(Value, frozen=True):
    """Base of the element contents."""


class TextElem(Content, frozen=True):
    """`TIMTextElem`."""

    text: str


class CustomElem(Content, frozen=True):
    """`TIMCustomElem`: three strings of the app's own."""

    data: Opt[str] = UNSET
    desc: Opt[str] = UNSET
    ext: Opt[str] = UNSET
    sound: Opt[str] = UNSET


class FaceElem(Content, frozen=True):
    """`TIMFaceElem`: a sticker by number."""

    index: Int
    data: Opt[str] = UNSET


class LocationElem(Content, frozen=True):
    """`TIMLocationElem`."""

    latitude: float
    longitude: float
    desc: Opt[str] = UNSET


class ImageInfo(Value, frozen=True):
    """One rendition of a picture. `type` 1 original, 2 large, 3 thumbnail; the receiver goes by position."""

    type: Int
    instance_id: Opt[Int] = UNSET
    msg_type: Opt[Int] = UNSET
    size: Opt[Int] = UNSET
    width: Opt[Int] = UNSET
    height: Opt[Int] = UNSET
    url: Opt[str] = msgspec.field(name="URL", default=UNSET)


class ImageElem(Content, frozen=True):
    """`TIMImageElem`. `image_format` 1 jpg, 2 gif, 3 png, 4 bmp, 255 unknown."""

    image_info_array: list[ImageInfo]
    uuid: Opt[str] = msgspec.field(name="UUID", default=UNSET)
    image_format: Opt[Int] = UNSET


class SoundElem(Content, frozen=True):
    """`TIMSoundElem`. `second` is the length in whole seconds."""

    url: Opt[str] = UNSET
    uuid: Opt[str] = msgspec.field(name="UUID", default=UNSET)
    size: Opt[Int] = UNSET
    second: Opt[Int] = UNSET
    download_flag: Opt[Int] = msgspec.field(name="Download_Flag", default=UNSET)


class FileElem(Content, frozen=True):
    """`TIMFileElem`. A web receiver needs a name and a size above 0."""

    url: Opt[str] = UNSET
    uuid: Opt[str] = msgspec.field(name="UUID", default=UNSET)
    file_name: Opt[str] = UNSET
    file_size: Opt[Int] = UNSET
    download_flag: Opt[Int] = msgspec.field(name="Download_Flag", default=UNSET)


class VideoElem(Content, frozen=True):
    """`TIMVideoFileElem`."""

    video_url: Opt[str] = UNSET
    video_uuid: Opt[str] = msgspec.field(name="VideoUUID", default=UNSET)
    video_format: Opt[str] = UNSET
    video_second: Opt[Int] = UNSET
    video_size: Opt[Int] = UNSET
    video_download_flag: Opt[Int] = UNSET
    thumb_url: Opt[str] = UNSET
    thumb_uuid: Opt[str] = msgspec.field(name="ThumbUUID", default=UNSET)
    thumb_format: Opt[str] = UNSET
    thumb_width: Opt[Int] = UNSET
    thumb_height: Opt[Int] = UNSET
    thumb_size: Opt[Int] = UNSET
    thumb_download_flag: Opt[Int] = UNSET


class RelayMessage(Value, frozen=True):
    """A message inside a merged one. In the stored form the time is missing and nick and picture are empty."""

    from_account: str
    msg_body: list[Element]
    sender_id: Opt[str] = UNSET
    to_account: Opt[str] = UNSET
    group_id: Opt[str] = UNSET
    receiver_id: Opt[str] = UNSET
    msg_time_stamp: Opt[Int] = UNSET
    msg_seq: Opt[Int] = UNSET
    client_seq: Opt[Int] = UNSET
    msg_random: Opt[Int] = UNSET
    cloud_custom_data: Opt[str] = UNSET
    from_account_nick: Opt[str] = UNSET
    from_account_headurl: Opt[str] = UNSET


class RelayElem(Content, frozen=True):
    """`TIMRelayElem`: merged messages, inline (`msg_list`) or stored on the server (`json_msg_key`)."""

    title: Opt[str] = UNSET
    abstract_list: Opt[list[str]] = UNSET
    compatible_text: Opt[str] = UNSET
    msg_list: Opt[list[RelayMessage]] = UNSET
    msg_num: Opt[Int] = UNSET
    json_msg_key: Opt[str] = UNSET
    pb_msg_key: Opt[str] = UNSET
    version: Opt[Int] = UNSET
    layers_over_limit: Opt[bool | Int] = UNSET


class UnknownElem(msgspec.Struct, frozen=True):
    """An element of a kind this library does not know: its type name and its content as it came."""

    msg_type: str
    content: Raw


CONTENTS: Final[dict[str, type[Content]]] = {
    "TIMTextElem": TextElem,
    "TIMCustomElem": CustomElem,
    "TIMFaceElem": FaceElem,
    "TIMLocationElem": LocationElem,
    "TIMImageElem": ImageElem,
    "TIMSoundElem": SoundElem,
    "TIMFileElem": FileElem,
    "TIMVideoFileElem": VideoElem,
    "TIMRelayElem": RelayElem,
}
_TYPE_NAMES: Final = {content: name for name, content in CONTENTS.items()}


def open_element(element: Element) -> Content | UnknownElem:
    """The typed content of an element. Raises `FrameError` where a known type holds something else."""
    kind = CONTENTS.get(element.msg_type)
    if kind is None:
        return UnknownElem(element.msg_type, element.msg_content)
    return decode(kind, element.msg_content, path=f"$.{element.msg_type}")


def open_element_whole(element: Element) -> Opened[Any]:
    """Like `open_element`, keeping the fields that no type names."""
    return Opened.decode(CONTENTS.get(element.msg_type, object), element.msg_content, path=f"$.{element.msg_type}")


def seal_element(content: Content | UnknownElem) -> Element:
    """The element that carries `content`."""
    if isinstance(content, UnknownElem):
        return Element(msg_type=content.msg_type, msg_content=content.content)
    return Element(msg_type=_TYPE_NAMES[type(content)], msg_content=Raw(encode(content)))
