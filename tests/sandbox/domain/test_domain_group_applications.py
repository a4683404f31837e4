from __future__ import annotations

from domain_site import PUBLIC, WORK, Site, refused, with_admin

from timbot.sandbox.domain.group_applications import GroupApplication
from timbot.sandbox.domain.group_rules import Role
from timbot.sandbox.domain.limits import DAY
from timbot.sandbox.domain.messages import GroupChanges
from timbot.sandbox.domain.notices import SystemKind, SystemNotice


def applied(wording: str = "let me in") -> tuple[Site, str, GroupApplication]:
    """Dave applies to the group of alice (owner), bob (admin) and carol."""
    site, group = with_admin()
    site.domain.group_members.join("dave", group, wording)
    (application,) = site.domain.group_applications.pending("alice").applications
    site.heard()
    return site, group, application


def kinds_for(site: Site, user: str) -> list[SystemKind]:
    return [notice.kind for notice in site.domain.group_applications.notices_for(user)]


def test_owner_and_admins_are_told_and_members_are_not() -> None:
    site, group = with_admin()
    site.online("alice", "bob", "carol")
    site.domain.group_members.join("dave", group, "let me in")
    heard = [(to, n.kind, n.operator, n.text) for to, n in site.heard() if isinstance(n, SystemNotice)]
    assert heard == [(to, SystemKind.JOIN_APPLICATION, "dave", "let me in") for to in ("alice", "bob")]


def test_the_notice_carries_the_key_that_handles_it() -> None:
    site, group = with_admin()
    site.domain.group_members.join("dave", group)
    (notice,) = [n for n in site.domain.group_applications.notices_for("bob") if n.key]
    site.domain.group_applications.handle("bob", group, "dave", notice.key, agree=True)
    assert site.domain.groups.info("dave", group).me is not None


def test_accepting_lets_the_applicant_in_and_says_so() -> None:
    site, group, application = applied()
    site.online("dave")
    site.domain.group_applications.handle("bob", group, "dave", application.key, agree=True, message="welcome")
    notice, _tip = site.heard_by("dave")
    assert isinstance(notice, SystemNotice)
    assert (notice.kind, notice.operator, notice.text) == (SystemKind.ACCEPTED, "bob", "welcome")


def test_refusing_leaves_the_applicant_out_and_says_so() -> None:
    site, group, application = applied()
    site.online("dave")
    site.domain.group_applications.handle("bob", group, "dave", application.key, agree=False, message="no")
    (notice,) = site.heard_by("dave")
    assert isinstance(notice, SystemNotice)
    assert (notice.kind, notice.text) == (SystemKind.REFUSED, "no")
    assert site.domain.groups.info("dave", group).me is None


def test_the_second_handler_is_told_it_is_done() -> None:
    site, group, application = applied()
    site.domain.group_applications.handle("bob", group, "dave", application.key, agree=False)
    with refused(10024):
        site.domain.group_applications.handle("alice", group, "dave", application.key, agree=True)


def test_other_admins_find_the_application_handled() -> None:
    site, group, application = applied()
    site.domain.group_applications.handle("bob", group, "dave", application.key, agree=True, message="hi")
    (found,) = site.domain.group_applications.pending("alice").applications
    assert (found.handled, found.handled_by, found.agreed, found.answer) == (True, "bob", True, "hi")


def test_a_member_without_rights_cannot_handle() -> None:
    site, group, application = applied()
    with refused(10007):
        site.domain.group_applications.handle("carol", group, "dave", application.key, agree=True)


def test_a_member_without_rights_sees_no_applications() -> None:
    site, _, _ = applied()
    assert site.domain.group_applications.pending("carol").applications == ()


def test_a_wrong_key_is_refused() -> None:
    site, group, _ = applied()
    with refused(10004):
        site.domain.group_applications.handle("alice", group, "dave", "wrong", agree=True)


def test_an_applicant_who_came_in_otherwise_settles_the_application() -> None:
    site, group, application = applied()
    site.domain.group_members.add("administrator", group, ["dave"])
    with refused(10013):
        site.domain.group_applications.handle("alice", group, "dave", application.key, agree=True)
    with refused(10024):
        site.domain.group_applications.handle("bob", group, "dave", application.key, agree=True)


def test_a_full_group_lets_the_application_wait() -> None:
    site, group, application = applied()
    site.domain.groups.modify("alice", group, GroupChanges(max_members=3))
    with refused(10014):
        site.domain.group_applications.handle("alice", group, "dave", application.key, agree=True)
    site.domain.groups.modify("alice", group, GroupChanges(max_members=4))
    site.domain.group_applications.handle("alice", group, "dave", application.key, agree=True)


def test_applying_again_renews_the_wording_under_the_same_key() -> None:
    site, group, application = applied("one")
    site.domain.group_members.join("dave", group, "two")
    (found,) = site.domain.group_applications.pending("alice").applications
    assert (found.wording, found.key) == ("two", application.key)


def test_after_a_refusal_one_may_apply_again() -> None:
    site, group, application = applied()
    site.domain.group_applications.handle("alice", group, "dave", application.key, agree=False)
    site.domain.group_members.join("dave", group)
    waiting = [a for a in site.domain.group_applications.pending("alice").applications if not a.handled]
    assert len(waiting) == 1
    assert waiting[0].key != application.key


def test_unhandled_applications_are_repeated_at_every_login() -> None:
    site, _, _ = applied()
    assert kinds_for(site, "alice") == kinds_for(site, "alice") == [SystemKind.JOIN_APPLICATION]


def test_handled_applications_are_not_repeated() -> None:
    site, group, application = applied()
    site.domain.group_applications.handle("bob", group, "dave", application.key, agree=True)
    assert SystemKind.JOIN_APPLICATION not in kinds_for(site, "alice")


def test_a_deleted_notice_is_not_repeated_but_the_application_can_be_handled() -> None:
    site, group, application = applied()
    (notice,) = site.domain.group_applications.notices_for("alice")
    assert site.domain.group_applications.delete_notice("alice", notice.sequence, notice.random)
    assert kinds_for(site, "alice") == []
    site.domain.group_applications.handle("alice", group, "dave", application.key, agree=True)


def test_an_admin_no_longer_sees_no_applications() -> None:
    site, group, _ = applied()
    site.domain.group_members.set_role("alice", group, "bob", Role.MEMBER)
    assert SystemKind.JOIN_APPLICATION not in kinds_for(site, "bob")


def test_pages_end_with_zero() -> None:
    site = Site(users=("alice", *(f"user{n}" for n in range(5))))
    group = site.group()
    for number in range(5):
        site.domain.group_members.join(f"user{number}", group)
    found: list[str] = []
    start, pages = 0, 0
    while True:
        page = site.domain.group_applications.pending("alice", start, 2)
        found += [application.applicant for application in page.applications]
        start, pages = page.next_start, pages + 1
        if start == 0:
            break
    assert (found, pages) == ([f"user{n}" for n in range(5)], 3)


def test_applications_end_with_the_group() -> None:
    site, group, _ = applied()
    site.domain.groups.dismiss("alice", group)
    assert site.domain.group_applications.pending("alice").applications == ()


def test_an_old_application_does_not_reach_a_new_group_of_the_same_id() -> None:
    site = Site()
    site.domain.groups.create("alice", PUBLIC, GroupChanges(name="x"), group_id="den")
    site.domain.group_members.join("dave", "den")
    (application,) = site.domain.group_applications.pending("alice").applications
    site.domain.groups.dismiss("alice", "den")
    site.domain.groups.create("alice", PUBLIC, GroupChanges(name="x"), group_id="den")
    with refused(10004):
        site.domain.group_applications.handle("alice", "den", "dave", application.key, agree=True)


def test_an_invitation_waits_for_who_was_away() -> None:
    site = Site()
    site.domain.groups.create("alice", WORK, GroupChanges(name="x"), members=["bob"])
    assert kinds_for(site, "bob") == [SystemKind.INVITED]


def test_a_removal_is_no_longer_repeated_once_one_is_back() -> None:
    site = Site()
    group = site.group(WORK, "bob")
    site.domain.group_members.remove("alice", group, ["bob"])
    site.domain.group_members.add("alice", group, ["bob"])
    assert kinds_for(site, "bob") == [SystemKind.INVITED]


def test_pruning_forgets_handled_applications_and_old_notices() -> None:
    site, group, application = applied()
    site.domain.group_applications.handle("alice", group, "dave", application.key, agree=False)
    site.now += 8 * DAY
    site.domain.prune()
    assert site.domain.group_applications.pending("alice").applications == ()
    assert kinds_for(site, "dave") == []


def test_pruning_keeps_what_still_waits() -> None:
    site, _, _ = applied()
    site.now += 8 * DAY
    site.domain.prune()
    assert kinds_for(site, "alice") == [SystemKind.JOIN_APPLICATION]
