"""The database's tables, brought up to date by numbered steps.

A step is a file `NNNN_name.sql` in `migrations/`; `PRAGMA user_version` counts the steps a database has seen. Each runs in a
transaction of its own, so a start that is cut short is taken up again at the next. A step that has run is never edited: its
checksum is kept, and a database made by another text of it is refused.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from timbot.store.errors import StoreError

APPLICATION_ID: Final = int.from_bytes(b"timb")
"""What the header of every file of ours says. The first step sets it."""

_FOLDER: Final = Path(__file__).with_name("migrations")

_CHECKSUMS: Final = (
    "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its number, counted from 1, its name, and SQL without transactions of its own."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """What the step is recognised by; line ends do not count."""
        return hashlib.sha256("\n".join(self.sql.splitlines()).encode()).hexdigest()


@cache
def shipped() -> tuple[Migration, ...]:
    """The steps this version knows, in order. Raises `ValueError` when the numbers have a gap."""
    found = sorted(
        (
            Migration(int(match[1]), match[2], file.read_text(encoding="utf-8"))
            for file in _FOLDER.iterdir()
            if (match := re.fullmatch(r"(\d{4})_(\w+)\.sql", file.name))
        ),
        key=lambda step: step.number,
    )
    if [step.number for step in found] != list(range(1, len(found) + 1)):
        raise ValueError("The migrations are not numbered 1, 2, 3, ...")
    return tuple(found)


def migrate(connection: sqlite3.Connection, path: Path | None, steps: Sequence[Migration] | None = None) -> None:
    """Bring a database up to date. Raises `StoreError` for one that is newer, not ours, or made by other steps."""
    steps = shipped() if steps is None else steps
    version = _pragma(connection, "user_version")
    _check_whose(connection, path, version)
    if version > len(steps):
        raise StoreError(
            f"{path or 'The store'} was written by a newer timbot: it is at version {version}, this one knows {len(steps)}.",
            path=path,
            hint="Run the newer timbot again, or put back the backup made before the update.",
        )
    _check_history(connection, path, steps[:version])
    for step in steps[version:]:
        _apply(connection, step)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)


def _check_whose(connection: sqlite3.Connection, path: Path | None, version: int) -> None:
    identity = _pragma(connection, "application_id")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    new = version == 0 and identity == 0 and tables == 0
    if not new and identity != APPLICATION_ID:
        raise StoreError(f"{path or 'The store'} is another program's database.", path=path, hint="Name another folder.")


def _check_history(connection: sqlite3.Connection, path: Path | None, steps: Sequence[Migration]) -> None:
    if not steps:
        return
    applied = dict(connection.execute("SELECT number, checksum FROM migration").fetchall())
    for step in steps:
        if applied.get(step.number) != step.checksum:
            raise StoreError(
                f"{path or 'The store'} was made by another version of step {step.number} ({step.name}) than this one.",
                path=path,
                hint="Run the timbot that made it: this copy was changed, or is a development version.",
            )


def _apply(connection: sqlite3.Connection, step: Migration) -> None:
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{_CHECKSUMS};\n{step.sql}")
        connection.execute("INSERT INTO migration VALUES (?, ?, ?)", (step.number, step.name, step.checksum))
        connection.execute(f"PRAGMA user_version = {step.number:d}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
