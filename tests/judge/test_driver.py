"""The harness itself: the SDK logs in, speaks, hears, loses its network and is refused, before timbot comes into it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator

import pytest

from .scripted import Scripted
from .sdk import V2_14, V2_27, DriverError, Generation, Sdk, SdkError, Seat, chosen_file, frames, live

pytestmark = pytest.mark.judge

STARTUP = {
    V2_14: [
        "profile.portrait_get_all",
        "sns.black_list_get",
        "recentcontact.page_get",
        "group_open_http_svc.get_joined_group_list",
        "openim.authkey",
        "openim.getmsg",
        "sns.friend_get",
        "sns.group_get",
        "sns.pendency_get",
        "im_sdk_config_mgr.fetch_config",
    ],
    V2_27: [
        "profile.portrait_get_all",
        "sns.black_list_get",
        "recentcontact.page_get",
        "openim.authkey",
        "openim.getmsg",
        "sns.friend_get",
        "sns.group_get",
        "sns.pendency_get",
        "im_sdk_config_mgr.fetch_config",
        "recentcontact.get_contact_group",
        "openim.get_c2c_peer_mute_notifications",
        "group_open_http_svc.get_joined_group_list",  # last: the first page of the conversation list says with which to begin
    ],
}
"""What each asks for after its login, in order."""

NOT_READY = {V2_14: 2999, V2_27: 3001}
"""The code of a call before SDK_READY; the newer SDK has another one."""


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with Scripted.start() as scripted:
        yield scripted


@pytest.fixture
async def sdk(generation: Generation) -> AsyncIterator[Sdk]:
    async with Sdk.start(generation) as started:
        yield started


async def enter(sdk: Sdk, server: Scripted, name: str) -> Seat:
    seat = await sdk.seat(name, port=server.port)
    await seat.login(f"sig-{name}")
    await seat.ready()
    return seat


def c2c(sender: str, to: str, text: str, sequence: int) -> dict[str, object]:
    message = {
        "From_Account": sender,
        "To_Account": to,
        "MsgSeq": sequence,
        "MsgRandom": 4000 + sequence,
        "MsgTimeStamp": int(time.time()),
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
        "From_AccountNick": sender.title(),
        "TinyId": "144999",
        "MsgClientTime": 1700000000,
    }
    return {"Event": 9, "C2cMsgArray": [message]}


def kick(kind: int) -> dict[str, object]:
    return {"Event": 10, "C2cNotifyMsgArray": [{"KickoutMsgNotify": {"KickType": kind, "NewInstInfo": {}}}]}


async def test_two_seats_in_one_process_log_in(server: Scripted, sdk: Sdk) -> None:
    alice, bob = await enter(sdk, server, "alice"), await enter(sdk, server, "bob")
    assert alice.version == bob.version == sdk.generation.version
    assert {frame["head"]["usersig"] for frame in server.seen("im_open_status.wslogin")} == {"sig-alice", "sig-bob"}
    instances = {path.split("instanceid=")[1].split("&")[0] for path in server.paths}
    assert len(instances) == 2
    path = {V2_14: "/info", V2_27: "/binfo"}[sdk.generation]  # text frames, binary ones
    assert all(path_and_query.startswith(f"{path}?sdkappid=1400000000&") for path_and_query in server.paths)
    assert (alice.warnings, bob.warnings) == ([], [])


async def test_the_first_frames_come_in_the_recorded_order(server: Scripted, sdk: Sdk) -> None:
    alice = await sdk.seat("alice", port=server.port)
    await alice.login("sig-alice")
    await alice.ready()
    startup = STARTUP[sdk.generation]
    await server.frame(startup[-1])
    sent = [frame["head"]["servcmd"] for frame in frames(await alice.wire(), "out")]
    assert set(sent[:2]) == {"im_open_status.wslogin", "heartbeat.alive"}
    assert sent[2 : 2 + len(startup)] == startup
    assert frames(await alice.wire(), "out", "wslogin") == []


async def test_the_main_build_knows_nothing_of_friends(server: Scripted) -> None:
    async with Sdk.start(module="tim-js-sdk") as sdk:
        await enter(sdk, server, "alice")
        await server.frame(STARTUP[V2_14][-1])
    assert not [frame for frame in server.frames if frame["head"]["servcmd"].startswith("sns.friend")]


async def test_a_text_goes_out_as_sendmsg(server: Scripted, sdk: Sdk) -> None:
    alice = await enter(sdk, server, "alice")
    sent = await alice.send_text("bob", "hello bob")
    frame = await server.frame("openim.sendmsg")
    body = frame["body"]
    assert body["MsgBody"] == [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hello bob"}}]
    assert (body["From_Account"], body["To_Account"], body["CloudCustomData"]) == ("alice", "bob", "")
    assert frame["head"]["a2"] == "a2-alice"
    assert frame["head"]["tjgID"] == f"144115-{body['MsgRandom']}"
    if sdk.generation is V2_14:
        assert sent["ID"] == f"C2Cbob-{body['MsgSeq']}-{body['MsgRandom']}-1"
    else:  # the same for both sides: the sender's numeric ID and clock
        assert sent["ID"] == f"144115-{body['MsgClientTime']}-{body['MsgRandom']}"
    assert (sent["flow"], sent["status"], sent["payload"]) == ("out", "success", {"text": "hello bob"})


async def test_options_reach_the_sdk(server: Scripted, sdk: Sdk) -> None:
    alice = await enter(sdk, server, "alice")
    await alice.send_custom("bob", "dice", "6", options={"cloudCustomData": "{}"}, send_options={"onlineUserOnly": True})
    body = (await server.frame("openim.sendmsg"))["body"]
    assert body["MsgBody"][0]["MsgContent"] == {"Data": "dice", "Desc": "6", "Ext": ""}
    assert (body["CloudCustomData"], body["MsgLifeTime"]) == ("{}", 0)
    await alice.send_face("bob", 3, "tt03")
    assert (await server.frame("openim.sendmsg", 1))["body"]["MsgBody"][0]["MsgType"] == "TIMFaceElem"


async def test_a_pushed_message_is_raised_and_acknowledged(server: Scripted, sdk: Sdk) -> None:
    alice, bob = await enter(sdk, server, "alice"), await enter(sdk, server, "bob")
    await server.push("alice", c2c("carol", "alice", "first", 1))
    await server.push("alice", c2c("carol", "alice", "second", 2))
    second = await alice.expect_message(text="second")
    assert (second["from"], second["nick"], second["conversationID"]) == ("carol", "Carol", "C2Ccarol")
    assert second["ID"] == ("C2Ccarol-2-4002-0" if sdk.generation is V2_14 else "144999-1700000000-4002")
    event = await alice.expect("onMessageReceived", where=lambda data: data[0]["payload"]["text"] == "first")
    assert event.data[0]["sequence"] == 1
    assert [message["payload"]["text"] for message in alice.messages()] == ["first", "second"]
    assert (await server.frame("openim.ws_msg_push_ack", 1))["body"] == {"SessionData": "session-2"}
    assert bob.messages() == []


async def test_a_message_can_be_named_in_a_later_call(server: Scripted, sdk: Sdk) -> None:
    alice = await enter(sdk, server, "alice")
    server.answers["openim.msgwithdraw"] = lambda frame: {}
    sent = await alice.send_text("bob", "oops")
    revoked = await alice.call("revokeMessage", live(sent))
    assert revoked["message"]["isRevoked"]
    assert (await server.frame("openim.msgwithdraw"))["body"]["MsgInfo"]["MsgSeq"] == sent["sequence"]
    with pytest.raises(SdkError, match="no message nowhere"):
        await alice.call("revokeMessage", live("nowhere"))


async def test_a_cut_leads_to_a_reconnect_with_the_ticket(server: Scripted, sdk: Sdk) -> None:
    alice = await enter(sdk, server, "alice")
    assert await alice.cut() == 1
    await alice.expect("netStateChange", where=lambda data: data["state"] == "connecting")
    await alice.expect("netStateChange", where=lambda data: data["state"] == "connected")
    again = await server.frame("im_open_status.wslogin", 1)
    assert again["head"]["a2"] == "a2-alice"
    assert "usersig" not in again["head"]
    await server.frame("openim.getmsg", 1)
    await server.push("alice", c2c("carol", "alice", "still there?", 1))
    await alice.expect_message(text="still there?")


async def test_a_refused_network_can_be_mended(server: Scripted, sdk: Sdk) -> None:
    alice = await enter(sdk, server, "alice")
    await alice.cut(refuse=True)
    await alice.expect("netStateChange", where=lambda data: data["state"] == "connecting")
    await alice.mend()
    await alice.send_text("bob", "through at last")  # a request is what makes this SDK try again
    await alice.expect("netStateChange", where=lambda data: data["state"] == "connected")
    assert (await server.frame("im_open_status.wslogin", 1))["head"]["a2"] == "a2-alice"


async def test_no_network_at_all_comes_to_an_end(server: Scripted, sdk: Sdk) -> None:
    alice = await enter(sdk, server, "alice")
    await alice.offline()
    await alice.offline(False)
    await alice.send_text("bob", "back")
    assert (await server.frame("openim.sendmsg"))["head"]["a2"] == "a2-alice"


async def test_a_young_socket_that_breaks_is_not_retried(server: Scripted, sdk: Sdk) -> None:
    alice = await enter(sdk, server, "alice")
    await alice.cut(at_once=True)
    await alice.expect("netStateChange", where=lambda data: data["state"] == "disconnected")
    assert len(server.paths) == 1


async def test_a_kick_is_raised(server: Scripted, sdk: Sdk) -> None:
    alice = await enter(sdk, server, "alice")
    await server.push("alice", kick(1), servcmd="im_open_status.stat_forceoffline")
    kicked = await alice.expect("kickedOut")
    assert kicked.data == {"type": "multipleAccount"}
    await alice.expect("sdkStateNotReady")
    assert not alice.is_ready
    assert (await server.frame("im_open_status.wslogout"))["body"] == {"wslogout_type": 1}


async def test_error_codes_surface(server: Scripted, sdk: Sdk) -> None:
    server.refuse("im_open_status.wslogin", 70003)
    alice = await sdk.seat("alice", port=server.port)
    with pytest.raises(SdkError) as refused:
        await alice.login("forged")
    assert refused.value.code == 70003
    with pytest.raises(SdkError) as not_ready:
        await alice.call("getConversationList")
    assert not_ready.value.code == NOT_READY[sdk.generation]
    with pytest.raises(SdkError, match="no method 'fly'"):
        await alice.call("fly")


async def test_an_image_is_sent_without_a_cloud(server: Scripted, sdk: Sdk) -> None:
    alice = await enter(sdk, server, "alice")
    signed = {"url": "https://cos.invalid/up?sign=1", "downloadUrl": "https://cos.invalid/cat.png", "requestId": "1"}
    server.answers["im_cos_msg.pre_sig"] = lambda frame: signed
    await alice.send("Image", "bob", {"file": chosen_file("cat.png", "image/png", 2048)})
    images = (await server.frame("openim.sendmsg"))["body"]["MsgBody"][0]["MsgContent"]["ImageInfoArray"]
    assert images[0]["URL"] == "https://cos.invalid/cat.png"
    assert (images[0]["Size"], images[0]["Width"], images[0]["Height"]) == (2048, 640, 480)


async def test_what_the_sdk_throws_is_reported_and_survived(server: Scripted, sdk: Sdk) -> None:
    alice = await enter(sdk, server, "alice")
    await server.push("alice", {"Event": 3, "GroupMsgArray": [{"From_Account": "bob"}]})  # lacks GroupInfo
    warning = await alice.expect("driverWarning")
    assert "groupProfile" in warning.data["message"] or "undefined" in warning.data["message"]
    await server.push("alice", c2c("carol", "alice", "and on", 1))
    await alice.expect_message(text="and on")


async def test_a_rejection_nobody_waits_for_is_reported_under_its_seat(server: Scripted, sdk: Sdk) -> None:
    alice = await enter(sdk, server, "alice")
    server.refuse("sns.black_list_get", 30001)  # the SDK asks at login and does not look at the outcome
    bob = await enter(sdk, server, "bob")
    warning = await bob.expect("driverWarning")
    assert (warning.data["kind"], warning.data["code"]) == ("unhandledRejection", 30001)
    assert alice.warnings == []


@pytest.mark.parametrize(
    ("generation", "reachable", "state"),
    [(V2_14, True, "connecting"), (V2_14, False, "disconnected"), (V2_27, False, "connecting")],
    ids=str,
)
async def test_the_probe_decides(server: Scripted, sdk: Sdk, reachable: bool, state: str) -> None:
    """2.14.0 asks by HTTP whether there is an internet; the newer SDK believes the browser."""
    answers = iter([{"ErrorCode": 500, "ErrorInfo": "unwell"}])
    server.answers["heartbeat.alive"] = lambda frame: next(answers, {})
    alice = await sdk.seat("alice", port=server.port, reachable=reachable)
    await alice.expect("netStateChange", where=lambda data: data["state"] == state)


async def test_the_sdks_log_is_shown_with_the_failure(server: Scripted) -> None:
    with pytest.raises(SdkError) as refused:
        async with Sdk.start(log="warn") as sdk:
            await (await sdk.seat("alice", port=server.port)).call("getConversationList")
    assert "[alice] warn: TIM" in refused.value.__notes__[0]


async def test_a_failed_expectation_shows_what_came_instead(server: Scripted, sdk: Sdk) -> None:
    alice = await enter(sdk, server, "alice")
    await server.push("alice", c2c("carol", "alice", "something else", 1))
    await alice.expect("onMessageReceived")
    await server.push("alice", c2c("carol", "alice", "again", 2))
    await alice.expect_message(text="again")
    with pytest.raises(AssertionError, match=r"kickedOut did not come(.|\n)*again(.|\n)*in +#1"):
        await alice.expect("kickedOut", timeout=0)


async def test_twenty_seats(server: Scripted, sdk: Sdk) -> None:
    seats = await asyncio.gather(*(enter(sdk, server, f"user{number}") for number in range(20)))
    for number, seat in enumerate(seats):
        await server.push(seat.user_id, c2c("carol", seat.user_id, f"for {number}", 1))
    for number, seat in enumerate(seats):
        await seat.expect_message(text=f"for {number}")


async def test_a_seat_can_be_left_and_taken_again(server: Scripted, sdk: Sdk) -> None:
    alice = await enter(sdk, server, "alice")
    await alice.destroy()
    assert (await server.frame("im_open_status.wslogout"))["body"] == {"wslogout_type": 0}
    again = await enter(sdk, server, "alice")
    await again.drop()
    with pytest.raises(SdkError, match="no seat"):
        await again.call("getMyProfile")


async def test_a_dead_driver_says_so() -> None:
    async with Sdk.start(node=sys.executable) as sdk:  # Python cannot run it
        with pytest.raises(DriverError, match="SyntaxError"):
            await sdk.seat("alice", port=1)
