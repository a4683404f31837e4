"""What leaves the journal, and when: so that the file does not grow for ever and holds no words longer than need be.

- The body, steps and messages of an event that is done go `keep` seconds after it was taken in. Its row stays as long as
  its identity may be needed: until everything is here up to an hour after it.
- A dead letter goes after 30 days, with all that belongs to it; so does a message of which nobody knows the end.
- A settled message of no event loses its body after `keep`. Its row stays for 30 days if it has a key, and for some hours
  for its token.
- What is open or parked stays, however old.

What is to go is looked for by the reader and removed by the writer a hundred rows at a time, so nobody waits for long.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from timbot.runtime.journal import reading
from timbot.runtime.journal.identities import (
    IDENTITY_SECONDS,
    OLDEST_SECONDS,
    REQUEST_SECONDS,
    REQUESTS,
    WRITTEN_SECONDS,
)
from timbot.runtime.journal.values import KeptEvent
from timbot.store import Database, Work

LETTER_SECONDS: Final = 30 * 86400.0
"""How long dead letters, unknown messages and keys are kept."""

PIECE: Final = 100
"""How many rows are removed in one go."""

WINDOW: Final = 1000
"""How many events are looked at in one go."""

AHEAD_SECONDS: Final = 3600.0
"""What was taken in so far in the future was so by a wrong clock, and counts as old: else it would hide all behind it."""


async def compact(database: Database, account: int, now: float, keep: float) -> int:
    """Remove what has outlived its use; how many rows were removed or emptied."""
    removed = await _settled_events(database, account, now, keep)
    for some in (
        lambda connection: _bare_events(connection, account, now),
        lambda connection: _letters(connection, account, now),
        lambda connection: _settled_sends(connection, account, now, keep),
        lambda connection: _bare_sends(connection, account, now),
        lambda connection: _requests(connection, account, now),
    ):
        removed += await _until_none(database, some)
    return removed


async def _until_none(database: Database, some: Work[int]) -> int:
    removed = 0
    while count := await database.write(some):
        removed += count
    return removed


# Events that are done.


async def _settled_events(database: Database, account: int, now: float, keep: float) -> int:
    removed, after = 0, 0
    while True:
        from_here = after
        numbers, last = await database.read(lambda connection: _aged(connection, account, from_here, now, keep))  # noqa: B023
        for start in range(0, len(numbers), PIECE):
            piece = numbers[start : start + PIECE]
            removed += await database.write(lambda connection: _empty(connection, account, piece, now))  # noqa: B023
        if last is None:
            return removed
        after = last


def _aged(connection: sqlite3.Connection, account: int, after: int, now: float, keep: float) -> tuple[list[int], int | None]:
    """Events to empty among the next ones, and where to go on; None where all are young.

    Numbers rise with the time of taking in, so behind a whole window of young ones nothing old is looked for.
    """
    (first,) = connection.execute("SELECT min(number) FROM event WHERE number > ?", (after,)).fetchone()
    if first is None:
        return [], None
    old: list[int] = []
    all_young = True
    for number, taken, done in connection.execute(_LOOK, (account, first, first + WINDOW - 1)):
        if now - keep <= taken <= now + AHEAD_SECONDS:
            continue
        all_young = False
        if done:
            old.append(number)
    return old, None if all_young else first + WINDOW - 1


_LOOK: Final = """
    SELECT number, taken, account = ? AND state = 2 AND body IS NOT NULL FROM event WHERE number BETWEEN ? AND ?
"""


def _empty(connection: sqlite3.Connection, account: int, numbers: list[int], now: float) -> int:
    return sum(_let_go(connection, account, number, now) for number in numbers)


def _let_go(connection: sqlite3.Connection, account: int, number: int, now: float) -> int:
    """Remove an event that is done and all that belongs to it, or all but its identity."""
    execute = connection.execute
    needed = execute(_NEEDED, (now - OLDEST_SECONDS, number, account)).fetchone()
    if needed is None:
        return 0
    if needed[0]:
        execute("UPDATE event SET body = NULL, decision = NULL, who = '', state = 2 WHERE number = ?", (number,))
    else:
        execute("DELETE FROM event WHERE number = ?", (number,))
    execute("DELETE FROM step WHERE event = ?", (number,))
    execute("DELETE FROM send WHERE event = ? AND state IN (1, 2, 4) AND intended < ?", (number, now - WRITTEN_SECONDS))
    execute(_ORPHAN, (number,))
    return 1


_NEEDED: Final = f"""
    SELECT identity IS NOT NULL AND time >= max(whole_until - {IDENTITY_SECONDS}, ?)
    FROM event JOIN account ON account.id = event.account
    WHERE number = ? AND account = ? AND body IS NOT NULL
"""  # noqa: S608 - of constants

_ORPHAN: Final = """
    UPDATE send SET event = NULL, handler = '', slot = '', body = CASE WHEN state IN (1, 2, 4) THEN NULL ELSE body END
    WHERE event = ?
"""


def _bare_events(connection: sqlite3.Connection, account: int, now: float) -> int:
    return connection.execute(_BARE_EVENTS, (account, account, now - OLDEST_SECONDS, PIECE)).rowcount


_BARE_EVENTS: Final = f"""
    DELETE FROM event WHERE number IN (
      SELECT number FROM event WHERE account = ? AND body IS NULL
      AND time < max((SELECT whole_until FROM account WHERE id = ?) - {IDENTITY_SECONDS}, ?) LIMIT ?
    )
"""  # noqa: S608 - of constants


# Dead letters.


def _letters(connection: sqlite3.Connection, account: int, now: float) -> int:
    where = "SELECT event FROM letter WHERE account = ? AND died < ? LIMIT ?"
    numbers = [number for (number,) in connection.execute(where, (account, now - LETTER_SECONDS, PIECE))]
    return sum(drop(connection, account, number, now) for number in numbers)


def drop(connection: sqlite3.Connection, account: int, number: int, now: float) -> bool:
    """Forget a dead letter and all that belongs to it."""
    if not connection.execute("DELETE FROM letter WHERE account = ? AND event = ?", (account, number)).rowcount:
        return False
    _let_go(connection, account, number, now)
    return True


def revive(connection: sqlite3.Connection, account: int, number: int) -> KeptEvent | None:
    """Make an open event of a dead letter."""
    if not connection.execute("DELETE FROM letter WHERE account = ? AND event = ?", (account, number)).rowcount:
        return None
    connection.execute("UPDATE event SET state = 0, attempts = 0 WHERE number = ?", (number,))
    return reading.event(connection, account, number)


# Messages, and requests.


def _settled_sends(connection: sqlite3.Connection, account: int, now: float, keep: float) -> int:
    rows = connection.execute(_SETTLED, (account, now - keep, now - max(keep, LETTER_SECONDS), PIECE)).fetchall()
    for number, key, intended in rows:
        if key or intended >= now - WRITTEN_SECONDS:
            connection.execute("UPDATE send SET body = NULL WHERE number = ?", (number,))
        else:
            connection.execute("DELETE FROM send WHERE number = ?", (number,))
    return len(rows)


_SETTLED: Final = """
    SELECT number, key, intended FROM send
    WHERE account = ? AND state > 0 AND event IS NULL AND body IS NOT NULL AND settled < ? AND (state != 3 OR settled < ?)
    ORDER BY settled LIMIT ?
"""


def _bare_sends(connection: sqlite3.Connection, account: int, now: float) -> int:
    removed = 0
    for unkeyed, until in ((1, now - WRITTEN_SECONDS), (0, now - LETTER_SECONDS)):
        removed += connection.execute(_BARE_SENDS, (account, unkeyed, until, PIECE)).rowcount
    return removed


_BARE_SENDS: Final = """
    DELETE FROM send WHERE number IN (
      SELECT number FROM send WHERE account = ? AND (key = '') = ? AND settled < ? AND body IS NULL LIMIT ?
    )
"""


def _requests(connection: sqlite3.Connection, account: int, now: float) -> int:
    old = connection.execute("DELETE FROM request WHERE account = ? AND met < ?", (account, now - REQUEST_SECONDS)).rowcount
    return old + connection.execute(_TOO_MANY, (account, account, REQUESTS)).rowcount


_TOO_MANY: Final = """
    DELETE FROM request WHERE account = ? AND identity IN (
      SELECT identity FROM request WHERE account = ? ORDER BY met DESC, event DESC LIMIT -1 OFFSET ?
    )
"""
