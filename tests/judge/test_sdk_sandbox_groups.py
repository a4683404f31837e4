"""The official SDK in every seat, timbot's sandbox between them: groups."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from timbot.sandbox import Settings

from .sdk import V2_14, V2_27, Generation, SdkError, frames, live
from .town import Door, Town, history, make_group, notice, open_town, texts, tip, unread

pytestmark = [pytest.mark.judge, pytest.mark.asyncio(loop_scope="module")]

SYSTEM = {"conversationID": "@TIM#SYSTEM", "count": 15}


@pytest_asyncio.fixture(loop_scope="module")
async def town(generation: Generation, door: Door) -> AsyncIterator[Town]:
    async with open_town(Settings(), generation, door) as town:
        yield town


def marks(conversations: list[Any]) -> list[list[int]]:
    """Who was mentioned in the first conversation that has a mark of it: 1 oneself, 2 all."""
    marked = [conversation["groupAtInfoList"] for conversation in conversations if conversation.get("groupAtInfoList")]
    return [mark["atTypeArray"] for mark in marked[0]] if marked else []


class TestTalk:
    async def test_members_talk(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "Public", "bob")
        await bob.expect_message(notice(7))
        await alice.call("updateMyProfile", {"nick": "Alice"})
        sent = await alice.send_text(group, "hello all", group=True, options={"priority": "High"})
        got = await bob.expect_message(text="hello all")
        assert (got["from"], got["nick"], got["to"], got["sequence"]) == ("alice", "Alice", group, sent["sequence"])
        assert (got["priority"], got["random"]) == ("High", sent["random"])
        assert await unread(bob, f"GROUP{group}") > 0
        await bob.call("setMessageRead", {"conversationID": f"GROUP{group}"})
        assert await unread(bob, f"GROUP{group}") == 0

    async def test_history_with_tips_in_pages(self, town: Town) -> None:
        alice = await town.enter("alice")
        group = await make_group(alice, "Public", "bob")
        for number in range(17):
            await alice.send_text(group, f"n{number}", group=True)
        await alice.call("updateGroupProfile", {"groupID": group, "name": "Lair"})
        for number in range(17, 34):
            await alice.send_text(group, f"n{number}", group=True)
        bob = await town.enter("bob")
        found = await history(bob, f"GROUP{group}")
        assert texts(found) == [f"n{number}" for number in range(34)]
        assert [message["sequence"] for message in found] == list(range(1, 37))
        assert sum(message["type"] == "TIMGroupTipElem" for message in found) == 1

    async def test_mentions(self, town: Town) -> None:
        alice, bob, carol = [await town.enter(name) for name in ("alice", "bob", "carol")]
        group = await make_group(alice, "Public", "bob", "carol")
        for seat in (bob, carol):
            await seat.expect_message(notice(7))
        await alice.send_text(group, "hey bob", group=True, at=["bob"])
        assert (await bob.expect_message(text="hey bob"))["atUserList"] == ["bob"]
        await carol.expect_message(text="hey bob")
        marked = await bob.expect("onConversationListUpdated", marks)
        assert marks(marked.data) == [[1]]
        await alice.send_text(group, "hey all", group=True, at=["__kImSDK_MesssageAtALL__"])
        assert (await carol.expect_message(text="hey all"))["atUserList"] == ["__kImSDK_MesssageAtALL__"]
        marked = await carol.expect("onConversationListUpdated", marks)
        assert marks(marked.data) == [[2]]
        await bob.call("setMessageRead", {"conversationID": f"GROUP{group}"})

    async def test_a_recall(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "Public", "bob")
        sent = await alice.send_text(group, "oops", group=True)
        await bob.expect_message(text="oops")
        await alice.call("revokeMessage", live(sent))
        revoked = await bob.expect("onMessageRevoked")
        assert revoked.data[0]["sequence"] == sent["sequence"]
        fresh = await town.fresh("bob")
        found = await history(fresh, f"GROUP{group}")
        assert [message["isRevoked"] for message in found if message["sequence"] == sent["sequence"]] == [True]

    async def test_a_cut_loses_nothing(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "Public", "bob")
        await alice.send_text(group, "before", group=True)
        await bob.expect_message(text="before")
        await bob.cut(refuse=True)
        for number in range(20):
            await alice.send_text(group, f"n{number}", group=True)
        await bob.mend()
        await bob.send_text("alice", "back")  # not to the group: its answer would hide the gap from this SDK
        await alice.expect_message(text="back")
        await bob.expect_message(text="n19")
        assert texts(bob.messages()) == ["before", *(f"n{number}" for number in range(20))]

    @pytest.mark.parametrize("generation", [V2_27], ids=str)
    async def test_a_recall_during_a_cut_is_heard_of(self, town: Town) -> None:
        """2.14.0 does not ask for those."""
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "Public", "bob")
        sent = await alice.send_text(group, "oops", group=True)
        await bob.expect_message(text="oops")
        await bob.cut(refuse=True)
        await alice.call("revokeMessage", live(sent))
        await bob.mend()
        await bob.send_text("alice", "back")
        revoked = await bob.expect("onMessageRevoked")
        assert [(message["ID"], message["revoker"]) for message in revoked.data] == [(sent["ID"], "alice")]

    async def test_deleting_and_online_only(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "Public", "bob")
        await bob.expect_message(notice(7))
        await alice.send_text(group, "fleeting", group=True, send_options={"onlineUserOnly": True})
        await bob.expect_message(text="fleeting")
        sent = await alice.send_text(group, "secret", group=True)
        await bob.expect_message(text="secret")
        await alice.call("deleteMessage", [live(sent)])
        fresh = await town.fresh("alice")
        assert texts(await history(fresh, f"GROUP{group}")) == []
        assert texts(await history(bob, f"GROUP{group}")) == ["secret"]


class TestEntry:
    async def test_an_application_approved(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "Public", joinOption="NeedPermission")
        asked = await bob.call("joinGroup", {"groupID": group, "type": "Public", "applyMessage": "let me in"})
        assert asked["status"] == "WaitAdminApproval"
        application = await alice.expect_message(notice(1))
        payload = application["payload"]
        assert (payload["operatorID"], payload["handleMessage"]) == ("bob", "let me in")
        answer = {"handleAction": "Agree", "handleMessage": "welcome", "message": live(application)}
        await alice.call("handleGroupApplication", answer)
        accepted = await bob.expect_message(notice(2))
        assert accepted["payload"]["handleMessage"] == "welcome"
        await bob.expect("onGroupListUpdated", lambda data: [g["groupID"] for g in data] == [group])
        joined = await alice.expect_message(tip(1))
        assert joined["payload"]["userIDList"] == ["bob"]
        await bob.send_text(group, "thanks", group=True)
        await alice.expect_message(text="thanks")

    async def test_an_application_refused(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "Public", joinOption="NeedPermission")
        await bob.call("joinGroup", {"groupID": group, "type": "Public", "applyMessage": "let me in"})
        application = await alice.expect_message(notice(1))
        answer = {"handleAction": "Reject", "handleMessage": "not today", "message": live(application)}
        await alice.call("handleGroupApplication", answer)
        refused = await bob.expect_message(notice(3))
        assert refused["payload"]["handleMessage"] == "not today"
        with pytest.raises(SdkError) as again:
            await alice.call("handleGroupApplication", answer)
        assert again.value.code == 10024

    async def test_an_application_made_while_the_owner_was_away(self, town: Town, generation: Generation) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "Public", joinOption="NeedPermission")
        await alice.logout()
        await bob.call("joinGroup", {"groupID": group, "type": "Public", "applyMessage": "anybody?"})
        fresh = await town.fresh("alice")
        if generation is V2_14:
            listed = lambda data: any(c["conversationID"] == "@TIM#SYSTEM" for c in data)  # noqa: E731
            await fresh.expect("onConversationListUpdated", listed)
        (application,) = (await fresh.call("getMessageList", SYSTEM))["messageList"]
        assert application["payload"]["handleMessage"] == "anybody?"
        answer: dict[str, object] = {"handleAction": "Agree"}
        if generation is V2_14:
            answer["message"] = live(application)
        else:  # it does not list the conversation of the notices, and has a list of applications instead
            (waiting,) = (await fresh.call("getGroupApplicationList"))["applicationList"]
            assert (waiting["applicant"], waiting["groupID"], waiting["groupName"]) == ("bob", group, "Den")
            answer["application"] = waiting
        await fresh.call("handleGroupApplication", answer)
        await bob.expect_message(notice(2))
        newest = await town.enter("alice once more", "alice")
        await newest.expect("onFriendApplicationListUpdated")  # the last of the login's answers
        (answered,) = frames(await newest.wire(peek=True), "in", "getmsg")
        assert "EventArray" not in answered["body"]
        assert (await newest.call("getMessageList", SYSTEM))["messageList"] == []

    async def test_a_work_group(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "Private")
        added = await alice.call("addGroupMember", {"groupID": group, "userIDList": ["bob", "nobody"]})
        assert (added["successUserIDList"], added["failureUserIDList"]) == (["bob"], ["nobody"])
        await bob.expect("onGroupListUpdated", lambda data: data != [])
        assert (await alice.expect_message(tip(1)))["payload"]["userIDList"] == ["bob"]
        await bob.call("quitGroup", group)
        assert (await alice.expect_message(tip(2)))["payload"]["operatorID"] == "bob"
        with pytest.raises(SdkError):
            await bob.call("joinGroup", {"groupID": group, "type": "Private"})

    async def test_a_meeting(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "ChatRoom")
        await alice.send_text(group, "before bob", group=True)
        joined = await bob.call("joinGroup", {"groupID": group, "type": "ChatRoom"})
        assert joined["status"] == "JoinedSuccess"
        assert texts(await history(bob, f"GROUP{group}")) == ["before bob"]
        await bob.send_text(group, "here", group=True)
        await alice.expect_message(text="here")

    async def test_a_live_room(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "AVChatRoom")
        for seat in (alice, bob):
            joined = await seat.call("joinGroup", {"groupID": group, "type": "AVChatRoom"})
            assert joined["status"] == "JoinedSuccess"
        await bob.send_text(group, "live", group=True)
        await alice.expect_message(text="live")
        count = await alice.call("getGroupOnlineMemberCount", group)
        assert count["memberCount"] == 2
        await bob.call("quitGroup", group)

    async def test_a_search(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "Public", introduction="a den")
        found = await bob.call("searchGroupByID", group)
        assert (found["group"]["name"], found["group"]["introduction"]) == ("Den", "a den")
        with pytest.raises(SdkError) as absent:
            await bob.call("searchGroupByID", "nowhere")
        assert absent.value.code == 10010


class TestRule:
    async def test_the_owner_rules(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "Public", "bob")
        await bob.expect_message(notice(7))
        await alice.call("setGroupMemberRole", {"groupID": group, "userID": "bob", "role": "Admin"})
        await bob.expect_message(notice(9))
        assert (await bob.expect_message(tip(4)))["payload"]["userIDList"] == ["bob"]
        await alice.call("setGroupMemberRole", {"groupID": group, "userID": "bob", "role": "Member"})
        await bob.expect_message(notice(10))
        await alice.call("setGroupMemberMuteTime", {"groupID": group, "userID": "bob", "muteTime": 60})
        muted = await bob.expect_message(tip(7))
        assert muted["payload"]["memberList"] == [{"userID": "bob", "muteTime": 60}]
        with pytest.raises(SdkError) as silenced:
            await bob.send_text(group, "mmph", group=True)
        assert silenced.value.code == 10017
        await alice.call("deleteGroupMember", {"groupID": group, "userIDList": ["bob"], "reason": "enough"})
        assert (await bob.expect_message(notice(4)))["payload"]["handleMessage"] == "enough"
        await bob.expect("onGroupListUpdated", lambda data: data == [])
        assert (await alice.expect_message(tip(3)))["payload"]["userIDList"] == ["bob"]

    async def test_a_changed_profile(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "Public", "bob")
        await bob.expect_message(notice(7))
        custom = [{"key": "k", "value": "v"}]
        await alice.call("updateGroupProfile", {"groupID": group, "notification": "news", "groupCustomField": custom})
        changed = await bob.expect_message(tip(6))
        assert changed["payload"]["newGroupProfile"] == {"notification": "news", "groupCustomField": custom}
        profile = (await bob.call("getGroupProfile", {"groupID": group, "groupCustomFieldFilter": ["k"]}))["group"]
        assert (profile["notification"], profile["ownerID"], profile["memberCount"]) == ("news", "alice", 2)
        assert profile["groupCustomField"] == custom

    async def test_members_are_listed(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "Public", "bob")
        await bob.expect_message(notice(7))
        await bob.call("setGroupMemberNameCard", {"groupID": group, "nameCard": "Bobby"})
        await bob.call("setMessageRemindType", {"groupID": group, "messageRemindType": "AcceptNotNotify"})
        listed = (await alice.call("getGroupMemberList", {"groupID": group, "count": 30, "offset": 0}))["memberList"]
        assert [(m["userID"], m["role"], m["nameCard"]) for m in listed] == [
            ("alice", "Owner", ""),
            ("bob", "Member", "Bobby"),
        ]
        await bob.send_text(group, "with my card", group=True)
        assert (await alice.expect_message(text="with my card"))["nameCard"] == "Bobby"

    async def test_the_end(self, town: Town) -> None:
        alice, bob = await town.enter("alice"), await town.enter("bob")
        group = await make_group(alice, "Public", "bob")
        await bob.expect_message(notice(7))
        with pytest.raises(SdkError) as refused:
            await alice.call("quitGroup", group)
        assert refused.value.code == 10009
        await alice.call("dismissGroup", group)
        await bob.expect_message(notice(5))
        await bob.expect("onGroupListUpdated", lambda data: data == [])
