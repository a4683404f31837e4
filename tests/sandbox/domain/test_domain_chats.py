from __future__ import annotations

import pytest
from domain_site import START, Site, refused

from timbot.sandbox.domain import Settings
from timbot.sandbox.domain.limits import DAY
from timbot.sandbox.domain.notices import C2CArrived, C2CReadByPeer, C2CReadElsewhere, C2CRevoked


def bodies(site: Site, user: str, peer: str, count: int = 100) -> list[object]:
    return [message.body for message in site.domain.chats.history(user, peer, count).messages]


def test_a_message_reaches_the_receiver() -> None:
    site = Site()
    site.online("bob")
    sent = site.c2c("alice", "bob")
    assert site.heard() == [("bob", C2CArrived(sent.message, position=1))]


def test_server_time_is_whole_seconds() -> None:
    site = Site()
    site.now += 0.9
    assert site.c2c("alice", "bob").time == START


def test_the_senders_other_instance_gets_a_copy_and_the_sending_one_does_not() -> None:
    site = Site(Settings(instances=2))
    phone, _ = site.online("alice", "alice")
    sent = site.c2c("alice", "bob", instance=phone.instance_id)
    (delivery,) = site.domain.take_deliveries()
    assert (delivery.notice, delivery.skip_instance) == (C2CArrived(sent.message, own_copy=True), phone.instance_id)


def test_sending_to_oneself_reaches_the_other_instance_once() -> None:
    site = Site(Settings(instances=2))
    phone, _ = site.online("alice", "alice")
    site.c2c("alice", "alice", instance=phone.instance_id)
    assert len(site.heard()) == 1
    assert site.domain.chats.unread("alice", "alice").count == 0


def test_a_repeat_within_the_second_is_the_same_message() -> None:
    site = Site()
    site.online("bob")
    first = site.c2c("alice", "bob", "one", random=5)
    site.heard()
    again = site.c2c("alice", "bob", "one", random=5)
    assert (again.duplicate, again.message) == (True, first.message)
    assert site.heard() == []


def test_a_repeat_in_the_next_second_is_a_new_message() -> None:
    site = Site()
    site.c2c("alice", "bob", random=5)
    site.now += 1
    assert not site.c2c("alice", "bob", random=5).duplicate


@pytest.mark.parametrize(("sender", "receiver"), [("alice", "carol"), ("carol", "bob"), ("bob", "alice")])
def test_the_same_random_in_another_conversation_or_direction_is_no_repeat(sender: str, receiver: str) -> None:
    site = Site()
    site.c2c("alice", "bob", random=5)
    assert not site.c2c(sender, receiver, random=5).duplicate


def test_without_deduplication_every_send_is_new() -> None:
    site = Site(Settings(dedupe="none"))
    site.c2c("alice", "bob", random=5)
    assert not site.c2c("alice", "bob", random=5).duplicate


def test_an_unknown_receiver_is_refused() -> None:
    with refused(20003):
        Site().c2c("alice", "nobody")


def test_a_blacklisted_sender_is_refused() -> None:
    site = Site()
    site.domain.blacklist.add("bob", ["alice"])
    with refused(20007):
        site.c2c("alice", "bob")


def test_one_may_write_to_whom_one_has_blacklisted() -> None:
    site = Site()
    site.domain.blacklist.add("bob", ["alice"])
    site.c2c("bob", "alice")


def test_twelve_kilobytes_pass_and_one_byte_more_does_not() -> None:
    site = Site()
    site.c2c("alice", "bob", size=12 * 1024)
    with refused(93000):
        site.c2c("alice", "bob", size=12 * 1024 + 1)


@pytest.mark.parametrize(("adder", "target", "code"), [(None, None, 20009), ("alice", "bob", 20010), ("bob", "alice", 20011)])
def test_friends_only_tells_which_side_is_missing(adder: str | None, target: str | None, code: int) -> None:
    site = Site(Settings(friends_only=True))
    if adder and target:
        site.domain.friends.add(adder, target, mutual=False)
        site.domain.friend_applications.accept(target, adder, add_back=False)
    with refused(code):
        site.c2c("alice", "bob")


def test_friends_only_lets_mutual_friends_write() -> None:
    site = Site(Settings(friends_only=True))
    site.domain.friends.add("alice", "bob")
    site.domain.friend_applications.accept("bob", "alice", add_back=True)
    site.c2c("alice", "bob")


def test_an_online_only_message_is_stored_nowhere() -> None:
    site = Site()
    (bob,) = site.online("bob")
    site.c2c("alice", "bob", online_only=True)
    assert len(site.heard()) == 1
    assert bodies(site, "bob", "alice") == []
    assert site.domain.chats.pending("bob", bob.instance_id, None).messages == ()
    assert site.domain.chats.recent("bob") == {}


def test_history_is_the_same_for_both() -> None:
    site = Site()
    site.c2c("alice", "bob", 1)
    site.c2c("bob", "alice", 2)
    assert bodies(site, "alice", "bob") == bodies(site, "bob", "alice") == [1, 2]


def test_history_pages_go_back_and_each_is_oldest_first() -> None:
    site = Site()
    for number in range(5):
        site.c2c("alice", "bob", number)
    newest = site.domain.chats.history("bob", "alice", 2)
    middle = site.domain.chats.history("bob", "alice", 2, key=newest.key)
    oldest = site.domain.chats.history("bob", "alice", 2, key=middle.key)
    assert [[m.body for m in page.messages] for page in (newest, middle, oldest)] == [[3, 4], [1, 2], [0]]
    assert [page.complete for page in (newest, middle, oldest)] == [False, False, True]


def test_a_page_that_takes_the_last_message_is_complete() -> None:
    site = Site()
    site.c2c("alice", "bob")
    assert site.domain.chats.history("bob", "alice", 1).complete


def test_history_until_a_time_includes_that_second() -> None:
    site = Site()
    for number in range(3):
        site.c2c("alice", "bob", number)
        site.now += 1
    page = site.domain.chats.history("bob", "alice", 10, until=START + 1)
    assert [message.body for message in page.messages] == [0, 1]


def test_history_ends_after_seven_days_even_before_pruning() -> None:
    site = Site()
    site.c2c("alice", "bob", "old")
    site.now += 7 * DAY + 1
    site.c2c("alice", "bob", "new")
    assert bodies(site, "bob", "alice") == ["new"]


def test_recall_flags_the_message_and_tells_the_peer() -> None:
    site = Site()
    site.online("bob")
    sent = site.c2c("alice", "bob", random=9)
    site.heard()
    recalled = site.domain.chats.recall("alice", "bob", sequence=9, random=9, time=sent.time)
    assert recalled.recalled
    assert site.heard() == [("bob", C2CRevoked(recalled))]
    assert site.domain.chats.history("bob", "alice", 1).messages[0].recalled


def test_recall_works_up_to_two_minutes() -> None:
    site = Site()
    sent = site.c2c("alice", "bob", random=9)
    site.now += 120
    site.domain.chats.recall("alice", "bob", sequence=9, random=9, time=sent.time)


def test_recall_is_refused_after_two_minutes() -> None:
    site = Site()
    sent = site.c2c("alice", "bob", random=9)
    site.now += 121
    with refused(20016):
        site.domain.chats.recall("alice", "bob", sequence=9, random=9, time=sent.time)


def test_only_the_sender_recalls() -> None:
    site = Site()
    sent = site.c2c("alice", "bob", random=9)
    with refused(20022):
        site.domain.chats.recall("bob", "alice", sequence=9, random=9, time=sent.time)


def test_a_recall_is_not_repeated() -> None:
    site = Site()
    sent = site.c2c("alice", "bob", random=9)
    site.domain.chats.recall("alice", "bob", sequence=9, random=9, time=sent.time)
    with refused(20023):
        site.domain.chats.recall("alice", "bob", sequence=9, random=9, time=sent.time)


def test_deletion_is_for_one_side_only() -> None:
    site = Site()
    sent = site.c2c("alice", "bob", random=9)
    assert site.domain.chats.delete("bob", "alice", [(9, 9, sent.time), (1, 1, sent.time)]) == 1
    assert (bodies(site, "bob", "alice"), bodies(site, "alice", "bob")) == ([], ["hi"])


def test_more_than_thirty_deletions_at_once_are_refused() -> None:
    with refused(20001):
        Site().domain.chats.delete("bob", "alice", [(n, n, START) for n in range(31)])


def test_reading_sends_a_receipt_and_tells_the_own_other_instances() -> None:
    site = Site(Settings(instances=2))
    _, tab, _ = site.online("alice", "bob", "bob")
    site.c2c("alice", "bob")
    site.heard()
    assert site.domain.chats.read("bob", "alice", START, instance=tab.instance_id)
    assert site.heard() == [("alice", C2CReadByPeer("bob", START)), ("bob", C2CReadElsewhere("alice", START))]
    assert site.domain.chats.peer_read_time("alice", "bob") == START


def test_reading_twice_sends_one_receipt() -> None:
    site = Site()
    site.c2c("alice", "bob")
    site.domain.chats.read("bob", "alice", START)
    assert not site.domain.chats.read("bob", "alice", START)


def test_nobody_reads_the_future() -> None:
    site = Site()
    site.c2c("alice", "bob")
    site.domain.chats.read("bob", "alice", START + 1000)
    assert site.domain.chats.peer_read_time("alice", "bob") == START


def test_unread_counts_what_came_after_the_last_reading() -> None:
    site = Site()
    site.c2c("alice", "bob")
    site.domain.chats.read("bob", "alice", START)
    site.now += 1
    site.c2c("alice", "bob")
    site.c2c("bob", "alice")
    unread = site.domain.chats.unread("bob", "alice")
    assert (unread.count, unread.last_time) == (1, START + 1)


def test_pruning_forgets_quiet_conversations_entirely() -> None:
    site = Site(users=("alice", *(f"user{n}" for n in range(50))))
    for number in range(50):
        site.c2c(f"user{number}", "alice")
    site.now += 8 * DAY
    site.domain.prune()
    assert site.domain.chats.conversation_count == 0
    assert site.domain.chats.recent("alice") == {}
