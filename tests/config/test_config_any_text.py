"""Whatever is in a file: a configuration or mistakes come out, and no mistake shows what the file says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import yaml
from config_site import ACCOUNT, EXAMPLE, document, mistakes
from hypothesis import example, given
from hypothesis import strategies as st

from timbot.config import Config, ConfigErrors, Document


def outcome(made: Document) -> object:
    """A configuration, or the mistakes."""
    try:
        return made.config()
    except ConfigErrors as errors:
        return errors.problems


def sound(text: str, environ: dict[str, str] | None = None) -> None:
    """What must hold for any text."""
    made = document(text, environ)
    found = outcome(made)
    assert isinstance(found, Config) == (not made.problems)
    for problem in made.problems:
        assert problem.message
        assert "\n" not in str(problem)
        assert re.fullmatch(r"c\.yaml(:\d+:\d+)?", problem.place)
    for uses in made.plugin_uses().values():
        for use in uses:
            made.check_settings(use, dict)


@given(st.text())
@example("\x85a: b")
@example("a: 1\u2028b: c: d")
@example("? ")
@example("!<")
@example('"\\ud800": 1')
@example('a: "\\U00110000"')
@example("a: ${")
@example("<<: *a")
@example("&a [*a, <<]")
@example("'")
def test_any_text(text: str) -> None:
    sound(text)


PIECES = [
    "accounts",
    "user_id",
    "plugins",
    "http",
    ": ",
    ":",
    "- ",
    "\n",
    "  ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a",
    "*a",
    "<<",
    "!",
    "|",
]
PIECES += [
    "'",
    '"',
    "#",
    "? ",
    "${A}",
    "${",
    "}",
    "$${",
    "${file:x}",
    "1",
    "0x1",
    "no",
    "null",
    "\t",
    "---",
    "...",
    "%",
    "\\",
    "@",
    "é",
]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_that_is_nearly_yaml(text: str) -> None:
    sound(text, {"A": "x: [1"})


@given(st.data())
def test_the_example_with_a_hole(data: st.DataObject) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 40)))
    sound(text[:begin] + data.draw(st.sampled_from(["", *PIECES])) + text[end:])


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text("ab:-{}[]#&*!|>'\"\n $", max_size=8)
keys = st.sampled_from([*Config.model_fields, "user_id", "secret_key", "user_sig", "port", "host", "level", "x"])


@given(st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6)))
def test_any_tree(tree: object) -> None:
    sound(yaml.safe_dump(tree, allow_unicode=True))


# No value is shown. Marked values are put where settings are; no message may hold one.

MARKED = "zqxv7w"


def strings(tree: object) -> Iterator[object]:
    """The tree with every leaf replaced by a marked text, one at a time being enough for a mistake."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            for changed in strings(value):
                yield {**tree, key: changed}
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            for changed in strings(value):
                yield [*tree[:number], changed, *tree[number + 1 :]]
    yield MARKED
    yield [MARKED]
    yield {"port": MARKED}


def test_no_message_shows_a_value_of_the_file() -> None:
    tree = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    told = 0
    for changed in strings(tree):
        lines = mistakes(yaml.safe_dump(changed))
        told += len(lines)
        assert not [line for line in lines if MARKED in line]
    assert told > 50


SECRET = "eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwkn5JVDx4pTsxIKCzBQlK0MTAwMTY0MDAwA_"


@pytest.mark.parametrize(
    "text",
    [
        f"{ACCOUNT}    user_sig: [{SECRET}]\n",
        f"{ACCOUNT}    user_sig: {SECRET}\n    user_sig_file: x\n",
        f"{ACCOUNT}    user_sig: {SECRET}\n    zzz: 1\n",
        f"{ACCOUNT}    user_sgi: {SECRET}\n",
        f"{ACCOUNT}    user_sig: '{SECRET}\n",
        f"{ACCOUNT}    user_sig: {SECRET}\n  - user_id: bot\n",
        f"{ACCOUNT}    user_sig: !{SECRET}\n",
        f"{ACCOUNT}    user_sig: &{SECRET}\n",
        f"{ACCOUNT}    user_sig: *{SECRET}\n",
        f"{ACCOUNT}    user_sig: @{SECRET}\n",
        f"{ACCOUNT}    user_sig: %{SECRET}\n",
        f"{ACCOUNT}    user_sig: '{SECRET}' {SECRET}\n",
        f"{ACCOUNT}    user_sig: |{SECRET}\n",
        f'{ACCOUNT}    user_sig: "\\q{SECRET}"\n',
        f"{ACCOUNT}    user_sig: a: {SECRET}\n",
        f"{ACCOUNT}    user_sig:{SECRET}\n",
        f"{ACCOUNT}    {{user_sig:{SECRET}}}\n",
        f"accounts: [{{user_id: b, user_sig:{SECRET}}}]\n",
        f"accounts: [{{user_id: b, user_sig={SECRET}}}]\n",
        f"accounts: [{{user_id: b, {SECRET}}}]\n",
        f"{ACCOUNT}    user_sig={SECRET}: 1\n",
        f"{ACCOUNT}    user_sig={SECRET}\n",
        f"{ACCOUNT}    secret_key: {SECRET}\n",
        f"{ACCOUNT}    secret_key: ${{{SECRET}\n",
        f"{ACCOUNT}    nick: {SECRET}\n    nick: {SECRET}\n",
        f"{ACCOUNT}log: {{level: {SECRET}}}\n",
        f"{ACCOUNT}endpoint: {SECRET}\n",
        f"{ACCOUNT}endpoint: wss://{SECRET}@host?x\n",
        f"{ACCOUNT}endpoint: ws://{SECRET}@host\n",
        f"{ACCOUNT}grace: {SECRET}\n",
        f"{ACCOUNT}plugins: [[{SECRET}]]\n",
        f"{ACCOUNT}plugins: [{SECRET}: {SECRET}]\n",
        f"accounts: {SECRET}\n",
        f"{SECRET}\n",
    ],
)
def test_a_signature_is_in_no_error(text: str) -> None:
    made = document(text)
    with pytest.raises(ConfigErrors) as caught:
        made.config()
    assert SECRET not in f"{caught.value!s} {caught.value!r} {caught.value.problems!r} {made!r}"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("text", ["user_sig=hunter2", "user_sig:hunter2", "{user_sig=hunter2}", "user_sig=hunter2: 1"])
def test_a_short_secret_behind_a_key_that_is_written_wrongly_is_in_no_error(text: str) -> None:
    lines = mistakes(f"{ACCOUNT}sandbox:\n  {text}\n")
    assert lines
    assert "hunter2" not in "".join(lines)


@given(st.sampled_from(["nick", "loop_guard", "level", "user_id", "endpoint", "grace", "group", "zzz"]), st.integers(0, 3))
def test_a_secret_from_outside_is_in_no_error(key: str, form: int) -> None:
    value = f"${{A_KEY}}{' x' * form}"
    text = f"accounts:\n  - user_id: b\n    {key}: {value}\nlog: {{{key}: '{value}'}}\nhttp: {{{key}: '{value}'}}\n"
    text += f"{key}: {value}\n"
    lines = mistakes(text, {"A_KEY": SECRET})
    assert lines
    assert SECRET not in "".join(lines)
