"""Lists of users in settings: user IDs, and beginnings of user IDs such as `vip_*`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import AfterValidator

from timbot.fields import Place


def _is_entry(text: str) -> str:
    name = text.removesuffix("*")
    if not name:
        raise ValueError("a user ID is needed, or the beginning of one and a star: vip_*")
    if "*" in name:
        raise ValueError("a star stands at the end only: vip_*")
    if name != name.strip():
        raise ValueError("a user ID has no white space around it")
    return text


Who = Annotated[str, AfterValidator(_is_entry)]
"""A user ID, or the beginning of some and a star: `vip_*`."""


def listed(user_id: str, entries: Iterable[str]) -> bool:
    """Whether the user is one of these."""
    return any(_covers(entry, user_id) for entry in entries)


def never_allowed(allow: Sequence[str], deny: Sequence[str]) -> dict[Place, str]:
    """Entries of `allow` that can do nothing, by place, since `deny` is asked first."""
    return {
        ("allow", number): f"'{entry}' is denied too, and deny is asked first: take it out of one of the lists"
        for number, entry in enumerate(allow)
        if any(_covers(denied, entry) for denied in deny)
    }


def _covers(entry: str, name: str) -> bool:
    """Whether all that `name` means, a user or several, is among what `entry` means."""
    return name.startswith(entry[:-1]) if entry.endswith("*") else name == entry
