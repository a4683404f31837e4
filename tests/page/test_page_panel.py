"""The panel of the chat page: what the bot did, and why; and that nothing is told twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from page_site import Tab, Town, words
from playwright.sync_api import expect

from timbot.sandbox.page import FeedEntry

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.real_time


def test_requests_are_told_with_what_they_got_and_why(tab: OpenTab) -> None:
    alice = tab("alice").open("Dice lobby")
    field = alice.page.get_by_label("What do you want to say to them?")
    field.fill("hm")
    alice.page.get_by_role("button", name="Ask to join", exact=True).click()
    newest = alice.find(".entry").first
    expect(newest).to_contain_text('refused: "Please say that you come to play dice."')
    expect(newest).to_contain_text("to lobby")
    expect(newest.locator(".bad")).to_have_count(1)
    field.fill("dice")
    alice.page.get_by_role("button", name="Ask again").click()
    expect(alice.find(".entry .good")).to_have_text('accepted, message "Welcome!"')
    alice.open("Timbot")
    alice.page.get_by_role("button", name="Add friend").click()
    alice.page.get_by_role("button", name="Send the request").click()
    expect(alice.find(".entry", has_text="friend request")).to_contain_text('accepted, remark "alice"')


def test_what_is_said_in_a_group_without_a_mention_is_told_as_not_answered(tab: OpenTab, town: Town) -> None:
    town.make_group("den", "The den", "alice", "bob")
    alice = tab("alice").open("The den")
    alice.say("hello")
    newest = alice.find(".entry").first
    expect(newest).to_contain_text("not mentioned, so not answered")
    expect(newest).to_contain_text("in den")
    expect(newest.locator("code")).to_have_count(0)


def test_which_rule_answered_stands_beside_the_handler(tab: OpenTab, town: Town) -> None:
    feed = town.feed
    assert feed is not None
    entry = FeedEntry(1.0, "bot", "text", "alice", "C2Calice", "responder:answer", '"Hello"', 1.0, "rules.0")
    alice = tab("alice")
    town.do(lambda: feed.publish(entry))
    expect(alice.find(".entry-more")).to_have_text('responder:answer because of rules.0 "Hello" ·\u00a01.0\u00a0ms')
    expect(alice.find(".why bdi")).to_have_text("rules.0")


@pytest.mark.parametrize(
    ("outcome", "mood"),
    [
        ('refused: "no"', "bad"),
        ("failed: ValueError: no", "bad"),
        ("silenced: too many replies within a minute", "bad"),
        ("not mentioned, so not answered", "soft"),
        ("no handler for this", "soft"),
        ("left unanswered, passed on by p:f", "soft"),
        ("done by another admin", "soft"),
        ("gone: there was nothing left to answer", "soft"),
        ('accepted, remark "x"', "good"),
        ('"failed, said the customer"', ""),
    ],
)
def test_outcomes_look_like_what_they_are(quiet: Tab, outcome: str, mood: str) -> None:
    feed = quiet.town.feed
    assert feed is not None
    quiet.town.do(lambda: feed.publish(FeedEntry(1.0, "bot", "text", "alice", "", "", outcome, 0.0)))
    shown = quiet.page.locator(".entry").first.locator(".entry-more > span").first
    expect(shown).to_have_text(outcome)
    assert shown.get_attribute("class") == (mood or "")


@pytest.mark.parametrize("width", [1280, 375])
def test_what_happened_who_and_when_stand_on_one_line(tab: OpenTab, town: Town, width: int) -> None:
    feed = town.feed
    assert feed is not None
    alice = tab("alice", timezone_id="UTC", locale="en-US").resize(width)
    noon = 1_700_049_599.0  # 11:59:59, and what it is called in the afternoon is as long
    for kind in ("friend request", "join request", "member joined", "text"):
        for who in ("alice", "bobby", "charlotte"):
            entry = FeedEntry(noon, "bot", kind, who, "", "", "done", 0.0)
            town.do(lambda entry=entry: feed.publish(entry))  # type: ignore[misc]
    if width == 375:
        alice.page.get_by_role("button", name="Back to the conversations").click()
        alice.page.get_by_role("button", name="What the bot did").click()
    expect(alice.find(".entry")).to_have_count(12)
    heights = alice.page.evaluate("() => [...document.querySelectorAll('.entry-top')].map((one) => one.offsetHeight)")
    assert max(heights) < 30


# Over the page


def test_a_sentence_that_stands_there_is_not_said_again(tab: OpenTab, town: Town) -> None:
    alice = tab("alice").open("bob")
    for _ in range(3):
        alice.say("x" * 13_000)
    expect(alice.find(".toast")).to_have_count(1)


def test_a_sentence_goes_some_time_after_it_was_last_said(tab: OpenTab) -> None:
    alice = tab()
    alice.page.clock.install()
    alice.enter("alice").open("bob")
    field = alice.page.get_by_label("Message", exact=True)
    field.fill("x" * 13_000)
    for _ in range(3):
        field.press("Enter")
        alice.page.clock.run_for(4000)
        expect(alice.find(".toast")).to_have_count(1)
    alice.page.clock.run_for(3000)
    expect(alice.find(".toast")).to_have_count(0)


NOTICES = """async () => {
    const {People} = await import('/page/assets/people.js')
    const said = []
    const store = {
        me: 'alice', nameOf: (user) => user, toast: (text) => said.push(text), changed: () => {}, say: () => {},
        chats: {get: (type, peer) => ({type, peer}), current: null, nameOf: (chat) => chat.peer, tell: () => {}},
        session: {request: () => Promise.resolve({})},
    }
    const people = new People(store)
    const refused = {ReportType: 3, RemarkInfo: 'no'}
    const notice = (MsgRandom) => ({ClientSeq: 7, MsgRandom, GroupInfo: {GroupId: 'den', GroupName: 'Den'}, MsgBody: refused})
    for (const random of [1, 1, 2, 1, undefined, undefined]) people.takeSystemNotice(notice(random))
    return said
}"""
"""What is said to a refusal, itself again, another one, the first once more, and two that have nothing to be known by."""


def test_a_refusal_that_is_delivered_again_is_not_told_again(quiet: Tab) -> None:
    assert quiet.page.evaluate(NOTICES) == ["“Den” refused. no"] * 4


# People


def test_people_and_groups_have_colours_of_their_own(tab: OpenTab, town: Town) -> None:
    for number in range(5):
        town.make_group(f"den{number}", f"Den {number}", "alice")
        town.say_in(f"den{number}", "bot", words("hello"), number=number + 1)
    alice = tab("alice")
    expect(alice.find(".row")).to_have_count(8)
    colours = alice.page.evaluate(
        "() => [...document.querySelectorAll('.sidebar .avatar')].map((one) => getComputedStyle(one).backgroundColor)"
    )
    assert len(colours) == 9
    assert len(set(colours)) == 9


def test_letters_can_be_read_on_every_colour_and_no_two_are_alike(tab: OpenTab) -> None:
    alice = tab("alice")
    colours: list[list[int]] = alice.page.evaluate(
        """() => Array.from({length: 10}, (_, n) => {
            const one = document.createElement('span')
            one.className = `avatar tint${n}`
            document.body.append(one)
            return getComputedStyle(one).backgroundColor.match(/\\d+/g).map(Number)
        })"""
    )

    def light(colour: list[int]) -> float:
        parts = [part / 255 for part in colour[:3]]
        red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    assert min(1.05 / (light(colour) + 0.05) for colour in colours) >= 4.5
    apart = [
        sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5
        for place, one in enumerate(colours)
        for other in colours[:place]
    ]
    assert min(apart) > 50
