"""Who was told what, in the store, so that nobody is told twice when the bot is restarted in the middle of a list.

A recipient is noted as `unknown` before the message goes out, and with what became of it afterwards. Whoever is noted is not
told again: where the bot was stopped between the two, nobody knows whether they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Literal

from timbot import Store
from timbot_plugins.announcements.settings import Recipient

Result = Literal["sent", "failed", "unknown"]

STALE: Final = 86400.0
"""Seconds after which a list that was broken off is not resumed: nobody wants yesterday's greeting."""

_ROUND: Final = "round"
_TOLD: Final = "told"


@dataclass(frozen=True, slots=True)
class Round:
    """One announcement at one of its times (Unix seconds)."""

    name: str
    nominal: int


class Records:
    """What is noted of one round."""

    def __init__(self, store: Store, of: Round) -> None:
        self._store = store
        self._round = _key(of)
        self._told = "\n".join((_TOLD, of.name, str(of.nominal), ""))

    async def open(self) -> None:
        """The round has begun."""
        await self._store.set(self._round, "open")

    async def close(self) -> None:
        """The round is over: everybody was told, or will not be."""
        await self._store.set(self._round, "closed")

    async def note(self, recipient: Recipient, result: Result, code: str = "") -> None:
        """What became of the message to a recipient."""
        await self._store.set(self._key(recipient), {"result": result, "code": code} if code else {"result": result})

    async def unnote(self, recipient: Recipient) -> None:
        """The recipient was not told after all, for certain."""
        await self._store.delete(self._key(recipient))

    async def noted(self) -> set[str]:
        """The recipients noted, each as `kind:id`."""
        return {key.removeprefix(self._told) for key in await self._store.keys(self._told)}

    async def count(self) -> Counter[Result]:
        """How many recipients there are of each result."""
        return Counter([(await self._store.get(key))["result"] for key in await self._store.keys(self._told)])

    async def forget(self) -> None:
        """Drop all of it."""
        for key in (*await self._store.keys(self._told), self._round):
            await self._store.delete(key)

    def _key(self, recipient: Recipient) -> str:
        return self._told + label(recipient)


def label(recipient: Recipient) -> str:
    """How a recipient is noted."""
    return f"{recipient.kind}:{recipient.id}"


async def broken_off(store: Store) -> list[Round]:
    """The rounds that were begun and are not over."""
    return [found async for found in _rounds(store) if await store.get(_key(found)) == "open"]


async def prune(store: Store, before: float) -> int:
    """Forget the rounds of times before this (Unix seconds). How many they were."""
    old = [found async for found in _rounds(store) if found.nominal < before]
    for found in old:
        await Records(store, found).forget()
    return len(old)


def _key(of: Round) -> str:
    return "\n".join((_ROUND, of.name, str(of.nominal)))


async def _rounds(store: Store) -> AsyncIterator[Round]:
    for key in await store.keys(f"{_ROUND}\n"):
        _, name, nominal = key.split("\n")
        yield Round(name, int(nominal))
