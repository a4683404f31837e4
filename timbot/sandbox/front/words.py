"""The protocol's words for the domain's values, both ways."""

from __future__ import annotations

from typing import Final

from timbot.im.wire.commands import profiles as profile_wire
from timbot.sandbox.domain.friends import Relation
from timbot.sandbox.domain.group_rules import GroupType, RemindType, Role
from timbot.sandbox.domain.messages import JoinOption, Priority
from timbot.sandbox.domain.profiles import AllowType, ForbidType, Gender, ProfileField

GROUP_TYPES: Final[dict[GroupType, str]] = {
    GroupType.WORK: "Private",
    GroupType.PUBLIC: "Public",
    GroupType.MEETING: "ChatRoom",
    GroupType.AV_CHAT_ROOM: "AVChatRoom",
}
GROUP_TYPES_BY_WORD: Final[dict[str, GroupType]] = {
    **{word: kind for kind, word in GROUP_TYPES.items()},
    "Work": GroupType.WORK,
    "Meeting": GroupType.MEETING,
}

JOIN_OPTIONS: Final[dict[JoinOption, str]] = {
    JoinOption.FREE: "FreeAccess",
    JoinOption.NEED_PERMISSION: "NeedPermission",
    JoinOption.DISABLED: "DisableApply",
}
JOIN_OPTIONS_BY_WORD: Final = {word: option for option, word in JOIN_OPTIONS.items()}

ROLES: Final[dict[Role, str]] = {Role.OWNER: "Owner", Role.ADMIN: "Admin", Role.MEMBER: "Member"}
ROLES_BY_WORD: Final = {word: role for role, word in ROLES.items()}

REMIND_TYPES: Final[dict[RemindType, str]] = {
    RemindType.ACCEPT_AND_NOTIFY: "AcceptAndNotify",
    RemindType.ACCEPT_NOT_NOTIFY: "AcceptNotNotify",
    RemindType.DISCARD: "Discard",
}
REMIND_TYPES_BY_WORD: Final = {word: remind for remind, word in REMIND_TYPES.items()}

PRIORITIES: Final[dict[str, Priority]] = {
    "High": Priority.HIGH,
    "Normal": Priority.NORMAL,
    "Low": Priority.LOW,
    "Lowest": Priority.LOWEST,
}

RELATIONS: Final[dict[Relation, str]] = {
    Relation.NONE: "CheckResult_Type_NoRelation",
    Relation.A_WITH_B: "CheckResult_Type_AWithB",
    Relation.B_WITH_A: "CheckResult_Type_BWithA",
    Relation.BOTH: "CheckResult_Type_BothWay",
}

PROFILE_TAGS: Final[dict[ProfileField, str]] = {
    ProfileField.NICK: profile_wire.NICK,
    ProfileField.GENDER: "Tag_Profile_IM_Gender",
    ProfileField.BIRTHDAY: "Tag_Profile_IM_BirthDay",
    ProfileField.LOCATION: "Tag_Profile_IM_Location",
    ProfileField.SELF_SIGNATURE: "Tag_Profile_IM_SelfSignature",
    ProfileField.ALLOW_TYPE: profile_wire.ALLOW_TYPE,
    ProfileField.LANGUAGE: "Tag_Profile_IM_Language",
    ProfileField.AVATAR: profile_wire.AVATAR,
    ProfileField.MESSAGE_SETTINGS: "Tag_Profile_IM_MsgSettings",
    ProfileField.ADMIN_FORBID_TYPE: "Tag_Profile_IM_AdminForbidType",
    ProfileField.LEVEL: "Tag_Profile_IM_Level",
    ProfileField.ROLE: "Tag_Profile_IM_Role",
}
PROFILE_FIELDS: Final = {tag: field for field, tag in PROFILE_TAGS.items()}
CUSTOM_PROFILE_TAG: Final = "Tag_Profile_Custom_"

_PROFILE_VALUES: Final[dict[ProfileField, dict[str, str]]] = {
    ProfileField.GENDER: {
        Gender.UNKNOWN: "Gender_Type_Unknown",
        Gender.FEMALE: "Gender_Type_Female",
        Gender.MALE: "Gender_Type_Male",
    },
    ProfileField.ALLOW_TYPE: {
        AllowType.ALLOW_ANY: "AllowType_Type_AllowAny",
        AllowType.NEED_CONFIRM: "AllowType_Type_NeedConfirm",
        AllowType.DENY_ANY: "AllowType_Type_DenyAny",
    },
    ProfileField.ADMIN_FORBID_TYPE: {
        ForbidType.NONE: "AdminForbid_Type_None",
        ForbidType.SEND_OUT: "AdminForbid_Type_SendOut",
    },
}
_PROFILE_VALUES_BY_WORD: Final = {
    field: {word: str(value) for value, word in words.items()} for field, words in _PROFILE_VALUES.items()
}


_FIELDS_BY_KEY: Final[dict[str, ProfileField]] = {str(field): field for field in ProfileField}


def profile_tag(key: str) -> str:
    """The tag of a standard field; a custom key is its own."""
    field = _FIELDS_BY_KEY.get(key)
    return key if field is None else PROFILE_TAGS[field]


def profile_word(key: str, value: str | int) -> str | int:
    """A field's value as the wire says it."""
    words = _PROFILE_VALUES.get(_FIELDS_BY_KEY[key]) if key in _FIELDS_BY_KEY else None
    return value if words is None else words[str(value)]


def profile_value(field: ProfileField, word: str | int) -> str | int:
    """A field's value as the domain says it; an unknown word stays, and is refused there."""
    words = _PROFILE_VALUES_BY_WORD.get(field)
    return word if words is None else words.get(str(word), word)
