"""What is asked all day long finds its rows by an index, however many others there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable

import pytest
from journal_kit import NOON, NOTHING, asks, in_group, intends, journal_on, parks, records, said, settles

from timbot.im.delivery import Change, GroupMark
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.values import Bury, Decide, Fail, Finish, Unpark
from timbot.store import Database

LARGE = ("event", "send", "step", "request", "held", "mark")


WHOLE_ACCOUNT = ("event_identity (account=?)", "send_key (account=?)", "send_settled (account=?)")


def is_long(step: str) -> bool:
    """Whether a step of a plan goes through a table, or through all that an account has in an index of everything."""
    return step.startswith(tuple(f"SCAN {name}" for name in LARGE)) or any(name in step for name in WHOLE_ACCOUNT)


async def lives(journal: Journal) -> None:
    """Everything that can be written."""
    change = Change(began=1, cookie="c", whole_until=NOON, marks=(GroupMark("g1", 5, 1),), left=("g2",), released=(1,))
    first, second, _, _ = await journal.take([said(), said("bob"), asks(), in_group(wanted=False)], change)
    await journal.commit(Decide(first, b""), records(first), parks(first), Unpark(first), Fail(first, 1))
    sends = await journal.commit(intends(first), intends(None, key="k"), intends(None, key="k"))
    await journal.commit(*(settles(send) for send in sends), Finish(first), Bury(second, "failed", "", NOON))
    await journal.revive(second)
    await journal.commit(Bury(second, "failed", "", NOON))
    await journal.drop(second)


async def compacts(journal: Journal) -> None:
    await lives(journal)
    await journal.compact(NOON + 1e9, 0)


async def reads(journal: Journal) -> None:
    await journal.waiting("C2Calice", 0, 10)
    await journal.event(1)
    await journal.steps(1)
    await journal.send(1)
    await journal.dead_letters()
    await journal.unknown_sends()
    await journal.counts()


async def starts(journal: Journal) -> None:
    await journal.resume()


@pytest.mark.parametrize("use", [lives, compacts, reads, starts])
async def test_no_large_table_is_gone_through(database: Database, use: Callable[[Journal], Awaitable[None]]) -> None:
    journal = journal_on(database)
    await journal.take([said(sequence=99)], NOTHING)
    statements: list[str] = []

    def listen(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(statements.append)

    await database.write(listen)
    await database.read(listen)
    await use(journal)

    def gone_through(connection: sqlite3.Connection) -> dict[str, str]:
        connection.set_trace_callback(None)
        asked = [text for text in statements if text.strip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))]
        assert len(asked) > 3
        plans = {text: connection.execute(f"EXPLAIN QUERY PLAN {text}").fetchall() for text in asked}
        return {text: step for text, plan in plans.items() for *_, step in plan if is_long(step)}

    assert await database.read(gone_through) == {}
