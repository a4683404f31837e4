"""Prints what a durable message costs: a row for its identity, a state update and a row for the outbox, 300 bytes each.

Wall time, since most of it is the disk's. Beside it stands sqlite3 by hand in one thread, once with a commit for each message
and once for every hundred: what one caller can reach, and what many can.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from timbot.store import Database, Durability

SECONDS: Final = 1.0
"""How long each figure is measured."""

CALLERS: Final = (1, 8, 64, 256)
BODY: Final = b"x" * 300

TABLES: Final = (
    "CREATE TABLE bench_seen (identity TEXT PRIMARY KEY, body BLOB)",
    "CREATE TABLE bench_state (key TEXT PRIMARY KEY, body BLOB)",
    "CREATE TABLE bench_outbox (id INTEGER PRIMARY KEY, body BLOB)",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """Messages a second, and how many milliseconds half and 99 of 100 callers waited at most."""

    rate: float
    p50: float
    p99: float


def message(connection: sqlite3.Connection, number: int) -> None:
    """What one message writes."""
    connection.execute("INSERT INTO bench_seen VALUES (?, ?)", (f"C2Cuser:{number}", BODY))
    connection.execute("INSERT OR REPLACE INTO bench_state VALUES (?, ?)", (f"user{number % 1000}", BODY))
    connection.execute("INSERT INTO bench_outbox (body) VALUES (?)", (BODY,))


async def together(callers: int, call: Callable[[int], asyncio.Future[None]]) -> Figure:
    """So many callers, each waiting for its own before the next."""
    waits: list[float] = []
    began = time.perf_counter()

    async def caller(number: int) -> None:
        while (start := time.perf_counter()) < began + SECONDS:
            await call(number)
            waits.append(time.perf_counter() - start)
            number += callers

    await asyncio.gather(*(caller(number) for number in range(callers)))
    took = time.perf_counter() - began
    waits.sort()
    return Figure(len(waits) / took, waits[len(waits) // 2] * 1e3, waits[len(waits) * 99 // 100] * 1e3)


async def of_the_store(folder: Path, durability: Durability, callers: int, *, reading: bool = False) -> Figure:
    """Ours, on a file of its own."""
    async with await Database.open(folder, durability=durability) as database:
        for table in TABLES:
            await database.write(lambda connection, table=table: connection.execute(table).rowcount)  # type: ignore[misc]
        if reading:
            await database.write(lambda connection: message(connection, 0))
            select = "SELECT body FROM bench_state WHERE key = 'user0'"
            return await together(callers, lambda _: database.read(lambda connection: connection.execute(select).fetchone()))
        return await together(callers, lambda number: database.write(lambda connection: message(connection, number)))


def by_hand(folder: Path, durability: Durability, group: int) -> float:
    """Messages a second, `group` to a commit, without callers, threads or savepoints."""
    folder.mkdir()
    connection = sqlite3.connect(folder / "floor.sqlite3", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'full' else 'NORMAL'}")
    for table in TABLES:
        connection.execute(table)
    began, number = time.perf_counter(), 0
    while time.perf_counter() < began + SECONDS:
        connection.execute("BEGIN IMMEDIATE")
        for number in range(number, number + group):  # noqa: B020 - it goes on counting
            message(connection, number)
        number += 1
        connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return number / took


def main() -> None:
    """Print the table."""
    out = sys.stdout
    out.write(f"\nmessages a second, SQLite {sqlite3.sqlite_version}; p50 and p99 of a caller's wait in ms\n\n")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for durability in ("full", "relaxed"):
            hands = [by_hand(root / f"{durability}-hand-{group}", durability, group) for group in (1, 100)]
            out.write(f"{durability}, by hand: {hands[0]:,.0f} with a commit each, {hands[1]:,.0f} with one for 100\n")
            for callers in CALLERS:
                figure = asyncio.run(of_the_store(root / f"{durability}-{callers}", durability, callers))
                out.write(f"{durability}, {callers:3} callers {figure.rate:12,.0f}   {figure.p50:6.2f} {figure.p99:6.2f}\n")
        for callers in CALLERS:
            figure = asyncio.run(of_the_store(root / f"read-{callers}", "full", callers, reading=True))
            out.write(f"reading, {callers:3} callers {figure.rate:9,.0f}   {figure.p50:6.2f} {figure.p99:6.2f}\n")


if __name__ == "__main__":
    main()
