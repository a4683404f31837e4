"""What a message says. A message of the SDK has one payload; several may come from elsewhere and are all kept.

The names of the fields are the SDK's (`payload.text`, `payload.data`, `payload.description` ...).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from timbot.errors import FrameError
from timbot.im.wire import elements as wire
from timbot.im.wire.value import Opt, Raw, given


@dataclass(frozen=True, slots=True)
class Text:
    """Text (`TIMTextElem`); at most 12 KB with all else in the message."""

    text: str


@dataclass(frozen=True, slots=True)
class Custom:
    """The app's own message (`TIMCustomElem`): three strings, of which `data` usually says the kind."""

    data: str = ""
    description: str = ""
    extension: str = ""


@dataclass(frozen=True, slots=True)
class Face:
    """A sticker by number (`TIMFaceElem`)."""

    index: int
    data: str = ""


@dataclass(frozen=True, slots=True)
class Location:
    """A place (`TIMLocationElem`), degrees."""

    latitude: float
    longitude: float
    description: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """One rendition of an image; `size` in bytes, `width` and `height` in pixels."""

    url: str
    width: int = 0
    height: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """An image (`TIMImageElem`): original, large, thumbnail. `image_format` 1 jpg, 2 gif, 3 png, 4 bmp, 255 unknown."""

    uuid: str
    image_format: int
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Sound:
    """A voice message (`TIMSoundElem`); `size` in bytes, `second` its length."""

    uuid: str
    url: str
    size: int = 0
    second: int = 0


@dataclass(frozen=True, slots=True)
class File:
    """A file (`TIMFileElem`); `file_size` in bytes."""

    uuid: str
    file_name: str
    file_size: int
    file_url: str


@dataclass(frozen=True, slots=True)
class Video:
    """A video (`TIMVideoFileElem`); sizes in bytes, `video_second` its length."""

    video_uuid: str
    video_url: str
    video_format: str = ""
    video_second: int = 0
    video_size: int = 0
    thumb_uuid: str = ""
    thumb_url: str = ""
    thumb_width: int = 0
    thumb_height: int = 0


@dataclass(frozen=True, slots=True)
class Merger:
    """Merged messages (`TIMRelayElem`): what to show of them, and the key of a stored list if they did not fit."""

    title: str
    abstract_list: tuple[str, ...]
    compatible_text: str
    download_key: str = ""


@dataclass(frozen=True, slots=True)
class UnknownPayload:
    """An element of a kind this library does not know, as it came."""

    type: str
    content: Raw


@dataclass(frozen=True, slots=True)
class BrokenPayload:
    """An element whose content is not what its kind says."""

    type: str
    error: FrameError


Payload = Text | Custom | Face | Location | Image | Sound | File | Video | Merger | UnknownPayload | BrokenPayload

SENDABLE: Final = (Text, Custom, Face, Location)


def payload_of(element: wire.Element) -> Payload:
    """The payload in an element. A broken one is a value too: it must not cost its neighbours."""
    try:
        content = wire.open_element(element)
    except FrameError as error:
        return BrokenPayload(element.msg_type, error)
    return _media_payload(content) or _simple_payload(element, content)


def _simple_payload(element: wire.Element, content: object) -> Payload:
    match content:
        case wire.TextElem():
            return Text(content.text)
        case wire.CustomElem():
            return Custom(_text(content.data), _text(content.desc), _text(content.ext))
        case wire.FaceElem():
            return Face(content.index, _text(content.data))
        case wire.LocationElem():
            return Location(content.latitude, content.longitude, _text(content.desc))
        case wire.RelayElem():
            abstracts = tuple(given(content.abstract_list, []))
            return Merger(_text(content.title), abstracts, _text(content.compatible_text), _text(content.json_msg_key))
    return UnknownPayload(element.msg_type, element.msg_content)


def _media_payload(content: object) -> Payload | None:
    match content:
        case wire.ImageElem():
            pictures = tuple(
                Picture(_text(info.url), _number(info.width), _number(info.height), _number(info.size))
                for info in content.image_info_array
            )
            return Image(_text(content.uuid), _number(content.image_format), pictures)
        case wire.SoundElem():
            return Sound(_text(content.uuid), _text(content.url), _number(content.size), _number(content.second))
        case wire.FileElem():
            return File(_text(content.uuid), _text(content.file_name), _number(content.file_size), _text(content.url))
        case wire.VideoElem():
            return Video(
                _text(content.video_uuid),
                _text(content.video_url),
                _text(content.video_format),
                _number(content.video_second),
                _number(content.video_size),
                _text(content.thumb_uuid),
                _text(content.thumb_url),
                _number(content.thumb_width),
                _number(content.thumb_height),
            )
    return None


def element_of(payload: Payload) -> wire.Element:
    """The element that carries a payload we can send. Raises `TypeError` for one we only receive."""
    match payload:
        case Text():
            return wire.seal_element(wire.TextElem(text=payload.text))
        case Custom():
            return wire.seal_element(wire.CustomElem(data=payload.data, desc=payload.description, ext=payload.extension))
        case Face():
            return wire.seal_element(wire.FaceElem(index=payload.index, data=payload.data))
        case Location():
            return wire.seal_element(
                wire.LocationElem(latitude=payload.latitude, longitude=payload.longitude, desc=payload.description)
            )
        case UnknownPayload():
            return wire.seal_element(wire.UnknownElem(payload.type, payload.content))
    raise TypeError(f"A {type(payload).__name__} cannot be sent yet.")


def _text(value: Opt[str]) -> str:
    return given(value, "")


def _number(value: Opt[int]) -> int:
    return given(value, 0)
