"""A real process, killed between two statements of its writer: what it had been told is kept, is there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from timbot.runtime.journal.recorder import Recorder
from timbot.runtime.journal.sqlite import SqliteJournal
from timbot.runtime.journal.values import EventState, SendState
from timbot.store import Database

PROGRAM = Path(__file__).with_name("journal_process.py")


def killed(folder: Path, count: int, text: str = "") -> list[list[str]]:
    """What a process said before it was killed at its so-many-th statement with this text."""
    command = [sys.executable, str(PROGRAM), str(folder), str(count), text]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    return [line.split() for line in ended.stdout.splitlines()]


def numbers(said: list[list[str]], word: str, at: int = 1) -> list[int]:
    return [int(line[at]) for line in said if line[0] == word]


@pytest.mark.real_time
@pytest.mark.parametrize("seed", range(8))
async def test_what_was_confirmed_is_there_and_nothing_is_half_done(tmp_path: Path, seed: int) -> None:
    said = killed(tmp_path, random.Random(seed).randrange(1, 3000))
    async with await Database.open(tmp_path) as database:
        recorder = Recorder.open(tmp_path, time.time())
        journal = SqliteJournal(database, "a", recorder=recorder)
        resumed = await journal.resume()
        recorder.close()
        events = {number: await journal.event(number) for number in numbers(said, "took")}
        assert None not in events.values()
        assert {number for number in numbers(said, "finished") if events[number].state is not EventState.DONE} == set()  # type: ignore[union-attr]
        for number in numbers(said, "intended", 2):
            assert await journal.send(number) is not None
        for number, event in events.items():
            assert event is not None
            steps, sends = await journal.steps(number)
            settled = any(send.state is SendState.SENT for send in sends)
            assert bool(steps) is settled
            assert settled or event.state is EventState.OPEN
    marks = {mark.group_id: mark.taken for mark in resumed.memory.marks}
    for _, _, lane, turn in (line for line in said if line[0] == "took"):
        assert marks[f"g{lane}"] >= int(turn)
    remembered = {(int(identity.peer[4:]), identity.sequence) for identity, _ in resumed.memory.messages}
    assert {(int(group[1:]), turn) for group, turn in marks.items()} <= remembered


@pytest.mark.real_time
async def test_who_ran_when_it_died_is_known(tmp_path: Path) -> None:
    said = killed(tmp_path, 100, "INSERT INTO send")
    recorder = Recorder.open(tmp_path, time.time())
    recorder.close()
    assert recorder.suspects <= set(numbers(said, "took"))
    assert not recorder.suspects & set(numbers(said, "finished"))
    assert len(recorder.deaths) == 1
    async with await Database.open(tmp_path) as database:
        journal = SqliteJournal(database, "a", recorder=recorder)
        resumed = await journal.resume()
        assert resumed.suspects
        for number in set(numbers(said, "intended")) - set(numbers(said, "finished")):
            event = await journal.event(number)
            assert event is not None
            assert (number in resumed.suspects) is (event.state is EventState.OPEN)
