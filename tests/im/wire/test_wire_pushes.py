"""What an item of a push is taken for, by its payload and its event number."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from timbot.im.wire.envelope import PushBody
from timbot.im.wire.messages import C2CMessage, GroupMessage
from timbot.im.wire.pushes import (
    Broken,
    C2CWithdrawn,
    ContactMod,
    FriendMod,
    Kickout,
    Mention,
    Notice,
    ProfileMod,
    Pushed,
    PushValue,
    ReadElsewhere,
    ReadReceipt,
    Tip,
    Unknown,
    open_c2c,
    open_c2c_list,
    open_group,
    open_group_list,
    open_item,
    open_push,
)
from timbot.im.wire.value import Raw, decode

C2C = {"From_Account": "u1", "To_Account": "u2", "MsgSeq": 1, "MsgRandom": 2, "MsgTimeStamp": 3, "MsgBody": []}
GROUP = {"MsgSeq": 5, "GroupInfo": {"GroupId": "g"}}


def raw(value: object) -> Raw:
    return Raw(json.dumps(value).encode())


def read(item: object) -> list[PushValue]:
    return [pushed.value for pushed in open_item(raw(item), path="$")]


KINDS: list[tuple[str, dict[str, object], type[object]]] = [
    ("C2C message", {"Event": 9, "C2cMsgArray": [C2C]}, C2CMessage),
    ("C2C message without a number", {"C2cMsgArray": [C2C]}, C2CMessage),
    ("group message", {"Event": 3, "GroupMsgArray": [GROUP]}, GroupMessage),
    ("group message without a number", {"GroupMsgArray": [GROUP]}, GroupMessage),
    ("tip among messages", {"Event": 4, "GroupMsgArray": [{"MsgBody": {}}]}, Tip),
    ("tip", {"Event": 4, "GroupTips": [GROUP]}, Tip),
    ("tip that is not stored", {"Event": 6, "GroupTips": [GROUP]}, Tip),
    ("notice", {"Event": 5, "GroupTips": [GROUP]}, Notice),
    ("mention", {"Event": 12, "GroupTips": [GROUP]}, Mention),
    ("tip of a foreign number", {"Event": 77, "GroupTips": [GROUP]}, Unknown),
    ("kick", {"C2cNotifyMsgArray": [{"KickoutMsgNotify": {}}]}, Kickout),
    ("recall", {"C2cNotifyMsgArray": [{"WithdrawC2cMsgNotify": {"C2cWithdrawInfoArray": []}}]}, C2CWithdrawn),
    ("receipt", {"C2cNotifyMsgArray": [{"C2cReadedReceipt": {"To_Account": "u", "UinPairReadArray": []}}]}, ReadReceipt),
    ("read elsewhere", {"C2cNotifyMsgArray": [{"ReadC2cMsgNotify": {"UinPairReadArray": []}}]}, ReadElsewhere),
    ("notice of no known kind", {"Event": 10, "C2cNotifyMsgArray": [{"Other": {}}]}, Unknown),
    ("profile", {"ProfileDataMod": [{"Profile_Account": "u", "ProfileList": []}]}, ProfileMod),
    ("friends", {"FriendListMod": [{}]}, FriendMod),
    ("conversations", {"RecentContactMod": [{"PushType": 1}]}, ContactMod),
    ("nothing known", {"Event": 99, "TopicMsgArray": [{}]}, Unknown),
    ("nothing", {}, Unknown),
]


@pytest.mark.parametrize(("item", "kind"), [case[1:] for case in KINDS], ids=[case[0] for case in KINDS])
def test_an_item_is_what_its_payload_says(item: object, kind: type[object]) -> None:
    assert [type(value) for value in read(item)] == [kind]


@pytest.mark.parametrize(("event", "stored"), [(4, True), (6, False)])
def test_only_event_4_has_a_place_in_the_history(event: int, stored: bool) -> None:
    (tip,) = read({"Event": event, "GroupTips": [GROUP]})
    assert isinstance(tip, Tip)
    assert tip.stored is stored


@pytest.mark.parametrize("item", [{"Event": 99}, {"Event": 99, "GroupTips": [GROUP]}, {"Event": 99, "C2cNotifyMsgArray": [{}]}])
def test_an_unknown_item_tells_its_number(item: object) -> None:
    assert read(item) == [Unknown(99)]


def test_an_empty_payload_says_nothing() -> None:
    assert read({"C2cMsgArray": []}) == []


def test_everything_comes_in_the_order_of_the_push() -> None:
    messages = [C2C | {"MsgSeq": number} for number in range(4)]
    body = decode(PushBody, raw({"EventArray": [{"C2cMsgArray": messages[:3]}, {"C2cMsgArray": messages[3:]}]}))
    assert [value.msg_seq for value in map(_c2c, open_push(body))] == [0, 1, 2, 3]


def _c2c(pushed: object) -> C2CMessage:
    value = getattr(pushed, "value", None)
    assert isinstance(value, C2CMessage)
    return value


def test_each_thing_comes_with_its_own_bytes() -> None:
    first, second = open_item(raw({"C2cMsgArray": [C2C, {"MsgSeq": 1}]}), path="$")
    assert json.loads(bytes(first.raw)) == C2C
    assert json.loads(bytes(second.raw)) == {"MsgSeq": 1}
    assert isinstance(second.value, Broken)


def test_a_listed_tip_tells_its_kind_itself() -> None:
    listed = GROUP | {"Event": 4, "MsgBody": {"OpType": 1}}
    tip = open_group(raw(listed), 3, "$")
    assert isinstance(tip, Tip)
    assert tip.body.op_type == 1


def test_a_listed_message_is_one_whatever_it_is_listed_in() -> None:
    assert isinstance(open_group(raw(GROUP | {"Event": 3}), 4, "$"), GroupMessage)
    assert isinstance(open_c2c(raw(C2C), 4, "$"), C2CMessage)


@pytest.mark.parametrize("opener", [open_c2c_list, open_group_list])
def test_a_broken_message_in_a_list_keeps_its_place(opener: Callable[..., Iterator[Pushed]]) -> None:
    both = raw(C2C | GROUP)
    first, second, third = opener([both, raw(7), both], path="$.MsgList")
    assert not isinstance(first.value, Broken)
    assert not isinstance(third.value, Broken)
    assert isinstance(second.value, Broken)
    assert second.value.error.path == "$.MsgList[1]"


def test_a_list_of_a_group_holds_messages_and_tips() -> None:
    message, tip = open_group_list([raw(GROUP), raw(GROUP | {"Event": 4, "MsgBody": {}})], path="$")
    assert isinstance(message.value, GroupMessage)
    assert isinstance(tip.value, Tip)
