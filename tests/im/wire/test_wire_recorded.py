"""What the official SDK and a server said to each other, read and written again without a loss."""

from __future__ import annotations

import json

import pytest
from wire_opening import CLIENT, Recorded, layers, recorded

from timbot.errors import FrameError
from timbot.im.wire.commands import COMMANDS
from timbot.im.wire.envelope import FORCE_OFFLINE, PUSH, PUSH_CONFIG, decode_request
from timbot.im.wire.heads import request_head
from timbot.im.wire.value import UNSET, encode, given

SHORTENED = {
    ("2.14.0", "c2c roam first page", "server>client", "openim.getroammsg"),
    ("2.14.0", "updateMyProfile", "client>server", "profile.portrait_set"),
    ("2.14.0", "acceptFriendApplication", "server>client", "sns.friend_get_list"),
    ("2.14.0", "group roam", "server>client", "group_open_http_svc.group_msg_get"),
    ("2.14.0", "group roam next", "server>client", "group_open_http_svc.group_msg_get"),
    ("2.14.0", "y gap fill2", "server>client", "group_open_http_svc.group_msg_get"),
}
"""Frames whose recording holds the remark "(20 items in all)" where an object belongs."""

UNNAMED = {
    "2.14.0": {
        "base.Empty": {"$.Event", "$.Header", "$.Quality"},  # statistics: nobody reads them
        "groups.PollAnswer": {"$.HoldTime"},
        "longmsg.UploadAnswer": {"$.ci_url", "$.head_url"},
    },
    "2.27.6": {
        "c2c.SendRequest": {"$.IsNeedReadReceipt", "$.SendMsgControl", "$.SupportMessageExtension"},
        "status.LoginRequest": {"$.InstType", "$.is_web_uniapp"},
    },
    "chat 3.6.6": {
        "Request": {"$.head.cappid", "$.head.cs", "$.head.sdkability_ext"},
        "c2c.SendRequest": {
            "$.IsNeedReadReceipt",
            "$.IsRelayMsg",
            "$.SendMsgControl",
            "$.SupportMessageExtension",
            "$.OfflinePushInfo.AndroidInfo.GoogleChannelID",
            "$.OfflinePushInfo.AndroidInfo.GoogleImage",
            "$.OfflinePushInfo.AndroidInfo.HonorImage",
            "$.OfflinePushInfo.AndroidInfo.HonorImportance",
            "$.OfflinePushInfo.AndroidInfo.HuaWeiCategory",
            "$.OfflinePushInfo.AndroidInfo.HuaWeiImage",
            "$.OfflinePushInfo.AndroidInfo.OPPOCategory",
            "$.OfflinePushInfo.AndroidInfo.Sound",
            "$.OfflinePushInfo.AndroidInfo.VIVOCategory",
            "$.OfflinePushInfo.AndroidInfo.VIVOClassification",
            "$.OfflinePushInfo.AndroidInfo.XiaoMiChannelID",
            "$.OfflinePushInfo.ApnsInfo.ContentAvailable",
            "$.OfflinePushInfo.ApnsInfo.Image",
            "$.OfflinePushInfo.ApnsInfo.InterruptionLevel",
            "$.OfflinePushInfo.ApnsInfo.Sound",
        },
        "status.LoginRequest": {"$.CustomInfo", "$.InstType", "$.is_web_uniapp"},
    },
}
"""The fields no type names. A misspelt name in a type shows up here, since its true spelling is then unnamed."""

DEEP = {
    "C2CMessage",
    "C2CNotice",
    "ContactMod",
    "FriendMod",
    "GroupMessage",
    "Mention",
    "Notice",
    "NoticeBody",
    "ProfileMod",
    "PushItem",
    "TIMCustomElem",
    "TIMFaceElem",
    "TIMFileElem",
    "TIMImageElem",
    "TIMLocationElem",
    "TIMRelayElem",
    "TIMSoundElem",
    "TIMTextElem",
    "TIMVideoFileElem",
    "Tip",
    "TipBody",
    "contacts.PageAnswer",
    "groups.PollAnswer",
    "longmsg.LoadAnswer",
    "longmsg.SaveRequest",
    "status.SyncAnswer",
}
"""Kinds of content far inside, which a too timid opening would leave out of the tests above."""

FRAMES = recorded()
WHOLE = [frame for frame in FRAMES if frame.name not in SHORTENED]


@pytest.mark.parametrize("frame", WHOLE, ids=str)
def test_every_level_is_written_as_it_was_read(frame: Recorded) -> None:
    for layer in layers(frame.frame, frame.direction):
        assert layer.after() == layer.before(), layer.place


@pytest.mark.parametrize("frame", [frame for frame in FRAMES if frame.name in SHORTENED], ids=str)
def test_a_shortened_frame_cannot_be_opened(frame: Recorded) -> None:
    with pytest.raises(FrameError, match=r"Expected `object`, got `str`"):
        list(layers(frame.frame, frame.direction))
    assert "items in all)" in frame.frame.decode()


def test_every_exception_is_a_recorded_frame() -> None:
    assert {frame.name for frame in FRAMES} >= SHORTENED


def test_only_the_expected_fields_have_no_name() -> None:
    unnamed: dict[str, dict[str, set[str]]] = {}
    for frame in WHOLE:
        for layer in layers(frame.frame, frame.direction):
            if fields := set(layer.opened.unknown()):
                unnamed.setdefault(frame.sdk, {}).setdefault(layer.place, set()).update(fields)
    assert unnamed == UNNAMED


def test_the_opening_reaches_every_kind_of_content() -> None:
    reached = {layer.place for frame in WHOLE for layer in layers(frame.frame, frame.direction)}
    assert reached >= DEEP


def test_every_recorded_command_is_known() -> None:
    assert {frame.servcmd for frame in FRAMES} - set(COMMANDS) == {PUSH, FORCE_OFFLINE, PUSH_CONFIG}


def _is_common(frame: Recorded) -> bool:
    if frame.direction != CLIENT or frame.sdk != "2.14.0":
        return False
    head = decode_request(frame.frame).head
    return head.contenttype == "json" and head.tjg_id is not UNSET


COMMON = [frame for frame in FRAMES if _is_common(frame)]


def test_most_requests_have_the_common_head() -> None:
    assert len(COMMON) > 150


@pytest.mark.parametrize("frame", COMMON, ids=str)
def test_a_head_of_ours_has_the_fields_and_the_order_of_the_sdk(frame: Recorded) -> None:
    sent = decode_request(frame.frame).head
    ours = request_head(
        sent.servcmd,
        sent.seq,
        sdk_app_id=given(sent.sdkappid, 0),
        reqtime=given(sent.reqtime, 0),
        identifier=given(sent.identifier, ""),
        usersig=given(sent.usersig, ""),
        a2=given(sent.a2, ""),
        tinyid=given(sent.tinyid, ""),
        instance_id=given(sent.status_instid, 0),
        trace=given(sent.tjg_id, ""),
    )
    theirs = json.loads(frame.frame)["head"]
    assert list(json.loads(encode(ours)).items()) == list(theirs.items())
