"""Bytes that mean harm, or that nobody meant at all: each ends as a value or as a `FrameError`, in time."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from wire_opening import CLIENT, SERVER, Recorded, layers, recorded

from timbot.errors import FrameError
from timbot.im.wire.commands import COMMANDS, c2c
from timbot.im.wire.elements import Element, TextElem, open_element
from timbot.im.wire.envelope import (
    PUSH,
    PushBody,
    ServerFrame,
    decode_request,
    decode_server_frame,
    encode_push,
    encode_request,
    frame_size_error,
)
from timbot.im.wire.heads import RequestHead
from timbot.im.wire.messages import C2CMessage
from timbot.im.wire.pushes import Broken, Pushed, open_push
from timbot.im.wire.repair import ITEM_DEPTH, MAX_DEPTH, without_deep_items
from timbot.im.wire.value import UNSET, Opened, Raw, decode, encode

REPLACED = "\ufffd"


def c2c_item(text: bytes = b'"hello"', *, number: int = 1, extra: bytes = b"") -> bytes:
    """An `EventArray` item with one message; `text` and `extra` are JSON as it travels."""
    return (
        b'{"Event":9,"C2cMsgArray":[{"From_Account":"u1","To_Account":"bot","MsgSeq":%d,"MsgRandom":7,"MsgTimeStamp":1,'
        b'"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":%b}}]%b}]}' % (number, text, extra)
    )


def push(*items: bytes) -> bytes:
    return b'{"head":{"servcmd":"im_open_push.msg_push","seq":1},"body":{"EventArray":[%b],"NeedAck":1}}' % b",".join(items)


def opened(frame: bytes) -> list[Pushed]:
    return list(open_push(decode(PushBody, decode_server_frame(frame).body)))


def text_of(pushed: Pushed) -> str:
    assert isinstance(pushed.value, C2CMessage)
    content = open_element(pushed.value.msg_body[0])
    assert isinstance(content, TextElem)
    return content.text


def broken(pushed: Pushed) -> FrameError:
    assert isinstance(pushed.value, Broken)
    return pushed.value.error


# Half characters

SURROGATES = {
    "high": (rb"\ud83d", REPLACED),
    "low": (rb"\ude00", REPLACED),
    "reversed pair": (rb"\ude00\ud83d", REPLACED * 2),
    "at the end": (rb"a\ud83d", "a" + REPLACED),
    "at the start": (rb"\ud83da", REPLACED + "a"),
    "two highs": (rb"\ud83d\ud83d", REPLACED * 2),
    "high before a pair": (rb"\ud83d\ud83d\ude00", REPLACED + "😀"),
    "pair before a low": (rb"\ud83d\ude00\ude00", "😀" + REPLACED),
    "high before an escape": (rb"\ud83d\u0041", REPLACED + "A"),
    "high before a short escape": (rb"\ud83d\n", REPLACED + "\n"),
    "low after an escape": (rb"\u0041\ude00", "A" + REPLACED),
    "pair": (rb"\ud83d\ude00", "😀"),
    "pair in capitals": (rb"\uD83D\uDE00", "😀"),
    "pair beside a high": (rb"\ud83d\ude00 \ud83d", "😀 " + REPLACED),
    "literal text": (rb"\\ud83d", r"\ud83d"),
    "literal text beside a high": (rb"\\ud83d \ud83d", r"\ud83d " + REPLACED),
    "literal text after a high": (rb"\ud83d\\ude00", REPLACED + r"\ude00"),
    "high after a backslash": (rb"\\\ud83d", "\\" + REPLACED),
    "high after two backslashes": (rb"\\\\\ud83d", "\\\\" + REPLACED),
    "high after a quote": (rb"\"\ud83d", '"' + REPLACED),
    "raw high": (b"\xed\xa0\x80", REPLACED),
    "raw low": (b"\xed\xb0\x80", REPLACED),
    "raw pair": (b"\xed\xa0\xbd\xed\xb8\x80", "😀"),
    "raw high beside Chinese": ("中".encode() + b"\xed\xa0\x80" + "文".encode(), f"中{REPLACED}文"),
    "raw high, escaped low": (b"\xed\xa0\xbd" + rb"\ude00", REPLACED * 2),
    "no UTF-8 at all": (b"\xff", REPLACED),
    "cut character": (b"\xe4\xb8", REPLACED),
}


@pytest.mark.parametrize(("sent", "read"), SURROGATES.values(), ids=SURROGATES)
def test_half_a_character_becomes_the_replacement_character(sent: bytes, read: str) -> None:
    assert decode(str, b'"' + sent + b'"') == read


@pytest.mark.parametrize(("sent", "read"), SURROGATES.values(), ids=SURROGATES)
def test_half_a_character_in_a_message_costs_nothing_else(sent: bytes, read: str) -> None:
    before, middle, after = opened(push(c2c_item(), c2c_item(b'"' + sent + b'"'), c2c_item()))
    assert (text_of(before), text_of(middle), text_of(after)) == ("hello", read, "hello")


@pytest.mark.parametrize("sent", [rb"\ud83d", b"\xed\xa0\x80"], ids=["escaped", "raw"])
def test_half_a_character_in_a_key(sent: bytes) -> None:
    assert decode(dict[str, int], b'{"a' + sent + b'":1}') == {"a" + REPLACED: 1}


def test_half_a_character_in_a_name_beside_those_we_read() -> None:
    (only,) = opened(push(c2c_item(extra=rb',"\ud83d":1')))
    assert text_of(only) == "hello"


@pytest.mark.parametrize("raw", [b"\xed\xa0\x80", b"\xff", b"\xc0\x80"], ids=["surrogate", "no UTF-8", "long NUL"])
def test_bytes_that_are_no_utf8_are_not_passed_on_in_content(raw: bytes) -> None:
    sent = b'{"head":{"servcmd":"x","seq":1},"body":{"MsgBody":[{"MsgType":"X","MsgContent":{"Data":"' + raw + b'"}}]}}'
    body = decode(c2c.SendRequest, decode_request(sent).body).msg_body
    assert REPLACED in encode_push(1, {"MsgBody": body}).decode()


@pytest.mark.parametrize("raw", [b"\xed\xa0\x80", b"\xff"], ids=["surrogate", "no UTF-8"])
def test_the_body_of_a_server_frame_is_utf8(raw: bytes) -> None:
    frame = decode_server_frame(b'{"head":{"servcmd":"x","seq":1},"body":{"X":"' + raw + b'"}}')
    assert REPLACED in bytes(frame.body).decode()


HALVES = st.lists(st.sampled_from(["\ud83d", "\ude00", "a", "😀", "\\", '"', "中", "\\ud83d"]), max_size=8).map("".join)


def replaced(text: str) -> str:
    """What has to be read: pairs join, and a half that is left alone is replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@given(HALVES)
def test_any_mixture_of_halves_escaped(text: str) -> None:
    assert decode(str, json.dumps(text).encode()) == replaced(text)


@given(HALVES)
def test_any_mixture_of_halves_raw(text: str) -> None:
    data = json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert decode(str, data) == replaced(text)


@given(HALVES)
def test_halves_of_characters_are_not_sent(text: str) -> None:
    assert json.loads(encode(TextElem(text=text)).decode()) == {"Text": replaced(text)}


@pytest.mark.parametrize(
    "value",
    [{"\ud83d": 1}, ["\ud83d"], ("\ud83d",), {"a": [{"b": ("\ud83d",)}]}],
    ids=["key", "list", "tuple", "nested"],
)
def test_halves_of_characters_are_not_sent_from_any_container(value: object) -> None:
    assert REPLACED in encode(value).decode()


def test_bytes_in_a_value_with_half_a_character_stay_as_they_are() -> None:
    assert encode({"a": Raw(b'{"x" : 1.50}'), "b": "\ud83d"}) == b'{"a":{"x" : 1.50},"b":"' + REPLACED.encode() + b'"}'


# Nesting

ABYSS = 100_000


@pytest.mark.parametrize(("open_", "close"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["lists", "objects"])
def test_endless_nesting_costs_only_its_item(open_: bytes, close: bytes) -> None:
    deep = c2c_item(number=2, extra=b',"X":' + open_ * ABYSS + b"1" + close * ABYSS)
    before, middle, after = opened(push(c2c_item(number=1), deep, c2c_item(number=3)))
    assert (text_of(before), text_of(after)) == ("hello", "hello")
    assert broken(middle).path == "$.EventArray[1].C2cMsgArray[0]"
    assert b"nested deeper" in bytes(middle.raw)


def test_endless_nesting_in_place_of_a_list_of_messages_costs_only_its_item() -> None:
    deep = b'{"Event":9,"C2cMsgArray":' + b"[" * ABYSS + b"]" * ABYSS + b"}"
    before, middle, after = opened(push(c2c_item(), deep, c2c_item()))
    assert (text_of(before), text_of(after)) == ("hello", "hello")
    assert broken(middle).path == "$.EventArray[1].C2cMsgArray[0]"


def test_endless_nesting_that_never_closes_is_an_error_of_the_frame() -> None:
    with pytest.raises(FrameError):
        decode_server_frame(push(c2c_item(extra=b',"X":' + b"[" * ABYSS)))


def test_brackets_in_text_are_no_nesting() -> None:
    deep = c2c_item(extra=b',"X":' + b"[" * ABYSS + b"]" * ABYSS)
    tricky = c2c_item(b'"' + rb"[[\"{\\" * 500 + b'"')
    first, second = opened(push(deep, tricky))
    assert isinstance(first.value, Broken)
    assert text_of(second) == '[["{\\' * 500


def nested(levels: int) -> bytes:
    """A field of a message that makes the frame nest `levels` deep."""
    inner = levels - ITEM_DEPTH
    return b',"X":' + b"[" * inner + b"]" * inner


@pytest.mark.parametrize(("levels", "kept"), [(MAX_DEPTH - 1, True), (MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
def test_where_the_cut_falls_beside_endless_nesting(levels: int, kept: bool) -> None:
    deep = c2c_item(extra=b',"X":' + b"[" * ABYSS + b"]" * ABYSS)
    first, second, _ = opened(push(c2c_item(), c2c_item(extra=nested(levels)), deep))
    assert isinstance(first.value, C2CMessage)
    assert isinstance(second.value, C2CMessage) is kept


@pytest.mark.parametrize("beside", [b'"hello"', rb'"\ud83d"'], ids=["alone", "beside half a character"])
def test_what_the_reader_can_take_is_not_cut(beside: bytes) -> None:
    first, second = opened(push(c2c_item(extra=nested(MAX_DEPTH + 50)), c2c_item(beside)))
    assert isinstance(first.value, C2CMessage)
    assert isinstance(second.value, C2CMessage)


def test_half_a_character_and_endless_nesting_in_one_frame() -> None:
    deep = c2c_item(extra=b',"X":' + b"[" * ABYSS + b"]" * ABYSS)
    for items in ([c2c_item(rb'"\ud83d"'), deep], [deep, c2c_item(rb'"\ud83d"')]):
        results = opened(push(*items))
        assert sorted(text_of(each) for each in results if isinstance(each.value, C2CMessage)) == [REPLACED]
        assert sum(isinstance(each.value, Broken) for each in results) == 1


def test_endless_nesting_in_a_request_leaves_its_head_readable() -> None:
    request = decode_request(
        b'{"head":{"servcmd":"x","seq":5},"body":{"a":{"b":{"c":{"d":' + b"[" * ABYSS + b"]" * ABYSS + b"}}}}}"
    )
    assert (request.head.servcmd, request.head.seq) == ("x", 5)


# Wrong types

WRONG: list[tuple[type[Any], bytes, str, str]] = [
    (ServerFrame, b"", "$", "truncated"),
    (ServerFrame, b"[]", "$", "Expected `object`, got `array`"),
    (ServerFrame, b"nonsense", "$", "malformed"),
    (ServerFrame, b'{"head":{"servcmd":"a","seq":1}} x', "$", "malformed"),
    (ServerFrame, b"\xef\xbb\xbf{}", "$", "malformed"),
    (ServerFrame, b"{}", "$", "missing required field `head`"),
    (ServerFrame, b'{"head":7}', "$.head", "Expected `object`, got `int`"),
    (ServerFrame, b'{"head":{"servcmd":1,"seq":1}}', "$.head.servcmd", "Expected `str`, got `int`"),
    (ServerFrame, b'{"head":{"servcmd":"a","seq":"1"}}', "$.head.seq", "Expected `int`, got `str`"),
    (ServerFrame, b'{"head":{"servcmd":"a","seq":1.5}}', "$.head.seq", "Expected `int`, got `float`"),
    (PushBody, b'{"EventArray":{}}', "$.EventArray", "Expected `array`, got `object`"),
    (C2CMessage, b'{"From_Account":null}', "$.From_Account", "Expected `str`, got `null`"),
    (C2CMessage, b'{"MsgBody":[{"MsgType":"a","MsgContent":1},{"MsgType":2}]}', "$.MsgBody[1].MsgType", "Expected `str`"),
    (RequestHead, b'{"sdkappid":true}', "$.sdkappid", "Expected `int`, got `bool`"),
]


@pytest.mark.parametrize(("kind", "data", "path", "message"), WRONG, ids=[data.decode("utf-8")[:40] for _, data, _, _ in WRONG])
def test_the_wrong_type_is_named_with_its_place(kind: type[Any], data: bytes, path: str, message: str) -> None:
    with pytest.raises(FrameError, match=message) as caught:
        decode(kind, data)
    assert caught.value.path == path
    assert caught.value.raw == data


ITEMS: list[tuple[bytes, str]] = [
    (b"7", "$.EventArray[1]"),
    (b'{"Event":"9","C2cMsgArray":[]}', "$.EventArray[1].Event"),
    (b'{"C2cMsgArray":{}}', "$.EventArray[1].C2cMsgArray"),
    (b'{"C2cMsgArray":[null]}', "$.EventArray[1].C2cMsgArray[0]"),
    (c2c_item(extra=b',"ClientSeq":"x"'), "$.EventArray[1].C2cMsgArray[0].ClientSeq"),
    (b'{"GroupMsgArray":[{"GroupInfo":{"GroupId":3}}]}', "$.EventArray[1].GroupMsgArray[0].GroupInfo.GroupId"),
    (b'{"GroupMsgArray":[{"MsgSeq":3}]}', "$.EventArray[1].GroupMsgArray[0]"),
    (b'{"GroupMsgArray":[{"ToGroupId":"g"}]}', "$.EventArray[1].GroupMsgArray[0]"),
    (b'{"Event":4,"GroupTips":[{"MsgBody":[]}]}', "$.EventArray[1].GroupTips[0].MsgBody"),
    (b'{"Event":6,"GroupTips":[{"MsgBody":{"OpType":"6"}}]}', "$.EventArray[1].GroupTips[0].MsgBody.OpType"),
    (b'{"Event":5,"GroupTips":[{"MsgBody":{"ReportType":[]}}]}', "$.EventArray[1].GroupTips[0].MsgBody.ReportType"),
    (b'{"C2cNotifyMsgArray":[{"KickoutMsgNotify":1}]}', "$.EventArray[1].C2cNotifyMsgArray[0].KickoutMsgNotify"),
    (b'{"ProfileDataMod":[{}]}', "$.EventArray[1].ProfileDataMod[0]"),
    (b'{"FriendListMod":[{"PendencyAdd":[{}]}]}', "$.EventArray[1].FriendListMod[0].PendencyAdd[0]"),
    (b'{"RecentContactMod":[{"PushType":1},{}]}', "$.EventArray[1].RecentContactMod[1]"),
]


@pytest.mark.parametrize(("item", "path"), ITEMS, ids=[path for _, path in ITEMS])
def test_a_broken_item_is_named_and_its_neighbours_are_read(item: bytes, path: str) -> None:
    before, *middle, after = opened(push(c2c_item(number=1), item, c2c_item(number=3)))
    assert (text_of(before), text_of(after)) == ("hello", "hello")
    assert broken(middle[-1]).path == path


def test_a_broken_message_does_not_take_its_neighbours_in_the_item() -> None:
    good = c2c_item()[len(b'{"Event":9,"C2cMsgArray":[') : -len(b"]}")]
    first, second, third = opened(push(b'{"C2cMsgArray":[' + good + b',{"MsgSeq":1},' + good + b"]}"))
    assert (text_of(first), text_of(third)) == ("hello", "hello")
    assert broken(second).path == "$.EventArray[0].C2cMsgArray[1]"
    assert bytes(second.raw) == b'{"MsgSeq":1}'


def test_an_error_holds_no_more_than_the_beginning() -> None:
    with pytest.raises(FrameError) as caught:
        decode(int, b'"' + b"x" * 10_000 + b'"')
    assert caught.value.raw == b'"' + b"x" * 199


def test_the_size_error_says_both_sizes() -> None:
    assert "99999999 bytes" in str(frame_size_error(99_999_999))
    assert "16777216" in str(frame_size_error(99_999_999))


# Size

LONG = "多" * (4 * 2**20 // 3)


@pytest.mark.parametrize(("tail", "read"), [("", ""), ("\\ud83d", REPLACED)], ids=["whole", "with half a character"])
def test_four_mebibytes_of_text(tail: str, read: str) -> None:
    (only,) = opened(push(c2c_item(f'"{LONG}{tail}"'.encode())))
    assert text_of(only) == LONG + read


def test_four_mebibytes_of_text_sent() -> None:
    element = Element(msg_type="TIMTextElem", msg_content=Raw(encode(TextElem(text=LONG))))
    frame = encode_request(RequestHead(servcmd="openim.sendmsg", seq=1), c2c.SendRequest(msg_body=[element]))
    assert json.loads(frame)["body"]["MsgBody"][0]["MsgContent"]["Text"] == LONG


def _many(unit: bytes) -> Callable[[int], bytes]:
    return lambda size: unit * (size // len(unit))


def _text(unit: bytes) -> Callable[[int], bytes]:
    return lambda size: rb'["\ud83d","' + unit * (size // len(unit)) + b'"]'


WELL = b"[" * 50_000 + b"]" * 50_000


def _after_the_abyss(unit: bytes, tail: bytes = b"]") -> Callable[[int], bytes]:
    return lambda size: b"[" + WELL + unit * (size // len(unit)) + tail


BOMBS: dict[str, Callable[[int], bytes]] = {
    "quotes": _many(b'"'),
    "backslashes": _many(b"\\"),
    "open brackets": _many(b"["),
    "open braces": _many(b'{"":'),
    "closed brackets": _many(b"]"),
    "high surrogates": _text(rb"\ud83d"),
    "pairs": _text(rb"\ud83d\ude00"),
    "escaped backslashes": _text(rb"\\"),
    "escaped quotes": _text(rb"\""),
    "odd backslashes": _text(rb"\\\ud83d"),
    "raw surrogates": _text(b"\xed\xa0\x80"),
    "no UTF-8": _text(b"\xff"),
    "empty strings": _after_the_abyss(b',""'),
    "empty lists": _after_the_abyss(b",[]"),
    "string without end": _after_the_abyss(rb"\"", b""),
    "many strings without end": _after_the_abyss(b',"\\"', b""),
}


def _seconds(work: Callable[[bytes], object], data: bytes) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        with contextlib.suppress(FrameError):
            work(data)
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_the_time_grows_with_the_size_and_not_with_its_square(bomb: Callable[[int], bytes]) -> None:
    """Eight times the bytes: 8 if linear, 64 if quadratic. What takes no time at all is not measured against itself."""
    small, large = (_seconds(lambda data: decode(object, data), bomb(size)) for size in (2**17, 2**20))
    assert large < max(small * 25, 0.05)


def test_many_deep_items_are_cut_in_one_go() -> None:
    """Sixteen times the items: 16 if linear; a copy of the frame for each cut made it 100 and more."""
    shaft = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    small, large = (_seconds(without_deep_items, b"[[[[[" + b",".join([shaft] * count) + b"]]]]]") for count in (800, 12_800))
    assert large < small * 40


# Anything at all

KINDS = sorted({kind for each in COMMANDS.values() for kind in (each.request, each.answer)}, key=lambda kind: str(kind))
FRAMES = recorded()


def read_all(frame: bytes) -> None:
    """Whatever can be done with a frame: each step gives a value or a `FrameError`, and what was read can be written."""
    for direction in (CLIENT, SERVER):
        with contextlib.suppress(FrameError):
            for layer in layers(frame, direction):
                layer.opened.encode().decode()
                layer.opened.unknown()
    try:
        results = opened(frame)
    except FrameError:
        return
    for pushed in results:
        if isinstance(pushed.value, Broken):
            assert pushed.value.error.path.startswith("$.EventArray[")


@given(st.binary(max_size=60))
@example(b'{"head":{"servcmd":"im_open_push.msg_push","seq":1},"body":{"EventArray":[{"Event":5,"GroupTips":[{}]}]}}')
@example(b"\x00")
@example(b'"\\')
def test_arbitrary_bytes_are_a_value_or_an_error(data: bytes) -> None:
    read_all(data)


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"1", b"-", b"1e999", b"9" * 5000, b"null", b"NaN", b" ", b"\0"),
            *(rb"\u", rb"\ud83d", b"\xed\xa0\x80", b"\xff"),
            *(b'"head"', b'"body"', b'"servcmd"', b'"seq"', b'"EventArray"', b'"C2cMsgArray"'),
        ]
    ),
    max_size=20,
).map(b"".join)


@pytest.mark.parametrize("kind", [*KINDS, PushBody, C2CMessage, object], ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
@given(data=FRAGMENTS)
@settings(max_examples=10, deadline=None)
def test_fragments_of_json_are_a_value_or_an_error(kind: type[Any], data: bytes) -> None:
    with contextlib.suppress(FrameError):
        Opened.decode(kind, data).encode().decode()


INSERTED = [b'"', b"\\", b"[", b"}", rb"\ud83d", b"\xed\xa0\x80", b"\xff", b"0", b"\0"]


@st.composite
def with_bytes_changed(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(FRAMES)).frame)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        length = draw(st.integers(1, 40))
        match draw(st.sampled_from(["flip", "delete", "double", "insert"])):
            case "flip":
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "delete" if len(data) > 100:
                del data[at : at + length]
            case "double":
                data[at:at] = data[at : at + length]
            case _:
                data[at:at] = draw(
                    st.sampled_from([b'"', b"\\", b"[", b"}", rb"\ud83d", b"\xed\xa0\x80", b"\xff", b"0", b"\0"])
                )
    return bytes(data)


@given(with_bytes_changed())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_frame_with_bytes_changed_is_a_value_or_an_error(frame: bytes) -> None:
    read_all(frame)


SWAPS = [
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    str(2**70),
    "1e300",
    '""',
    '"x"',
    r'"\ud83d"',
    "[]",
    "[[]]",
    "{}",
    "[null]",
    '{"a":{"b":[]}}',
]


def _places(value: object) -> list[tuple[Any, Any]]:
    """Every container of a JSON value with a key or index into it."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: list[tuple[Any, Any]] = []
    for key, child in children:
        found += (value, key), *_places(child)
    return found


@st.composite
def with_values_changed(draw: st.DrawFn) -> bytes:
    value = json.loads(draw(st.sampled_from(FRAMES)).frame)
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(_places(value)))
        match draw(st.sampled_from(["swap", "swap", "delete", "rename"])):
            case "swap":
                container[key] = json.loads(draw(st.sampled_from(SWAPS)))
            case "rename" if isinstance(container, dict):
                container[key + "\ud83d"] = container.pop(key)
            case _ if len(container) > 1:
                del container[key]
    return json.dumps(value).encode()


@given(with_values_changed())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_frame_with_values_changed_is_a_value_or_an_error(frame: bytes) -> None:
    read_all(frame)


PUSHES = [frame for frame in FRAMES if frame.servcmd == PUSH]


@pytest.mark.parametrize("frame", PUSHES, ids=str)
def test_each_value_of_a_push_swapped_leaves_the_item_before_it_alone(frame: Recorded) -> None:
    """Every place, not some: an item in front, then the recorded ones with one value changed to a foreign one."""
    count = len(_places(json.loads(frame.frame)["body"]["EventArray"]))
    for place in range(count):
        items = json.loads(frame.frame)["body"]["EventArray"]
        container, key = _places(items)[place]
        container[key] = {"Foreign": []} if isinstance(container[key], (str, int, list)) else "foreign"
        first, *rest = opened(push(c2c_item(), *(json.dumps(item).encode() for item in items)))
        assert text_of(first) == "hello"
        assert rest or items == []


def test_a_null_counts_as_absent() -> None:
    raw = b'{"From_Account":"a","To_Account":"b","MsgSeq":1,"MsgRandom":2,"MsgTimeStamp":3,"MsgBody":[],"CloudCustomData":null}'
    assert decode(C2CMessage, raw).cloud_custom_data is UNSET


def test_a_null_where_something_is_needed_is_named() -> None:
    raw = b'{"From_Account":null,"To_Account":"b","MsgSeq":1,"MsgRandom":2,"MsgTimeStamp":3,"MsgBody":[]}'
    with pytest.raises(FrameError, match="From_Account"):
        decode(C2CMessage, raw)


def test_a_push_without_number_and_items_can_still_be_acknowledged() -> None:
    frame = decode_server_frame(b'{"head":{"servcmd":"im_open_push.msg_push"},"body":{"NeedAck":1,"SessionData":"s"}}')
    body = decode(PushBody, frame.body)
    assert (body.session_data, list(open_push(body))) == ("s", [])
