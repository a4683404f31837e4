"""`${VAR}`, `${VAR:-default}` and `${file:/path}` inside single values.

They are put in after the YAML is understood, so what a variable or a file holds is never read as YAML. What comes from a
file, or from a variable that smells of a secret, is registered as one before anybody can print it.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from timbot.config.scalars import has_half_a_character
from timbot.redaction import register

LARGEST_FILE: Final = 64 * 1024
"""Bytes of a file that `${file:...}` may name."""

SECRET_KEYS: Final = frozenset(("secret_key", "user_sig"))
"""Settings whose values are secrets wherever they come from."""

_OPENING: Final = re.compile(r"\$?\$\{")
_VARIABLE: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_SMELL: Final = re.compile(r"(?:key|secret|sig|token|password|passwd|passphrase|credential)s?$", re.IGNORECASE)
_NO_SMELL: Final = frozenset(("file", "path", "dir", "folder"))


class ExpansionError(Exception):
    """An expansion that cannot be made; the message names what is missing and the cure."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """The outcome. `whole`: the text was one expansion and nothing else; `outside`: a variable or file had part in it."""

    text: str
    whole: bool
    outside: bool


def smells_of_secret(name: str) -> bool:
    """Whether a variable or a setting of this name holds a secret, by its words: TIM_SECRET_KEY, `api_token`, `userSig`."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    if not words or words[-1].lower() in _NO_SMELL:
        return False
    return any(_SMELL.search(word) for word in words)


class Expander:
    """Expands the values of one file. Paths are relative to `folder`."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ
        self._files: dict[str, str] = {}

    @property
    def files(self) -> list[Path]:
        """The files that were read."""
        return [self._folder / name for name in self._files]

    def expand(self, text: str, key: str) -> Expanded:
        """The value of the setting `key` with everything put in. Raises `ExpansionError`."""
        pieces: list[str] = []
        done, outside, whole = 0, False, False
        while opening := _OPENING.search(text, done):
            pieces.append(text[done : opening.start()])
            if opening[0] == "$${":
                pieces.append("${")
                done = opening.end()
                continue
            end = text.find("}", opening.end())
            if end < 0:
                raise ExpansionError("'${' is never closed: write ${NAME}, or $${ for the two characters themselves")
            value, from_outside = self._value(text[opening.end() : end], key)
            pieces.append(value)
            outside = outside or from_outside
            whole = opening.start() == 0 and end == len(text) - 1
            done = end + 1
        pieces.append(text[done:])
        return Expanded("".join(pieces), whole, outside)

    def _value(self, inner: str, key: str) -> tuple[str, bool]:
        """What one expansion stands for, and whether it came from outside the file."""
        if "${" in inner:
            raise ExpansionError("an expansion cannot hold another one")
        if inner.startswith("file:"):
            return self._file(inner.removeprefix("file:")), True
        found = _VARIABLE.fullmatch(inner)
        if found is None:
            raise ExpansionError("between '${' and '}' stands NAME, NAME:-default or file:PATH; write $${ for the text itself")
        name, default = found.groups()
        value = self._environ.get(name, "")
        if not value:
            if default is None:
                state = "empty" if name in self._environ else "not set"
                raise ExpansionError(f"the variable {name} is {state}: set it, or give a default as in ${{{name}:-default}}")
            return default, False
        if has_half_a_character(value):
            raise ExpansionError(f"the variable {name} is not UTF-8 text")
        if smells_of_secret(name) or smells_of_secret(key):
            register(value)
        return value, True

    def _file(self, name: str) -> str:
        if name not in self._files:
            text = self._read(name)
            register(text)
            self._files[name] = text
        return self._files[name]

    def _read(self, name: str) -> str:
        path = self._folder / name
        if not name or "\0" in name:
            raise ExpansionError("a path is missing after 'file:'")
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise ExpansionError(f"{path} is no file")
            with path.open("rb") as opened:
                content = opened.read(LARGEST_FILE + 1)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ExpansionError(f"the file {path} cannot be read: {reason}; check the path and the permissions") from None
        if len(content) > LARGEST_FILE:
            raise ExpansionError(f"the file {path} is larger than {LARGEST_FILE // 1024} KiB")
        try:
            return content.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError:
            raise ExpansionError(f"the file {path} is not UTF-8 text") from None
