"""`timbot usersig`: a signature on stdout and nothing else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from timbot.cli import main
from timbot.im.wire.usersig import check, read
from timbot.sandbox.keys import APP_VARIABLE, DEMO_KEY, SANDBOX_VARIABLE

KEY = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def no_keys_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(APP_VARIABLE, raising=False)
    monkeypatch.delenv(SANDBOX_VARIABLE, raising=False)


def made(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["usersig", *arguments]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.count("\n") == 1
    return shown.out.strip()


def good(sig: str, key: str, app: int = 1400000000, user: str = "alice") -> bool:
    return check(sig, sdk_app_id=app, secret_key=key, user_id=user, now=int(time.time())) == 0


def test_for_the_sandbox_nothing_else_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert good(made(capsys, "alice", "--sandbox"), DEMO_KEY)


def test_the_sandboxs_own_key_is_used_if_there_is_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SANDBOX_VARIABLE, KEY)
    assert good(made(capsys, "alice", "--sandbox", "--sdk-app-id", "20"), KEY, 20)


def test_a_real_app_signs_with_the_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    assert good(made(capsys, "alice", "--sdk-app-id", "20", "--secret-key-file", str(file)), KEY, 20)


def test_a_real_app_signs_with_the_variable(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(APP_VARIABLE, KEY)
    sig = made(capsys, "alice", "--sdk-app-id", "20", "--days", "7")
    assert good(sig, KEY, 20)
    assert read(sig).expire == 7 * 86400


def test_it_is_good_for_180_days_unless_told_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    assert read(made(capsys, "alice", "--sandbox")).expire == 180 * 86400


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["alice"], 2, "--sdk-app-id"),
        (["alice", "--sdk-app-id", "20"], 78, APP_VARIABLE),
        (["alice", "--sdk-app-id", "0"], 2, "--sdk-app-id"),
        (["alice", "--sandbox", "--days", "0"], 2, "--days"),
        (["", "--sandbox"], 2, "USER"),
        (["a" * 33, "--sandbox"], 2, "USER"),
        (["a\nb", "--sandbox"], 2, "USER"),
        (["alice", "--sandbox", "--secret-key-file", "/absent/key"], 78, "/absent/key"),
        ([], 2, "USER"),
    ],
)
def test_what_cannot_be_signed_says_why(arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["usersig", *arguments]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert says in shown.err
