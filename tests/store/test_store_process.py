"""Other processes: one that is killed, one that has the store already, one whose disk is full."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_process import pair

from timbot.store import Database, StoreInUse

PROGRAM = Path(__file__).with_name("store_process.py")
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]


class Child:
    """A process that runs a scenario; it is killed at the end of the test, if not before."""

    def __init__(self, scenario: str, folder: Path) -> None:
        self.process = subprocess.Popen([sys.executable, PROGRAM, scenario, folder], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.lines = self.process.stdout

    def line(self) -> str:
        return self.lines.readline().rstrip("\n")

    def kill(self) -> list[str]:
        """As with kill -9; what it had said until then."""
        self.process.kill()
        said = self.lines.read().splitlines()
        self.process.wait(20)
        self.lines.close()
        return said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def holder(folder: Path) -> Iterator[Child]:
    child = Child("hold", folder)
    try:
        assert child.line() == "open"
        yield child
    finally:
        if child.process.returncode is None:
            child.kill()


@pytest.mark.real_time
async def test_a_second_process_is_refused_with_the_first_one_s_number(folder: Path, holder: Child) -> None:
    with pytest.raises(StoreInUse, match=f"in use by process {holder.process.pid}\\.") as caught:
        await Database.open(folder)
    assert caught.value.pid == holder.process.pid


@pytest.mark.real_time
async def test_a_killed_process_holds_nothing(folder: Path, holder: Child) -> None:
    holder.kill()
    async with await Database.open(folder) as database:
        await database.scope("bot", "dice").set("key", 1)
        assert database.broken is None


@pytest.mark.real_time
@pytest.mark.parametrize("confirmed", [1, 40, 300, 1500])
async def test_what_was_confirmed_survives_a_kill(folder: Path, confirmed: int) -> None:
    writer = Child("write", folder)
    names = [writer.line() for _ in range(confirmed)]
    names += writer.kill()
    async with await Database.open(folder) as database:
        found = set(await database.scope("bot", "dice").keys())
    lost = [name for name in names if not set(pair(name)) <= found]
    assert lost == []


@pytest.mark.real_time
async def test_a_kill_leaves_no_write_half_done(folder: Path) -> None:
    writer = Child("write", folder)
    for _ in range(100):
        writer.line()
    writer.kill()
    async with await Database.open(folder) as database:
        found = set(await database.scope("bot", "dice").keys())
    names = {key.partition(":")[0] for key in found}
    assert found == {key for name in names for key in pair(name)}


def disk(scenario: str, folder: Path) -> list[str]:
    """What a process says that may mount a disk of its own."""
    folder.mkdir()
    command = [*NAMESPACE, sys.executable, str(PROGRAM), scenario, str(folder)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout.splitlines()


def may_mount() -> bool:
    """Whether this machine lets a process have mounts of its own."""
    if shutil.which("unshare") is None:
        return False
    probe = [*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(probe, capture_output=True).returncode == 0


needs_mounts = pytest.mark.skipif(not may_mount(), reason="no mounts of its own here (unshare --user --mount)")


@needs_mounts
def test_a_disk_that_fills_up_stops_the_writing_and_loses_nothing(folder: Path) -> None:
    error, *rest = disk("fill", folder)
    assert error.startswith("StoreBroken")
    assert "there is no room left" in error
    assert rest == ["readable True", "kept True", "writes again"]


@needs_mounts
def test_a_full_disk_is_told_at_the_start(folder: Path) -> None:
    (error,) = disk("full", folder)
    assert error.startswith("StoreError")
    assert "there is no room left" in error


@needs_mounts
def test_a_disk_that_cannot_be_written_is_told_at_the_start(folder: Path) -> None:
    first, error = disk("read_only", folder)
    assert first == "opened"
    assert error.startswith("StoreError")
    assert "it cannot be written" in error
