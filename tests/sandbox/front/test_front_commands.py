"""Answers: pages, cookies, filters, and the codes of what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from front_site import Body, Client, Site, open_site, text_body, texts

from timbot.im.wire.commands import COMMANDS
from timbot.sandbox.front.unavailable import UNAVAILABLE
from timbot.testing import EPOCH, VirtualClock

NOW = int(EPOCH)
GROUP = "group_open_http_svc"


@pytest.fixture
async def site(clock: VirtualClock) -> AsyncIterator[Site]:
    async with open_site(clock) as site:
        yield site


def said(messages: list[Body]) -> list[str]:
    return [message["MsgBody"][0]["MsgContent"]["Text"] for message in messages if isinstance(message["MsgBody"], list)]


async def sync(client: Client, cookie: str = "") -> tuple[list[str], list[Body], str, int]:
    """A whole round of `getmsg`: texts, events, the last cookie, the number of pages."""
    found: list[str] = []
    events: list[Body] = []
    flag, pages = 0, 0
    while flag != 2:
        answer = await client.ok("openim.getmsg", {"Cookie": cookie, "SyncFlag": flag, "IsOnlineSync": 0})
        found += said(answer["MsgList"])
        events += answer.get("EventArray", [])
        cookie, flag, pages = answer["Cookie"], answer["SyncFlag"], pages + 1
        assert cookie
    return found, events, cookie, pages


async def test_every_command_is_known(site: Site) -> None:
    assert set(COMMANDS) <= set(site.sandbox._front._desk)


@pytest.mark.parametrize("command", UNAVAILABLE, ids=lambda command: str(command.name))
async def test_what_cannot_be_done_is_said(site: Site, command: object) -> None:
    alice = await site.login("alice")
    body = {
        "GroupId": "den",
        "Inviter_Account": "bob",
        "HandleMsg": "Agree",
        "MsgList": [],
        "JsonMsgKey": "x",
        "file_type": 1,
        "file_name": "x",
        "ContactItem": [],
    }
    assert await alice.code(command.name, body) == 10026  # type: ignore[attr-defined]


class TestSync:
    async def test_pages_and_the_cookie(self, site: Site) -> None:
        alice = await site.login("alice")
        for number in range(120):
            await alice.ok("openim.sendmsg", site.text("bob", f"n{number}"))
        bob = await site.login("bob")
        found, _, cookie, pages = await sync(bob)
        assert (found, pages) == ([f"n{number}" for number in range(120)], 3)
        await alice.ok("openim.sendmsg", site.text("bob", "new"))
        found, _, cookie, pages = await sync(bob, cookie)
        assert (found, pages) == (["new"], 1)
        assert (await sync(bob, cookie))[0] == []

    async def test_a_strange_cookie_means_from_the_start(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        await alice.ok("openim.sendmsg", site.text("bob", "hi"))
        _, _, foreign, _ = await sync(alice)
        for cookie in (foreign, "nonsense", "a.b.c", "x.bob.1"):
            found, _, _, _ = await sync(bob, cookie)
            assert found in (["hi"], [])

    async def test_older_unread_messages_are_counted(self, site: Site) -> None:
        alice = await site.login("alice")
        for number in range(260):
            await alice.ok("openim.sendmsg", site.text("bob", f"n{number}"))
        bob = await site.login("bob")
        answer = await bob.ok("openim.getmsg", {"Cookie": "", "SyncFlag": 0})
        assert answer["C2CRemainingUnreadCount"] == [{"From_Account": "alice", "Count": 10, "LastMsgTime": NOW}]

    async def test_applications_are_repeated_until_handled(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        await site.group(alice, ApplyJoinOption="NeedPermission")
        await bob.ok(f"{GROUP}.apply_join_group", {"GroupId": "den", "ApplyMsg": "please"})
        (pushed,) = await alice.heard()
        _, (repeated,), cookie, _ = await sync(alice)
        assert repeated == pushed
        assert (await sync(alice, cookie))[1] == [pushed]
        key = pushed["GroupTips"][0]["MsgBody"]["MsgKey"]
        verdict = {"GroupId": "den", "Applicant_Account": "bob", "HandleMsg": "Agree", "MsgKey": key}
        await alice.ok(f"{GROUP}.handle_apply_join_group", verdict)
        assert (await sync(alice, cookie))[1] == []
        pending = await alice.ok(f"{GROUP}.get_pendency", {"StartTime": 0, "Limit": 10})
        assert pending["NextStartTime"] == 0
        (handled,) = pending["PendencyList"]
        assert (handled["From_Account"], handled["GroupId"], handled["To_Account"], handled["Handled"]) == (
            "bob",
            "den",
            "alice",
            1,
        )

    async def test_a_deleted_notice_is_not_repeated(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        await site.group(alice, ApplyJoinOption="NeedPermission")
        await bob.ok(f"{GROUP}.apply_join_group", {"GroupId": "den"})
        (tip,) = (await alice.alone())["GroupTips"]
        named = {"From_Account": "@TIM#SYSTEM", "MsgSeq": tip["ClientSeq"], "MsgRandom": tip["MsgRandom"]}
        await alice.ok("openim.deletemsg", {"DelMsgList": [named, {"From_Account": "bob", "GroupId": "den"}]})
        assert (await sync(alice))[1] == []


class TestC2C:
    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"To_Account": ""}, 90003),
            ({"To_Account": 7}, 90003),
            ({"To_Account": "nobody"}, 20003),
            ({"MsgRandom": "7"}, 90005),
            ({"MsgRandom": None}, 90005),
            ({"MsgSeq": "7"}, 20001),
            ({"MsgTimeStamp": "7"}, 90006),
            ({"MsgLifeTime": "7"}, 90044),
            ({"MsgBody": []}, 90002),
            ({"MsgBody": "hi"}, 90007),
            ({"MsgBody": [7]}, 90010),
            ({"MsgBody": [{"MsgType": "TIMTextElem"}]}, 90010),
            ({"MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {}}]}, 90010),
            ({"MsgBody": text_body("x" * 13_000)}, 93000),
            ({"MsgBody": text_body("好" * 4_200)}, 93000),
        ],
    )
    async def test_a_bad_message_is_refused(self, site: Site, change: Body, code: int) -> None:
        alice, bob, _ = await site.everybody()
        assert await alice.code("openim.sendmsg", {**site.text("bob", "hi"), **change}) == code
        assert await bob.heard() == []

    @pytest.mark.parametrize("missing", ["To_Account", "MsgRandom", "MsgSeq", "MsgBody"])
    async def test_a_missing_field_is_named(self, site: Site, missing: str) -> None:
        alice = await site.login("alice")
        body = site.text("bob", "hi")
        del body[missing]
        answer = await alice.ask("openim.sendmsg", body)
        assert answer["ErrorCode"] == {"To_Account": 90003, "MsgRandom": 90005, "MsgSeq": 20001, "MsgBody": 90002}[missing]
        assert missing in answer["ErrorInfo"]

    async def test_a_repeated_send_is_one_message(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        body = site.text("bob", "once")
        assert await alice.ok("openim.sendmsg", body) == await alice.ok("openim.sendmsg", body)
        assert texts(await bob.heard()) == ["once"]

    async def test_history_pages(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        for number in range(50):
            await (alice if number % 2 else bob).ok("openim.sendmsg", site.text("bob" if number % 2 else "alice", f"n{number}"))
        found: list[str] = []
        complete: list[int] = []
        asked: Body = {"Peer_Account": "bob", "MaxCnt": 20, "WithRecalledMsg": 1, "LastMsgTime": 0, "MsgKey": ""}
        for _ in range(3):
            answer = await alice.ok("openim.getroammsg", asked)
            found = said(answer["MsgList"]) + found
            complete.append(answer["Complete"])
            asked |= {"LastMsgTime": answer["LastMsgTime"], "MsgKey": answer["MsgKey"]}
        assert found == [f"n{number}" for number in range(50)]
        assert complete == [0, 0, 1]
        assert await alice.code("openim.getroammsg", {**asked, "MsgKey": "nonsense"}) == 20001

    async def test_recalled_messages_are_shown_to_those_who_ask_for_them(self, site: Site) -> None:
        alice, _, _ = await site.everybody()
        body = site.text("bob", "oops")
        time = (await alice.ok("openim.sendmsg", body))["MsgTime"]
        named = {"From_Account": "alice", "To_Account": "bob", "MsgSeq": body["MsgSeq"], "MsgRandom": body["MsgRandom"]}
        await alice.ok("openim.msgwithdraw", {"MsgInfo": {**named, "MsgTimeStamp": time}})
        assert await alice.code("openim.msgwithdraw", {"MsgInfo": {**named, "MsgTimeStamp": time}}) == 20023
        asked = {"Peer_Account": "bob", "MaxCnt": 20, "LastMsgTime": 0}
        (message,) = (await alice.ok("openim.getroammsg", {**asked, "WithRecalledMsg": 1}))["MsgList"]
        assert message["MsgFlagBits"] == 8
        assert (await alice.ok("openim.getroammsg", asked))["MsgList"] == []

    async def test_deleting(self, site: Site) -> None:
        alice, _, _ = await site.everybody()
        answer = await alice.ok("openim.sendmsg", site.text("bob", "secret"))
        await alice.ok("openim.delete_c2c_msg_ramble", {"To_Account": "bob", "MsgKeyList": [answer["MsgKey"]]})
        history = await alice.ok("openim.getroammsg", {"Peer_Account": "bob", "MaxCnt": 20, "LastMsgTime": 0})
        assert history["MsgList"] == []
        assert await alice.code("openim.delete_c2c_msg_ramble", {"To_Account": "bob", "MsgKeyList": ["x"]}) == 20001

    async def test_how_far_peers_have_read(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        await alice.ok("openim.sendmsg", site.text("bob", "hi"))
        item = {"To_Account": "alice", "LastedMsgTime": NOW}
        await bob.ok("openim.msgreaded", {"C2CMsgReaded": {"C2CMsgReadedItem": [item]}})
        answer = await alice.ok("openim.get_peer_read_time", {"To_Account": ["carol", "bob"]})
        assert answer["ReadTime"] == [0, NOW]


class TestContacts:
    async def test_pages(self, site: Site) -> None:
        alice = await site.login("alice")
        for number in range(70):
            await site.login(f"user{number}")
            await alice.ok("openim.sendmsg", site.text(f"user{number}", "hi"))
        first = await alice.ok("recentcontact.page_get", {"StartIndex": 0})
        rest = await alice.ok("recentcontact.page_get", {"StartIndex": first["StartIndex"]})
        assert (len(first["SessionItem"]), first["CompleteFlag"]) == (50, 0)
        assert (len(rest["SessionItem"]), rest["CompleteFlag"]) == (20, 1)
        assert len((await alice.ok("recentcontact.get", {"Count": 0}))["SessionItem"]) == 70

    async def test_an_entry_of_each_kind(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        await alice.ok("openim.sendmsg", site.text("bob", "hi"))
        await site.group(alice, "bob")
        await alice.ok(f"{GROUP}.send_group_msg", site.group_text("den", "hello"))
        group, peer = (await bob.ok("recentcontact.page_get"))["SessionItem"]
        assert (group["Type"], group["ToAccount"], group["GroupNick"]) == (2, "den", "Den")
        assert (group["MsgGroupReadedSeq"], group["UnreadMsgCount"], group["MsgGroupFrom_Account"]) == (0, 1, "alice")
        assert group["LastMsg"] == {"MsgBody": text_body("hello"), "CloudCustomData": ""}
        assert (peer["Type"], peer["To_Account"], peer["LastC2CMsgFrom_Account"]) == (1, "alice", "alice")
        assert peer["LastMsg"] == {"MsgBody": text_body("hi"), "CloudCustomData": ""}
        assert (peer["TopFlags"], peer["MsgTimeStamp"]) == (0, NOW)

    async def test_a_pinned_one_without_messages_has_a_last_message_all_the_same(self, site: Site) -> None:
        alice = await site.login("alice")
        await alice.ok("recentcontact.top", {"OperationType": 1, "RecentContactItem": [{"Type": 1, "To_Account": "bob"}]})
        (item,) = (await alice.ok("recentcontact.page_get"))["SessionItem"]
        assert (item["LastMsg"], item["TopFlags"]) == ({"MsgBody": []}, 1)
        assert await alice.code("recentcontact.top", {"OperationType": 3, "RecentContactItem": []}) == 50002
        assert await alice.code("recentcontact.delete", {"Type": 3}) == 50002


class TestGroups:
    async def test_only_the_fields_asked_for(self, site: Site) -> None:
        alice = await site.login("alice")
        await site.group(alice, FaceUrl="FaceUrl", Introduction="in")
        wanted = {"ResponseFilter": {"GroupBaseInfoFilter": ["Name", "NextMsgSeq", "FaceUrl"]}}
        (group,) = (await alice.ok(f"{GROUP}.get_joined_group_list", {"Limit": 50, "Offset": 0, **wanted}))["GroupIdList"]
        always = {"GroupId", "ErrorCode", "ErrorInfo", "Type", "SelfInfo", "AppDefinedData"}
        assert set(group) == always | {"Name", "NextMsgSeq", "FaceUrl"}
        assert (group["FaceUrl"], group["NextMsgSeq"], group["SelfInfo"]["Role"]) == ("", 1, "Owner")
        (group,) = (await alice.ok(f"{GROUP}.get_group_info", {"GroupIdList": ["den"]}))["GroupInfo"]
        assert (group["Introduction"], group["ApplyJoinOption"], group["ShutUpAllMember"]) == ("in", "NeedPermission", "Off")

    async def test_each_group_fails_for_itself(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        await site.group(alice, kind="Private")
        infos = (await bob.ok(f"{GROUP}.get_group_info", {"GroupIdList": ["den", "nowhere"]}))["GroupInfo"]
        assert [(info["GroupId"], info["ErrorCode"]) for info in infos] == [("den", 10007), ("nowhere", 10010)]

    @pytest.mark.parametrize(
        ("servcmd", "body", "code"),
        [
            ("create_group", {"Type": "Club", "Name": "x"}, 10004),
            ("create_group", {"Type": "Public", "Name": "x", "GroupId": "den"}, 10025),
            ("create_group", {"Type": "Public", "Name": "x", "ApplyJoinOption": "Maybe"}, 10004),
            ("modify_group_base_info", {"GroupId": "den", "ShutUpAllMember": "Maybe"}, 10004),
            ("send_group_msg", {"GroupId": "den", "MsgBody": text_body("x")}, 10004),
            ("send_group_msg", {"GroupId": "den", "Random": 1, "MsgBody": []}, 90002),
            ("send_group_msg", {"GroupId": "den", "Random": 1, "MsgBody": text_body("x"), "MsgPriority": "Top"}, 10004),
            ("send_group_msg", {"GroupId": "den", "Random": 1, "MsgBody": text_body("x" * 13_000)}, 80002),
            ("delete_group_ramble_msg_by_seq", {"GroupId": "den", "Seqs": ["x"]}, 10004),
            ("handle_apply_join_group", {"GroupId": "den", "Applicant_Account": "bob", "HandleMsg": "Maybe"}, 10004),
            ("modify_group_member_info", {"GroupId": "den", "Member_Account": "alice", "Role": "King"}, 10004),
            ("modify_group_member_info", {"GroupId": "den", "Member_Account": "bob", "MsgFlag": "Discard"}, 10007),
            ("quit_group", {"GroupId": "nowhere"}, 10010),
            ("quit_group", {}, 10004),
        ],
    )
    async def test_a_bad_request_is_refused(self, site: Site, servcmd: str, body: Body, code: int) -> None:
        alice = await site.login("alice")
        await site.group(alice)
        assert await alice.code(f"{GROUP}.{servcmd}", body) == code

    async def test_history(self, site: Site) -> None:
        alice, bob, _ = await site.everybody()
        await site.group(alice, "bob")
        for number in range(1, 31):
            await alice.ok(f"{GROUP}.send_group_msg", site.group_text("den", f"n{number}"))
        await bob.ok(f"{GROUP}.delete_group_ramble_msg_by_seq", {"GroupId": "den", "Seqs": ["30"]})
        page = await bob.ok(f"{GROUP}.group_msg_get", {"GroupId": "den", "ReqMsgNumber": 21, "WithRecalledMsg": 1})
        assert [message["MsgSeq"] for message in page["RspMsgList"]] == list(range(30, 9, -1))
        assert [message["IsPlaceMsg"] for message in page["RspMsgList"][:2]] == [1, 0]
        assert (page["IsFinished"], page["NextReqMsgSeq"]) == (0, 9)
        rest = await bob.ok(f"{GROUP}.group_msg_get", {"GroupId": "den", "ReqMsgNumber": 21, "ReqMsgSeq": 9})
        assert (said(rest["RspMsgList"]), rest["IsFinished"]) == ([f"n{number}" for number in range(9, 0, -1)], 1)
        assert {message["Event"] for message in rest["RspMsgList"]} == {3}
        assert rest["NextReqMsgSeq"] == 0

    async def test_frequency_control_drops_with_success(self, site: Site) -> None:
        alice = await site.login("alice")
        await site.group(alice)
        answers = [await alice.ok(f"{GROUP}.send_group_msg", site.group_text("den", "x")) for _ in range(41)]
        assert answers[39]["MsgSeq"] == 40
        assert "MsgSeq" not in answers[40]
        assert answers[40]["MsgDropReason"] == "MsgFreqCtrl"


class TestPeople:
    async def test_profiles(self, site: Site) -> None:
        alice = await site.login("alice")
        asked = {"UserItem": [{"To_Account": "bob"}, {"To_Account": "nobody"}]}
        bob, nobody = (await alice.ok("profile.portrait_get_all", asked))["UserProfileItem"]
        assert bob["To_Account"] == "bob"
        assert {"Tag": "Tag_Profile_IM_AllowType", "Value": "AllowType_Type_NeedConfirm"} in bob["ProfileItem"]
        assert (nobody["To_Account"], nobody["ResultCode"]) == ("@TLS#NOT_FOUND", 40003)
        for item in ({"Tag": "Tag_Profile_IM_Gender", "Value": "x"}, {"Tag": "Tag_Nothing", "Value": "x"}, {"Tag": "x"}):
            assert await alice.code("profile.portrait_set", {"ProfileItem": [item]}) in (40001, 40605, 40610)

    async def test_friends_in_pages(self, site: Site) -> None:
        alice = await site.login("alice")
        for number in range(130):
            site.sandbox.domain.accounts.ensure(f"user{number}")
            site.sandbox.domain.friends.add(f"user{number}", "alice")
            site.sandbox.domain.friend_applications.accept("alice", f"user{number}", add_back=True)
        site.sandbox.domain.take_deliveries()
        first = await alice.ok("sns.friend_get", {"StartIndex": 0})
        rest = await alice.ok("sns.friend_get", {"StartIndex": first["NextStartIndex"]})
        assert (len(first["UserDataItem"]), first["CompleteFlag"]) == (100, 0)
        assert (len(rest["UserDataItem"]), rest["CompleteFlag"], rest["FriendNum"]) == (30, 1, 130)

    async def test_friend_groups(self, site: Site) -> None:
        alice = await site.login("alice")
        answer = await alice.ok("sns.group_add", {"GroupName": ["pals"], "To_Account": ["bob"]})
        assert answer["ResultItem"][0]["ResultCode"] == 32216
        await alice.ok("sns.group_update", {"GroupOldName": "pals", "GroupNewName": "chums"})
        listed = await alice.ok("sns.group_get", {"LastSequence": 0})
        assert listed["ResultItem"] == [{"GroupName": "chums", "FriendNumber": 0, "To_Account": []}]
        await alice.ok("sns.group_delete", {"GroupName": ["chums"]})
        assert await alice.code("sns.group_delete", {"GroupName": ["chums"]}) == 30001

    async def test_the_blacklist_in_pages(self, site: Site) -> None:
        alice = await site.login("alice")
        await alice.ok("sns.black_list_add", {"To_Account": ["bob", "carol", "nobody"]})
        first = await alice.ok("sns.black_list_get", {"StartIndex": 0, "MaxLimited": 1})
        assert first["BlackListItem"] == [{"To_Account": "bob", "AddBlackTimeStamp": NOW}]
        rest = await alice.ok("sns.black_list_get", {"StartIndex": first["StartIndex"], "MaxLimited": 1})
        assert ([item["To_Account"] for item in rest["BlackListItem"]], rest["StartIndex"]) == (["carol"], 0)


async def test_what_newer_clients_ask_at_login(site: Site) -> None:
    alice = await site.login("alice")
    answer = await alice.ok("im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2")
    assert (answer["int32_error_code"], answer["str_purchase_bits"], answer["uint32_expired_time"]) == (0, "0", 3600)
    answer = await alice.ok("im_sdk_config_mgr.fetch_config", {"uint32_sdkappid": 1400000000, "uint64_version": 0})
    assert (answer["int32_error_code"], answer["str_json_config"]) == (0, "{}")
