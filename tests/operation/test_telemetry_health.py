"""What makes health red, in words: a journal with old events, one that cannot be read, a store whose writer is stuck."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from control_site import Bots

from timbot.errors import KickKind
from timbot.im.model import events as model
from timbot.runtime.control.rounds import Rounds
from timbot.runtime.telemetry import WRITE_SECONDS, Telemetry
from timbot.runtime.watchdog import Blocked
from timbot.store import Database


class Figures:
    """A journal that counts what the test says."""

    def __init__(self) -> None:
        self.says: dict[str, int] | Exception | None = dict.fromkeys(
            ("open", "parked", "dead", "unsent", "unknown", "oldest"), 0
        )

    async def counts(self) -> dict[str, int]:
        if isinstance(self.says, Exception):
            raise self.says
        if self.says is None:
            await asyncio.Event().wait()
        assert self.says is not None
        return self.says


class Site(Bots):
    """A watched bot and its journal."""

    telemetry: Telemetry
    journal: Figures

    def problems(self) -> list[str]:
        return list(self.telemetry.health().accounts[0].problems)

    def figure(self, name: str, **labels: str) -> float | None:
        return self.telemetry.metrics.registry.get_sample_value(f"timbot_{name}", labels)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site() as world:
        world.telemetry = Telemetry("127.0.0.1", 0, oldest_event=600.0)
        world.journal = Figures()
        world.telemetry.watch(world.bot)
        world.telemetry.watch_journal("bot", lambda: world.journal)
        await asyncio.sleep(1)
        yield world
        await world.telemetry.__aexit__(None, None, None)


async def test_a_quiet_journal_is_well(site: Site) -> None:
    await asyncio.sleep(5000)
    assert site.problems() == []


async def test_an_old_event_is_told_with_how_many_there_are(site: Site) -> None:
    site.journal.says = {"open": 12, "oldest": 590}
    await asyncio.sleep(10)
    assert site.problems() == []
    site.journal.says = {"open": 12, "oldest": 720}
    await asyncio.sleep(10)
    assert site.problems() == ["the oldest event waits for 12 min; 12 are open"]
    site.journal.says = {"open": 0, "oldest": 0}
    await asyncio.sleep(10)
    assert site.problems() == []


async def test_age_goes_on_although_nobody_counts(site: Site) -> None:
    site.journal.says = {"open": 1, "oldest": 590}
    await asyncio.sleep(10)
    site.journal.says = None  # the next count does not come back
    await asyncio.sleep(60)
    assert site.problems() == ["the oldest event waits for 10 min; 1 are open"]


async def test_a_bound_of_nought_is_none() -> None:
    async with Site() as world:
        telemetry = Telemetry("127.0.0.1", 0)
        journal = Figures()
        journal.says = {"open": 1, "oldest": 10**6}
        telemetry.watch(world.bot)
        telemetry.watch_journal("bot", lambda: journal)
        await asyncio.sleep(1)
        assert telemetry.health().healthy
        await telemetry.__aexit__(None, None, None)


async def test_a_journal_that_cannot_be_read_is_told_until_it_can(site: Site) -> None:
    site.journal.says = OSError("gone")
    await asyncio.sleep(10)
    assert site.problems() == ["the journal cannot be read: gone"]
    site.journal.says = {}
    await asyncio.sleep(10)
    assert site.problems() == []


async def test_figures_are_those_of_the_last_count(site: Site) -> None:
    site.journal.says = {"open": 1, "parked": 2, "dead": 3, "unsent": 4, "unknown": 5, "oldest": 6}
    await asyncio.sleep(10)
    names = ("open_events", "parked_events", "dead_letters", "unsent_messages", "unknown_messages", "oldest_event_seconds")
    assert [site.figure(f"journal_{name}", account="bot") for name in names] == [1, 2, 3, 4, 5, 6]


async def test_a_kick_and_a_block_are_counted(site: Site) -> None:
    site.telemetry.heard("bot", model.LoggedOut(KickKind.MULTIPLE_ACCOUNT))
    site.telemetry.heard("bot", model.LoggedOut(None))
    assert site.figure("kicks_total", account="bot") == 1
    site.telemetry.loop_blocked(Blocked(5.0, "shop", "shop:answer", "deep.down", "shop.py:5"))
    site.telemetry.loop_blocked(Blocked(5.0, "", "", "somewhere", "x.py:5"))
    assert site.figure("loop_blocked_total", plugin="shop", route="answer") == 1
    assert site.figure("loop_blocked_total", plugin="", route="somewhere") == 1


# The store


@pytest.mark.real_time
async def test_a_writer_that_is_stuck_is_told_and_mended_by_a_fresh_start(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, began = threading.Event(), threading.Event()

    def hang(_: sqlite3.Connection) -> None:
        began.set()
        go_on.wait(60)

    async with await Database.memory() as database:
        telemetry = Telemetry("127.0.0.1", 0)
        stuck = database.write(hang)
        await asyncio.to_thread(began.wait, 60)
        telemetry.watch_store(database)
        await asyncio.sleep(0.05)
        assert telemetry.health().stuck == ()
        time = asyncio.get_running_loop().time
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: time() + WRITE_SECONDS + 2)
        (told,) = telemetry.health().deadlocked
        assert told.startswith("the store's writer is stuck: a write has been under way for 17 s")
        monkeypatch.undo()
        go_on.set()
        await stuck
        await telemetry.__aexit__(None, None, None)


async def test_a_store_that_is_broken_is_no_case_for_a_restart(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        telemetry = Telemetry("127.0.0.1", 0)
        telemetry.watch_store(database)
        await asyncio.sleep(1)
        assert (telemetry.health().reasons, telemetry.health().stuck) == ((), ())
        database._break(OSError("no disk"))
        health = telemetry.health()
        assert "no disk" in health.reasons[0]
        assert health.deadlocked == ()
        await telemetry.__aexit__(None, None, None)


# Errands


async def test_an_errand_is_run_again_and_its_error_forgotten() -> None:
    results: list[Exception | None] = [None, ValueError("no"), None]
    runs: list[float] = []

    async def errand() -> None:
        runs.append(asyncio.get_running_loop().time())
        error = results[len(runs) - 1] if len(runs) <= len(results) else None
        if error is not None:
            raise error

    rounds = Rounds("errand", errand, every=10)
    rounds.start()
    errors = []
    for _ in range(3):
        await asyncio.sleep(9)
        errors.append(rounds.error)
        assert rounds.out == 0
        await asyncio.sleep(1)
    await rounds.stop()
    assert errors == results
    assert [later - earlier for earlier, later in itertools.pairwise(runs)] == [10] * (len(runs) - 1)


async def test_an_errand_that_does_not_come_back_is_seen_and_can_be_ended() -> None:
    before = asyncio.all_tasks()
    rounds = Rounds("errand", asyncio.Event().wait, every=10)
    rounds.start()
    await asyncio.sleep(33)
    assert rounds.out == 33
    await rounds.stop()
    assert asyncio.all_tasks() == before
