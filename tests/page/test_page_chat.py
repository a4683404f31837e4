"""The chat page in a real browser, talking to a real bot."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from page_site import Tab, Town, element, words
from playwright.sync_api import expect

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.real_time


def test_a_person_chooses_who_to_be_and_the_bot_answers(tab: OpenTab, town: Town) -> None:
    alice = tab()
    alice.page.goto(f"http://{town.address}/")
    alice.page.get_by_role("button", name="Continue as alice").click()
    alice.open("Timbot").say("hello")
    alice.bubble("Hello, alice! 👋")
    own = alice.find(".message.mine").last
    expect(own.locator(".way")).to_have_text("· read")
    assert alice.page.url.endswith("/#alice")


def test_dice_are_rolled_and_shown_as_a_die(tab: OpenTab) -> None:
    alice = tab("alice").open("Timbot")
    alice.page.get_by_role("button", name="Roll the dice").click()
    die = alice.page.get_by_role("img", name=re.compile(r"Die: [1-6]"))
    expect(die).to_be_visible()
    face = int((die.get_attribute("aria-label") or "").removeprefix("Die: "))
    expect(die.locator("circle")).to_have_count(face)


def test_two_people_see_unread_read_and_recall(tab: OpenTab) -> None:
    alice, bob = tab("alice").open("bob"), tab("bob")
    alice.say("are you there?").say("你好 🎲")
    badge = bob.find(".row", has_text="alice").locator(".badge")
    expect(badge).to_contain_text("2")
    expect(bob.page).to_have_title(re.compile(r"^\(2\) "))
    own = alice.find(".message.mine").last
    expect(own.locator(".way")).to_have_text("· sent")
    bob.open("alice")
    expect(own.locator(".way")).to_have_text("· read")
    expect(badge).to_have_count(0)
    own.hover()
    own.get_by_role("button", name="Recall this message").click()
    expect(alice.find(".note").last).to_have_text("You recalled a message")
    expect(bob.find(".note").last).to_have_text("alice recalled a message")
    expect(bob.find(".bubble")).to_have_count(1)


def test_the_button_to_recall_goes_after_two_minutes(tab: OpenTab) -> None:
    alice = tab()
    alice.page.clock.install()
    alice.enter("alice").open("bob").say("hello")
    recall = alice.page.get_by_role("button", name="Recall this message")
    expect(recall).to_have_count(1)
    alice.page.clock.fast_forward(125_000)
    expect(recall).to_have_count(0)


def test_a_friend_request_is_made_and_accepted(tab: OpenTab, town: Town) -> None:
    alice = tab("alice").open("Timbot")
    alice.page.get_by_role("button", name="Add friend").click()
    alice.page.get_by_role("dialog").get_by_role("textbox").fill("let us play dice")
    alice.page.get_by_role("button", name="Send the request").click()
    expect(alice.find(".standing")).to_have_text("Friend")
    expect(alice.page.get_by_label("Message", exact=True)).to_be_focused()
    expect(alice.find(".note")).to_have_text(
        ["You asked Timbot to be friends: “let us play dice”", "Timbot accepted: you are friends now."]
    )
    assert town.sandbox.domain.friends.get("alice", "bot") is not None


def test_a_person_answers_the_request_of_another(tab: OpenTab) -> None:
    alice, bob = tab("alice").open("bob"), tab("bob")
    alice.page.get_by_role("button", name="Add friend").click()
    alice.page.get_by_role("dialog").get_by_role("textbox").fill("it is me")
    alice.page.get_by_role("button", name="Send the request").click()
    expect(alice.find(".standing")).to_have_text("Friend request sent")
    request = bob.find(".request")
    expect(request).to_contain_text("it is me")
    request.get_by_role("button", name="Refuse").click()
    expect(alice.find(".standing")).to_have_text("Friend request refused")
    expect(alice.find(".note").last).to_have_text("bob refused your friend request.")
    expect(request).to_have_count(0)


def test_the_group_refuses_with_a_reason_then_lets_in_and_the_bot_answers_there(tab: OpenTab) -> None:
    alice = tab("alice").open("Dice lobby")
    field = alice.page.get_by_label("What do you want to say to them?")
    field.fill("hm")
    alice.page.get_by_role("button", name="Ask to join", exact=True).click()
    expect(alice.find(".refusal")).to_contain_text("Please say that you come to play dice.")
    field.fill("I come to play dice")
    alice.page.get_by_role("button", name="Ask again").click()
    alice.bubble("Welcome, alice!")
    expect(alice.find(".note")).to_have_text(["alice joined the group", "You were let in: Welcome!"])
    alice.page.get_by_role("button", name="Mention somebody").click()
    alice.page.get_by_role("button", name="@Timbot").click()
    alice.page.keyboard.type("hello")
    alice.page.keyboard.press("Enter")
    alice.bubble("Hello, alice!")


def test_a_mention_travels_as_one(tab: OpenTab, town: Town) -> None:
    town.make_group("den", "The den", "alice", "bob")
    alice = tab("alice").open("The den")
    expect(alice.page.get_by_text("3 members")).to_be_visible()
    alice.say("@Timbot and @bobby, hello")
    alice.bubble("I do not know")
    history = town.do(lambda: town.sandbox.domain.group_messages.history("bot", "den", None, 20))
    sent = [record.content for record in history.records if getattr(record.content, "sender", "") == "alice"]
    assert [getattr(message, "mentions", ()) for message in sent] == [("bot",)]


def test_each_kind_of_message_is_shown_in_words(tab: OpenTab, town: Town) -> None:
    alice = tab("alice").open("bob")
    kinds = [
        element("TIMFaceElem", Index=3, Data="smile"),
        element("TIMLocationElem", Desc="The harbour", Latitude=22.5, Longitude=114.0),
        element("TIMCustomElem", Data="order", Desc="Order 7", Ext=""),
        element("TIMFileElem", FileName="plan.pdf", FileSize=2048, Url="https://files.example/plan", UUID="", Download_Flag=2),
        element("TIMSoundElem", Url="https://files.example/voice", Second=4, Size=1, UUID="", Download_Flag=2),
        element("TIMNewElem", What=1),
    ]
    for number, kind in enumerate(kinds, 1):
        town.say("bob", "alice", kind, number=number)
    for text in ("Face 3", "The harbour", "Order 7", "plan.pdf", "Voice message", "of the kind TIMNewElem"):
        alice.bubble(text)
    link = alice.page.get_by_role("link", name="plan.pdf")
    assert (link.get_attribute("rel"), link.get_attribute("target")) == ("noopener noreferrer", "_blank")


def test_earlier_messages_are_read_page_by_page(tab: OpenTab, town: Town) -> None:
    for number in range(1, 46):
        town.say("alice", "bob", words(f"number {number}"), number=number)
    alice = tab("alice").open("bob")
    bubbles = alice.find(".bubble")
    expect(bubbles).to_have_count(20)
    for count in (40, 45):
        alice.page.get_by_role("button", name="Earlier messages").click()
        expect(bubbles).to_have_count(count)
    expect(alice.page.get_by_role("button", name="Earlier messages")).to_have_count(0)
    assert bubbles.first.inner_text().endswith("number 1")


def test_the_panel_shows_live_what_the_bot_did(tab: OpenTab) -> None:
    alice = tab("alice").open("Timbot")
    expect(alice.find(".panel .live")).to_have_text("live")
    alice.say("hello")
    entry = alice.find(".entry").first
    expect(entry).to_contain_text("alice")
    expect(entry).to_contain_text("hello")
    expect(entry).to_contain_text("ms")
