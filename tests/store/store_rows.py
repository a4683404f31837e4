"""A table of a test's own, and work that writes to it."""

from __future__ import annotations

import sqlite3

from timbot.store import Database, Work


async def make_table(database: Database) -> None:
    await database.write(lambda connection: connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, text)").rowcount)


def add(text: object) -> Work[int]:
    """Work that adds a row."""

    def work(connection: sqlite3.Connection) -> int:
        return connection.execute("INSERT INTO row (text) VALUES (?)", (text,)).rowcount

    return work


def texts(connection: sqlite3.Connection) -> list[object]:
    """Work that reads all rows, in the order they were added."""
    return [text for (text,) in connection.execute("SELECT text FROM row ORDER BY id")]


async def commits(database: Database) -> list[str]:
    """A list that grows with every statement the writer does from now on. The database must be told nothing else yet."""
    seen: list[str] = []
    await database.write(lambda connection: connection.set_trace_callback(seen.append))
    seen.clear()
    return seen
