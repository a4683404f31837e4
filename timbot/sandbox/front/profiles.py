"""Profiles: looked up by many, changed by their owner."""

from __future__ import annotations

from timbot.im.wire.commands import profiles as wire
from timbot.im.wire.commands.base import TagValue
from timbot.im.wire.envelope import Answer
from timbot.im.wire.value import UNSET
from timbot.sandbox.domain import Code, Domain, Refused
from timbot.sandbox.domain.profiles import Profile, ProfileField
from timbot.sandbox.front.desk import Call, Desk
from timbot.sandbox.front.words import CUSTOM_PROFILE_TAG, PROFILE_FIELDS, profile_tag, profile_value, profile_word

ASKED_AT_ONCE = 100


class Profiles:
    """The commands of `profile`."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def register(self, desk: Desk) -> None:
        """Take these commands."""
        desk.add(wire.GET, self.get)
        desk.add(wire.SET, self.set)

    def get(self, _call: Call, request: wire.GetRequest) -> wire.GetAnswer:
        """Profiles, in the order asked."""
        if len(request.user_item) > ASKED_AT_ONCE:
            raise Refused(Code.PROFILE_BAD_PARAMETER, f"at most {ASKED_AT_ONCE} profiles at a time")
        found = self._domain.profiles.get_many(query.to_account for query in request.user_item)
        return wire.GetAnswer(
            user_profile_item=[_item(profile) for _, profile in found],
            current_standard_sequence=0,
        )

    def set(self, call: Call, request: wire.SetRequest) -> Answer:
        """Change one's own profile."""
        changes: dict[ProfileField, str | int] = {}
        custom: dict[str, str] = {}
        for item in request.profile_item:
            value = item.value
            if value is UNSET or isinstance(value, list):
                raise Refused(Code.PROFILE_VALUE_WRONG_TYPE, f"{item.tag} needs a text or a number")
            field = PROFILE_FIELDS.get(item.tag)
            if field is not None:
                changes[field] = profile_value(field, value)
            elif item.tag.startswith(CUSTOM_PROFILE_TAG) and isinstance(value, str):
                custom[item.tag] = value
            else:
                raise Refused(Code.PROFILE_BAD_PARAMETER, f"no such field: {item.tag}")
        self._domain.profiles.set(call.user, changes, custom, instance=call.instance)
        return Answer()


def profile_tags(profile: Profile) -> list[TagValue]:
    """All fields of a profile."""
    standard = [
        TagValue(tag=profile_tag(str(key)), value=profile_word(str(key), value)) for key, value in profile.fields.items()
    ]
    return standard + [TagValue(tag=tag, value=value) for tag, value in profile.custom.items()]


def _item(profile: Profile | None) -> wire.ProfileItem:
    if profile is None:
        return wire.ProfileItem(
            to_account=wire.NOT_FOUND,
            profile_item=[],
            result_code=int(Code.PROFILE_ACCOUNT_UNKNOWN),
            result_info="no such account",
        )
    return wire.ProfileItem(to_account=profile.user_id, profile_item=profile_tags(profile), result_code=0, result_info="")
