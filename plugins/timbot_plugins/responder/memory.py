"""What the bot remembers between messages, in the store: each with the moment at which it is forgotten.

Where it keeps quiet, who is in which menu, and who has heard what. It survives a restart.
"""

from __future__ import annotations

from collections.abc import Sequence

from timbot import Store

_BETWEEN = "\n"
"""Between the parts of a key; neither users nor groups have it in their names."""


class Memory:
    """What is remembered of one conversation and, in it, of one person. Times are Unix seconds by the server's clock."""

    def __init__(self, store: Store, conversation: str, person: str = "") -> None:
        self._store = store
        self._quiet = _BETWEEN.join(("quiet", conversation))
        self._menu = _BETWEEN.join(("menu", conversation, person))
        self._said = _BETWEEN.join(("said", conversation, person))

    async def is_quiet(self, now: float) -> bool:
        """Whether a person has the conversation."""
        return await self._until(self._quiet) > now

    async def keep_quiet(self, until: float) -> None:
        """Leave the conversation to a person, at least until then."""
        await self._store.set(self._quiet, {"until": max(until, await self._until(self._quiet))})

    async def menu(self, now: float) -> list[str] | None:
        """The choices that led to the menu the person saw last, or None if that was too long ago."""
        found = await self._store.get(self._menu)
        return None if found is None or found["until"] <= now else list(found["path"])

    async def show_menu(self, path: Sequence[str], until: float) -> None:
        """The person sees the menu at the end of these choices."""
        await self._store.set(self._menu, {"until": until, "path": list(path)})

    async def may_say(self, what: str, now: float, once_per: float | None) -> bool:
        """Whether the person has not heard this for so many seconds. It is taken as said if so."""
        if once_per is None:
            return True
        key = _BETWEEN.join((self._said, what))
        if await self._until(key) > now:
            return False
        await self._store.set(key, {"until": now + once_per})
        return True

    async def _until(self, key: str) -> float:
        found = await self._store.get(key)
        return 0.0 if found is None else float(found["until"])


async def forget(store: Store, now: float) -> int:
    """Forget all that is over. How many things that were."""
    count = 0
    for key in await store.keys():
        found = await store.get(key)
        if found is not None and found["until"] <= now:
            await store.delete(key)
            count += 1
    return count
