"""responder: every mistake in its settings is named with its place; rules that nothing gets to are found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from timbot_plugins._shared.words import bare, contains, plain
from timbot_plugins.responder import bot
from timbot_plugins.responder.reach import unreachable
from timbot_plugins.responder.rules import Rule
from timbot_plugins.responder.settings import Settings

from timbot.config import Document
from timbot.errors import ConfigError
from timbot.runtime.assembly import assemble
from timbot.runtime.enabled import enable


def problems(settings: str, folder: Path) -> list[str]:
    """What is wrong with a responder's settings: line (from 1, within them), key and message."""
    config = folder / "bot.yaml"
    indented = "".join(f"      {line}\n" for line in settings.strip().splitlines())
    config.write_text(f"accounts: [{{user_id: bot}}]\nplugins:\n  - responder:\n{indented}", encoding="utf-8")
    try:
        assemble(config)
    except ConfigError as error:
        found = re.findall(r"bot\.yaml:(\d+):\d+: plugins\.0\.responder\.?([^: ]*): (.*)", error.message)
        return [f"{int(line) - 3}: {key}: {message}" for line, key, message in found]
    return []


ONE = "fallback: x\n"
RULE = "rules:\n- exact: [hi]\n"
HOURS = "hours: {tz: Asia/Shanghai, open: [mon-fri 09:00-18:00]}\n"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("quiet: 5m", "0: : the bot would never say anything: give rules, a menu or a fallback"),
        ("rules: []", "0: : the bot would never say anything: give rules, a menu or a fallback"),
        (f"{ONE}quite: 5m", "2: quite: there is no such key; did you mean quiet?"),
        (f"{ONE}quiet: 5 minutes", "2: quiet: '5 minutes' is no interval."),
        (f"{ONE}quiet: true", "2: quiet: a length of time is needed, like 30s, 10m or 1h30m"),
        ("fallback_once_per: 10m\nrules: [{exact: [hi], reply: x}]", "1: fallback_once_per: there is no 'fallback' beside it"),
        (f"{ONE}staff: {{text: x}}", "2: staff: there is nobody to be told: give users or groups"),
        # Variables
        (f"variables: {{text: x}}\n{ONE}", "1: variables.text: as a key 'text' is a variable already"),
        (f"variables: {{next_open: x}}\n{ONE}", "1: variables.next_open: as a key 'next_open' is a variable already"),
        (f"variables: {{a-b: x}}\n{ONE}", "1: variables.a-b: as a key the name of a variable is made of letters"),
        (f"variables: {{shop: [x]}}\n{ONE}", "1: variables.shop: a text or "),
        (
            "variables: {shop: x}\nfallback: '{{ shp }}'",
            "2: fallback: Line 1 of the template: There is no variable 'shp' here.",
        ),
        ("fallback: '{{ next_open }}'", "1: fallback: Line 1 of the template: There is no variable 'next_open' here."),
        (
            "fallback: '{{ sender.nmae }}'",
            "1: fallback: tried with made-up values: Line 1 of the template: A User has no 'nmae'",
        ),
        (
            "fallback: ['x', '{{ 1 | strftime(text) }}']",
            "1: fallback.1: tried with made-up values: Line 1 of the template: strftime",
        ),
        ("fallback: '{{ %'", "1: fallback: Line 1 of the template: unexpected '%'"),
        ("fallback: {file: gone.j2}", "1: fallback: There is no template 'gone.j2'."),
        ("fallback: {text: x}", "1: fallback: A template is a text, or {file: name.j2}"),
        ("fallback: []", "1: fallback: this must not be empty"),
        # Hours
        (
            f"{ONE}hours: {{tz: Asia/Shanghia, open: [mon 09:00-10:00]}}",
            "2: hours.tz: There is no time zone 'Asia/Shanghia'. Did you",
        ),
        (f"{ONE}hours: {{open: [mon 09:00-10:00]}}", "2: hours.tz: this is needed"),
        (f"{ONE}hours: {{tz: UTC, open: []}}", "2: hours.open: this must not be empty"),
        (f"{ONE}hours: {{tz: UTC, open: [mo 09:00-10:00]}}", "2: hours.open.0: a day is one of mon"),
        (f"{ONE}hours: {{tz: UTC, open: [2026-01-05 09:00-10:00]}}", "2: hours.open.0: the hours of a week are needed"),
        (
            f"{ONE}hours: {{tz: UTC, open: [mon 09:00-10:00, mon-fri 09:00-10:00]}}",
            "2: hours.open.1: these hours overlap with those of a line before, on mon",
        ),
        (
            f"{ONE}hours: {{tz: UTC, open: [mon 09:00-10:00], closed: [25.12.2026]}}",
            "2: hours.closed.0: a date like 2026-12-25",
        ),
        (
            f"{ONE}hours: {{tz: UTC, open: [mon 09:00-10:00], answer_once_per: 1h}}",
            "2: hours.answer_once_per: there is no 'answer'",
        ),
        # Rules
        ("rules:\n- reply: x", "2: rules.0: a rule needs something to fit: exact, keywords or regex"),
        ("rules:\n- exact: []\n  reply: x", "2: rules.0: a rule needs something to fit: exact, keywords or regex"),
        ("rules:\n- exact: [hi]", "2: rules.0.reply: this is needed"),
        ("rules:\n- exact: hi\n  reply: x", "2: rules.0.exact: a list is needed"),
        ("rules:\n- exact: ['  ']\n  reply: x", "2: rules.0.exact.0: a text with something in it is needed"),
        (f"{RULE}  reply: x\n  when: night", "4: rules.0.when: one of open, closed or always is needed"),
        (f"{RULE}  reply: x\n  where: room", "4: rules.0.where: one of c2c, group or any is needed"),
        (f"{RULE}  reply: x\n  when: closed", "4: rules.0.when: it is never closed: rules for closed hours need 'hours'"),
        (f"{RULE}  reply: '{{{{ number }}}}'", "3: rules.0.reply: Line 1 of the template: There is no variable 'number'"),
        ("rules:\n- regex: '('\n  reply: x", "2: rules.0.regex: '(' is no pattern"),
        ("rules:\n- regex: '(?P<text>x)'\n  reply: x", "2: rules.0.regex: the group 'text' has the name of a variable"),
        (
            "variables: {shop: x}\nrules:\n- regex: '(?P<shop>x)'\n  reply: x",
            "3: rules.0.regex: the group 'shop' has the name of a variable",
        ),
        # The menu
        ("menu: {on: [menu], text: x, items: {}}", "1: menu.items: this must not be empty"),
        ("menu: {on: [], text: x, items: {1: x}}", "1: menu.on: this must not be empty"),
        ("menu: {on: [0], text: x, items: {1: x}}", '1: menu.on.0: a text is needed: put it in quotes, "like this"'),
        ("menu: {on: [menu], text: x, items: {1: x, １: y}}", "1: menu.items.１: this choice is there already"),
        ("menu: {on: [a], text: x, items: {1: {text: x, items: {A: x}}}}", "1: menu.on: a choice of the menu stands here too"),
        ("menu: {on: [menu], text: x, items: {1: {text: x}}}", "1: menu.items.1.items: this is needed"),
        ("menu: {on: [menu], text: x, items: {1: {hand_over: true}}}", "1: menu.items.1.reply: this is needed"),
        (
            "menu: {on: [menu], text: x, items: {1: {text: x, items: {a: '{{ y }}'}}}}",
            "1: menu.items.1.items.a: Line 1 of the temp",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(settings: str, problem: str, tmp_path: Path) -> None:
    [found] = problems(settings, tmp_path)
    assert found.startswith(problem)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = problems(
        """
variables: {text: x}
hours: {tz: Mars/Olympus, open: [mon]}
menu: {on: [menu], items: {1: x}}
rules:
- reply: '{{ nothing }}'
- exact: [hi]
  reply: x
  whn: open
quiet: soon
""",
        tmp_path,
    )
    assert [line.split(": ")[1] for line in found] == [
        "variables.text",
        "hours.tz",
        "hours.open.0",
        "menu.text",
        "rules.0.reply",
        "rules.1.whn",
        "quiet",
    ]


def test_a_text_may_stand_in_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "responder"
    folder.mkdir(parents=True)
    folder.joinpath("hello.j2").write_text("Hello from {{ shop }},\n{{ name }}", encoding="utf-8")
    known = "variables: {shop: Nine Dragons}\nrules:\n- regex: 'I am (?P<name>.*)'\n  reply: ['Oh.', {file: hello.j2}]"
    assert problems(known, tmp_path) == []
    [problem] = problems("fallback: {file: hello.j2}", tmp_path)
    assert problem.startswith("1: fallback: hello.j2:1: There is no variable 'shop' here.")


def test_next_open_is_known_where_there_are_hours(tmp_path: Path) -> None:
    text = f"{HOURS}fallback: '{{{{ next_open | strftime(\"%H:%M\") }}}}'"
    assert problems(text, tmp_path) == []


class TestReach:
    @pytest.mark.parametrize(
        ("rules", "problem"),
        [
            ("- keywords: [refund]\n  reply: x\n- keywords: [refund policy, more]\n  reply: x", "4: rules.1.keywords.0:"),
            ("- keywords: [refund]\n  reply: x\n- exact: [a refund!]\n  reply: x", "4: rules.1.exact.0:"),
            ("- exact: [hi, 你好]\n  reply: x\n- exact: [hello, 你好！]\n  reply: x", "4: rules.1.exact.1:"),
            ("- regex: ^hi\n  reply: x\n- exact: [HI there]\n  reply: x", "4: rules.1.exact.0:"),
            ("- regex: ^hi\n  reply: x\n- regex: ^hi\n  reply: x", "4: rules.1.regex:"),
            (
                "- exact: [hi]\n  where: c2c\n  reply: x\n- exact: [hi]\n  where: group\n  reply: x\n- exact: [hi]\n  reply: x",
                "8: rules.2.exact.0: no message gets here: all are taken before, by rules.0 and rules.1;",
            ),
        ],
    )
    def test_a_word_that_is_taken_before_is_named(self, rules: str, problem: str, tmp_path: Path) -> None:
        [found] = problems(f"rules:\n{rules}", tmp_path)
        assert found.startswith(problem)

    def test_the_menus_words_are_taken(self, tmp_path: Path) -> None:
        menu = "menu: {on: [menu], text: x, items: {1: x}}\n"
        [found] = problems(f"{menu}rules:\n- exact: [Menu!]\n  reply: x", tmp_path)
        assert found.startswith("3: rules.0.exact.0: no message gets here: all are taken before, by the menu;")
        assert problems(f"{menu}rules:\n- keywords: [menu]\n  reply: x", tmp_path) == []

    @pytest.mark.parametrize(
        "rules",
        [
            "- keywords: [refund]\n  reply: x\n- keywords: [refunds]\n  reply: x",
            "- exact: [refund]\n  reply: x\n- keywords: [refund]\n  reply: x",
            "- keywords: [refund policy]\n  reply: x\n- keywords: [refund]\n  reply: x",
            "- exact: [hi]\n  where: c2c\n  reply: x\n- exact: [hi]\n  reply: x",
            "- exact: [hi]\n  reply: x\n- exact: [hi]\n  when: always\n  reply: x",
            "- exact: [hi]\n  when: closed\n  reply: x\n- exact: [hi]\n  reply: x",
            "- regex: {regex: ^hi, case: true}\n  reply: x\n- exact: [hi]\n  reply: x",
            "- regex: ^hi\n  reply: x\n- keywords: [hi]\n  reply: x",
        ],
    )
    def test_a_word_that_something_gets_to_is_not(self, rules: str, tmp_path: Path) -> None:
        assert problems(f"{HOURS}rules:\n{rules}", tmp_path) == []


_words = st.sampled_from(["a", "b", "ab", "a b", "退", "退款", "a退", "b a", "款a"])
_rules = st.builds(
    lambda kind, words, where, when: Rule.model_validate({kind: tuple(words), "where": where, "when": when, "reply": "x"}),
    st.sampled_from(["exact", "keywords"]),
    st.lists(_words, min_size=1, max_size=2),
    st.sampled_from(["c2c", "group", "any"]),
    st.sampled_from(["open", "closed", "always"]),
)


@given(st.lists(_rules, max_size=5), st.lists(_words, min_size=1, max_size=4), st.sampled_from(["", " ", "!"]), st.data())
def test_no_message_gets_to_what_is_called_unreachable(
    rules: list[Rule], parts: list[str], between: str, data: st.DataObject
) -> None:
    text = plain(between.join(parts))
    where, when = data.draw(st.sampled_from(["c2c", "group"])), data.draw(st.sampled_from(["open", "closed"]))
    dead = unreachable(None, rules, has_hours=True)
    for number, rule in enumerate(rules):
        here = rule.where in (where, "any") and rule.when in (when, "always")
        if here and rule.match(text, text) is not None:
            hit = {(number, "exact", at) for at, word in enumerate(rule.exact) if bare(text) == word}
            hit |= {(number, "keywords", at) for at, word in enumerate(rule.keywords) if contains(text, word)}
            assert not hit <= set(dead)
            return


def test_editors_get_a_schema() -> None:
    schema = TypeAdapter(Settings).json_schema()
    assert schema["properties"]["rules"]["description"].startswith("From top to bottom")
    assert schema["$defs"]["Rule"]["additionalProperties"] is False


def test_settings_given_in_code_are_checked_alike() -> None:
    assert isinstance(enable(bot, {"fallback": "x"}).settings, Settings)
    with pytest.raises(ConfigError, match="never say anything"):
        enable(bot)


def test_settings_stand_in_the_document_with_their_places() -> None:
    document = Document.of("accounts: [{user_id: bot}]\nplugins:\n- responder: {fallback: '{{ x }}'}\n")
    [use] = document.plugin_uses()["bot"]
    _, [problem] = document.check_settings(use, Settings)
    assert problem.place == "<config>:3:15"
