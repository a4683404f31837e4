"""Files with secrets that everybody can read: which are told, and which are left alone."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from config_site import config

from timbot.cli import exits, main
from timbot.config import exposed, exposed_files

KEY = "a-key-that-opens-nothing-else-at-all"
HEAD = "endpoint: oversea\nsdk_app_id: 1400123456\n"
BY_NAME = f"{HEAD}accounts: [{{user_id: bot, secret_key_file: tim.key}}]\n"
BY_EXPANSION = f"{HEAD}accounts: [{{user_id: bot, secret_key: '${{file:tim.key}}'}}]\n"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, with a key that everybody may read; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "tim.key").write_text(KEY)
        (folder / "tim.key").chmod(0o644)
        yield folder


def told(text: str, folder: Path) -> list[Path]:
    return exposed_files(config(text, folder=folder), folder)


@pytest.mark.parametrize("text", [BY_NAME, BY_EXPANSION, BY_NAME.replace("secret_key_file", "user_sig_file")])
def test_a_file_that_everybody_can_read(text: str, open_folder: Path) -> None:
    assert told(text, open_folder) == [open_folder / "tim.key"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400])
def test_the_owner_and_a_group_may(mode: int, open_folder: Path) -> None:
    (open_folder / "tim.key").chmod(mode)
    assert told(BY_NAME, open_folder) == []


def test_a_folder_that_nobody_else_gets_into_is_enough(open_folder: Path) -> None:
    open_folder.chmod(0o700)
    assert told(BY_NAME, open_folder) == []


def test_a_file_named_twice_is_told_once(open_folder: Path) -> None:
    two = f"{HEAD}accounts:\n" + "".join(f"  - {{user_id: {name}, secret_key: '${{file:tim.key}}'}}\n" for name in "ab")
    assert told(two, open_folder) == [open_folder / "tim.key"]


def test_what_a_container_is_handed_is_left_alone(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposed, "HANDED_IN", (open_folder.resolve(),))
    assert told(BY_NAME, open_folder) == []


def test_a_link_to_what_was_handed_in_is_left_alone(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = open_folder / "secrets" / "key"
    real.parent.mkdir()
    (open_folder / "tim.key").rename(real)
    (open_folder / "tim.key").symlink_to(real)
    assert told(BY_NAME, open_folder) == [open_folder / "tim.key"]
    monkeypatch.setattr(exposed, "HANDED_IN", (real.parent.resolve(),))
    assert told(BY_NAME, open_folder) == []


def test_a_mount_that_cannot_be_written_is_left_alone(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(os.statvfs(open_folder))
    found[8] |= os.ST_RDONLY
    monkeypatch.setattr(os, "statvfs", lambda _path: os.statvfs_result(found))
    assert told(BY_NAME, open_folder) == []


def test_a_file_that_is_gone_is_no_trouble(open_folder: Path) -> None:
    read = config(BY_EXPANSION, folder=open_folder)
    (open_folder / "tim.key").unlink()
    assert exposed_files(read, open_folder) == []


def test_check_tells_it_and_is_content(open_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (open_folder / "c.yaml").write_text(BY_NAME)
    assert main(["check", str(open_folder / "c.yaml")]) == exits.OK
    assert f"chmod 600 {open_folder / 'tim.key'}" in capsys.readouterr().err
    assert stat.S_IMODE((open_folder / "tim.key").stat().st_mode) == 0o644, "it only tells"
