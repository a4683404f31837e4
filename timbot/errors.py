"""One tree of exceptions.

Every error a caller can meet derives from `TimbotError`. Each carries fields to branch on, a sentence a person can act
on (`hint`) and the anchor of the page that explains it (`docs`).
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar


class TimbotError(Exception):
    """The root. `str(error)` is one sentence; `hint` says what to do about it."""

    docs: ClassVar[str] = "errors"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ConfigError(TimbotError):
    """A configuration that cannot be used. `place` is `file:line:column` where it is known."""

    docs = "errors#configuration"

    def __init__(self, message: str, *, place: str = "", hint: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.place = place


class PluginError(TimbotError):
    """A mistake in a plugin found while loading it: a wrong signature, a name used twice, a failed import."""

    docs = "errors#plugins"


class ImError(TimbotError):
    """Anything the TIM client raises."""

    docs = "errors#im"


class FrameError(ImError):
    """Bytes that cannot be understood. `path` says where in the frame, `raw` holds at most the first 200 bytes of it."""

    docs = "errors#frames"

    def __init__(self, message: str, *, path: str = "", raw: bytes = b"") -> None:
        super().__init__(f"{message} (at {path})" if path else message)
        self.path = path
        self.raw = bytes(raw[:200])


class ConnectionLost(ImError):
    """The socket is gone, or could not be opened. `code` is the WebSocket close code, 1006 if there was none."""

    docs = "errors#connection"

    def __init__(self, message: str, *, code: int = 1006, reason: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.reason = reason


class RequestTimeout(ImError):
    """A read that got no answer within its time limit (SDK code 2801)."""

    docs = "errors#timeout"

    def __init__(self, command: str, seconds: float) -> None:
        super().__init__(f"{command} was not answered within {seconds:g} s.")
        self.command = command
        self.seconds = seconds


class OutcomeUnknown(ImError):
    """A write whose answer was lost: it may or may not have happened.

    `command` is the servcmd, `token` what identifies the effect in the server's history ((`MsgSeq`, `MsgRandom`) for
    C2C, `Random` for groups, None for other requests), `sent_at` the time of sending (Unix seconds).
    """

    docs = "errors#outcome-unknown"

    def __init__(self, command: str, *, token: object = None, sent_at: float = 0.0, cause: str = "") -> None:
        super().__init__(
            f"The answer to {command} was lost{f' ({cause})' if cause else ''}; whether it took effect is unknown."
        )
        self.command = command
        self.token = token
        self.sent_at = sent_at


class ServerError(ImError):
    """The server refused a request. `code` is its ErrorCode, `info` its own words."""

    docs = "errors#server"

    def __init__(self, command: str, code: int, info: str = "", *, hint: str = "") -> None:
        cure = hint or _SERVER_HINTS.get(code, "")
        super().__init__(f"{command} was refused: {code}{f' {info}' if info else ''}.", hint=cure)
        self.command = command
        self.code = code
        self.info = info


_TOO_LONG = "A message holds 12,288 bytes, with everything in it: send a long text in several messages, or a link to it."
_NO_FRIENDS = "The app lets only friends write to each other: the bot and this user have to be friends first."
_SERVER_HINTS: dict[int, str] = {
    10017: "The account is muted in this group: an admin of the group can change that.",
    20009: _NO_FRIENDS,
    20010: _NO_FRIENDS,
    20011: _NO_FRIENDS,
    80002: _TOO_LONG,
    93000: _TOO_LONG,
}


class LoginRefused(ServerError):
    """The server does not let `user_id` in. `code` 70001 expired, 70003/70009/70013/70014 wrong key or account."""

    docs = "errors#login"

    def __init__(self, command: str, code: int, info: str = "", *, user_id: str = "") -> None:
        super().__init__(command, code, info, hint=_LOGIN_HINTS.get(code, ""))
        if user_id:
            self.message = f"The login of {user_id} was refused: {code}{f' {info}' if info else ''}."
        self.user_id = user_id


_WRONG_KEY = "Check that secret key (or UserSig), 'sdk_app_id' and 'user_id' belong together: the console shows the key."
_LOGIN_HINTS: dict[int, str] = {
    20002: "Give a fresh UserSig, or the secret key to make one from.",
    60002: "The server does not want this client to come back.",
    70001: "The UserSig has expired: give a fresh one, or the secret key to make one from.",
    70003: "This is no UserSig: it may have been cut or pasted wrongly.",
    70009: _WRONG_KEY,
    70013: _WRONG_KEY,
    70014: _WRONG_KEY,
    70016: "The app has no key yet, or the endpoint is of another region: china or oversea?",
    70020: "There is no such app at this endpoint. Check 'sdk_app_id' and 'endpoint' (china or oversea).",
    70051: "The account is barred: ask whoever administers the app.",
}


class KickKind(Enum):
    """Why a login was ended from outside (the SDK's `KICKED_OUT_*`)."""

    MULTIPLE_ACCOUNT = "multipleAccount"
    """The same account logged in elsewhere."""
    MULTIPLE_DEVICE = "multipleDevice"
    """The same account logged in on a device type that may not be online beside this one."""


class KickedOutError(ImError):
    """The login ended because the account is used elsewhere. It does not come back by itself: two would kick each other.

    `message` and `hint` for whoever can say more than that it has happened.
    """

    docs = "errors#kicked-out"

    def __init__(self, kind: KickKind, message: str = "", *, hint: str = "") -> None:
        super().__init__(
            message or f"Kicked out ({kind.value}): this account was logged in somewhere else.",
            hint=hint or "Run one bot per account, or raise 'Online Web Instances' in the console.",
        )
        self.kind = kind


class NotLoggedIn(ImError):
    """A request was made before login or after logout (SDK code 2024 and 2999)."""

    docs = "errors#not-logged-in"


class InvalidArgument(ImError):
    """The caller's mistake, found before anything was sent. `code` is the SDK's client code where it has one, else 0."""

    docs = "errors#arguments"

    def __init__(self, message: str, *, code: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
