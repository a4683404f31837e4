"""A history that shows a message only a while after it was sent."""

from __future__ import annotations

from domain_site import PUBLIC, START, Site
from hypothesis import given
from hypothesis import strategies as st

from timbot.sandbox.domain import Settings
from timbot.sandbox.domain.lag import Lag
from timbot.sandbox.domain.messages import Conversation

LATE = Settings(history_late=2.0)


def listed(site: Site, *, key: int | None = None) -> list[object]:
    return [message.body for message in site.domain.chats.history("alice", "bob", 100, key=key).messages]


def listed_in_group(site: Site, group: str, newest: int | None = None) -> list[int]:
    return [record.sequence for record in site.domain.group_messages.history("alice", group, newest, 100).records]


def test_a_message_appears_within_the_time() -> None:
    site = Site(LATE)
    site.c2c("alice", "bob", "one")
    assert listed(site) == []
    site.now += 2.0
    assert listed(site) == ["one"]


def test_when_it_appears_is_chance() -> None:
    site, there_after_a_second = Site(LATE), set()
    for number in range(30):
        site.c2c("alice", "bob", number)
        site.now += 1.0
        there_after_a_second.add(number in listed(site))
        site.now += 2.0
    assert there_after_a_second == {True, False}


def test_nobody_overtakes() -> None:
    site = Site(LATE)
    for number in range(50):
        site.c2c("alice", "bob", number)
        site.now += 0.1
        seen = listed(site)
        assert seen == list(range(len(seen)))
    site.now += 2.0
    assert listed(site) == list(range(50))


def test_the_page_before_does_not_show_it_either() -> None:
    site = Site(LATE)
    site.c2c("alice", "bob", "one")
    assert listed(site, key=100) == []


def test_the_queue_and_the_conversation_list_have_it_at_once() -> None:
    site = Site(LATE)
    site.c2c("alice", "bob", "one")
    assert [message.body for message in site.domain.chats.pending("bob", 1, None).messages] == ["one"]
    contact = site.domain.contacts.get("bob", Conversation.c2c("alice"))
    assert contact is not None
    assert contact.last is not None


def test_a_group_is_late_too_and_without_holes() -> None:
    site = Site(LATE)
    group = site.group(PUBLIC, "bob")
    first = site.domain.group_messages.history("alice", group, None, 100).records
    for _ in range(30):
        site.say("bob", group)
        site.now += 0.1
        newest_first = listed_in_group(site, group)
        assert newest_first == list(range(len(newest_first), 0, -1))
    assert len(listed_in_group(site, group)) < len(first) + 30
    site.now += 2.0
    assert len(listed_in_group(site, group)) == len(first) + 30


def test_asking_for_a_late_message_by_its_number_gives_those_before() -> None:
    site = Site(LATE)
    group = site.group(PUBLIC, "bob")
    sent = site.say("bob", group)
    assert sent.sequence is not None
    assert sent.sequence not in listed_in_group(site, group, sent.sequence)


def test_a_punctual_history_takes_no_chance() -> None:
    punctual, plain = Site(Settings(history_late=0.0)), Site()
    punctual.c2c("alice", "bob", "one")
    assert listed(punctual) == ["one"]
    assert punctual.domain.accounts.login("bob") == plain.domain.accounts.login("bob")


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5))))
def test_a_lag_never_shows_a_later_message_first(steps: list[tuple[float, float]]) -> None:
    lag, now, shown = Lag(), float(START), 0
    for number, (pause, late) in enumerate(steps, 1):
        lag.add(number, now + late)
        now += pause
        hidden = lag.first_hidden(now)
        assert hidden is None or shown < hidden <= number
        shown = number if hidden is None else hidden - 1
    assert lag.first_hidden(now + 6) is None
