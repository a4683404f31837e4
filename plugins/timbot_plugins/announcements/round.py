"""Telling one announcement to all its recipients: at the account's rate, each by itself, each result noted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from weakref import WeakKeyDictionary

from timbot import Client, Sender, Store
from timbot.errors import NotLoggedIn, OutcomeUnknown
from timbot_plugins.announcements.pace import pace_of
from timbot_plugins.announcements.recipients import friends_of, recipients_of
from timbot_plugins.announcements.records import Records, Round, label
from timbot_plugins.announcements.settings import Announcement, Recipient

AT_ONCE: Final = 8
"""Recipients whose answers are waited for at once: one that is slow does not hold up the list."""

PROGRESS: Final = 100
"""After so many recipients the log says how far it is."""

_going: WeakKeyDictionary[Client, set[Round]] = WeakKeyDictionary()
"""The rounds that are being told right now, by account."""


class Teller:
    """Tells one announcement once."""

    def __init__(self, item: Announcement, now: datetime, out: Sender, store: Store, per_second: float) -> None:
        self._item = item
        self._now = now
        self._out = out
        self._per_second = per_second
        self._round = Round(item.name, int(now.timestamp()))
        self._records = Records(store, self._round)
        self._log = out.log.bind(announcement=item.name, time=now.isoformat())
        self._done = 0
        self._total = 0

    async def tell(self) -> None:
        """Tell everybody who has not been told. Without a login it is broken off, and resumed after the next one."""
        going = _going.setdefault(self._out.client.underlying, set())
        if self._round in going:
            return
        going.add(self._round)
        try:
            await self._tell()
        except* NotLoggedIn:
            self._log.warning("announcement broken off", done=self._done, recipients=self._total)
        finally:
            going.discard(self._round)

    async def _tell(self) -> None:
        await self._records.open()
        friends = await friends_of(self._out.client) if self._item.friends else ()
        everybody = await recipients_of(self._item, friends or (), self._out.client)
        noted = await self._records.noted()
        left = [recipient for recipient in everybody if label(recipient) not in noted]
        self._total, self._done = len(everybody), len(everybody) - len(left)
        self._log.debug("announcement begins", recipients=self._total, done=self._done)
        line = iter(left)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(AT_ONCE, len(left))):
                tasks.create_task(self._work(line))
        if friends is None:
            self._log.warning("announcement broken off, the friends cannot be listed", done=self._done)
            return
        await self._records.close()
        results = await self._records.count()
        self._log.info("announcement done", sent=results["sent"], failed=results["failed"], unknown=results["unknown"])

    async def _work(self, line: Iterator[Recipient]) -> None:
        for recipient in line:
            await self._tell_one(recipient)
            self._done += 1
            if self._done % PROGRESS == 0:
                self._log.info("announcement goes on", recipients=self._total, done=self._done)

    async def _tell_one(self, recipient: Recipient) -> None:
        said = 0
        try:
            for text in [text.render(now=self._now, recipient=recipient) for text in self._item.text]:
                await pace_of(self._out.client).turn(self._per_second)
                if not said:
                    await self._records.note(recipient, "unknown")
                await self._send(recipient, text, key=f"{label(recipient)} {said}")
                said += 1
        except NotLoggedIn:
            if not said:
                await self._records.unnote(recipient)  # it did not go out
            raise
        except OutcomeUnknown as error:
            self._log.warning("announcement perhaps not sent", to=recipient.id, kind=recipient.kind, error=str(error))
        except Exception as error:  # whatever is wrong with one recipient is nothing to the others
            code = str(getattr(error, "code", "")) or type(error).__name__
            self._log.warning("announcement not sent", to=recipient.id, kind=recipient.kind, code=code, error=str(error))
            await self._records.note(recipient, "failed", code)
        else:
            self._log.debug("announcement sent", to=recipient.id, kind=recipient.kind)
            await self._records.note(recipient, "sent")

    async def _send(self, recipient: Recipient, text: str, *, key: str) -> None:
        if recipient.kind == "group":
            await self._out.group(recipient.id, text, priority=self._item.group_priority, key=key)
        else:
            await self._out.user(recipient.id, text, key=key)
