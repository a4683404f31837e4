from __future__ import annotations

from domain_site import LIVE, MEETING, PUBLIC, START, WORK, Site, refused

from timbot.sandbox.domain import Settings
from timbot.sandbox.domain.messages import Conversation
from timbot.sandbox.domain.notices import ConversationDeleted, ConversationPinned, ConversationUnpinned


def names(site: Site, user: str) -> list[str]:
    return [contact.conversation.id for contact in site.domain.contacts.page(user).contacts]


def test_the_newest_conversation_comes_first_within_a_second_too() -> None:
    site = Site()
    group = site.group(MEETING)
    site.c2c("bob", "alice")
    site.say("alice", group)
    site.c2c("alice", "carol")
    assert names(site, "alice") == ["carol", group, "bob"]


def test_a_c2c_entry_shows_the_last_message_unread_and_peer_read_time() -> None:
    site = Site()
    site.c2c("alice", "bob", "one")
    site.domain.chats.read("bob", "alice", START)
    site.c2c("bob", "alice", "two")
    (contact,) = site.domain.contacts.page("alice").contacts
    assert contact.last is not None
    assert (contact.last.body, contact.unread, contact.peer_read_time) == ("two", 1, START)


def test_a_group_entry_adds_up_to_the_newest_sequence() -> None:
    site = Site()
    group = site.group(WORK, "bob")
    site.say("alice", group, "one")
    contact = site.domain.contacts.get("bob", Conversation.group(group))
    assert contact is not None
    assert contact.last is not None
    assert (contact.last.body, contact.read_sequence + contact.unread) == ("one", 2)


def test_live_rooms_and_silent_groups_are_not_listed() -> None:
    site = Site()
    site.say("alice", site.group(LIVE))
    site.group(PUBLIC)
    assert names(site, "alice") == []


def test_a_group_one_left_is_not_listed() -> None:
    site = Site()
    group = site.group(PUBLIC, "bob")
    site.domain.contacts.pin("bob", Conversation.group(group))
    site.domain.group_members.quit("bob", group)
    assert names(site, "bob") == []


def test_a_hundred_conversations_are_kept_and_the_oldest_fall_off() -> None:
    users = tuple(f"user{n}" for n in range(101))
    site = Site(users=("alice", *users))
    for user in users:
        site.c2c(user, "alice")
    assert names(site, "alice") == list(reversed(users[1:]))


def test_pages_follow_one_another() -> None:
    site = Site()
    for peer in ("bob", "carol", "dave"):
        site.c2c("alice", peer)
    first = site.domain.contacts.page("alice", 0, 2)
    second = site.domain.contacts.page("alice", first.next_start, 2)
    assert [[c.conversation.id for c in page.contacts] for page in (first, second)] == [["dave", "carol"], ["bob"]]
    assert [first.complete, second.complete] == [False, True]


def test_pinned_ones_come_first() -> None:
    site = Site()
    site.c2c("alice", "bob")
    site.c2c("alice", "carol")
    site.domain.contacts.pin("alice", Conversation.c2c("bob"))
    assert names(site, "alice") == ["bob", "carol"]


def test_pinning_and_unpinning_are_told_to_other_instances() -> None:
    site = Site(Settings(instances=2))
    phone, _ = site.online("alice", "alice")
    bob = Conversation.c2c("bob")
    site.domain.contacts.pin("alice", bob, instance=phone.instance_id)
    site.domain.contacts.unpin("alice", bob, instance=phone.instance_id)
    assert site.heard() == [("alice", ConversationPinned(bob)), ("alice", ConversationUnpinned(bob))]


def test_the_fifty_first_pin_is_refused() -> None:
    site = Site()
    for number in range(50):
        site.domain.contacts.pin("alice", Conversation.c2c(f"user{number}"))
    with refused(51012):
        site.domain.contacts.pin("alice", Conversation.c2c("bob"))


def test_a_group_of_others_cannot_be_pinned() -> None:
    site = Site()
    with refused(50002):
        site.domain.contacts.pin("bob", Conversation.group(site.group()))


def test_a_deleted_conversation_comes_back_with_the_next_message() -> None:
    site = Site()
    group = site.group(MEETING)
    site.c2c("alice", "bob")
    site.say("alice", group)
    for conversation in (Conversation.c2c("bob"), Conversation.group(group)):
        site.domain.contacts.delete("alice", conversation)
    assert names(site, "alice") == []
    site.c2c("bob", "alice")
    site.say("alice", group)
    assert names(site, "alice") == [group, "bob"]


def test_deletion_is_told_to_other_instances() -> None:
    site = Site(Settings(instances=2))
    phone, _ = site.online("alice", "alice")
    site.domain.contacts.delete("alice", Conversation.c2c("bob"), instance=phone.instance_id)
    assert site.heard() == [("alice", ConversationDeleted(Conversation.c2c("bob")))]


def test_deletion_keeps_the_history_unless_asked_to_clear_it() -> None:
    site = Site()
    site.c2c("alice", "bob")
    site.domain.contacts.delete("alice", Conversation.c2c("bob"))
    assert len(site.domain.chats.history("alice", "bob", 5).messages) == 1
    site.domain.contacts.delete("alice", Conversation.c2c("bob"), clear_history=True)
    assert site.domain.chats.history("alice", "bob", 5).messages == ()
    assert len(site.domain.chats.history("bob", "alice", 5).messages) == 1


def test_clearing_a_groups_history_is_for_oneself() -> None:
    site = Site()
    group = site.group(MEETING, "bob")
    site.say("alice", group)
    site.domain.contacts.delete("alice", Conversation.group(group), clear_history=True)
    assert site.domain.group_messages.history("alice", group, None, 5).records == ()
    assert len(site.domain.group_messages.history("bob", group, None, 5).records) == 1
