"""A bot, and the official SDK in the other seat: what the bot does, the vendor's own client sees."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from timbot import Accept, Bot, Context, Custom, FriendRequest, GroupJoinRequest, MemberJoined, MessageRevoked, Reject, Text
from timbot.errors import KickedOutError
from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.endpoints import resolve
from timbot.im.model.message import ConversationType
from timbot.runtime.account import AccountRunner
from timbot.runtime.dispatcher import Options
from timbot.runtime.log import get_log
from timbot.sandbox import Settings
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import GroupChanges

from .cutting import CuttingTransport
from .sdk import Generation, live
from .town import KEY, Door, Town, history, open_town, settled, texts

pytestmark = [pytest.mark.judge, pytest.mark.asyncio(loop_scope="module")]

seen: list[str] = []
"""What the bot's handlers noticed in this test."""


def make_bot() -> Bot:
    bot = Bot("judged")

    @bot.on_text("hello")
    async def hello(ctx: Context[Text]) -> str:
        return f"Hello, {ctx.sender.id}! 👋"

    @bot.on_text
    async def echo(ctx: Context[Text]) -> str:
        return f"You said: {ctx.text}"

    @bot.on_command("twice")
    async def twice(ctx: Context[Text]) -> list[str]:
        return list(ctx.args) * 2

    @bot.on_custom("dice")
    async def dice(ctx: Context[Custom]) -> Custom:
        return Custom(data="dice", description=str(ctx.random.randint(1, 6)), extension="rolled")

    @bot.on_friend_request
    async def friend(request: FriendRequest) -> Accept | None:
        return Accept(remark="from the bot") if "friend" in request.wording else None

    @bot.on_group_join_request
    async def join(request: GroupJoinRequest) -> Accept | Reject:
        return Accept(message="come in") if "please" in request.wording else Reject("say please")

    @bot.on_member_join
    async def welcome(ctx: Context[MemberJoined]) -> str:
        return f"Welcome, {ctx.sender.id}!"

    @bot.on_event(MessageRevoked)
    async def revoked(ctx: Context[MessageRevoked]) -> None:
        seen.append(f"revoked by {ctx.payload.from_}")

    return bot


class Site:
    """A town with a bot in it."""

    def __init__(self, town: Town, runner: AccountRunner, network: CuttingTransport) -> None:
        self.town = town
        self.runner = runner
        self.network = network

    @property
    def client(self) -> Client:
        return self.runner.client

    def found_group(self, group_id: str, kind: GroupType = GroupType.PUBLIC, members: tuple[str, ...] = ()) -> None:
        domain = self.town.sandbox.domain
        domain.groups.create("bot", kind, GroupChanges(name=group_id), group_id=group_id)
        if members:
            domain.group_members.add("administrator", group_id, members)
        self.town.sandbox.flush()


@pytest_asyncio.fixture(loop_scope="module")
async def site(generation: Generation, door: Door) -> AsyncIterator[Site]:
    seen.clear()
    async with open_town(Settings(), generation, door) as town:
        network = CuttingTransport()
        account = Account(town.sandbox.sdk_app_id, "bot", from_secret_key(town.sandbox.sdk_app_id, KEY))
        endpoint = resolve(f"ws://127.0.0.1:{town.port}")
        client = Client(account, endpoint=endpoint, transport=network, chance=random.Random(1))
        runner = AccountRunner(client, [make_bot()], get_log(), Options(loop_guard=0))
        await runner.start()
        try:
            await runner.ready.wait()
            yield Site(town, runner, network)
        finally:
            await runner.stop(grace=1.0)


class TestC2C:
    async def test_a_text_is_answered(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        await alice.send_text("bot", "hello")
        answer = await alice.expect_message()
        assert (answer["type"], answer["payload"]["text"]) == ("TIMTextElem", "Hello, alice! 👋")
        assert (answer["from"], answer["flow"], answer["conversationID"]) == ("bot", "in", "C2Cbot")

    async def test_chinese_and_emoji_come_back_as_they_were(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        await alice.send_text("bot", "你好，世界 🌏👨‍👩‍👧")
        await alice.expect_message(text="You said: 你好,世界 🌏👨‍👩‍👧")

    async def test_several_answers_come_in_order(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        await alice.send_text("bot", "/twice one two")
        assert [(await alice.expect_message())["payload"]["text"] for _ in range(4)] == ["one", "two", "one", "two"]

    async def test_a_dice_is_rolled(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        await alice.send_custom("bot", "dice")
        answer = await alice.expect_message(lambda message: message["type"] == "TIMCustomElem")
        assert answer["payload"]["data"] == "dice"
        assert answer["payload"]["extension"] == "rolled"
        assert 1 <= int(answer["payload"]["description"]) <= 6

    async def test_the_bot_reports_what_it_has_read(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        sent = await alice.send_text("bot", "hello")
        await alice.expect("onMessageReadByPeer", lambda data: any(message["ID"] == sent["ID"] for message in data))

    async def test_the_bot_sees_a_recall(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        sent = await alice.send_text("bot", "oops")
        await alice.expect_message(text="You said: oops")
        await alice.call("revokeMessage", live(sent))
        await alice.send_text("bot", "hello")
        await alice.expect_message(text="Hello, alice! 👋")  # in the same lane, so the recall was handled before it
        assert seen == ["revoked by alice"]

    async def test_the_sdk_sees_a_recall_of_the_bot(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        sent = await site.client.send_message(site.client.create_text_message("alice", ConversationType.C2C, "wrong"))
        await alice.expect_message(text="wrong")
        await site.client.revoke_message(sent)
        revoked = await alice.expect("onMessageRevoked")
        assert revoked.data[0]["payload"]["text"] == "wrong"

    async def test_both_sides_page_through_the_same_history(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        for number in range(25):
            await alice.send_text("bot", f"n{number}")
            await alice.expect_message(text=f"You said: n{number}")
        expected = [text for number in range(25) for text in (f"n{number}", f"You said: n{number}")]
        fresh = await site.town.fresh("alice")
        assert texts(await history(fresh, "C2Cbot")) == expected
        assert await bots_history(site.client, "C2Calice") == expected

    async def test_a_face_and_a_profile(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        await site.client.update_my_profile(nick="Timbot")
        await site.client.send_message(site.client.create_face_message("alice", ConversationType.C2C, 7, "smile"))
        face = await alice.expect_message(lambda message: message["type"] == "TIMFaceElem")
        assert (face["payload"], face["nick"]) == ({"index": 7, "data": "smile"}, "Timbot")
        await alice.call("updateMyProfile", {"nick": "Alice L."})
        assert [profile.nick for profile in await site.client.get_user_profile(["alice"])] == ["Alice L."]


class TestRequests:
    async def test_a_friend_application_is_accepted(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        await alice.call("addFriend", {"to": "bot", "source": "AddSource_Type_Web", "wording": "be my friend"})
        await alice.expect("onFriendListUpdated", lambda data: any(friend["userID"] == "bot" for friend in data))

    async def test_one_made_while_the_bot_was_away_is_accepted_at_login(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        await site.runner.stop()
        await alice.call("addFriend", {"to": "bot", "source": "AddSource_Type_Web", "wording": "be my friend"})
        account = Account(site.town.sandbox.sdk_app_id, "bot", from_secret_key(site.town.sandbox.sdk_app_id, KEY))
        again = AccountRunner(
            Client(account, endpoint=resolve(f"ws://127.0.0.1:{site.town.port}")), [make_bot()], get_log(), Options()
        )
        await again.start()
        try:
            await alice.expect("onFriendListUpdated", lambda data: any(friend["userID"] == "bot" for friend in data))
        finally:
            await again.stop()

    async def test_an_application_to_a_public_group_is_approved(self, site: Site) -> None:
        site.found_group("club")
        alice = await site.town.enter("alice")
        result = await alice.call("joinGroup", {"groupID": "club", "type": "Public", "applyMessage": "please"})
        assert result["status"] == "WaitAdminApproval"
        notice = await alice.expect_message(lambda message: message["type"] == "TIMGroupSystemNoticeElem")
        assert notice["payload"]["operationType"] == 2
        assert notice["payload"]["handleMessage"] == "come in"
        await alice.expect_message(text="Welcome, alice!")

    async def test_and_refused_with_a_reason(self, site: Site) -> None:
        site.found_group("club")
        alice = await site.town.enter("alice")
        await alice.call("joinGroup", {"groupID": "club", "type": "Public", "applyMessage": "now"})
        notice = await alice.expect_message(lambda message: message["type"] == "TIMGroupSystemNoticeElem")
        assert notice["payload"]["operationType"] == 3
        assert notice["payload"]["handleMessage"] == "say please"


class TestGroups:
    async def test_a_mention_is_answered_and_other_talk_is_not(self, site: Site) -> None:
        site.found_group("club", members=("alice", "bob"))
        alice, bob = await site.town.enter("alice"), await site.town.enter("bob")
        await alice.send_text("club", "just talking", group=True)
        await alice.send_text("club", "@bot hello", group=True, at=["bot"])
        for seat in (alice, bob):
            answer = await seat.expect_message(lambda message: message["from"] == "bot")
            assert answer["payload"]["text"] == "Hello, alice! 👋"
            assert answer["conversationID"] == "GROUPclub"

    async def test_a_command_needs_no_mention(self, site: Site) -> None:
        site.found_group("club", members=("alice",))
        alice = await site.town.enter("alice")
        await alice.send_text("club", "/twice one", group=True)
        await alice.expect_message(text="one")

    async def test_a_dice_in_a_group(self, site: Site) -> None:
        site.found_group("club", members=("alice",))
        alice = await site.town.enter("alice")
        await alice.send_custom("club", "dice", group=True)
        answer = await alice.expect_message(lambda message: message["from"] == "bot")
        assert answer["payload"]["data"] == "dice"

    async def test_a_tip_of_somebody_coming_in_is_seen_and_greeted(self, site: Site) -> None:
        site.found_group("club", members=("alice",))
        alice = await site.town.enter("alice")
        site.town.sandbox.domain.group_members.add("administrator", "club", ("carol",))
        site.town.sandbox.flush()
        tip = await alice.expect_message(lambda message: message["type"] == "TIMGroupTipElem")
        assert tip["payload"]["operationType"] == 1
        await alice.expect_message(text="Welcome, carol!")

    async def test_the_sdk_sees_the_bot_mention_it(self, site: Site) -> None:
        site.found_group("club", members=("alice",))
        alice = await site.town.enter("alice")
        await site.client.send_message(site.client.create_text_at_message("club", "@alice look", ["alice"]))
        got = await alice.expect_message(text="@alice look")
        assert got["atUserList"] == ["alice"]

    async def test_both_sides_page_through_a_groups_history(self, site: Site) -> None:
        site.found_group("club", members=("alice",))
        alice = await site.town.enter("alice")
        for number in range(8):  # below the 40 messages a second from which a group drops some
            await alice.send_text("club", f"/twice n{number}", group=True)
            await alice.expect_message(text=f"n{number}")
            await alice.expect_message(text=f"n{number}")
        expected = ["Welcome, alice!"]
        expected += [text for number in range(8) for text in (f"/twice n{number}", f"n{number}", f"n{number}")]
        fresh = await site.town.fresh("alice")
        assert texts(await history(fresh, "GROUPclub")) == expected
        assert await bots_history(site.client, "GROUPclub") == expected

    async def test_a_recall_in_a_group(self, site: Site) -> None:
        site.found_group("club", members=("alice",))
        alice = await site.town.enter("alice")
        sent = await site.client.send_message(site.client.create_text_message("club", ConversationType.GROUP, "wrong"))
        await alice.expect_message(text="wrong")
        await site.client.revoke_message(sent)
        revoked = await alice.expect("onMessageRevoked")
        assert revoked.data[0]["sequence"] == sent.sequence


class TestConnection:
    async def test_a_second_login_of_the_account_ends_the_bot(self, site: Site) -> None:
        intruder = await site.town.seat("intruder", "bot")
        await intruder.login(site.town.sandbox.usersig("bot"))
        with pytest.raises(KickedOutError):
            await site.runner.ended()
        await intruder.ready()
        await settled(intruder)

    async def test_the_bot_ends_a_second_login_of_the_sdk(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        account = Account(site.town.sandbox.sdk_app_id, "alice", from_secret_key(site.town.sandbox.sdk_app_id, KEY))
        async with Client(account, endpoint=resolve(f"ws://127.0.0.1:{site.town.port}")):
            kicked = await alice.expect("kickedOut")
        assert kicked.data["type"] == "multipleAccount"

    async def test_what_was_said_during_a_cut_is_answered_once_and_in_order(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        await alice.send_text("bot", "before")
        await alice.expect_message(text="You said: before")
        site.network.cut()
        for number in range(5):
            await alice.send_text("bot", f"during {number}")
        answers = [(await alice.expect_message())["payload"]["text"] for _ in range(5)]
        assert answers == [f"You said: during {number}" for number in range(5)]
        await alice.send_text("bot", "after")
        assert (await alice.expect_message())["payload"]["text"] == "You said: after"

    async def test_the_sdk_comes_back_from_a_cut_and_finds_the_answer(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        await alice.send_text("bot", "before")
        await alice.expect_message(text="You said: before")
        await alice.cut()
        await site.client.send_message(site.client.create_text_message("alice", ConversationType.C2C, "while you were away"))
        await alice.expect_message(text="while you were away")

    async def test_an_answer_that_was_lost_is_not_said_twice(self, site: Site) -> None:
        alice = await site.town.enter("alice")
        site.network.arm("answer lost", lambda frame: b"openim.sendmsg" in frame)
        await alice.send_text("bot", "hello")
        await alice.expect_message(text="Hello, alice! 👋")
        await alice.send_text("bot", "and now")
        await alice.expect_message(text="You said: and now")
        fresh = await site.town.fresh("alice")
        assert texts(await history(fresh, "C2Cbot")) == ["hello", "Hello, alice! 👋", "and now", "You said: and now"]


async def bots_history(client: Client, conversation_id: str) -> list[str]:
    """All texts of a conversation, oldest first, as the bot's own client pages through them."""
    found: list[str] = []
    cursor: tuple[int, str] | None = None
    while True:
        page = await client.get_message_list(conversation_id, cursor=cursor)
        found[:0] = [message.text for message in page.messages if message.text]
        cursor = page.next_cursor
        if cursor is None:
            return found
