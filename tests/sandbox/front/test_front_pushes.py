"""What each notice looks like on the wire, field by field."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from front_site import Body, Client, Site, open_site, text_body, texts

from timbot.sandbox import Settings
from timbot.sandbox.domain.notices import Notice
from timbot.testing import EPOCH, VirtualClock

NOW = int(EPOCH)
GROUP = "group_open_http_svc"


@pytest.fixture
async def site(clock: VirtualClock) -> AsyncIterator[Site]:
    async with open_site(clock, Settings(instances=2)) as site:
        yield site


def context(sender: str, **more: object) -> Body:
    return {
        "GroupId": "den",
        "GroupName": "Den",
        "From_Account": sender,
        "From_AccountNick": "",
        "From_AccountHeadurl": "",
        "MsgFrom_AccountExtraInfo": {"NameCard": ""},
        **more,
    }


async def only_tip(client: Client, event: int) -> Body:
    """The one thing told about a group, and nothing beside it."""
    item = await client.alone()
    assert set(item) == {"Event", "GroupTips"}
    assert item["Event"] == event
    (tip,) = item["GroupTips"]
    assert tip["GroupInfo"]["GroupId"] == "den"
    found: Body = tip
    return found


async def test_the_frame_around_an_item(site: Site) -> None:
    alice, bob, _ = await site.everybody()
    await alice.ok("openim.sendmsg", site.text("bob", "hi"))
    await alice.ok("openim.sendmsg", site.text("bob", "ho"))
    first, second = [json.loads(await bob.connection.receive()) for _ in range(2)]
    assert first["head"]["servcmd"] == "im_open_push.msg_push"
    assert (first["body"]["NeedAck"], first["body"]["Flag"]) == (1, 0)
    assert first["body"]["SessionData"] != second["body"]["SessionData"]
    assert len(first["body"]["EventArray"]) == 1


class TestC2C:
    async def test_a_message_and_the_copy_for_the_senders_other_login(self, site: Site) -> None:
        alice, desk, bob = await site.login("alice"), await site.login("alice"), await site.login("bob")
        await alice.ok("profile.portrait_set", {"ProfileItem": [{"Tag": "Tag_Profile_IM_Nick", "Value": "Alice"}]})
        await desk.heard()
        body = [
            {"MsgType": "TIMCustomElem", "MsgContent": {"Data": "d", "New": {"x": [1, None]}}},
            {"MsgType": "TIMNewElem", "MsgContent": 7},
        ]
        await alice.ok(
            "openim.sendmsg",
            {
                "To_Account": "bob",
                "MsgSeq": 5,
                "MsgRandom": 6,
                "MsgBody": body,
                "CloudCustomData": "c",
                "MsgClientTime": NOW - 2,
            },
        )
        message = {
            "From_Account": "alice",
            "To_Account": "bob",
            "MsgSeq": 5,
            "MsgRandom": 6,
            "MsgTimeStamp": NOW,
            "MsgBody": body,
            "From_AccountNick": "Alice",
            "From_AccountHeadurl": "",
            "CloudCustomData": "c",
            "MsgFlagBits": 0,
            "TinyId": alice.ticket["tinyid"],
            "MsgClientTime": NOW - 2,
        }
        assert await bob.alone() == {"Event": 9, "C2cMsgArray": [message]}
        copy = {**message, "From_Account": "bob", "To_Account": "alice", "IsSyncMsg": 1}
        assert await desk.alone() == {"Event": 9, "C2cMsgArray": [copy]}
        assert await alice.heard() == []

    async def test_an_online_only_message(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        await alice.ok("openim.sendmsg", site.text("bob", "now", MsgLifeTime=0))
        assert (await bob.alone())["C2cMsgArray"][0]["MsgLifeTime"] == 0

    async def test_a_recall(self, site: Site) -> None:
        alice, desk, bob = await site.login("alice"), await site.login("alice"), await site.login("bob")
        sent = site.text("bob", "oops")
        time = (await alice.ok("openim.sendmsg", sent))["MsgTime"]
        named = {"From_Account": "alice", "To_Account": "bob", "MsgSeq": sent["MsgSeq"], "MsgRandom": sent["MsgRandom"]}
        named["MsgTimeStamp"] = time
        await bob.heard()
        await desk.heard()
        await alice.ok("openim.msgwithdraw", {"MsgInfo": named})
        gone = {**named, "RevokerInfo": {"Revoker_Account": "alice"}}
        notice = {"WithdrawC2cMsgNotify": {"C2cWithdrawInfoArray": [gone]}}
        for client in (bob, desk):
            assert await client.alone() == {"Event": 10, "C2cNotifyMsgArray": [notice]}
        assert await alice.heard() == []

    async def test_reading(self, site: Site) -> None:
        alice, bob, desk = await site.login("alice"), await site.login("bob"), await site.login("bob")
        await alice.ok("openim.sendmsg", site.text("bob", "read me"))
        await desk.heard()
        item = {"To_Account": "alice", "LastedMsgTime": NOW, "Receipt": 1}
        await bob.ok("openim.msgreaded", {"C2CMsgReaded": {"Cookie": "", "C2CMsgReadedItem": [item]}})
        pair = {"PeerReadTime": NOW, "LastReadTime": NOW}
        notice: Body = {"C2cReadedReceipt": {"To_Account": "bob", "UinPairReadArray": [pair]}}
        assert await alice.alone() == {"Event": 10, "C2cNotifyMsgArray": [notice]}
        notice = {"ReadC2cMsgNotify": {"UinPairReadArray": [{"From_Account": "alice", "LastReadTime": NOW}]}}
        assert await desk.alone() == {"Event": 10, "C2cNotifyMsgArray": [notice]}


class TestGroupMessages:
    async def test_a_message(self, site: Site) -> None:
        alice, desk, bob = await site.login("alice"), await site.login("alice"), await site.login("bob")
        await site.group(alice, "bob")
        await bob.heard()
        await desk.heard()
        sent = {"GroupId": "den", "Random": 6, "ClientSeq": 5, "MsgBody": text_body("hi"), "MsgPriority": "High"}
        await alice.ok(f"{GROUP}.send_group_msg", sent)
        message = {
            "From_Account": "alice",
            "ToGroupId": "den",
            "MsgSeq": 1,
            "MsgRandom": 6,
            "MsgTimeStamp": NOW,
            "MsgBody": text_body("hi"),
            "GroupInfo": context("alice"),
            "ClientSeq": 5,
            "MsgPriority": 1,
            "CloudCustomData": "",
            "TinyId": alice.ticket["tinyid"],
            "MsgClientTime": NOW,
        }
        for client in (bob, desk):
            assert await client.alone() == {"Event": 3, "GroupMsgArray": [message]}
        assert await alice.heard() == []

    async def test_mentions(self, site: Site) -> None:
        alice, bob, carol = await site.everybody()
        await site.group(alice, "bob", "carol")
        await bob.heard()
        await carol.heard()
        at = [{"GroupAtAllFlag": 0, "GroupAt_Account": "bob"}, {"GroupAtAllFlag": 1}]
        await alice.ok(f"{GROUP}.send_group_msg", site.group_text("den", "hey", GroupAtInfo=at))
        message, mark = await bob.heard()
        flags = [{"GroupAtAllFlag": 1, "GroupAt_Account": "bob"}, {"GroupAtAllFlag": 2}]
        assert message["GroupMsgArray"][0]["GroupAtInfo"] == flags
        (tip,) = mark["GroupTips"]
        assert mark["Event"] == 12
        assert (tip["From_Account"], tip["To_Account"], tip["MsgTimeStamp"]) == ("alice", "bob", NOW)
        assert {"MsgRandom", "ClientSeq"} <= set(tip)
        assert tip["GroupAtTips"] == {"GroupId": "den", "From_Account": "alice", "GroupAtType": [1, 2], "MsgSeq": 1}
        assert (await carol.heard())[1]["GroupTips"][0]["GroupAtTips"]["GroupAtType"] == [2]

    async def test_an_online_only_message(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        await site.group(alice, "bob")
        await bob.heard()
        answer = await alice.ok(f"{GROUP}.send_group_msg", site.group_text("den", "now", OnlineOnlyFlag=1))
        (message,) = (await bob.alone())["GroupMsgArray"]
        assert (answer["MsgSeq"], message["MsgSeq"], message["OnlineOnlyFlag"]) == (0, 0, 1)

    async def test_a_recall(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        await site.group(alice, "bob")
        sent = site.group_text("den", "oops")
        await alice.ok(f"{GROUP}.send_group_msg", sent)
        await bob.heard()
        answer = await alice.ok(f"{GROUP}.group_msg_recall", {"GroupId": "den", "MsgSeqList": [{"MsgSeq": 1}, {"MsgSeq": 9}]})
        assert answer["RecallRetList"] == [{"MsgSeq": 1, "RetCode": 0}, {"MsgSeq": 9, "RetCode": 10030}]
        gone = {"MsgSeq": 1, "GroupId": "den", "From_Account": "alice", "MsgRandom": sent["Random"]}
        gone["RevokerInfo"] = {"Revoker_Account": "alice"}
        assert (await only_tip(bob, 5))["MsgBody"] == {"GroupWithdrawInfoArray": [gone]}
        assert await alice.heard() == []

    async def test_reading_on_another_login(self, site: Site) -> None:
        alice, bob, desk = await site.login("alice"), await site.login("bob"), await site.login("bob")
        await site.group(alice, "bob")
        await alice.ok(f"{GROUP}.send_group_msg", site.group_text("den", "hi"))
        await desk.heard()
        await bob.ok(f"{GROUP}.msg_read_report", {"GroupId": "den", "MsgReadedSeq": 1})
        tip = await only_tip(desk, 5)
        assert tip["MsgBody"] == {"GroupReadInfoArray": [{"GroupId": "den", "LastReadMsgSeq": 1}]}


class TestTips:
    @pytest.mark.parametrize(
        ("servcmd", "body", "said"),
        [
            ("modify_group_member_info", {"Member_Account": "bob", "Role": "Admin"}, {"OpType": 4, "List_Account": ["bob"]}),
            (
                "modify_group_member_info",
                {"Member_Account": "bob", "ShutUpTime": 60},
                {"OpType": 7, "List_Account": ["bob"], "MsgMemberInfo": [{"UserId": "bob", "ShutupTime": 60}]},
            ),
            ("modify_group_base_info", {"Name": "Lair"}, {"OpType": 6, "MsgGroupNewInfo": {"GroupName": "Lair"}}),
            ("modify_group_base_info", {"ShutUpAllMember": "On"}, {"OpType": 6, "MsgGroupNewInfo": {"ShutUpAllMember": "On"}}),
            ("change_group_owner", {"NewOwner_Account": "bob"}, {"OpType": 6, "MsgGroupNewInfo": {"Owner_Account": "bob"}}),
            ("delete_group_member", {"MemberToDel_Account": ["bob"]}, {"OpType": 3, "List_Account": ["bob"], "MemberNum": 2}),
        ],
    )
    async def test_a_tip(self, site: Site, servcmd: str, body: Body, said: Body) -> None:
        alice, _, carol = await site.everybody()
        await site.group(alice, "bob", "carol")
        await carol.heard()
        await alice.ok(f"{GROUP}.{servcmd}", {"GroupId": "den", **body})
        tip = await only_tip(carol, 4)
        shown = {"UserId": "alice", "NickName": "", "ImageUrl": ""}
        whole = {"Operator_Account": "alice", "MemberNum": 3, "MsgOperatorMemberExtraInfo": shown, **said}
        if said["OpType"] in (3, 4):  # in the others it would take the place of the operator
            whole["MsgMemberExtraInfo"] = [{"UserId": "bob", "NickName": "", "ImageUrl": ""}]
        assert tip["MsgBody"] == whole
        assert (tip["From_Account"], tip["MsgSeq"], tip["MsgTimeStamp"]) == ("alice", 1, NOW)
        assert len(await alice.heard()) == 1  # who caused it hears it too: it took a number

    async def test_leaving(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        await site.group(alice, "bob")
        await bob.ok(f"{GROUP}.quit_group", {"GroupId": "den"})
        body = (await only_tip(alice, 4))["MsgBody"]
        assert (body["OpType"], body["Operator_Account"]) == (2, "bob")
        assert "MsgMemberExtraInfo" not in body


class TestSystemNotices:
    async def test_an_application_and_its_refusal(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        await site.group(alice, ApplyJoinOption="NeedPermission")
        answer = await bob.ok(f"{GROUP}.apply_join_group", {"GroupId": "den", "ApplyMsg": "please"})
        assert answer["JoinedStatus"] == "WaitAdminApproval"
        notice = await only_tip(alice, 5)
        key = notice["MsgBody"]["MsgKey"]
        assert notice["MsgBody"] == {
            "ReportType": 1,
            "Operator_Account": "bob",
            "RemarkInfo": "please",
            "Authentication": key,
            "MsgKey": key,
        }
        assert (notice["From_Account"], notice["To_Account"], notice["ToGroupId"]) == ("@TIM#SYSTEM", "alice", "den")
        assert notice["GroupInfo"] == context("bob", To_Account="alice")
        assert notice["ClientSeq"] > 0
        assert notice["MsgRandom"] > 2
        verdict = {"GroupId": "den", "Applicant_Account": "bob", "HandleMsg": "Reject", "ApprovalMsg": "no", "MsgKey": key}
        await alice.ok(f"{GROUP}.handle_apply_join_group", verdict)
        assert (await only_tip(bob, 5))["MsgBody"] == {"ReportType": 3, "Operator_Account": "alice", "RemarkInfo": "no"}
        assert await alice.code(f"{GROUP}.handle_apply_join_group", verdict) == 10024

    async def test_others(self, site: Site) -> None:
        alice, desk, bob = await site.login("alice"), await site.login("alice"), await site.login("bob")
        await site.group(alice, "bob")
        assert (await only_tip(desk, 5))["MsgBody"]["ReportType"] == 6
        assert (await only_tip(bob, 5))["MsgBody"]["ReportType"] == 7
        site.sandbox.domain.groups.notify("alice", "den", "custom")
        site.sandbox.flush()
        body = (await only_tip(bob, 5))["MsgBody"]
        assert (body["ReportType"], body["UserDefinedField"]) == (255, "custom")
        await alice.ok(f"{GROUP}.destroy_group", {"GroupId": "den"})
        assert (await only_tip(bob, 5))["MsgBody"]["ReportType"] == 5


class TestPeople:
    async def news(self, client: Client) -> list[Body]:
        items = await client.heard()
        assert all(set(item) == {"Event", "FriendListMod"} and item["Event"] == 7 for item in items)
        assert all(len(item["FriendListMod"]) == 1 for item in items)
        return [item["FriendListMod"][0] for item in items]

    async def test_an_application_and_its_acceptance(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        asked = {"AddFriendItem": [{"To_Account": "bob", "AddSource": "AddSource_Type_Web", "AddWording": "hi"}]}
        answer = await alice.ok("sns.friend_add", asked)
        assert answer["ResultItem"][0]["ResultCode"] == 30539
        added = {
            "ProfileImNick": "",
            "ProfileImImage": "",
            "AddSource": "AddSource_Type_Web",
            "AddWording": "hi",
            "AddTime": NOW,
        }
        news = {"PushType": 3, "From_Account": "alice"}
        assert await self.news(bob) == [{**news, "PendencyAdd": [{"PendencyAdd_Account": "alice", **added}]}]
        assert await self.news(alice) == [{**news, "PendencyAdd": [{"PendencyAdd_Account": "bob", **added}]}]
        agreed = {"To_Account": "alice", "ResponseAction": "Response_Action_AgreeAndAdd"}
        await bob.ok("sns.friend_response", {"ResponseFriendItem": [agreed]})
        for client, me, other in ((alice, "alice", "bob"), (bob, "bob", "alice")):
            assert await self.news(client) == [
                {"PushType": 1, "From_Account": me, "FriendAdd_Account": [other]},
                {"PushType": 5, "From_Account": me, "FrienPencydDel_Account": [other]},
            ]
        again = await bob.ok("sns.friend_response", {"ResponseFriendItem": [agreed]})
        assert again["ResultItem"][0]["ResultCode"] == 30614

    async def test_reading_applications_and_losing_friends(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        site.sandbox.domain.friends.add("alice", "bob")
        site.sandbox.domain.friend_applications.accept("bob", "alice", add_back=True)
        await alice.ok("sns.pendency_report", {"LatestPendencyTimeStamp": NOW})
        assert (await self.news(alice))[-1] == {"PushType": 7, "From_Account": "alice", "ReportTime": NOW}
        await self.news(bob)
        await alice.ok("sns.friend_delete", {"To_Account": ["bob"], "DeleteType": "Delete_Type_Both"})
        assert await self.news(alice) == [{"PushType": 2, "From_Account": "alice", "FriendDel_Account": ["bob"]}]
        assert await self.news(bob) == [{"PushType": 2, "From_Account": "bob", "FriendDel_Account": ["alice"]}]

    async def test_the_blacklist(self, site: Site) -> None:
        alice, desk = await site.login("alice"), await site.login("alice")
        await alice.ok("sns.black_list_add", {"To_Account": ["bob"]})
        added = {"PushType": 8, "From_Account": "alice", "BlackListAdd_Account": ["bob"]}
        assert await self.news(alice) == await self.news(desk) == [added]
        await alice.ok("sns.black_list_delete", {"To_Account": ["bob"]})
        assert await self.news(desk) == [{"PushType": 9, "From_Account": "alice", "BlackListDel_Account": ["bob"]}]

    async def test_a_profile(self, site: Site) -> None:
        alice, desk = await site.login("alice"), await site.login("alice")
        items: list[dict[str, Any]] = [
            {"Tag": "Tag_Profile_IM_Gender", "Value": "Gender_Type_Male"},
            {"Tag": "Tag_Profile_IM_Level", "Value": 3},
            {"Tag": "Tag_Profile_Custom_x", "Value": "y"},
        ]
        await alice.ok("profile.portrait_set", {"ProfileItem": items})
        fields = [
            {"Tag": "Tag_Profile_IM_Gender", "ValueBytes": "Gender_Type_Male"},
            {"Tag": "Tag_Profile_IM_Level", "ValueNum": 3},
            {"Tag": "Tag_Profile_Custom_x", "ValueBytes": "y"},
        ]
        mod = {"Profile_Account": "alice", "ProfileList": fields}
        assert await desk.alone() == {"Event": 8, "ProfileDataMod": [mod]}

    async def test_conversations(self, site: Site) -> None:
        alice, desk = await site.login("alice"), await site.login("alice")
        await site.group(alice)
        await desk.heard()
        peer = {"Type": 1, "To_Account": "bob"}
        for operation, push_type in ((1, 2), (2, 3)):
            group = {"Type": 2, "GroupId": "den"}
            await alice.ok("recentcontact.top", {"OperationType": operation, "RecentContactItem": [peer, group]})
            first, second = [item["RecentContactMod"][0] for item in await desk.heard()]
            key = {"RecentContactList": [{"Type": 1, "Peer_Account": "bob"}]}
            assert first == {"PushType": push_type, "RecentContactTopItem": key}
            assert second["RecentContactTopItem"]["RecentContactList"] == [group]
        await alice.ok("recentcontact.delete", peer)
        mod = {"PushType": 1, "RecentContactDeleteItem": {"RecentContactList": [{"Type": 1, "Peer_Account": "bob"}]}}
        assert await desk.alone() == {"Event": 13, "RecentContactMod": [mod]}


async def test_every_notice_has_a_form(site: Site) -> None:
    told = {*site.sandbox._pushes._makers, *site.sandbox._pushes._spoken}
    assert {kind.__name__ for kind in Notice.__args__} - {kind.__name__ for kind in told} == {"KickedOut"}


async def test_a_group_message_is_written_once_for_all(site: Site) -> None:
    alice, bob, carol = await site.everybody()
    await site.group(alice, "bob", "carol")
    await bob.heard()
    await carol.heard()
    await alice.ok(f"{GROUP}.send_group_msg", site.group_text("den", "hi"))
    frames = [await client.connection.receive() for client in (bob, carol)]
    assert frames[0] == frames[1]
    assert texts(json.loads(frames[0])["body"]["EventArray"]) == ["hi"]
