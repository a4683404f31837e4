"""Lanes against the plainest model there is: a list for each key."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from timbot.runtime.lanes import Lanes
from timbot.testing.loop import run

KEYS = st.integers(0, 3)
TIMES = st.sampled_from([0.0, 0.1, 1.0, 7.0, 20.0])
PIECES = st.lists(st.tuples(KEYS, TIMES, st.booleans(), TIMES), max_size=30)


@settings(max_examples=60)
@given(PIECES, st.integers(1, 4), st.integers(1, 10))
def test_each_key_is_in_order_one_at_a_time_and_nothing_stays_behind(
    pieces: list[tuple[int, float, bool, float]], workers: int, backlog: int
) -> None:
    asked: dict[int, list[int]] = defaultdict(list)
    begun: dict[int, list[int]] = defaultdict(list)
    inside: set[int] = set()
    ended: list[int] = []

    async def everything() -> tuple[int, int, int]:
        lanes = Lanes("model", workers=workers, backlog=backlog)

        async def piece(number: int, key: int, seconds: float, steps_out: bool) -> None:
            assert key not in inside
            assert lanes.running <= workers
            inside.add(key)
            begun[key].append(number)
            await asyncio.sleep(seconds)
            inside.remove(key)
            if steps_out:
                lanes.step_out()
                await asyncio.sleep(seconds)
            ended.append(number)

        for number, (key, seconds, steps_out, pause) in enumerate(pieces):
            asked[key].append(number)
            await lanes.put(key, lambda n=number, k=key, s=seconds, o=steps_out: piece(n, k, s, o))  # type: ignore[misc]
            assert lanes.waiting <= backlog
            await asyncio.sleep(pause)
        await lanes.join()
        await asyncio.sleep(60)
        left = lanes.waiting, lanes.running, lanes.count
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        assert not tasks
        assert await lanes.close(1.0) == 0
        return left

    assert run(everything()) == (0, 0, 0)
    assert begun == asked
    assert sorted(ended) == list(range(len(pieces)))
