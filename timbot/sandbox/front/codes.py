"""Error codes the front itself answers with, by the service a command belongs to."""

from __future__ import annotations

from typing import Final

UNKNOWN_COMMAND: Final = 10003
NOT_AVAILABLE: Final = 10026

_GROUPS: Final = (10004, 10002)
_DEFAULT: Final = (70402, 70500)
_BY_SERVICE: Final[dict[str, tuple[int, int]]] = {
    "openim": (20001, 20005),
    "sns": (30001, 30006),
    "profile": (40001, 40006),
    "recentcontact": (50002, 50001),
}

_MESSAGE_FIELDS: Final[dict[str, int]] = {
    "MsgBody": 90002,
    "To_Account": 90003,
    "MsgRandom": 90005,
    "MsgTimeStamp": 90006,
    "MsgLifeTime": 90044,
}
BODY_NOT_A_LIST: Final = 90007
ELEMENT_MALFORMED: Final = 90010
NOT_JSON: Final = 90001
RECEIVER_MISSING: Final = 90003
RANDOM_MISSING: Final = 90005
BODY_MISSING: Final = 90002
TAG_UNKNOWN: Final = 40005


def bad_body(servcmd: str, path: str) -> int:
    """The code for a body that cannot be understood at `path` (`$.MsgBody[0].MsgType`)."""
    field = path.removeprefix("$").removeprefix(".").partition(".")[0]
    name, bracket, _ = field.partition("[")
    if servcmd == "openim.sendmsg":
        if name == "MsgBody" and not bracket:
            return BODY_NOT_A_LIST if path == "$.MsgBody" else ELEMENT_MALFORMED
        if name == "MsgBody":
            return ELEMENT_MALFORMED
        return _MESSAGE_FIELDS.get(name, _service(servcmd)[0])
    return _service(servcmd)[0]


def internal(servcmd: str) -> int:
    """The code for a failure of the server's own."""
    return _service(servcmd)[1]


def _service(servcmd: str) -> tuple[int, int]:
    service = servcmd.partition(".")[0]
    if service.startswith("group_open"):
        return _GROUPS
    return _BY_SERVICE.get(service, _DEFAULT)
