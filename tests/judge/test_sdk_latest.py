"""The SDK's successor, @tencentcloud/chat, in a seat: the least it must be able to do."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from timbot.sandbox import Settings

from .sdk import V3_6, frames, live
from .town import Door, Town, befriend, history, make_group, notice, open_town, texts

pytestmark = [pytest.mark.judge, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def town(door: Door) -> AsyncIterator[Town]:
    async with open_town(Settings(), V3_6, door) as town:
        yield town


async def test_nothing_it_asks_at_login_is_refused(town: Town) -> None:
    alice = await town.enter("alice")
    await alice.expect("onGroupListUpdated")
    answers = frames(await alice.wire(), "in")
    assert [frame["head"]["servcmd"] for frame in answers if frame["body"].get("ErrorCode")] == []


async def test_two_users_talk(town: Town) -> None:
    town.say_c2c("alice", "bob", "before")
    alice, bob = await town.enter("alice"), await town.enter("bob")
    await bob.expect("onConversationListUpdated", lambda data: any(c["unreadCount"] == 1 for c in data))
    sent = await alice.send_text("bob", "hello")
    got = await bob.expect_message(text="hello")
    assert got["ID"] == sent["ID"]
    await bob.send_custom("alice", "dice", "six")
    assert (await alice.expect_message())["payload"]["description"] == "six"
    await bob.call("setMessageRead", {"conversationID": "C2Calice"})
    await alice.expect("onMessageReadByPeer")
    await alice.call("revokeMessage", live(sent))
    await bob.expect("onMessageRevoked", lambda data: [message["ID"] for message in data] == [got["ID"]])
    assert texts(await history(bob, "C2Calice"))[0] == "before"


async def test_people_and_groups(town: Town) -> None:
    alice, bob = await town.enter("alice"), await town.enter("bob")
    await befriend(alice, bob)
    await alice.expect("onFriendListUpdated", lambda data: [friend["userID"] for friend in data] == ["bob"])
    group = await make_group(alice, "Public", joinOption="NeedPermission")
    await bob.call("joinGroup", {"groupID": group, "type": "Public", "applyMessage": "let me in"})
    application = await alice.expect_message(notice(1))
    await alice.call("handleGroupApplication", {"handleAction": "Agree", "message": live(application)})
    await bob.expect_message(notice(2))
    for number in range(25):
        await alice.send_text(group, f"n{number}", group=True)
    assert texts(await history(bob, f"GROUP{group}")) == [f"n{number}" for number in range(25)]
    await alice.send_text(group, "hey bob", group=True, at=["bob"])
    assert (await bob.expect_message(text="hey bob"))["atUserList"] == ["bob"]
