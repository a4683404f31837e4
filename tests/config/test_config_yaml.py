"""YAML as it is read here: 1.2's plain words, mistakes of form in plain words, and bounds on what aliases can do."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from config_site import ACCOUNT, config, mistake, mistakes

from timbot.config import reader, scalars
from timbot.config.expand import Expander
from timbot.config.tree import Plain, plain


def value(text: str) -> Plain:
    """What one value is read as."""
    root, problems = reader.read(f"a: {text}\n", "c.yaml", Expander(Path(), {}))
    assert not problems
    assert root is not None
    whole = plain(root)
    assert isinstance(whole, dict)
    return whole["a"]


TEXTS = [
    *("no", "yes", "on", "off", "y", "N", "09:00", "12:30", "1:2:3", "012", "-012", "00", "0o8", "0x"),
    *(
        "1_000",
        "2024-01-01",
        "2024-13-45",
        "1.2.3",
        "1e",
        ".",
        "e3",
        "+",
        "inf",
        "nan",
        "Null?",
        "tRue",
        "=",
        "01.5",
        "127.0.0.1",
    ),
]


@pytest.mark.parametrize("text", [*TEXTS, "2026-12-24 09:00"])
def test_what_is_a_text(text: str) -> None:
    assert value(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, True) for text in ("true", "True", "TRUE")),
        *((text, False) for text in ("false", "False", "FALSE")),
        *((text, None) for text in ("", "~", "null", "Null", "NULL")),
        *[("0", 0), ("12", 12), ("-7", -7), ("+7", 7), ("0o17", 15), ("0xFf", 255)],
        *[("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("-1.", -1.0), ("6.02E+23", 6.02e23), (".inf", float("inf"))],
        *[("'12'", "12"), ('"true"', "true"), ("!!str 12", "12"), ("! 12", "12"), ("!!int '12'", 12), ("!!float 1", 1)],
        *[("|\n  12", "12\n"), (">-\n  a\n  b", "a b"), ("!!seq [1]", [1]), ("!!map {b: 1}", {"b": 1})],
    ],
)
def test_what_is_what(text: str, expected: Plain) -> None:
    assert value(text) == expected
    assert type(value(text)) is type(expected)


def test_a_number_of_thousands_of_digits_is_a_text() -> None:
    assert scalars.resolve("9" * 5000) == "9" * 5000


def test_keys_are_read_as_they_are_spelled() -> None:
    assert value("{1: a, 012: b, on: c, 1.50: d, null: e, 'x y': f}") == {
        "1": "a",
        "012": "b",
        "on": "c",
        "1.50": "d",
        "null": "e",
        "x y": "f",
    }


# Aliases


def test_anchors_and_merges_work() -> None:
    made = config("accounts:\n  - &a {user_id: one, nick: N}\n  - {<<: *a, user_id: two}\n")
    assert [(account.user_id, account.nick) for account in made.accounts] == [("one", "N"), ("two", "N")]


def test_of_several_merged_mappings_the_first_counts() -> None:
    assert value("{x: &x {k: 1, l: 1}, y: &y {k: 2, m: 2}, z: {<<: [*x, *y], l: 3}}") == {
        "x": {"k": 1, "l": 1},
        "y": {"k": 2, "m": 2},
        "z": {"l": 3, "k": 1, "m": 2},
    }


def test_an_anchor_may_be_given_anew() -> None:
    assert value("[&b 1, *b, &b 2, *b]") == [1, 1, 2, 2]


def test_a_key_may_have_an_anchor() -> None:
    assert value("{&b c: 1, d: *b}") == {"c": 1, "d": "c"}


def test_a_quoted_merge_key_is_an_ordinary_one() -> None:
    assert value('{"<<": 1}') == {"<<": 1}


def test_a_mistake_in_what_is_merged_is_told_where_it_was_written() -> None:
    text = "accounts:\n  - &a {user_id: one, nik: N}\n  - {<<: *a, user_id: two}\n"
    assert [line.split(": ")[0] for line in mistakes(text)] == ["c.yaml:2:23", "c.yaml:2:23"]


def test_aliases_that_multiply_are_stopped() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert mistake("\n".join(lines)).endswith("too much in one file, aliases followed")


def test_long_texts_that_aliases_multiply_are_stopped() -> None:
    text = f"a: &a {'x' * 10_000}\nb: &b [{', '.join(['*a'] * 100)}]\nc: [{', '.join(['*b'] * 100)}]\n"
    assert mistake(text).endswith("too much in one file, aliases followed")


def test_merges_that_multiply_are_stopped() -> None:
    lines = [f"a0: &a0 {{{', '.join(f'k{n}: 1' for n in range(300))}}}"]
    lines += [f"a{n}: &a{n} {{<<: *a0}}" for n in range(1, 1000)]
    assert mistake("\n".join(lines)).endswith("too much in one file, aliases followed")


@pytest.mark.parametrize("text", ["[" * 100_000, "a: " + "{a: " * 1000, "- " * 5000])
def test_depth_is_bounded(text: str) -> None:
    assert mistake(text).endswith("nested more than 40 levels deep")


def test_depth_by_aliases_is_bounded() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60)]
    assert mistake("\n".join(lines)).endswith("too much in one file, aliases followed")


def test_length_is_bounded() -> None:
    assert mistake("#" * (reader.LONGEST_TEXT + 1)) == "c.yaml: this is too long: at most 4 MiB"


# Mistakes of form, in both parsers

FORM = [
    (
        f"{ACCOUNT}bots: []\nbots: []\nbots: []\n",
        ["4:1: bots: this key is given twice; first in line 3", "5:1: bots: this key is"],
    ),
    (f"{ACCOUNT}    nick: a\n    nick: b\n", ["4:5: accounts.0.nick: this key is given twice; first in line 3"]),
    (
        f"{ACCOUNT}1: 2\n'1': 2\n",
        ["3:1: 1: there is no such key; there are", "4:1: 1: this key is given twice; first in line 3"],
    ),
    (f"{ACCOUNT}? [a, b]\n: 1\n", ["3:3: a key is a plain word, not a list or a mapping"]),
    (f"{ACCOUNT}? {{a: b}}\n: 1\n", ["3:3: a key is a plain word, not a list or a mapping"]),
    (f"{ACCOUNT}bots: &b [x]\n*b : 1\n", ["4:1: a key is a plain word, not an alias"]),
    (f"{ACCOUNT}log: {{'': 1}}\n", ["log.: a key must not be empty"]),
    (f"{ACCOUNT}${{X}}: 1\n", ["3:1: ${X}: variables are put into values only, not into keys"]),
    (f"{ACCOUNT}bots: *b\n", ["3:7: bots: there is no such anchor above; a text that begins with '*' needs quotes"]),
    (f"{ACCOUNT}bots: &b [*b]\n", ["3:11: bots.0: this alias stands inside what it stands for"]),
    (f"{ACCOUNT}<<: 5\n", ["3:1: <<: '<<' takes in a mapping by its alias"]),
    (f"{ACCOUNT}<<: [[]]\n", ["3:1: <<: '<<' takes in a mapping by its alias"]),
    (f"{ACCOUNT}<<: {{}}\n<<: {{}}\n", ["4:1: <<: this key is given twice: write one '<<'"]),
    (f"{ACCOUNT}bots: !x [y]\n", ["3:7: bots: tags are not used here; a text that begins with '!' needs quotes"]),
    (f"{ACCOUNT}    nick: !secret\n", ["3:11: accounts.0.nick: tags are not used here; a text that begins with '!'"]),
    (f"{ACCOUNT}    nick: !!python/object:os.system x\n", ["3:11: accounts.0.nick: tags are not used here"]),
    (f"{ACCOUNT}    nick: !!binary aGk=\n", ["3:11: accounts.0.nick: tags are not used here"]),
    (f"{ACCOUNT}loop_guard: !!int x\n", ["3:13: loop_guard: the value is not what its tag says: take the tag out"]),
    (f"{ACCOUNT}loop_guard: !!int true\n", ["3:13: loop_guard: the value is not what its tag says"]),
    ("a: b: c\n", ["1:5: a text that holds ': ' needs quotes"]),
    ("a: 1\n  b: 2\n", ["2:4: this line does not fit under the one above: check the indentation"]),
    ("a:\n\tb: 1\n", ["2:1: a: a tab: indent with spaces"]),
    ("a: 1\n\tb: 1\n", [": a tab: indent with spaces"]),
    ("\tx: 1\n", ["1:1: a tab: indent with spaces"]),
    ("a: @TGS#1\n", ["1:4: a: a text cannot begin with '@': put the text into quotes"]),
    ("a: `x`\n", ["1:4: a: a text cannot begin with '`': put the text into quotes"]),
    ("a: %x\n", ["1:4: a: a text cannot begin with '%': put the text into quotes"]),
    ("a: *\n", ["1:5: a: a text cannot begin with '*' or '&': put the text into quotes"]),
    ("b: 1\na: 'x\nc: 1\n", ["2:4: a: the quote that opens here is never closed"]),
    ('b: 1\na: "x\nc: 1\n', ["2:4: a: the quote that opens here is never closed"]),
    ("a: [1, 2\nb: 1\n", ["1:4: a.2: what opens here is not closed properly: between [ and ] commas"]),
    ("a: {b: 1\nc: 2\n", ["1:4: a: what opens here is not closed properly: between { and } commas"]),
    ("a: [${X}]\n", ["inside [ ] and { } an expansion needs quotes"]),
    ("a: 'it's'\n", ["1:8: this does not fit under the lines above: give the same keys the same indentation, close quotes"]),
    ("a:\n  - b\n c: 1\n", ["3:2: this does not fit under the lines above"]),
    ("a: - b\n", ["1:4: a: a list begins on a line of its own: put '- ' under the key"]),
    ("a: b\nc\nd: 1\n", ["3:1: a key needs a colon and a space behind it"]),
    ("a: ? x\n", ["1:4: a: a text cannot begin with '? '"]),
    ("a: }\n", ["1:4: a: a key or a value is missing here"]),
    ("a: |x\n b\n", ["1:5: a: nothing may follow '|' or '>' on its line"]),
    ("%YAML 3.0\n---\na: 1\n", ["1:1: another version of YAML is asked for"]),
    ("a: 1\n---\nb: 2\n", ["2:1: a second document begins here: take out the '---'"]),
    ("a: 1\n...\nfoo\n", ["3:1: the file goes on after its end"]),
]


@pytest.mark.parametrize("parser", [yaml.CSafeLoader, yaml.SafeLoader], ids=["fast", "pure"])
@pytest.mark.parametrize(("text", "told"), FORM, ids=[text for text, _ in FORM])
def test_mistakes_of_form(text: str, told: list[str], parser: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_PARSER", parser)
    lines = mistakes(text)
    assert len(lines) == len(told)
    for line, expected in zip(lines, told, strict=True):
        assert expected in line


def test_an_escape_that_is_none() -> None:
    assert mistake('a: "\\d+"\n').endswith(
        "in double quotes a backslash begins an escape: use single quotes, or write it twice"
    )


def test_a_character_that_is_not_allowed() -> None:
    assert mistake("a: 1\r\nb: x\x07\n").startswith("c.yaml:2:5: a character that YAML does not allow")


def test_half_a_character() -> None:
    assert "c.yaml:1:4: a character that YAML does not allow" in mistake("a: \ud800")


@pytest.mark.parametrize("text", ["", "# nothing\n", "- 1\n", "just words\n", "---\n...\n", "~"])
def test_no_settings_at_all(text: str) -> None:
    assert mistake(text) == "c.yaml: the file holds no settings: 'timbot new config FILE' writes one to begin with"


def test_a_list_in_itself_is_no_crash() -> None:
    assert mistakes("accounts: &a [*a]\n") == [
        "c.yaml:1:15: accounts.0: this alias stands inside what it stands for; a text that begins with '*' needs quotes"
    ]


def test_places_count_characters_of_any_script() -> None:
    assert mistake("accounts: [{user_id: 你好🎲, zzz: 1}]\n").startswith("c.yaml:1:27: accounts.0.zzz: ")
