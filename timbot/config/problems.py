"""What is wrong in a configuration, one mistake each, and the error that carries all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from timbot.errors import ConfigError

Location = tuple[int | str, ...]
"""Where a setting is: keys and positions (from 0), from the root down."""

LONGEST_KEY: Final = 32
"""Characters of a key that are shown. A longer one is more likely a secret in the wrong place."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `place` is `file:line:column` where that is known, `key` the dotted path of the setting or empty."""

    place: str
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.key, self.message) if part)


class ConfigErrors(ConfigError):
    """Every mistake of a configuration: `problems`, in the order of the file; one line each in the message."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(dict.fromkeys(problems), key=_order))
        lines = [str(problem) for problem in self.problems]
        if len(lines) > 1:
            lines.append(f"{len(lines)} mistakes")
        super().__init__("\n".join(lines))
        self.place = self.problems[0].place if self.problems else ""


def _order(problem: Problem) -> tuple[str, int, int]:
    file, _, rest = problem.place.partition(":")
    parts = problem.place.rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdecimal() and parts[2].isdecimal():
        return parts[0], int(parts[1]), int(parts[2])
    return (file if rest else problem.place), 0, 0


def dotted(location: Location) -> str:
    """A location as it is shown: `accounts.0.nick`."""
    return ".".join(shown(part) if isinstance(part, str) else str(part) for part in location)


def shown(key: str) -> str:
    """A key as it may be shown: what follows a colon, or is as long as secrets are, is left out."""
    head, colon, _ = key.partition(":")
    head, equals, _ = head.partition("=")
    if len(head) > LONGEST_KEY or not head.isprintable():
        return "..."
    return f"{head}..." if colon or equals else head
