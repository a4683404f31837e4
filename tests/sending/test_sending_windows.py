"""Windows are exact, and nobody waits for ever."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timbot.im.model.message import Priority
from timbot.runtime.sending.windows import PATIENCE, Sliding, Turns, Window, Windows

priorities = st.sampled_from(list(Priority))


@pytest.mark.parametrize(
    ("messages", "seconds"), [(0, 1.0), (-1, 1.0), (1, 0.0), (1, -1.0), (1, float("inf")), (1, float("nan"))]
)
def test_a_window_that_holds_nothing(messages: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="at least one message"):
        Window(messages, seconds)


@given(st.lists(st.floats(0, 3), max_size=60), st.integers(1, 5))
def test_no_stretch_holds_more_than_the_window_allows(steps: list[float], messages: int) -> None:
    window, now = Sliding(Window(messages, 1.0)), 0.0
    taken: list[float] = []
    for step in steps:
        now = max(now + step, window.free_at)
        assert window.offer(now)
        taken.append(now)
    for first, beyond in zip(taken, taken[messages:], strict=False):
        assert beyond >= first + 1.0


def test_a_full_window_refuses_and_does_not_count_what_it_refuses() -> None:
    window = Sliding(Window(2, 1.0))
    assert [window.offer(now) for now in (0.0, 0.5, 0.75, 0.999, 1.0, 1.25, 1.5)] == [
        True,
        True,
        False,
        False,
        True,
        False,
        True,
    ]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 1.5)), max_size=60))
def test_windows_forget_nothing_that_counts(said: list[tuple[str, float]]) -> None:
    windows, plain = Windows(Window(2, 1.0)), {name: Sliding(Window(2, 1.0)) for name in "abcd"}
    now = 0.0
    for name, step in said:
        now += step
        assert windows.of(name, now).offer(now) == plain[name].offer(now)


def test_quiet_receivers_take_no_memory() -> None:
    windows = Windows(Window(2, 1.0))
    for number in range(10_000):
        now = number / 1000
        windows.of(f"group {number}", now).take(now)
        assert len(windows) <= 2001
    windows.of("late", 20.0)
    assert len(windows) == 1


def test_the_highest_first_and_within_one_the_first_come() -> None:
    turns: Turns[str] = Turns()
    for name, priority in (
        ("low", Priority.LOW),
        ("first", Priority.NORMAL),
        ("high", Priority.HIGH),
        ("second", Priority.NORMAL),
    ):
        turns.add(name, priority)
    assert [turns.pop() for _ in range(len(turns))] == ["high", "first", "second", "low"]


@given(st.lists(st.tuples(priorities, st.integers(0, 2)), max_size=300))
def test_nobody_starves(arrivals: list[tuple[Priority, int]]) -> None:
    """Whatever comes, the first in line of a priority is passed over no more often than promised."""
    turns: Turns[int] = Turns()
    of: dict[int, Priority] = {}
    passed = dict.fromkeys(Priority, 0)
    most = PATIENCE + len(Priority) - 1

    def serve() -> None:
        served = of.pop(turns.pop())
        waiting = set(of.values())
        for priority in Priority:
            passed[priority] = passed[priority] + 1 if priority is not served and priority in waiting else 0
            assert passed[priority] <= most

    for number, (priority, served) in enumerate(arrivals):
        turns.add(number, priority)
        of[number] = priority
        for _ in range(min(served, len(turns))):
            serve()
    while len(turns):
        serve()


def test_a_low_one_gets_every_tenth_turn() -> None:
    turns: Turns[str] = Turns()
    turns.add("low 0", Priority.LOW)
    turns.add("low 1", Priority.LOW)
    for number in range(40):
        turns.add(f"high {number}", Priority.HIGH)
    order = [turns.pop() for _ in range(len(turns))]
    assert [order.index("low 0"), order.index("low 1")] == [PATIENCE, 2 * PATIENCE + 1]


def test_what_is_removed_does_not_come() -> None:
    turns: Turns[str] = Turns()
    turns.add("goes", Priority.LOW)
    turns.add("stays", Priority.LOW)
    turns.remove("goes", Priority.LOW)
    turns.remove("never there", Priority.LOW)
    assert len(turns) == 1
    assert turns.pop() == "stays"


def test_priorities_are_in_the_order_of_their_weight() -> None:
    assert all(
        ranks in pairwise(Priority) for ranks in pairwise([Priority.HIGH, Priority.NORMAL, Priority.LOW, Priority.LOWEST])
    )
