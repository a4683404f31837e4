"""How the page looks and is reached: nothing overflows, everything can be read, the keyboard gets everywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from page_site import Tab, Town, element, words
from playwright.sync_api import expect

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.real_time

LEAST_CONTRAST = 4.5
LARGEST_PAGE = 100_000

CONTRASTS = """() => {
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true})
    const channels = (colour) => {
        canvas.clearRect(0, 0, 1, 1)
        canvas.fillStyle = colour
        canvas.fillRect(0, 0, 1, 1)
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data
        return [r, g, b, a / 255]
    }
    const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1)
    const behind = (element) => {
        const layers = []
        for (let one = element; one; one = one.parentElement) layers.unshift(channels(getComputedStyle(one).backgroundColor))
        return layers.reduce((below, top) => over(top, below), [255, 255, 255, 1])
    }
    const light = (colour) => {
        const [r, g, b] = colour.slice(0, 3).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const found = []
    for (const one of document.querySelectorAll('body *')) {
        const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
        const box = one.getBoundingClientRect()
        const shown = own || one.matches('textarea, input')
        if (!shown || !box.width || one.closest('.sr, :disabled, [hidden]')) continue
        const ground = behind(one)
        const styles = [getComputedStyle(one).color]
        if (one.placeholder) styles.push(getComputedStyle(one, '::placeholder').color)
        for (const style of styles) {
            const [a, b] = [light(over(channels(style), ground)), light(ground)].sort((x, y) => y - x)
            found.push([(a + 0.05) / (b + 0.05), one.outerHTML.slice(0, 90)])
        }
    }
    return found
}"""


def furnish(town: Town) -> None:
    """Something of everything."""
    town.make_group("den", "The den", "alice", "bob")
    town.say_in("den", "bob", words("in the den"), number=1)
    town.say("bob", "alice", words("see https://example.com"), number=1)
    town.say("bob", "alice", element("TIMCustomElem", Data="dice", Desc="5", Ext=""), number=2)
    town.say("bob", "alice", element("TIMCustomElem", Data="order", Desc="7", Ext=""), number=3)
    town.say("bob", "alice", element("TIMNewElem"), number=4)
    town.do(lambda: town.sandbox.domain.friends.add("bob", "alice", wording="hello", source="AddSource_Type_Web"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read_in_both_schemes(tab: OpenTab, town: Town, scheme: str) -> None:
    furnish(town)
    alice = tab("alice", color_scheme=scheme)
    measured: list[tuple[float, str]] = []
    for chat in ("C2Cbot", "GROUPlobby", "GROUPden", "C2Cbob"):
        alice.find(f".row[data-id={chat}]").click()
        if chat == "C2Cbob":
            expect(alice.find(".chat h2")).to_have_text("bob")
            alice.say("and back")
            expect(alice.find(".way").last).to_have_text("· sent")
        if chat == "C2Cbot":
            expect(alice.find(".chat h2")).to_have_text("Timbot")
            alice.say("hello")
            alice.bubble("Hello")
        measured += alice.page.evaluate(CONTRASTS)
    alice.page.get_by_role("button", name="Be somebody else").click()
    expect(alice.find(".choice")).to_have_count(2)
    measured += alice.page.evaluate(CONTRASTS)
    assert len(measured) > 100
    assert [(round(contrast, 2), what) for contrast, what in measured if contrast < LEAST_CONTRAST] == []


def test_nothing_overflows(tab: OpenTab, town: Town) -> None:
    furnish(town)
    alice = tab("alice")
    overflow = "() => document.documentElement.scrollWidth - innerWidth"
    wide = """() => [...document.querySelectorAll('body *')]
        .filter((one) => !one.closest('.sr') && one.getBoundingClientRect().right > innerWidth + 0.5)
        .map((one) => one.outerHTML.slice(0, 80))"""

    def check(width: int) -> None:
        alice.resize(width)
        assert alice.page.evaluate(overflow) <= 0
        assert alice.page.evaluate(wide) == []

    for chat in ("C2Cbob", "GROUPden", "GROUPlobby"):
        alice.find(f".row[data-id={chat}]").click()
        expect(alice.find(".chat")).to_be_visible()
        for width in (1280, 1000, 719, 375):
            check(width)
        alice.page.get_by_role("button", name="Back to the conversations").click()
        check(375)
        alice.resize(1280)


def test_the_keyboard_reaches_every_control_and_shows_where_it_is(tab: OpenTab, town: Town) -> None:
    furnish(town)
    alice = tab("alice").open("The den")
    alice.say("mine")
    expect(alice.find(".way").last).to_have_text("· sent")
    alice.page.evaluate("() => document.activeElement.blur()")
    count = alice.page.evaluate("() => document.querySelectorAll('button, textarea, a').length")
    seen: set[str] = set()
    for _ in range(count + 10):
        alice.page.keyboard.press("Tab")
        name, ring = alice.page.evaluate(
            """() => {
                const one = document.activeElement
                if (one === document.body) return ['', 1]
                one.dataset.tabbed ??= String(Math.random())
                return [one.dataset.tabbed, parseFloat(getComputedStyle(one).outlineWidth)]
            }"""
        )
        assert ring >= 1
        seen.add(name)
    left = """() => [...document.querySelectorAll('button:not(:disabled), textarea, a[href]')]
        .filter((one) => one.offsetParent && !one.dataset.tabbed).map((one) => one.outerHTML.slice(0, 80))"""
    assert alice.page.evaluate(left) == []


def test_a_dialog_keeps_the_keyboard_and_escape_closes_it(tab: OpenTab) -> None:
    alice = tab("alice").open("Timbot")
    opener = alice.page.get_by_role("button", name="Add friend")
    opener.press("Enter")
    dialog = alice.page.get_by_role("dialog", name="Friend request")
    expect(dialog).to_be_visible()
    for _ in range(6):
        alice.page.keyboard.press("Tab")
        assert alice.page.evaluate(
            "() => document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    alice.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    opener.press("Enter")
    expect(dialog).to_be_visible()


def test_every_control_has_a_name(tab: OpenTab, town: Town) -> None:
    furnish(town)
    alice = tab("alice")
    nameless = """() => [...document.querySelectorAll('button, textarea, input, a, dialog, nav, aside, main')]
        .filter((one) => one.checkVisibility())
        .filter((one) => !(one.getAttribute('aria-label') || one.innerText.trim() || one.closest('label')))
        .map((one) => one.outerHTML.slice(0, 80))"""
    for chat, control in (("C2Cbot", "Add friend"), ("GROUPden", "Mention somebody")):
        alice.find(f".row[data-id={chat}]").click()
        for width in (1280, 375):
            alice.resize(width)
            expect(alice.page.get_by_role("button", name=control)).to_be_visible()
            assert alice.page.evaluate(nameless) == []
        alice.resize(1280)


def test_new_messages_are_said_aloud(tab: OpenTab, town: Town) -> None:
    alice = tab("alice")
    town.say("bob", "alice", words("psst"))
    live = alice.find("[aria-live=polite]")
    expect(live).to_have_text("bob: psst")


def test_chinese_and_emoji_have_glyphs(tab: OpenTab, town: Town) -> None:
    """A sign without a glyph is drawn as a box, all of which look alike."""
    alice = tab("alice")
    shapes = alice.page.evaluate(
        """([text, missing]) => {
            const shape = (sign) => {
                const canvas = document.createElement('canvas')
                const context = canvas.getContext('2d')
                context.font = `32px ${getComputedStyle(document.body).fontFamily}`
                context.fillText(sign, 4, 40)
                return canvas.toDataURL()
            }
            return [...text].map((sign) => shape(sign) === shape(missing))
        }""",
        ["你好，世界🎲👋🏽", "\U0010fffd"],
    )
    assert shapes == [False] * 8


def test_the_page_is_small_and_asks_for_nothing_elsewhere(tab: OpenTab, town: Town) -> None:
    alice = tab()
    asked: list[str] = []
    sizes: list[int] = []
    alice.page.on("request", lambda request: asked.append(request.url))
    alice.page.on("response", lambda answer: sizes.append(int(answer.headers.get("content-length", 0))))
    alice.enter("alice").open("Timbot")
    assert len(asked) > 10
    assert all(url.startswith((f"http://{town.address}/", f"blob:http://{town.address}/")) for url in asked)
    assert 10_000 < sum(sizes) < LARGEST_PAGE
