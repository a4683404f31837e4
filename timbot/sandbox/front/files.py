"""Uploads as messages see them: permits with the addresses where a file is put and read, and the sizes of pictures."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from timbot.im.wire.commands import longmsg as wire
from timbot.im.wire.elements import Element, ImageElem, ImageInfo, open_element, seal_element
from timbot.im.wire.value import given
from timbot.sandbox.domain import Refused
from timbot.sandbox.files import PERMIT_LIFETIME, FileRefused, Files
from timbot.sandbox.front import codes
from timbot.sandbox.front.desk import Call, Desk

PUT_PATH: Final = "/files/put/"
GET_PATH: Final = "/files/"

IMAGE: Final = "TIMImageElem"

_SCHEMES: Final = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


class FilePermits:
    """The command of `im_cos_msg`."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def register(self, desk: Desk) -> None:
        """Take this command."""
        desk.add(wire.UPLOAD, self.permit)

    def permit(self, call: Call, request: wire.UploadRequest) -> wire.UploadAnswer:
        """Where to put a file. The addresses begin as that of the caller's connection does: it can reach those."""
        origin = _origin(call.line.url)
        if not self._files.served or not origin:
            raise Refused(codes.NOT_AVAILABLE, "this server takes no files")
        try:
            permit = self._files.permit(request.file_type, given(request.duration, PERMIT_LIFETIME))
        except FileRefused as no:
            raise Refused(codes.bad_body(wire.UPLOAD.name, ""), no.reason) from None
        return wire.UploadAnswer(
            upload_url=f"{origin}{PUT_PATH}{permit.token}",
            download_url=f"{origin}{GET_PATH}{permit.name}",
            expired_time=permit.expires_at,
            request_id=permit.name,
        )


def with_sizes(body: list[Element], files: Files) -> list[Element]:
    """The same elements; a picture that was uploaded here and comes without its measures gets them."""
    return [_with_size(element, files) if element.msg_type == IMAGE else element for element in body]


def _with_size(element: Element, files: Files) -> Element:
    image = open_element(element)
    if not isinstance(image, ImageElem):
        return element
    known = [_measured(info, files) for info in image.image_info_array]
    return element if known == image.image_info_array else seal_element(replace(image, image_info_array=known))


def _measured(info: ImageInfo, files: Files) -> ImageInfo:
    """All renditions are the file itself here, so that its measures are theirs."""
    path = urlsplit(given(info.url, "")).path
    file = files.find(path.removeprefix(GET_PATH)) if path.startswith(GET_PATH) else None
    if file is None or file.picture is None or (given(info.width, 0) and given(info.height, 0)):
        return info
    return replace(info, width=file.picture.width, height=file.picture.height, size=given(info.size, 0) or file.size)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    scheme = _SCHEMES.get(parts.scheme, "")
    return f"{scheme}://{parts.netloc}" if scheme and parts.netloc else ""
