"""Who was refused lately, in the store: it survives a restart."""

from __future__ import annotations

from typing import Final

from timbot import Store

_REFUSED: Final = "refused\n"


def _key(group_id: str, user_id: str) -> str:
    return f"{_REFUSED}{group_id}\n{user_id}"


async def note(store: Store, group_id: str, user_id: str, until: float) -> None:
    """Remember until then (Unix seconds) that the user was refused."""
    await store.set(_key(group_id, user_id), until)


async def until(store: Store, group_id: str, user_id: str) -> float:
    """Until when (Unix seconds) the user has to wait; 0 for who was not refused."""
    found: float = await store.get(_key(group_id, user_id), 0.0)
    return found


async def forget(store: Store, now: float) -> int:
    """Forget what is over. How much that was."""
    over = [key for key in await store.keys(_REFUSED) if await store.get(key, 0.0) <= now]
    for key in over:
        await store.delete(key)
    return len(over)
