"""Looks at a given UserSig before it expires: nobody renews it but the operator, who has to hear of it in time.

A signature that is made from the secret key is made anew by itself and needs no such look.
"""

from __future__ import annotations

from typing import Final

from timbot.errors import FrameError, ImError
from timbot.im.clock import Clock
from timbot.im.credentials import Source
from timbot.im.wire import usersig

LOOK_EVERY: Final = 60.0
"""Seconds between two looks: a file may be renewed at any time."""

EARLY: Final = (14 * 86400.0, 0.25)
"""From when on it is noted: so many seconds before the end, or this share of its life, whichever is less."""

LATE: Final = (86400.0, 0.05)
"""From when on it is a reason to act, likewise."""


class GivenSignature:
    """The UserSig of an account that was given as a text (`fixed`) or as a file."""

    def __init__(self, source: Source, user_id: str, clock: Clock, *, fixed: bool) -> None:
        self._source = source
        self._user_id = user_id
        self._clock = clock
        self._cure = "give a fresh one and start again" if fixed else "renew its file; it is read when it is needed"
        self._life = 0.0
        self._error = ""
        self.expires_at = 0.0
        """Unix seconds; 0: not known."""

    async def look(self) -> None:
        """Read it."""
        try:
            found = usersig.read((await self._source(self._user_id, int(self._clock.now()))).strip())
        except FrameError:
            self._error = "what stands for the UserSig is none: the next login will be refused"
            return
        except ImError as error:
            self._error = f"{error.message} The next login will fail."
            return
        self._error, self._life, self.expires_at = "", float(found.expire), float(found.expires_at)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the operator must act now, a sentence each."""
        if self._error:
            return (self._error,)
        return (self._sentence(),) if self._within(LATE) else ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Why the operator must act soon, a sentence each."""
        return (self._sentence(),) if self._within(EARLY) and not self.reasons else ()

    def _within(self, limit: tuple[float, float]) -> bool:
        seconds, share = limit
        return bool(self.expires_at) and self.expires_at - self._clock.now() < min(seconds, share * self._life)

    def _sentence(self) -> str:
        left = self.expires_at - self._clock.now()
        if left <= 0:
            return f"the UserSig has expired: {self._cure}"
        return f"the UserSig expires in {_in_words(left)}: {self._cure}"


def _in_words(seconds: float) -> str:
    for length, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"
