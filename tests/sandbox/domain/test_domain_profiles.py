from __future__ import annotations

import pytest
from domain_site import Site, refused

from timbot.sandbox.domain import Settings
from timbot.sandbox.domain.notices import ProfileChanged
from timbot.sandbox.domain.profiles import AllowType, ProfileField


def test_a_fresh_profile_wants_to_be_asked() -> None:
    profile = Site().domain.profiles.get("alice")
    assert profile is not None
    assert profile.allow_type is AllowType.NEED_CONFIRM


def test_an_unknown_account_has_no_profile() -> None:
    assert Site().domain.profiles.get_many(["nobody", "alice"])[0] == ("nobody", None)


def test_a_change_is_seen_afterwards() -> None:
    site = Site()
    site.domain.profiles.set("alice", {ProfileField.NICK: "Ally"}, {"color": "red"})
    profile = site.domain.profiles.get("alice")
    assert profile is not None
    assert (profile.nick, profile.custom) == ("Ally", {"color": "red"})


def test_those_who_list_the_user_and_own_other_instances_are_told() -> None:
    site = Site(Settings(instances=2))
    site.domain.friends.add("bob", "alice", mutual=False)
    site.domain.friend_applications.accept("alice", "bob", add_back=False)
    tab, *_ = site.online("alice", "alice", "bob", "carol")
    site.domain.profiles.set("alice", {ProfileField.NICK: "Ally"}, instance=tab.instance_id)
    notice = ProfileChanged("alice", (("nick", "Ally"),))
    assert [(d.to, d.notice, d.skip_instance) for d in site.domain.take_deliveries()] == [
        ("bob", notice, None),
        ("alice", notice, tab.instance_id),
    ]


def test_a_former_friend_is_told_no_more() -> None:
    site = Site()
    site.domain.friends.add("bob", "alice", mutual=False)
    site.domain.friend_applications.accept("alice", "bob", add_back=False)
    site.domain.friends.delete("bob", ["alice"], both=False)
    site.online("bob")
    site.domain.profiles.set("alice", {ProfileField.NICK: "Ally"})
    assert site.heard() == []


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        (ProfileField.NICK, "x" * 501, 40601),
        (ProfileField.NICK, "名" * 167, 40601),
        (ProfileField.LOCATION, "x" * 17, 40601),
        (ProfileField.GENDER, "other", 40605),
        (ProfileField.BIRTHDAY, -1, 40605),
        (ProfileField.BIRTHDAY, "1990", 40610),
        (ProfileField.NICK, 5, 40610),
    ],
)
def test_a_bad_value_is_refused(field: ProfileField, value: str | int, code: int) -> None:
    with refused(code):
        Site().domain.profiles.set("alice", {field: value})


def test_500_bytes_are_allowed() -> None:
    Site().domain.profiles.set("alice", {ProfileField.NICK: "x" * 500})


def test_a_refused_change_changes_nothing() -> None:
    site = Site()
    with refused(40610):
        site.domain.profiles.set("alice", {ProfileField.NICK: "Ally", ProfileField.LEVEL: "high"})
    profile = site.domain.profiles.get("alice")
    assert profile is not None
    assert profile.nick == ""


def test_nothing_to_change_is_refused() -> None:
    with refused(40001):
        Site().domain.profiles.set("alice", {})


def test_an_unknown_account_cannot_change() -> None:
    with refused(40003):
        Site().domain.profiles.set("nobody", {ProfileField.NICK: "x"})


def test_twenty_one_custom_fields_are_refused() -> None:
    with refused(40001):
        Site().domain.profiles.set("alice", {}, {f"k{n}": "v" for n in range(21)})
