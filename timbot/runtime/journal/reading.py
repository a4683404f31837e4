"""Rows made into values, and what is asked for at a start."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, Final

from timbot.im.delivery import GroupMark, HeldItem, Memory
from timbot.im.wire.identity import C2CIdentity, decode_identity
from timbot.runtime.journal.identities import (
    C2C,
    C2C_END,
    IDENTITY_SECONDS,
    REQUEST_SECONDS,
    REQUESTS,
    WRITTEN_SECONDS,
)
from timbot.runtime.journal.values import (
    DeadLetter,
    EventState,
    KeptDialogue,
    KeptEvent,
    KeptSend,
    KeptStep,
    OpenLane,
    Resumed,
    SendState,
    StepId,
)

WRITTEN: Final = 20_000
"""How many messages back tokens are looked for."""

_EVENT: Final = "SELECT number, lane, kind, coalesce(body, x''), time, state, attempts, decision FROM event "
_SEND: Final = """
    SELECT number, event, handler, slot, plugin, key, target, coalesce(body, x''), intended, state, result, settled,
      conversation, sequence, random
    FROM send
"""
_STEPS: Final = """
    SELECT handler, slot, kind, target, name, result, refused FROM step
    WHERE event = ? AND EXISTS (SELECT 1 FROM event WHERE number = ? AND account = ?)
"""
_DIALOGUES: Final = """
    SELECT event, handler, slot, lane, who, deadline, revision, body FROM dialogue WHERE account = ? ORDER BY event
"""
_LETTERS: Final = """
    SELECT number, lane, kind, coalesce(body, x''), time, died, reason, detail
    FROM letter JOIN event ON event.number = letter.event
    WHERE letter.account = ? AND letter.event > ? ORDER BY letter.event LIMIT ?
"""
_LANES: Final = """
    SELECT lane, count(*), min(number) FROM event WHERE account = ? AND state = 0 GROUP BY lane ORDER BY min(number)
"""
_MESSAGES: Final = """
    SELECT identity, time FROM event
    WHERE account = ? AND identity IS NOT NULL AND identity >= ? AND identity < ? AND time >= ? ORDER BY time, identity
"""
_REQUESTS: Final = "SELECT identity FROM request WHERE account = ? AND met >= ? ORDER BY met DESC, event DESC LIMIT ?"
_WRITTEN: Final = """
    SELECT conversation, sequence, random FROM send
    WHERE number > (SELECT coalesce(max(number), 0) FROM send) - ? AND account = ? AND intended >= ? ORDER BY number
"""
_STILL_OPEN: Final = "SELECT 1 FROM event WHERE number = ? AND account = ? AND state < 2"


def _events(rows: Iterable[tuple[Any, ...]]) -> list[KeptEvent]:
    return [
        KeptEvent(number, lane, kind, body, time, EventState(state), attempts, decision)
        for number, lane, kind, body, time, state, attempts, decision in rows
    ]


def _sends(rows: Iterable[tuple[Any, ...]]) -> list[KeptSend]:
    return [_kept_send(*row) for row in rows]


def _kept_send(
    number: int, event: int | None, handler: str, slot: str, plugin: str, key: str, target: str, body: bytes, *rest: Any
) -> KeptSend:
    intended, state, result, settled, *token = rest
    step = None if event is None else StepId(event, handler, slot)
    conversation, sequence, random = token
    said = (intended, SendState(state), result, settled, (conversation, sequence, random))
    return KeptSend(number, step, plugin, key, target, body, *said)


def by_slot(step: KeptStep) -> tuple[str, bool, int, str]:
    """What steps are sorted by: their handler, then numbers before keys."""
    slot = step.id.slot
    counted = slot.isdecimal()
    return (step.id.handler, not counted, int(slot) if counted else 0, slot)


def waiting(connection: sqlite3.Connection, account: int, lane: str, after: int, limit: int) -> list[KeptEvent]:
    """See `Journal`; so are all that follow."""
    where = "WHERE account = ? AND lane = ? AND state = 0 AND number > ? ORDER BY number LIMIT ?"
    return _events(connection.execute(_EVENT + where, (account, lane, after, limit)))


def event(connection: sqlite3.Connection, account: int, number: int) -> KeptEvent | None:
    """One event."""
    found = _events(connection.execute(_EVENT + "WHERE number = ? AND account = ?", (number, account)))
    return found[0] if found else None


def steps(connection: sqlite3.Connection, account: int, number: int) -> tuple[list[KeptStep], list[KeptSend]]:
    """The steps and messages of an event."""
    recorded = [
        KeptStep(StepId(number, handler, slot), kind, target, name, result, bool(refused))
        for handler, slot, kind, target, name, result, refused in connection.execute(_STEPS, (number, number, account))
    ]
    sent = connection.execute(_SEND + "WHERE event = ? AND account = ? ORDER BY number", (number, account))
    return sorted(recorded, key=by_slot), _sends(sent)


def send(connection: sqlite3.Connection, account: int, number: int) -> KeptSend | None:
    """One message."""
    found = _sends(connection.execute(_SEND + "WHERE number = ? AND account = ?", (number, account)))
    return found[0] if found else None


def dead_letters(connection: sqlite3.Connection, account: int, after: int, limit: int) -> list[DeadLetter]:
    """Dead letters."""
    return [DeadLetter(*row) for row in connection.execute(_LETTERS, (account, after, limit))]


def unknown_sends(connection: sqlite3.Connection, account: int, after: int, limit: int) -> list[KeptSend]:
    """Messages that nobody knows the end of."""
    where = "WHERE account = ? AND state = 3 AND number > ? ORDER BY number LIMIT ?"
    return _sends(connection.execute(_SEND + where, (account, after, limit)))


def counts(connection: sqlite3.Connection, account: int, now: float) -> dict[str, int]:
    """How much there is."""
    questions = {
        "open": "SELECT count(*) FROM event WHERE account = ? AND state = 0",
        "parked": "SELECT count(*) FROM dialogue WHERE account = ?",
        "dead": "SELECT count(*) FROM letter WHERE account = ?",
        "unsent": "SELECT count(*) FROM send WHERE account = ? AND state = 0",
        "unknown": "SELECT count(*) FROM send WHERE account = ? AND state = 3",
    }
    found = {name: int(connection.execute(text, (account,)).fetchone()[0]) for name, text in questions.items()}
    first = "SELECT taken FROM event WHERE number = (SELECT min(number) FROM event WHERE account = ? AND state = 0)"
    oldest = connection.execute(first, (account,)).fetchone()
    return found | {"oldest": max(0, int(now - oldest[0])) if oldest else 0}


def resume(
    connection: sqlite3.Connection, account: int, now: float, suspects: frozenset[int], deaths: tuple[float, ...]
) -> Resumed:
    """What the process before has left."""
    execute = connection.execute
    return Resumed(
        _memory(connection, account, now),
        tuple(OpenLane(*row) for row in execute(_LANES, (account,))),
        tuple(
            KeptDialogue(StepId(number, handler, slot), *rest)
            for number, handler, slot, *rest in execute(_DIALOGUES, (account,))
        ),
        tuple(_sends(execute(_SEND + "WHERE account = ? AND state = 0 ORDER BY number", (account,)))),
        frozenset(number for number in suspects if execute(_STILL_OPEN, (number, account)).fetchone()),
        deaths,
    )


def _memory(connection: sqlite3.Connection, account: int, now: float) -> Memory:
    execute = connection.execute
    (began, cookie, whole_until) = execute("SELECT began, cookie, whole_until FROM account WHERE id = ?", (account,)).fetchone()
    marks = execute("SELECT group_id, created, taken FROM mark WHERE account = ? ORDER BY group_id", (account,))
    held = execute("SELECT number, item FROM held WHERE account = ? ORDER BY number", (account,))
    messages = execute(_MESSAGES, (account, C2C, C2C_END, whole_until - IDENTITY_SECONDS))
    requests = execute(_REQUESTS, (account, now - REQUEST_SECONDS, REQUESTS)).fetchall()
    since = min(now, whole_until or now) - WRITTEN_SECONDS
    return Memory(
        began,
        cookie,
        whole_until,
        tuple(GroupMark(*row) for row in marks),
        tuple(HeldItem(*row) for row in held),
        tuple(
            (identity, int(time))
            for identity, time in ((decode_identity(data), time) for data, time in messages)
            if isinstance(identity, C2CIdentity)
        ),
        tuple(decode_identity(data) for (data,) in reversed(requests)),
        tuple(tuple(row) for row in execute(_WRITTEN, (WRITTEN, account, since))),
    )
