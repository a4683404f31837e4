"""What is kept of events and messages comes back as it was."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timbot.errors import FrameError
from timbot.im.api.messages import OutgoingMessage
from timbot.im.api.record import decode_outgoing, encode_outgoing
from timbot.im.model import events as model
from timbot.im.model.message import ConversationType, Message, Priority
from timbot.im.model.payloads import BrokenPayload, Custom, Face, Location, Payload, Text, UnknownPayload
from timbot.im.model.people import FriendApplication
from timbot.im.model.record import (
    FORMAT,
    UnreadableRecord,
    decode_event,
    decode_message,
    encode_event,
    encode_message,
)
from timbot.im.wire.elements import Element
from timbot.im.wire.value import Raw

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
NUMBERS = st.integers(-(2**63), 2**63 - 1)
JSON = st.sampled_from([b"{}", b'{"Text":"hi"}', b'{"Text":7}', b'{"Data":"\\u0000","Ext":"x"}', b"[1, 2.50]", '"ü"'.encode()])
ELEMENTS = st.builds(
    Element, msg_type=st.sampled_from(["TIMTextElem", "TIMCustomElem", "Own"]), msg_content=st.builds(Raw, JSON)
)
MESSAGES = st.builds(
    Message,
    conversation_type=st.sampled_from([ConversationType.C2C, ConversationType.GROUP]),
    peer=TEXTS,
    from_=TEXTS,
    to=TEXTS,
    flow=st.sampled_from(["in", "out"]),
    time=NUMBERS,
    sequence=NUMBERS,
    random=NUMBERS,
    elements=st.lists(ELEMENTS, max_size=3),
    nick=TEXTS,
    avatar=TEXTS,
    name_card=TEXTS,
    cloud_custom_data=TEXTS,
    priority=st.sampled_from(Priority),
    at_user_list=st.lists(TEXTS, max_size=2).map(tuple),
    client_sequence=NUMBERS,
    is_revoked=st.booleans(),
    is_modified=st.booleans(),
    online_only=st.booleans(),
)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=2).map(tuple)
MANY = st.lists(TEXTS, max_size=2).map(tuple)
TIP: dict[str, Any] = {
    "type": st.sampled_from(model.TipType),
    "group_id": TEXTS,
    "group_name": TEXTS,
    "operator_id": TEXTS,
    "user_ids": MANY,
    "nicks": MANY,
    "member_count": NUMBERS,
    "time": NUMBERS,
    "sequence": NUMBERS,
    "changes": PAIRS,
    "mute_seconds": st.lists(NUMBERS, max_size=2).map(tuple),
}
FLAT: st.SearchStrategy[model.Event] = st.one_of(
    st.builds(model.MessageRevoked, TEXTS, TEXTS, NUMBERS, NUMBERS),
    st.builds(model.GroupTip, **TIP),
    st.builds(model.MemberJoined, **TIP),
    st.builds(model.GroupNotice, st.sampled_from(model.NoticeType), TEXTS, TEXTS, TEXTS, TEXTS, NUMBERS),
    st.builds(
        model.GroupApplication,
        TEXTS,
        TEXTS,
        TEXTS,
        TEXTS,
        TEXTS,
        NUMBERS,
        TEXTS,
        st.one_of(TEXTS, NUMBERS),
        NUMBERS,
        NUMBERS,
    ),
    st.builds(model.GroupInvitation, TEXTS, TEXTS, TEXTS, TEXTS, NUMBERS, TEXTS, st.one_of(TEXTS, NUMBERS)),
    st.builds(
        model.FriendApplicationReceived,
        st.builds(FriendApplication, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, NUMBERS, st.booleans()),
    ),
)


def fields(message: Message) -> dict[str, object]:
    found = {name: getattr(message, name) for name in Message.__slots__ if name not in ("_payloads", "_elements")}
    return found | {"elements": [(element.msg_type, bytes(element.msg_content)) for element in message.elements]}


def opened(message: Message) -> bool:
    return message._payloads is not None


@given(MESSAGES)
def test_a_message_comes_back(message: Message) -> None:
    back = decode_message(encode_message(message))
    assert fields(back) == fields(message)
    assert not opened(back)


@given(MESSAGES, st.sampled_from([model.MessageReceived, model.OwnMessage, model.MessageModified]))
def test_an_event_with_a_message_comes_back(message: Message, kind: type) -> None:
    back = decode_event(encode_event(kind(message)))
    assert type(back) is kind
    assert fields(back.message) == fields(message)  # type: ignore[union-attr]  # all three kinds have one


@given(FLAT)
def test_other_events_come_back(event: model.Event) -> None:
    back = decode_event(encode_event(event))
    assert (type(back), back) == (type(event), event)


@given(TEXTS, TEXTS, st.binary(max_size=300), st.binary(max_size=300))
def test_a_broken_item_comes_back_with_its_bytes(reason: str, path: str, start: bytes, raw: bytes) -> None:
    event = model.BrokenItem(FrameError(reason, path=path, raw=start), raw=raw)
    back = decode_event(encode_event(event))
    assert isinstance(back, model.BrokenItem)
    assert (back.raw, back.error.raw, back.error.path) == (raw, start[:200], path)
    assert str(back.error) == str(event.error)


def test_what_never_has_an_identity_is_not_kept() -> None:
    with pytest.raises(TypeError, match="Ready"):
        encode_event(model.Ready(again=False))


def test_a_broken_element_stays_a_payload() -> None:
    element = Element(msg_type="TIMTextElem", msg_content=Raw(b'{"Text":7}'))
    message = Message(
        conversation_type=ConversationType.C2C,
        peer="a",
        from_="a",
        to="b",
        flow="in",
        time=1,
        sequence=1,
        random=1,
        elements=[element],
    )
    assert isinstance(decode_message(encode_message(message)).payload, BrokenPayload)


def test_the_bytes_in_journals_stay_what_they_are() -> None:
    event = model.MessageRevoked("C2Cann", "ann", 5, 6)
    assert encode_event(event) == b"\x01\x95\x05\xa6C2Cann\xa3ann\x05\x06"
    assert decode_event(b"\x01\x95\x05\xa6C2Cann\xa3ann\x05\x06") == event


def test_a_text_costs_little_more_than_its_own_bytes() -> None:
    element = Element(msg_type="TIMTextElem", msg_content=Raw(b'{"Text":"hello"}'))
    message = Message(
        conversation_type=ConversationType.C2C,
        peer="alice",
        from_="alice",
        to="bot",
        flow="in",
        time=1_767_571_200,
        sequence=3_043_200_013,
        random=9_322_987,
        elements=[element],
        client_sequence=3_043_200_013,
    )
    assert len(encode_event(model.MessageReceived(message))) < 100


@pytest.mark.parametrize(
    ("data", "number"),
    [(b"", -1), (b"\x00", 0), (b"\x02\x95", 2), (b"{}", 123), (b"\x01", 1), (b"\x01\xc0", 1), (b"\x01\x95\x63\x01", 1)],
)
@pytest.mark.parametrize("decode", [decode_event, decode_message, decode_outgoing])
def test_bytes_of_another_format_are_refused(decode: Any, data: bytes, number: int) -> None:
    with pytest.raises(UnreadableRecord) as refused:
        decode(data)
    assert refused.value.format == number


@given(st.binary(max_size=40))
def test_any_other_bytes_too(data: bytes) -> None:
    for decode in (decode_event, decode_message, decode_outgoing):
        try:
            decode(bytes((FORMAT,)) + data)
        except UnreadableRecord:
            continue


PAYLOADS: st.SearchStrategy[Payload] = st.one_of(
    st.builds(Text, TEXTS),
    st.builds(Custom, TEXTS, TEXTS, TEXTS),
    st.builds(Face, NUMBERS, TEXTS),
    st.builds(Location, st.floats(-90, 90), st.floats(-180, 180), TEXTS),
    st.builds(UnknownPayload, st.just("Own"), st.builds(Raw, JSON)),
)


@given(
    st.builds(
        OutgoingMessage,
        st.sampled_from([ConversationType.C2C, ConversationType.GROUP]),
        TEXTS,
        PAYLOADS,
        NUMBERS,
        NUMBERS,
        TEXTS,
        st.sampled_from(Priority),
        MANY,
    )
)
def test_a_message_to_be_sent_comes_back_with_its_token(message: OutgoingMessage) -> None:
    assert decode_outgoing(encode_outgoing(message)) == message


def test_half_a_character_is_replaced_as_in_sending() -> None:
    message = OutgoingMessage(ConversationType.C2C, "a", Text("x\ud800"), 1, 2, cloud_custom_data="\udfff")
    back = decode_outgoing(encode_outgoing(message))
    assert back == dataclasses.replace(message, payload=Text("x�"), cloud_custom_data="�")
