"""What the inbox makes of pushes, syncs and gaps, one rule at a time."""

from __future__ import annotations

import pytest
from inbox_values import Box, application, c2c, friend, group, notice, numbers, texts, tip

from timbot.im.delivery import GroupMark
from timbot.im.known import FLEETING_REMEMBERED, REQUESTS_REMEMBERED
from timbot.im.model import events as model
from timbot.im.model.group import Group
from timbot.im.streams import Gap
from timbot.im.wire.identity import FriendApplicationIdentity

T = 1_767_571_200


@pytest.fixture
def inbox() -> Box:
    """An inbox that has caught up."""
    inbox = Box()
    inbox.logged_in(T)
    inbox.release()
    return inbox


def listed(inbox: Box, next_sequence: int, *, created: int = 1, group_id: str = "g") -> list[Gap]:
    return inbox.groups_listed([Group(group_id, create_time=created, next_message_sequence=next_sequence)])


class TestC2C:
    def test_each_once(self, inbox: Box) -> None:
        assert texts(inbox.pushed([c2c("a", 1), c2c("a", 1), c2c("b", 2)])) == ["a", "b"]
        assert inbox.pushed([c2c("a", 1)]) == []
        assert inbox.synced([c2c("b", 2)]) == []

    def test_the_order_is_that_of_arrival(self, inbox: Box) -> None:
        assert texts(inbox.pushed([c2c("b", 9), c2c("a", 1)])) == ["b", "a"]

    def test_equal_numbers_of_two_people_are_two_messages(self, inbox: Box) -> None:
        assert texts(inbox.pushed([c2c("a", 1), c2c("b", 1, sender="bob")])) == ["a", "b"]

    def test_equal_numbers_far_apart_are_two_messages(self, inbox: Box) -> None:
        assert texts(inbox.pushed([c2c("a", 1), c2c("b", 1, time=T + 400)])) == ["a", "b"]

    def test_what_this_account_wrote_elsewhere_is_its_own(self, inbox: Box) -> None:
        (event,) = inbox.pushed([c2c("mine", 1, own=True)])
        assert isinstance(event, model.OwnMessage)
        assert event.message.conversation_id == "C2Calice"
        assert texts(inbox.pushed([c2c("hers", 1)])) == ["hers"]

    def test_what_this_client_wrote_is_no_news(self, inbox: Box) -> None:
        inbox.known.write("C2Calice", 1, 1)
        assert inbox.synced([c2c("mine", 1, own=True)]) == []

    def test_a_modified_one_is_news_again(self, inbox: Box) -> None:
        inbox.pushed([c2c("a", 1)])
        (event,) = inbox.pushed([c2c("better", 1, modified=1)])
        assert isinstance(event, model.MessageModified)
        assert inbox.pushed([c2c("better", 1, modified=1)]) == []
        assert inbox.synced([c2c("better", 1, modified=1)]) == []
        assert len(inbox.pushed([c2c("a", 1, modified=1), c2c("better", 1, modified=1)])) == 2

    def test_a_modified_one_that_was_missed_is_a_message(self, inbox: Box) -> None:
        (event,) = inbox.synced([c2c("better", 1, modified=1)])
        assert isinstance(event, model.MessageReceived)

    def test_an_online_only_one_comes_once(self, inbox: Box) -> None:
        assert texts(inbox.pushed([c2c("a", 1, life=0), c2c("a", 1, life=0)])) == ["a"]

    def test_a_revoked_one_in_a_list_is_no_news(self, inbox: Box) -> None:
        assert inbox.synced([c2c("gone", 1, flags=8)]) == []

    def test_after_an_hour_it_is_forgotten(self, inbox: Box) -> None:
        inbox.known.whole_until = T + 9999.0
        for number in range(1000):
            inbox.pushed([c2c("a", number, time=T + number)])
        assert len(inbox.known._messages) == 1000
        inbox.pushed([c2c("later", 5000, time=T + 3600 + 500)])
        assert len(inbox.known._messages) == 501

    def test_a_hundred_thousand_conversations_leave_an_hour_of_them(self, inbox: Box) -> None:
        for number in range(100_000):
            inbox.known.whole_until = T + number
            inbox.pushed([c2c("a", number, sender=f"u{number}", time=T + number)])
        assert len(inbox.known._messages) <= 3601
        assert len(inbox.streams) == 0
        assert not inbox.known._fleeting


class TestHolding:
    def test_until_the_release_nothing_overtakes_what_was_missed(self) -> None:
        inbox = Box()
        inbox.logged_in(T)
        assert inbox.pushed([c2c("new", 2, time=T + 9)]) == []
        assert texts(inbox.synced([c2c("old", 1, time=T + 5)])) == ["old"]
        assert texts(inbox.release()) == ["new"]
        assert texts(inbox.pushed([c2c("newer", 3)])) == ["newer"]

    def test_what_was_pushed_and_listed_comes_once(self) -> None:
        inbox = Box()
        inbox.logged_in(T)
        inbox.pushed([c2c("both", 1, time=T + 1), c2c("pushed", 2, time=T + 1)])
        assert texts(inbox.synced([c2c("both", 1, time=T + 1)])) == []
        assert texts(inbox.release()) == ["both", "pushed"]

    def test_a_second_login_keeps_what_the_first_held(self) -> None:
        inbox = Box()
        inbox.logged_in(T)
        inbox.pushed([c2c("a", 1)])
        assert inbox.logged_in(T + 60) == {"alice"}
        inbox.pushed([c2c("b", 2)])
        assert texts(inbox.synced([])) == ["a"]
        assert texts(inbox.release()) == ["b"]

    def test_what_a_list_says_from_before_the_first_login_is_history(self) -> None:
        inbox = Box()
        inbox.logged_in(T)
        missed = [c2c("history", 1, time=T - 1), c2c("news", 2, time=T), notice(application("ann"))]
        ready = inbox.synced(missed)
        assert texts(ready) == ["news"]
        assert isinstance(ready[-1], model.GroupApplication)

    def test_what_is_pushed_is_news_whatever_its_date(self) -> None:
        inbox = Box()
        inbox.logged_in(T)
        inbox.pushed([c2c("a", 1, time=T - 9)])
        inbox.logged_in(T)
        inbox.pushed([c2c("b", 2, time=T - 9)])
        assert texts([*inbox.synced([]), *inbox.release()]) == ["a", "b"]

    def test_nothing_is_taken_that_may_be_forgotten(self, inbox: Box) -> None:
        inbox.pushed([c2c("a", 1, time=T)])
        inbox.pushed([c2c("b", 2, time=T + 3601)])
        inbox.known.whole_until = T + 3602.0
        inbox.pushed([c2c("c", 3, time=T + 3602)])
        assert len(inbox.known._messages) == 2
        assert inbox.pushed([c2c("a", 1, time=T)]) == []
        assert inbox.synced([c2c("d", 1, time=T)]) == []

    def test_equal_ones_far_apart_are_both_remembered(self, inbox: Box) -> None:
        both = [c2c("a", 1, time=T), c2c("b", 1, time=T + 400)]
        assert texts(inbox.pushed(both)) == ["a", "b"]
        assert inbox.synced(both) == []


class TestGroups:
    def test_each_once_and_in_order(self, inbox: Box) -> None:
        ready = inbox.pushed([group(5), group(5), group(6)])
        assert numbers(ready) == [5, 6]
        assert inbox.pushed([group(4)]) == []

    def test_tips_take_their_numbers(self, inbox: Box) -> None:
        assert numbers(inbox.pushed([group(5), tip(6), group(7), tip(6)])) == [5, 6, 7]

    def test_one_that_comes_too_early_waits(self, inbox: Box) -> None:
        inbox.pushed([group(5)])
        assert inbox.pushed([group(7), group(8)]) == []
        assert inbox.take_gaps() == [Gap("g", 6, 6)]
        assert inbox.take_gaps() == []
        assert numbers(inbox.filled(Gap("g", 6, 6), [group(6)])) == [6, 7, 8]

    def test_the_missing_one_may_come_by_itself(self, inbox: Box) -> None:
        inbox.pushed([group(5), group(7)])
        assert numbers(inbox.pushed([group(6)])) == [6, 7]
        assert inbox.filled(Gap("g", 6, 6), [group(6)]) == []

    def test_a_hole_is_reported_once_and_in_its_place(self, inbox: Box) -> None:
        inbox.pushed([group(1), group(9)])
        (gap,) = inbox.take_gaps()
        ready = inbox.filled(gap, [group(2), group(3), group(6), group(8)])
        assert numbers(ready) == [2, 3, (4, 5), 6, (7, 7), 8, 9]
        assert inbox.take_gaps() == []
        assert inbox.pushed([group(4), group(7)]) == []

    def test_a_huge_hole_costs_nothing(self, inbox: Box) -> None:
        inbox.pushed([group(1), group(2**62)])
        (gap,) = inbox.take_gaps()
        assert numbers(inbox.filled(gap, [])) == [(2, 2**62 - 1), 2**62]

    def test_gaps_are_asked_for_one_at_a_time(self, inbox: Box) -> None:
        inbox.pushed([group(1), group(3), group(5)])
        assert inbox.take_gaps() == [Gap("g", 2, 2)]
        assert numbers(inbox.filled(Gap("g", 2, 2), [group(2)])) == [2, 3]
        assert inbox.take_gaps() == [Gap("g", 4, 4)]

    def test_a_deleted_one_has_a_number_and_is_no_news(self, inbox: Box) -> None:
        inbox.pushed([group(1), group(4)])
        assert numbers(inbox.filled(Gap("g", 2, 3), [group(2, place=1), group(3, place=2)])) == [4]

    def test_a_modified_one_is_news_again(self, inbox: Box) -> None:
        inbox.pushed([group(1), group(2)])
        (event,) = inbox.pushed([group(1, modified=1)])
        assert isinstance(event, model.MessageModified)
        assert inbox.pushed([group(1, modified=1)]) == []

    def test_a_modified_one_that_was_missed_is_a_message(self, inbox: Box) -> None:
        inbox.pushed([group(1)])
        (event,) = inbox.pushed([group(2, modified=1)])
        assert isinstance(event, model.MessageReceived)

    def test_online_only_messages_and_unstored_tips_come_once(self, inbox: Box) -> None:
        inbox.pushed([group(5)])
        online, unstored = group(0, online=1, random=3), tip(77, stored=False, random=4)
        assert len(inbox.pushed([online, online, unstored, unstored])) == 2
        assert numbers(inbox.pushed([group(6)])) == [6]

    def test_unstored_tips_that_nothing_tells_apart_all_come(self, inbox: Box) -> None:
        nameless = tip(0, stored=False, random=0)
        assert len(inbox.pushed([nameless, nameless])) == 2

    @pytest.mark.parametrize("number", [0, -7])
    def test_a_number_that_is_none_begins_no_stream(self, inbox: Box, number: int) -> None:
        assert len(inbox.pushed([tip(number)])) == 1
        assert numbers(inbox.pushed([group(50)])) == [50]
        assert inbox.take_gaps() == []

    def test_groups_do_not_wait_for_each_other(self, inbox: Box) -> None:
        inbox.pushed([group(1), group(3)])
        assert numbers(inbox.pushed([group(1, "other")])) == [1]


class TestOwnNumbers:
    def test_the_number_of_an_own_message_is_no_gap(self, inbox: Box) -> None:
        inbox.pushed([group(1)])
        inbox.streams.sending("g")
        assert inbox.pushed([group(3)]) == []
        assert inbox.take_gaps() == []
        assert numbers(inbox.sent("g", 2)) == [3]

    def test_without_a_number_the_gap_is_one(self, inbox: Box) -> None:
        inbox.pushed([group(1)])
        inbox.streams.sending("g")
        inbox.pushed([group(3)])
        assert inbox.sent("g", 0) == []
        assert inbox.take_gaps() == [Gap("g", 2, 2)]

    def test_nothing_is_asked_for_before_the_groups_are_listed(self, inbox: Box) -> None:
        inbox.pushed([group(1)])
        inbox.logged_in(T)
        inbox.streams.sending("g")
        inbox.sent("g", 9)  # perhaps of another group under the same ID
        assert inbox.take_gaps() == []
        inbox.release()
        assert inbox.take_gaps() == [Gap("g", 2, 8)]

    def test_two_at_a_time(self, inbox: Box) -> None:
        inbox.pushed([group(1)])
        inbox.streams.sending("g")
        inbox.streams.sending("g")
        inbox.pushed([group(4)])
        assert inbox.sent("g", 3) == []
        assert inbox.take_gaps() == []
        assert numbers(inbox.sent("g", 2)) == [4]

    def test_an_own_message_found_in_a_gap_is_no_news(self, inbox: Box) -> None:
        inbox.pushed([group(1), group(4)])
        inbox.known.write("GROUPg", 20, 2)
        assert numbers(inbox.filled(Gap("g", 2, 3), [group(2, sender="bot", client=20), group(3)])) == [3, 4]

    def test_one_of_another_instance_is(self, inbox: Box) -> None:
        (event,) = inbox.pushed([group(1, sender="bot")])
        assert isinstance(event, model.OwnMessage)


class TestLists:
    def test_a_group_new_to_us_begins_here(self, inbox: Box) -> None:
        assert listed(inbox, 51) == []
        assert numbers(inbox.pushed([group(50), group(51)])) == [51]

    def test_or_with_what_was_pushed_since_the_login(self) -> None:
        inbox = Box()
        inbox.logged_in(T)
        inbox.pushed([group(50), tip(51)])
        assert listed(inbox, 52) == []
        assert numbers(inbox.release()) == [50, 51]

    def test_what_is_missing_of_a_known_one_is_asked_for(self, inbox: Box) -> None:
        inbox.pushed([group(5)])
        inbox.logged_in(T + 60)
        inbox.pushed([group(8)])
        (gap,) = listed(inbox, 9)
        assert gap == Gap("g", 6, 8)
        assert numbers(inbox.filled(gap, [group(6), group(7), group(8)])) == [6, 7, 8]
        assert inbox.release() == []

    def test_a_list_without_a_number_says_nothing(self, inbox: Box) -> None:
        inbox.pushed([group(5)])
        assert listed(inbox, 0) == []
        assert numbers(inbox.pushed([group(6)])) == [6]

    @pytest.mark.parametrize(("next_sequence", "created"), [(3, 1), (9, 2)])
    def test_a_new_group_under_an_old_id_begins_anew(self, inbox: Box, next_sequence: int, created: int) -> None:
        listed(inbox, 6)
        inbox.pushed([group(6)])
        assert listed(inbox, next_sequence, created=created) == []
        assert numbers(inbox.pushed([group(next_sequence)])) == [next_sequence]

    @pytest.mark.parametrize(("made", "first"), [(T, 6), (T + 1, 20)])
    def test_one_that_began_by_itself_is_older_than_what_was_said_in_it(self, inbox: Box, made: int, first: int) -> None:
        inbox.pushed([group(5, time=T)])
        listed(inbox, 20, created=made)
        inbox.release()
        gap = Gap("g", first, 19)
        assert numbers(inbox.filled(gap, [group(number) for number in range(first, 20)])) == list(range(first, 20))
        assert numbers(inbox.pushed([group(20)])) == [20]

    def test_without_a_list_a_gap_from_before_is_asked_for_again(self, inbox: Box) -> None:
        inbox.pushed([group(5), group(7)])
        inbox.take_gaps()
        inbox.logged_in(T + 60)
        assert inbox.release() == []
        assert inbox.take_gaps() == [Gap("g", 6, 6)]

    def test_one_that_was_joined_meanwhile_begins_there_and_is_remembered_from_there(self, inbox: Box) -> None:
        joined = Group("g", create_time=1, next_message_sequence=9, own_join_time=T + 60)
        (gap,) = inbox.groups_listed([joined], since=T + 10.0)
        assert gap == Gap("g", 1, 8, T + 60)
        inbox.streams.filled(gap, 4, [group(number, time=T) for number in (1, 2, 3, 4)])
        assert inbox.streams.take_marks() == ((), ())  # a mark would end the search for the beginning
        ready = inbox.filled(gap, [group(5, time=T + 59), group(6, time=T + 60), group(8, time=T + 61)])
        assert numbers(ready) == [6, (7, 7), 8]
        assert inbox.streams.take_marks() == ((GroupMark("g", 1, 8),), ())

    def test_one_that_is_left_and_joined_in_between_has_a_mark(self, inbox: Box) -> None:
        inbox.pushed([group(5)])
        assert inbox.streams.take_marks() == ((GroupMark("g", -T, 5),), ())
        inbox.pushed([group(6), notice({"ReportType": 4}), group(90)])
        assert inbox.streams.take_marks() == ((GroupMark("g", -T, 90),), ())
        inbox.pushed([notice({"ReportType": 5})])
        assert inbox.streams.take_marks() == ((), ("g",))

    @pytest.mark.parametrize("kind", [4, 5, 8])
    def test_a_group_that_was_left_begins_anew(self, inbox: Box, kind: int) -> None:
        inbox.pushed([group(5), notice({"ReportType": kind})])
        assert numbers(inbox.pushed([group(90)])) == [90]
        assert inbox.take_gaps() == []


class TestRequests:
    def test_an_application_to_a_group_comes_once(self, inbox: Box) -> None:
        assert len(inbox.pushed([notice(application("ann")), notice(application("ann"))])) == 1
        assert inbox.synced([notice(application("ann"))]) == []
        assert len(inbox.pushed([notice(application("ann", key=2))])) == 1

    def test_a_friend_application_comes_once(self, inbox: Box) -> None:
        assert len(inbox.pushed([friend("ann", 1)])) == 1
        assert inbox.pushed([friend("ann", 1)]) == []
        assert not inbox.is_new_application("ann", 1)
        assert inbox.is_new_application("ann", 2)

    def test_a_flood_of_fleeting_things_does_not_push_requests_out(self, inbox: Box) -> None:
        inbox.pushed([notice(application("ann")), friend("ann", 1)])
        inbox.pushed([group(0, online=1, random=number) for number in range(1, FLEETING_REMEMBERED + 10)])
        assert len(inbox.known._fleeting) == FLEETING_REMEMBERED
        assert inbox.synced([notice(application("ann"))]) == []
        assert not inbox.is_new_application("ann", 1)

    def test_one_that_comes_again_is_told_as_met(self, inbox: Box) -> None:
        inbox.pushed([friend("ann", 1)])
        assert inbox.known.take_met() == ()
        inbox.pushed([friend("ann", 1)])
        assert inbox.known.take_met() == (FriendApplicationIdentity("ann", 1),)
        assert inbox.known.take_met() == ()

    def test_one_that_a_list_repeats_is_remembered_before_older_ones(self, inbox: Box) -> None:
        inbox.pushed([notice(application("ann"))])
        for number in range(REQUESTS_REMEMBERED + 10):
            inbox.is_new_application("bob", number)
            if number % 1000 == 0:
                assert inbox.synced([notice(application("ann"))]) == []
        assert inbox.synced([notice(application("ann"))]) == []
        assert len(inbox.known._requests) == REQUESTS_REMEMBERED

    def test_other_notices_come_as_often_as_they_are_said(self, inbox: Box) -> None:
        assert len(inbox.pushed([notice({"ReportType": 2}), notice({"ReportType": 2})])) == 2

    def test_but_once_if_they_have_a_name(self, inbox: Box) -> None:
        assert len(inbox.pushed([notice({"ReportType": 2}, number=7), notice({"ReportType": 2}, number=7)])) == 1

    def test_a_broken_item_is_told(self, inbox: Box) -> None:
        (event,) = inbox.pushed([group(1, body={"not": "a list"})])
        assert isinstance(event, model.BrokenItem)
        assert numbers(inbox.pushed([group(2)])) == [2]
