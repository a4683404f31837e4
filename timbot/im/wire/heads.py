"""Request heads in their three variants, and the short head of what the server sends.

Identity travels in every request head, not in the socket: requests may arrive on a new socket before its `wslogin`.
"""

from __future__ import annotations

import msgspec

from timbot.im.wire.value import UNSET, Int, Opt, Value

PLATFORM_WEB = 7
WEB_SDK_APP_ID = 537048168
WEB_SDK_VERSION = "1.7.3"


class RequestHead(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a request, fields in the order the SDK sends them.

    Before login `identifier` and `usersig` name the caller, afterwards `a2` and `tinyid` do. Two kinds of request keep to
    their own: file signing always sends `identifier` + `usersig`, statistics send all three of `contenttype`, `identifier`
    and `usersig` empty.
    """

    ver: Opt[str] = UNSET
    platform: Opt[Int] = UNSET
    websdkappid: Opt[Int] = UNSET
    websdkversion: Opt[str] = UNSET
    a2: Opt[str] = UNSET
    tinyid: Opt[str] = UNSET
    status_instid: Opt[Int] = UNSET
    sdkappid: Opt[Int] = UNSET
    contenttype: Opt[str] = UNSET
    reqtime: Opt[Int] = UNSET
    identifier: Opt[str] = UNSET
    usersig: Opt[str] = UNSET
    sdkability: Opt[Int] = UNSET
    tjg_id: Opt[str] = msgspec.field(name="tjgID", default=UNSET)
    servcmd: str
    seq: Int


class ResponseHead(Value, frozen=True, rename=None):
    """The head of a response or push. A response is matched by `servcmd` + `seq`; nothing else in it is read.

    The number of a push means nothing, so it may be missing.
    """

    servcmd: str
    seq: Int = 0
    contenttype: Opt[str] = UNSET


def request_head(
    servcmd: str,
    seq: int,
    *,
    sdk_app_id: int,
    reqtime: int,
    identifier: str = "",
    usersig: str = "",
    a2: str = "",
    tinyid: str = "",
    instance_id: int = 0,
    trace: str = "",
) -> RequestHead:
    """The common head. With an `a2` the ticket speaks for the caller, without one `identifier` and `usersig` do.

    `reqtime` is Unix seconds; `trace` is the `tjgID` of a send, `<tinyid>-<MsgRandom>`.
    """
    return RequestHead(
        ver="v4",
        platform=PLATFORM_WEB,
        websdkappid=WEB_SDK_APP_ID,
        websdkversion=WEB_SDK_VERSION,
        a2=a2 or UNSET,
        tinyid=tinyid if a2 else UNSET,
        status_instid=instance_id,
        sdkappid=sdk_app_id,
        contenttype="json",
        reqtime=reqtime,
        identifier=UNSET if a2 else identifier,
        usersig=UNSET if a2 else usersig,
        sdkability=2,
        tjg_id=trace,
        servcmd=servcmd,
        seq=seq,
    )
