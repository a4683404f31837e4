"""The configuration: what it takes, and how each mistake is told: file, line, column, key and cure, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_site import ACCOUNT, EXAMPLE, config, document, mistake, mistakes

from timbot.config import AccountConfig, Config, ConfigErrors, HttpConfig, PluginUse, load, parse
from timbot.errors import ConfigError
from timbot.im.endpoints import SANDBOX_PORT


def test_the_example_is_fine() -> None:
    example = load(EXAMPLE)
    assert (example.endpoint, example.accounts[0].user_id, example.accounts[0].nick) == ("sandbox", "bot", "Timbot")


def test_the_example_says_what_the_defaults_are() -> None:
    example, bare = load(EXAMPLE), parse(ACCOUNT)
    apart = {"accounts", "plugins"}
    assert example.model_dump(exclude=apart) == bare.model_dump(exclude=apart)
    assert bare.sandbox.port == SANDBOX_PORT


def test_the_example_s_first_line_names_the_schema() -> None:
    first = EXAMPLE.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=./config.schema.json"
    assert (EXAMPLE.parent / "config.schema.json").is_file()


def test_the_example_shows_every_key() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    missing = [key for key in (*Config.model_fields, *AccountConfig.model_fields) if f"{key}:" not in text]
    assert missing == ["user_sig"]


@pytest.mark.parametrize(
    "text",
    [
        ACCOUNT,
        f"\ufeff{ACCOUNT}",
        f"# 注释 🎲\n---\n{ACCOUNT}...\n",
        ACCOUNT.replace("\n", "\r\n"),
        '{"accounts": [{"user_id": "bot"}]}',
        "%YAML 1.2\n---\naccounts: [{user_id: !!str bot}]",
    ],
)
def test_forms_of_the_same_file(text: str) -> None:
    assert parse(text) == Config(accounts=(AccountConfig(user_id="bot"),))


def test_everything_can_be_said() -> None:
    whole = config(
        f"{ACCOUNT}    nick: B\n    user_sig_file: sig\n    plugins: [x]\nstate: data\ndurability: relaxed\ngrace: 1m30s\n"
        "log: {level: debug, format: json, texts: true}\nhttp: {host: 0.0.0.0, port: 1}\nbots: [b]\nloop_guard: 0\n"
        "sandbox: {host: '::1', port: 0, users: [u], group: g, page: false}\n"
    )
    assert (whole.log.level, whole.log.format, whole.log.texts) == ("debug", "json", True)
    assert whole.http == HttpConfig(host="0.0.0.0", port=1)
    assert (whole.state, whole.durability, whole.grace, whole.loop_guard) == (Path("data"), "relaxed", 90.0, 0)
    assert (whole.sandbox.users, whole.sandbox.page, whole.bots) == (("u",), False, ("b",))
    assert whole.accounts[0].user_sig_file == Path("sig")
    assert whole.accounts[0].plugins == (PluginUse("x", None, ("accounts", 0, "plugins", 0)),)


def test_health_and_metrics_can_be_switched_off() -> None:
    assert config(f"{ACCOUNT}http: false\n").http is False


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("plugin: [x]", "3:1: plugin: there is no such key; did you mean plugins?"),
        ("Loop-Guard: 3", "3:1: Loop-Guard: there is no such key; did you mean loop_guard?"),
        ("log_level: info", "3:1: log_level: there is no such key; did you mean log.level?"),
        ("users: [a]", "3:1: users: there is no such key here; did you mean sandbox.users?"),
        ("port: 1", "3:1: port: there is no such key here; did you mean http.port or sandbox.port?"),
        ("zzz: 1", "3:1: zzz: there is no such key; there are endpoint, insecure, sdk_app_id, accounts, plugins, bots, "),
        ("    nik: B", "3:5: accounts.0.nik: there is no such key; did you mean nick?"),
        ("sandbox:\n  prot: 1", "4:3: sandbox.prot: there is no such key; did you mean port?"),
        ("http:\n  prot: 1", "4:3: http.prot: there is no such key; did you mean port?"),
        ("loop_guard: many", "3:1: loop_guard: a whole number is needed"),
        ("loop_guard: 1.5", "3:1: loop_guard: a whole number is needed"),
        ("loop_guard: 1e3", "3:1: loop_guard: a whole number is needed"),
        ("loop_guard: 012", "3:1: loop_guard: a whole number is needed: write it without the leading zero"),
        ("loop_guard: '12'", "3:1: loop_guard: a whole number is needed: take the quotes away"),
        ("loop_guard:", "3:1: loop_guard: a whole number is needed; there is nothing here"),
        ("loop_guard: true", "3:1: loop_guard: a whole number is needed"),
        ("loop_guard: -1", "3:1: loop_guard: at least 0 is needed"),
        ("log: {level: inof}", "3:7: log.level: one of debug, info, warning or error is needed; did you mean info?"),
        ("log: {level: zzz}", "3:7: log.level: one of debug, info, warning or error is needed"),
        ("log: {texts: no}", "3:7: log.texts: true or false is needed: write true or false, as yes, no, on and off are texts"),
        ("log: {texts: 1}", "3:7: log.texts: true or false is needed"),
        ("log:", "3:1: log: a mapping with level, format, texts is needed; there is nothing here"),
        ("plugins: dice", "3:1: plugins: a list is needed: one entry a line, each after '- '; or [one, two]"),
        ("plugins: {dice: {}}", "3:1: plugins: a list is needed"),
        ("bots:\n  - a\n  - [b]", "5:5: bots.1: a text is needed"),
        ("bots:\n  - a\n  -", "5:4: bots.1: a text is needed; there is nothing here"),
        ("bots: ['']", "3:8: bots.0: this must not be empty"),
        ("sandbox: 5", "3:1: sandbox: a mapping with host, port, users, group, page is needed"),
        ("sandbox:\n  port: 70000", "4:3: sandbox.port: at most 65535 is needed"),
        ("http: true", "3:1: http: a mapping with host, port, oldest_event or false is needed"),
        ("http:", "3:1: http: a mapping with host, port, oldest_event or false is needed; there is nothing here"),
        ("sdk_app_id: 0", "3:1: sdk_app_id: at least 1 is needed"),
        ("sdk_app_id: 4294967296", "3:1: sdk_app_id: less than 4294967296 is needed"),
        ("grace: soon", "3:1: grace: a length of time is needed, like 500ms, 10s, 5m or 1h30m, or a number of seconds"),
        ("state: 5", '3:1: state: a text is needed: put it in quotes, "like this"'),
        ("durability: no", "3:1: durability: one of full, relaxed or off is needed"),
        (
            "endpoint: chian",
            "3:1: endpoint: sandbox, china, oversea, or a ws:// or wss:// URL of host, port and path is needed",
        ),
        ("endpoint: 'wss://[::1'", "3:1: endpoint: sandbox, china, oversea, or a ws:// or wss:// URL"),
        ("endpoint: ws://example.com", "3:1: endpoint: this would send signatures unencrypted over the network: use wss://"),
        ("endpoint: ws://example.com\ninsecure: false", "3:1: endpoint: this would send signatures unencrypted"),
        ("  - user_id: bot", "3:5: accounts.1.user_id: this user is in the list already (accounts.0): one login would"),
        ("    user_sig: abc\n    user_sig_file: x", "4:5: accounts.0.user_sig_file: user_sig and user_sig_file exclude"),
        ("    user_sig_file: x\n    user_sig: abc", "4:5: accounts.0.user_sig: user_sig_file and user_sig exclude"),
        ("    user_sig_file:", "3:5: accounts.0.user_sig_file: there is nothing here: give a value, or take the line out"),
        ("    nick: # me", "3:5: accounts.0.nick: there is nothing here"),
        ("http: {port: 8420}", "3:8: http.port: http and sandbox need a port each"),
        ("sandbox: {port: 8421}", "3:11: sandbox.port: http and sandbox need a port each"),
        ("plugins:\n  - dice\n  - 5", "5:5: plugins.1: the name of a plugin is needed, or its name with settings beneath"),
        ("plugins:\n  - dice:\n    max: 5", "4:5: plugins.0: the name of a plugin is needed, or its name with settings"),
        ("plugins:\n  - dice: 5", "4:5: plugins.0.dice: a mapping of settings is needed"),
        ("plugins: [dice, dice]", "3:17: plugins.1: this plugin is in the list already"),
        ("plugins: [dice, {dice: {}}]", "3:17: plugins.1: this plugin is in the list already"),
        ("    plugins: [[]]", "3:15: accounts.0.plugins.0: the name of a plugin is needed"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    assert mistake(f"{ACCOUNT}{text}\n").startswith(f"c.yaml:{told}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("accounts:\n  - user_id: 10001\n", '2:5: accounts.0.user_id: a text is needed: put it in quotes, "like this"'),
        ("accounts:\n  - user_id: ''\n", "2:5: accounts.0.user_id: this must not be empty"),
        (f"accounts:\n  - user_id: {'x' * 33}\n", "2:5: accounts.0.user_id: at most 32 characters are needed"),
        ("accounts:\n  - nick: x\n", "2:5: accounts.0.user_id: this is needed"),
        ("accounts:\n  - bot\n", "2:5: accounts.0: a mapping with user_id, nick, secret_key_file, secret_key, user_sig"),
        ("accounts:\n", "1:1: accounts: a list is needed; there is nothing here"),
        ("accounts: []\n", "1:1: accounts: this must not be empty"),
        ("plugins: []\n", "1:1: accounts: this is needed"),
    ],
)
def test_accounts_that_are_none(text: str, told: str) -> None:
    assert mistake(text).startswith(f"c.yaml:{told}")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = """\
endpoint: ws://example.com
plugin: []
loop_guard: x
insecure: off
sandbox:
  prot: 1
  users: alice
accounts:
  - user_id: a
    user_sig: x
    user_sig_file: y
  - user_id: a
    nick: ${NOBODY}
    nick: B
  - {}
log: {level: loud}
plugins:
  - dice
  - 7
"""
    assert [line.split(":")[1] for line in mistakes(text)] == [
        "1",
        "2",
        "3",
        "4",
        "6",
        "7",
        "11",
        "12",
        "13",
        "14",
        "15",
        "16",
        "19",
    ]


def test_the_error_has_a_line_for_each_mistake_and_their_number() -> None:
    with pytest.raises(ConfigErrors) as caught:
        config(f"{ACCOUNT}bots: 1\nloop_guard: x\n")
    first, second, last = caught.value.message.splitlines()
    assert (first, second) == tuple(str(problem) for problem in caught.value.problems)
    assert last == "2 mistakes"
    assert caught.value.place == "c.yaml:3:1"


def test_one_mistake_is_not_counted() -> None:
    with pytest.raises(ConfigErrors) as caught:
        config(f"{ACCOUNT}bots: 1\n")
    assert len(caught.value.message.splitlines()) == 1


@pytest.mark.parametrize(
    "endpoint", ["china", "oversea", "wss://example.com", "ws://127.0.0.1:1", "ws://localhost", "ws://[::1]:80"]
)
def test_endpoints(endpoint: str) -> None:
    assert config(f"{ACCOUNT}sdk_app_id: 1400123456\nendpoint: {endpoint!r}\n").endpoint == endpoint


@pytest.mark.parametrize("endpoint", ["china", "oversea"])
def test_the_vendor_s_servers_want_to_know_the_app(endpoint: str) -> None:
    told = "c.yaml:3:1: endpoint: sdk_app_id is needed with it: the number of your app, which the console shows"
    assert mistakes(f"{ACCOUNT}endpoint: {endpoint}\n") == [told]
    assert config(f"{ACCOUNT}endpoint: ws://127.0.0.1:8420\n").sdk_app_id == 1400000000


def test_an_open_line_can_be_asked_for() -> None:
    assert config(f"{ACCOUNT}endpoint: ws://10.0.0.1\ninsecure: true\n").endpoint == "ws://10.0.0.1"


@pytest.mark.parametrize(
    "text", ["http: {port: 8420}\nendpoint: china\nsdk_app_id: 1", "http: {port: 0}\nsandbox: {port: 0}", "http: false"]
)
def test_ports_that_do_not_meet(text: str) -> None:
    assert mistakes(f"{ACCOUNT}{text}\n") == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("10s", 10),
        ("5m", 300),
        ("1h30m", 5400),
        ("1d", 86400),
        ("1.5s", 1.5),
        ("7", 7),
        ("0.25", 0.25),
        ("0", 0),
    ],
)
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert config(f"{ACCOUNT}grace: {text}\n").grace == seconds


@pytest.mark.parametrize("text", ["''", "10", "s", "5 m", "30m1h", "-1s", "1h-5m", "1m1m", "١s", "1e3s"])
def test_what_is_no_length_of_time(text: str) -> None:
    assert ": grace: a length of time is needed" in mistake(f"{ACCOUNT}grace: '{text.strip(chr(39))}'\n")


@pytest.mark.parametrize("text", ["-1", "true", ".inf", ".nan"])
def test_numbers_that_are_no_length_of_time(text: str) -> None:
    assert ": grace: a length of time is needed" in mistake(f"{ACCOUNT}grace: {text}\n")


# Files


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing.yaml cannot be read: No such file or directory. Check the path"):
        load(tmp_path / "missing.yaml")


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes("a: 1\naccounts: # 你好".encode("gbk"))
    with pytest.raises(ConfigError, match=r"c.yaml is not UTF-8 text \(line 2\)"):
        load(file)


def test_the_file_is_named_as_it_was_given(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(f"{ACCOUNT}zzz: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert caught.value.message.startswith(f"{file}:3:1: zzz: ")


# Documents


def test_places() -> None:
    made = document("# c\naccounts:\n  - user_id: bot\n    plugins:\n      - dice: {max: 5}\n")
    assert made.place(("accounts",)) == "c.yaml:2:1"
    assert made.place(("accounts", 0)) == "c.yaml:3:5"
    assert made.place(("accounts", 0, "user_id")) == "c.yaml:3:5"
    assert made.place(("accounts", 0, "plugins", 0, "dice", "max")) == "c.yaml:5:16"
    assert made.place(("accounts", 0, "plugins", 0, "dice", "nothing")) == "c.yaml:5:9"
    assert made.place(("nothing",)) == "c.yaml:2:1"
    assert made.place(()) == "c.yaml:2:1"


def test_the_plugins_of_each_account() -> None:
    made = document(
        "accounts:\n  - user_id: a\n  - user_id: b\n    plugins: [x.py]\n  - user_id: c\n    plugins: []\n"
        "plugins:\n  - dice\n  - responder: {menu: [1]}\n  - quiet:\n"
    )
    shared = (
        PluginUse("dice", None, ("plugins", 0)),
        PluginUse("responder", {"menu": [1]}, ("plugins", 1)),
        PluginUse("quiet", None, ("plugins", 2)),
    )
    own = PluginUse("x.py", None, ("accounts", 1, "plugins", 0))
    assert made.plugin_uses() == {"a": shared, "b": (own,), "c": ()}
    assert made.config().plugins == shared
    assert made.config().accounts[1].plugins == (own,)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("plugins: [dice, 5, {x: {}}]", {"accounts.0": ["dice", "x"]}),
        ("accounts: 5\nplugins: [dice]", {"accounts.0": ["dice"]}),
        (
            "accounts: [{user_id: a, zzz: 1}, 5, {user_id: a}]\nplugins: [d]",
            {"a": ["d"], "accounts.1": ["d"], "accounts.2": ["d"]},
        ),
        ("accounts: [{user_id: a, plugins: 5}]\nplugins: [d]", {"a": ["d"]}),
        ("a: b: c", {}),
        ("", {}),
    ],
)
def test_the_plugins_of_a_file_with_mistakes(text: str, names: dict[str, list[str]]) -> None:
    made = document(text)
    assert made.problems
    assert {user: [use.name for use in uses] for user, uses in made.plugin_uses().items()} == names


def test_an_endpoint_that_is_nearly_one() -> None:
    assert mistake(f"{ACCOUNT}endpoint: sandbx\n").endswith("; did you mean sandbox?")
    assert "did you mean" not in mistake(f"{ACCOUNT}endpoint: http://example.com\n")
