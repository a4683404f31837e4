"""auto_accept and group_approval, and the official SDK in the other seats: what applicants and other admins see."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import JsonValue
from timbot_plugins import auto_accept, group_approval

from timbot import Plugin
from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import resolve
from timbot.runtime.account import AccountRunner
from timbot.runtime.activity import Activity
from timbot.runtime.enabled import enable
from timbot.runtime.log import get_log
from timbot.sandbox import Settings
from timbot.sandbox.domain.group_rules import GroupType, Role
from timbot.sandbox.domain.messages import GroupChanges
from timbot.store import Database

from .sdk import Generation
from .seat import Message, SdkError, Seat
from .town import KEY, Door, Town, notice, open_town, tip

pytestmark = [pytest.mark.judge, pytest.mark.asyncio(loop_scope="module")]

FRIENDS: dict[str, JsonValue] = {
    "deny": ["dave"],
    "rules": [{"keywords": ["tea", "茶"], "source": ["Web"], "do": "accept", "remark": "{{ source }} {{ wording }}"}],
    "welcome": ["Hello {{ sender.name }} 👋", "Try: menu"],
}
GROUPS: dict[str, JsonValue] = {
    "deny": ["dave"],
    "rules": [
        {"answers": ["42", "四十二"], "do": "accept", "message": "Right, {{ sender.name }}."},
        {"codes": ["Spring-26"], "do": "accept"},
        {"keywords": ["advertising"], "do": "refuse", "reason": "No advertising in {{ group.name }}."},
    ],
    "welcome": "Welcome, {{ sender.name }}!",
    "reason": "No.",
    "groups": {"attic": {"default": "accept", "max_members": 2, "full": "refuse", "full_reason": "{{ group.name }} is full."}},
}


class Bots:
    """The bots of a town, and what they did."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.outcomes: list[str] = []
        self._news = asyncio.Event()

    def heard(self, account: str, event: object) -> None:
        """An `Observer`'s."""

    def said(self, account: str, plugin: str, message: object) -> None:
        """An `Observer`'s."""

    def did(self, activity: Activity) -> None:
        if activity.route and activity.kind != "job":
            self.outcomes.append(activity.outcome)
            self._news.set()

    async def decided(self, count: int) -> list[str]:
        """What became of so many requests, once it is known."""
        async with asyncio.timeout(10):
            while len(self.outcomes) < count:
                self._news.clear()
                await self._news.wait()
        return self.outcomes

    @contextlib.asynccontextmanager
    async def bot(self, user_id: str, plugin: Plugin, settings: dict[str, JsonValue]) -> AsyncIterator[AccountRunner]:
        sandbox = self.town.sandbox
        account = Account(sandbox.sdk_app_id, user_id, from_secret_key(sandbox.sdk_app_id, KEY))
        client = Client(account, endpoint=resolve(f"ws://127.0.0.1:{self.town.port}"), chance=random.Random(1))
        async with await Database.memory() as database:
            enabled = [enable(plugin, settings)]
            runner = AccountRunner(client, enabled, get_log(), database=database, observers=[self])
            await runner.start()
            try:
                await runner.ready.wait()
                yield runner
            finally:
                await runner.stop(grace=1.0)

    def found_group(self, group_id: str, *admins: str) -> None:
        """A Public group of dave's, with these admins."""
        domain = self.town.sandbox.domain
        domain.groups.create("dave", GroupType.PUBLIC, GroupChanges(name=group_id.title()), group_id=group_id)
        domain.group_members.add("administrator", group_id, admins)
        for admin in admins:
            domain.group_members.set_role("dave", group_id, admin, Role.ADMIN)
        self.town.sandbox.flush()


@pytest_asyncio.fixture(loop_scope="module")
async def bots(generation: Generation, door: Door) -> AsyncIterator[Bots]:
    async with open_town(Settings(), generation, door) as town:
        yield Bots(town)


async def befriends(seat: Seat, wording: str, source: str = "AddSource_Type_Web") -> None:
    added = await seat.call("addFriend", {"to": "bot", "source": source, "wording": wording, "type": "Add_Type_Both"})
    assert added["code"] == 30539  # documented: the other side has to agree


async def applies(seat: Seat, wording: str, group_id: str = "den") -> None:
    asked = await seat.call("joinGroup", {"groupID": group_id, "type": "Public", "applyMessage": wording})
    assert asked["status"] == "WaitAdminApproval"


async def answer(seat: Seat) -> tuple[int, str]:
    """The system notice about an application: the documented kind, 2 let in, 3 refused, and the words with it."""
    told = await seat.expect_message(lambda message: notice(2)(message) or notice(3)(message))
    return told["payload"]["operationType"], told["payload"].get("handleMessage", "")


async def heard(seat: Seat) -> Message:
    return await seat.expect_message(lambda message: message["type"] == "TIMTextElem")


class TestFriends:
    async def test_one_who_is_accepted_finds_a_friend_and_a_welcome(self, bots: Bots) -> None:
        async with bots.bot("bot", auto_accept.bot, FRIENDS):
            alice = await bots.town.enter("alice")
            await alice.call("updateMyProfile", {"nick": "爱丽丝 {{ 7*7 }}"})
            await befriends(alice, "喝茶吗")
            await alice.expect("onFriendListUpdated", lambda data: [friend["userID"] for friend in data] == ["bot"])
            await alice.expect("onFriendApplicationListUpdated", lambda data: data["friendApplicationList"] == [])
            texts = [(await heard(alice))["payload"]["text"] for _ in range(2)]
            assert texts == ["Hello 爱丽丝 {{ 7*7 }} 👋", "Try: menu"]
            entry = bots.town.sandbox.domain.friends.get("bot", "alice")
            assert entry is not None
            assert entry.remark == "Web 喝茶吗"
            checked = await alice.call("checkFriend", {"userIDList": ["bot"], "type": "CheckResult_Type_Both"})
            assert checked["successUserIDList"][0]["relation"] == "CheckResult_Type_BothWay"

    async def test_one_who_is_refused_is_no_friend_and_waits_no_more(self, bots: Bots) -> None:
        async with bots.bot("bot", auto_accept.bot, FRIENDS):
            dave = await bots.town.enter("dave")
            await befriends(dave, "tea?")
            await dave.expect("onFriendApplicationListUpdated", lambda data: len(data["friendApplicationList"]) == 1)
            await dave.expect("onFriendApplicationListUpdated", lambda data: data["friendApplicationList"] == [])
            assert await dave.call("getFriendList") == []
            assert await bots.decided(1) == ["reject: done"]

    @pytest.mark.parametrize(("wording", "source"), [("coffee?", "AddSource_Type_Web"), ("tea?", "AddSource_Type_Card")])
    async def test_one_who_is_left_is_answered_by_a_person(self, bots: Bots, wording: str, source: str) -> None:
        async with bots.bot("bot", auto_accept.bot, FRIENDS):
            alice = await bots.town.enter("alice")
            await befriends(alice, wording, source)
            await alice.expect("onFriendApplicationListUpdated", lambda data: len(data["friendApplicationList"]) == 1)
            assert await bots.decided(1) == ["left to a person"]
        person = await bots.town.enter("bot")
        waiting = (await person.call("getFriendApplicationList"))["friendApplicationList"]
        assert [(one["userID"], one["wording"], one["source"]) for one in waiting] == [("alice", wording, source)]
        await person.call("acceptFriendApplication", {"userID": "alice", "type": "Response_Action_AgreeAndAdd"})
        await alice.expect("onFriendListUpdated", lambda data: [friend["userID"] for friend in data] == ["bot"])

    async def test_those_beyond_the_limit_of_the_day_wait(self, bots: Bots) -> None:
        async with bots.bot("bot", auto_accept.bot, {"per_day": 1}):
            alice, bob = await bots.town.enter("alice"), await bots.town.enter("bob")
            await befriends(alice, "")
            await alice.expect("onFriendListUpdated", lambda data: [friend["userID"] for friend in data] == ["bot"])
            await befriends(bob, "")
            await bob.expect("onFriendApplicationListUpdated", lambda data: len(data["friendApplicationList"]) == 1)
            assert await bots.decided(2) == ["accept: done", "left to a person"]
            assert await bob.call("getFriendList") == []


class TestGroups:
    async def test_the_right_answer_lets_in_and_everybody_sees_it(self, bots: Bots) -> None:
        async with bots.bot("bot", group_approval.bot, GROUPS):
            bots.found_group("den", "bot", "carol")
            alice, carol = await bots.town.enter("alice"), await bots.town.enter("carol")
            await applies(alice, " 四十二！")
            assert await answer(alice) == (2, "Right, alice.")
            joined = await carol.expect_message(tip(1))
            assert joined["payload"]["userIDList"] == ["alice"]
            for seat in (alice, carol):
                welcome = await heard(seat)
                assert (welcome["payload"]["text"], welcome["from"], welcome["conversationID"]) == (
                    "Welcome, alice!",
                    "bot",
                    "GROUPden",
                )

    async def test_a_code_lets_one_user_in(self, bots: Bots) -> None:
        async with bots.bot("bot", group_approval.bot, {**GROUPS, "default": "refuse"}):
            bots.found_group("den", "bot")
            alice, bob = await bots.town.enter("alice"), await bots.town.enter("bob")
            await applies(alice, "my code is SPRING-26")
            assert await answer(alice) == (2, "")
            await applies(bob, "spring-26")
            assert await answer(bob) == (3, "No.")
            await alice.call("quitGroup", "den")
            await applies(alice, "spring-26")
            assert await answer(alice) == (2, "")

    @pytest.mark.parametrize(
        ("name", "wording", "reason"), [("dave", "42", "No."), ("alice", "Advertising!", "No advertising in Den.")]
    )
    async def test_a_refusal_says_why(self, bots: Bots, name: str, wording: str, reason: str) -> None:
        async with bots.bot("bot", group_approval.bot, GROUPS):
            bots.town.sandbox.domain.groups.create("bot", GroupType.PUBLIC, GroupChanges(name="Den"), group_id="den")
            bots.town.sandbox.flush()
            seat = await bots.town.enter(name)
            await applies(seat, wording)
            assert await answer(seat) == (3, reason)
            assert await seat.call("getGroupList") == {"groupList": []}

    async def test_a_full_group(self, bots: Bots) -> None:
        async with bots.bot("bot", group_approval.bot, GROUPS):
            bots.found_group("attic", "bot")
            alice = await bots.town.enter("alice")
            await applies(alice, "42", "attic")
            assert await answer(alice) == (3, "Attic is full.")

    async def test_what_is_left_is_decided_by_a_person_who_is_admin_too(self, bots: Bots) -> None:
        async with bots.bot("bot", group_approval.bot, GROUPS):
            bots.found_group("den", "bot", "carol")
            alice, carol = await bots.town.enter("alice"), await bots.town.enter("carol")
            await applies(alice, "hello")
            asked = await carol.expect_message(notice(1))
            assert await bots.decided(1) == ["left to a person"]
            await carol.call(
                "handleGroupApplication",
                {"handleAction": "Agree", "handleMessage": "by hand", "message": {"$message": asked["ID"]}},
            )
            assert await answer(alice) == (2, "by hand")

    async def test_of_two_bots_and_a_person_one_is_first_and_there_is_one_welcome(self, bots: Bots) -> None:
        async with bots.bot("bot", group_approval.bot, GROUPS), bots.bot("second", group_approval.bot, GROUPS):
            bots.found_group("den", "bot", "second", "carol")
            alice, carol = await bots.town.enter("alice"), await bots.town.enter("carol")
            await applies(alice, "42")
            asked = await carol.expect_message(notice(1))
            with contextlib.suppress(SdkError):  # too late, mostly: 10024
                await carol.call(
                    "handleGroupApplication",
                    {"handleAction": "Agree", "handleMessage": "", "message": {"$message": asked["ID"]}},
                )
            assert (await answer(alice))[0] == 2
            first = (await bots.decided(2)).count("accept: done")
            assert sorted(bots.outcomes) == ["accept: done"] * first + ["accept: done by somebody else"] * (2 - first)
            await alice.send_text("den", "thank you", group=True)
            await carol.expect_message(text="thank you")  # after all that was said before it
        said = [message["payload"]["text"] for message in carol.messages() if message["type"] == "TIMTextElem"]
        assert first <= 1
        assert said == ["Welcome, alice!"] * first + ["thank you"]
