"""A process of its own that uses a store, for tests that kill it or take its disk away.

Run as `python store_process.py SCENARIO FOLDER`. What happened is printed line by line, as it happens.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from functools import partial
from pathlib import Path

from timbot.store import Database, StoreError

WRITERS = 8


def say(*words: object) -> None:
    """One line, out of this process at once: what is said later may never be."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def pair(name: str) -> list[str]:
    """The two keys that one write sets."""
    return [f"{name}:left", f"{name}:right"]


async def hold(folder: Path) -> None:
    """Hold the store for ever."""
    async with await Database.open(folder):
        say("open")
        await asyncio.Event().wait()


async def write(folder: Path) -> None:
    """Write for ever, and say each write once it is confirmed."""
    async with await Database.open(folder) as database:

        def both(name: str, connection: sqlite3.Connection) -> None:
            for key in pair(name):
                connection.execute("INSERT INTO state VALUES ('bot', 'dice', ?, ?)", (key, b"1" * 2000))

        async def writer(number: int) -> None:
            for turn in range(1_000_000):
                name = f"{number}-{turn}"
                await database.write(partial(both, name))
                say(name)

        await asyncio.gather(*(writer(number) for number in range(WRITERS)))


def mount(folder: Path, options: str) -> None:
    """A small disk that only this process sees, and that goes with it."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=700,{options}", "tmpfs", folder], check=True)


def remount(folder: Path, options: str) -> None:
    """The same disk under other conditions."""
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


async def opened(folder: Path) -> None:
    """Try to open, and say how that went."""
    try:
        async with await Database.open(folder):
            say("opened")
    except StoreError as error:
        say(type(error).__name__, error)


async def fill(folder: Path) -> None:
    """Fill a small disk while the store is in use; then make room and start again."""
    mount(folder, "size=1m")
    database = await Database.open(folder)
    store = database.scope("bot", "dice")
    confirmed = 0
    try:
        while True:
            await store.set(f"key{confirmed}", "x" * 10_000)
            confirmed += 1
    except StoreError as error:
        say(type(error).__name__, error)
    say("readable", len(await store.keys()) == confirmed)
    await database.close()
    remount(folder, "size=4m")
    async with await Database.open(folder) as again:
        found = await again.scope("bot", "dice").keys()
        say("kept", {f"key{number}" for number in range(confirmed)} <= set(found))
        await again.scope("bot", "dice").set("after", 1)
        say("writes again")


async def full(folder: Path) -> None:
    """Start on a disk that is full already."""
    mount(folder, "size=64k")
    (folder / "ballast").write_bytes(b"x" * 65536)
    await opened(folder)


async def read_only(folder: Path) -> None:
    """Start on a disk that cannot be written."""
    mount(folder, "size=1m")
    await opened(folder)
    remount(folder, "ro")
    await opened(folder)


SCENARIOS = {scenario.__name__: scenario for scenario in (hold, write, fill, full, read_only)}

if __name__ == "__main__":
    asyncio.run(SCENARIOS[sys.argv[1]](Path(sys.argv[2])))
