"""Text as routes see it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timbot.routing.text import fold, normalize, split_command, without_mention


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hello", "HELLO"),
        ("hello", "  hello \n"),
        ("hello", "ｈｅｌｌｏ"),
        ("/dice 2", "／ｄｉｃｅ　２"),
        ("你好", "\u3000你好\u3000"),
        ("straße", "STRASSE"),
        ("café", "cafe\u0301"),
        ("Ǆ", "ǆ"),
        ("👍", "👍 "),
    ],
)
def test_texts_that_are_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("hello", "hell o"), ("👍", "👍🏽"), ("你好", "您好"), ("", "x")])
def test_texts_that_are_not_the_same(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_case_is_kept_for_the_handler() -> None:
    assert normalize(" Ｈello ") == "Hello"


@given(st.text())
def test_a_normal_form_stays_as_it_is(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@pytest.mark.parametrize("separator", [" ", "\u2005", "\u2006", "\u00a0", ",", "，", ":", "：", ", ", "：\n", "\t"])
def test_a_leading_mention_goes_with_what_separates_it(separator: str) -> None:
    assert without_mention(f"@bot{separator}hello", ["bot"]) == "hello"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("  @bot hello", "hello"),
        ("@bot", ""),
        ("@bot ", ""),
        ("@Tim Bot dice", "dice"),
        ("@bot2 hello", "@bot2 hello"),
        ("@bottom hello", "@bottom hello"),
        ("@alice hello", "@alice hello"),
        ("@ bot hello", "@ bot hello"),
        ("hello @bot", "hello @bot"),
        ("bot hello", "bot hello"),
        ("@bot @alice hello", "@alice hello"),
        ("@BOT hello", "@BOT hello"),
        ("", ""),
    ],
)
def test_what_is_left_without_a_mention(text: str, seen: str) -> None:
    assert without_mention(text, ["bot", "Tim", "Tim Bot", ""]) == seen


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/dice", ("dice", ())),
        ("/Dice 2  6", ("dice", ("2", "6"))),
        ("/掷 2\n6", ("掷", ("2", "6"))),
        ("/dice\u00a0Ä", ("dice", ("Ä",))),
        ("//x", ("/x", ())),
        ("/", None),
        ("/ ", None),
        ("/ dice", None),
        ("dice", None),
        ("", None),
    ],
)
def test_commands(text: str, command: tuple[str, tuple[str, ...]] | None) -> None:
    assert split_command(text) == command


@given(st.text())
def test_any_text_is_a_command_or_none(text: str) -> None:
    command = split_command(text)
    assert command is None or (command[0] and text.startswith("/"))
