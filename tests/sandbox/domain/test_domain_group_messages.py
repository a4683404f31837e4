from __future__ import annotations

import pytest
from domain_site import EVERY_TYPE, LIVE, MEETING, PUBLIC, WORK, Site, refused, with_admin

from timbot.sandbox.domain import Settings
from timbot.sandbox.domain.group_messages import RecordState
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.limits import DAY
from timbot.sandbox.domain.messages import GroupMessage, Priority
from timbot.sandbox.domain.notices import GroupArrived, GroupReadElsewhere, GroupRevoked, Mentioned


def sequences(site: Site, user: str, group: str, newest: int | None = None, count: int = 100) -> list[int]:
    return [record.sequence for record in site.domain.group_messages.history(user, group, newest, count).records]


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_a_stranger_cannot_speak(kind: GroupType) -> None:
    site = Site()
    with refused(10007):
        site.say("bob", site.group(kind))


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_sequences_count_from_one(kind: GroupType) -> None:
    site = Site()
    group = site.group(kind)
    assert [site.say("alice", group).sequence for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(("kind", "sequence"), [(WORK, 2), (PUBLIC, 2), (MEETING, 1), (LIVE, 2)])
def test_a_join_tip_takes_a_sequence_where_there_is_one(kind: GroupType, sequence: int) -> None:
    site = Site()
    group = site.group(kind, "bob")
    assert site.say("alice", group).sequence == sequence


def test_a_message_reaches_members_and_the_senders_other_instance() -> None:
    site = Site(Settings(instances=2))
    group = site.group(PUBLIC, "bob")
    phone, *_ = site.online("alice", "alice", "bob", "carol")
    sent = site.say("alice", group, instance=phone.instance_id)
    assert sent.message is not None
    notice = GroupArrived(sent.message, "den")
    assert [(d.to, d.notice, d.skip_instance) for d in site.domain.take_deliveries()] == [
        ("alice", notice, phone.instance_id),
        ("bob", notice, None),
    ]


def test_a_message_over_twelve_kilobytes_is_refused() -> None:
    site = Site()
    with refused(80002):
        site.say("alice", site.group(), size=12 * 1024 + 1)


def test_a_repeat_within_five_minutes_gives_the_first_outcome() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob")
    site.online("bob")
    first = site.say("alice", group, random=5)
    site.heard()
    site.now += 299
    again = site.say("alice", group, random=5)
    assert (again.duplicate, again.sequence, again.time) == (True, first.sequence, first.time)
    assert site.heard() == []


def test_a_repeat_after_five_minutes_is_a_new_message() -> None:
    site = Site()
    group = site.group()
    site.say("alice", group, random=5)
    site.now += 300
    assert site.say("alice", group, random=5).sequence == 2


def test_the_same_random_of_another_sender_is_no_repeat() -> None:
    site = Site()
    group = site.group(MEETING, "bob")
    site.say("alice", group, random=5)
    assert not site.say("bob", group, random=5).duplicate


def test_without_deduplication_every_send_is_new() -> None:
    site = Site(Settings(dedupe="none"))
    group = site.group()
    site.say("alice", group, random=5)
    assert site.say("alice", group, random=5).sequence == 2


def test_the_forty_first_message_of_a_second_is_dropped() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob")
    site.online("bob")
    sent = [site.say("alice", group) for _ in range(41)]
    assert [s.dropped for s in sent] == [False] * 40 + [True]
    assert (sent[-1].sequence, len(site.heard())) == (None, 40)


def test_a_dropped_message_leaves_no_gap() -> None:
    site = Site()
    group = site.group()
    for _ in range(41):
        site.say("alice", group)
    site.now += 1
    assert site.say("alice", group).sequence == 41


def test_a_dropped_message_may_be_repeated_under_its_random() -> None:
    site = Site()
    group = site.group()
    for _ in range(40):
        site.say("alice", group)
    assert site.say("alice", group, random=99).dropped
    site.now += 1
    assert site.say("alice", group, random=99).sequence == 41


def test_lower_priorities_do_not_keep_higher_ones_out() -> None:
    site = Site()
    group = site.group()
    for _ in range(40):
        site.say("alice", group, priority=Priority.LOW)
    assert site.say("alice", group, priority=Priority.LOWEST).dropped
    assert not site.say("alice", group, priority=Priority.HIGH).dropped


def test_above_forty_high_ones_those_are_dropped_too() -> None:
    site = Site()
    group = site.group()
    for _ in range(40):
        site.say("alice", group, priority=Priority.HIGH)
    assert site.say("alice", group, priority=Priority.HIGH).dropped


def test_an_online_only_message_takes_no_sequence_and_is_not_kept() -> None:
    site = Site()
    group = site.group(MEETING, "bob")
    site.online("bob")
    assert site.say("alice", group, online_only=True).sequence == 0
    assert len(site.heard()) == 1
    assert sequences(site, "bob", group) == []
    assert site.say("alice", group).sequence == 1


def test_a_live_room_ignores_online_only() -> None:
    site = Site()
    assert site.say("alice", site.group(LIVE), online_only=True).sequence == 1


def test_history_is_newest_first_with_tips_and_starts_at_the_asked_sequence() -> None:
    site = Site()
    group = site.group(WORK)
    for _ in range(4):
        site.say("alice", group)
    site.domain.group_members.add("alice", group, ["bob"])
    page = site.domain.group_messages.history("alice", group, None, 2)
    assert ([r.sequence for r in page.records], page.complete) == ([5, 4], False)
    page = site.domain.group_messages.history("alice", group, 3, 3)
    assert ([r.sequence for r in page.records], page.complete) == ([3, 2, 1], True)


@pytest.mark.parametrize(("kind", "seen"), [(WORK, [3, 2]), (PUBLIC, [3, 2]), (MEETING, [2, 1])])
def test_history_before_joining(kind: GroupType, seen: list[int]) -> None:
    site = Site()
    group = site.group(kind)
    site.say("alice", group)
    if kind is MEETING:
        site.domain.group_members.join("bob", group)
    else:
        site.domain.group_members.add("administrator", group, ["bob"])
    site.say("alice", group)
    assert sequences(site, "bob", group) == seen


def test_a_live_room_has_no_history() -> None:
    site = Site()
    with refused(10044):
        sequences(site, "alice", site.group(LIVE))


def test_a_stranger_reads_no_history() -> None:
    site = Site()
    with refused(10007):
        sequences(site, "bob", site.group())


@pytest.mark.parametrize("prune", [True, False])
def test_history_ends_after_seven_days(prune: bool) -> None:
    site = Site()
    group = site.group()
    site.say("alice", group)
    site.now += 7 * DAY + 1
    if prune:
        site.domain.prune()
    site.say("alice", group)
    assert sequences(site, "alice", group) == [2]


def test_deleted_messages_are_placeholders_for_the_deleter_only() -> None:
    site = Site()
    group = site.group(MEETING, "bob")
    site.say("alice", group)
    assert site.domain.group_messages.delete("bob", group, [1, 7]) == 1
    (mine,) = site.domain.group_messages.history("bob", group, None, 5).records
    (theirs,) = site.domain.group_messages.history("alice", group, None, 5).records
    assert (mine.state, mine.content, theirs.state) == (RecordState.PLACEHOLDER, None, RecordState.NORMAL)


def test_recall_by_the_sender_tells_all_members_but_the_calling_instance() -> None:
    site = Site()
    group = site.group(MEETING, "bob")
    alice, _ = site.online("alice", "bob")
    site.say("alice", group)
    site.heard()
    assert site.domain.group_messages.recall("alice", group, [1], instance=alice.instance_id) == ((1, 0),)
    ((to, notice),) = site.heard()
    assert isinstance(notice, GroupRevoked)
    assert (to, [m.sequence for m in notice.messages]) == ("bob", [1])


def test_a_recalled_message_is_flagged_in_the_history() -> None:
    site = Site()
    group = site.group()
    site.say("alice", group)
    site.domain.group_messages.recall("alice", group, [1])
    (record,) = site.domain.group_messages.history("alice", group, None, 5).records
    assert record.state is RecordState.RECALLED


@pytest.mark.parametrize(
    ("user", "age", "code"),
    [("carol", 120, 0), ("carol", 121, 10031), ("bob", 9999, 0), ("alice", 9999, 0)],
)
def test_how_long_a_members_message_can_be_recalled(user: str, age: int, code: int) -> None:
    site, group = with_admin()
    sequence = site.say("carol", group).sequence
    assert sequence is not None
    site.now += age
    assert site.domain.group_messages.recall(user, group, [sequence]) == ((sequence, code),)


def test_a_member_cannot_recall_anothers_message() -> None:
    site, group = with_admin()
    sequence = site.say("alice", group).sequence
    assert sequence is not None
    assert site.domain.group_messages.recall("carol", group, [sequence]) == ((sequence, 10007),)


def test_absent_messages_and_tips_cannot_be_recalled() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob")
    assert site.domain.group_messages.recall("alice", group, [1, 9]) == ((1, 10032), (9, 10030))


def test_a_live_room_has_no_recall() -> None:
    site = Site()
    group = site.group(LIVE)
    site.say("alice", group)
    with refused(10033):
        site.domain.group_messages.recall("alice", group, [1])


def test_unread_counts_from_joining_and_ends_with_reading() -> None:
    site = Site()
    group = site.group(WORK)
    site.say("alice", group)
    site.domain.group_members.add("alice", group, ["bob"])
    site.say("alice", group)
    assert site.domain.group_messages.unread("bob", group) == 2
    assert site.domain.group_messages.read("bob", group, 99)
    assert site.domain.group_messages.unread("bob", group) == 0


def test_own_messages_are_not_unread() -> None:
    site = Site()
    group = site.group(WORK)
    site.say("alice", group)
    assert site.domain.group_messages.unread("alice", group) == 0


@pytest.mark.parametrize("kind", [MEETING, LIVE])
def test_some_types_count_no_unread(kind: GroupType) -> None:
    site = Site()
    group = site.group(kind, "bob")
    site.say("alice", group)
    assert site.domain.group_messages.unread("bob", group) == 0


def test_reading_is_told_to_own_other_instances_once() -> None:
    site = Site()
    group = site.group(MEETING, "bob")
    site.say("alice", group)
    site.online("bob")
    site.domain.group_messages.read("bob", group, 1)
    site.domain.group_messages.read("bob", group, 1)
    assert site.heard() == [("bob", GroupReadElsewhere(group, 1))]


def test_those_mentioned_are_told_beside_the_message() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob", "carol")
    site.online("bob", "carol")
    site.say("alice", group, mentions=("bob", "dave", "alice"))
    marks = [(to, n.me, n.everybody) for to, n in site.heard() if isinstance(n, Mentioned)]
    assert marks == [("bob", True, False)]


def test_mentioning_all_marks_everybody_else() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob", "carol")
    site.online("alice", "bob", "carol")
    site.say("alice", group, mentions=("bob",), mention_all=True)
    marks = [(to, n.me, n.everybody) for to, n in site.heard() if isinstance(n, Mentioned)]
    assert marks == [("bob", True, True), ("carol", False, True)]


def test_nobody_mentions_all_in_a_live_room() -> None:
    site = Site()
    with refused(10004):
        site.say("alice", site.group(LIVE), mention_all=True)


def test_thirty_one_mentions_are_refused() -> None:
    site = Site()
    with refused(10053):
        site.say("alice", site.group(), mentions=tuple(f"user{n}" for n in range(31)))


def test_the_last_message_passes_over_tips_and_deleted_ones() -> None:
    site = Site()
    group = site.group(WORK)
    for body in ("one", "two"):
        site.say("alice", group, body)
    site.domain.group_members.add("alice", group, ["bob"])
    site.domain.group_messages.delete("alice", group, [2])
    last = site.domain.group_messages.last_message("alice", group)
    assert isinstance(last, GroupMessage)
    assert last.body == "one"
