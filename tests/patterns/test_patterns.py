"""What a pattern finds, and how it stands in a configuration."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from timbot.patterns import MAX_TEXT, Match, Pattern, PatternError

RUNAWAY = r"(\w+\s?)*$"


def test_a_match_has_its_groups() -> None:
    found = Pattern.compile(r"(?P<what>order|refund)\s*#?\s*(?P<number>\d+)(x)?(?P<more>y)?").search("my ORDER #42")
    assert found == Match("ORDER #42", ("ORDER", "42", None, None), {"what": "ORDER", "number": "42", "more": ""})
    assert (found.group(), found.group(2), found.group(3)) == ("ORDER #42", "42", None)


@pytest.mark.parametrize("number", [-1, 2])
def test_a_group_that_is_not_there(number: int) -> None:
    found = Pattern.compile("(a)").search("a")
    assert found is not None
    with pytest.raises(IndexError):
        found.group(number)


def test_nothing_found() -> None:
    assert Pattern.compile("a").search("b") is None


@pytest.mark.parametrize(("ignore_case", "found"), [(True, True), (False, False)])
def test_case(ignore_case: bool, found: bool) -> None:
    assert (Pattern.compile("refund", ignore_case=ignore_case).search("REFUND") is not None) is found


@pytest.mark.parametrize("pattern", ["b", r"(a+)+b"])
def test_only_the_beginning_of_a_text_is_looked_at(pattern: str) -> None:
    compiled = Pattern.compile(pattern)
    assert compiled.search("a" * (MAX_TEXT - 1) + "b") is not None
    assert compiled.search("a" * MAX_TEXT + "b") is None


@pytest.mark.parametrize("pattern", [r"^ok$", r"^(o+)+k$", r"^ok\Z"])
def test_line_breaks_at_the_end_are_not_looked_at(pattern: str) -> None:
    assert Pattern.compile(pattern).search("ok\n\n") is not None


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", "(?P<n>a)(?P<n>b)", "[[a]", "*", "x" * 1001, r"\q"])
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(PatternError, match=r"^bot.yaml:3:5: .* is no pattern: "):
        Pattern.compile(pattern, place="bot.yaml:3:5")


def test_it_is_shown_with_its_engine() -> None:
    assert repr(Pattern.compile("a|b")) == "Pattern('a|b', engine='re')"


def test_importing_it_imports_neither_pydantic_nor_re2() -> None:
    code = "import sys, timbot.patterns; print({'pydantic', 'pydantic_core', 're2'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


class TestRefusal:
    """What is said of a pattern that may run away, with RE2 and without."""

    def test_it_names_place_reason_and_cure(self) -> None:
        with pytest.raises(PatternError) as caught:
            Pattern.compile(r"(\w+\s?)*\b", place="bot.yaml:3:5")
        assert str(caught.value) == (
            r"bot.yaml:3:5: '(\w+\s?)*\b' may run away: a part that is repeated can match the same text in more than one way,"
            r" like (a+)+. Separate the repeated parts by something that none of them can match, like (\w+,)* for words and"
            r" commas. RE2 knows \b only between ASCII letters. To take the risk: unsafe_regex: true."
        )

    def test_without_re2_it_says_how_to_get_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("timbot.patterns.pattern.installed", lambda: False)
        with pytest.raises(PatternError, match=r"RE2 can run it: pip install 'timbot\[re2\]'. Or take the risk: unsafe_regex"):
            Pattern.compile(RUNAWAY)

    def test_re2_takes_it(self) -> None:
        assert Pattern.compile(RUNAWAY).engine == "re2"

    def test_re2_takes_it_also_where_the_risk_is_taken(self) -> None:
        assert Pattern.compile(RUNAWAY, unsafe_regex=True).engine == "re2"

    def test_the_risk_can_be_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("timbot.patterns.pattern.installed", lambda: False)
        assert Pattern.compile(RUNAWAY, unsafe_regex=True).engine == "re"

    def test_a_safe_pattern_needs_no_re2(self) -> None:
        assert Pattern.compile(r"order\s*#?\s*(\d+)").engine == "re"


@dataclass(frozen=True)
class Settings:
    keyword: Pattern
    others: tuple[Pattern, ...] = ()


class Rule(BaseModel):
    unsafe_regex: bool = False
    regex: Pattern


def refused(data: dict[str, object], kind: Any = Settings) -> list[tuple[tuple[int | str, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(data)
    return [(error["loc"], error["msg"].removeprefix("Value error, ")) for error in caught.value.errors()]


class TestFields:
    """A pattern in a configuration."""

    def test_a_text_ignores_case(self) -> None:
        assert TypeAdapter(Settings).validate_python({"keyword": "refund"}).keyword.search("Refund") is not None

    def test_a_mapping_has_more_to_say(self) -> None:
        given = {"regex": r"(a)\1", "case": True, "unsafe_regex": True}
        keyword = TypeAdapter(Settings).validate_python({"keyword": given}).keyword
        assert (keyword.pattern, keyword.ignore_case, keyword.unsafe_regex) == (r"(a)\1", False, True)

    def test_a_pattern_stays_as_it_is(self) -> None:
        pattern = Pattern.compile("a")
        assert TypeAdapter(Settings).validate_python({"keyword": pattern}).keyword is pattern

    def test_the_model_may_take_the_risk_for_its_patterns(self) -> None:
        assert Rule.model_validate({"unsafe_regex": True, "regex": r"(a)\1"}).regex.engine == "re"

    def test_a_pattern_may_refuse_the_risk_its_model_takes(self) -> None:
        data: dict[str, object] = {"unsafe_regex": True, "regex": {"regex": r"(a)\1", "unsafe_regex": False}}
        assert "may run away" in refused(data, Rule)[0][1]

    def test_without_it_the_risk_is_not_taken(self) -> None:
        assert "may run away" in refused({"regex": r"(a)\1"}, Rule)[0][1]

    def test_each_mistake_is_told_where_it_is(self) -> None:
        others: list[object] = [
            "fine",
            7,
            {"pattern": "a"},
            {"regex": "a", "cse": True},
            {"regex": 3},
            {"regex": "a", "case": 1},
        ]
        assert refused({"keyword": "(", "others": others}) == [
            (("keyword",), "'(' is no pattern: missing ), unterminated subpattern at position 0."),
            (("others", 1), "A pattern is a text, or {regex: '...', unsafe_regex: true, case: true}."),
            (("others", 2), "A pattern is a text, or {regex: '...', unsafe_regex: true, case: true}."),
            (("others", 3), "A pattern has no key 'cse'. Its keys are: regex, unsafe_regex, case."),
            (("others", 4), "'regex' of a pattern is a text, not 3."),
            (("others", 5), "'case' of a pattern is a yes or no (true, false), not 1."),
        ]

    def test_an_editor_is_told_both_forms(self) -> None:
        schema = TypeAdapter(Pattern).json_schema()
        assert [form["type"] for form in schema["anyOf"]] == ["string", "object"]
        assert set(schema["anyOf"][1]["properties"]) == {"regex", "unsafe_regex", "case"}

    @pytest.mark.parametrize("given", ["a", {"regex": "a", "case": True}, {"regex": r"(a)\1", "unsafe_regex": True}])
    def test_it_is_written_as_it_was_read(self, given: object) -> None:
        kind = TypeAdapter(Pattern)
        assert kind.dump_python(kind.validate_python(given)) == given
