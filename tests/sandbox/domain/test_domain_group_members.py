from __future__ import annotations

import pytest
from domain_site import LIVE, MEETING, PUBLIC, START, WORK, Site, refused, with_admin

from timbot.sandbox.domain import Settings
from timbot.sandbox.domain.group_members import AddResult, JoinStatus
from timbot.sandbox.domain.group_rules import GroupType, RemindType, Role
from timbot.sandbox.domain.messages import GroupChanges, JoinOption, TipKind
from timbot.sandbox.domain.notices import GroupTipped, SystemKind, SystemNotice


def tips(site: Site) -> list[tuple[str, TipKind, tuple[str, ...]]]:
    return [(to, n.tip.kind, n.tip.users) for to, n in site.heard() if isinstance(n, GroupTipped)]


@pytest.mark.parametrize("kind", [MEETING, LIVE])
def test_open_types_let_everybody_in(kind: GroupType) -> None:
    site = Site()
    assert site.domain.group_members.join("bob", site.group(kind)) is JoinStatus.JOINED


def test_nobody_applies_to_a_work_group() -> None:
    site = Site()
    with refused(10007):
        site.domain.group_members.join("bob", site.group(WORK))


def test_a_public_group_asks_for_permission_by_default() -> None:
    site = Site()
    group = site.group()
    assert site.domain.group_members.join("bob", group) is JoinStatus.WAITING
    assert site.domain.groups.info("alice", group).member_count == 1


def test_a_free_public_group_lets_everybody_in() -> None:
    site = Site()
    group = site.group()
    site.domain.groups.modify("alice", group, GroupChanges(join_option=JoinOption.FREE))
    assert site.domain.group_members.join("bob", group) is JoinStatus.JOINED


def test_a_closed_public_group_takes_no_applications() -> None:
    site = Site()
    group = site.group()
    site.domain.groups.modify("alice", group, GroupChanges(join_option=JoinOption.DISABLED))
    with refused(10007):
        site.domain.group_members.join("bob", group)


def test_a_member_cannot_join_again() -> None:
    site = Site()
    group = site.group(MEETING, "bob")
    with refused(10013):
        site.domain.group_members.join("bob", group)


def test_joining_a_live_room_again_succeeds_silently() -> None:
    site = Site()
    group = site.group(LIVE)
    site.online("alice")
    assert site.domain.group_members.join("alice", group) is JoinStatus.JOINED
    assert site.heard() == []


def test_a_full_group_is_refused() -> None:
    site = Site()
    group = site.domain.groups.create("alice", MEETING, GroupChanges(name="x", max_members=1)).info.group_id
    with refused(10014):
        site.domain.group_members.join("bob", group)


def test_who_is_in_too_many_groups_cannot_join() -> None:
    site = Site(Settings(groups_per_user=1))
    group = site.group(MEETING)
    site.group(owner="bob")
    with refused(10037):
        site.domain.group_members.join("bob", group)


def test_a_joiner_and_the_others_see_the_tip() -> None:
    site = Site()
    group = site.group(LIVE)
    site.online("alice", "bob")
    site.domain.group_members.join("bob", group)
    assert tips(site) == [("alice", TipKind.JOINED, ("bob",)), ("bob", TipKind.JOINED, ("bob",))]


def test_a_meeting_does_not_tell_of_coming_and_going() -> None:
    site = Site()
    group = site.group(MEETING)
    site.online("alice", "bob")
    site.domain.group_members.join("bob", group)
    site.domain.group_members.quit("bob", group)
    assert tips(site) == []
    assert site.domain.groups.info("alice", group).next_sequence == 1


def test_quitting_tells_those_who_stay() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob")
    _, bob = site.online("alice", "bob")
    site.domain.group_members.quit("bob", group, instance=bob.instance_id)
    assert tips(site) == [("alice", TipKind.LEFT, ("bob",))]


@pytest.mark.parametrize("kind", [PUBLIC, MEETING, LIVE])
def test_an_owner_cannot_quit(kind: GroupType) -> None:
    site = Site()
    group = site.group(kind, "bob")
    with refused(10009):
        site.domain.group_members.quit("alice", group)


def test_the_owner_of_a_work_group_may_quit_and_leaves_it_without_one() -> None:
    site = Site()
    group = site.group(WORK, "bob")
    site.domain.group_members.quit("alice", group)
    assert site.domain.groups.info("bob", group).owner == ""


def test_a_work_group_ends_with_its_last_member() -> None:
    site = Site()
    group = site.group(WORK)
    site.domain.group_members.quit("alice", group)
    assert not site.domain.groups.exists(group)


def test_a_stranger_cannot_quit() -> None:
    site = Site()
    with refused(10007):
        site.domain.group_members.quit("bob", site.group())


def test_any_member_brings_others_into_a_work_group() -> None:
    site = Site()
    group = site.group(WORK, "bob")
    results = site.domain.group_members.add("bob", group, ["alice", "carol", "nobody"])
    assert results == (("alice", AddResult.ALREADY_IN), ("carol", AddResult.ADDED), ("nobody", AddResult.FAILED))


def test_those_brought_in_are_told_and_the_group_gets_one_tip() -> None:
    site = Site()
    group = site.group(WORK)
    site.online("alice", "bob")
    site.domain.group_members.add("alice", group, ["bob", "carol"])
    heard = site.heard()
    kinds = [n.kind for to, n in heard if isinstance(n, SystemNotice) and to == "bob"]
    seen = [n.tip.users for to, n in heard if isinstance(n, GroupTipped) and to == "alice"]
    assert (kinds, seen) == ([SystemKind.INVITED], [("bob", "carol")])


@pytest.mark.parametrize("kind", [PUBLIC, MEETING, LIVE])
def test_owners_of_other_types_bring_nobody_in(kind: GroupType) -> None:
    site = Site()
    with refused(10007):
        site.domain.group_members.add("alice", site.group(kind), ["bob"])


def test_the_last_place_is_given_once() -> None:
    site = Site()
    group = site.domain.groups.create("alice", WORK, GroupChanges(name="x", max_members=2)).info.group_id
    results = site.domain.group_members.add("alice", group, ["bob", "carol"])
    assert results == (("bob", AddResult.ADDED), ("carol", AddResult.FAILED))


def test_adding_to_a_full_group_is_refused() -> None:
    site = Site()
    group = site.domain.groups.create("alice", WORK, GroupChanges(name="x", max_members=1)).info.group_id
    with refused(10014):
        site.domain.group_members.add("alice", group, ["bob"])


def test_somebody_in_too_many_groups_is_not_added() -> None:
    site = Site(Settings(groups_per_user=1))
    group = site.group(WORK)
    site.group(owner="bob")
    assert site.domain.group_members.add("alice", group, ["bob"]) == (("bob", AddResult.TOO_MANY_GROUPS),)


@pytest.mark.parametrize(
    ("remover", "target", "allowed"),
    [
        ("alice", "bob", True),
        ("alice", "carol", True),
        ("bob", "carol", True),
        ("bob", "alice", False),
        ("carol", "bob", False),
        ("dave", "carol", False),
    ],
)
def test_who_may_remove_whom_from_a_public_group(remover: str, target: str, allowed: bool) -> None:
    site, group = with_admin()
    if allowed:
        assert site.domain.group_members.remove(remover, group, [target]) == (target,)
    else:
        with refused(10007):
            site.domain.group_members.remove(remover, group, [target])


def test_the_removed_are_told_why_and_the_others_see_a_tip() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob", "carol")
    site.online("bob", "carol")
    site.domain.group_members.remove("alice", group, ["bob"], reason="spam")
    heard = site.heard()
    assert [(to, n.kind, n.text) for to, n in heard if isinstance(n, SystemNotice)] == [("bob", SystemKind.REMOVED, "spam")]
    assert [(to, n.tip.kind) for to, n in heard if isinstance(n, GroupTipped)] == [("carol", TipKind.REMOVED)]


def test_removing_a_stranger_succeeds_silently() -> None:
    site = Site()
    group = site.group()
    site.online("alice")
    assert site.domain.group_members.remove("alice", group, ["bob"]) == ()
    assert site.heard() == []


def test_nobody_is_removed_from_a_live_room() -> None:
    site = Site()
    group = site.group(LIVE, "bob")
    with refused(10004):
        site.domain.group_members.remove("alice", group, ["bob"])


def test_members_come_in_order_of_joining_and_in_pages() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob", "carol")
    page = site.domain.group_members.listed("bob", group, offset=1, limit=1)
    assert ([member.user_id for member in page.members], page.total) == (["bob"], 3)


def test_a_live_room_does_not_list_its_members() -> None:
    site = Site()
    with refused(10007):
        site.domain.group_members.listed("alice", site.group(LIVE))


def test_online_members_are_counted() -> None:
    site = Site()
    group = site.group(LIVE, "bob", "carol")
    site.online("bob", "dave")
    assert site.domain.group_members.online_count(group) == 1


def test_making_an_admin_tells_the_member_and_the_group() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob")
    site.online("bob")
    site.domain.group_members.set_role("alice", group, "bob", Role.ADMIN)
    notice, tip = site.heard_by("bob")
    assert isinstance(notice, SystemNotice)
    assert isinstance(tip, GroupTipped)
    assert (notice.kind, tip.tip.kind) == (SystemKind.MADE_ADMIN, TipKind.MADE_ADMIN)


@pytest.mark.parametrize("kind", [WORK, LIVE])
def test_some_types_have_no_admins(kind: GroupType) -> None:
    site = Site()
    group = site.group(kind, "bob")
    with refused(10007):
        site.domain.group_members.set_role("alice", group, "bob", Role.ADMIN)


def test_an_admin_cannot_make_admins() -> None:
    site, group = with_admin()
    with refused(10007):
        site.domain.group_members.set_role("bob", group, "carol", Role.ADMIN)


def test_a_muted_member_cannot_speak_until_the_time_is_over() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob")
    site.domain.group_members.mute("alice", group, "bob", 60)
    with refused(10017):
        site.say("bob", group)
    site.now += 60
    assert site.say("bob", group).sequence


def test_a_mute_outlives_leaving_and_coming_back() -> None:
    site = Site()
    group = site.group(MEETING, "bob")
    site.domain.group_members.mute("alice", group, "bob", 60)
    site.domain.group_members.quit("bob", group)
    site.domain.group_members.join("bob", group)
    with refused(10017):
        site.say("bob", group)


def test_a_mute_of_zero_ends_it() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob")
    site.domain.group_members.mute("alice", group, "bob", 60)
    site.domain.group_members.mute("alice", group, "bob", 0)
    assert site.domain.group_members.get("bob", group, ["bob"])[0].muted_until == 0


def test_a_mute_is_told_with_its_seconds() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob")
    site.online("bob")
    site.domain.group_members.mute("alice", group, "bob", 60)
    (notice,) = site.heard_by("bob")
    assert isinstance(notice, GroupTipped)
    assert (notice.tip.kind, notice.tip.mutes, notice.tip.time) == (TipKind.MEMBER_CHANGED, (("bob", 60),), START)


@pytest.mark.parametrize(("muter", "target"), [("bob", "alice"), ("carol", "bob"), ("dave", "carol")])
def test_who_may_not_mute_whom(muter: str, target: str) -> None:
    site, group = with_admin()
    with refused(10007):
        site.domain.group_members.mute(muter, group, target, 60)


def test_nobody_is_muted_in_a_work_group() -> None:
    site = Site()
    group = site.group(WORK, "bob")
    with refused(10007):
        site.domain.group_members.mute("alice", group, "bob", 60)


def test_nobody_mutes_themselves() -> None:
    site = Site()
    with refused(10004):
        site.domain.group_members.mute("alice", site.group(), "alice", 60)


def test_an_admin_of_a_meeting_may_mute_all_though_not_rename_it() -> None:
    site, group = with_admin(MEETING)
    assert site.domain.groups.modify("bob", group, GroupChanges(mute_all=True)).mute_all
    with refused(10007):
        site.domain.groups.modify("bob", group, GroupChanges(mute_all=True, name="x"))


def test_changing_nothing_tells_nobody() -> None:
    site = Site()
    group = site.group()
    site.online("alice")
    site.domain.groups.modify("alice", group, GroupChanges())
    assert site.heard() == []


def test_muting_all_spares_owner_and_admins() -> None:
    site, group = with_admin()
    site.domain.groups.modify("alice", group, GroupChanges(mute_all=True))
    assert site.say("alice", group).sequence
    assert site.say("bob", group).sequence
    with refused(10017):
        site.say("carol", group)


def test_a_name_card_goes_with_the_messages() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob")
    site.domain.group_members.set_name_card("bob", group, "bob", "Bobby")
    message = site.say("bob", group).message
    assert message is not None
    assert message.name_card == "Bobby"


def test_a_name_card_of_51_bytes_is_refused() -> None:
    site = Site()
    with refused(10004):
        site.domain.group_members.set_name_card("alice", site.group(), "alice", "x" * 51)


def test_a_member_cannot_set_anothers_name_card() -> None:
    site, group = with_admin()
    with refused(10007):
        site.domain.group_members.set_name_card("carol", group, "bob", "x")


def test_member_custom_fields_are_set_and_deleted() -> None:
    site = Site()
    group = site.group()
    site.domain.group_members.set_custom("alice", group, "alice", {"a": "1", "b": "2"})
    site.domain.group_members.set_custom("alice", group, "alice", {"a": ""})
    assert site.domain.group_members.get("alice", group, ["alice"])[0].custom == {"b": "2"}


def test_who_discards_gets_no_pushes_but_has_the_history() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob")
    site.online("bob")
    site.domain.group_members.set_remind("bob", group, RemindType.DISCARD)
    site.say("alice", group)
    assert site.heard() == []
    assert site.domain.group_messages.last_message("bob", group) is not None
