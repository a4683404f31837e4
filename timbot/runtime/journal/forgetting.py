"""Removing a person from the journal: a rare errand that may take its time, a hundred events at a go.

Found by the reader, removed by the writer, and looked for again until nothing is left: events may come in meanwhile.
Should the process die halfway, it has to be asked for again.

Gone are the identities too. What the server still lists it may tell again to the next process that looks back.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

import msgspec

from timbot.runtime.journal.identities import person_of
from timbot.runtime.journal.keeping import PIECE
from timbot.store import Database


@dataclass(frozen=True, slots=True)
class _Found:
    """What concerns a person: numbers of events and messages, held items, identities of requests."""

    events: tuple[int, ...]
    sends: tuple[int, ...]
    held: tuple[int, ...]
    requests: tuple[bytes, ...]

    def __bool__(self) -> bool:
        return bool(self.events or self.sends or self.held or self.requests)


async def forget(database: Database, account: int, user_id: str) -> int:
    """Remove what concerns a person; how many rows."""
    removed = 0
    while found := await database.read(lambda connection: _find(connection, account, user_id)):
        removed += await database.write(lambda connection: _remove(connection, account, found))
    return removed


_EVENTS: Final = """
    SELECT number FROM event WHERE account = ? AND (who = ? OR lane = ? OR (identity IS NOT NULL AND names(identity)))
    UNION SELECT event FROM dialogue WHERE account = ? AND who = ?
    LIMIT ?
"""
_SENDS: Final = "SELECT number FROM send WHERE account = ? AND (target = ? OR conversation = ?) LIMIT ?"


def _find(connection: sqlite3.Connection, account: int, user_id: str) -> _Found:
    execute, lane = connection.execute, f"C2C{user_id}"
    connection.create_function("names", 1, lambda identity: person_of(identity) == user_id, deterministic=True)
    events = execute(_EVENTS, (account, user_id, lane, account, user_id, PIECE)).fetchall()
    sends = execute(_SENDS, (account, lane, lane, PIECE)).fetchall()
    name = msgspec.json.encode(user_id)
    held = execute("SELECT number FROM held WHERE account = ? AND instr(item, ?)", (account, name)).fetchall()
    requests = execute("SELECT identity FROM request WHERE account = ? AND names(identity)", (account,)).fetchall()
    connection.create_function("names", 1, None)
    first = [tuple(row[0] for row in rows) for rows in (events, sends, held)]
    return _Found(first[0], first[1], first[2], tuple(identity for (identity,) in requests))


def _remove(connection: sqlite3.Connection, account: int, found: _Found) -> int:
    execute = connection.execute
    removed = 0
    for number in found.events:
        for statement in (
            "DELETE FROM step WHERE event = ?",
            "DELETE FROM send WHERE event = ?",
            "DELETE FROM event WHERE number = ?",
            "DELETE FROM request WHERE event = ?",
        ):
            removed += execute(statement, (number,)).rowcount
        for table in ("dialogue", "letter"):
            statement = f"DELETE FROM {table} WHERE account = ? AND event = ?"  # noqa: S608 - of two constants
            removed += execute(statement, (account, number)).rowcount
    for number in found.sends:
        removed += execute("DELETE FROM send WHERE number = ?", (number,)).rowcount
    for number in found.held:
        removed += execute("DELETE FROM held WHERE account = ? AND number = ?", (account, number)).rowcount
    for identity in found.requests:
        removed += execute("DELETE FROM request WHERE account = ? AND identity = ?", (account, identity)).rowcount
    return removed
