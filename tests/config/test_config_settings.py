"""Settings of plugins: dataclasses, models and unions, with every mistake told at its place in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pytest
from config_site import ACCOUNT, document
from pydantic import BaseModel, Field, SecretStr, StringConstraints, ValidationInfo, field_validator, model_validator

from timbot.config import ConfigErrors, Duration, PluginUse, Problem, describe_settings, settings_of


@dataclass(frozen=True, slots=True)
class Rule:
    word: str
    answers: tuple[str, ...] = ()
    """What is said."""
    limit: int | None = None


class Menu(BaseModel):
    title: str
    entries: list[str] = []


class Link(BaseModel):
    url: str
    label: Annotated[str, Field(alias="text")] = ""


class Mood(Enum):
    FRIENDLY = "friendly"
    CURT = "curt"


class Kind(BaseModel):
    kind: Literal["a"]
    size: int


class Other(BaseModel):
    kind: Literal["b"]
    name: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a plugin may take."""

    rules: list[Rule] = field(default_factory=list)
    by_name: Mapping[str, Rule] = field(default_factory=dict)
    by_number: dict[int, str] = field(default_factory=dict)
    what: Menu | Link | None = None
    tagged: Annotated[Kind | Other, Field(discriminator="kind")] | None = None
    mood: Mood = Mood.FRIENDLY
    amount: int | Literal["all"] = "all"
    groups: Literal["all"] | list[str] = "all"
    open: time = time(9)
    day: date | None = None
    wait: Duration = 1.0
    span: timedelta | None = None
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    code: Annotated[str, StringConstraints(pattern="^[a-z]+$", max_length=5)] = "a"
    pair: tuple[int, int] = (1, 2)
    unique: frozenset[str] = frozenset()
    path: Path = Path()
    token: SecretStr = field(default_factory=lambda: SecretStr(""))
    price: Decimal | None = None
    zone: ZoneInfo | None = None
    few: Annotated[list[int], Field(max_length=1)] = field(default_factory=list)
    some: Annotated[list[int], Field(min_length=2)] = field(default_factory=lambda: [1, 2])


def check(text: str, kind: type | None = Settings, environ: dict[str, str] | None = None) -> tuple[Any, list[Problem]]:
    """The settings of a plugin `p` whose settings are this flow mapping, in line 4."""
    made = document(f"{ACCOUNT}plugins:\n  - p: {text}\n", environ)
    [use] = made.plugin_uses()["bot"]
    return made.check_settings(use, kind, {})


def told(text: str, kind: type | None = Settings, environ: dict[str, str] | None = None) -> list[str]:
    value, problems = check(text, kind, environ)
    assert value is None or not problems
    return [str(problem).removeprefix("c.yaml:4:") for problem in problems]


def test_everything_can_be_given() -> None:
    value, problems = check(
        "{rules: [{word: a, answers: [b, c], limit: 3}], by_name: {x: {word: y}}, by_number: {1: one}, what: {url: u, text: t},"
        " tagged: {kind: b, name: n}, mood: curt, amount: 5, groups: [g], open: 08:30, day: 2026-12-24, wait: 1m30s,"
        " span: PT5M, share: 1,"
        " code: abc, pair: [3, 4], unique: [a, a], path: x/y, token: abc, price: 1.5, zone: Asia/Shanghai,"
        " few: [1], some: [1, 2]}"
    )
    assert problems == []
    assert value == Settings(
        rules=[Rule("a", ("b", "c"), 3)],
        by_name={"x": Rule("y")},
        by_number={1: "one"},
        what=Link.model_validate({"url": "u", "text": "t"}),
        tagged=Other(kind="b", name="n"),
        mood=Mood.CURT,
        amount=5,
        groups=["g"],
        open=time(8, 30),
        day=date(2026, 12, 24),
        wait=90.0,
        span=timedelta(minutes=5),
        share=1.0,
        code="abc",
        pair=(3, 4),
        unique=frozenset({"a"}),
        path=Path("x/y"),
        token=SecretStr("abc"),
        price=Decimal("1.5"),
        zone=ZoneInfo("Asia/Shanghai"),
        few=[1],
        some=[1, 2],
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{rulez: []}", "9: plugins.0.p.rulez: there is no such key; did you mean rules?"),
        ("{rules: [{word: a, answer: [b]}]}", "27: plugins.0.p.rules.0.answer: there is no such key; did you mean answers?"),
        ("{rules: [{}]}", "17: plugins.0.p.rules.0.word: this is needed"),
        ("{rules: [{word: 5}]}", '18: plugins.0.p.rules.0.word: a text is needed: put it in quotes, "like this"'),
        ("{rules: [x]}", "17: plugins.0.p.rules.0: a mapping with word, answers, limit is needed"),
        ("{rules: {a: b}}", "9: plugins.0.p.rules: a list is needed"),
        ("{rules: [{word: a, limit: x}]}", "27: plugins.0.p.rules.0.limit: a whole number is needed"),
        ("{by_name: {x: {wrd: y, word: z}}}", "23: plugins.0.p.by_name.x.wrd: there is no such key; did you mean word?"),
        ("{by_name: [x]}", "9: plugins.0.p.by_name: a mapping (key: value) is needed"),
        ("{by_number: {x: y}}", "21: plugins.0.p.by_number.x: as a key a whole number is needed"),
        ("{what: {titel: t, title: x}}", "16: plugins.0.p.what.titel: there is no such key; did you mean title?"),
        ("{what: {url: u, txt: x}}", "24: plugins.0.p.what.txt: there is no such key; did you mean text?"),
        ("{what: 5}", "9: plugins.0.p.what: a mapping with title, entries or a mapping with url, text is needed"),
        ("{what: {title: 5}}", '16: plugins.0.p.what.title: a text is needed: put it in quotes, "like this"'),
        ("{tagged: {kind: a, size: x}}", "27: plugins.0.p.tagged.size: a whole number is needed"),
        ("{tagged: {kind: c}}", "9: plugins.0.p.tagged: its key 'kind' says which kind it is: one of a, b is needed"),
        ("{tagged: {size: 1}}", "9: plugins.0.p.tagged: its key 'kind' says which kind it is; it is needed"),
        ("{mood: kurt}", "9: plugins.0.p.mood: one of friendly or curt is needed; did you mean curt?"),
        ("{mood: 5}", "9: plugins.0.p.mood: one of friendly or curt is needed"),
        ("{amount: al}", "9: plugins.0.p.amount: a whole number or all is needed"),
        ("{amount: 1.5}", "9: plugins.0.p.amount: a whole number or all is needed"),
        ("{groups: [5]}", '18: plugins.0.p.groups.0: a text is needed: put it in quotes, "like this"'),
        ("{groups: al}", "9: plugins.0.p.groups: all or a list is needed: one entry a line, each after '- '; or [one, two]"),
        ("{open: 9}", "9: plugins.0.p.open: a time of day like 09:00 is needed"),
        ("{open: 25:00}", "9: plugins.0.p.open: a time of day like 09:00 is needed"),
        ("{day: soon}", "9: plugins.0.p.day: a date like 2026-12-24 is needed"),
        (
            "{wait: soon}",
            "9: plugins.0.p.wait: a length of time is needed, like 500ms, 10s, 5m or 1h30m, or a number of seconds",
        ),
        ("{span: soon}", "9: plugins.0.p.span: a length of time is needed"),
        ("{share: 0}", "9: plugins.0.p.share: more than 0 is needed"),
        ("{share: 1.5}", "9: plugins.0.p.share: at most 1 is needed"),
        ("{share: x}", "9: plugins.0.p.share: a number is needed"),
        ("{share: 00.5}", "9: plugins.0.p.share: a number is needed: write it without the leading zero"),
        ("{code: A1}", "9: plugins.0.p.code: a text of the form ^[a-z]+$ is needed"),
        ("{code: abcdef}", "9: plugins.0.p.code: at most 5 characters are needed"),
        ("{pair: [1, x]}", "19: plugins.0.p.pair.1: a whole number is needed"),
        ("{pair: [1]}", "9: plugins.0.p.pair.1: this is needed"),
        ("{pair: [1, 2, 3]}", "9: plugins.0.p.pair: at most 2 entries are needed"),
        ("{unique: a}", "9: plugins.0.p.unique: a list is needed: one entry a line, each after '- '; or [one, two]"),
        ("{path: 5}", '9: plugins.0.p.path: a text is needed: put it in quotes, "like this"'),
        (
            "{path: }",
            "9: plugins.0.p.path: a text is needed; there is nothing here (a text that begins with # or & needs quotes)",
        ),
        ("{token: 5}", '9: plugins.0.p.token: a text is needed: put it in quotes, "like this"'),
        ("{price: x}", "9: plugins.0.p.price: a number is needed"),
        ("{zone: Mars/Base}", "9: plugins.0.p.zone: a time zone like Asia/Shanghai is needed"),
        ("{few: [1, 2]}", "9: plugins.0.p.few: at most 1 entry is needed"),
        ("{some: [1]}", "9: plugins.0.p.some: at least 2 entries are needed"),
        ("{some: []}", "9: plugins.0.p.some: at least 2 entries are needed"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, expected: str) -> None:
    assert told(text) == [expected]


def test_all_mistakes_are_told() -> None:
    assert (
        len(told("{rulez: [], rules: [{}, {word: 1, x: 2}], what: {title: 1, zzz: 2}, mood: x, amount: y, pair: [a, b]}")) == 10
    )


class Checked(BaseModel):
    word: str
    count: int = 1

    @field_validator("word")
    @classmethod
    def _in_context(cls, word: str, info: ValidationInfo) -> str:
        if info.context and word not in info.context["known"]:
            raise ValueError("this is no word of ours.")
        return word

    @model_validator(mode="after")
    def _together(self) -> Checked:
        assert self.count < 10, "too many"
        return self


def test_the_context_is_handed_to_validators() -> None:
    made = document(f"{ACCOUNT}plugins:\n  - p: {{word: b}}\n")
    [use] = made.plugin_uses()["bot"]
    assert made.check_settings(use, Checked, {"known": ["b"]}) == (Checked(word="b"), [])
    value, problems = made.check_settings(use, Checked, {"known": ["a"]})
    assert value is None
    assert [str(problem) for problem in problems] == ["c.yaml:4:9: plugins.0.p.word: this is no word of ours"]


def test_what_a_validator_of_the_whole_says() -> None:
    assert told("{word: a, count: 10}", Checked) == ["5: plugins.0.p: too many"]


def test_what_a_validator_says_shows_no_secret() -> None:
    class Chatty(BaseModel):
        key: str

        @field_validator("key")
        @classmethod
        def _no(cls, key: str) -> str:
            raise ValueError(f"{key} is wrong")

    [line] = told("{key: '${A_KEY}'}", Chatty, {"A_KEY": "0123456789abcdef"})
    assert line == "9: plugins.0.p.key: *** is wrong"


def test_what_a_dataclass_says_itself() -> None:
    @dataclass
    class Strict:
        a: int

        def __post_init__(self) -> None:
            if self.a > 3:
                raise ValueError("a is three at most")

    assert told("{a: 4}", Strict) == ["5: plugins.0.p: a is three at most"]
    assert check("{a: 3}", Strict) == (Strict(3), [])


def test_a_settings_type_that_breaks() -> None:
    @dataclass
    class Broken:
        a: int

        def __post_init__(self) -> None:
            raise KeyError(self.a)

    assert told("{a: 4}", Broken) == ["5: plugins.0.p: its settings cannot be checked: Broken raised KeyError"]


def test_a_settings_type_that_cannot_be_one() -> None:
    @dataclass
    class Odd:
        a: Never

    [line] = told("{a: 4}", Odd)
    assert line.startswith("5: plugins.0.p: its settings type Odd cannot be used: Unable to generate pydantic-core schema")


class Never:
    """Something that no setting can be."""


def test_a_plugin_without_settings() -> None:
    assert check("{}", None) == (None, [])
    assert check("", None) == (None, [])
    assert told("{a: 1}", None) == ["5: plugins.0.p: this plugin takes no settings: leave only its name"]


@pytest.mark.parametrize("text", ["p", "p: {}", "p:"])
def test_a_plugin_that_is_given_none_takes_its_defaults(text: str) -> None:
    made = document(f"{ACCOUNT}plugins:\n  - {text}\n")
    [use] = made.plugin_uses()["bot"]
    assert made.check_settings(use, Settings) == (Settings(), [])


def test_what_is_needed_is_asked_for_where_the_plugin_is_named() -> None:
    made = document(f"{ACCOUNT}plugins:\n  - x\n  - p\n")
    use = made.plugin_uses()["bot"][1]
    assert [str(one) for one in made.check_settings(use, Rule)[1]] == ["c.yaml:5:5: plugins.1.p.word: this is needed"]


def test_settings_of_an_account() -> None:
    made = document("accounts:\n  - user_id: bot\n    plugins:\n      - p: {wrd: a}\n")
    [use] = made.plugin_uses()["bot"]
    assert sorted(str(problem) for problem in made.check_settings(use, Rule)[1]) == [
        "c.yaml:4:13: accounts.0.plugins.0.p.wrd: there is no such key; did you mean word?",
        "c.yaml:4:9: accounts.0.plugins.0.p.word: this is needed",
    ]


def test_a_value_that_could_not_be_read_is_told_once() -> None:
    made = document(f"{ACCOUNT}plugins:\n  - p: {{word: '${{NOPE}}'}}\n")
    [use] = made.plugin_uses()["bot"]
    value, problems = made.check_settings(use, Rule)
    assert value is None
    assert problems == made.problems
    assert [problem.key for problem in problems] == ["plugins.0.p.word"]


def test_expansions_in_settings() -> None:
    value, problems = check("{rules: [{word: '${W}', limit: '${N}'}]}", environ={"W": "12", "N": "3"})
    assert [problem.key for problem in problems] == ["plugins.0.p.rules.0.limit"]
    made = document(f"{ACCOUNT}plugins:\n  - p:\n      word: ${{W}}\n      limit: ${{N}}\n", {"W": "12", "N": "3"})
    [use] = made.plugin_uses()["bot"]
    value, _ = made.check_settings(use, Rule)
    assert value == Rule("12", (), 3)


def test_a_use_that_stands_in_no_file() -> None:
    made = document(ACCOUNT)
    assert made.check_settings(PluginUse("p", {"word": "a"}), Rule) == (Rule("a"), [])
    [problem] = made.check_settings(PluginUse("p", {"word": 5}), Rule)[1]
    assert str(problem).startswith("c.yaml:1:1: p.word: a text is needed")


def test_a_use_whose_settings_are_taken_away_has_none() -> None:
    made = document(f"{ACCOUNT}plugins:\n  - p: {{word: a}}\n")
    [use] = made.plugin_uses()["bot"]
    assert made.check_settings(replace(use, settings=None), None) == (None, [])


def test_settings_given_in_code() -> None:
    assert settings_of("p", Rule, {"word": "a", "answers": ("b",)}) == Rule("a", ("b",))
    with pytest.raises(ConfigErrors, match=r"settings of p: wrd: there is no such key; did you mean word\?"):
        settings_of("p", Rule, {"word": "a", "wrd": 1})


def test_settings_in_words() -> None:
    lines = describe_settings(Settings)
    assert describe_settings(None) == []
    assert "amount: whole number or all (default all)" in lines
    at = lines.index("rules: list of: mapping")
    assert lines[at + 1 : at + 4] == [
        "  word: text (needed)",
        "  answers: list of: text (default []) - What is said.",
        "  limit: whole number (default nothing)",
    ]


@dataclass(frozen=True, slots=True)
class Step:
    reply: str
    then: Step | None = None
    others: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Walk:
    first: Step
    last: Step | None = None
    pause: float = 1800.0


def test_a_mapping_within_itself_is_told_once() -> None:
    assert describe_settings(Walk) == [
        "first: mapping (needed)",
        "  reply: text (needed)",
        "  then: mapping (default nothing)",
        "  others: list of: mapping (default [])",
        "last: mapping (default nothing)",
        "pause: number (default 1800)",
    ]
