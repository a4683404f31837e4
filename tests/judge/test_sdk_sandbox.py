"""The official SDK in every seat, timbot's sandbox between them: sessions, C2C, people."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from timbot.sandbox import Settings

from .sdk import V2_14, V2_27, Generation, SdkError, frames, live
from .town import Door, Town, befriend, history, open_town, settled, texts, unread

pytestmark = [pytest.mark.judge, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest_asyncio.fixture(loop_scope="module")
async def town(settings: Settings, generation: Generation, door: Door) -> AsyncIterator[Town]:
    async with open_town(settings, generation, door) as town:
        yield town


class TestC2C:
    async def test_two_users_talk(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        sent = await alice.send_text("bob", "hello")
        got = await bob.expect_message(text="hello")
        assert (got["from"], got["to"], got["conversationID"]) == ("alice", "bob", "C2Calice")
        assert (got["sequence"], got["random"], got["time"]) == (sent["sequence"], sent["random"], sent["time"])

    async def test_other_elements(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        await alice.send_custom("bob", "dice", "six", '{"n": 6}')
        got = await bob.expect_message(lambda message: message["type"] == "TIMCustomElem")
        assert got["payload"] == {"data": "dice", "description": "six", "extension": '{"n": 6}'}
        await alice.send_face("bob", 3, "smile")
        got = await bob.expect_message(lambda message: message["type"] == "TIMFaceElem")
        assert got["payload"] == {"index": 3, "data": "smile"}

    async def test_messages_while_away_are_unread_at_login(self, town: Town) -> None:
        alice = await town.enter("alice")
        for number in range(3):
            await alice.send_text("bob", f"while away {number}")
        bob = await town.enter("bob")
        await bob.expect("onConversationListUpdated", lambda data: any(c["unreadCount"] == 3 for c in data))
        assert texts(await history(bob, "C2Calice")) == [f"while away {number}" for number in range(3)]
        assert bob.messages() == []  # at login they raise nothing
        await bob.call("setMessageRead", {"conversationID": "C2Calice"})
        assert await unread(bob, "C2Calice") == 0
        await bob.logout()
        again = await town.enter("bob's other tab", "bob")
        assert await unread(again, "C2Calice") == 0

    async def test_unread_messages_are_counted_however_far_apart(self, town: Town) -> None:
        for number in range(3):
            town.say_c2c("alice", "bob", f"n{number}")
            town.clock.skip(2)
        bob = await town.enter("bob")
        await bob.expect("onConversationListUpdated", lambda data: any(c["unreadCount"] == 3 for c in data))
        town.say_c2c("alice", "bob", "one more")
        await bob.expect_message(text="one more")
        assert await unread(bob, "C2Calice") == 4

    async def test_many_messages_while_away_come_in_pages(self, town: Town) -> None:
        alice = await town.enter("alice")
        for number in range(120):
            town.say_c2c("alice", "bob", f"n{number}")
        bob = await town.enter("bob")
        await bob.expect("onConversationListUpdated", lambda data: any(c["unreadCount"] == 120 for c in data))
        assert len(frames(await bob.wire(peek=True), "out", "getmsg")) == 3
        assert alice.warnings == []

    async def test_history_in_pages(self, town: Town) -> None:
        for number in range(47):
            town.say_c2c("bob" if number % 2 else "alice", "alice" if number % 2 else "bob", f"n{number}")
        alice = await town.enter("alice")
        assert texts(await history(alice, "C2Cbob")) == [f"n{number}" for number in range(47)]

    async def test_a_revoked_message(self, town: Town, generation: Generation) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        sent = await alice.send_text("bob", "oops")
        got = await bob.expect_message(text="oops")
        await alice.call("revokeMessage", live(sent))
        revoked = await bob.expect("onMessageRevoked")
        assert [message["ID"] for message in revoked.data] == [got["ID"]]
        if generation is not V2_14:  # IDs are the same everywhere, and the revoker is told
            assert got["ID"] == sent["ID"]
            assert revoked.data[0]["revoker"] == "alice"
        assert [message["isRevoked"] for message in await history(bob, "C2Calice")] == [True]

    async def test_a_read_receipt(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        await alice.send_text("bob", "read me")
        await bob.expect_message(text="read me")
        await bob.call("setMessageRead", {"conversationID": "C2Calice"})
        read = await alice.expect("onMessageReadByPeer")
        assert read.data[0]["payload"]["text"] == "read me"

    async def test_online_only_is_not_kept(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        await alice.send_text("bob", "now or never", send_options={"onlineUserOnly": True})
        await bob.expect_message(text="now or never")
        await alice.send_text("bob", "kept")
        await bob.expect_message(text="kept")
        await bob.logout()
        again = await town.enter("bob's other tab", "bob")
        assert texts(await history(again, "C2Calice")) == ["kept"]

    async def test_deleting_is_for_oneself(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        sent = await alice.send_text("bob", "secret")
        await bob.expect_message(text="secret")
        await alice.call("deleteMessage", [live(sent)])
        fresh = await town.fresh("alice")
        assert await history(fresh, "C2Cbob") == []
        assert texts(await history(bob, "C2Calice")) == ["secret"]

    async def test_a_stranger_is_refused(self, town: Town) -> None:
        alice = await town.enter("alice")
        with pytest.raises(SdkError) as refused:
            await alice.send_text("nobody", "hello?")
        assert refused.value.code == 20003

    async def test_a_message_has_one_name_in_pushes_and_lists(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        await alice.send_text("bob", "hello")
        got = await bob.expect_message(text="hello")
        fresh = await town.fresh("bob")
        assert [message["ID"] for message in await history(fresh, "C2Calice")] == [got["ID"]]

    @pytest.mark.parametrize("generation", [V2_27], ids=str)
    async def test_all_is_read_and_cleared_at_once(self, town: Town) -> None:
        """2.14.0 has no such methods."""
        for sender in ("alice", "carol"):
            town.say_c2c(sender, "bob", "hi")
        bob = await town.enter("bob")
        await bob.expect("onTotalUnreadMessageCountUpdated", lambda count: count == 2)
        await bob.call("setAllMessageRead")
        await bob.expect("onTotalUnreadMessageCountUpdated", lambda count: count == 0)
        await bob.call("clearHistoryMessage", "C2Calice")
        fresh = await town.fresh("bob")
        assert (await unread(fresh, "C2Calice"), await unread(fresh, "C2Ccarol")) == (0, 0)
        assert await history(fresh, "C2Calice") == []
        assert texts(await history(fresh, "C2Ccarol")) == ["hi"]


class TestSession:
    async def test_a_wrong_signature_is_refused(self, town: Town) -> None:
        alice = await town.seat("alice")
        with pytest.raises(SdkError) as refused:
            await alice.login(town.sandbox.usersig("bob"))
        assert refused.value.code == 70013

    async def test_a_second_login_kicks_the_first(self, town: Town) -> None:
        first = await town.enter("first", "alice")
        second = await town.enter("second", "alice")
        kicked = await first.expect("kickedOut")
        assert kicked.data == {"type": "multipleAccount"}
        await first.expect("sdkStateNotReady")
        bob = await town.enter("bob")
        await bob.send_text("alice", "who is it?")
        await second.expect_message(text="who is it?")
        await settled(second)
        await town.login(first)  # the same tab again: now the other one goes
        await second.expect("kickedOut")
        await bob.send_text("alice", "and now?")
        await first.expect_message(text="and now?")

    @pytest.mark.parametrize("settings", [Settings(instances=2)])
    async def test_two_logins_share_an_account(self, town: Town) -> None:
        phone, desk = await town.enter("phone", "alice"), await town.enter("desk", "alice")
        bob = await town.enter("bob")
        await phone.send_text("bob", "from the phone")
        await bob.expect_message(text="from the phone")
        copy = await desk.expect_message(text="from the phone")
        assert (copy["flow"], copy["conversationID"], copy["from"], copy["to"]) == ("out", "C2Cbob", "alice", "bob")
        await bob.send_text("alice", "to both")
        for seat in (phone, desk):
            await seat.expect_message(text="to both")
        await phone.call("setMessageRead", {"conversationID": "C2Cbob"})
        await desk.expect("onConversationListUpdated", lambda data: data and data[0]["unreadCount"] == 0)
        await phone.call("pinConversation", {"conversationID": "C2Cbob", "isPinned": True})
        await desk.expect("onConversationListUpdated", lambda data: data and data[0]["isPinned"])
        await phone.call("deleteConversation", "C2Cbob")
        await desk.expect("onConversationListUpdated", lambda data: data == [])

    async def test_a_cut_loses_nothing(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        await bob.send_text("alice", "before")
        await alice.expect_message(text="before")
        await alice.cut(refuse=True)
        await bob.send_text("alice", "meanwhile")
        await alice.mend()
        await alice.send_text("bob", "through at last")
        await bob.expect_message(text="through at last")
        await alice.expect_message(text="meanwhile")
        await bob.send_text("alice", "after")
        await alice.expect_message(text="after")
        assert texts(alice.messages()) == ["before", "meanwhile", "after"]

    async def test_a_logout_leaves_the_socket_alive(self, town: Town) -> None:
        alice = await town.enter("alice")
        await alice.logout()
        await town.login(alice)
        bob = await town.enter("bob")
        await bob.send_text("alice", "welcome back")
        await alice.expect_message(text="welcome back")


class TestPeople:
    async def test_profiles(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        await befriend(alice, bob)
        await bob.expect("onFriendListUpdated", lambda data: [f["userID"] for f in data] == ["alice"])
        await alice.call(
            "updateMyProfile",
            {"nick": "Alice", "avatar": "http://x/a.png", "gender": "Gender_Type_Female", "birthday": 19900101},
        )
        changed = await bob.expect("onProfileUpdated")
        assert (changed.data[0]["userID"], changed.data[0]["nick"]) == ("alice", "Alice")
        await alice.send_text("bob", "it is me")
        got = await bob.expect_message(text="it is me")
        assert (got["nick"], got["avatar"]) == ("Alice", "http://x/a.png")
        carol = await town.enter("carol")
        found = await carol.call("getUserProfile", {"userIDList": ["alice", "nobody"]})
        assert [(p["userID"], p["nick"], p["gender"], p["birthday"]) for p in found] == [
            ("alice", "Alice", "Gender_Type_Female", 19900101)
        ]

    async def test_an_application_accepted(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        asked = {"to": "bob", "source": "AddSource_Type_Web", "wording": "let us", "type": "Add_Type_Both"}
        assert (await alice.call("addFriend", asked))["code"] == 30539
        seen = await bob.expect("onFriendApplicationListUpdated", lambda data: data["unreadCount"] == 1)
        (application,) = seen.data["friendApplicationList"]
        assert (application["userID"], application["wording"]) == ("alice", "let us")
        await bob.call("acceptFriendApplication", {"userID": "alice", "type": "Response_Action_AgreeAndAdd"})
        await alice.expect("onFriendListUpdated", lambda data: [f["userID"] for f in data] == ["bob"])
        await bob.expect("onFriendListUpdated", lambda data: [f["userID"] for f in data] == ["alice"])
        await bob.expect("onFriendApplicationListUpdated", lambda data: data["friendApplicationList"] == [])

    async def test_an_application_refused(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        await alice.call("addFriend", {"to": "bob", "source": "AddSource_Type_Web", "type": "Add_Type_Both"})
        await bob.expect("onFriendApplicationListUpdated", lambda data: data["unreadCount"] == 1)
        await bob.call("refuseFriendApplication", {"userID": "alice"})
        await bob.expect("onFriendApplicationListUpdated", lambda data: data["friendApplicationList"] == [])
        await alice.expect("onFriendApplicationListUpdated", lambda data: data["friendApplicationList"] == [])
        assert await alice.call("getFriendList") == []

    async def test_an_application_made_while_away(self, town: Town) -> None:
        alice = await town.enter("alice")
        await alice.call("addFriend", {"to": "bob", "source": "AddSource_Type_Web", "type": "Add_Type_Both"})
        bob = await town.enter("bob")
        await bob.expect("onFriendApplicationListUpdated", lambda data: data["unreadCount"] == 1)
        await bob.call("setFriendApplicationRead")
        await bob.expect("onFriendApplicationListUpdated", lambda data: data["unreadCount"] == 0)

    async def test_friends_filed_checked_and_lost(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        await befriend(alice, bob)
        await alice.expect("onFriendListUpdated", lambda data: data != [])
        await alice.call("updateFriend", {"userID": "bob", "remark": "Bobby"})
        await alice.call("createFriendGroup", {"name": "pals", "userIDList": ["bob"]})
        fresh = await town.fresh("alice")
        listed = await fresh.expect("onFriendListUpdated", lambda data: data != [])
        assert (listed.data[0]["remark"], listed.data[0]["groupList"]) == ("Bobby", ["pals"])
        checked = await fresh.call("checkFriend", {"userIDList": ["bob", "carol"], "type": "CheckResult_Type_Both"})
        relations = {item["userID"]: item["relation"] for item in checked["successUserIDList"]}
        assert relations == {"bob": "CheckResult_Type_BothWay", "carol": "CheckResult_Type_NoRelation"}
        await fresh.call("deleteFriend", {"userIDList": ["bob"], "type": "Delete_Type_Both"})
        await fresh.expect("onFriendListUpdated", lambda data: data == [])

    async def test_the_blacklist(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        await alice.call("addToBlacklist", {"userIDList": ["bob"]})
        await alice.expect("blacklistUpdated", lambda data: data == ["bob"])
        with pytest.raises(SdkError) as refused:
            await bob.send_text("alice", "let me in")
        assert refused.value.code == 20007
        assert await alice.call("removeFromBlacklist", {"userIDList": ["bob"]}) == []
        await bob.send_text("alice", "thanks")
        await alice.expect_message(text="thanks")
