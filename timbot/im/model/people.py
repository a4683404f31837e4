"""Users, friends and the requests between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from timbot.im.wire.commands.base import TagValue
from timbot.im.wire.value import given

_CUSTOM = "Tag_Profile_Custom_"


class AllowType(StrEnum):
    """What happens to friend applications (the SDK's `ALLOW_TYPE_*`)."""

    ALLOW_ANY = "AllowType_Type_AllowAny"
    NEED_CONFIRM = "AllowType_Type_NeedConfirm"
    DENY_ANY = "AllowType_Type_DenyAny"


@dataclass(frozen=True, slots=True)
class Profile:
    """A user as others see them. `birthday` is a number like 19900101; custom fields are keyed by their whole tag."""

    user_id: str
    nick: str = ""
    avatar: str = ""
    gender: str = "Gender_Type_Unknown"
    birthday: int = 0
    location: str = ""
    self_signature: str = ""
    allow_type: str = AllowType.NEED_CONFIRM.value
    language: int = 0
    level: int = 0
    role: int = 0
    custom: dict[str, str] = field(default_factory=dict)


_FIELDS = {
    "Tag_Profile_IM_Nick": "nick",
    "Tag_Profile_IM_Image": "avatar",
    "Tag_Profile_IM_Gender": "gender",
    "Tag_Profile_IM_BirthDay": "birthday",
    "Tag_Profile_IM_Location": "location",
    "Tag_Profile_IM_SelfSignature": "self_signature",
    "Tag_Profile_IM_AllowType": "allow_type",
    "Tag_Profile_IM_Language": "language",
    "Tag_Profile_IM_Level": "level",
    "Tag_Profile_IM_Role": "role",
}
TAGS = {name: tag for tag, name in _FIELDS.items()}
"""The wire's tag for each field of a profile."""


def profile_of(user_id: str, items: list[TagValue]) -> Profile:
    """A profile from its tagged values; tags and types nobody knows are passed over."""
    known: dict[str, str | int] = {}
    custom: dict[str, str] = {}
    blank = Profile(user_id)
    for item in items:
        value = given(item.value, "")
        if item.tag.startswith(_CUSTOM):
            custom[item.tag] = str(value)
        name = _FIELDS.get(item.tag)
        if name is not None and type(value) is type(getattr(blank, name)):
            known[name] = value  # type: ignore[assignment]  # checked in the line above
    return Profile(user_id, custom=custom, **known)  # type: ignore[arg-type]  # likewise


@dataclass(frozen=True, slots=True)
class FriendApplication:
    """A request to become friends. `incoming`: made to this account; otherwise by it. `time` in Unix seconds."""

    user_id: str
    nick: str
    avatar: str
    source: str
    wording: str
    time: int
    incoming: bool = True


@dataclass(frozen=True, slots=True)
class FriendApplications:
    """All open applications, and how many of them are unread."""

    applications: tuple[FriendApplication, ...]
    unread_count: int


@dataclass(frozen=True, slots=True)
class Friend:
    """Somebody on the friend list. `remark` is what this account files them under; `time` of the friendship, Unix seconds."""

    user_id: str
    remark: str = ""
    groups: tuple[str, ...] = ()
    """The friend groups they are in."""
    source: str = ""
    wording: str = ""
    time: int = 0
    custom: dict[str, str] = field(default_factory=dict)
    """The app's own fields, by their whole tag."""


_CUSTOM_FRIEND = "Tag_SNS_Custom_"


def friend_of(user_id: str, items: list[TagValue]) -> Friend:
    """A friend from the tagged values; tags and types nobody knows are passed over."""
    tags = {item.tag: given(item.value, "") for item in items}

    def text(tag: str) -> str:
        value = tags.get(tag, "")
        return value if isinstance(value, str) else ""

    groups, time = tags.get("Tag_SNS_IM_Group", []), tags.get("Tag_SNS_IM_AddTime", 0)
    return Friend(
        user_id,
        remark=text("Tag_SNS_IM_Remark"),
        groups=tuple(groups) if isinstance(groups, list) else (),
        source=text("Tag_SNS_IM_AddSource"),
        wording=text("Tag_SNS_IM_AddWording"),
        time=time if isinstance(time, int) else 0,
        custom={tag: str(value) for tag, value in tags.items() if tag.startswith(_CUSTOM_FRIEND)},
    )
