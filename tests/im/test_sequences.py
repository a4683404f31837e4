"""The sender's counter: it rises within a second, across a restart and past midnight's new beginning."""

from __future__ import annotations

from timbot.im.api.messages import Sequences

MIDNIGHT = 1767571200.0


class Clock:
    def __init__(self, now: float) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


def test_it_rises_within_an_instant() -> None:
    sequences = Sequences(Clock(MIDNIGHT + 3600))
    numbers = [sequences.next() for _ in range(100)]
    assert numbers == sorted(set(numbers))


def test_it_rises_across_a_restart_in_the_same_second() -> None:
    clock = Clock(MIDNIGHT + 3600.1)
    before = Sequences(clock).next()
    clock.time += 0.01
    assert Sequences(clock).next() > before


def test_it_begins_afresh_at_midnight_and_fits_32_bits() -> None:
    clock = Clock(MIDNIGHT - 0.001)
    sequences = Sequences(clock)
    last = sequences.next()
    assert last < 1 << 32
    clock.time = MIDNIGHT
    assert sequences.next() < 1000
    assert sequences.next() < 1000


def test_a_clock_set_back_a_little_does_not_set_it_back() -> None:
    clock = Clock(MIDNIGHT + 3600)
    sequences = Sequences(clock)
    before = sequences.next()
    clock.time -= 60
    assert sequences.next() > before
