"""RE2 runs a pattern only where it finds just what Python's `re` finds."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pattern_site import PIECES, patterns, pumped, texts

from timbot.patterns import Match, Pattern
from timbot.patterns.linear import compiled, rewritten
from timbot.patterns.trees import Unfit, parse


def by_re2(pattern: str, flags: int) -> Pattern | None:
    """The pattern on RE2, whether it needs it or not; None if RE2 is not for it."""
    known = re.compile(pattern, flags)
    try:
        return Pattern(pattern, "re2", bool(flags), False, known, compiled(rewritten(*parse(pattern, flags))))
    except Unfit:
        return None


def by_re(pattern: str, flags: int) -> Pattern:
    return Pattern(pattern, "re", bool(flags), False, re.compile(pattern, flags))


@settings(max_examples=300, deadline=None)
@given(patterns, texts, st.sampled_from([0, re.IGNORECASE]))
@example(r"(\w+\s?)*$", "中国 １Ａ\n", 0)
@example(r"(a|b(c)?)+d", "bcad", 0)
@example(r"(?:(ab)|(b|a))+", "abab", 0)
def test_it_finds_the_same(pattern: str, text: str, flags: int) -> None:
    linear = by_re2(pattern, flags)
    assume(linear is not None)
    assert linear is not None
    assert linear.search(text) == by_re(pattern, flags).search(text)


@pytest.mark.parametrize("flags", [0, re.IGNORECASE])
@pytest.mark.parametrize(
    "one",
    [r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", ".", "(?s:.)", "k", "s", "[a-z]", "[^k]", "é", "[à-ö]", "ß", "ǆ", "(?a:\\w)"],
)
def test_every_character_is_taken_alike(one: str, flags: int) -> None:
    everything = [chr(point) for point in range(0x3000)] + [*PIECES, "\ud800", "\U0010ffff"]
    linear, plain = by_re2(f"^(?:{one})$", flags), re.compile(f"(?:{one})", flags)
    assert linear is not None
    assert [
        character
        for character in everything
        if character != "\n" and (linear.search(character) is not None) != (plain.fullmatch(character) is not None)
    ] == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"\ba",
        r"a\B",
        r"(a)\1",
        "(?=a)b",
        "(?!a)b",
        "(?<=a)b",
        "(a*)*",
        "(a?)+",
        "(|a)+",
        "a++",
        "(?>a)",
        "(a)?(?(1)b|c)",
        "a{1001}",
    ],
)
def test_what_it_has_not_or_sees_otherwise_is_not_given_to_it(pattern: str) -> None:
    assert by_re2(pattern, 0) is None


def test_a_pattern_too_large_for_it() -> None:
    assert by_re2(r"(\w{900}\w{900}\w{900}\w{900}){9}", re.IGNORECASE) is None


def test_half_characters_do_not_disturb_it() -> None:
    assert Pattern.compile(r"(a+)+(.)$").search("aa\ud800") == Match("aa\ud800", ("aa", "\ud800"), {})


@pytest.mark.parametrize("pattern", [r"(\w+\s?)*$", r"(a+)+b", r"(a|b|ab)*c", r".*a.*b.*c.*d", r"(.*a){20}", r"(x+x+)+y"])
def test_nothing_runs_away_on_it(pattern: str) -> None:
    linear = Pattern.compile(pattern)
    assert linear.engine == "re2"
    for text in pumped():
        started = time.thread_time()
        linear.search(text)
        assert time.thread_time() - started < 0.25
