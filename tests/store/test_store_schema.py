"""Numbered steps, each once and whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from timbot.store import StoreError
from timbot.store.schema import Migration, migrate, shipped

FIRST = Migration(1, "first", "PRAGMA application_id = 1953066338;\nCREATE TABLE one (x);\n")
SECOND = Migration(2, "second", "CREATE TABLE two (x);\nINSERT INTO two VALUES ('a;b');\n")
CUT_SHORT = Migration(2, "second", "CREATE TABLE two (x);\nINSERT INTO nowhere VALUES (1);\n")

SHIPPED_CHECKSUMS = {"store": "93803bad53f8c6c0", "journal": "fde89abb7845d3c1"}
"""A step that was released is not edited: it has run on people's files. Changes are further steps."""


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    yield made
    made.close()


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_new_file_gets_all_steps(connection: sqlite3.Connection) -> None:
    migrate(connection, None, [FIRST, SECOND])
    assert tables(connection) == {"migration", "one", "two"}
    assert version(connection) == 2


def test_an_older_one_gets_what_it_lacks(connection: sqlite3.Connection) -> None:
    migrate(connection, None, [FIRST])
    connection.execute("INSERT INTO one VALUES (1)")
    migrate(connection, None, [FIRST, SECOND])
    assert connection.execute("SELECT x FROM one").fetchall() == [(1,)]
    assert connection.execute("SELECT x FROM two").fetchall() == [("a;b",)]


def test_none_runs_twice(connection: sqlite3.Connection) -> None:
    for _ in range(2):
        migrate(connection, None, [FIRST, SECOND])
    assert connection.execute("SELECT x FROM two").fetchall() == [("a;b",)]


def test_one_that_fails_leaves_nothing_of_itself(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(connection, None, [FIRST, CUT_SHORT])
    assert tables(connection) == {"migration", "one"}
    assert version(connection) == 1
    assert not connection.in_transaction


def test_one_that_failed_is_taken_up_again(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, None, [FIRST, CUT_SHORT])
    migrate(connection, None, [FIRST, SECOND])
    assert version(connection) == 2


def test_one_that_was_edited_since_is_told(connection: sqlite3.Connection) -> None:
    migrate(connection, None, [FIRST])
    edited = Migration(1, "first", FIRST.sql + "CREATE TABLE more (x);")
    with pytest.raises(StoreError, match=r"another version of step 1 \(first\)"):
        migrate(connection, None, [edited, SECOND])
    assert version(connection) == 1


def test_line_ends_are_no_edit(connection: sqlite3.Connection) -> None:
    migrate(connection, None, [FIRST])
    migrate(connection, None, [Migration(1, "first", FIRST.sql.replace("\n", "\r\n"))])
    assert version(connection) == 1


def test_a_newer_file_is_refused(connection: sqlite3.Connection) -> None:
    migrate(connection, None, [FIRST, SECOND])
    with pytest.raises(StoreError, match="newer timbot: it is at version 2, this one knows 1"):
        migrate(connection, None, [FIRST])


def test_the_shipped_ones_are_as_they_were_released() -> None:
    assert {step.name: step.checksum[:16] for step in shipped()} == SHIPPED_CHECKSUMS
