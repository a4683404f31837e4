"""What is written for each thing that happens. All of it runs in the writer's thread, inside its transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from timbot.im.delivery import Change
from timbot.im.wire.identity import encode_identity
from timbot.runtime.journal.identities import REQUEST_SECONDS, is_request, same_within
from timbot.runtime.journal.values import (
    Bury,
    Commit,
    Decide,
    EventState,
    Fail,
    Finish,
    Intend,
    NewEvent,
    Park,
    RecordStep,
    SendState,
    Settle,
    Unpark,
    WriteState,
)
from timbot.store.state import put


@dataclass(frozen=True, slots=True)
class Account:
    """Whose journal it is: by its key in plugin state, by a short number everywhere else."""

    id: int
    key: str


def find_account(connection: sqlite3.Connection, key: str) -> int | None:
    """The number of an account that has a journal."""
    row = connection.execute("SELECT id FROM account WHERE key = ?", (key,)).fetchone()
    return None if row is None else int(row[0])


def make_account(connection: sqlite3.Connection, key: str) -> int:
    """The same, which has one from now on."""
    connection.execute("INSERT INTO account (key) VALUES (?) ON CONFLICT (key) DO NOTHING", (key,))
    number = find_account(connection, key)
    assert number is not None
    return number


# Events and what the client remembers.

_KNOWN: Final = "SELECT number, time FROM event WHERE account = ? AND identity = ?"
_EVENT: Final = """
    INSERT INTO event (account, lane, kind, identity, who, time, taken, state, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_ASKED: Final = "SELECT event FROM request WHERE account = ? AND identity = ? AND met >= ?"
_ASK: Final = """
    INSERT INTO request (account, identity, event, met) VALUES (?, ?, ?, ?)
    ON CONFLICT (account, identity) DO UPDATE SET event = excluded.event, met = excluded.met
"""
_MET: Final = "UPDATE request SET met = ? WHERE account = ? AND identity = ?"
_LETTER: Final = "INSERT INTO letter (account, event, died, reason, detail) VALUES (?, ?, ?, ?, ?)"


def take(connection: sqlite3.Connection, account: Account, events: Sequence[NewEvent], change: Change, now: float) -> list[int]:
    """Keep events and a change; the events' numbers, that of a known one negative."""
    numbers = [_take_one(connection, account, event, now) for event in events]
    if change:
        remember(connection, account, change, now)
    return numbers


def _take_one(connection: sqlite3.Connection, account: Account, event: NewEvent, now: float) -> int:
    identity = event.identity
    if identity is None:
        return _insert(connection, account, event, None, now)
    if is_request(identity):
        known = connection.execute(_ASKED, (account.id, identity, now - REQUEST_SECONDS)).fetchone()
        if known is not None:
            connection.execute(_MET, (now, account.id, identity))
            return -int(known[0])
        number = _insert(connection, account, event, None, now)
        connection.execute(_ASK, (account.id, identity, number, now))
        return number
    for number, time in connection.execute(_KNOWN, (account.id, identity)).fetchall():
        if abs(time - event.time) <= same_within(identity):
            return -int(number)
    return _insert(connection, account, event, identity, now)


def _insert(connection: sqlite3.Connection, account: Account, event: NewEvent, identity: bytes | None, now: float) -> int:
    state = EventState.DEAD if event.dead else EventState.OPEN if event.wanted else EventState.DONE
    body = None if state is EventState.DONE else event.body
    row = (account.id, event.lane, event.kind, identity, event.who, event.time, now, state.value, body)
    number = connection.execute(_EVENT, row).lastrowid
    assert number is not None
    if event.dead:
        connection.execute(_LETTER, (account.id, number, now, event.dead, ""))
    return number


def remember(connection: sqlite3.Connection, account: Account, change: Change, now: float) -> None:
    """What a client remembers differently. A group that was left and has a mark in the same change is one it is in again."""
    execute, me = connection.execute, account.id
    if change.began is not None:
        execute("UPDATE account SET began = ? WHERE id = ?", (change.began, me))
    if change.cookie is not None:
        execute("UPDATE account SET cookie = ? WHERE id = ?", (change.cookie, me))
    if change.whole_until is not None:
        execute("UPDATE account SET whole_until = ? WHERE id = ?", (change.whole_until, me))
    for group in change.left:
        execute("DELETE FROM mark WHERE account = ? AND group_id = ?", (me, group))
    for mark in change.marks:
        execute("INSERT OR REPLACE INTO mark VALUES (?, ?, ?, ?)", (me, mark.group_id, mark.created, mark.taken))
    for item in change.held:
        execute("INSERT OR REPLACE INTO held VALUES (?, ?, ?)", (me, item.number, item.item))
    for number in change.released:
        execute("DELETE FROM held WHERE account = ? AND number = ?", (me, number))
    for identity in change.met:
        execute(_MET, (now, me, encode_identity(identity)))


# What is done about events.

_FROM_OPEN: Final = "UPDATE event SET state = ? WHERE number = ? AND account = ? AND state = 0"
_FROM_PARKED: Final = "UPDATE event SET state = ? WHERE number = ? AND account = ? AND state = 1"
_UNASK: Final = "DELETE FROM dialogue WHERE account = ? AND event = ?"
_DECIDE: Final = "UPDATE event SET decision = ? WHERE number = ? AND account = ? AND body IS NOT NULL"
_FAIL: Final = "UPDATE event SET attempts = ? WHERE number = ? AND account = ? AND state < 2"
_THERE: Final = "EXISTS (SELECT 1 FROM event WHERE number = ? AND account = ? AND body IS NOT NULL)"
_STEP: Final = f"""
    INSERT INTO step (event, handler, slot, kind, target, name, result, refused)
    SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE {_THERE} ON CONFLICT DO NOTHING
"""
_KEYED: Final = "SELECT number FROM send WHERE account = ? AND plugin = ? AND key = ? AND key != ''"
_INTEND: Final = """
    INSERT INTO send (account, event, handler, slot, plugin, key, target, conversation, sequence, random, intended, body)
    SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
"""
_INTEND_STEP: Final = f"{_INTEND} WHERE {_THERE}"
_SETTLE: Final = """
    UPDATE send SET state = ?, result = ?, settled = ?, body = coalesce(?, body) WHERE number = ? AND account = ?
"""
_PARK: Final = """
    INSERT INTO dialogue (account, event, handler, slot, lane, who, deadline, revision, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def commit(connection: sqlite3.Connection, account: Account, changes: Sequence[Commit]) -> list[int]:
    """All of it; the number of the message for each `Intend`, else 0."""
    return [_WAYS[type(change)](connection, account, change) for change in changes]


def _move(connection: sqlite3.Connection, account: Account, event: int, state: EventState) -> bool:
    """Give an event that is open or parked another state. A dialogue ends with that."""
    if connection.execute(_FROM_OPEN, (state.value, event, account.id)).rowcount:
        return True
    if connection.execute(_FROM_PARKED, (state.value, event, account.id)).rowcount:
        connection.execute(_UNASK, (account.id, event))
        return True
    return False


def _decide(connection: sqlite3.Connection, account: Account, change: Decide) -> int:
    connection.execute(_DECIDE, (change.decision, change.event, account.id))
    return 0


def _record(connection: sqlite3.Connection, account: Account, change: RecordStep) -> int:
    step = change.id
    row = (step.event, step.handler, step.slot, change.kind, change.target, change.name, change.result, change.refused)
    connection.execute(_STEP, (*row, step.event, account.id))
    return 0


def _intend(connection: sqlite3.Connection, account: Account, change: Intend) -> int:
    if change.key:
        known = connection.execute(_KEYED, (account.id, change.plugin, change.key)).fetchone()
        if known is not None:
            return int(known[0])
    about = (change.plugin, change.key, change.target, *change.token, change.at, change.body)
    if change.step is None:
        done = connection.execute(_INTEND, (account.id, None, "", "", *about))
    else:
        step = change.step
        row = (account.id, step.event, step.handler, step.slot, *about, step.event, account.id)
        done = connection.execute(_INTEND_STEP, row)
    return done.lastrowid or 0 if done.rowcount else 0


def _settle(connection: sqlite3.Connection, account: Account, change: Settle) -> int:
    settled = 0.0 if change.state is SendState.OPEN else change.at
    connection.execute(_SETTLE, (change.state.value, change.result, settled, change.body, change.send, account.id))
    return 0


def _finish(connection: sqlite3.Connection, account: Account, change: Finish) -> int:
    _move(connection, account, change.event, EventState.DONE)
    return 0


def _fail(connection: sqlite3.Connection, account: Account, change: Fail) -> int:
    connection.execute(_FAIL, (change.attempts, change.event, account.id))
    return 0


def _park(connection: sqlite3.Connection, account: Account, change: Park) -> int:
    if _move(connection, account, change.event, EventState.PARKED):
        asked = change.dialogue
        where = (account.id, change.event, asked.step.handler, asked.step.slot, asked.lane, asked.who)
        connection.execute(_PARK, (*where, asked.deadline, asked.revision, asked.body))
    return 0


def _unpark(connection: sqlite3.Connection, account: Account, change: Unpark) -> int:
    _move(connection, account, change.event, EventState.OPEN)
    return 0


def _bury(connection: sqlite3.Connection, account: Account, change: Bury) -> int:
    if _move(connection, account, change.event, EventState.DEAD):
        connection.execute(_LETTER, (account.id, change.event, change.at, change.reason, change.detail))
    return 0


def _write_state(connection: sqlite3.Connection, account: Account, change: WriteState) -> int:
    put(connection, account.key, change.plugin, change.key, change.value)
    return 0


_WAYS: Final[dict[type[Commit], Callable[[sqlite3.Connection, Account, Any], int]]] = {
    Decide: _decide,
    RecordStep: _record,
    Intend: _intend,
    Settle: _settle,
    Finish: _finish,
    Fail: _fail,
    Park: _park,
    Unpark: _unpark,
    Bury: _bury,
    WriteState: _write_state,
}
