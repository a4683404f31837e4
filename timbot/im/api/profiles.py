"""Profiles of this account and of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from timbot.errors import InvalidArgument
from timbot.im.api.base import Api
from timbot.im.model.people import TAGS, Profile, profile_of
from timbot.im.wire.commands import profiles
from timbot.im.wire.commands.base import TagValue
from timbot.im.wire.value import given

AT_ONCE: Final = 100
"""Users whose profiles one request may ask for."""

BAD_VALUE: Final = 2721
NOTHING_TO_UPDATE: Final = 2722


class ProfilesApi(Api):
    """`getMyProfile`, `getUserProfile`, `updateMyProfile`."""

    async def get_my_profile(self) -> Profile:
        """One's own profile (`getMyProfile`)."""
        found = await self.get_user_profile([self.user_id])
        return found[0] if found else Profile(self.user_id)

    async def get_user_profile(self, user_ids: Sequence[str]) -> list[Profile]:
        """Profiles of users (`getUserProfile`), asked for by hundreds; users the server does not know are left out."""
        found: list[Profile] = []
        for start in range(0, len(user_ids), AT_ONCE):
            queries = [
                profiles.ProfileQuery(to_account=user, standard_sequence=0, custom_sequence=0)
                for user in user_ids[start : start + AT_ONCE]
            ]
            request = profiles.GetRequest(from_account=self.user_id, user_item=queries)
            answer = await self._session.request(profiles.GET, request)
            found.extend(
                profile_of(item.to_account, given(item.profile_item, []))
                for item in given(answer.user_profile_item, [])
                if item.to_account not in ("", profiles.NOT_FOUND) and given(item.result_code, 0) == 0
            )
        return found

    async def update_my_profile(self, **fields: str | int) -> None:
        """Change one's own profile (`updateMyProfile`): `nick`, `avatar`, `gender`, `allow_type`, ... as in `Profile`.

        Raises `InvalidArgument`: 2721 a field that does not exist, 2722 nothing to change.
        """
        if not fields:
            raise InvalidArgument("There is nothing to update.", code=NOTHING_TO_UPDATE)
        unknown = [name for name in fields if name not in TAGS]
        if unknown:
            raise InvalidArgument(
                f"A profile has no '{unknown[0]}'.", code=BAD_VALUE, hint=f"It has {', '.join(sorted(TAGS))}."
            )
        items = [TagValue(tag=TAGS[name], value=value) for name, value in fields.items()]
        await self._session.request(profiles.SET, profiles.SetRequest(from_account=self.user_id, profile_item=items))
