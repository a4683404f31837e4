"""One writer for all: order, groups, failures that stay with their own, and a database that breaks for everybody."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from store_rows import add, commits, make_table, texts

from timbot.store import Database, StoreBroken, StoreClosed, Work, lane
from timbot.testing import VirtualLoop


def fails_after_writing(connection: sqlite3.Connection) -> None:
    add("half done")(connection)
    raise KeyError("mine")


def ends_the_transaction(connection: sqlite3.Connection) -> None:
    connection.execute("COMMIT")


def meets(code: int) -> Work[None]:
    """Work that gets this answer from SQLite."""

    def work(_: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError("as SQLite would say it")
        error.sqlite_errorcode = code
        raise error

    return work


def rolls_back(connection: sqlite3.Connection) -> None:
    connection.execute("ROLLBACK")


async def fill_up(database: Database) -> StoreBroken:
    """Leave no page free, and write until that shows."""
    await database.write(lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchone())
    with pytest.raises(StoreBroken) as caught:
        await database.write(add("x" * 100_000))
    return caught.value


class TestOrder:
    async def test_it_is_that_of_the_calls(self, database: Database) -> None:
        await make_table(database)
        await asyncio.gather(*(database.write(add(number)) for number in range(3000)))
        assert await database.read(texts) == list(range(3000))

    async def test_the_place_is_taken_by_the_call_and_not_by_the_await(self, database: Database) -> None:
        await make_table(database)
        first, second = database.write(add("first")), database.write(add("second"))
        await second
        await first
        assert await database.read(texts) == ["first", "second"]

    async def test_tasks_keep_the_order_they_were_made_in(self, database: Database) -> None:
        store = database.scope("a", "p")
        await asyncio.gather(*(store.set("key", number) for number in range(50)))
        assert await store.get("key") == 49

    async def test_a_write_sees_those_before_it(self, database: Database) -> None:
        await make_table(database)
        _, seen = await asyncio.gather(database.write(add("first")), database.write(texts))
        assert seen == ["first"]

    async def test_a_read_sees_what_was_confirmed(self, database: Database) -> None:
        await make_table(database)
        for number in range(20):
            await database.write(add(number))
            assert await database.read(texts) == list(range(number + 1))


class TestGroups:
    async def test_callers_share_a_commit(self, database: Database) -> None:
        await make_table(database)
        statements = await commits(database)
        await asyncio.gather(*(database.write(add(number)) for number in range(200)))
        assert statements.count("COMMIT") == 1

    async def test_what_is_asked_for_meanwhile_forms_the_next(self, database: Database) -> None:
        await make_table(database)
        statements = await commits(database)

        async def caller() -> None:
            for number in range(3):
                await database.write(add(number))

        await asyncio.gather(*(caller() for _ in range(20)))
        assert statements.count("COMMIT") == 3

    async def test_a_group_is_bounded(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        await make_table(database)
        statements = await commits(database)
        monkeypatch.setattr(lane, "GROUP", 10)
        await asyncio.gather(*(database.write(add(number)) for number in range(25)))
        assert statements.count("COMMIT") == 3

    async def test_virtual_time_stands_still_meanwhile(self, database: Database) -> None:
        timer = asyncio.create_task(asyncio.sleep(1))
        await make_table(database)
        assert await database.read(texts) == []
        assert VirtualLoop.running().time() == 0
        await timer


class TestFailingAlone:
    async def test_the_error_is_the_caller_s_own(self, database: Database) -> None:
        await make_table(database)
        with pytest.raises(KeyError, match="mine"):
            await database.write(fails_after_writing)

    async def test_its_changes_are_undone_and_those_of_others_kept(self, database: Database) -> None:
        await make_table(database)
        work = [add("before"), fails_after_writing, add("after")]
        await asyncio.gather(*(database.write(one) for one in work), return_exceptions=True)
        assert await database.read(texts) == ["before", "after"]

    async def test_a_wrong_statement_breaks_nothing(self, database: Database) -> None:
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await database.write(add("x"))
        assert database.broken is None

    async def test_an_exhausted_iterator_reaches_its_caller(self, database: Database) -> None:
        with pytest.raises(RuntimeError, match="StopIteration"):
            await database.write(lambda _: next(iter(())))


class TestReading:
    async def test_it_cannot_write(self, database: Database) -> None:
        await make_table(database)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await database.read(add("x"))
        await database.write(add("y"))
        assert await database.read(texts) == ["y"]

    async def test_its_error_is_its_own(self, database: Database) -> None:
        await make_table(database)
        outcomes = await asyncio.gather(database.read(lambda _: 1 // 0), database.read(texts), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError, list]

    async def test_two_looks_within_one_see_the_same(self, tmp_path: Path) -> None:
        async with await Database.open(tmp_path) as database:
            await make_table(database)
            looked, written = threading.Event(), threading.Event()

            def looks_twice(connection: sqlite3.Connection) -> list[list[object]]:
                first = texts(connection)
                looked.set()
                assert written.wait(20)
                return [first, texts(connection)]

            reading = database.read(looks_twice)
            assert await asyncio.to_thread(looked.wait, 20)
            await database.write(add("meanwhile"))
            written.set()
            assert await reading == [[], []]
            assert await database.read(texts) == ["meanwhile"]


class TestGivingUp:
    async def test_a_cancelled_caller_s_write_is_done_in_its_place(self, database: Database) -> None:
        await make_table(database)

        async def caller() -> None:
            await database.write(add("cancelled"))

        task = asyncio.create_task(caller())
        await asyncio.sleep(0)
        after = database.write(add("after"))
        task.cancel()
        await asyncio.gather(task, after, return_exceptions=True)
        assert task.cancelled()
        assert await database.read(texts) == ["cancelled", "after"]

    async def test_all_of_a_group_may_give_up(self, database: Database) -> None:
        await make_table(database)
        writes = [database.write(add(number)) for number in range(5)]
        await asyncio.sleep(0)
        for write in writes:
            write.cancel()
        await database.write(add("last"))
        assert await database.read(texts) == [0, 1, 2, 3, 4, "last"]


class TestClosing:
    async def test_it_finishes_what_was_asked_for(self, tmp_path: Path) -> None:
        database = await Database.open(tmp_path)
        await make_table(database)
        writes = [database.write(add(number)) for number in range(2500)]
        await database.close()
        assert all(write.done() for write in writes)
        async with await Database.open(tmp_path) as again:
            assert await again.read(texts) == list(range(2500))

    async def test_it_refuses_later_writes(self, database: Database) -> None:
        await database.close()
        with pytest.raises(StoreClosed):
            await database.write(texts)

    async def test_it_refuses_later_reads(self, database: Database) -> None:
        await database.close()
        with pytest.raises(StoreClosed):
            await database.read(texts)

    async def test_twice_is_once(self, database: Database) -> None:
        await asyncio.gather(database.close(), database.close())
        await database.close()

    async def test_a_cancelled_close_goes_on(self, tmp_path: Path) -> None:
        database = await Database.open(tmp_path)
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        await database.close()
        async with await Database.open(tmp_path) as again:
            assert again.broken is None

    async def test_a_broken_one_closes(self, tmp_path: Path) -> None:
        database = await Database.open(tmp_path)
        await make_table(database)
        await fill_up(database)
        await database.close()
        async with await Database.open(tmp_path) as again:
            assert await again.read(texts) == []


class TestBreaking:
    async def test_the_whole_group_hears_it(self, database: Database) -> None:
        await make_table(database)
        await database.write(lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchone())
        work = [add("small"), add("x" * 100_000), add("small")]
        outcomes = await asyncio.gather(*(database.write(one) for one in work), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StoreBroken] * 3

    async def test_those_in_line_hear_it(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        await make_table(database)
        monkeypatch.setattr(lane, "GROUP", 1)
        outcomes = await asyncio.gather(
            database.write(ends_the_transaction), database.write(add("in line")), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [StoreBroken] * 2

    async def test_nothing_of_the_group_is_kept(self, database: Database) -> None:
        await make_table(database)
        await asyncio.gather(database.write(add("with it")), database.write(rolls_back), return_exceptions=True)
        assert await database.read(texts) == []

    async def test_later_writes_hear_it(self, database: Database) -> None:
        await make_table(database)
        await fill_up(database)
        with pytest.raises(StoreBroken):
            await database.write(add("later"))

    async def test_it_can_still_be_read(self, database: Database) -> None:
        await make_table(database)
        await database.write(add("kept"))
        await fill_up(database)
        assert await database.read(texts) == ["kept"]

    async def test_it_says_why(self, database: Database) -> None:
        await make_table(database)
        error = await fill_up(database)
        assert error.code == "SQLITE_FULL"
        assert "no room left" in str(error)
        assert error.hint

    async def test_whoever_waits_for_it_is_told(self, database: Database) -> None:
        await make_table(database)
        waiting = asyncio.create_task(database.failure())
        await asyncio.sleep(0)
        await fill_up(database)
        assert (await waiting).code == "SQLITE_FULL"

    async def test_a_sound_one_is_not_broken(self, database: Database) -> None:
        await make_table(database)
        assert database.broken is None

    async def test_everybody_gets_an_error_of_his_own(self, database: Database) -> None:
        """An exception raised at many places would collect all of their tracebacks."""
        await make_table(database)
        await fill_up(database)
        first, second = await asyncio.gather(database.write(texts), database.write(texts), return_exceptions=True)
        assert first is not second

    async def test_a_commit_that_fails_confirms_nothing(self, database: Database) -> None:
        await make_table(database)

        def commit_will_fail(connection: sqlite3.Connection) -> None:
            connection.execute("CREATE TABLE child (parent REFERENCES row (id) DEFERRABLE INITIALLY DEFERRED)")
            connection.execute("INSERT INTO child VALUES (99)")

        work = [add("innocent"), commit_will_fail]
        outcomes = await asyncio.gather(*(database.write(one) for one in work), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StoreBroken] * 2
        assert await database.read(texts) == []

    async def test_the_finer_kinds_of_an_error_are_known(self, database: Database) -> None:
        with pytest.raises(StoreBroken, match="the disk reports errors"):
            await database.write(meets(sqlite3.SQLITE_IOERR_FSYNC))

    async def test_work_that_ends_the_transaction_is_told(self, database: Database) -> None:
        with pytest.raises(StoreBroken, match="ended the transaction of its group"):
            await database.write(ends_the_transaction)

    async def test_damage_met_while_reading_stops_the_writing(self, database: Database) -> None:
        await make_table(database)
        with pytest.raises(StoreBroken, match="damaged"):
            await database.read(meets(sqlite3.SQLITE_CORRUPT))
        with pytest.raises(StoreBroken, match="damaged"):
            await database.write(add("x"))


class TestEmptyingTheLog:
    async def test_it_leaves_nothing_in_it(self, tmp_path: Path) -> None:
        async with await Database.open(tmp_path) as database:
            await make_table(database)
            log = tmp_path / "timbot.sqlite3-wal"
            assert log.stat().st_size > 0
            assert await database.checkpoint()
            assert log.stat().st_size == 0

    async def test_what_was_asked_for_before_is_in_the_file(self, tmp_path: Path) -> None:
        async with await Database.open(tmp_path) as database:
            await make_table(database)
            _, emptied = await asyncio.gather(database.write(add("a-word-of-its-own")), database.checkpoint())
            assert emptied
            assert b"a-word-of-its-own" in (tmp_path / "timbot.sqlite3").read_bytes()

    async def test_what_is_deleted_is_overwritten(self, tmp_path: Path) -> None:
        async with await Database.open(tmp_path) as database:
            await make_table(database)
            await database.write(add("a-word-of-its-own"))
            await database.write(lambda connection: connection.execute("DELETE FROM row").rowcount)
            await database.checkpoint()
        assert b"a-word-of-its-own" not in (tmp_path / "timbot.sqlite3").read_bytes()

    async def test_without_a_file_there_is_nothing_to_empty(self) -> None:
        async with await Database.memory() as database:
            assert await database.checkpoint()

    async def test_a_closed_one_refuses(self, database: Database) -> None:
        await database.close()
        with pytest.raises(StoreClosed):
            await database.checkpoint()

    async def test_a_broken_one_says_why(self, tmp_path: Path) -> None:
        async with await Database.open(tmp_path) as database:
            await make_table(database)
            await fill_up(database)
            with pytest.raises(StoreBroken, match="no room left"):
                await database.checkpoint()
