"""Prints what a message's life costs in the journal: taken, its answer intended, settled and recorded, done.

Three commits that are waited for and one that is not, with bodies of 300 bytes. Beside each stands the bare store writing
three rows in one commit: the ratio of the rates says what the journal adds, and CPU time what it takes from the bot.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.store import BODY, CALLERS, SECONDS, of_the_store
from timbot.im.delivery import Change
from timbot.im.wire.identity import C2CIdentity, encode_identity
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.memory import MemoryJournal
from timbot.runtime.journal.recorder import Recorder
from timbot.runtime.journal.sqlite import SqliteJournal
from timbot.runtime.journal.values import Finish, Intend, NewEvent, RecordStep, SendState, Settle, StepId
from timbot.store import Database, Durability

NOTHING: Final = Change()
PEOPLE: Final = 200
NOTES: Final = 200_000


@dataclass(frozen=True, slots=True)
class Lives:
    """Lives a second; CPU microseconds of each: in the loop's thread, and in the others."""

    rate: float
    loop: float
    writer: float


async def live(journal: Journal, number: int) -> None:
    """One message, from its arrival to its end."""
    peer = f"user{number % PEOPLE}"
    lane = f"C2C{peer}"
    identity = encode_identity(C2CIdentity(peer, False, number, number * 7))
    (event,) = await journal.take([NewEvent(lane, "message", identity, BODY, 1e9 + number, who=peer)], NOTHING)
    step = StepId(event, "bench:handler", "1")
    (send,) = await journal.commit(Intend(step, "bench", "", lane, (lane, number, number), BODY, 1e9))
    journal.commit(Settle(send, SendState.SENT, b"{}", 1e9), RecordStep(step, "send", lane, "", b"{}"))
    await journal.commit(Finish(event))


async def together(journal: Journal, callers: int) -> Lives:
    """So many messages at a time."""
    began, all_threads, this_thread = time.perf_counter(), time.process_time(), time.thread_time()
    lived = 0

    async def caller() -> None:
        nonlocal lived
        while time.perf_counter() < began + SECONDS:
            lived += 1
            await live(journal, lived)

    await asyncio.gather(*(caller() for _ in range(callers)))
    took = time.perf_counter() - began
    loop = time.thread_time() - this_thread
    return Lives(lived / took, loop / lived * 1e6, (time.process_time() - all_threads - loop) / lived * 1e6)


async def kept(folder: Path, durability: Durability, callers: int) -> Lives:
    """In a file."""
    async with await Database.open(folder, durability=durability) as database:
        journal = SqliteJournal(database, "bench")
        await journal.resume()
        return await together(journal, callers)


async def unkept(callers: int) -> Lives:
    """In memory."""
    async with await Database.memory() as database:
        return await together(MemoryJournal(database, "bench"), callers)


def noting(folder: Path) -> float:
    """Microseconds to note that a handler begins, and that it has ended."""
    recorder = Recorder.open(folder, 1e9)
    began = time.process_time()
    for number in range(1, NOTES):
        recorder.began(number)
        recorder.ended(number)
    took = time.process_time() - began
    recorder.close()
    return took / NOTES * 1e6


def measured(work: Callable[[], Awaitable[Lives]]) -> Lives:
    """The middle of three."""

    async def run() -> Lives:
        return await work()

    return sorted((asyncio.run(run()) for _ in range(3)), key=lambda lives: lives.rate)[1]


def main() -> None:
    """Print the table."""
    out = sys.stdout
    out.write(
        "\nmessages' lives a second in the journal; CPU microseconds of the loop and of the writer; the bare store's rate\n\n"
    )
    with tempfile.TemporaryDirectory() as name:
        root, runs = Path(name), iter(range(1_000_000))
        levels: tuple[Durability, ...] = ("full", "relaxed")
        for durability in levels:
            for callers in CALLERS:
                lives = measured(lambda: kept(root / str(next(runs)), durability, callers))  # noqa: B023
                bare = asyncio.run(of_the_store(root / str(next(runs)), durability, callers))
                out.write(f"{durability:8} {callers:3} callers {lives.rate:9,.0f}   {lives.loop:6.1f} {lives.writer:6.1f}   ")
                out.write(f"{bare.rate:9,.0f}   {bare.rate / lives.rate:4.1f}x\n")
        for callers in CALLERS:
            lives = measured(lambda: unkept(callers))  # noqa: B023
            out.write(f"off      {callers:3} callers {lives.rate:9,.0f}   {lives.loop:6.1f} {lives.writer:6.1f}\n")
        out.write(f"a handler noted as running, and as ended: {noting(root):.2f} us\n")


if __name__ == "__main__":
    main()
