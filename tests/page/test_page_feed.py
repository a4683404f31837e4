"""The feed of the panel: bounded, never waiting, and told to those who come late."""

from __future__ import annotations

import asyncio

from timbot.sandbox.page import Feed, FeedEntry
from timbot.sandbox.page.feed import KEPT, WATCHERS


def entry(event: str) -> FeedEntry:
    return FeedEntry(1.0, "bot", event, "alice", "C2Calice", "hello", "replied", 1.5)


async def test_who_comes_late_hears_what_was_kept_and_then_what_is_new() -> None:
    feed = Feed()
    feed.publish(entry("one"))
    watcher = feed.watch()
    assert watcher is not None
    assert [one.event for _, one in await watcher.take()] == ["one"]
    waiting = asyncio.create_task(watcher.take())
    await asyncio.sleep(0)
    feed.publish(entry("two"))
    feed.publish(entry("three"))
    assert [(number, one.event) for number, one in await waiting] == [(2, "two"), (3, "three")]


async def test_the_oldest_fall_out_and_the_numbers_show_it() -> None:
    feed = Feed()
    for number in range(KEPT + 10):
        feed.publish(entry(str(number)))
    watcher = feed.watch()
    assert watcher is not None
    taken = await watcher.take()
    assert (len(taken), taken[0][0], taken[-1][0]) == (KEPT, 11, KEPT + 10)


async def test_a_watcher_goes_on_where_it_was() -> None:
    feed = Feed()
    for number in range(3):
        feed.publish(entry(str(number)))
    watcher = feed.watch(2)
    assert watcher is not None
    assert [number for number, _ in await watcher.take()] == [3]


async def test_a_number_of_another_feed_means_from_the_beginning() -> None:
    feed = Feed()
    feed.publish(entry("one"))
    watcher = feed.watch(77)
    assert watcher is not None
    assert [number for number, _ in await watcher.take()] == [1]


async def test_watchers_are_bounded_and_leave_their_place() -> None:
    feed = Feed()
    watchers = [feed.watch() for _ in range(WATCHERS)]
    assert feed.watch() is None
    first = watchers[0]
    assert first is not None
    first.close()
    assert feed.watch() is not None


async def test_a_closed_watcher_waits_no_longer() -> None:
    feed = Feed()
    watcher = feed.watch()
    assert watcher is not None
    with watcher:
        waiting = asyncio.create_task(watcher.take())
        await asyncio.sleep(0)
    assert await waiting == []
    assert feed.watchers == 0
