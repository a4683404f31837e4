"""Where the key comes from, and which ones are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from timbot.errors import ConfigError
from timbot.sandbox.keys import APP_VARIABLE, DEMO_KEY, SANDBOX_VARIABLE, SecretKey, app_key, sandbox_key

OWN = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4


def test_without_anything_the_sandbox_takes_the_demo_key() -> None:
    key = sandbox_key(environ={})
    assert (key.text, key.demo) == (DEMO_KEY, True)


def test_the_variable_beats_the_demo_key() -> None:
    key = sandbox_key(environ={SANDBOX_VARIABLE: OWN})
    assert (key.text, key.demo, key.source) == (OWN, False, f"the variable {SANDBOX_VARIABLE}")


def test_the_file_beats_the_variable(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"\ufeff {OTHER}\r\n", encoding="utf-8")
    assert sandbox_key(file, {SANDBOX_VARIABLE: OWN}).text == OTHER


def test_a_real_apps_key_is_not_asked_of_the_sandboxs_variable() -> None:
    with pytest.raises(ConfigError, match="--secret-key-file"):
        app_key(environ={SANDBOX_VARIABLE: OWN})
    assert app_key(environ={APP_VARIABLE: OWN}).text == OWN


def test_the_demo_key_stays_the_demo_key_wherever_it_is_written() -> None:
    assert sandbox_key(environ={SANDBOX_VARIABLE: DEMO_KEY}).demo


def test_a_key_does_not_show_itself() -> None:
    assert OWN not in repr(SecretKey(OWN, "somewhere"))


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"short", b"two words of sixteen", b"\xff\xfe" * 20, b"a" * 5000, b"a" * 20 + b"\0"]
)
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        sandbox_key(file, {})
    assert str(file) in str(error.value)
    text = content.decode("latin-1").strip()
    assert not text or text not in str(error.value)


def test_an_empty_variable_is_a_mistake_not_the_demo_key() -> None:
    with pytest.raises(ConfigError, match="empty"):
        sandbox_key(environ={SANDBOX_VARIABLE: ""})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent"):
        sandbox_key(tmp_path / "absent", {})
