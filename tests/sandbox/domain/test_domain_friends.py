from __future__ import annotations

import pytest
from domain_site import START, Site, refused

from timbot.sandbox.domain.friends import AddOutcome, Relation
from timbot.sandbox.domain.notices import (
    ApplicationAdded,
    ApplicationRemoved,
    ApplicationsRead,
    BlacklistAdded,
    BlacklistRemoved,
    FriendsAdded,
    FriendsRemoved,
)
from timbot.sandbox.domain.profiles import AllowType, ForbidType, ProfileField


def allowing(site: Site, user: str, kind: AllowType) -> None:
    site.domain.profiles.set(user, {ProfileField.ALLOW_TYPE: kind.value})


def befriended(*pairs: tuple[str, str]) -> Site:
    site = Site()
    for one, other in pairs:
        site.domain.friends.add(one, other)
        site.domain.friend_applications.accept(other, one, add_back=True)
    return site


def test_who_allows_any_is_a_friend_at_once() -> None:
    site = Site()
    allowing(site, "bob", AllowType.ALLOW_ANY)
    site.online("alice", "bob")
    assert site.domain.friends.add("alice", "bob") is AddOutcome.FRIENDS
    assert site.heard() == [("alice", FriendsAdded(("bob",))), ("bob", FriendsAdded(("alice",)))]


def test_a_one_sided_friendship_is_in_one_list() -> None:
    site = Site()
    allowing(site, "bob", AllowType.ALLOW_ANY)
    site.domain.friends.add("alice", "bob", mutual=False)
    assert site.domain.friends.check("alice", "bob") is Relation.A_WITH_B
    assert site.domain.friends.check("bob", "alice") is Relation.B_WITH_A


def test_asking_is_the_default_and_both_sides_learn_of_the_application() -> None:
    site = Site()
    site.online("alice", "bob")
    assert site.domain.friends.add("alice", "bob", wording="me", source="web") is AddOutcome.WAITING
    assert site.heard() == [
        ("bob", ApplicationAdded("alice", True, "me", "web", START)),
        ("alice", ApplicationAdded("bob", False, "me", "web", START)),
    ]


def test_who_denies_all_is_not_asked() -> None:
    site = Site()
    allowing(site, "bob", AllowType.DENY_ANY)
    with refused(30516):
        site.domain.friends.add("alice", "bob")


def test_who_may_not_add_is_refused() -> None:
    site = Site()
    site.domain.profiles.set("alice", {ProfileField.ADMIN_FORBID_TYPE: ForbidType.SEND_OUT.value})
    with refused(30009):
        site.domain.friends.add("alice", "bob")


@pytest.mark.parametrize(("target", "code"), [("alice", 30001), ("nobody", 30003)])
def test_oneself_and_the_unknown_cannot_be_added(target: str, code: int) -> None:
    with refused(code):
        Site().domain.friends.add("alice", target)


@pytest.mark.parametrize(("owner", "entry", "code"), [("alice", "bob", 30515), ("bob", "alice", 30525)])
def test_a_blacklist_on_either_side_refuses(owner: str, entry: str, code: int) -> None:
    site = Site()
    site.domain.blacklist.add(owner, [entry])
    with refused(code):
        site.domain.friends.add("alice", "bob")


def test_adding_a_friend_again_succeeds_silently() -> None:
    site = befriended(("alice", "bob"))
    site.online("alice", "bob")
    assert site.domain.friends.add("alice", "bob") is AddOutcome.FRIENDS
    assert site.heard() == []


def test_the_hundred_and_first_application_is_refused() -> None:
    site = Site(users=("bob", *(f"user{n}" for n in range(101))))
    for number in range(100):
        site.domain.friends.add(f"user{number}", "bob")
    with refused(30012):
        site.domain.friends.add("user100", "bob")


def test_applying_again_renews_the_application() -> None:
    site = Site()
    site.domain.friends.add("alice", "bob", wording="one")
    site.now += 5
    site.domain.friends.add("alice", "bob", wording="two")
    (application,) = site.domain.friend_applications.listed("bob").incoming
    assert (application.wording, application.time) == ("two", START + 5)


def test_applications_are_listed_on_both_sides_with_an_unread_count() -> None:
    site = Site()
    site.domain.friends.add("alice", "bob")
    theirs, mine = (site.domain.friend_applications.listed(user) for user in ("bob", "alice"))
    assert ([a.applicant for a in theirs.incoming], theirs.unread) == (["alice"], 1)
    assert ([a.target for a in mine.outgoing], mine.unread) == (["bob"], 0)


def test_reading_applications_ends_the_unread_count_and_tells_all_own_instances() -> None:
    site = Site()
    site.domain.friends.add("alice", "bob")
    site.online("bob")
    site.domain.friend_applications.mark_read("bob", START)
    assert site.heard() == [("bob", ApplicationsRead(START))]
    assert site.domain.friend_applications.listed("bob").unread == 0


def test_agree_and_add_makes_both_friends() -> None:
    site = befriended(("alice", "bob"))
    assert site.domain.friends.check("alice", "bob") is Relation.BOTH


def test_agree_alone_gives_the_applicant_a_friend() -> None:
    site = Site()
    site.domain.friends.add("alice", "bob")
    site.domain.friend_applications.accept("bob", "alice", add_back=False)
    assert site.domain.friends.check("alice", "bob") is Relation.A_WITH_B


def test_accepting_tells_both_of_the_friend_and_the_end_of_the_application() -> None:
    site = Site()
    site.domain.friends.add("alice", "bob")
    site.online("alice", "bob")
    site.domain.friend_applications.accept("bob", "alice", add_back=True)
    assert site.heard() == [
        ("alice", FriendsAdded(("bob",))),
        ("bob", FriendsAdded(("alice",))),
        ("bob", ApplicationRemoved("alice", incoming=True)),
        ("alice", ApplicationRemoved("bob", incoming=False)),
    ]


def test_accepting_files_the_new_friend() -> None:
    site = Site()
    site.domain.friend_groups.create("bob", "vip")
    site.domain.friends.add("alice", "bob", remark="my bob")
    site.domain.friend_applications.accept("bob", "alice", add_back=True, remark="ally", friend_group="vip")
    entry = site.domain.friends.get("bob", "alice")
    assert entry is not None
    assert (entry.remark, entry.groups) == ("ally", ("vip",))
    other = site.domain.friends.get("alice", "bob")
    assert other is not None
    assert other.remark == "my bob"


def test_refusing_removes_both_records_and_makes_no_friends() -> None:
    site = Site()
    site.domain.friends.add("alice", "bob")
    site.domain.friend_applications.refuse("bob", "alice")
    assert site.domain.friend_applications.listed("alice").outgoing == ()
    assert site.domain.friends.check("alice", "bob") is Relation.NONE


def test_an_answered_application_cannot_be_answered_again() -> None:
    site = befriended(("alice", "bob"))
    with refused(30614):
        site.domain.friend_applications.accept("bob", "alice", add_back=True)


def test_refusing_an_absent_application_is_refused() -> None:
    with refused(30614):
        Site().domain.friend_applications.refuse("bob", "alice")


def test_deleting_the_own_record_leaves_the_other_sides() -> None:
    site = Site()
    site.domain.friends.add("alice", "bob")
    site.domain.friend_applications.delete("alice", "bob", incoming=False)
    assert site.domain.friend_applications.listed("alice").outgoing == ()
    assert len(site.domain.friend_applications.listed("bob").incoming) == 1


def test_deleting_an_absent_record_is_refused() -> None:
    with refused(30614):
        Site().domain.friend_applications.delete("alice", "bob", incoming=True)


def test_two_crossing_applications_end_together() -> None:
    site = Site()
    site.domain.friends.add("alice", "bob")
    site.domain.friends.add("bob", "alice")
    site.domain.friend_applications.accept("bob", "alice", add_back=True)
    assert site.domain.friend_applications.listed("alice").incoming == ()


def test_deleting_both_ways_tells_both() -> None:
    site = befriended(("alice", "bob"))
    site.online("alice", "bob")
    assert site.domain.friends.delete("alice", ["bob"], both=True) == (("bob", 0),)
    assert site.heard() == [("bob", FriendsRemoved(("alice",))), ("alice", FriendsRemoved(("bob",)))]


def test_deleting_one_way_leaves_the_other_list() -> None:
    site = befriended(("alice", "bob"))
    site.domain.friends.delete("alice", ["bob"], both=False)
    assert site.domain.friends.check("alice", "bob") is Relation.B_WITH_A


def test_deleting_a_stranger_says_so_and_tells_nobody() -> None:
    site = Site()
    site.online("alice")
    assert site.domain.friends.delete("alice", ["bob"], both=True) == (("bob", 31704),)
    assert site.heard() == []


def test_updating_a_stranger_is_refused() -> None:
    with refused(31704):
        Site().domain.friends.update("alice", "bob", remark="x")


def test_a_remark_of_97_bytes_is_refused() -> None:
    site = befriended(("alice", "bob"))
    with refused(30001):
        site.domain.friends.update("alice", "bob", remark="x" * 97)


def test_updating_refiles_the_friend() -> None:
    site = befriended(("alice", "bob"))
    site.domain.friends.update("alice", "bob", groups=["one"])
    assert site.domain.friends.update("alice", "bob", groups=["two"]).groups == ("two",)


def test_friend_groups_hold_friends_only() -> None:
    site = befriended(("alice", "bob"))
    assert site.domain.friend_groups.create("alice", "vip", ["bob", "carol"]) == (("bob", 0), ("carol", 32216))
    assert [(g.name, g.friends) for g in site.domain.friend_groups.listed("alice")] == [("vip", ("bob",))]


def test_friend_groups_are_renamed_in_place() -> None:
    site = befriended(("alice", "bob"))
    site.domain.friend_groups.create("alice", "one", ["bob"])
    site.domain.friend_groups.create("alice", "two")
    site.domain.friend_groups.rename("alice", "one", "first")
    assert [(g.name, g.friends) for g in site.domain.friend_groups.listed("alice")] == [("first", ("bob",)), ("two", ())]


def test_ending_a_friendship_empties_the_friend_group() -> None:
    site = befriended(("alice", "bob"))
    site.domain.friend_groups.create("alice", "vip", ["bob"])
    site.domain.friends.delete("alice", ["bob"], both=False)
    assert site.domain.friend_groups.listed("alice")[0].friends == ()


def test_a_thirty_third_friend_group_is_refused() -> None:
    site = Site()
    for number in range(32):
        site.domain.friend_groups.create("alice", f"group {number}")
    with refused(30011):
        site.domain.friend_groups.create("alice", "one more")


def test_blacklisting_ends_the_friendship_both_ways_and_tells_the_caller_too() -> None:
    site = befriended(("alice", "bob"))
    site.online("alice", "bob")
    assert site.domain.blacklist.add("alice", ["bob"]) == (("bob", 0),)
    assert site.heard() == [
        ("bob", FriendsRemoved(("alice",))),
        ("alice", FriendsRemoved(("bob",))),
        ("alice", BlacklistAdded(("bob",))),
    ]


def test_blacklisting_a_stranger_removes_no_friend() -> None:
    site = Site()
    site.online("alice", "bob")
    site.domain.blacklist.add("alice", ["bob"])
    assert site.heard() == [("alice", BlacklistAdded(("bob",)))]


def test_blacklisting_reports_each_user() -> None:
    results = Site().domain.blacklist.add("alice", ["alice", "nobody", "bob"])
    assert results == (("alice", 30001), ("nobody", 30003), ("bob", 0))


def test_the_blacklist_holds_a_thousand() -> None:
    site = Site(users=("alice", *(f"user{n}" for n in range(1001))))
    results = site.domain.blacklist.add("alice", [f"user{n}" for n in range(1001)])
    assert [code for _, code in results] == [0] * 1000 + [31307]


def test_leaving_the_blacklist_is_told_to_other_instances() -> None:
    site = Site()
    site.domain.blacklist.add("alice", ["bob"])
    (alice,) = site.online("alice")
    site.domain.blacklist.delete("alice", ["bob"], instance=alice.instance_id)
    assert site.heard() == []
    assert site.domain.blacklist.listed("alice") == ()
    site.domain.blacklist.add("alice", ["bob"])
    site.heard()
    site.domain.blacklist.delete("alice", ["bob"])
    assert site.heard() == [("alice", BlacklistRemoved(("bob",)))]
