"""The same event has the same identity, however often and however it comes; another event has another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_values import values

from timbot.errors import FrameError
from timbot.im.wire.identity import (
    C2CIdentity,
    FleetingIdentity,
    FriendApplicationIdentity,
    GroupIdentity,
    GroupNoticeIdentity,
    Identity,
    c2c_identity,
    decode_identity,
    encode_identity,
    group_identity,
    is_own,
    notice_identity,
    peer_of,
)
from timbot.im.wire.messages import C2CMessage, GroupContext, GroupMessage
from timbot.im.wire.value import UNSET

KINDS = (C2CIdentity, GroupIdentity, FleetingIdentity, FriendApplicationIdentity, GroupNoticeIdentity)
IDENTITIES: st.SearchStrategy[Identity] = st.one_of(*(values(kind) for kind in KINDS))


@given(IDENTITIES)
def test_an_identity_comes_back_from_its_bytes(identity: Identity) -> None:
    back = decode_identity(encode_identity(identity))
    assert back == identity
    assert type(back) is type(identity)


@given(IDENTITIES)
def test_an_identity_is_a_key(identity: Identity) -> None:
    assert {identity: 1}[decode_identity(encode_identity(identity))] == 1


@given(st.lists(IDENTITIES, max_size=8))
@settings(max_examples=50)
def test_two_identities_never_share_their_bytes(identities: list[Identity]) -> None:
    assert len({encode_identity(each) for each in identities}) == len(set(identities))


@pytest.mark.parametrize(
    ("identity", "data"),
    [
        (C2CIdentity("u1", True, 5, 6), b'["c2c","u1",true,5,6]'),
        (GroupIdentity("g", 7, 8), b'["group","g",7,8]'),
        (FleetingIdentity("GROUPg", "u1", 5, 6), b'["fleeting","GROUPg","u1",5,6]'),
        (FriendApplicationIdentity("u1", 9), b'["friend","u1",9]'),
        (GroupNoticeIdentity("g", 1, "u1", "k"), b'["notice","g",1,"u1","k"]'),
    ],
)
def test_the_bytes_in_journals_stay_what_they_are(identity: Identity, data: bytes) -> None:
    assert encode_identity(identity) == data
    assert decode_identity(data) == identity


OTHER = {
    "nothing": b"",
    "empty": b"[]",
    "object": b"{}",
    "short": b'["c2c"]',
    "foreign": b'["other","u",1]',
    "mistyped": b'["c2c","u",1,5,6]',
    "no text": b"\xff",
    "deep": b"[" * 100_000,
    "too big": b'["group","g",1,99999999999999999999]',
}


@pytest.mark.parametrize("data", OTHER.values(), ids=OTHER)
def test_other_bytes_are_an_error(data: bytes) -> None:
    with pytest.raises(FrameError):
        decode_identity(data)


def test_half_a_character_in_a_journal_is_replaced() -> None:
    assert decode_identity(rb'["friend","\ud83d",1]') == FriendApplicationIdentity("\ufffd", 1)


def c2c(sender: str, receiver: str, **fields: Any) -> C2CMessage:
    wire: dict[str, Any] = {"msg_seq": 5, "msg_random": 6, "msg_time_stamp": 7, "msg_body": []}
    return C2CMessage(from_account=sender, to_account=receiver, **wire | fields)


@pytest.mark.parametrize(
    ("message", "own"),
    [
        (c2c("peer", "me"), False),
        (c2c("me", "peer"), True),
        (c2c("peer", "me", is_sync_msg=1), True),
        (c2c("peer", "me", is_sync_msg=0), False),
        (c2c("me", "peer", is_sync_msg=0), True),
    ],
    ids=["incoming", "own in a list", "own, synchronised", "incoming, said so", "own, said so"],
)
def test_a_message_has_a_peer_and_a_direction(message: C2CMessage, own: bool) -> None:
    assert is_own(message, "me") is own
    assert peer_of(message, "me") == "peer"
    assert c2c_identity(message, "me") == C2CIdentity("peer", own, 5, 6)


def test_a_message_to_oneself_has_oneself_as_peer() -> None:
    assert c2c_identity(c2c("me", "me"), "me") == C2CIdentity("me", True, 5, 6)


@pytest.mark.parametrize("fields", [{"msg_time_stamp": 99}, {"msg_modified_flag": 1}, {"from_account_nick": "New"}])
def test_what_may_change_is_no_part_of_the_identity(fields: dict[str, Any]) -> None:
    assert c2c_identity(c2c("peer", "me", **fields), "me") == c2c_identity(c2c("peer", "me"), "me")


@pytest.mark.parametrize("fields", [{"msg_seq": 55}, {"msg_random": 66}])
def test_another_number_is_another_message(fields: dict[str, Any]) -> None:
    assert c2c_identity(c2c("peer", "me", **fields), "me") != c2c_identity(c2c("peer", "me"), "me")


@pytest.mark.parametrize(
    ("message", "sender"),
    [(c2c("peer", "me", msg_life_time=0), "peer"), (c2c("peer", "me", msg_life_time=0, is_sync_msg=1), "me")],
    ids=["incoming", "own"],
)
def test_an_online_message_is_fleeting(message: C2CMessage, sender: str) -> None:
    assert c2c_identity(message, "me") == FleetingIdentity("C2Cpeer", sender, 5, 6)


def test_a_message_with_a_lifetime_is_kept() -> None:
    assert c2c_identity(c2c("peer", "me", msg_life_time=60), "me") == C2CIdentity("peer", False, 5, 6)


def group(**fields: Any) -> GroupMessage:
    context = GroupContext(group_id="g")
    wire: dict[str, Any] = {"from_account": "u1", "group_info": context, "msg_seq": 8, "msg_random": 6}
    return GroupMessage(**wire | fields)


def test_a_group_message_is_its_number_in_this_incarnation_of_the_group() -> None:
    assert group_identity(group(), 7) == GroupIdentity("g", 7, 8)


@pytest.mark.parametrize(("fields", "live"), [({"online_only_flag": 1}, False), ({}, True)], ids=["online only", "live room"])
def test_what_a_group_does_not_keep_is_fleeting(fields: dict[str, Any], live: bool) -> None:
    assert group_identity(group(**fields), 7, live=live) == FleetingIdentity("GROUPg", "u1", 8, 6)


def test_the_random_of_a_list_is_the_random_of_a_push() -> None:
    listed = group(msg_random=UNSET, random=6)
    assert group_identity(listed, 7, live=True) == group_identity(group(), 7, live=True)


@pytest.mark.parametrize(("msg_key", "key"), [("k", "k"), (17, "17"), (UNSET, "4-6"), ("", "4-6"), (0, "4-6")])
def test_a_notice_goes_by_its_key_or_by_its_numbers(msg_key: object, key: str) -> None:
    assert notice_identity(group(client_seq=4), 1, "u1", msg_key) == GroupNoticeIdentity("g", 1, "u1", key)
