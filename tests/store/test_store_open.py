"""Opening: a private folder, one process, a file that is ours and whole; else one error that says what to do."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from timbot.store import Database, StoreBroken, StoreError, StoreInUse, database
from timbot.store.errors import cannot_open
from timbot.store.folder import FILE_NAME, LOCK_NAME


@pytest.fixture
def careless_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


async def with_values(folder: Path, count: int = 1) -> Path:
    """A closed store that holds something; its file."""
    async with await Database.open(folder) as made:
        store = made.scope("bot", "dice")
        await asyncio.gather(*(store.set(f"key{number}", "x" * 500) for number in range(count)))
    return folder / FILE_NAME


def tell(file: Path, statement: str) -> None:
    """Change a closed database from outside."""
    connection = sqlite3.connect(file)
    connection.execute(statement)
    connection.commit()
    connection.close()


def overwrite(file: Path, offset: int, size: int) -> None:
    with file.open("r+b") as open_file:
        open_file.seek(offset)
        open_file.write(b"\xa5" * size)


async def refusal(folder: Path) -> StoreError:
    """The error with which opening fails. It leaves nothing behind that keeps the next one out."""
    with pytest.raises(StoreError) as caught:
        await Database.open(folder)
    with pytest.raises(StoreError) as again:
        await Database.open(folder)
    assert str(again.value) == str(caught.value)
    return caught.value


def next_descriptor() -> int:
    """The number the next opened file would get."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes(folder: Path) -> dict[str, int]:
    return {file.name: mode(file) for file in folder.iterdir()}


class TestTheFolder:
    async def test_it_is_made_with_those_above(self, tmp_path: Path) -> None:
        async with await Database.open(tmp_path / "a" / "b") as opened:
            assert opened.path == tmp_path / "a" / "b" / FILE_NAME
            assert opened.path.is_file()

    @pytest.mark.usefixtures("careless_umask")
    async def test_it_is_for_its_owner(self, tmp_path: Path) -> None:
        async with await Database.open(tmp_path / "store"):
            assert mode(tmp_path / "store") == 0o700

    @pytest.mark.usefixtures("careless_umask")
    async def test_so_is_every_file_in_it(self, tmp_path: Path) -> None:
        async with await Database.open(tmp_path / "store") as opened:
            await opened.scope("bot", "dice").set("key", 1)
            found = modes(tmp_path / "store")
        assert found == dict.fromkeys([FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", LOCK_NAME], 0o600)

    async def test_a_file_that_others_may_read_is_closed_to_them(self, tmp_path: Path) -> None:
        file = await with_values(tmp_path)
        file.chmod(0o644)
        async with await Database.open(tmp_path) as opened:
            await opened.scope("bot", "dice").set("key", 1)
            assert set(modes(tmp_path).values()) == {0o600}

    async def test_one_that_everybody_may_write_is_refused(self, tmp_path: Path) -> None:
        os.chmod(tmp_path, 0o777)
        error = await refusal(tmp_path)
        assert "everybody" in error.message
        assert f"chmod o-w {tmp_path}" in error.hint
        assert modes(tmp_path) == {}

    async def test_one_of_a_group_is_taken(self, tmp_path: Path) -> None:
        os.chmod(tmp_path, 0o2770)
        async with await Database.open(tmp_path) as opened:
            assert opened.broken is None

    async def test_a_file_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        assert "it is a file" in (await refusal(tmp_path / "file")).message

    async def test_nor_is_what_would_lie_in_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        assert "a part of its path is a file" in (await refusal(tmp_path / "file" / "store")).message

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; the mounted folders are for root")
    async def test_one_that_may_not_be_written_is_refused(self, tmp_path: Path) -> None:
        os.chmod(tmp_path, 0o500)
        assert "cannot be opened" in (await refusal(tmp_path)).message


class TestTheLock:
    async def test_a_second_one_is_refused_by_name(self, tmp_path: Path) -> None:
        async with await Database.open(tmp_path):
            with pytest.raises(StoreInUse, match=f"in use by process {os.getpid()}\\.") as caught:
                await Database.open(tmp_path)
        assert caught.value.pid == os.getpid()
        assert "Stop that one first" in caught.value.hint

    async def test_the_refused_one_leaves_the_first_alone(self, tmp_path: Path) -> None:
        async with await Database.open(tmp_path) as first:
            for _ in range(2):
                with pytest.raises(StoreInUse):
                    await Database.open(tmp_path)
            await first.scope("bot", "dice").set("key", 1)
            assert first.broken is None

    async def test_closing_lets_the_next_one_in(self, tmp_path: Path) -> None:
        for _ in range(3):
            async with await Database.open(tmp_path):
                assert (tmp_path / LOCK_NAME).read_text().startswith(f"{os.getpid()} ")

    async def test_a_holder_elsewhere_is_named_with_its_host(self, tmp_path: Path) -> None:
        async with await Database.open(tmp_path):
            (tmp_path / LOCK_NAME).write_text("1 blue-container\n")
            with pytest.raises(StoreInUse, match="process 1 on blue-container"):
                await Database.open(tmp_path)

    async def test_a_holder_that_has_not_said_yet_is_another_process(self, tmp_path: Path) -> None:
        async with await Database.open(tmp_path):
            (tmp_path / LOCK_NAME).write_text("")
            with pytest.raises(StoreInUse, match="in use by another process"):
                await Database.open(tmp_path)

    async def test_what_a_dead_holder_left_behind_is_no_lock(self, tmp_path: Path) -> None:
        (tmp_path / LOCK_NAME).write_text(f"1 {'somewhere-else' * 10}\n")
        async with await Database.open(tmp_path):
            assert (tmp_path / LOCK_NAME).read_text() == f"{os.getpid()} {socket.gethostname()}\n"

    async def test_being_refused_leaves_no_file_open(self, tmp_path: Path) -> None:
        async with await Database.open(tmp_path):
            before = next_descriptor()
            with pytest.raises(StoreInUse):
                await Database.open(tmp_path)
            assert next_descriptor() == before

    async def test_giving_up_opening_leaves_it_free(self, tmp_path: Path) -> None:
        opening = asyncio.create_task(Database.open(tmp_path))
        await asyncio.sleep(0)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        assert opening.cancelled()
        async with await Database.open(tmp_path) as opened:
            assert opened.broken is None


class TestTheFile:
    @pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("relaxed", 1)])
    async def test_it_is_written_as_asked(self, tmp_path: Path, durability: database.Durability, synchronous: int) -> None:
        def settings(connection: sqlite3.Connection) -> list[object]:
            names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "journal_size_limit", "secure_delete")
            return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

        async with await Database.open(tmp_path, durability=durability) as opened:
            assert await opened.write(settings) == ["wal", synchronous, 1, 5000, 16 << 20, 1]

    async def test_closing_empties_the_log(self, tmp_path: Path) -> None:
        await with_values(tmp_path, 100)
        assert set(modes(tmp_path)) == {FILE_NAME, LOCK_NAME}

    async def test_no_sqlite_file_at_all(self, tmp_path: Path) -> None:
        (tmp_path / FILE_NAME).write_bytes(b"not a database, but long enough to be taken for one" * 100)
        error = await refusal(tmp_path)
        assert "damaged" in error.message
        assert "backup" in error.hint

    async def test_a_broken_header(self, tmp_path: Path) -> None:
        overwrite(await with_values(tmp_path), 0, 100)
        assert "damaged" in (await refusal(tmp_path)).message

    async def test_a_broken_page(self, tmp_path: Path) -> None:
        overwrite(await with_values(tmp_path, 500), 20 * 4096, 4096)
        assert "damaged" in (await refusal(tmp_path)).message

    async def test_a_file_cut_short(self, tmp_path: Path) -> None:
        file = await with_values(tmp_path, 500)
        os.truncate(file, file.stat().st_size // 2)
        assert "damaged" in (await refusal(tmp_path)).message

    async def test_a_broken_page_of_a_large_file_shows_when_it_is_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "CHECKED_BYTES", 0)
        overwrite(await with_values(tmp_path, 500), 60 * 4096, 300 * 4096)
        async with await Database.open(tmp_path) as opened:
            with pytest.raises(StoreBroken, match="damaged"):
                await opened.read(lambda connection: connection.execute("SELECT value FROM state").fetchall())
            assert opened.broken is not None
            with pytest.raises(StoreBroken, match="damaged"):
                await opened.scope("bot", "dice").set("key", 1)

    async def test_a_newer_one(self, tmp_path: Path) -> None:
        tell(await with_values(tmp_path), "PRAGMA user_version = 99")
        error = await refusal(tmp_path)
        assert "newer timbot: it is at version 99" in error.message
        assert error.hint

    async def test_a_refused_newer_one_is_left_as_it_is(self, tmp_path: Path) -> None:
        file = await with_values(tmp_path)
        tell(file, "PRAGMA user_version = 99")
        before = file.read_bytes()
        await refusal(tmp_path)
        assert file.read_bytes() == before

    @pytest.mark.parametrize("statement", ["CREATE TABLE theirs (x)", "PRAGMA application_id = 7", "PRAGMA user_version = 1"])
    async def test_another_program_s(self, tmp_path: Path, statement: str) -> None:
        tell(tmp_path / FILE_NAME, statement)
        assert "another program" in (await refusal(tmp_path)).message

    async def test_one_that_another_program_keeps_locked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
        browser = sqlite3.connect(await with_values(tmp_path), isolation_level=None)
        browser.execute("PRAGMA locking_mode = EXCLUSIVE")
        browser.execute("BEGIN EXCLUSIVE")
        assert "another program keeps it locked" in (await refusal(tmp_path)).message
        browser.close()

    async def test_one_that_another_program_locks_meanwhile(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
        async with await Database.open(tmp_path) as opened:
            browser = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
            browser.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBroken, match="another program keeps it locked"):
                await opened.scope("bot", "dice").set("key", 1)
            browser.close()


@pytest.mark.parametrize("make", [sqlite3.OperationalError, OSError], ids=lambda make: make.__name__)
def test_an_error_that_nobody_expected_is_told_in_its_own_words(tmp_path: Path, make: Callable[[str], OSError]) -> None:
    assert "the moon is full" in str(cannot_open(tmp_path, make("the moon is full")))
