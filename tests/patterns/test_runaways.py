"""Patterns that may run away are refused, those that businesses write are not, and what is taken is fast."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from pattern_site import patterns, pumped, seconds

from timbot.patterns import Pattern, PatternError
from timbot.patterns.pattern import judge
from timbot.patterns.trees import Unfit, parse

LIMIT = 0.25
"""Seconds. Measured it is a fifth of that at worst; other work on the machine slows a thread's time too."""

BUSINESS = [
    r"(?i)refund|return",
    r"订单\s*(\d{6,20})",
    r"^(hi|hello)\b",
    r"\b[A-Z]{2}\d{8}\b",
    r"(退款|退货).*(怎么|如何)",
    r"[\w.+-]+@[\w-]+\.[\w.-]+",
    r"order\s*#?\s*(?P<number>\d+)",
    r".*refund.*",
    r"^\s*(hi|hello)[\s!]*$",
    r"\d{3,4}-?\d{7,8}",
    r"(https?://)?([\w-]+\.)+\w+(/\S*)?",
    r"(\w+\s)+end",
    r"(\w+,)*\w+!",
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})",
    r"退款.{0,20}怎么.{0,20}办",
    r"我要?(买|订|购买)\s*(\d+)\s*(个|件|份)?",
    r"^/?(help|帮助)\s*(.*)$",
    r"(\d{3}-?){3}",
    r"[一-龥]{2,4}(先生|女士)",
    r"price\s*[:：]?\s*(\d+(\.\d{1,2})?)",
    r'"[^"]*"',
    r"(?<!\d)1[3-9]\d{9}(?!\d)",
    r"(?m)^#\s*(\w+)$",
    r"^\w*\w*x",
    r"(^\w*\w*x)",
    r"(?:ab|cd|ef|gh)*x",
    r"(?:k1|s1)*x",
    "|".join(f"product{number}" for number in range(80)),
]

WORDS = ("a", " ", "1", "退款", "退货怎么", "订单1", "order ", "order #", "refund", "@", "a@a.", "a.", "-", "hello", "price ")

RUNAWAYS = [
    r"(a+)+b",
    r"(a|a)*b",
    r"(a|aa)+b",
    r"(a|b|ab)*c",
    r"(\w+\s?)*$",
    r"(\d+)*x",
    r"([a-z]+)*\d",
    r"(x+x+)+y",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"([^a]|b)*c",
    r"(.*a){20}",
    r"(a|aa){20}b",
    r"(a?){30}a{30}",
    "a?" * 25 + "a" * 25,
    r"(a*)*b",
    r"(a|b?)*c",
    r"(?:a*)+b",
    r"\s*\s*\s*x",
    r"\w*\w*x",
    r".*.*=.*",
    r".*a.*b",
    r"(.*),(.*),(.*);",
    r"(a+)\1",
    r"(\w)\1+",
    r"(?=.*a)(?=.*b)c",
    r"(?!(a+)+b)c",
    r"(?<=a)(b+)+c",
    r"(?i)(k1|\u212a1)*x",
    r"(?i)(s1|ſ1)*x",
    r"(é1|É1)*x",
    r"(\da|٣a)*x",
    r"([一-龥]a|中a)*x",
    r"([à-ö]a|[À-Ö]a)*x",
    r"(\sa|\u3000a)*x",
    r"(.|\n|a)*x",
    r"(?s)(.|\n)*x",
    r"(\wa|_a)*x",
    r"(?P<n>a+)*b",
    r"(a+)+?b",
    r"((a{1,9}){1,9}){1,9}b",
    r"(\w+\.?)+@",
    r"(?:(?:\d{2,5}){3}){2}x",
    r"(退款).*(订单).*(多少)",
    r"(^\w*\w*x)|\d*\d*y",
    r"(?m)^\w*\w*x",
    r"x{700}",
    r"((a{90}){90}){90}",
    r"((()|()){900}){900}",
    r"(a++)+b|(c|c)*d",
]


@pytest.fixture(autouse=True)
def _without_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timbot.patterns.pattern.installed", lambda: False)


@pytest.mark.parametrize("pattern", RUNAWAYS)
def test_a_runaway_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="may run away"):
        Pattern.compile(pattern)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(a+)+b", "a part that is repeated can match the same text in more than one way"),
        ("(a?)*b", "it repeats what may match nothing"),
        (r"\w*\w*x", "too many of its parts can match the same text"),
        (r"(a)\1", "it looks for a group's text again"),
        ("(?=a*)b", "it looks ahead or behind for more than a plain text"),
        ("a{700}", "it has more than 600 characters"),
        (".*" * 200 + "x", "it is too entangled to tell"),
    ],
)
def test_the_reason_is_said(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=re.escape(reason)):
        Pattern.compile(pattern)


@pytest.mark.parametrize("pattern", ["(a1|A1)*x", "(é1|É1)*x", "([à-ö]1|[À-Ö]1)*x", "([a-z]1|\u212a1)*x"])
def test_where_case_counts_they_are_apart(pattern: str) -> None:
    assert Pattern.compile(pattern, ignore_case=False).engine == "re"
    with pytest.raises(PatternError, match="in more than one way"):
        Pattern.compile(pattern)


@pytest.mark.parametrize("pattern", BUSINESS)
def test_what_businesses_write_is_taken(pattern: str) -> None:
    assert Pattern.compile(pattern).engine == "re"


@pytest.mark.parametrize("pattern", BUSINESS)
def test_what_businesses_write_is_fast(pattern: str) -> None:
    compiled = re.compile(pattern, re.IGNORECASE)
    assert max(seconds(compiled, text) for text in pumped(WORDS)) < LIMIT


@settings(max_examples=150, deadline=None)
@given(patterns)
def test_what_is_taken_is_fast(pattern: str) -> None:
    try:
        Pattern.compile(pattern)
    except PatternError:
        assume(False)
    compiled = re.compile(pattern, re.IGNORECASE)
    assert max(seconds(compiled, text) for text in pumped()) < LIMIT


@pytest.mark.parametrize("pattern", [*RUNAWAYS, *BUSINESS])
def test_the_judgement_is_fast(pattern: str) -> None:
    nodes, flags = parse(pattern, re.IGNORECASE)
    compiled = re.compile("x")

    class Judge:
        def search(self, text: str) -> None:
            try:
                judge(nodes, flags)
            except Unfit:
                compiled.search(text)

    assert seconds(Judge(), "") < 1  # type: ignore[arg-type]
