"""A journal whose file fails, and one that was closed."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from journal_kit import NOTHING, intends, journal_on, plain, said, settles, take, took

from timbot.runtime.journal.sqlite import SqliteJournal
from timbot.runtime.journal.values import Finish
from timbot.store import Database, StoreBroken, StoreClosed, StoreError
from timbot.store import database as opening

FILE = "timbot.sqlite3"


async def fill(database: Database) -> None:
    """No page is free any more."""
    await database.write(lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchone())


async def test_a_full_disk_keeps_what_was_confirmed_and_nothing_else(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        journal = journal_on(database)
        number = await took(journal)
        await fill(database)
        outcomes = await asyncio.gather(
            journal.take([plain(bytes(50_000))], NOTHING), journal.commit(Finish(number)), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [StoreBroken] * 2
    async with await Database.open(tmp_path) as database:
        assert [lane.events for lane in (await journal_on(database).resume()).lanes] == [1]


async def test_a_full_disk_is_told_ever_after(database: Database) -> None:
    journal = journal_on(database)
    await journal.resume()
    await fill(database)
    with pytest.raises(StoreBroken, match="no room left"):
        await took(journal, plain(bytes(50_000)))
    with pytest.raises(StoreBroken, match="no room left"):
        await took(journal, said())
    assert (await database.failure()).code == "SQLITE_FULL"


@pytest.mark.real_time
async def test_a_file_that_another_program_locks_breaks_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.05)
    async with await Database.open(tmp_path) as database:
        journal = SqliteJournal(database, "a")
        await journal.resume()
        browser = sqlite3.connect(tmp_path / FILE, isolation_level=None)
        browser.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBroken, match="another program keeps it locked"):
            await journal.take([said()], NOTHING)
        browser.close()


async def test_a_closed_one_refuses_everything(database: Database) -> None:
    journal = journal_on(database)
    await journal.resume()
    await database.close()
    for call in (
        journal.take([said()], NOTHING),
        journal.commit(Finish(1)),
        journal.event(1),
        journal.steps(1),
        journal.waiting("C2Calice", 0, 1),
        journal.dead_letters(),
        journal.revive(1),
        journal.drop(1),
        journal.compact(0, 0),
        journal.forget("alice"),
        journal.counts(),
        journal.resume(),
    ):
        with pytest.raises(StoreClosed):
            await call


async def test_what_was_asked_for_before_the_end_is_kept(tmp_path: Path) -> None:
    database = await Database.open(tmp_path)
    journal = journal_on(database)
    later = [journal.take([said(sequence=number)], NOTHING) for number in range(2500)]
    await database.close()
    assert all(future.done() for future in later)
    async with await Database.open(tmp_path) as database:
        assert [lane.events for lane in (await journal_on(database).resume()).lanes] == [2500]


async def test_callers_that_give_up_leave_their_changes_in_order(database: Database) -> None:
    journal = journal_on(database)
    (send,) = await journal.commit(intends(None))
    for number in range(50):
        task = asyncio.ensure_future(journal.commit(settles(send, at=float(number + 1))))
        await asyncio.sleep(0)
        task.cancel()
    await take(journal)
    kept = await journal.send(send)
    assert kept is not None
    assert kept.settled == 50


async def written(folder: Path) -> Path:
    """A file of some hundred pages; where it is."""
    async with await Database.open(folder) as database:
        await take(journal_on(database), *(said(sequence=number, body=bytes(2000)) for number in range(500)))
    return folder / FILE


async def test_damage_is_found_at_the_start_and_its_page_named(tmp_path: Path) -> None:
    file = await written(tmp_path)
    with file.open("r+b") as data:
        data.seek(60 * 4096)
        data.write(b"\xff" * 4096)
    with pytest.raises(StoreError, match=f"{tmp_path}.* damaged.*[Pp]age 61"):
        await Database.open(tmp_path)


async def test_damage_in_a_large_file_is_found_when_it_is_read_and_stops_the_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "CHECKED_BYTES", 0)
    file = await written(tmp_path)
    with file.open("r+b") as data:
        data.seek(60 * 4096)
        data.write(b"\xff" * 300 * 4096)
    async with await Database.open(tmp_path) as database:
        journal = journal_on(database)
        with pytest.raises(StoreBroken, match=f"{FILE} failed: it is damaged"):
            await journal.waiting("C2Calice", 0, 1000)
        with pytest.raises(StoreBroken, match="damaged"):
            await took(journal)
