"""The configuration: what it takes, and how each mistake is told: file, line, column, key and cure, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from timbot.config import AccountConfig, Config, load, parse
from timbot.errors import ConfigError
from timbot.im.endpoints import SANDBOX_PORT

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
ACCOUNT = "accounts:\n  - user_id: bot\n"


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "c.yaml")
    return caught.value.message.splitlines()


def test_the_example_is_fine() -> None:
    config = load(EXAMPLE)
    assert (config.endpoint, config.accounts[0].user_id, config.accounts[0].nick) == ("sandbox", "bot", "Timbot")
    assert (config.plugins, config.loop_guard, config.sandbox.users) == (["examples/hello.py"], 30, ["alice", "bob"])


def test_the_example_says_what_the_defaults_are() -> None:
    example, bare = load(EXAMPLE), parse(ACCOUNT)
    apart = {"accounts", "plugins"}
    assert example.model_dump(exclude=apart) == bare.model_dump(exclude=apart)
    assert bare.sandbox.port == SANDBOX_PORT


@pytest.mark.parametrize(
    "text", [ACCOUNT, f"\ufeff{ACCOUNT}", f"# 注释 🎲\n---\n{ACCOUNT}...\n", ACCOUNT.replace("\n", "\r\n")]
)
def test_forms_of_the_same_file(text: str) -> None:
    assert parse(text) == Config(accounts=[AccountConfig(user_id="bot")])


def test_anchors_and_merges_work() -> None:
    config = parse("accounts:\n  - &a {user_id: one, nick: N}\n  - {<<: *a, user_id: two}\n")
    assert [(account.user_id, account.nick) for account in config.accounts] == [("one", "N"), ("two", "N")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{ACCOUNT}plugin: [x]\n", "c.yaml:3:1: plugin: there is no such key; did you mean plugins?"),
        (f"{ACCOUNT}zzz: 1\n", "c.yaml:3:1: zzz: there is no such key"),
        (f"{ACCOUNT}    nik: B\n", "c.yaml:3:5: accounts.0.nik: there is no such key; did you mean nick?"),
        (f"{ACCOUNT}sandbox:\n  prot: 1\n", "c.yaml:4:3: sandbox.prot: there is no such key; did you mean port?"),
        (
            f"{ACCOUNT}    secret_key: x\n",
            "c.yaml:3:5: accounts.0.secret_key: there is no such key; did you mean secret_key_file?",
        ),
        (f"{ACCOUNT}loop_guard: many\n", "c.yaml:3:1: loop_guard: Input should be a valid integer"),
        (f"{ACCOUNT}loop_guard: -1\n", "c.yaml:3:1: loop_guard: Input should be greater than or equal to 0"),
        (f"{ACCOUNT}log_level: loud\n", "c.yaml:3:1: log_level: Input should be 'debug', 'info', 'warning' or 'error'"),
        (f"{ACCOUNT}plugins: dice\n", "c.yaml:3:1: plugins: Input should be a valid list"),
        (f"{ACCOUNT}plugins:\n  - a\n  - [b]\n", "c.yaml:5:5: plugins.1: Input should be a valid string"),
        (f"{ACCOUNT}sandbox: 5\n", "c.yaml:3:1: sandbox: Input should be a valid dictionary"),
        (f"{ACCOUNT}sandbox:\n  port: 70000\n", "c.yaml:4:3: sandbox.port: Input should be less than or equal to 65535"),
        (f"{ACCOUNT}sdk_app_id: 0\n", "c.yaml:3:1: sdk_app_id: Input should be greater than or equal to 1"),
        ("accounts:\n  - user_id: 10001\n", "c.yaml:2:5: accounts.0.user_id: Input should be a valid string: put it in quotes"),
        ("accounts:\n  - user_id: ''\n", "c.yaml:2:5: accounts.0.user_id: String should have at least 1 character"),
        ("accounts:\n  - nick: x\n", "c.yaml:2:5: accounts.0.user_id: this is needed; see config.example.yaml"),
        ("accounts:\n  - bot\n", "c.yaml:2:5: accounts.0: Input should be a valid dictionary"),
        ("accounts:\n", "c.yaml:1:1: accounts: Input should be a valid list"),
        ("accounts: []\n", "c.yaml:1:1: accounts: List should have at least 1 item"),
        ("plugins: []\n", "c.yaml:1:1: accounts: this is needed; see config.example.yaml"),
        (f"{ACCOUNT}  - user_id: bot\n", "c.yaml:1:1: accounts: bot listed twice: one login would kick the other out"),
        (
            f"{ACCOUNT}endpoint: ws://example.com\n",
            "c.yaml:3:1: endpoint: 'ws://example.com' would send the signature unencrypted",
        ),
        (f"{ACCOUNT}endpoint: ws://example.com\ninsecure: false\n", "c.yaml:3:1: endpoint: 'ws://example.com' would send"),
        (f"{ACCOUNT}endpoint: chian\n", "c.yaml:3:1: endpoint: 'chian' is no endpoint. Write china, oversea, sandbox"),
        (f"{ACCOUNT}endpoint: 'wss://[::1'\n", "c.yaml:3:1: endpoint: "),
        (
            f"{ACCOUNT}    user_sig: abc\n    user_sig_file: x\n",
            "c.yaml:2:5: accounts.0: user_sig and user_sig_file exclude each other: give one",
        ),
        (f"{ACCOUNT}bots: []\nbots: []\n", "c.yaml:4:1: not YAML: the key 'bots' is given twice."),
        (f"{ACCOUNT}    nick: a\n    nick: b\n", "c.yaml:4:5: not YAML: the key 'nick' is given twice."),
        (f"{ACCOUNT}? [a, b]\n: 1\n", "c.yaml:3:3: not YAML: a key is a plain word."),
        (f"{ACCOUNT}1: 2\n", "c.yaml:3:1: 1: "),
        ("a: [1, 2\n", "c.yaml:2:1: not YAML: expected ',' or ']'"),
        ("a: b: c\n", "c.yaml:1:5: not YAML: mapping values are not allowed here."),
        ("\tx: 1\n", "c.yaml:1:1: not YAML: found character '\\t'"),
        ("a: *b\n", "c.yaml:1:4: not YAML: found undefined alias 'b'."),
        ("a: 1\n--- \nb: 2\n", "c.yaml:2:1: not YAML: but found another document."),
        ("a: !!python/object:os.system x\n", "c.yaml:1:4: not YAML: could not determine a constructor for the tag"),
        ("a: 1\nb: x\x07\n", "c.yaml:2:5: not YAML: the character 0x7 is not allowed."),
        ("", "c.yaml: the file holds no settings."),
        ("- 1\n", "c.yaml: the file holds no settings."),
        ("just words\n", "c.yaml: the file holds no settings."),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    assert len(mistakes(text)) == 1
    assert mistakes(text)[0].startswith(told)


def test_all_mistakes_are_told_at_once() -> None:
    text = "endpoint: ws://example.com\nplugin: []\nloop_guard: x\nsandbox:\n  port: x\n"
    text += "accounts:\n  - user_id: a\n  - user_id: a\n"
    assert sorted(line.split(": ")[1] for line in mistakes(text)) == [
        "accounts",
        "endpoint",
        "loop_guard",
        "plugin",
        "sandbox.port",
    ]


@pytest.mark.parametrize(
    "endpoint", ["china", "oversea", "wss://example.com", "ws://127.0.0.1:1", "ws://localhost", "ws://[::1]:80"]
)
def test_endpoints(endpoint: str) -> None:
    assert parse(f"{ACCOUNT}endpoint: {endpoint!r}\n").endpoint == endpoint


def test_an_open_line_can_be_asked_for() -> None:
    assert parse(f"{ACCOUNT}endpoint: ws://10.0.0.1\ninsecure: true\n").endpoint == "ws://10.0.0.1"


@pytest.mark.parametrize("value", ["2024-01-01", "2024-13-45"])
def test_what_looks_like_a_date_is_a_text(value: str) -> None:
    assert parse(f"{ACCOUNT}    nick: {value}\n").accounts[0].nick == value


def test_the_whole_of_a_nested_bad_list_is_no_crash() -> None:
    assert mistakes("accounts: &a [*a]\n") != []


# Files


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing.yaml cannot be read: No such file or directory. Check the path"):
        load(tmp_path / "missing.yaml")


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes("accounts: # 你好".encode("gbk"))
    with pytest.raises(ConfigError, match=r"c.yaml is not UTF-8 text"):
        load(file)


def test_the_file_is_named_as_it_was_given(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("zzz: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert caught.value.message.startswith(f"{file}:1:1: ")


# Secrets

SECRET = "eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwkn5JVDx4pTsxIKCzBQlK0MTAwMTY0MDAwA_"


def test_a_signature_is_in_no_repr() -> None:
    config = parse(f"{ACCOUNT}    user_sig: {SECRET}\n")
    assert config.accounts[0].user_sig == SECRET
    assert SECRET not in repr(config) + str(config) + repr(config.accounts)


@pytest.mark.parametrize(
    "text",
    [
        f"{ACCOUNT}    user_sig: [{SECRET}]\n",
        f"{ACCOUNT}    user_sig: {SECRET}\n    user_sig_file: x\n",
        f"{ACCOUNT}    user_sig: {SECRET}\n    zzz: 1\n",
        f"{ACCOUNT}    user_sgi: {SECRET}\n",
        f"{ACCOUNT}    user_sig: '{SECRET}\n",
        f"{ACCOUNT}    user_sig: {SECRET}\n  - user_id: bot\n",
        f"{ACCOUNT}log_level: {SECRET}\n",
        f"accounts: {SECRET}\n",
    ],
)
def test_a_signature_is_in_no_error(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert SECRET not in f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r}"


def sentence(text: str) -> str:
    """What is told of this text; a word where there is no mistake."""
    try:
        parse(text)
    except ConfigError as error:
        return error.message
    return "fine"


@given(st.text())
def test_any_text_is_a_configuration_or_a_mistake_with_a_sentence(text: str) -> None:
    assert sentence(text)


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text("ab:-{}[]#&*!|>'\"\n ", max_size=8)
keys = st.sampled_from(["accounts", "user_id", "endpoint", "sandbox", "port", "plugins", "x"])


@given(st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(keys, inner)))
def test_any_tree_is_a_configuration_or_a_mistake_with_a_sentence(tree: object) -> None:
    assert sentence(yaml.safe_dump(tree))
