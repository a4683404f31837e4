"""The pacer on virtual time: nothing above the limits, nothing out of order, nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timbot.im.api.messages import MessageDropped, OutgoingMessage
from timbot.im.clock import SystemClock
from timbot.im.model.group import GroupType
from timbot.im.model.message import ConversationType, Priority
from timbot.im.model.payloads import Text
from timbot.runtime.sending.limits import REMEMBERED, Limits, Pacer, in_doubt, vendor
from timbot.runtime.sending.windows import Window
from timbot.testing import VirtualLoop, World

C2C, GROUP = ConversationType.C2C, ConversationType.GROUP
TOO_FAST_IN_GROUP, TOO_FAST, BUSY, NO_SUCH_GROUP = 10023, 60011, 20005, 10010


def message(to: str, number: int = 1, kind: ConversationType = GROUP, priority: Priority = Priority.NORMAL) -> OutgoingMessage:
    return OutgoingMessage(kind, to, Text("hello"), number, number, priority=priority)


def pacer(limits: Limits | None = None, *, seed: int = 1) -> Pacer:
    return Pacer(limits or Limits.documented(), SystemClock(), random.Random(seed))


@dataclass
class Log:
    """What was let go, when."""

    of: Pacer
    entries: list[tuple[float, OutgoingMessage]] = field(default_factory=list)

    async def say(self, said: OutgoingMessage, after: float = 0.0) -> None:
        if after:
            await asyncio.sleep(after)
        await self.of.admit(said)
        self.entries.append((asyncio.get_running_loop().time(), said))

    def times(self, chosen: Callable[[OutgoingMessage], bool] = lambda _: True) -> list[float]:
        return [time for time, said in self.entries if chosen(said)]


def keeps(times: list[float], window: Window) -> bool:
    grain = 1e-9  # a timer keeps its time to the last bit but one
    return all(last >= first + window.seconds - grain for first, last in zip(times, times[window.messages :], strict=False))


def is_clean(tried: Pacer) -> bool:
    return (tried.waiting, tried._lines, len(tried._turns), tried._later, tried._gone, tried._timer) == (0, {}, 0, [], 0, None)


# The numbers


def test_the_documented_limits() -> None:
    limits = Limits.documented()
    assert limits == Limits(c2c=None, group=Window(30, 1.0), account=None)
    assert Limits.documented(group_share=1.0).group == Window(40, 1.0)
    assert Limits.documented(group_share=0.01).group == Window(1, 1.0)


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5, float("nan")])
def test_a_share_that_is_none(share: float) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        Limits.documented(group_share=share)


def test_every_number_has_its_page() -> None:
    pages = vendor().documented
    assert all(entry.page.count("1047/") for entry in (pages.message, pages.group, pages.c2c, pages.account))


def test_no_code_is_listed_twice() -> None:
    assert max(Counter(code.code for code in vendor().codes).values()) == 1


def test_a_group_knows_a_message_again_longer_than_it_is_waited_for() -> None:
    assert vendor().chosen.back_off.total < 300


# Windows

saying = st.tuples(
    st.sampled_from(["a", "b", "c"]), st.sampled_from([C2C, GROUP]), st.sampled_from(list(Priority)), st.floats(0, 4)
)
windows = st.none() | st.builds(Window, st.integers(1, 4), st.sampled_from([0.1, 1.0, 1.7]))


@given(st.lists(saying, max_size=40), st.builds(Limits, windows, windows, windows))
def test_no_window_is_exceeded_and_no_receiver_sees_another_order(
    said: list[tuple[str, ConversationType, Priority, float]], limits: Limits
) -> None:
    async def main() -> tuple[Log, bool]:
        log = Log(pacer(limits))
        messages = [
            (message(to, number, kind, priority), after)
            for number, (to, kind, priority, after) in enumerate(sorted(said, key=lambda each: each[3]))
        ]
        await asyncio.gather(*(log.say(each, after) for each, after in messages))
        return log, is_clean(log.of)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        log, clean = runner.run(main())
    assert clean
    assert len(log.entries) == len(said)
    for conversation in {each.conversation_id for _, each in log.entries}:
        numbers = [each.sequence for _, each in log.entries if each.conversation_id == conversation]
        assert numbers == sorted(numbers)
        window = limits.c2c if conversation.startswith("C2C") else limits.group
        assert window is None or keeps(log.times(lambda each, of=conversation: each.conversation_id == of), window)  # type: ignore[misc]
    assert limits.account is None or keeps(log.times(), limits.account)


async def test_a_group_hears_thirty_a_second() -> None:
    log = Log(pacer())
    await asyncio.gather(*(log.say(message("lobby", number)) for number in range(100)))
    assert Counter(log.times()) == {0.0: 30, 1.0: 30, 2.0: 30, 3.0: 10}


async def test_a_busy_group_keeps_nobody_else_waiting() -> None:
    log = Log(pacer())
    crowd = [asyncio.create_task(log.say(message("loud", number))) for number in range(300)]
    await asyncio.sleep(0)
    await log.say(message("quiet"))
    await log.say(message("alice", kind=C2C))
    assert asyncio.get_running_loop().time() == 0.0
    await asyncio.gather(*crowd)


async def test_users_hear_as_much_as_there_is_to_say() -> None:
    tried = pacer()
    for number in range(10_000):
        await tried.admit(message("alice", number, C2C))
    assert (asyncio.get_running_loop().time(), tried.delayed) == (0.0, 0)


async def test_a_user_and_a_group_of_one_name_are_two() -> None:
    log = Log(pacer(Limits(c2c=Window(1, 1.0), group=Window(1, 1.0))))
    await asyncio.gather(log.say(message("x", kind=C2C)), log.say(message("x", kind=GROUP)))
    assert log.times() == [0.0, 0.0]


async def test_as_fast_as_the_window_allows_and_no_slower() -> None:
    log = Log(pacer(Limits(account=Window(2, 1.0))))
    await asyncio.gather(*(log.say(message(f"u{number}", kind=C2C)) for number in range(7)))
    assert log.times() == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0]


class CoarseClock(SystemClock):
    """Steps of 1/64 s, as some machines have them."""

    def monotonic(self) -> float:
        return super().monotonic() // (1 / 64) / 64


async def test_a_clock_with_a_coarse_grain_wakes_nobody_twice() -> None:
    log = Log(Pacer(Limits(account=Window(1, 0.1)), CoarseClock(), random.Random(1)))
    await asyncio.gather(log.say(message("a")), log.say(message("b")))
    assert log.times() == [0.0, 0.1]


# Priorities


async def test_replies_go_before_announcements() -> None:
    log = Log(pacer(Limits(account=Window(1, 1.0))))
    announced = [log.say(message(f"u{number}", kind=C2C, priority=Priority.LOW)) for number in range(5)]
    await asyncio.gather(
        *announced, log.say(message("alice", kind=C2C), after=0.5), log.say(message("bob", kind=C2C), after=0.6)
    )
    assert [said.to for _, said in log.entries] == ["u0", "alice", "bob", "u1", "u2", "u3", "u4"]


async def test_an_announcement_is_heard_while_replies_never_end() -> None:
    log = Log(pacer(Limits(account=Window(1, 1.0))))
    announced = asyncio.create_task(log.say(message("group", priority=Priority.LOWEST), after=0.1))
    replies = [asyncio.create_task(log.say(message(f"u{number}", kind=C2C))) for number in range(50)]
    await announced
    assert asyncio.get_running_loop().time() == 10.0
    await asyncio.gather(*replies)


async def test_no_priority_reorders_one_receiver() -> None:
    log = Log(pacer(Limits(group=Window(1, 1.0))))
    order = [Priority.LOWEST, Priority.HIGH, Priority.LOW, Priority.NORMAL]
    await asyncio.gather(*(log.say(message("lobby", number, priority=each)) for number, each in enumerate(order)))
    assert [said.sequence for _, said in log.entries] == [0, 1, 2, 3]


# Cancelling


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", "d"]), st.floats(0, 5)), min_size=1, max_size=30),
    st.builds(Limits, windows, windows, windows),
)
def test_whoever_is_cancelled_leaves_nothing_behind(said: list[tuple[str, float]], limits: Limits) -> None:
    async def main() -> bool:
        log = Log(pacer(limits))
        tasks = [asyncio.create_task(log.say(message(to, number))) for number, (to, _) in enumerate(said)]
        for task, (_, after) in zip(tasks, said, strict=True):
            if after < 4:
                asyncio.get_running_loop().call_later(after, task.cancel)
        await asyncio.wait(tasks)
        for conversation in {each.conversation_id for _, each in log.entries}:
            times = log.times(lambda each, of=conversation: each.conversation_id == of)  # type: ignore[misc]
            assert limits.group is None or keeps(times, limits.group)
        assert sum(task.cancelled() for task in tasks) + len(log.entries) == len(tasks)
        return is_clean(log.of)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(main())


async def test_a_cancelled_message_does_not_count() -> None:
    log = Log(pacer(Limits(group=Window(1, 1.0))))
    await log.say(message("lobby"))
    waiting = asyncio.create_task(log.say(message("lobby", 2)))
    await asyncio.sleep(0.5)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert is_clean(log.of)
    await log.say(message("lobby", 3), after=0.5)
    assert log.times() == [0.0, 1.0]


async def test_whoever_stands_behind_a_cancelled_one_moves_up() -> None:
    log = Log(pacer(Limits(group=Window(1, 1.0))))
    await log.say(message("lobby"))
    first, second = (asyncio.create_task(log.say(message("lobby", number))) for number in (2, 3))
    await asyncio.sleep(0.5)
    first.cancel()
    await second
    assert log.times() == [0.0, 1.0]


async def test_a_thousand_cancelled_in_a_crowd_are_not_kept_until_their_time() -> None:
    log = Log(pacer(Limits(group=Window(1, 1000.0))))
    for number in range(1000):
        await log.say(message(f"g{number}"))
    tasks = [asyncio.create_task(log.say(message(f"g{number}", 2))) for number in range(1000)]
    await asyncio.sleep(1.0)
    for task in tasks[:-1]:
        task.cancel()
    await asyncio.sleep(1.0)
    assert (log.of.waiting, len(log.of._later) <= 2) == (1, True)
    await tasks[-1]


# What it costs


async def test_what_need_not_wait_makes_no_task_and_no_timer() -> None:
    tried = pacer(Limits(Window(5, 1.0), Window(5, 1.0), Window(100, 1.0)))
    before = asyncio.all_tasks()
    await tried.admit(message("lobby"))
    await tried.admit(message("alice", kind=C2C))
    assert (asyncio.all_tasks(), is_clean(tried)) == (before, True)


async def test_ten_thousand_receivers_leave_nothing_behind() -> None:
    tried = pacer(Limits(Window(5, 1.0), Window(5, 1.0), Window(10**6, 1.0)))
    said = message("late")
    await tried.admit(said)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(10_000):
            await tried.admit(message(f"g{number}"))
            await asyncio.sleep(0.1)
        for _ in range(3):
            await asyncio.sleep(10)
            await tried.admit(said)
        gc.collect()
        assert (
            tracemalloc.get_traced_memory()[0] - before < 600_000
        )  # the account's own window: 10,000 times at 24 bytes and 8 for each
    finally:
        tracemalloc.stop()
    assert tried._groups is not None
    assert len(tried._groups) == 1


# Refusals


@pytest.mark.parametrize("code", [NO_SUCH_GROUP, 80002, 93000, 10007, 10017, 20003, 70001, 0])
async def test_other_refusals_are_final(code: int) -> None:
    assert pacer().back_off(message("lobby"), code) is None


@pytest.mark.parametrize("code", [each.code for each in vendor().codes])
async def test_waits_rise_and_end(code: int) -> None:
    tried, said = pacer(), message("lobby")
    waits: list[float] = []
    while (seconds := tried.back_off(said, code)) is not None:
        waits.append(seconds)
        await asyncio.sleep(seconds)
    steps = vendor().chosen.back_off
    assert sum(waits) == pytest.approx(steps.total)
    if code != 70050:
        expected = [min(steps.most, steps.first * 2**number) for number in range(len(waits))]
        assert all(step / 2 <= wait <= step for wait, step in zip(waits[:-1], expected, strict=False))
        assert len(waits) >= 6
    else:
        assert waits == [60.0, 60.0]


async def test_chance_keeps_two_bots_apart() -> None:
    waits = [
        [tried.back_off(message("lobby"), BUSY) for _ in range(4)] for tried in (pacer(seed=1), pacer(seed=1), pacer(seed=2))
    ]
    assert waits[0] == waits[1] != waits[2]


async def test_the_next_message_begins_afresh() -> None:
    tried = pacer()
    for _ in range(5):
        tried.back_off(message("lobby", 1), BUSY)
    seconds = tried.back_off(message("lobby", 2), BUSY)
    assert seconds is not None
    assert seconds <= vendor().chosen.back_off.first


async def test_a_busy_group_slows_nobody_else() -> None:
    log = Log(pacer())
    assert log.of.back_off(message("lobby"), TOO_FAST_IN_GROUP)
    await log.say(message("other"))
    await log.say(message("alice", kind=C2C))
    assert log.times() == [0.0, 0.0]


async def test_an_account_that_was_too_fast_falls_silent_and_then_goes_slowly() -> None:
    log = Log(pacer())
    silent = log.of.back_off(message("alice", kind=C2C), TOO_FAST)
    assert silent is not None
    await asyncio.gather(*(log.say(message(f"u{number}", kind=C2C)) for number in range(100)))
    pace = vendor().chosen.recovery
    assert log.times()[0] == silent
    assert keeps(log.times(), Window(pace.messages, pace.seconds))
    assert log.times()[-1] == pytest.approx(silent + 4)
    await asyncio.sleep(pace.lasts)
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(log.say(message(f"u{number}", kind=C2C)) for number in range(100)))
    assert asyncio.get_running_loop().time() == began


async def test_who_is_refused_while_others_wait_keeps_them_waiting() -> None:
    log = Log(pacer(Limits(account=Window(1, 0.2))))
    others = [asyncio.create_task(log.say(message(f"u{number}", kind=C2C))) for number in range(3)]
    await asyncio.sleep(0.1)
    silent = log.of.back_off(message("alice", kind=C2C), TOO_FAST)
    assert silent is not None
    await asyncio.gather(*others)
    assert log.times()[1] == pytest.approx(0.1 + silent)


async def test_refusals_are_forgotten() -> None:
    tried = pacer()
    for number in range(100):
        tried.back_off(message(f"g{number}"), BUSY)
    await asyncio.sleep(REMEMBERED + vendor().chosen.back_off.most + 1)
    await tried.admit(message("alice", kind=C2C))
    assert tried._refused == {}


def test_what_is_in_doubt() -> None:
    assert [in_doubt(code) for code in (BUSY, 10002, 60008, TOO_FAST, TOO_FAST_IN_GROUP, NO_SUCH_GROUP)] == [True] * 3 + [
        False
    ] * 3


# Against the server


async def test_the_server_drops_nothing_of_what_is_admitted() -> None:
    async with World() as world:
        client = (await world.user("alice")).client
        await client.create_group(GroupType.WORK, "Lobby", group_id="lobby")
        tried = pacer(Limits.documented(group_share=1.0))
        for number in range(130):
            said = client.create_text_message("lobby", GROUP, f"{number}")
            await tried.admit(said)
            assert (await client.send_message(said)).sequence
        more = [client.create_text_message("lobby", GROUP, f"more {number}") for number in range(100)]
        sent = await asyncio.gather(*map(client.send_message, more), return_exceptions=True)
        assert any(isinstance(outcome, MessageDropped) for outcome in sent)  # it would have, without the pacer


# Told


async def test_it_says_that_messages_wait_and_for_what() -> None:
    told: list[tuple[str, str]] = []
    tried = Pacer(
        Limits(c2c=Window(1, 1.0), group=Window(1, 1.0), account=Window(5, 200.0)),
        SystemClock(),
        random.Random(1),
        lambda limit, conversation: told.append((limit, conversation)),
    )
    for kind in (GROUP, C2C):
        for number in range(3):
            await tried.admit(message("x", number, kind))
    assert told == [("group", "GROUPx"), ("c2c", "C2Cx"), ("account", "C2Cx")]
    assert tried.delayed == 4
