"""Profiles: what users say about themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from timbot.sandbox.domain import limits
from timbot.sandbox.domain.accounts import Accounts
from timbot.sandbox.domain.core import Core
from timbot.sandbox.domain.notices import ProfileChanged
from timbot.sandbox.domain.refusals import Code, Refused
from timbot.sandbox.domain.relations import Relations


class ProfileField(StrEnum):
    """The standard fields. All are text save birthday, language, message settings, level and role, which are numbers."""

    NICK = "nick"
    GENDER = "gender"
    BIRTHDAY = "birthday"
    LOCATION = "location"
    SELF_SIGNATURE = "self_signature"
    ALLOW_TYPE = "allow_type"
    LANGUAGE = "language"
    AVATAR = "avatar"
    MESSAGE_SETTINGS = "message_settings"
    ADMIN_FORBID_TYPE = "admin_forbid_type"
    LEVEL = "level"
    ROLE = "role"


class Gender(StrEnum):
    """Values of the field gender."""

    UNKNOWN = "unknown"
    FEMALE = "female"
    MALE = "male"


class AllowType(StrEnum):
    """Whether others may add the user as a friend."""

    ALLOW_ANY = "allow_any"
    NEED_CONFIRM = "need_confirm"
    DENY_ANY = "deny_any"


class ForbidType(StrEnum):
    """Whether the user may add others."""

    NONE = "none"
    SEND_OUT = "send_out"


_DEFAULTS: Final[dict[ProfileField, str | int]] = {
    ProfileField.NICK: "",
    ProfileField.GENDER: Gender.UNKNOWN.value,
    ProfileField.BIRTHDAY: 0,
    ProfileField.LOCATION: "",
    ProfileField.SELF_SIGNATURE: "",
    ProfileField.ALLOW_TYPE: AllowType.NEED_CONFIRM.value,
    ProfileField.LANGUAGE: 0,
    ProfileField.AVATAR: "",
    ProfileField.MESSAGE_SETTINGS: 0,
    ProfileField.ADMIN_FORBID_TYPE: ForbidType.NONE.value,
    ProfileField.LEVEL: 0,
    ProfileField.ROLE: 0,
}
_CHOICES: Final[dict[ProfileField, frozenset[str]]] = {
    ProfileField.GENDER: frozenset(Gender),
    ProfileField.ALLOW_TYPE: frozenset(AllowType),
    ProfileField.ADMIN_FORBID_TYPE: frozenset(ForbidType),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's profile, every standard field present."""

    user_id: str
    fields: Mapping[ProfileField, str | int]
    custom: Mapping[str, str]

    @property
    def nick(self) -> str:
        """The display name, may be empty."""
        return str(self.fields[ProfileField.NICK])

    @property
    def avatar(self) -> str:
        """The picture's address, may be empty."""
        return str(self.fields[ProfileField.AVATAR])

    @property
    def allow_type(self) -> AllowType:
        """Whether others may add the user as a friend."""
        return AllowType(str(self.fields[ProfileField.ALLOW_TYPE]))

    @property
    def may_add(self) -> bool:
        """Whether the user may add others."""
        return self.fields[ProfileField.ADMIN_FORBID_TYPE] != ForbidType.SEND_OUT


class Profiles:
    """The profiles of all accounts."""

    __slots__ = ("_accounts", "_changed", "_core", "_custom", "_relations")

    def __init__(self, core: Core, accounts: Accounts, relations: Relations) -> None:
        self._core = core
        self._accounts = accounts
        self._relations = relations
        self._changed: dict[str, dict[ProfileField, str | int]] = {}
        self._custom: dict[str, dict[str, str]] = {}

    def get(self, user: str) -> Profile | None:
        """The profile of `user`, or `None` if there is no such account."""
        if user not in self._accounts:
            return None
        return Profile(user, {**_DEFAULTS, **self._changed.get(user, {})}, dict(self._custom.get(user, {})))

    def get_many(self, users: Iterable[str]) -> tuple[tuple[str, Profile | None], ...]:
        """The profiles of several users, in the order asked."""
        return tuple((user, self.get(user)) for user in users)

    def set(
        self,
        user: str,
        changes: Mapping[ProfileField, str | int],
        custom: Mapping[str, str] | None = None,
        *,
        instance: int | None = None,
    ) -> Profile:
        """Change one's own profile; those who list the user as a friend and the user's other instances learn it.

        Texts hold at most 500 bytes, location 16, custom fields are at most 20. Refused: 40001 nothing to change or too
        many fields, 40003 no such account, 40601 too long, 40605 no such value, 40610 wrong type.
        """
        self._accounts.require(user, Code.PROFILE_ACCOUNT_UNKNOWN)
        custom = custom or {}
        if not changes and not custom:
            raise Refused(Code.PROFILE_BAD_PARAMETER, "nothing to change")
        for field, value in changes.items():
            _check(field, value)
        for text in custom.values():
            if limits.size(text) > limits.PROFILE_VALUE_SIZE:
                raise Refused(Code.PROFILE_VALUE_TOO_LONG, f"a field holds at most {limits.PROFILE_VALUE_SIZE} bytes")
        merged = {**self._custom.get(user, {}), **custom}
        if len(merged) > limits.PROFILE_CUSTOM_FIELDS:
            raise Refused(Code.PROFILE_BAD_PARAMETER, f"at most {limits.PROFILE_CUSTOM_FIELDS} custom fields")
        self._changed.setdefault(user, {}).update(changes)
        self._custom[user] = merged
        told = tuple((str(key), value) for key, value in (*changes.items(), *custom.items()))
        notice = ProfileChanged(user, told)
        for other in self._relations.listed_by(user):
            self._core.deliver(other, notice)
        self._core.deliver(user, notice, skip_instance=instance)
        return Profile(user, {**_DEFAULTS, **self._changed[user]}, dict(merged))


def _check(field: ProfileField, value: str | int) -> None:
    default = _DEFAULTS[field]
    if isinstance(value, bool) or isinstance(value, str) is not isinstance(default, str):
        raise Refused(Code.PROFILE_VALUE_WRONG_TYPE, f"{field} has another type")
    if isinstance(value, int):
        if not 0 <= value < 1 << 32:
            raise Refused(Code.PROFILE_VALUE_WRONG, f"{field} is out of range")
        return
    choices = _CHOICES.get(field)
    if choices is not None and value not in choices:
        raise Refused(Code.PROFILE_VALUE_WRONG, f"{field} has no value {value!r}")
    most = limits.LOCATION_SIZE if field is ProfileField.LOCATION else limits.PROFILE_VALUE_SIZE
    if limits.size(value) > most:
        raise Refused(Code.PROFILE_VALUE_TOO_LONG, f"{field} holds at most {most} bytes")
