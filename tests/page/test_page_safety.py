"""What people write stays text, wherever it is shown, and nothing of it runs or breaks the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from page_site import Tab, Town, element, words
from playwright.sync_api import expect

from timbot.sandbox.domain.messages import GroupChanges
from timbot.sandbox.domain.profiles import ProfileField
from timbot.sandbox.page import FeedEntry
from timbot.sandbox.page.site import ASSETS

OpenTab = Callable[..., Tab]

EVIL = "<img src=x onerror=document.body.dataset.hit=1>"
OVERRIDE = "\u202eevil\u2066"
LONG = "W" * 10_000

OWN_SOURCES = [path for path in ASSETS.rglob("*") if path.suffix in (".js", ".html") and "vendor" not in path.parts]


def evil(town: Town, text: str) -> None:
    """`text` in every place that people can fill."""
    domain = town.sandbox.domain
    short = text[:200]
    town.do(lambda: domain.profiles.set("bob", {ProfileField.NICK: short}, {}))
    town.do(lambda: domain.groups.modify("bot", "den", GroupChanges(name=text[:30])))
    kinds = [
        words(text),
        element("TIMFaceElem", Index=1, Data=text),
        element("TIMCustomElem", Data=text, Desc=text, Ext=text),
        element("TIMCustomElem", Data="dice", Desc=text, Ext=""),
        element(
            "TIMFileElem", FileName=text, FileSize=10, Url="javascript:document.body.dataset.hit=1", UUID="", Download_Flag=2
        ),
        element("TIMLocationElem", Desc=text, Latitude=1.0, Longitude=1.0),
        element("TIMRelayElem", Title=text, AbstractList=[text, text], CompatibleText=text),
        element(text[:100], Text=text),
        element(
            "TIMImageElem", ImageFormat=1, ImageInfoArray=[{"Type": 1, "Size": 1, "Width": 1, "Height": 1, "URL": "data:x,y"}]
        ),
    ]
    for number, kind in enumerate(kinds, 1):
        town.say("bob", "alice", kind, number=number)
        town.say_in("den", "bob", kind, number=number)
    town.do(lambda: domain.friends.add("bob", "alice", wording=short, source="AddSource_Type_Web"))
    assert town.feed is not None
    feed = town.feed
    for place in (f"GROUP{text}", f"APPLICATION{text}/{text}"):
        entry = FeedEntry(1.0, "bot", text, text, place, text, text, 1.0, text)
        town.do(lambda entry=entry: feed.publish(entry))  # type: ignore[misc]


@pytest.mark.real_time
@pytest.mark.parametrize("text", [EVIL, OVERRIDE, LONG], ids=["markup", "override", "long"])
def test_whatever_people_write_is_only_text_and_fits(tab: OpenTab, town: Town, text: str) -> None:
    town.make_group("den", "The den", "alice", "bob")
    alice = tab("alice")
    evil(town, text)
    expect(alice.find(".request")).to_be_attached()
    for chat, messages in (("C2Cbob", 9), ("GROUPden", 10)):  # in the group the bot answers the dice
        alice.resize(1280)
        alice.find(f".row[data-id={chat}]").click()
        expect(alice.find(".message")).to_have_count(messages)
        assert trouble(alice) == []
        alice.resize(375)
        assert trouble(alice) == []
        alice.page.get_by_role("button", name="Back to the conversations").click()
        assert trouble(alice) == []
    alice.page.get_by_role("button", name="What the bot did").click()
    expect(alice.find(".entry", has_text=text[:200]).filter(has_text="in ")).not_to_have_count(0)
    assert trouble(alice) == []
    alice.resize(1280)
    assert trouble(alice) == []


@pytest.mark.real_time
def test_a_refusal_and_a_word_of_welcome_are_only_text(tab: OpenTab, town: Town) -> None:
    alice = tab("alice").open("Dice lobby")
    alice.page.get_by_label("What do you want to say to them?").fill("x")
    assert town.runner is not None
    runner = town.runner
    town.run(runner.stop(1))  # or it would be quicker
    alice.page.get_by_role("button", name="Ask to join", exact=True).click()
    expect(alice.page.get_by_text("Your request was sent.")).to_be_visible()
    applications = town.sandbox.domain.group_applications
    (waiting,) = town.do(lambda: applications.pending("bot").applications)
    town.do(lambda: applications.handle("bot", "lobby", "alice", waiting.key, agree=False, message=EVIL))
    expect(alice.find(".refusal")).to_contain_text(EVIL)
    assert trouble(alice) == []
    alice.page.get_by_role("button", name="Ask again").click()
    expect(alice.page.get_by_text("Your request was sent.")).to_be_visible()
    alice.open("bob")
    *_, waiting = town.do(lambda: applications.pending("bot").applications)
    town.do(lambda: applications.handle("bot", "lobby", "alice", waiting.key, agree=True, message=EVIL))
    expect(alice.find(".toast")).to_contain_text(EVIL)
    assert trouble(alice) == []
    alice.open("Dice lobby")
    expect(alice.find(".note", has_text=EVIL)).to_be_visible()
    assert trouble(alice) == []


@pytest.mark.real_time
@pytest.mark.parametrize("text", [EVIL, OVERRIDE, LONG], ids=["markup", "override", "long"])
def test_names_are_only_text_where_one_is_mentioned(tab: OpenTab, town: Town, text: str) -> None:
    town.make_group("den", "The den", "alice", "bob")
    for user in ("bot", "bob"):
        town.do(lambda user=user: town.sandbox.domain.profiles.set(user, {ProfileField.NICK: text[:200]}, {}))  # type: ignore[misc]
    alice = tab("alice")
    alice.find(".row[data-id=GROUPden]").click()
    expect(alice.page.get_by_text("3 members")).to_be_visible()
    shown = text[:200].strip(OVERRIDE[0] + OVERRIDE[-1])
    expect(alice.find(".manners")).to_contain_text(f"{shown} answers here")
    alice.page.get_by_label("Message", exact=True).press_sequentially("@")
    expect(alice.find(".members button").first).to_have_text(f"@{shown}")
    for width in (1280, 375):
        alice.resize(width)
        assert trouble(alice) == []
    alice.page.keyboard.press("Enter")
    expect(alice.page.get_by_label("Message", exact=True)).to_have_value(f"@{shown} ")
    assert trouble(alice) == []


@pytest.mark.real_time
def test_the_reasons_that_people_gave_are_only_text_in_the_panel(tab: OpenTab, town: Town) -> None:
    """From a name to the friend's remark, and from there to the panel."""
    town.do(lambda: town.sandbox.domain.profiles.set("bob", {ProfileField.NICK: "<b onclick=x>"}, {}))
    alice = tab("alice")
    town.do(lambda: town.sandbox.domain.friends.add("bob", "bot", wording=EVIL, source="AddSource_Type_Web"))
    expect(alice.find(".entry", has_text="friend request")).to_contain_text('accepted, remark "<b onclick=x>"')
    assert trouble(alice) == []


@pytest.mark.real_time
def test_an_address_is_a_link_only_if_it_is_of_the_web(tab: OpenTab, town: Town) -> None:
    alice = tab("alice").open("bob")
    town.say("bob", "alice", words("https://a.example/x?y=1, javascript:alert(1) ftp://b.example http://user@c.example/(z)."))
    alice.bubble("https://a.example")
    links = alice.find(".bubble a")
    assert [link.get_attribute("href") for link in links.all()] == ["https://a.example/x?y=1", "http://user@c.example/(z"]
    for link in links.all():
        assert (link.get_attribute("rel"), link.get_attribute("target")) == ("noopener noreferrer", "_blank")


@pytest.mark.real_time
def test_the_policy_lets_nothing_in_that_is_not_the_pages_own(tab: OpenTab, town: Town) -> None:
    _, headers, _ = town.http("GET", "/")
    assert headers["content-security-policy"].split("; ") == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        f"connect-src 'self' ws://{town.address}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
    alice = tab("alice", loud=True)
    alice.page.evaluate(
        """() => {
            const script = document.createElement('script')
            script.textContent = 'document.body.dataset.hit = 1'
            document.body.append(script)
            document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="document.body.dataset.hit=1">')
        }"""
    )
    alice.page.wait_for_timeout(200)
    assert alice.page.evaluate("() => document.body.dataset.hit") is None
    assert any("Content Security Policy" in said for said in alice.complaints)


@pytest.mark.parametrize("path", OWN_SOURCES, ids=lambda path: path.name)
def test_no_source_has_a_way_to_turn_text_into_markup_or_code(path: Path) -> None:
    source = path.read_text("utf-8")
    for way in (
        r"dangerouslySetInnerHTML",
        r"\binnerHTML\b",
        r"outerHTML",
        r"insertAdjacentHTML",
        r"\beval\b",
        r"new Function",
        r"document\.write",
    ):
        assert not re.search(way, source), way
    assert not re.search(r"""\sstyle=|\son[a-z]+="|\bstyle\.|srcdoc|https?://(?!www\.w3\.org)[a-z]""", source)


def test_each_vendored_module_has_its_licence() -> None:
    vendor = ASSETS / "vendor"
    for module in vendor.glob("*.js"):
        assert "Copyright" in (vendor / f"{module.stem}.LICENSE.txt").read_text("utf-8")


def trouble(tab: Tab) -> list[str]:
    """What is wrong in the page as it is shown: things that ran, things that came from a text, things that do not fit."""
    found: list[str] = tab.page.evaluate(
        """() => {
            const found = []
            if (document.body.dataset.hit) found.push('something ran')
            const strange = ':is(img, script, iframe, object, embed, [style], a[href^="javascript"])'
            for (const one of document.querySelectorAll(`#app ${strange}`)) {
                found.push('came from a text: ' + one.outerHTML.slice(0, 100))
            }
            const root = document.documentElement
            if (Math.max(root.scrollWidth, document.body.scrollWidth) > innerWidth) found.push('the page scrolls sideways')
            for (const one of document.querySelectorAll('body *')) {
                const box = one.getBoundingClientRect()
                if (!box.width || one.closest('.sr')) continue
                if (box.width > innerWidth + 0.5) found.push('wider than the window: ' + one.outerHTML.slice(0, 60))
            }
            for (const one of document.querySelectorAll('.log, .feed, .chats, .requests, .sidebar, .panel, .chat, .bar')) {
                if (one.scrollWidth > one.clientWidth + 1) found.push('scrolls sideways: ' + one.className)
            }
            return found.slice(0, 10)
        }"""
    )
    return found
