"""A process of its own that keeps a journal until it is killed at a given statement of its writer.

Run as `python journal_process.py FOLDER COUNT TEXT`: it dies at the so-many-th statement with that text. What was
confirmed is printed line by line, as it is confirmed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path

from journal_kit import intends, records, said, settles

from timbot.im.delivery import Change, GroupMark
from timbot.runtime.journal.recorder import Recorder
from timbot.runtime.journal.sqlite import SqliteJournal
from timbot.runtime.journal.values import Finish
from timbot.store import Database

LANES = 8


def say(*words: object) -> None:
    """One line, out of this process at once: what is said later may never be."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def die_at(connection: sqlite3.Connection, count: int, text: str) -> None:
    """Kill this process when the writer begins its so-many-th statement with this text from now on."""
    left = iter(range(count))

    def look(statement: str) -> None:
        if text in statement and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    connection.set_trace_callback(look)


async def live(journal: SqliteJournal, lane: int, turn: int) -> None:
    """A message's life, told after each thing that was confirmed."""
    peer, mark = f"user{lane}", GroupMark(f"g{lane}", 5, turn)
    (event,) = await journal.take([said(peer, turn)], Change(marks=(mark,)))
    say("took", event, lane, turn)
    journal.began(event)
    (send,) = await journal.commit(intends(event))
    say("intended", event, send)
    journal.commit(settles(send), records(event))
    await journal.commit(Finish(event))
    journal.ended(event)
    say("finished", event, send)


async def main(folder: Path, count: int, text: str) -> None:
    """Live until the end."""
    async with await Database.open(folder) as database:
        journal = SqliteJournal(database, "a", recorder=Recorder.open(folder, time.time()))
        await journal.resume()
        await database.write(lambda connection: die_at(connection, count, text))

        async def lives(lane: int) -> None:
            for turn in range(1, 1_000_000):
                await live(journal, lane, turn)

        await asyncio.gather(*(lives(lane) for lane in range(LANES)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
