"""Long texts in several messages: all of it, in order, cut where it hurts least."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timbot.im.model.group import GroupType
from timbot.im.model.message import ConversationType
from timbot.im.model.payloads import Custom, Face, Image, Location, Payload, Text, element_of
from timbot.im.wire.commands import c2c, groups
from timbot.im.wire.messages import GroupAt
from timbot.im.wire.value import encode
from timbot.runtime.sending.graphemes import is_border
from timbot.runtime.sending.limits import vendor
from timbot.runtime.sending.split import LEAST, MessageTooLong, room, split
from timbot.testing import World

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
CLUSTERS = ["e\u0301", "👍🏽", "🇨🇳", FAMILY, "क्षि", "각", "\u1112\u1161\u11ab", "❤\ufe0f\u200d🔥", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "Z\u0337\u0333\u030e"]


def size(payload: Payload) -> int:
    return len(encode([element_of(payload)]))


def texts(text: str, limit: int) -> list[str]:
    parts = split(Text(text), limit)
    assert all(size(part) <= limit for part in parts)
    return [part.text for part in parts if isinstance(part, Text)]


def without_space(text: str) -> str:
    return "".join(text.split())


# What fits, and what cannot be cut


@pytest.mark.parametrize(
    "payload", [Text("hello"), Text("  as it is \n\n"), Custom("d", "e"), Face(1), Location(1.0, 2.0), Image("u", 1, ())]
)
def test_what_fits_is_returned_as_it_is(payload: Payload) -> None:
    parts = split(payload)
    assert len(parts) == 1
    assert parts[0] is payload


def test_what_cannot_be_cut_is_refused_with_its_size_and_the_cure() -> None:
    with pytest.raises(
        MessageTooLong, match=r"custom message is 20,\d\d\d bytes long .* room for 11,\d\d\d\. .* a link to it"
    ) as caught:
        split(Custom("x" * 20_000))
    assert (caught.value.size, caught.value.limit) == (size(Custom("x" * 20_000)), room())


def test_a_limit_in_which_nothing_can_be_said() -> None:
    with pytest.raises(ValueError, match="below 128"):
        split(Text("x" * 200), LEAST - 1)


@pytest.mark.parametrize("character", ["x", "中", "\n", '"', "\x01", "😀", "\ud800"])
def test_a_text_is_measured_as_it_travels(character: str) -> None:
    most = room()
    fits = character * ((most - size(Text(""))) // (size(Text(character)) - size(Text(""))))
    assert split(Text(fits)) == [Text(fits)]
    if not character.isspace():
        assert len(texts(fits + character, most)) == 2


# Where it is cut

PARAGRAPH = "One sentence. Another sentence, with a comma."


def test_paragraphs_first() -> None:
    text = "\n\n".join([PARAGRAPH, "Line one of two.\nLine two of two. " + "x " * 10, PARAGRAPH])
    assert texts(text, 180) == [f"{PARAGRAPH}\n\nLine one of two.\nLine two of two. " + ("x " * 10).rstrip(), PARAGRAPH]


def test_lines_before_sentences() -> None:
    assert texts("A first line. It goes on\nA second line. " + "and on " * 12, 128)[0] == "A first line. It goes on"


def test_sentences_before_words() -> None:
    assert texts("He said: “no.” " + "and on " * 20, 128)[0] == "He said: “no.”"
    assert texts("他说：“不。”" + "然后" * 40, 128)[0] == "他说：“不。”"


def test_a_number_is_no_sentence() -> None:
    assert texts("Pi is 3.14159 and more " + "digits follow here " * 6, 128)[0].endswith(("digits", "follow", "here"))


def test_words_before_characters() -> None:
    words = [f"word{number}" for number in range(60)]
    parts = texts(" ".join(words), 128)
    assert [word for part in parts for word in part.split(" ")] == words


def test_a_space_that_holds_together_is_no_place_to_cut() -> None:
    parts = texts("a 100\xa0km b " * 30, 128)
    assert all(part.count("100") == part.count("100\xa0km") for part in parts)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_what_one_sees_as_a_character_is_not_torn(cluster: str) -> None:
    for limit in range(150, 175):
        assert all(part == cluster * (len(part) // len(cluster)) for part in texts(cluster * 100, limit))


def test_a_line_keeps_its_indentation() -> None:
    text = "- point\n" + "\n".join(f"    - under {number}, with words" for number in range(12))
    assert all(part.startswith(("- point", "    - under")) for part in texts(text, 160))


def test_a_single_character_larger_than_a_message_is_torn() -> None:
    monster = "a" + "\u0301" * 500
    assert "".join(texts(monster, 200)) == monster


def test_nothing_but_space() -> None:
    parts = texts("\n" * 500, 200)
    assert len(parts) == 1
    assert not parts[0].strip()


# Code


def code(*lines: str, opening: str = "```python", closing: str = "```") -> str:
    return "\n".join([opening, *lines, closing])


LINES = [f"    value_{number} = {number}" for number in range(20)]


def test_a_block_that_fits_is_not_torn() -> None:
    block = code(*LINES[:6])
    assert texts("Here it is, said with some words before it:\n" + block + "\nAnd so on.", 210) == [
        "Here it is, said with some words before it:",
        block + "\nAnd so on.",
    ]


def test_the_words_above_a_block_stay_together() -> None:
    block = code(*LINES[:5])
    assert texts(f"Some words.\n\nHere it is:\n{block}", 170) == ["Some words.\n\nHere it is:", block]


def test_a_blank_line_in_a_block_is_no_paragraph_border() -> None:
    block = code("a = 1", "", "b = 2")
    text = "Words before. " * 5 + "\n\n" + block + "\n" + "Words behind. " * 5
    assert any(block in part for part in texts(text, 150))


def test_a_long_block_is_closed_and_opened_again_between_lines() -> None:
    parts = texts("Look:\n" + code(*LINES) + "\nDone.", 200)
    assert parts[0].startswith("Look:\n```python\n    value_0")
    assert all(part.endswith("\n```") for part in parts[:-1])
    assert all(part.startswith("```python\n    value_") for part in parts[1:])
    assert parts[-1].endswith("```\nDone.")
    assert [line for part in parts for line in part.split("\n") if "value" in line] == LINES


def test_a_longer_fence_stays_as_long() -> None:
    parts = texts(code(*LINES, "```", *LINES, opening="````", closing="````"), 200)
    assert all(part.startswith("````\n") and part.endswith("\n````") for part in parts)


def test_a_line_of_code_that_is_longer_than_a_message() -> None:
    parts = texts(code("x" * 1000), 200)
    inner = [part.removeprefix("```python\n").removesuffix("\n```") for part in parts]
    assert "".join(inner) == "x" * 1000


def test_a_block_that_ends_where_the_part_does_opens_no_empty_one() -> None:
    for limit in range(140, 420):
        parts = texts(code(*LINES[:8]) + "\nDone, and these are some more words.", limit)
        assert not any(re.search(r"```python\s*```", part) for part in parts)


def test_a_block_nobody_closed() -> None:
    parts = texts("\n".join(["```", *LINES]), 200)
    assert all(part.startswith("```\n    value") for part in parts)
    assert all(part.endswith("\n```") for part in parts[:-1])


@pytest.mark.parametrize(
    "text",
    [
        "word " * 18 + "and ```not a fence\n" + "word " * 40,
        "    ```indented, no fence\n\n" + "word " * 40,
        "```no `fence` in this line, but " + "a very long one " * 20,
    ],
)
def test_no_half_of_a_line_becomes_a_fence(text: str) -> None:
    assert not any(open_fence(part) for limit in range(LEAST, 250) for part in texts(text, limit))


def test_half_a_line_of_code_closes_no_block() -> None:
    parts = texts(code("x" * 60 + " ``` " + "y" * 400), 160)
    assert not any(part.removeprefix("```python\n").lstrip().startswith("```") for part in parts)


# What holds for every text

words = st.sampled_from(
    [*CLUSTERS, "a", "word", "中文", "。", ". ", "！”", ", ", " ", "  ", "\n", "\n\n", "\r\n", "\t", "\xa0", '"', "\\"]
)
fences = st.sampled_from(["\n```\n", "\n```python\n", "\n````\n", "```", "\n  ```\n"])
plain_texts = st.lists(words, min_size=20, max_size=250).map("".join)
coded_texts = st.lists(words | fences, min_size=20, max_size=250).map("".join)
limits = st.integers(LEAST, 700)


@given(plain_texts, limits)
def test_the_parts_say_everything_in_order(text: str, limit: int) -> None:
    parts = texts(text, limit)
    assert without_space("".join(parts)) == without_space(text)
    place = 0
    for part in parts:  # each stands in the text as it is: nothing inside it was changed
        place = text.index(part, place) + len(part)


@given(plain_texts, limits)
def test_no_cut_tears_a_character(text: str, limit: int) -> None:
    place = 0
    for part in texts(text, limit):
        start = text.index(part, place)
        place = start + len(part)
        assert is_border(text, start)
        assert is_border(text, place)


@given(coded_texts, limits)
def test_with_code_too_all_is_said_in_order(text: str, limit: int) -> None:
    """Whatever the fences: what stands between them is there, in order; no part but the last leaves a fence open."""
    parts = texts(text, limit)
    said = [re.sub(r"`{3,}(python)?", "", part) for part in parts]
    assert without_space("".join(said)) == without_space(re.sub(r"`{3,}(python)?", "", text))
    for part in parts[:-1]:
        assert not open_fence(part)


def open_fence(text: str) -> bool:
    marker = 0
    for line in text.split("\n"):
        fence = re.fullmatch(r" {0,3}(`{3,})([^`]*)", line)
        if fence and not marker:
            marker = len(fence[1])
        elif fence and len(fence[1]) >= marker and not fence[2].strip():
            marker = 0
    return bool(marker)


@settings(max_examples=50)
@given(st.text(min_size=100, max_size=400), limits)
def test_any_text_at_all(text: str, limit: int) -> None:
    assert without_space(re.sub("`", "", "".join(texts(text, limit)))) == without_space(re.sub("`", "", text))


def test_the_same_text_again_is_split_the_same() -> None:
    text = (PARAGRAPH + "\n\n" + code(*LINES)) * 20
    assert split(Text(text), 500) == split(Text(text), 500)


# What travels beside


@pytest.mark.parametrize("mentions", [0, 1, 30])
def test_the_whole_body_stays_below_the_vendors_limit(mentions: int) -> None:
    """Counted as strictly as it can be: every byte of the request's body."""
    users = tuple('"' * 32 for _ in range(mentions))
    custom = "c" * 1000 + "中" * 100
    most = room(cloud_custom_data=custom, at_user_list=users)
    body = [element_of(Text("x" * (most - size(Text("")))))]
    assert len(encode(body)) == most
    push = {
        "PushFlag": 0,
        "Title": "",
        "Desc": "",
        "Ext": "",
        "ApnsInfo": {"BadgeMode": 0},
        "AndroidInfo": {"OPPOChannelID": ""},
    }
    in_group = groups.SendRequest(
        from_account='"' * 32,
        group_id='"' * 48,
        random=99_999_999,
        client_seq=2**32,
        msg_priority="Lowest",
        msg_body=body,
        cloud_custom_data=custom,
        online_only_flag=0,
        group_at_info=[GroupAt(group_at_all_flag=0, group_at_account=user) for user in users],
    )
    assert len(encode(in_group)) + len(encode(push)) <= vendor().documented.message.bytes
    to_user = c2c.SendRequest(
        from_account='"' * 32,
        to_account='"' * 32,
        msg_time_stamp=2**32,
        msg_seq=2**32,
        msg_random=99_999_999,
        msg_body=body,
        cloud_custom_data=custom,
        from_account_nick="",
        from_account_headurl="",
        msg_life_time=604_800,
        msg_client_time=2**32,
    )
    assert len(encode(to_user)) + len(encode(push)) <= vendor().documented.message.bytes


@pytest.mark.parametrize("kind", [ConversationType.C2C, ConversationType.GROUP])
async def test_the_server_takes_every_part(kind: ConversationType) -> None:
    async with World() as world:
        alice = await world.user("alice")
        await alice.client.create_group(GroupType.WORK, "Bob", group_id="bob")
        for part in split(Text(("中文。" * 300 + "\n\n") * 20)):
            sent = await alice.client.send_message(alice.client.create_message("bob", kind, part))
            assert sent.time
