from __future__ import annotations

import pytest
from domain_site import LIVE, MEETING, PUBLIC, START, WORK, Site, refused, with_admin

from timbot.sandbox.domain import Settings
from timbot.sandbox.domain.group_rules import GroupType, Role
from timbot.sandbox.domain.messages import GroupChanges, JoinOption, TipKind
from timbot.sandbox.domain.notices import GroupTipped, SystemKind, SystemNotice


def test_the_creator_owns_the_group() -> None:
    site = Site()
    info = site.domain.groups.create("alice", PUBLIC, GroupChanges(name="den")).info
    assert (info.owner, info.member_count, info.created, info.next_sequence) == ("alice", 1, START, 1)
    assert info.me is not None
    assert info.me.role is Role.OWNER


def test_a_made_up_id_looks_like_the_vendors() -> None:
    assert Site().group().startswith("@TGS#")


def test_first_members_are_invited() -> None:
    site = Site()
    site.online("bob")
    site.domain.groups.create("alice", WORK, GroupChanges(name="den"), members=["bob", "alice"])
    (notice,) = site.heard_by("bob")
    assert isinstance(notice, SystemNotice)
    assert (notice.kind, notice.operator) == (SystemKind.INVITED, "alice")


@pytest.mark.parametrize("group_id", ["", "x" * 49, "@TGS#mine", "名", "a\n"])
def test_a_bad_own_id_is_refused(group_id: str) -> None:
    with refused(10004):
        Site().domain.groups.create("alice", PUBLIC, GroupChanges(name="den"), group_id=group_id)


@pytest.mark.parametrize(("user", "code"), [("alice", 10025), ("bob", 10021)])
def test_a_taken_id_is_refused(user: str, code: int) -> None:
    site = Site()
    site.domain.groups.create("alice", PUBLIC, GroupChanges(name="den"), group_id="den")
    with refused(code):
        site.domain.groups.create(user, PUBLIC, GroupChanges(name="den"), group_id="den")


@pytest.mark.parametrize(
    "profile",
    [
        GroupChanges(),
        GroupChanges(name="x" * 31),
        GroupChanges(name="x", introduction="x" * 241),
        GroupChanges(name="x", notification="x" * 301),
        GroupChanges(name="x", face_url="x" * 101),
        GroupChanges(name="x", max_members=0),
        GroupChanges(name="x", max_members=2001),
        GroupChanges(name="x", custom=(("k" * 17, "v"),)),
        GroupChanges(name="x", custom=(("k", "v" * 513),)),
        GroupChanges(name="x", custom=tuple((f"k{n}", "v") for n in range(11))),
    ],
)
def test_a_bad_profile_is_refused(profile: GroupChanges) -> None:
    with refused(10004):
        Site().domain.groups.create("alice", PUBLIC, profile)


def test_a_live_room_starts_without_members() -> None:
    with refused(10007):
        Site().domain.groups.create("alice", LIVE, GroupChanges(name="x"), members=["bob"])


def test_who_is_in_too_many_groups_cannot_make_another() -> None:
    site = Site(Settings(groups_per_user=1))
    site.group()
    with refused(10037):
        site.group()


def test_first_members_in_too_many_groups_are_reported() -> None:
    site = Site(Settings(groups_per_user=1))
    site.group(owner="bob")
    created = site.domain.groups.create("alice", WORK, GroupChanges(name="x"), members=["bob", "carol"])
    assert (created.over_limit, created.info.member_count) == (("bob",), 2)


def test_an_unknown_group_is_refused() -> None:
    with refused(10010):
        Site().domain.groups.info("alice", "nowhere")


def test_a_work_group_shows_itself_to_members_only() -> None:
    site = Site()
    with refused(10007):
        site.domain.groups.info("bob", site.group(WORK))


def test_a_stranger_sees_a_public_group_without_being_in_it() -> None:
    site = Site()
    assert site.domain.groups.info("bob", site.group()).me is None


@pytest.mark.parametrize(
    ("kind", "user", "allowed"),
    [
        (WORK, "carol", True),
        (WORK, "dave", False),
        (PUBLIC, "bob", True),
        (PUBLIC, "carol", False),
        (MEETING, "alice", True),
        (MEETING, "bob", False),
        (LIVE, "alice", True),
        (LIVE, "carol", False),
        (PUBLIC, "administrator", True),
    ],
)
def test_who_may_change_the_name(kind: GroupType, user: str, allowed: bool) -> None:
    site = Site()
    group = site.group(kind, "bob", "carol")
    if kind in (PUBLIC, MEETING):
        site.domain.group_members.set_role("alice", group, "bob", Role.ADMIN)
    if allowed:
        assert site.domain.groups.modify(user, group, GroupChanges(name="new")).name == "new"
    else:
        with refused(10007):
            site.domain.groups.modify(user, group, GroupChanges(name="new"))


def test_a_changed_profile_is_told_by_a_tip() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob")
    site.online("bob")
    site.domain.groups.modify("alice", group, GroupChanges(notification="hush"))
    (notice,) = site.heard_by("bob")
    assert isinstance(notice, GroupTipped)
    assert (notice.tip.kind, notice.tip.changes) == (TipKind.PROFILE_CHANGED, GroupChanges(notification="hush"))


def test_an_empty_value_deletes_a_custom_field() -> None:
    site = Site()
    group = site.group()
    site.domain.groups.modify("alice", group, GroupChanges(custom=(("k", "v"), ("l", "w"))))
    assert site.domain.groups.modify("alice", group, GroupChanges(custom=(("k", ""),))).custom == {"l": "w"}


@pytest.mark.parametrize("kind", [WORK, MEETING, LIVE])
def test_only_public_groups_have_a_join_option(kind: GroupType) -> None:
    site = Site()
    group = site.group(kind)
    with refused(10004):
        site.domain.groups.modify("alice", group, GroupChanges(join_option=JoinOption.FREE))


def test_a_work_group_cannot_be_muted() -> None:
    site = Site()
    group = site.group(WORK)
    with refused(10007):
        site.domain.groups.modify("alice", group, GroupChanges(mute_all=True))


def test_a_transfer_swaps_the_roles() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob")
    site.domain.groups.transfer("alice", group, "bob")
    members = site.domain.group_members.get("alice", group, ["alice", "bob"])
    assert [member.role for member in members] == [Role.MEMBER, Role.OWNER]


def test_a_transfer_to_a_stranger_is_refused() -> None:
    site = Site()
    with refused(10004):
        site.domain.groups.transfer("alice", site.group(), "bob")


def test_a_live_room_keeps_its_owner() -> None:
    site = Site()
    group = site.group(LIVE, "bob")
    with refused(10007):
        site.domain.groups.transfer("alice", group, "bob")


@pytest.mark.parametrize("kind", [PUBLIC, MEETING, LIVE])
def test_dismissing_tells_every_member(kind: GroupType) -> None:
    site = Site()
    group = site.group(kind, "bob", "carol")
    alice, *_ = site.online("alice", "bob", "carol")
    site.domain.groups.dismiss("alice", group, instance=alice.instance_id)
    told = [(to, n.kind) for to, n in site.heard() if isinstance(n, SystemNotice)]
    assert told == [("bob", SystemKind.DISMISSED), ("carol", SystemKind.DISMISSED)]
    assert site.domain.groups.joined("bob").total == 0


def test_a_work_group_is_dismissed_by_the_administrator_only() -> None:
    site = Site()
    group = site.group(WORK)
    with refused(10007):
        site.domain.groups.dismiss("alice", group)
    site.domain.groups.dismiss("administrator", group)
    assert not site.domain.groups.exists(group)


def test_an_admin_cannot_dismiss() -> None:
    site, group = with_admin()
    with refused(10007):
        site.domain.groups.dismiss("bob", group)


def test_a_new_group_under_an_old_id_is_another_incarnation_and_starts_at_one() -> None:
    site = Site()
    first = site.domain.groups.create("alice", PUBLIC, GroupChanges(name="x"), group_id="den").info
    site.say("alice", "den")
    site.domain.groups.dismiss("alice", "den")
    second = site.domain.groups.create("alice", PUBLIC, GroupChanges(name="x"), group_id="den").info
    assert second.incarnation > first.incarnation
    assert site.say("alice", "den").sequence == 1


def test_joined_groups_come_in_order_and_in_pages() -> None:
    site = Site()
    groups = [site.group(owner="bob") for _ in range(3)]
    page = site.domain.groups.joined("bob", offset=1, limit=1)
    assert ([info.group_id for info in page.groups], page.total) == ([groups[1]], 3)


def test_live_rooms_are_listed_only_if_asked_for() -> None:
    site = Site()
    site.group(LIVE)
    assert site.domain.groups.joined("alice").total == 0
    assert site.domain.groups.joined("alice", live_rooms=True).total == 1


def test_a_custom_notice_reaches_whom_it_names_and_is_not_kept() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob", "carol")
    site.online("bob")
    site.domain.groups.notify("administrator", group, "hello", to=["bob", "dave"])
    (notice,) = site.heard_by("bob")
    assert isinstance(notice, SystemNotice)
    assert (notice.kind, notice.text) == (SystemKind.CUSTOM, "hello")
    assert all(n.kind is not SystemKind.CUSTOM for n in site.domain.group_applications.notices_for("carol"))
