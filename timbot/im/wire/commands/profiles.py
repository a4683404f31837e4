"""Profiles of users (`profile`)."""

from __future__ import annotations

from typing import Final

from timbot.im.wire.commands.base import Command, TagValue
from timbot.im.wire.envelope import Answer
from timbot.im.wire.value import UNSET, Int, Opt, Value

NICK: Final = "Tag_Profile_IM_Nick"
AVATAR: Final = "Tag_Profile_IM_Image"
ALLOW_TYPE: Final = "Tag_Profile_IM_AllowType"
NOT_FOUND: Final = "@TLS#NOT_FOUND"


class ProfileQuery(Value, frozen=True):
    """Whose profile."""

    to_account: str
    standard_sequence: Opt[Int] = UNSET
    custom_sequence: Opt[Int] = UNSET


class GetRequest(Value, frozen=True):
    """Up to 100 users."""

    user_item: list[ProfileQuery]
    from_account: Opt[str] = UNSET


class ProfileItem(Value, frozen=True):
    """A profile as tagged values."""

    to_account: str
    profile_item: Opt[list[TagValue]] = UNSET
    result_code: Opt[Int] = UNSET
    result_info: Opt[str] = UNSET


class GetAnswer(Answer, frozen=True):
    """The profiles found."""

    user_profile_item: Opt[list[ProfileItem]] = UNSET
    current_standard_sequence: Opt[Int] = UNSET


class SetRequest(Value, frozen=True):
    """New values for the caller's own profile."""

    profile_item: list[TagValue]
    from_account: Opt[str] = UNSET


GET: Final = Command("profile.portrait_get_all", GetRequest, GetAnswer)
SET: Final = Command("profile.portrait_set", SetRequest, Answer, changes=True)
