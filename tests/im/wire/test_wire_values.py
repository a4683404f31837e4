"""Values to bytes and back, for every shape of the wire, and the names its fields have there."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_values import SHAPES, TEXT, values

from timbot.errors import FrameError
from timbot.im.wire.commands import base, c2c, contacts, friends, groups, longmsg, members, status
from timbot.im.wire.elements import (
    CONTENTS,
    Content,
    Element,
    FileElem,
    ImageElem,
    ImageInfo,
    RelayElem,
    RelayMessage,
    SoundElem,
    TextElem,
    UnknownElem,
    VideoElem,
    open_element,
    open_element_whole,
    seal_element,
)
from timbot.im.wire.heads import RequestHead, ResponseHead
from timbot.im.wire.messages import (
    AndroidInfo,
    Attribute,
    C2CMessage,
    GroupAt,
    GroupContext,
    GroupMessage,
    MemberMute,
    RevokedGroupMessage,
    TipBody,
)
from timbot.im.wire.pushes import C2CNotice, C2CWithdrawn, FriendMod, PushItem
from timbot.im.wire.usersig import UserSig
from timbot.im.wire.value import UNSET, Opened, Raw, Value, decode, encode, wire_name


@pytest.mark.parametrize("kind", SHAPES, ids=lambda kind: f"{kind.__module__.rpartition('.')[2]}.{kind.__qualname__}")
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_a_value_comes_back_from_its_bytes(kind: type[Any], data: st.DataObject) -> None:
    value = data.draw(values(kind))
    assert decode(kind, encode(value)) == value


def test_the_shapes_are_all_there() -> None:
    assert len(SHAPES) > 150
    assert {C2CMessage, TextElem, RequestHead, ResponseHead, UserSig, groups.SendRequest} <= set(SHAPES)


NAMES: list[tuple[type[Any], str, str]] = [
    (base.TagValue, "tag", "Tag"),
    (base.UserResult, "to_account", "To_Account"),
    (c2c.DeleteRequest, "msg_key_list", "MsgKeyList"),
    (c2c.HistoryRequest, "peer_account", "Peer_Account"),
    (c2c.HistoryRequest, "max_cnt", "MaxCnt"),
    (c2c.ReadBatch, "c2c_msg_readed_item", "C2CMsgReadedItem"),
    (c2c.ReadItem, "lasted_msg_time", "LastedMsgTime"),
    (c2c.ReadRequest, "c2c_msg_readed", "C2CMsgReaded"),
    (c2c.SendRequest, "from_account_nick", "From_AccountNick"),
    (c2c.SendRequest, "from_account_headurl", "From_AccountHeadurl"),
    (contacts.DeleteRequest, "to_groupid", "ToGroupid"),
    (contacts.Session, "c2c_nick", "C2cNick"),
    (contacts.Session, "group_account", "ToAccount"),
    (contacts.Session, "to_account", "To_Account"),
    (contacts.Session, "last_c2c_msg_from_account", "LastC2CMsgFrom_Account"),
    (contacts.Session, "msg_group_from_account", "MsgGroupFrom_Account"),
    (friends.BlacklistAnswer, "curruent_sequence", "CurruentSequence"),
    (groups.CreateAnswer, "over_joined_group_limit_account", "OverJoinedGroupLimit_Account"),
    (groups.JoinAnswer, "av_chat_room_key", "AVChatRoomKey"),
    (groups.OwnerRequest, "new_owner_account", "NewOwner_Account"),
    (groups.PollRequest, "usp", "USP"),
    (groups.ResponseFilter, "app_defined_data_filter_group", "AppDefinedDataFilter_Group"),
    (groups.ResponseFilter, "app_defined_data_filter_group_member", "AppDefinedDataFilter_GroupMember"),
    (longmsg.UploadRequest, "file_type", "file_type"),
    (longmsg.UploadRequest, "duration", "Duration"),
    (longmsg.UploadAnswer, "request_id", "request_id"),
    (longmsg.UploadAnswer, "error_code", "ErrorCode"),
    (members.DeleteRequest, "member_to_del_account", "MemberToDel_Account"),
    (members.ProfilesRequest, "member_list_account", "Member_List_Account"),
    (status.ConfigAnswer, "int32_error_code", "int32_error_code"),
    (status.ConfigAnswer, "error_code", "ErrorCode"),
    (status.ConfigRequest, "uint32_sdkappid", "uint32_sdkappid"),
    (status.LoginAnswer, "a2_key", "A2Key"),
    (status.LoginAnswer, "tiny_id", "TinyId"),
    (status.LogoutRequest, "wslogout_type", "wslogout_type"),
    (status.SyncAnswer, "c2c_remaining_unread_count", "C2CRemainingUnreadCount"),
    (AndroidInfo, "oppo_channel_id", "OPPOChannelID"),
    (Attribute, "key", "key"),
    (C2CNotice, "withdraw_c2c_msg_notify", "WithdrawC2cMsgNotify"),
    (C2CNotice, "c2c_readed_receipt", "C2cReadedReceipt"),
    (C2CNotice, "read_c2c_msg_notify", "ReadC2cMsgNotify"),
    (C2CWithdrawn, "c2c_withdraw_info_array", "C2cWithdrawInfoArray"),
    (FileElem, "download_flag", "Download_Flag"),
    (FileElem, "uuid", "UUID"),
    (FriendMod, "frien_pencyd_del_account", "FrienPencydDel_Account"),
    (GroupAt, "group_at_account", "GroupAt_Account"),
    (GroupContext, "msg_from_account_extra_info", "MsgFrom_AccountExtraInfo"),
    (ImageElem, "uuid", "UUID"),
    (ImageInfo, "url", "URL"),
    (MemberMute, "shutup_time", "ShutupTime"),
    (PushItem, "c2c_msg_array", "C2cMsgArray"),
    (PushItem, "c2c_notify_msg_array", "C2cNotifyMsgArray"),
    (RequestHead, "tjg_id", "tjgID"),
    (RequestHead, "servcmd", "servcmd"),
    (ResponseHead, "contenttype", "contenttype"),
    (RevokedGroupMessage, "from_account", "From_Account"),
    (SoundElem, "url", "Url"),
    (SoundElem, "download_flag", "Download_Flag"),
    (TipBody, "list_account", "List_Account"),
    (TipBody, "operator_account", "Operator_Account"),
    (UserSig, "sdkappid", "TLS.sdkappid"),
    (VideoElem, "video_uuid", "VideoUUID"),
    (VideoElem, "thumb_uuid", "ThumbUUID"),
    (VideoElem, "thumb_download_flag", "ThumbDownloadFlag"),
]


@pytest.mark.parametrize(("kind", "field", "name"), NAMES, ids=lambda part: getattr(part, "__name__", part))
def test_irregular_names_are_the_protocols(kind: type[msgspec.Struct], field: str, name: str) -> None:
    assert {each.name: each.encode_name for each in msgspec.structs.fields(kind)}[field] == name


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("msg_seq", "MsgSeq"),
        ("from_account", "From_Account"),
        ("owner_account", "Owner_Account"),
        ("from_account_nick", "From_AccountNick"),
        ("from_account_extra", "FromAccountExtra"),
        ("account", "Account"),
        ("c2c_msg", "C2cMsg"),
        ("uin32", "Uin32"),
    ],
)
def test_the_general_rule_of_names(field: str, name: str) -> None:
    assert wire_name(field) == name


def test_an_absent_field_is_not_written() -> None:
    assert json.loads(encode(c2c.SendRequest(to_account="u2"))) == {"To_Account": "u2"}


@pytest.mark.parametrize("empty", ['""', "[]", "0"])
def test_an_empty_field_stays_beside_an_absent_one(empty: str) -> None:
    name = {'""': "CloudCustomData", "[]": "MsgBody", "0": "MsgLifeTime"}[empty]
    data = f'{{"{name}":{empty}}}'.encode()
    assert encode(decode(c2c.SendRequest, data)) == data


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**30])
def test_a_number_beyond_64_bits_is_refused(number: int) -> None:
    with pytest.raises(FrameError, match=r"\$\.MsgSeqList\[0\]\.MsgSeq"):
        decode(groups.RevokeRequest, f'{{"GroupId":"g","MsgSeqList":[{{"MsgSeq":{number}}}]}}'.encode())


@pytest.mark.parametrize("text", ["1", "true", "[]"])
def test_a_foreign_type_is_no_text(text: str) -> None:
    with pytest.raises(FrameError, match=r"Expected `str`.*\$\.CloudCustomData"):
        decode(c2c.SendRequest, f'{{"CloudCustomData":{text}}}'.encode())


# What nobody named


class Leaf(Value, frozen=True):
    number: int


class Tree(Value, frozen=True):
    leaves: list[Leaf]
    leaf: Leaf


TREE = b'{ "New": {"a" : [1.50]}, "Leaves":[{"Number":1,"Colour":"red"},{"Number":2}], "Leaf":{"Number":3,"Age":"\\u00e9"}}'


def test_unknown_fields_are_found_at_every_level() -> None:
    found = Opened.decode(Tree, TREE).unknown()
    assert {path: bytes(raw) for path, raw in found.items()} == {
        "$.New": b'{"a" : [1.50]}',
        "$.Leaves[0].Colour": b'"red"',
        "$.Leaf.Age": b'"\\u00e9"',
    }


def test_unknown_fields_travel_on_byte_for_byte() -> None:
    assert Opened.decode(Tree, TREE).encode() == (
        b'{"Leaves":[{"Number":1,"Colour":"red"},{"Number":2}],"Leaf":{"Number":3,"Age":"\\u00e9"},"New":{"a" : [1.50]}}'
    )


@pytest.mark.parametrize(
    "odd",
    [b"1e999", b"9" * 5000, b"-0.0", b"1" * 30, b"[" * 600 + b"]" * 600, b'{"a":1,"a":2}'],
    ids=["infinite", "5000 digits", "minus zero", "30 digits", "600 deep", "twice the same name"],
)
def test_an_odd_unknown_field_is_no_hindrance(odd: bytes) -> None:
    data = b'{"Number":1,"Odd":' + odd + b"}"
    assert Opened.decode(Leaf, data).encode() == data


def test_a_changed_value_is_written_with_the_unknown_fields_of_the_old() -> None:
    opened = Opened.decode(Tree, TREE)
    changed = Opened(Tree(leaves=[Leaf(number=9)], leaf=Leaf(number=8)), opened.raw)
    assert json.loads(changed.encode()) == {
        "Leaves": [{"Number": 9}],
        "Leaf": {"Number": 8, "Age": "é"},
        "New": {"a": [1.5]},
    }


def test_a_list_of_another_length_has_no_unknown_fields() -> None:
    changed = Opened(Tree(leaves=[], leaf=Leaf(number=8)), TREE)
    assert set(changed.unknown()) == {"$.New", "$.Leaf.Age"}


def test_a_value_beside_bytes_of_another_shape_is_written_alone() -> None:
    assert Opened(Leaf(number=1), b"[1]").encode() == b'{"Number":1}'


def test_what_is_passed_on_is_utf8() -> None:
    opened = Opened.decode(Leaf, b'{"Number":1,"Odd":"\xed\xa0\x80\xff"}')
    assert opened.encode().decode().startswith('{"Number":1,"Odd":"\ufffd')


# Elements


@pytest.mark.parametrize("name", CONTENTS)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_an_element_sealed_is_opened_again(name: str, data: st.DataObject) -> None:
    content: Content = data.draw(values(CONTENTS[name]))
    element = seal_element(content)
    assert element.msg_type == name
    assert open_element(decode(Element, encode(element))) == content


def test_an_unknown_element_travels_on_unharmed() -> None:
    data = b'{"MsgType":"TIMHologramElem","MsgContent":{"Depth" : 1.50}}'
    element = decode(Element, data)
    content = open_element(element)
    assert content == UnknownElem("TIMHologramElem", Raw(b'{"Depth" : 1.50}'))
    assert encode(seal_element(content)) == data
    assert open_element_whole(element).encode() == b'{"Depth":1.5}'


def test_a_known_element_with_other_content_names_itself() -> None:
    element = Element(msg_type="TIMImageElem", msg_content=Raw(b'{"ImageInfoArray":[{"Type":"1"}]}'))
    with pytest.raises(FrameError) as caught:
        open_element(element)
    assert caught.value.path == "$.TIMImageElem.ImageInfoArray[0].Type"


@pytest.mark.parametrize("flag", [True, False, 0, 1])
def test_layers_over_limit_is_a_boolean_sent_and_a_number_received(flag: bool | int) -> None:
    back = decode(RelayElem, encode(RelayElem(layers_over_limit=flag))).layers_over_limit
    assert back == flag
    assert type(back) is type(flag)


def test_a_stored_merged_message_has_no_time() -> None:
    message = decode(RelayMessage, b'{"From_Account":"u1","MsgBody":[],"From_AccountNick":""}')
    assert message.msg_time_stamp is UNSET
    assert message.from_account_nick == ""


@given(TEXT)
def test_any_text_is_a_text_message(text: str) -> None:
    assert open_element(seal_element(TextElem(text=text))) == TextElem(text=text)


def test_the_group_of_a_message_is_found_where_its_form_has_it() -> None:
    context = GroupContext(group_id="inner")
    assert GroupMessage(group_info=context, to_group_id="outer").group_id == "inner"
    assert GroupMessage(to_group_id="outer").group_id == "outer"
    assert GroupMessage().group_id == ""
