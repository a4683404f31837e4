"""group_approval: every mistake in its settings is named with its place, and its page is right."""

from __future__ import annotations

from pathlib import Path

import pytest
from settings_site import examples, keys, loaded, problems, tables
from timbot_plugins.group_approval.settings import Rule, Settings


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("default: leave", "0: : the bot would never decide anything"),
        ("rules: [{do: accept}]", "1: rules.0: a rule needs something to fit: keywords, regex, answers or codes"),
        ("rules: [{answers: [x], do: maybe}]", "1: rules.0.do: one of accept, refuse or leave is needed"),
        ("rules: [{answers: [''], do: accept}]", "1: rules.0.answers.0: a text with something in it is needed"),
        ("rules: [{answers: [42], do: accept}]", "1: rules.0.answers.0: a text is needed: put it in quotes"),
        ("rules: [{answers: [x], do: accept, reason: x}]", "1: rules.0.reason: this rule refuses nobody"),
        ("rules: [{answers: [x], do: refuse, welcome: x}]", "1: rules.0.welcome: this rule accepts nobody"),
        ("rules: [{codes: [spring], do: refuse}]", "1: rules.0.codes: this rule accepts nobody"),
        ("rules: [{codes: [abc], do: accept}]", "1: rules.0.codes.0: a code is 4 to 64 letters and digits"),
        ("rules: [{codes: [abcd, 'x y z z'], do: accept}]", "1: rules.0.codes.1: a code is 4 to 64 letters and digits"),
        ("rules: [{codes: [abcd, ABCD], do: accept}]", "1: rules.0.codes: code number 2 stands there twice"),
        ("rules: [{codes: [], do: accept}]", "1: rules.0.codes: there are no codes here"),
        ("rules: [{codes: '# none', do: accept}]", "1: rules.0.codes: there are no codes here"),
        ("rules: [{codes: 5, do: accept}]", "1: rules.0.codes: a text is needed"),
        (
            "rules:\n- {keywords: [x], do: leave}\n- {answers: [x y], do: accept}",
            "3: rules.1.answers.0: no application gets here: rules.0 takes it first",
        ),
        (
            "rules:\n- {answers: [x], do: accept}\n- {answers: [y, X], do: leave}",
            "3: rules.1.answers.1: no application gets here: rules.0 takes it first",
        ),
        (
            "rules:\n- {codes: [abcd], do: accept}\n- {codes: [efgh, ABCD], do: accept}",
            "3: rules.1.codes: no application gets here: rules.0 takes it first",
        ),
        ("allow: [vip_1]\ndeny: [vip_*]", "1: allow.0: 'vip_1' is denied too"),
        ("deny: [x]\ngroups: {g: {allow: [x]}}", "2: groups.g.allow.0: 'x' is denied too"),
        ("allow: [x]\ngroups: {g: {deny: [x]}}", "2: groups.g: with allow.0 above: 'x' is denied too"),
        ("default: accept\nreason: x", "2: reason: nobody is ever refused"),
        ("default: refuse\nmessage: x", "2: message: nobody is ever accepted"),
        ("default: refuse\nmax_members: 5", "2: max_members: nobody is ever accepted"),
        ("deny: [x]\ncooldown: 5m", "2: cooldown: nobody is ever refused for what they write"),
        ("default: refuse\ncooldown_reason: x", "2: cooldown_reason: there is no 'cooldown'"),
        ("default: accept\nfull: refuse", "2: full: there is no 'max_members'"),
        ("default: accept\nmax_members: 5\nfull_reason: x", "3: full_reason: those beyond 'max_members' are not refused"),
        ("default: accept\nmax_members: 0", "2: max_members: at least 1 is needed"),
        ("default: refuse\ncooldown: 5 min", "2: cooldown: '5 min' is no interval"),
        ("default: accept\nreason: x\ngroups: {g: {welcome: x}}", "2: reason: nobody is ever refused"),
        ("default: accept\ngroups: {g: {reason: x}}", "2: groups.g.reason: nobody is ever refused"),
        ("default: accept\ngroups: {g: {defalt: refuse}}", "2: groups.g.defalt: there is no such key; did you mean default?"),
        ("default: accept\ngroups: {'': {default: refuse}}", "2: groups.: "),
        (
            "default: accept\nwelcome: '{{ minutes }}'",
            "2: welcome: Line 1 of the template: There is no variable 'minutes' here",
        ),
        ("default: accept\nwelcome: '{{ group.nmae }}'", "2: welcome: tried with made-up values"),
    ],
)
def test_mistakes_are_named_with_their_place(settings: str, problem: str, tmp_path: Path) -> None:
    found = problems("group_approval", settings, tmp_path)
    assert len(found) == 1, found
    assert found[0].startswith(problem), found


@pytest.mark.parametrize(
    "settings",
    [
        "default: accept\nreason: x\ngroups: {g: {default: refuse}}",
        "welcome: x\ngroups: {g: {default: accept}}",
        "default: refuse\ngroups: {g: {default: leave}}",
        "default: refuse\ncooldown_reason: '{{ minutes }}'\ncooldown: 1h",
        "rules:\n- {answers: [x y], do: accept}\n- {keywords: [x], do: leave}",
    ],
)
def test_what_is_fine(settings: str, tmp_path: Path) -> None:
    assert problems("group_approval", settings, tmp_path) == []


class TestPage:
    def test_the_examples_load(self, tmp_path: Path) -> None:
        tmp_path.joinpath("codes.txt").write_text("spring-26")
        for example in examples("group_approval.md"):
            assert isinstance(loaded(example, tmp_path).settings, Settings)

    def test_the_tables_are_complete(self) -> None:
        assert tables("group_approval.md") == keys(Settings, Rule)
