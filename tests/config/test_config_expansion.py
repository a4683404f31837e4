"""`${VAR}` and `${file:...}`: put in after YAML is understood, typed as if written, secret where they smell of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from config_site import ACCOUNT, config, document, mistake, mistakes
from hypothesis import given
from hypothesis import strategies as st

from timbot import redaction
from timbot.config import Config, expand
from timbot.config.expand import smells_of_secret


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was registered as a secret."""
    found: list[str] = []
    for module in ("timbot.config.expand", "timbot.config.reader"):
        monkeypatch.setattr(f"{module}.register", found.append)
    return found


def nick(text: str, environ: dict[str, str] | None = None, folder: Path = Path()) -> str | None:
    return config(f"{ACCOUNT}    nick: {text}\n", environ, folder).accounts[0].nick


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "one"),
        ("a ${A} b ${B}!", "a one b two words!"),
        ("${A}${B}", "onetwo words"),
        ("${C:-three}", "three"),
        ("${EMPTY:-three}", "three"),
        ("${A:-three}", "one"),
        ("'${C:-}'", ""),
        ("${C:-a:-b}", "a:-b"),
        ("$${A}", "${A}"),
        ("$${A} ${A}", "${A} one"),
        ("$${", "${"),
        ("$A $ $$ {A} $$$${A}", "$A $ $$ {A} $$${A}"),
        ("'${A}'", "one"),
        ('"${A}\\n"', "one\n"),
        ("|-\n      x ${A}\n      y", "x one\ny"),
    ],
)
def test_what_becomes_of_a_text(text: str, expected: str) -> None:
    assert nick(text, {"A": "one", "B": "two words", "EMPTY": ""}) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("${NOPE}", "the variable NOPE is not set: set it, or give a default as in ${NOPE:-default}"),
        ("x ${EMPTY}", "the variable EMPTY is empty: set it, or give a default as in ${EMPTY:-default}"),
        ("${A", "'${' is never closed: write ${NAME}, or $${ for the two characters themselves"),
        ("${1A}", "between '${' and '}' stands NAME, NAME:-default or file:PATH; write $${ for the text itself"),
        ("${}", "between '${' and '}' stands NAME"),
        ("${A-x}", "between '${' and '}' stands NAME"),
        ("${A:-${B}}", "an expansion cannot hold another one"),
        ("${file:}", "a path is missing after 'file:'"),
        ("${BROKEN}", "the variable BROKEN is not UTF-8 text"),
    ],
)
def test_what_cannot_be_put_in(text: str, told: str) -> None:
    environ = {"A": "one", "EMPTY": "", "BROKEN": os.fsdecode(b"\xff")}
    assert mistake(f"{ACCOUNT}    nick: {text}\n", environ).startswith(f"c.yaml:3:11: accounts.0.nick: {told}")


def test_several_missing_variables_are_told_together() -> None:
    lines = mistakes(f"{ACCOUNT}    nick: ${{A}}\nloop_guard: ${{B}}\nhttp: {{port: 1, host: '${{C}}'}}\n")
    assert [line.split(" is not set")[0].rpartition(" ")[2] for line in lines] == ["A", "B", "C"]


def test_a_whole_variable_has_the_type_it_would_have_if_written() -> None:
    environ = {"PORT": "8080", "YES": "true", "LEVEL": "debug", "GRACE": "5m"}
    text = "loop_guard: ${PORT}\ninsecure: ${YES}\nlog:\n  level: ${LEVEL}\ngrace: ${GRACE}\nsandbox:\n  port: ${X:-7}\n"
    made = config(ACCOUNT + text, environ)
    assert (made.loop_guard, made.insecure, made.log.level, made.grace, made.sandbox.port) == (8080, True, "debug", 300, 7)


@pytest.mark.parametrize("text", ["'${PORT}'", '"${PORT}"', "1${PORT}", "${PORT}${PORT}"])
def test_other_expansions_are_texts(text: str) -> None:
    assert ": loop_guard: a whole number is needed" in mistake(f"{ACCOUNT}loop_guard: {text}\n", {"PORT": "8080"})


@pytest.mark.parametrize("value", ["10001", "1e5", "true", "012", "null", "1.50"])
def test_where_a_text_is_needed_a_variable_is_one(value: str) -> None:
    made = config("accounts:\n  - user_id: ${ID}\n    nick: x${ID}\nstate: ${ID}\n", {"ID": value})
    assert (made.accounts[0].user_id, made.accounts[0].nick, made.state) == (value, f"x{value}", Path(value))


INJECTIONS = [
    "a: b",
    "]",
    "x\nplugins: [evil]",
    "&a",
    "*a",
    "!!int 1",
    "{a: b}",
    "[1, 2]",
    "'",
    '"',
    "# c",
    "${PATH}",
    "- x",
    "|",
]


@pytest.mark.parametrize("value", INJECTIONS)
def test_a_value_is_never_read_as_yaml(value: str) -> None:
    made = config(f"{ACCOUNT}    nick: ${{V}}\nbots: ['${{V}}', \"${{V}}\"]\n", {"V": value})
    assert made == Config.model_validate({"accounts": ({"user_id": "bot", "nick": value},), "bots": (value, value)})


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_no_value_whatever_is_read_as_yaml(value: str) -> None:
    made = config(f"{ACCOUNT}    nick: '${{V}}'\n", {"V": value})
    assert made == Config.model_validate({"accounts": ({"user_id": "bot", "nick": value},)})


def test_an_alias_carries_what_was_put_in() -> None:
    made = config("accounts:\n  - user_id: &a ${ID}\n    nick: *a\n", {"ID": "bot"})
    assert made.accounts[0].nick == "bot"


# Files


def test_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "name").write_text("\ufeffone\r\n\n", encoding="utf-8")
    (tmp_path / "two").write_text(" two\nlines \n", encoding="utf-8")
    assert nick("${file:name}", folder=tmp_path) == "one"
    assert nick(f"<${{file:{tmp_path}/two}}>") == "< two\nlines >"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("none", "the file {} cannot be read: No such file or directory; check the path and the permissions"),
        (".", "{} is no file"),
        ("pipe", "{} is no file"),
        ("large", "the file {} is larger than 64 KiB"),
        ("binary", "the file {} is not UTF-8 text"),
        ("x" * 300, "the file {} cannot be read: File name too long"),
    ],
)
def test_files_that_cannot_be_taken(path: str, told: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"x" * (expand.LARGEST_FILE + 1))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    expected = told.format(tmp_path / path)
    assert expected in mistake(f"{ACCOUNT}    nick: ${{file:{path}}}\n", folder=tmp_path)


def test_a_path_with_a_nul() -> None:
    assert "a path is missing" in mistake(f'{ACCOUNT}    nick: "${{file:a\\0b}}"\n')


# Secrets

KEY = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "name", ["TIM_SECRET_KEY", "USERSIG", "apiKey", "API_TOKENS", "db-password", "Key", "user_sig", "A.TOKEN"]
)
def test_names_that_smell_of_secrets(name: str) -> None:
    assert smells_of_secret(name)


@pytest.mark.parametrize("name", ["PORT", "keyword", "SIGNAL", "secret_key_file", "TOKENIZER", "KEY_PATH", "", "_", "nick"])
def test_names_that_do_not(name: str) -> None:
    assert not smells_of_secret(name)


def test_what_is_registered(registered: list[str], tmp_path: Path) -> None:
    (tmp_path / "f").write_text("from a file\n", encoding="utf-8")
    environ = {"MY_TOKEN": "by its name", "PLAIN": "by the key", "OTHER": "not at all"}
    text = "plugins:\n  - p:\n      a: x ${MY_TOKEN}\n      api_key: ${PLAIN}\n      b: ${OTHER}\n      c: ${file:f}\n"
    config(f"{ACCOUNT}    user_sig: literally\n{text}", environ, tmp_path)
    assert registered == ["literally", "by its name", "by the key", "from a file"]


def test_a_secret_key_comes_from_outside(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n", encoding="utf-8")
    for text in ("${K}", '"${K}"', "${file:key}"):
        made = config(f"{ACCOUNT}    secret_key: {text}\n", {"K": KEY}, tmp_path)
        assert made.accounts[0].secret_key is not None
        assert made.accounts[0].secret_key.get_secret_value() == KEY
        assert KEY not in f"{made!r} {made!s} {made.model_dump()!r}"


@pytest.mark.parametrize("text", [KEY, f"'{KEY}'", f"${{K:-{KEY}}}", "1" * 20])
def test_a_secret_key_in_the_file_is_refused(text: str) -> None:
    lines = mistakes(f"{ACCOUNT}    secret_key: {text}\n")
    told = "c.yaml:3:5: accounts.0.secret_key: a key does not belong into this file: write ${TIMBOT_SECRET_KEY} or ${file:"
    assert any(line.startswith(told) for line in lines)
    assert KEY not in "".join(lines)


def test_a_key_that_is_all_digits_is_a_text() -> None:
    made = config(f"{ACCOUNT}    secret_key: ${{K}}\n", {"K": "1" * 20})
    assert made.accounts[0].secret_key is not None
    assert made.accounts[0].secret_key.get_secret_value() == "1" * 20


def test_a_short_key_is_refused() -> None:
    assert mistake(f"{ACCOUNT}    secret_key: ${{K}}\n", {"K": "short"}).endswith("at least 16 characters are needed")


def test_a_signature_is_in_no_repr() -> None:
    made = document(f"{ACCOUNT}    user_sig: {KEY}\nplugins:\n  - x: {{a: {KEY}}}\n")
    assert made.config().accounts[0].user_sig == KEY
    assert KEY not in f"{made!r} {made.config()!r} {made.config()!s} {made.plugin_uses()!r}"


def test_a_registered_value_is_masked_in_logs() -> None:
    config(f"{ACCOUNT}    nick: ${{A_TOKEN}}\n", {"A_TOKEN": "ab12cd34ef56"})
    assert "ab12cd34ef56" not in redaction.clean("they said ab12cd34ef56 to me")
