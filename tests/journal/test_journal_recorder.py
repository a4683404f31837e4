"""The flight recorder: what a process that died leaves, and what a damaged file does not pretend."""

from __future__ import annotations

import os
import random
import signal
import stat
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from timbot.runtime.journal.recorder import FILE_NAME, Recorder
from timbot.store import StoreError

NOW = 1_767_614_400.0


def dies(folder: Path, *events: int, at: float = NOW) -> None:
    """A process that began these and never said goodbye. Its file is left as it is."""
    recorder = Recorder.open(folder, at)
    for event in events:
        recorder.began(event)


def starts(folder: Path, at: float = NOW) -> Recorder:
    """The next process; it ends well."""
    recorder = Recorder.open(folder, at)
    recorder.close()
    return recorder


def test_the_first_process_has_nobody_to_suspect(tmp_path: Path) -> None:
    recorder = starts(tmp_path)
    assert (recorder.suspects, recorder.deaths) == (frozenset(), ())


def test_who_ran_at_a_death_is_a_suspect(tmp_path: Path) -> None:
    dies(tmp_path, 3, 5)
    assert starts(tmp_path).suspects == {3, 5}


def test_who_had_ended_is_none(tmp_path: Path) -> None:
    recorder = Recorder.open(tmp_path, NOW)
    recorder.began(3)
    recorder.began(5)
    recorder.ended(3)
    recorder.ended(99)
    assert starts(tmp_path).suspects == {5}


def test_twice_begun_is_ended_once(tmp_path: Path) -> None:
    recorder = Recorder.open(tmp_path, NOW)
    recorder.began(3)
    recorder.began(3)
    recorder.ended(3)
    assert starts(tmp_path).suspects == frozenset()


def test_nobody_is_to_blame_after_a_goodbye(tmp_path: Path) -> None:
    recorder = Recorder.open(tmp_path, NOW)
    recorder.began(3)
    recorder.close()
    found = starts(tmp_path)
    assert (found.suspects, found.deaths) == (frozenset(), ())


def test_suspects_are_those_of_the_last_process(tmp_path: Path) -> None:
    dies(tmp_path, 3)
    dies(tmp_path, 5)
    assert starts(tmp_path).suspects == {5}


def test_deaths_are_counted_by_the_starts_after_them(tmp_path: Path) -> None:
    for second in range(4):
        dies(tmp_path, at=NOW + second)
    assert starts(tmp_path, NOW + 4).deaths == (NOW + 1, NOW + 2, NOW + 3, NOW + 4)


def test_a_goodbye_in_between_leaves_them_known(tmp_path: Path) -> None:
    dies(tmp_path)
    starts(tmp_path, NOW + 1)
    assert starts(tmp_path, NOW + 2).deaths == (NOW + 1,)


def test_a_day_later_they_are_forgotten(tmp_path: Path) -> None:
    dies(tmp_path)
    starts(tmp_path, NOW + 1)
    assert starts(tmp_path, NOW + 86402).deaths == ()


def test_only_the_newest_are_remembered(tmp_path: Path) -> None:
    for second in range(40):
        dies(tmp_path, at=NOW + second)
    deaths = starts(tmp_path, NOW + 40).deaths
    assert deaths == tuple(NOW + second for second in range(25, 41))


@pytest.mark.parametrize("handlers", [240, 241, 5000])
def test_more_handlers_than_slots_make_it_grow(tmp_path: Path, handlers: int) -> None:
    dies(tmp_path, *range(1, handlers + 1))
    assert starts(tmp_path).suspects == set(range(1, handlers + 1))


def test_slots_are_used_again(tmp_path: Path) -> None:
    recorder = Recorder.open(tmp_path, NOW)
    for event in range(1, 100_000):
        recorder.began(event)
        recorder.ended(event)
    recorder.close()
    assert (tmp_path / FILE_NAME).stat().st_size == 4096


def short_of_room(handle: int, data: bytes) -> int:
    """A disk with no room but for the half of it."""
    return len(data) // 2


def test_without_room_for_more_the_first_are_noted_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder.open(tmp_path, NOW)
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", short_of_room)
        for event in range(1, 300):
            recorder.began(event)
        recorder.ended(299)
    assert starts(tmp_path).suspects == set(range(1, 241))


def test_when_there_is_room_again_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder.open(tmp_path, NOW)
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", short_of_room)
        for event in range(1, 300):
            recorder.began(event)
    recorder.began(300)
    assert starts(tmp_path).suspects == {*range(1, 241), 300}


def test_without_any_room_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", short_of_room)
        with pytest.raises(StoreError, match="no room left"):
            Recorder.open(tmp_path, NOW)


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    starts(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_after_the_goodbye_nothing_is_noted(tmp_path: Path) -> None:
    recorder = starts(tmp_path)
    recorder.began(3)
    recorder.ended(3)
    recorder.close()
    assert starts(tmp_path).suspects == frozenset()


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StoreError, match="running"):
        Recorder.open(tmp_path, NOW)


@pytest.mark.parametrize("content", [b"", b"timbotR1", b"x" * 5000, b"\0" * 4096])
def test_a_file_that_is_none_tells_of_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    found = starts(tmp_path)
    assert (found.suspects, found.deaths) == (frozenset(), ())


@pytest.mark.parametrize("size", [0, 100, 255, 256, 257, 260, 4000])
def test_a_file_cut_short_blames_only_who_is_in_it(tmp_path: Path, size: int) -> None:
    dies(tmp_path, *range(1, 241))
    os.truncate(tmp_path / FILE_NAME, size)
    suspects = starts(tmp_path).suspects
    assert len(suspects) == max(0, size - 256) // 16
    assert suspects <= set(range(1, 241))


def test_half_a_number_is_nobody_s(tmp_path: Path) -> None:
    dies(tmp_path, 1 << 20)
    file = tmp_path / FILE_NAME
    data = bytearray(file.read_bytes())
    at = data.index(struct.pack("<Q", 1 << 20))
    data[at + 1] ^= 0xFF
    file.write_bytes(data)
    assert starts(tmp_path).suspects == frozenset()


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_head_is_not_believed(tmp_path: Path, seed: int) -> None:
    dies(tmp_path, 3)
    dies(tmp_path, 3)
    file = tmp_path / FILE_NAME
    data = bytearray(file.read_bytes())
    place = random.Random(seed).randrange(20 + 16 * 8)
    data[place] ^= 1 << seed % 8
    file.write_bytes(data)
    found = starts(tmp_path)
    assert (found.suspects, found.deaths) == (frozenset(), ())


def test_what_a_start_left_halfway_is_no_hindrance(tmp_path: Path) -> None:
    dies(tmp_path, 3)
    (tmp_path / f"{FILE_NAME}.new").write_bytes(b"half")
    assert starts(tmp_path).suspects == {3}


@pytest.mark.real_time
def test_a_real_death_leaves_its_suspects(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from timbot.runtime.journal.recorder import Recorder\n"
        "recorder = Recorder.open(Path(sys.argv[1]), 5.0); recorder.began(7); recorder.began(8); recorder.ended(7)\n"
        "os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", program, tmp_path])
    assert ended.returncode == -signal.SIGKILL
    assert starts(tmp_path).suspects == {8}
