"""An item that is held comes back as it was, whichever way it came."""

from __future__ import annotations

import json

import pytest

from timbot.im.wire.envelope import PushBody
from timbot.im.wire.pushes import (
    Broken,
    Pushed,
    Tip,
    open_c2c_list,
    open_group_list,
    open_item,
    open_push,
    seal_item,
)
from timbot.im.wire.value import Raw

C2C = {"From_Account": "a", "To_Account": "b", "MsgSeq": 1, "MsgRandom": 2, "MsgTimeStamp": 3, "MsgBody": []}
GROUP = {"From_Account": "a", "ToGroupId": "g", "MsgSeq": 1, "MsgRandom": 2, "MsgTimeStamp": 3, "MsgBody": []}
TIP = GROUP | {"MsgBody": {"OpType": 1}, "Event": 4}
ITEMS = [
    {"Event": 9, "C2cMsgArray": [C2C, {"From_Account": 7}]},
    {"Event": 3, "GroupMsgArray": [GROUP, TIP]},
    {"Event": 4, "GroupTips": [GROUP | {"MsgBody": {"OpType": 1}}]},
    {"Event": 6, "GroupTips": [GROUP | {"MsgBody": {"OpType": 6}}]},
    {"Event": 5, "GroupTips": [GROUP | {"MsgBody": {"ReportType": 1}}]},
    {"Event": 12, "GroupTips": [GROUP | {"MsgBody": {}}]},
    {"Event": 77, "GroupTips": [GROUP]},
    {"Event": 10, "C2cNotifyMsgArray": [{"C2cReadedReceipt": {"To_Account": "a", "UinPairReadArray": []}}, {}]},
    {"Event": 7, "FriendListMod": [{"PushType": 1, "From_Account": "a"}]},
    {"Event": 8, "ProfileDataMod": [{"Profile_Account": "a", "ProfileList": []}]},
    {"Event": 13, "RecentContactMod": [{"PushType": 1}]},
    {"Event": 99, "Something": []},
    ["no item"],
]


def raw(value: object) -> Raw:
    return Raw(json.dumps(value).encode())


def ways() -> list[Pushed]:
    pushed = list(open_push(PushBody(event_array=[raw(item) for item in ITEMS])))
    pushed += open_c2c_list([raw(C2C), raw({"From_Account": 7})], path="$")
    pushed += open_group_list([raw(GROUP), raw(TIP), raw({"MsgSeq": "?"})], path="$")
    return pushed


@pytest.mark.parametrize("number", range(len(ways())))
def test_it_comes_back(number: int) -> None:
    pushed = ways()[number]
    (back,) = open_item(Raw(seal_item(pushed)), path="$")
    assert bytes(back.raw) == bytes(pushed.raw)
    assert type(back.value) is type(pushed.value)
    if not isinstance(pushed.value, Broken):
        assert back.value == pushed.value


def test_a_tip_stays_stored_or_not() -> None:
    stored = [pushed.value.stored for pushed in ways() if isinstance(pushed.value, Tip)]
    again = [
        back.value.stored
        for pushed in ways()
        for back in open_item(Raw(seal_item(pushed)), path="$")
        if isinstance(back.value, Tip)
    ]
    assert again == stored
    assert set(stored) == {True, False}
