"""A server that sends nonsense, and more than anybody can read: the page says what it cannot show, and goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from page_site import Tab, Town, element, words
from playwright.sync_api import Browser, expect

from timbot.sandbox.domain.profiles import ProfileField
from timbot.sandbox.guard import Caps

OpenTab = Callable[..., Tab]

pytestmark = pytest.mark.real_time

NONSENSE: list[Any] = [None, 0, -1, 1e300, "x", "\ud800", [], [None], {}, {"toString": 1, "valueOf": 1}, {"length": 3}, True]
"""Every kind of value; the record is one that cannot even be made a text."""

MESSAGE = {
    "From_Account": "bob",
    "To_Account": "alice",
    "MsgSeq": 1,
    "MsgRandom": 1,
    "MsgTimeStamp": 1_700_000_000,
    "From_AccountNick": "Bob",
    "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hello"}}],
}
GROUP_MESSAGE = {
    "From_Account": "bob",
    "ToGroupId": "den",
    "MsgSeq": 900,
    "Random": 1,
    "MsgTimeStamp": 1_700_000_000,
    "GroupInfo": {"GroupName": "The den", "From_AccountNick": "Bob", "MsgFrom_AccountExtraInfo": {}},
    "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hello"}}],
}
TIP = {
    **GROUP_MESSAGE,
    "MsgBody": {
        "OpType": 1,
        "Operator_Account": "bob",
        "List_Account": ["bob"],
        "MsgMemberExtraInfo": [],
        "MsgGroupNewInfo": {},
    },
}
CONTENTS: dict[str, tuple[str, ...]] = {
    "TIMTextElem": ("Text",),
    "TIMFaceElem": ("Index", "Data"),
    "TIMImageElem": ("ImageInfoArray",),
    "TIMFileElem": ("FileName", "FileSize", "Url"),
    "TIMSoundElem": ("Url", "Second"),
    "TIMVideoFileElem": ("VideoUrl", "VideoSecond", "VideoSize"),
    "TIMLocationElem": ("Desc", "Latitude", "Longitude"),
    "TIMRelayElem": ("Title", "AbstractList"),
    "TIMCustomElem": ("Data", "Desc", "Ext"),
}


class Pusher:
    """Puts frames into the user's connection as the server would."""

    def __init__(self, town: Town, user: str) -> None:
        self._town = town
        self._user = user
        self._seq = 0

    def push(self, *events: object) -> None:
        self._seq += 1
        self.frame(
            {"head": {"servcmd": "im_open_push.msg_push", "seq": 10**9 + self._seq}, "body": {"EventArray": list(events)}}
        )

    def frame(self, frame: object) -> None:
        data = json.dumps(frame).encode()

        def send() -> None:
            for line in self._town.sandbox._lines:
                if line.owner is not None and line.owner[0] == self._user:
                    line.send(data)

        self._town.do(send)


def broken(whole: dict[str, Any]) -> list[dict[str, Any]]:
    """The value with each of its fields gone wrong in every way."""
    return [{**whole, field: wrong} for field in whole for wrong in NONSENSE]


def test_a_senseless_push_is_passed_over_and_the_page_goes_on(tab: OpenTab, town: Town) -> None:
    town.make_group("den", "The den", "alice", "bob")
    alice = tab("alice").open("bob")
    pusher = Pusher(town, "alice")
    pusher.push(*NONSENSE)
    for name in ("C2cMsgArray", "GroupMsgArray", "GroupTips", "C2cNotifyMsgArray", "FriendListMod", "ProfileDataMod"):
        pusher.push(*({name: wrong} for wrong in NONSENSE), {name: NONSENSE})
    for name in ("WithdrawC2cMsgNotify", "C2cReadedReceipt"):
        pusher.push(*({"C2cNotifyMsgArray": [{name: wrong}]} for wrong in NONSENSE))
    pusher.push({"C2cMsgArray": broken(MESSAGE)}, {"GroupMsgArray": broken(GROUP_MESSAGE)})
    pusher.push({"Event": 4, "GroupTips": [*broken(TIP), *({**TIP, "MsgBody": body} for body in broken(TIP["MsgBody"]))]})  # type: ignore[arg-type]
    for event in (1, 2, 5):
        pusher.push({"Event": event, "GroupTips": [{**TIP, "MsgBody": {"ReportType": n}} for n in (2, 3, 4, 5, 7, *NONSENSE)]})
    for wrong in NONSENSE:
        pusher.frame(wrong)
        pusher.frame({"head": wrong, "body": wrong})
        pusher.frame({"head": {"servcmd": wrong, "seq": wrong}, "body": wrong})
    for name in ("FriendAdd_Account", "FriendDel_Account", "PendencyAdd", "FrienPencydDel_Account"):
        pusher.push({"FriendListMod": [{name: wrong} for wrong in NONSENSE]})
    town.say("bob", "alice", words("still here"), number=9000)
    alice.bubble("still here")
    alice.open("The den")
    town.say_in("den", "bob", words("and here"))
    expect(alice.find(".chat .hint").first).to_contain_text("Group")


def test_a_message_with_senseless_contents_is_shown_as_well_as_it_can_be(tab: OpenTab, town: Town) -> None:
    alice = tab("alice").open("bob")
    number = 0
    for kind, fields in CONTENTS.items():
        for wrong in [*NONSENSE, [{"URL": {}}], [[1]]]:
            number += 1
            content = dict.fromkeys(fields, wrong)
            Pusher(town, "alice").push(
                {"C2cMsgArray": [{**MESSAGE, "MsgSeq": number, "MsgBody": [{"MsgType": kind, "MsgContent": content}]}]}
            )
    town.say("bob", "alice", words("still here"), number=9000)
    alice.bubble("still here")
    expect(alice.find(".message, .note")).to_have_count(number + 1)
    assert alice.find(".note").all_inner_texts() == []


def test_a_message_that_cannot_be_drawn_is_said_to_be_so_and_its_neighbours_are_shown(tab: OpenTab, town: Town) -> None:
    """What no care foresaw: something throws while it is drawn."""
    alice = tab("alice").open("bob")
    town.say("bob", "alice", words("one"), number=1)
    alice.bubble("one")
    alice.page.evaluate(
        """() => {
            const made = document.createElementNS
            document.createElementNS = function (space, kind, ...rest) {
                if (kind !== 'code') return made.call(this, space, kind, ...rest)
                document.createElementNS = made
                throw new Error('cannot')
            }
        }"""
    )
    town.say("bob", "alice", element("TIMCustomElem", Data="two", Desc="", Ext=""), number=2)
    expect(alice.find(".note")).to_have_text("A message that cannot be shown")
    town.say("bob", "alice", words("three"), number=3)
    alice.bubble("three")
    alice.bubble("one")


def test_a_text_made_to_be_slow_is_not(tab: OpenTab, town: Town) -> None:
    alice = tab("alice")
    texts = {
        "one long address": "http://a" + "!" * 64_000 + "a",
        "many addresses": "http://a.example " * 4000,
        "many beginnings": "http://" * 9000,
        "mentions": "@" * 64_000,
    }
    for name, text in texts.items():
        took = alice.page.evaluate(
            """async (text) => {
                const {linked, mentioned, short} = await import('/page/assets/words.js')
                const began = performance.now()
                linked(text); short(text); mentioned(text, [{user: '@@', nick: '@@@'}])
                return performance.now() - began
            }""",
            text,
        )
        assert took < 250, name


def test_long_and_broken_texts_are_shown(tab: OpenTab, town: Town) -> None:
    alice = tab("alice").open("bob")
    long = "汉" * 3900 + "the end"
    Pusher(town, "alice").push(
        {"C2cMsgArray": [{**MESSAGE, "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "汉" * 21_000 + "!"}}]}]}
    )
    expect(alice.find(".bubble").last).to_contain_text("汉!")
    assert len(alice.find(".row[data-id=C2Cbob] .row-last").inner_text()) <= 201
    alice.say(long)
    expect(alice.find(".message.mine .way")).to_have_text("· sent")
    alice.page.evaluate(
        """() => {
            const field = document.querySelector('.composer textarea')
            field.value = 'half \\ud83d a sign'
            field.dispatchEvent(new Event('input', {bubbles: true}))
        }"""
    )
    alice.page.get_by_role("button", name="Send", exact=True).click()
    expect(alice.find(".message.mine .way").last).to_have_text("· sent")
    bob = tab("bob").open("alice")
    bob.bubble("half \ufffd a sign")
    bob.bubble("the end")


def test_signs_that_turn_the_text_around_are_kept_out_of_names(tab: OpenTab, town: Town) -> None:
    turning = "\u202eevil\u2066\u2069\u2069"
    alice = tab("alice")
    town.do(lambda: town.sandbox.domain.profiles.set("bob", {ProfileField.NICK: turning}, {}))
    town.make_group("den", f"den {turning}", "alice", "bob")
    town.say_in("den", "bob", words("hello"))
    town.say("bob", "alice", element("TIMFileElem", FileName="photo\u202egnp.exe", FileSize=1, Url="", UUID=""))
    alice.find(".row[data-id=C2Cbob]").click()
    expect(alice.find(".bubble")).to_contain_text("photognp.exe")
    alice.find(".row[data-id=GROUPden]").click()
    expect(alice.find(".chat h2")).to_have_text("den evil")
    expect(alice.find(".author")).to_have_text("evil")
    seen = alice.page.evaluate("() => document.title + document.body.textContent")
    assert not set(seen) & set("\u202e\u2066\u2069")


def test_thousands_of_messages_leave_the_page_quick_and_are_all_within_reach(browser: Browser) -> None:
    with Town(bot=False, caps=Caps(rate=100_000.0)) as town:  # or the server would make it wait for its acknowledgements
        alice = Tab(browser, town).enter("alice").open("bob")
        flood(alice, town)
        alice.context.close()
        assert alice.complaints == []


def flood(alice: Tab, town: Town) -> None:
    chats = town.sandbox.domain.chats
    count, batch = 3000, 200

    def say(first: int) -> None:
        for number in range(first, first + batch):
            chats.send("bob", "alice", [words(f"number {number}.")], size=10, sequence=number, random=number)

    for first in range(1, count + 1, batch):
        town.do(lambda first=first: say(first))  # type: ignore[misc]
    alice.bubble(f"number {count}.")
    bubbles = alice.find(".message")
    assert bubbles.count() <= 500
    first = int((bubbles.first.locator(".text").inner_text()).removeprefix("number ").removesuffix("."))
    took = alice.page.evaluate(
        """() => new Promise((done) => {
            const began = performance.now()
            new MutationObserver((_, watcher) => { watcher.disconnect(); done(performance.now() - began) })
                .observe(document.querySelector('.messages'), {childList: true, subtree: true})
            const field = document.querySelector('.composer textarea')
            field.value = 'quick?'
            field.dispatchEvent(new Event('input', {bubbles: true}))
            setTimeout(() => field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true})), 50)
        })"""
    )
    assert took < 1000
    alice.page.get_by_role("button", name="Earlier messages").click()
    expect(alice.page.get_by_text(f"number {first - 1}.", exact=True)).to_be_attached()


def test_a_group_keeps_no_more_than_it_can_draw_and_stays_in_order(tab: OpenTab) -> None:
    """Without the server, which lets a group say forty things a second."""
    alice = tab("alice")
    kept, ordered, where = alice.page.evaluate(
        """async () => {
            const {add, trim} = await import('/page/assets/timeline.js')
            const chat = {type: 'GROUP', messages: [], complete: true, cursor: '', until: 0, away: false}
            for (let seq = 1; seq <= 10000; seq++) {
                add(chat, {seq: seq % 2 ? seq + 1 : seq - 1, state: 'sent', note: '', time: seq})
                trim(chat)
            }
            const numbers = chat.messages.map((message) => message.seq)
            const rising = numbers.every((seq, at) => !at || seq > numbers[at - 1])
            return [numbers.length, rising, [chat.complete, chat.cursor, numbers[0]]]
        }"""
    )
    assert kept <= 500
    assert ordered
    assert where == [False, str(where[2] - 1), where[2]]


def test_a_tab_nobody_looks_at_leaves_the_feed_to_others(tab: OpenTab, town: Town) -> None:
    """A browser opens six connections to a server: six tabs that follow the feed would leave none for the seventh."""
    feed = town.feed
    assert feed is not None
    alice = tab("alice")
    expect(alice.find(".panel .live")).to_have_text("live")
    hide = """(hidden) => {
        Object.defineProperty(document, 'hidden', {get: () => hidden, configurable: true})
        document.dispatchEvent(new Event('visibilitychange'))
    }"""
    for hidden, watchers in ((True, 0), (False, 1)):
        alice.page.evaluate(hide, hidden)
        town.until(lambda watchers=watchers: feed.watchers == watchers)  # type: ignore[misc]
