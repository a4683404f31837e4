"""Who is to be told, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable

from timbot import Client
from timbot.errors import ImError
from timbot_plugins.announcements.settings import Announcement, Recipient


async def friends_of(client: Client) -> tuple[str, ...] | None:
    """The account's friends; None if they cannot be had now."""
    try:
        return tuple(friend.user_id for friend in await client.get_friend_list())
    except ImError:
        return None


async def recipients_of(item: Announcement, friends: Iterable[str], client: Client) -> list[Recipient]:
    """The recipients of an announcement, groups first. Their names are asked for only where a text says them."""
    users = tuple(dict.fromkeys((*item.users, *friends)))
    with_names = any("recipient" in text.variables for text in item.text)
    groups = await _group_names(client) if with_names and item.groups else {}
    nicks = await _nicks(client, users) if with_names else {}
    return [
        *(Recipient("group", group, groups.get(group) or group) for group in item.groups),
        *(Recipient("user", user, nicks.get(user) or user) for user in users),
    ]


async def _group_names(client: Client) -> dict[str, str]:
    try:
        return {group.group_id: group.name for group in await client.get_group_list()}
    except ImError:
        return {}  # their IDs serve


async def _nicks(client: Client, users: tuple[str, ...]) -> dict[str, str]:
    try:
        return {profile.user_id: profile.nick for profile in await client.get_user_profile(users)}
    except ImError:
        return {}
