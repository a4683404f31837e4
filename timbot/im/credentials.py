"""Where the UserSig comes from: made from the secret key, given as text, read from a file, or asked of a function.

A signature is asked for anew when less than a tenth of its life is left, or when the server has refused the one we had.
Nothing here is ever printed: the values have no readable form, and each is registered as a secret before it is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from timbot.errors import FrameError, ImError
from timbot.im.wire import usersig
from timbot.redaction import register

RENEW_BELOW: Final = 0.1
"""The share of a signature's life that may be left before a new one is asked for."""

Source = Callable[[str, int], Awaitable[str]]
"""Gives a UserSig for (user ID, Unix seconds now)."""


class CredentialsError(ImError):
    """No UserSig could be had: the file is missing, the function failed."""

    docs = "errors#credentials"


class Credentials:
    """The signature of one account, cached while it is good."""

    __slots__ = ("_cached", "_source", "_user_id")

    def __init__(self, user_id: str, source: Source) -> None:
        self._user_id = user_id
        self._source = source
        self._cached = ""

    def __repr__(self) -> str:
        return f"<Credentials of {self._user_id}>"

    async def get(self, now: float) -> str:
        """A signature good at `now` (Unix seconds). Raises `CredentialsError`."""
        if not self._cached or _worn(self._cached, now):
            self._cached = (await self._source(self._user_id, int(now))).strip()
            if not self._cached:
                raise CredentialsError(
                    f"The UserSig of {self._user_id} is empty.", hint="Make one with 'timbot usersig', or give the secret key."
                )
            register(self._cached)
        return self._cached

    def forget(self) -> None:
        """The server refused it: the next `get` asks again."""
        self._cached = ""


def _worn(sig: str, now: float) -> bool:
    try:
        content = usersig.read(sig)
    except FrameError:
        return False  # not ours to judge: the server will
    return content.expires_at - now < content.expire * RENEW_BELOW


def from_secret_key(sdk_app_id: int, secret_key: str, *, lifetime: int = usersig.DEFAULT_LIFETIME) -> Source:
    """Sign with the app's secret key. `lifetime` in seconds."""
    register(secret_key)

    async def make(user_id: str, now: int) -> str:
        register(secret_key)  # anew: those registered longest ago are the first to be forgotten
        return usersig.sign(sdk_app_id, secret_key, user_id, now=now, lifetime=lifetime)

    return make


def from_text(sig: str) -> Source:
    """One fixed signature. When it has expired the login is refused."""
    register(sig)

    async def give(_user_id: str, _now: int) -> str:
        return sig

    return give


def from_file(path: str | Path) -> Source:
    """Read anew each time: whoever renews the file renews the signature."""

    async def read(user_id: str, _now: int) -> str:
        try:
            return await asyncio.to_thread(Path(path).read_text, encoding="utf-8")
        except OSError as error:
            raise CredentialsError(
                f"The UserSig file of {user_id} cannot be read: {error.strerror or error}: {path}.",
                hint="Check 'user_sig_file' and the file's permissions.",
            ) from error
        except UnicodeDecodeError:  # which holds what was read: not to be shown
            raise CredentialsError(
                f"The UserSig file of {user_id} is no text: {path}.", hint="It holds the UserSig and nothing else."
            ) from None

    return read


def from_callable(function: Callable[[str], Awaitable[str] | str]) -> Source:
    """Ask a function of yours, plain or async, with the user ID."""

    async def ask(user_id: str, _now: int) -> str:
        try:
            answer = function(user_id)
            sig: object = await answer if isinstance(answer, Awaitable) else answer
        except ImError:
            raise
        except Exception as error:
            raise CredentialsError(
                f"The function that gives the UserSig of {user_id} failed: {error!r}.",
                hint="Mend the function; it gets the user ID.",
            ) from error
        if not isinstance(sig, str):
            kind = type(sig).__name__
            raise CredentialsError(
                f"The function that gives the UserSig of {user_id} gave no text but a {kind}.", hint="It returns a str."
            )
        return sig

    return ask
