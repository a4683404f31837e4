"""Merged messages kept on the server, and upload permits (`im_long_msg`, `im_cos_msg`)."""

from __future__ import annotations

from typing import Final

import msgspec

from timbot.im.wire.commands.base import Command
from timbot.im.wire.elements import RelayMessage
from timbot.im.wire.envelope import Answer
from timbot.im.wire.value import UNSET, Int, Opt, Value


class SaveRequest(Value, frozen=True):
    """The messages to keep."""

    msg_list: list[RelayMessage]


class SaveAnswer(Answer, frozen=True):
    """The key they are found under."""

    json_msg_key: Opt[str] = UNSET
    pb_msg_key: Opt[str] = UNSET


class LoadRequest(Value, frozen=True):
    """The key."""

    json_msg_key: str


class LoadAnswer(Answer, frozen=True):
    """The messages."""

    msg_list: Opt[list[RelayMessage]] = UNSET


class UploadRequest(Value, frozen=True):
    """`file_type` 1 image, 2 video, 3 audio, 255 file; `duration` in seconds. Lower-case on the wire but for one."""

    file_type: Int = msgspec.field(name="file_type")
    file_name: str = msgspec.field(name="file_name")
    upload_method: Opt[Int] = msgspec.field(name="upload_method", default=UNSET)
    duration: Opt[Int] = UNSET


class UploadAnswer(Answer, frozen=True):
    """Where to PUT the bytes and where they are read afterwards. `expired_time` in seconds."""

    upload_url: Opt[str] = msgspec.field(name="upload_url", default=UNSET)
    download_url: Opt[str] = msgspec.field(name="download_url", default=UNSET)
    expired_time: Opt[Int] = msgspec.field(name="expired_time", default=UNSET)
    request_id: Opt[str] = msgspec.field(name="request_id", default=UNSET)


SAVE: Final = Command("im_long_msg.save_relay_json_msg", SaveRequest, SaveAnswer, changes=True)
LOAD: Final = Command("im_long_msg.get_relay_json_msg", LoadRequest, LoadAnswer)
UPLOAD: Final = Command("im_cos_msg.pre_sig", UploadRequest, UploadAnswer)
