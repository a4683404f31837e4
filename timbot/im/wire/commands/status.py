"""Login, heartbeat, acknowledgement, configuration (`im_open_status`, `heartbeat`, parts of `openim`)."""

from __future__ import annotations

from typing import Final

import msgspec

from timbot.im.wire.commands.base import Command, Empty
from timbot.im.wire.envelope import Answer
from timbot.im.wire.value import UNSET, Int, Opt, Raw, Value


class LoginRequest(Value, frozen=True):
    """`State` is always "Online"."""

    state: Opt[str] = UNSET


class LoginAnswer(Answer, frozen=True):
    """The ticket for all later requests. `hello_interval` in seconds, `time_stamp` is the server's time."""

    a2_key: Opt[str] = msgspec.field(name="A2Key", default=UNSET)
    tiny_id: Opt[str] = UNSET
    inst_id: Opt[Int] = UNSET
    hello_interval: Opt[Int] = UNSET
    time_stamp: Opt[Int] = UNSET


class LogoutRequest(Value, frozen=True):
    """`wslogout_type` 0 by the user, 1 after a kick."""

    wslogout_type: Opt[Int] = msgspec.field(name="wslogout_type", default=UNSET)


class HelloAnswer(Answer, frozen=True):
    """With `ErrorCode` 1002 the login was ended: `kick_type` 1 another login, 2 another device type."""

    kick_type: Opt[Int] = UNSET
    new_inst_info: Opt[Raw] = UNSET


class AuthKeyAnswer(Answer, frozen=True):
    """Download key for media of very old clients."""

    auth_key: Opt[str] = UNSET
    expire_time: Opt[str | Int] = UNSET


class AckRequest(Value, frozen=True):
    """Acknowledges one push."""

    session_data: str


class SyncRequest(Value, frozen=True):
    """`cookie` is empty the first time, then the one of the answer before. `is_online_sync` 1 after a `Flag` 1 push."""

    cookie: str
    sync_flag: Int
    need_abstract: Opt[Int] = UNSET
    is_online_sync: Opt[Int] = UNSET


class RemainingUnread(Value, frozen=True):
    """Unread messages of a conversation older than those listed."""

    from_account: str
    count: Int
    last_msg_time: Opt[Int] = UNSET


class PairUnread(Value, frozen=True):
    """All unread messages from a peer, listed or not: what newer SDKs show."""

    from_account: str
    unread_count: Int


class SyncAnswer(Answer, frozen=True):
    """C2C messages and events missed. `sync_flag` 0 or 1: more to come; 2: that was all."""

    cookie: Opt[str] = UNSET
    sync_flag: Opt[Int] = UNSET
    msg_list: Opt[list[Raw]] = UNSET
    event_array: Opt[list[Raw]] = UNSET
    c2c_remaining_unread_count: Opt[list[RemainingUnread]] = msgspec.field(name="C2CRemainingUnreadCount", default=UNSET)
    c2c_pair_unread_count: Opt[list[PairUnread]] = msgspec.field(name="C2CPairUnreadCount", default=UNSET)


class ConfigRequest(Value, frozen=True, rename=None):
    """Asks for the cloud configuration."""

    uint32_sdkappid: Opt[Int] = UNSET
    uint64_version: Opt[Int] = UNSET


class ConfigAnswer(Answer, frozen=True):
    """`str_json_config` is JSON in a string; `uint32_expired_time` in seconds. Own error field: 0 is success."""

    int32_error_code: Opt[Int] = msgspec.field(name="int32_error_code", default=UNSET)
    str_error_message: Opt[str] = msgspec.field(name="str_error_message", default=UNSET)
    uint32_sdkappid: Opt[Int] = msgspec.field(name="uint32_sdkappid", default=UNSET)
    uint64_version: Opt[Int] = msgspec.field(name="uint64_version", default=UNSET)
    uint32_expired_time: Opt[Int] = msgspec.field(name="uint32_expired_time", default=UNSET)
    str_json_config: Opt[str] = msgspec.field(name="str_json_config", default=UNSET)


LOGIN: Final = Command("im_open_status.wslogin", LoginRequest, LoginAnswer)
LOGOUT: Final = Command("im_open_status.wslogout", LogoutRequest, Answer)
HELLO: Final = Command("im_open_status.wshello", Empty, HelloAnswer)
HEARTBEAT: Final = Command("heartbeat.alive", Empty, Answer, anonymous=True)
AUTH_KEY: Final = Command("openim.authkey", Empty, AuthKeyAnswer)
SYNC: Final = Command("openim.getmsg", SyncRequest, SyncAnswer)
ACK: Final = Command("openim.ws_msg_push_ack", AckRequest, Answer, one_way=True)
CONFIG: Final = Command("im_sdk_config_mgr.fetch_config", ConfigRequest, ConfigAnswer)
REPORT: Final = Command("imopenstat.tim_web_report_v2", Empty, Answer, anonymous=True)
