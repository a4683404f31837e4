"""Where to connect to: the vendor's hosts by name, the local sandbox, or an address of one's own."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from timbot.errors import InvalidArgument

SANDBOX_PORT: Final = 8420

_NAMED: Final[dict[str, tuple[str, ...]]] = {
    "china": ("wss://wss.im.qcloud.com", "wss://wss.tim.qq.com"),
    "oversea": ("wss://wss.im.qcloud.com",),
    "sandbox": (f"ws://127.0.0.1:{SANDBOX_PORT}",),
}

_PATH: Final = "/info"
"""The path of the text-frame dialect, which SDK 2.14.0 speaks. The vendor may retire it one day: a named risk."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server and its stand-ins, tried in turn. `name` is what the configuration said."""

    name: str
    urls: tuple[str, ...]

    def url(self, attempt: int, *, sdk_app_id: int, instance_id: str, random: float) -> str:
        """The full address for the `attempt`-th connection (from 0); `instance_id` is 32 hexadecimal digits."""
        base = self.urls[attempt % len(self.urls)]
        return f"{base}{_PATH}?sdkappid={sdk_app_id}&instanceid={instance_id}&random={random}"


def resolve(text: str, *, insecure: bool = False) -> Endpoint:
    """`china`, `oversea`, `sandbox`, or a `ws://` or `wss://` URL.

    `ws://` sends the signature in the clear: it is taken for loopback addresses only, unless `insecure`.
    Raises `InvalidArgument` with what to write instead.
    """
    if text in _NAMED:
        return Endpoint(text, _NAMED[text])
    parts = _split(text)
    if parts is None or parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise InvalidArgument(f"'{text}' is no endpoint.", hint="Write china, oversea, sandbox, or a ws:// or wss:// URL.")
    if parts.query or parts.fragment:
        raise InvalidArgument(f"The endpoint '{text}' must not have a query.", hint="Host, port and path only.")
    if parts.scheme == "ws" and not insecure and not is_loopback(parts.hostname):
        raise InvalidArgument(
            f"'{text}' would send the signature unencrypted over the network.",
            hint="Use wss://, or set 'insecure: true' if that network is yours alone.",
        )
    return Endpoint(text, (text.rstrip("/").removesuffix(_PATH),))


def _split(text: str) -> SplitResult | None:
    """The parts of a URL; None if it is none, or its port is no port."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine: a loopback address or `localhost`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
