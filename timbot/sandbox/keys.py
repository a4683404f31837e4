"""Where a secret key comes from. Never the command line, which every process on the machine may read.

The sandbox needs no account, so without a key of its own it takes a fixed one that everybody knows: fit for loopback, and
for nothing else. Whoever knows the key can log in as anybody.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from timbot.errors import ConfigError

DEFAULT_SDK_APP_ID: Final = 1400000000
"""The app the sandbox plays unless told otherwise."""

DEFAULT_HOST: Final = "127.0.0.1"
"""Where it listens unless told otherwise: on this machine only."""

SANDBOX_VARIABLE: Final = "TIMBOT_SANDBOX_SECRET_KEY"
APP_VARIABLE: Final = "TIMBOT_SECRET_KEY"

DEMO_KEY: Final = "timbot-sandbox-demo-key-known-to-all-good-on-this-machine-only-0"
"""64 characters like a real one; signs for the sandbox on loopback."""

LEAST_LENGTH: Final = 16
"""Characters of the shortest key taken: a signature made with a shorter one gives the key away to whoever tries them all."""

LARGEST_FILE: Final = 4096


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A key and where it was found. Its readable form does not show it."""

    text: str = field(repr=False)
    source: str

    @property
    def demo(self) -> bool:
        """Whether it is the one everybody knows, wherever it was found."""
        return self.text == DEMO_KEY


DEMO: Final = SecretKey(DEMO_KEY, "the built-in demo key")


def sandbox_key(file: Path | None = None, environ: Mapping[str, str] = os.environ) -> SecretKey:
    """The sandbox's key: from `file`, else from `TIMBOT_SANDBOX_SECRET_KEY`, else the demo key. Raises `ConfigError`."""
    return _find(file, SANDBOX_VARIABLE, environ) or DEMO


def app_key(file: Path | None = None, environ: Mapping[str, str] = os.environ) -> SecretKey:
    """A real app's key: from `file`, else from `TIMBOT_SECRET_KEY`. Raises `ConfigError` if there is none."""
    key = _find(file, APP_VARIABLE, environ)
    if key is None:
        raise ConfigError(
            "There is no secret key to sign with.",
            hint=f"Name a file with --secret-key-file, or set {APP_VARIABLE}. For the local sandbox: --sandbox.",
        )
    return key


def _find(file: Path | None, variable: str, environ: Mapping[str, str]) -> SecretKey | None:
    if file is not None:
        return SecretKey(_checked(_read(file), f"The key file {file}"), f"the file {file}")
    if variable in environ:
        return SecretKey(_checked(environ[variable], f"The variable {variable}"), f"the variable {variable}")
    return None


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(
            f"The key file {file} cannot be read: {error.strerror or error}.", hint="Check the path and the permissions."
        ) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"The key file {file} is not text.", hint="It holds the key and nothing else.") from None


def _checked(text: str, where: str) -> str:
    key = text.strip()
    if not key:
        raise ConfigError(f"{where} is empty.", hint="It holds the key and nothing else.")
    if len(key) < LEAST_LENGTH or len(key) > LARGEST_FILE // 4 or not key.isprintable() or " " in key:
        raise ConfigError(
            f"{where} does not hold a secret key: one word of at least {LEAST_LENGTH} characters.",
            hint="The console of the app shows it: 64 characters. For a sandbox: python -c 'import secrets; "
            "print(secrets.token_hex(32))'.",
        )
    return key
