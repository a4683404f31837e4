from __future__ import annotations

from domain_site import START, Site

from timbot.sandbox.domain import Settings
from timbot.sandbox.domain.limits import DAY
from timbot.sandbox.domain.notices import C2CArrived


def queue(site: Site, user: str, instance: int, after: int | None = None, limit: int = 100) -> list[object]:
    """All bodies waiting, page by page."""
    found: list[object] = []
    while True:
        page = site.domain.chats.pending(user, instance, after, limit)
        found += [message.body for message in page.messages]
        after = page.cursor
        if page.complete:
            return found


def position_of_last_push(site: Site, user: str) -> int:
    notice = site.heard_by(user, C2CArrived)[-1]
    assert isinstance(notice, C2CArrived)
    return notice.position


def test_messages_sent_while_away_wait_in_order_of_arrival() -> None:
    site = Site()
    for number, sender in enumerate(["bob", "carol", "bob"]):
        site.c2c(sender, "alice", number)
    (alice,) = site.online("alice")
    assert queue(site, "alice", alice.instance_id) == [0, 1, 2]


def test_paging_gives_everything_once() -> None:
    site = Site()
    for number in range(7):
        site.c2c("bob", "alice", number)
    (alice,) = site.online("alice")
    assert queue(site, "alice", alice.instance_id, limit=3) == list(range(7))


def test_what_lies_before_the_cursor_does_not_come_again() -> None:
    site = Site()
    site.c2c("bob", "alice", "seen")
    (alice,) = site.online("alice")
    cursor = site.domain.chats.pending("alice", alice.instance_id, None).cursor
    site.domain.accounts.drop("alice", alice.instance_id)
    site.c2c("bob", "alice", "new")
    assert queue(site, "alice", alice.instance_id, cursor) == ["new"]


def test_an_acknowledged_push_does_not_come_again() -> None:
    site = Site()
    (alice,) = site.online("alice")
    cursor = site.domain.chats.pending("alice", alice.instance_id, None).cursor
    site.c2c("bob", "alice")
    site.domain.chats.acknowledged("alice", alice.instance_id, position_of_last_push(site, "alice"))
    assert queue(site, "alice", alice.instance_id, cursor) == []


def test_a_push_never_acknowledged_comes_again() -> None:
    site = Site()
    (alice,) = site.online("alice")
    cursor = site.domain.chats.pending("alice", alice.instance_id, None).cursor
    site.c2c("bob", "alice", "lost")
    assert queue(site, "alice", alice.instance_id, cursor) == ["lost"]


def test_with_forget_a_push_counts_as_received() -> None:
    site = Site(Settings(unacked="forget"))
    (alice,) = site.online("alice")
    cursor = site.domain.chats.pending("alice", alice.instance_id, None).cursor
    site.c2c("bob", "alice", "lost")
    assert queue(site, "alice", alice.instance_id, cursor) == []


def test_another_instance_that_was_away_still_gets_what_the_first_acknowledged() -> None:
    site = Site(Settings(instances=2))
    phone, tab = site.online("alice", "alice")
    cursor = site.domain.chats.pending("alice", tab.instance_id, None).cursor
    site.domain.accounts.drop("alice", tab.instance_id)
    site.c2c("bob", "alice", "both")
    site.domain.chats.acknowledged("alice", phone.instance_id, position_of_last_push(site, "alice"))
    assert queue(site, "alice", tab.instance_id, cursor) == ["both"]


def test_a_client_that_remembers_nothing_gets_only_what_no_instance_received() -> None:
    site = Site()
    (first,) = site.online("alice")
    site.c2c("bob", "alice", "acknowledged")
    site.domain.chats.acknowledged("alice", first.instance_id, position_of_last_push(site, "alice"))
    site.c2c("bob", "alice", "not acknowledged")
    (second,) = site.online("alice")
    assert queue(site, "alice", second.instance_id, limit=1) == ["not acknowledged"]


def test_received_but_unread_messages_are_counted_beside_the_list() -> None:
    site = Site()
    (first,) = site.online("alice")
    site.c2c("bob", "alice")
    site.domain.chats.acknowledged("alice", first.instance_id, position_of_last_push(site, "alice"))
    (second,) = site.online("alice")
    (remaining,) = site.domain.chats.pending("alice", second.instance_id, None).remaining
    assert (remaining.peer, remaining.count, remaining.last_time) == ("bob", 1, START)


def test_what_has_been_read_does_not_wait() -> None:
    site = Site()
    site.c2c("bob", "alice")
    site.domain.chats.read("alice", "bob", START)
    (alice,) = site.online("alice")
    assert queue(site, "alice", alice.instance_id) == []


def test_a_recalled_message_does_not_wait() -> None:
    site = Site()
    sent = site.c2c("bob", "alice", random=3)
    site.domain.chats.recall("bob", "alice", sequence=3, random=3, time=sent.time)
    (alice,) = site.online("alice")
    assert queue(site, "alice", alice.instance_id) == []


def test_a_conversation_keeps_the_newest_250() -> None:
    site = Site()
    for number in range(251):
        site.c2c("bob", "alice", number)
    (alice,) = site.online("alice")
    page = site.domain.chats.pending("alice", alice.instance_id, None, 1000)
    assert [message.body for message in page.messages] == list(range(1, 251))
    assert [(left.peer, left.count) for left in page.remaining] == [("bob", 1)]


def test_the_conversation_quiet_for_longest_falls_out_at_101() -> None:
    site = Site(users=("alice", *(f"user{n}" for n in range(101))))
    for number in range(101):
        site.c2c(f"user{number}", "alice", number)
    (alice,) = site.online("alice")
    assert queue(site, "alice", alice.instance_id) == list(range(1, 101))


def test_what_fell_out_of_the_queue_is_still_in_the_history() -> None:
    site = Site()
    for number in range(251):
        site.c2c("bob", "alice", number)
    assert len(site.domain.chats.history("alice", "bob", 1000).messages) == 251


def test_the_queue_ends_after_seven_days() -> None:
    site = Site()
    site.c2c("bob", "alice", "old")
    site.now += 7 * DAY + 1
    (alice,) = site.online("alice")
    assert queue(site, "alice", alice.instance_id) == []


def test_own_messages_are_not_queued_for_oneself() -> None:
    site = Site()
    site.c2c("alice", "bob")
    (alice,) = site.online("alice")
    assert queue(site, "alice", alice.instance_id) == []
