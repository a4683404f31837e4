"""In a group: whom the bot answers, and the names that come up after an @."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from page_site import Tab, Town
from playwright.sync_api import Locator, expect

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.real_time


@pytest.fixture
def den(town: Town, tab: OpenTab) -> Tab:
    """Alice in a group with the bot and bob."""
    town.make_group("den", "The den", "alice", "bob")
    alice = tab("alice").open("The den")
    expect(alice.page.get_by_text("3 members")).to_be_visible()
    return alice


def field(tab: Tab) -> Locator:
    return tab.page.get_by_label("Message", exact=True)


def names(tab: Tab) -> Locator:
    return tab.find(".members button")


def test_a_group_says_whom_the_bot_answers(den: Tab) -> None:
    expect(den.find(".manners")).to_have_text(
        "Timbot answers here when it is mentioned (type @), or to a command such as /dice."
    )
    expect(field(den)).to_have_accessible_description(den.find(".manners").inner_text())
    den.page.get_by_role("button", name="@Timbot hello").click()
    den.bubble("Hello, alice!")
    den.open("Timbot")
    expect(den.find(".manners")).to_have_count(0)


def test_the_hint_goes_with_the_bot(den: Tab, town: Town) -> None:
    expect(den.find(".manners")).to_have_count(1)
    town.do(lambda: town.sandbox.domain.groups.transfer("bot", "den", "bob"))
    town.do(lambda: town.sandbox.domain.group_members.quit("bot", "den"))
    expect(den.find(".manners")).to_have_count(0)
    expect(den.page.get_by_role("button", name="@Timbot hello")).to_have_count(0)


def test_an_at_brings_up_the_members_and_enter_takes_the_first(den: Tab) -> None:
    field(den).press_sequentially("@")
    expect(names(den)).to_have_text(["@Timbot", "@bob"])
    expect(den.find("#spoken")).to_have_text("@Timbot, 1 of 2. Enter takes it.")
    field(den).press("Enter")
    expect(field(den)).to_have_value("@Timbot ")
    expect(names(den)).to_have_count(0)
    field(den).press_sequentially("hello")
    field(den).press("Enter")
    den.bubble("Hello, alice!")


def test_arrows_choose_and_letters_narrow(den: Tab) -> None:
    field(den).press_sequentially("ask @")
    field(den).press("ArrowDown")
    expect(den.find(".members .chosen")).to_have_text("@bob")
    field(den).press("ArrowDown")
    expect(den.find(".members .chosen")).to_have_text("@Timbot")
    field(den).press("ArrowUp")
    field(den).press("Tab")
    expect(field(den)).to_have_value("ask @bob ")
    field(den).press_sequentially("and @B")
    expect(names(den)).to_have_text(["@Timbot", "@bob"])  # its user ID is bot
    field(den).press_sequentially("ob")
    expect(names(den)).to_have_count(0)


def test_a_name_in_the_middle_is_put_where_it_was_begun(den: Tab) -> None:
    field(den).fill("one two")
    for _ in range(4):
        field(den).press("ArrowLeft")
    field(den).press_sequentially(" @ti")
    expect(names(den)).to_have_text(["@Timbot"])
    names(den).click()
    expect(field(den)).to_have_value("one @Timbot two")
    field(den).press_sequentially("and ")
    expect(field(den)).to_have_value("one @Timbot and two")


def test_escape_closes_the_list_for_this_name(den: Tab) -> None:
    field(den).press_sequentially("@t")
    expect(names(den)).to_have_count(1)
    field(den).press("Escape")
    field(den).press_sequentially("i")
    expect(names(den)).to_have_count(0)
    field(den).press_sequentially(" @")
    expect(names(den)).to_have_count(2)


def test_the_list_goes_when_the_cursor_does(den: Tab) -> None:
    field(den).press_sequentially("hello @")
    expect(names(den)).to_have_count(2)
    field(den).press("Home")
    expect(names(den)).to_have_count(0)


def test_a_name_in_full_is_sent_by_enter(den: Tab) -> None:
    field(den).press_sequentially("@Timbot")
    field(den).press("Enter")
    expect(den.find(".message.mine .text")).to_have_text("@Timbot")


@pytest.mark.parametrize(
    ("text", "cursor", "begun"),
    [
        ("@", 1, {"at": 0, "begun": ""}),
        ("@Bo", 3, {"at": 0, "begun": "bo"}),
        ("@Bo", 2, {"at": 0, "begun": "b"}),
        ("@Bo", 0, None),
        ("你好@b", 4, {"at": 2, "begun": "b"}),
        ("a@b", 3, None),
        ("@b c", 4, None),
        ("nothing", 7, None),
        ("@" + "x" * 100, 101, None),
    ],
)
def test_which_name_is_being_written(quiet: Tab, text: str, cursor: int, begun: dict[str, Any] | None) -> None:
    found = quiet.page.evaluate(
        "async ([text, cursor]) => (await import('/page/assets/words.js')).nameBegun(text, cursor)", [text, cursor]
    )
    assert found == begun


def test_in_a_conversation_of_two_an_at_is_a_sign(tab: OpenTab) -> None:
    alice = tab("alice").open("bob")
    field(alice).press_sequentially("@")
    expect(field(alice)).to_have_value("@")
    expect(names(alice)).to_have_count(0)
    expect(alice.find(".members")).to_have_count(0)
