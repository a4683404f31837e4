"""UserSig, the password of a TIM account: a signed, deflated JSON object (TLSSigAPIv2, HMAC-SHA256).

Source: the vendor's page "Generating UserSig". Pure functions: the time of signing and of checking is an argument.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import zlib
from typing import Final

import msgspec

from timbot.errors import FrameError
from timbot.im.wire.value import UNSET, Int, Opt, decode

DEFAULT_LIFETIME: Final = 180 * 86400
"""Seconds a signature is good for unless said otherwise: the vendor's default of 180 days."""

MAX_SIZE: Final = 8192
"""Bytes of the longest signature looked at; real ones have about 250."""

EXPIRED: Final = 70001
MALFORMED: Final = 70003
WRONG_KEY: Final = 70009
WRONG_USER: Final = 70013
WRONG_APP: Final = 70014

_TO_TEXT: Final = bytes.maketrans(b"+/=", b"*-_")
_TO_BASE64: Final = bytes.maketrans(b"*-_", b"+/=")


class UserSig(msgspec.Struct, frozen=True):
    """What a signature says. Times are Unix seconds, `expire` is the validity in seconds."""

    identifier: str = msgspec.field(name="TLS.identifier")
    sdkappid: Int = msgspec.field(name="TLS.sdkappid")
    expire: Int = msgspec.field(name="TLS.expire")
    time: Int = msgspec.field(name="TLS.time")
    sig: str = msgspec.field(name="TLS.sig")
    userbuf: Opt[str] = msgspec.field(name="TLS.userbuf", default=UNSET)

    @property
    def expires_at(self) -> int:
        """The first second at which it is no longer good."""
        return self.time + self.expire


def sign(
    sdk_app_id: int,
    secret_key: str,
    user_id: str,
    *,
    now: int,
    lifetime: int = DEFAULT_LIFETIME,
    userbuf: bytes | None = None,
) -> str:
    """The UserSig of `user_id`, good for `lifetime` seconds from `now`.

    The key is used as text: its 64 characters are not hex-decoded.
    """
    buffer = base64.b64encode(userbuf).decode() if userbuf is not None else UNSET
    digest = _digest(secret_key, user_id, sdk_app_id, now, lifetime, buffer)
    fields: dict[str, object] = {
        "TLS.ver": "2.0",
        "TLS.identifier": user_id,
        "TLS.sdkappid": sdk_app_id,
        "TLS.expire": lifetime,
        "TLS.time": now,
    }
    if buffer is not UNSET:
        fields["TLS.userbuf"] = buffer
    fields["TLS.sig"] = digest
    return base64.b64encode(zlib.compress(json.dumps(fields).encode())).translate(_TO_TEXT).decode()


def _digest(secret_key: str, user_id: str, sdk_app_id: int, time: int, expire: int, userbuf: Opt[str]) -> str:
    lines = [f"TLS.identifier:{user_id}", f"TLS.sdkappid:{sdk_app_id}", f"TLS.time:{time}", f"TLS.expire:{expire}"]
    if userbuf is not UNSET:
        lines.append(f"TLS.userbuf:{userbuf}")
    text = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    return base64.b64encode(hmac.new(secret_key.encode(), text, hashlib.sha256).digest()).decode()


def read(usersig: str) -> UserSig:
    """What a signature says, unchecked. Raises `FrameError` if it is none."""
    try:
        packed = base64.b64decode(usersig.encode("ascii")[:MAX_SIZE].translate(_TO_BASE64), validate=True)
        inflater = zlib.decompressobj()
        text = inflater.decompress(packed, MAX_SIZE)
        if not inflater.eof:
            raise ValueError("cut off, or far too long")
    except (ValueError, zlib.error) as error:
        raise FrameError(f"Not a UserSig: {error}") from None
    return decode(UserSig, text)


def check(usersig: str, *, sdk_app_id: int, secret_key: str, user_id: str, now: int) -> int:
    """0 if the signature lets `user_id` in, else the vendor's error code for what is wrong with it."""
    try:
        sig = read(usersig)
    except FrameError:
        return MALFORMED
    expected = _digest(secret_key, sig.identifier, sig.sdkappid, sig.time, sig.expire, sig.userbuf)
    if not hmac.compare_digest(expected.encode(), sig.sig.encode("utf-8", "replace")):
        return WRONG_KEY
    if sig.identifier != user_id:
        return WRONG_USER
    if sig.sdkappid != sdk_app_id:
        return WRONG_APP
    if sig.expires_at <= now:
        return EXPIRED
    return 0
