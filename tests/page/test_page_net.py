"""The page when things go wrong: the server goes away, comes back, forgets; somebody else takes the login."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from page_site import Tab, Town, words
from playwright.sync_api import expect

from timbot.sandbox.observe import Handled

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.real_time


def test_a_second_tab_of_the_same_user_kicks_the_first_which_can_come_back(tab: OpenTab) -> None:
    first = tab("alice").open("Timbot")
    second = tab("alice").open("Timbot")
    expect(first.page.get_by_role("heading", name="Logged in somewhere else")).to_be_visible()
    first.page.get_by_role("button", name="Come back here").click()
    expect(second.page.get_by_role("heading", name="Logged in somewhere else")).to_be_visible()
    first.open("Timbot").say("hello")
    first.bubble("Hello, alice!")


def test_a_message_fails_while_the_server_is_away_and_is_sent_again_afterwards(tab: OpenTab, town: Town) -> None:
    alice = tab("alice", loud=True).open("Timbot")
    town.stop()
    expect(alice.find(".net")).to_contain_text("The server is away")
    alice.say("hello")
    expect(alice.find(".failure")).to_contain_text("the server is away")
    town.start()
    expect(alice.find(".net")).to_have_count(0, timeout=15_000)
    alice.page.get_by_role("button", name="Send again").click()
    alice.bubble("Hello, alice!")
    expect(alice.find(".message.mine")).to_have_count(1)


def test_a_server_that_was_started_anew_says_that_it_has_forgotten(tab: OpenTab, town: Town) -> None:
    alice = tab("alice", loud=True).open("Timbot").say("hello")
    alice.bubble("Hello, alice!")
    town.restart()
    note = alice.find(".note", has_text="The server was started anew. What was said here before is gone.")
    expect(note).to_be_visible(timeout=15_000)
    expect(alice.find(".bubble")).to_have_count(0)
    alice.say("hello")
    alice.bubble("Hello, alice!")
    expect(note).to_have_count(1)


def test_a_server_that_remembers_is_not_said_to_have_forgotten(tab: OpenTab, town: Town) -> None:
    alice = tab("alice", loud=True).open("bob").say("hello")
    expect(alice.find(".way")).to_have_text("· sent")
    town.do(lambda: town.sandbox._gate._tickets.clear())  # the next login has to be a new one
    town.do(lambda: cut(town, "alice"))
    town.say("bob", "alice", words("meanwhile"))
    alice.bubble("meanwhile")
    expect(alice.find(".note")).to_have_count(0)


def test_an_application_that_the_server_forgot_can_be_made_again(tab: OpenTab, town: Town) -> None:
    assert town.runner is not None
    town.run(town.runner.stop(1))  # or it would answer
    alice = tab("alice", loud=True).open("Dice lobby")
    alice.page.get_by_label("What do you want to say to them?").fill("I come to play dice")
    alice.page.get_by_role("button", name="Ask to join", exact=True).click()
    expect(alice.page.get_by_text("Your request was sent.")).to_be_visible()
    town.restart()
    expect(alice.page.get_by_text("You are not in this group yet.")).to_be_visible(timeout=15_000)


def test_a_lost_connection_comes_back_and_what_was_missed_is_there_once(tab: OpenTab, town: Town) -> None:
    alice = tab("alice", loud=True).open("bob")
    town.say("bob", "alice", words("before"), number=1)
    alice.bubble("before")
    alice.context.set_offline(True)
    town.do(lambda: cut(town, "alice"))
    town.say("bob", "alice", words("meanwhile"), number=2)
    alice.context.set_offline(False)
    alice.bubble("meanwhile")
    town.say("bob", "alice", words("after"), number=3)
    alice.bubble("after")
    expect(alice.find(".bubble")).to_have_count(3)


def test_a_group_is_caught_up_with_after_a_break(tab: OpenTab, town: Town) -> None:
    town.make_group("den", "The den", "alice", "bob")
    alice = tab("alice", loud=True).open("The den")
    town.say_in("den", "bob", words("before"), number=1)
    alice.bubble("before")
    town.do(lambda: cut(town, "alice"))
    town.say_in("den", "bob", words("meanwhile"), number=2)
    alice.bubble("meanwhile")
    expect(alice.find(".bubble")).to_have_count(2)


def test_an_answer_that_was_lost_leaves_no_second_message(tab: OpenTab, town: Town) -> None:
    """The message reached the server, its answer did not come: the history settles it."""
    alice = tab("alice", loud=True).open("bob")
    alice.page.evaluate(
        """() => {
            const send = WebSocket.prototype.send
            WebSocket.prototype.send = function (text) {
                send.call(this, text)
                if (!text.includes('openim.sendmsg')) return
                WebSocket.prototype.send = send
                this.onmessage = null
                setTimeout(() => this.close(4001), 300)
            }
        }"""
    )
    alice.say("only once")
    expect(alice.find(".message.mine .way")).to_have_text("· sent")
    expect(alice.find(".message.mine")).to_have_count(1)
    expect(alice.find(".failure")).to_have_count(0)
    page = town.do(lambda: town.sandbox.domain.chats.history("bob", "alice", 20))
    assert len(page.messages) == 1


def test_pushes_are_acknowledged(tab: OpenTab, town: Town) -> None:
    alice = tab("alice").open("bob")
    seen = town.do(town.sandbox.observe)
    town.say("bob", "alice", words("hello"))
    alice.bubble("hello")
    expect(alice.find(".bubble")).to_have_count(1)
    commands = [one.done.command for one in town.do(seen.seen) if isinstance(one, Handled) and one.done.user == "alice"]
    assert "openim.ws_msg_push_ack" in commands


def test_a_push_whose_acknowledgement_was_lost_comes_again_and_is_shown_once(tab: OpenTab, town: Town) -> None:
    alice = tab("alice", loud=True).open("bob")
    alice.page.evaluate(
        """() => {
            const send = WebSocket.prototype.send
            WebSocket.prototype.send = function (text) { text.includes('ws_msg_push_ack') || send.call(this, text) }
        }"""
    )
    town.say("bob", "alice", words("once"), number=1)
    alice.bubble("once")
    town.do(lambda: cut(town, "alice"))
    town.say("bob", "alice", words("meanwhile"), number=2)
    alice.bubble("meanwhile")
    expect(alice.find(".bubble")).to_have_count(2)


def test_a_refused_message_says_why(tab: OpenTab, town: Town) -> None:
    town.do(lambda: town.sandbox.domain.blacklist.add("bob", ["alice"]))
    alice = tab("alice").open("bob").say("hello")
    expect(alice.find(".failure")).to_contain_text("list")
    alice.page.get_by_role("button", name="Delete").click()
    expect(alice.find(".message")).to_have_count(0)


def test_a_page_whose_server_is_gone_says_so(tab: OpenTab, town: Town) -> None:
    alice = tab(loud=True)
    alice.page.route("**/page/setup", lambda route: route.abort())
    alice.page.goto(f"http://{town.address}/")
    expect(alice.page.get_by_role("heading", name="The server is away")).to_be_visible()
    alice.page.unroute("**/page/setup")
    alice.page.get_by_role("button", name="Try again").click()
    expect(alice.page.get_by_role("button", name="Continue as bob")).to_be_visible()


def cut(town: Town, user: str) -> None:
    """Drop the user's connection, as a broken network does."""
    for line in town.sandbox._lines:
        if line.owner is not None and line.owner[0] == user:
            line.end(1001, "cut by the test")
