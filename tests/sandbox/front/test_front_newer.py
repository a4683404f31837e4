"""What newer SDKs ask and read otherwise than 2.14.0."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from front_site import Body, Client, Site, open_site, text_body

from timbot.sandbox.dialect import Dialect, dialect_of
from timbot.testing import EPOCH, VirtualClock

NOW = int(EPOCH)
GROUP = "group_open_http_svc"
NEWER = "ws://sandbox/binfo?sdkappid=1400000000&platform=7&sdkversion=2.27.6&compress=gzip"


@pytest.fixture
async def site(clock: VirtualClock) -> AsyncIterator[Site]:
    async with open_site(clock) as site:
        yield site


async def newer(site: Site, user: str) -> Client:
    return await site.login(user, Client(await site.transport.connect(NEWER)))


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("ws://sandbox/info?sdkappid=1&instanceid=0&random=0.5", Dialect.CLASSIC),
        ("/info", Dialect.CLASSIC),
        ("", Dialect.CLASSIC),
        (NEWER, Dialect.NEWER),
        ("/info?sdkappid=1&sdkversion=2.27.6", Dialect.NEWER),  # its text frames, for debugging
    ],
)
def test_the_address_tells_the_dialect(url: str, dialect: Dialect) -> None:
    assert dialect_of(url) is dialect


async def test_mentions_are_flagged_as_each_dialect_reads_them(site: Site) -> None:
    alice, bob, carol = await site.login("alice"), await newer(site, "bob"), await site.login("carol")
    await site.group(alice, "bob", "carol")
    sent = site.group_text("den", "hi", GroupAtInfo=[{"GroupAtAllFlag": 0, "GroupAt_Account": "bob"}, {"GroupAtAllFlag": 1}])
    await alice.ok(f"{GROUP}.send_group_msg", sent)
    page = {"GroupId": "den", "ReqMsgSeq": 1, "ReqMsgNumber": 1}
    for client, one, everybody in ((bob, 0, 1), (carol, 1, 2)):
        shown = [{"GroupAtAllFlag": one, "GroupAt_Account": "bob"}, {"GroupAtAllFlag": everybody}]
        (pushed,) = [item["GroupMsgArray"][0] for item in await client.heard() if "GroupMsgArray" in item]
        assert pushed["GroupAtInfo"] == shown
        (listed,) = (await client.ok(f"{GROUP}.group_msg_get", page))["RspMsgList"]
        assert listed["GroupAtInfo"] == shown


async def test_a_message_keeps_the_name_its_sender_gave_it(site: Site) -> None:
    alice, bob = await newer(site, "alice"), await newer(site, "bob")
    await site.group(alice, "bob")
    await bob.heard()
    await alice.ok("openim.sendmsg", site.text("bob", "hi", MsgClientTime=NOW - 3))
    await alice.ok(f"{GROUP}.send_group_msg", site.group_text("den", "hi", MsgClientTime=NOW - 5))
    c2c, group = await bob.heard()
    listed = (await bob.ok("openim.getroammsg", {"Peer_Account": "alice", "MaxCnt": 1, "LastMsgTime": 0}))["MsgList"]
    for message, sent_at in ((c2c["C2cMsgArray"][0], 3), (listed[0], 3), (group["GroupMsgArray"][0], 5)):
        assert (message["TinyId"], message["MsgClientTime"]) == (alice.ticket["tinyid"], NOW - sent_at)


async def test_all_unread_messages_are_counted_whatever_is_listed(site: Site) -> None:
    alice, carol = await site.login("alice"), await site.login("carol")
    for number in range(70):
        await alice.ok("openim.sendmsg", site.text("bob", f"n{number}"))
    await carol.ok("openim.sendmsg", site.text("bob", "hi"))
    bob = await newer(site, "bob")
    first = await bob.ok("openim.getmsg", {"Cookie": "", "SyncFlag": 0})
    rest = await bob.ok("openim.getmsg", {"Cookie": first["Cookie"], "SyncFlag": 1})
    assert (len(first["MsgList"]), len(rest["MsgList"])) == (50, 21)
    counts = [{"From_Account": "alice", "UnreadCount": 70}, {"From_Account": "carol", "UnreadCount": 1}]
    assert first["C2CPairUnreadCount"] == rest["C2CPairUnreadCount"] == counts
    read = {"Cookie": "", "C2CMsgReadedItem": [{"To_Account": "alice", "LastedMsgTime": NOW, "Receipt": 1}]}
    await bob.ok("openim.msgreaded", {"C2CMsgReaded": read})
    again = await bob.ok("openim.getmsg", {"Cookie": "", "SyncFlag": 0})
    assert again["C2CPairUnreadCount"] == counts[1:]


async def test_conversations_are_deleted_in_a_batch(site: Site) -> None:
    alice, bob, _ = await site.everybody()
    await site.group(alice)
    await alice.ok("openim.sendmsg", site.text("bob", "hi"))
    await alice.ok(f"{GROUP}.send_group_msg", site.group_text("den", "hi"))
    items = [{"Type": 1, "To_Account": "bob"}, {"Type": 2, "ToGroupid": "den"}, {"Type": 2, "ToGroupid": "nowhere"}]
    deleted = await alice.ok("recentcontact.batch_delete", {"ContactItem": items, "ClearRamble": 0})
    assert [(item["ResultCode"], item.get("To_Account"), item.get("ToGroupid")) for item in deleted["ResultItem"]] == [
        (0, "bob", None),
        (0, None, "den"),
        (50002, None, "nowhere"),
    ]
    assert (await alice.ok("recentcontact.page_get"))["SessionItem"] == []
    history = {"Peer_Account": "bob", "MaxCnt": 9, "LastMsgTime": 0}
    assert len((await alice.ok("openim.getroammsg", history))["MsgList"]) == 1
    await alice.ok("recentcontact.batch_delete", {"ContactItem": items[:1], "ClearRamble": 1})
    assert (await alice.ok("openim.getroammsg", history))["MsgList"] == []
    assert len((await bob.ok("openim.getroammsg", {**history, "Peer_Account": "alice"}))["MsgList"]) == 1


async def test_recalls_are_listed_from_a_moment_on(site: Site) -> None:
    alice, bob, carol = await site.everybody()
    await site.group(alice, "bob")
    sent = []
    for number in range(3):
        sent.append(site.group_text("den", f"n{number}"))
        await bob.ok(f"{GROUP}.send_group_msg", sent[-1])
    for sequence in (3, 1):
        await alice.ok(f"{GROUP}.group_msg_recall", {"GroupId": "den", "MsgSeqList": [{"MsgSeq": sequence}]})
        await asyncio.sleep(10)

    async def recalled(since: int) -> list[Body]:
        body = {"GroupId": "den", "NotifyType": 1, "BeginTime": since, "EndTime": (NOW + 20) * 1000, "Limit": 20}
        answer = await bob.ok(f"{GROUP}.get_group_notify", body)
        assert answer["NextMsgTime"] == 0
        found: list[Body] = answer["NotifyMsgList"]
        return found

    assert [message["MsgSeq"] for message in await recalled(0)] == [3, 1]
    assert await recalled((NOW + 10) * 1000) == [
        {
            "MsgSeq": 1,
            "GroupId": "den",
            "From_Account": "bob",
            "MsgRandom": sent[0]["Random"],
            "RevokerInfo": {"Revoker_Account": "alice"},
        }
    ]
    assert await recalled((NOW + 20) * 1000) == []
    assert await carol.code(f"{GROUP}.get_group_notify", {"GroupId": "den", "BeginTime": 0}) == 10007
    await asyncio.sleep(8 * 86_400)
    site.sandbox.domain.prune()
    assert await recalled(0) == []


async def test_an_application_is_decided_by_what_the_list_says(site: Site) -> None:
    alice, bob, _ = await site.everybody()
    await bob.ok("profile.portrait_set", {"ProfileItem": [{"Tag": "Tag_Profile_IM_Nick", "Value": "Bob"}]})
    await site.group(alice, ApplyJoinOption="NeedPermission")
    await bob.ok(f"{GROUP}.apply_join_group", {"GroupId": "den", "ApplyMsg": "please"})
    (waiting,) = (await alice.ok(f"{GROUP}.get_pendency", {"StartTime": 0, "Limit": 20}))["PendencyList"]
    assert (waiting["FromUserNickName"], waiting["GroupName"], waiting["PendencyType"]) == ("Bob", "Den", 0)
    verdict = {"GroupId": "den", "Applicant_Account": "bob", "HandleMsg": "Agree"}
    verdict |= {"MsgKey": waiting["AddTime"], "Authentication": waiting["Authentication"]}
    await alice.ok(f"{GROUP}.handle_apply_join_group", verdict)
    assert await bob.ok(f"{GROUP}.send_group_msg", {"GroupId": "den", "Random": 1, "MsgBody": text_body("in")})


async def test_there_is_nothing_of_what_costs_extra(site: Site) -> None:
    alice = await newer(site, "alice")
    groups = await alice.ok("recentcontact.get_contact_group", {"StartTime": NOW, "StartIndex": 0})
    assert (groups["CompleteFlag"], groups["GroupItem"], groups["ContactItem"]) == (1, [], [])
    communities = await alice.ok("million_group_open_http_svc.get_joined_group_list", {"Limit": 50, "Offset": 0})
    assert (communities["TotalCount"], communities["GroupIdList"]) == (0, [])
    assert (await alice.ok("openim.get_c2c_peer_mute_notifications", {"UpdateSeq": 0}))["MuteNotificationsList"] == []


async def test_a_history_is_cleared_for_oneself(site: Site) -> None:
    alice, bob, carol = await site.everybody()
    await site.group(alice, "bob")
    await alice.ok("openim.sendmsg", site.text("bob", "hi"))
    await alice.ok(f"{GROUP}.send_group_msg", site.group_text("den", "hi"))
    await alice.ok("recentcontact.clear_msg", {"Type": 1, "To_Account": "bob"})
    await alice.ok("recentcontact.clear_msg", {"Type": 2, "ToGroupid": "den"})
    peer, page = {"MaxCnt": 9, "LastMsgTime": 0}, {"GroupId": "den", "ReqMsgSeq": 1, "ReqMsgNumber": 9}
    assert (await alice.ok("openim.getroammsg", {"Peer_Account": "bob", **peer}))["MsgList"] == []
    assert (await alice.ok(f"{GROUP}.group_msg_get", page))["RspMsgList"] == []
    assert len((await bob.ok("openim.getroammsg", {"Peer_Account": "alice", **peer}))["MsgList"]) == 1
    assert len((await bob.ok(f"{GROUP}.group_msg_get", page))["RspMsgList"]) == 1
    assert await carol.code("recentcontact.clear_msg", {"Type": 2, "ToGroupid": "den"}) == 10007
    assert await alice.code("recentcontact.clear_msg", {"Type": 2}) == 50002


async def test_everything_is_read_at_once(site: Site) -> None:
    alice, bob, carol = await site.everybody()
    await site.group(alice, "bob")
    for sender in (alice, carol):
        await sender.ok("openim.sendmsg", site.text("bob", "hi"))
    await alice.ok(f"{GROUP}.send_group_msg", site.group_text("den", "hi"))

    async def unread() -> list[int]:
        return [item["UnreadMsgCount"] for item in (await bob.ok("recentcontact.page_get"))["SessionItem"]]

    assert await unread() == [1, 1, 1]
    groups = [{"GroupId": "den", "MsgSeq": 1}, {"GroupId": "nowhere", "MsgSeq": 1}]
    answer = await bob.ok("openim.read_all_unread_msg", {"C2CReadAllMsg": 0, "GroupReadInfo": groups})
    assert [(group["GroupId"], group["RetCode"]) for group in answer["GroupReadInfoArray"]] == [("den", 0), ("nowhere", 10010)]
    assert await unread() == [0, 1, 1]
    await carol.heard()
    await bob.ok("openim.read_all_unread_msg", {"C2CReadAllMsg": 1, "GroupReadInfo": []})
    assert await unread() == [0, 0, 0]
    (receipt,) = await carol.heard()  # peers hear of it as of any other reading
    assert receipt["C2cNotifyMsgArray"][0]["C2cReadedReceipt"]["To_Account"] == "bob"
    await asyncio.sleep(5)
    await bob.ok("openim.read_all_unread_msg", {"C2CReadAllMsg": 1})
    assert await carol.heard() == []  # and only if something was unread
