"""Permits for uploads: the addresses where a file is put and read."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from timbot.im.wire.commands import longmsg as wire
from timbot.im.wire.value import given
from timbot.sandbox.domain import Refused
from timbot.sandbox.files import PERMIT_LIFETIME, FileRefused, Files
from timbot.sandbox.front import codes
from timbot.sandbox.front.desk import Call, Desk

PUT_PATH: Final = "/files/put/"
GET_PATH: Final = "/files/"

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


def _origin(url: str) -> str:
    parts = urlsplit(url)
    scheme = _SCHEMES.get(parts.scheme, "")
    return f"{scheme}://{parts.netloc}" if scheme and parts.netloc else ""
