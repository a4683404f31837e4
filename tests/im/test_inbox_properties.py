"""Whatever the network does, the inbox tells each thing once and in order: against a model that keeps a plain list.

A server writes messages; each is pushed once, twice, late or never, and the rest is found by syncs, lists and history, from
which some numbers are gone for good.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from inbox_values import Box, T, c2c, group, numbers

from timbot.im.model import events as model
from timbot.im.model.group import Group
from timbot.im.streams import Gap
from timbot.im.wire.pushes import Pushed

PEOPLE = ("alice", "bob")
GROUPS = ("g", "h")


@dataclass
class World:
    """The server, the network and the inbox between them."""

    inbox: Box = field(default_factory=lambda: Box())
    now: int = T
    queue: list[Pushed] = field(default_factory=list)
    """C2C messages that a sync still has to bring: those whose push was lost."""
    said: dict[str, list[int]] = field(default_factory=lambda: {who: [] for who in PEOPLE})
    counters: dict[str, int] = field(default_factory=lambda: dict.fromkeys(GROUPS, 10))
    kept: dict[str, dict[int, Pushed]] = field(default_factory=lambda: {name: {} for name in GROUPS})
    own: dict[str, set[int]] = field(default_factory=lambda: {name: set() for name in GROUPS})
    late: list[Pushed] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    events: list[model.Event] = field(default_factory=list)
    sequence: int = 0

    def take(self, events: list[model.Event]) -> None:
        self.events += events
        self.gaps += self.inbox.take_gaps()

    def talk(self, who: str, pushes: int) -> None:
        self.sequence += 1
        self.now += 1
        message = c2c(str(self.sequence), self.sequence, sender=who, time=self.now)
        self.said[who].append(self.sequence)
        if not pushes:
            self.queue.append(message)
        for _ in range(pushes):
            self.take(self.inbox.pushed([message]))

    def talk_in(self, name: str, pushes: int, keep: bool) -> None:
        number = self._next(name)
        message = group(number, name)
        if keep:
            self.kept[name][number] = message
        for _ in range(pushes):
            self.take(self.inbox.pushed([message]))
        if not pushes:
            self.late.append(message)

    def send_to(self, name: str, answered: bool) -> None:
        number = self._next(name)
        self.own[name].add(number)
        self.inbox.known.write(f"GROUP{name}", 1000 + number, 5)
        self.kept[name][number] = group(number, name, sender="bot", random=5, client=1000 + number)
        self.inbox.streams.sending(name)
        self.take(self.inbox.sent(name, number if answered else 0))

    def arrive_late(self, index: int) -> None:
        if self.late:
            self.take(self.inbox.pushed([self.late.pop(index % len(self.late))]))

    def sync(self) -> None:
        items, self.queue = self.queue, []
        self.take(self.inbox.synced(items))

    def fill(self) -> None:
        gaps, self.gaps = self.gaps, []
        for gap in gaps:
            kept = self.kept[gap.group_id]
            found = [kept[number] for number in range(gap.first, gap.last + 1) if number in kept]
            self.take(self.inbox.filled(gap, found))

    def reconnect(self, pushes: list[tuple[str, int]]) -> None:
        self.gaps.clear()  # what was being asked for is cancelled
        self.inbox.logged_in(self.now)
        for name, times in pushes:
            self.talk_in(name, times, keep=True) if name in GROUPS else self.talk(name, times)
        self.sync()
        listed = [Group(name, create_time=1, next_message_sequence=count + 1) for name, count in self.counters.items()]
        self.gaps += self.inbox.groups_listed(listed)
        self.fill()
        self.take(self.inbox.release())

    def _next(self, name: str) -> int:
        self.counters[name] += 1
        return self.counters[name]


who, where, times = st.sampled_from(PEOPLE), st.sampled_from(GROUPS), st.integers(0, 2)
STEPS = st.one_of(
    st.tuples(st.just("talk"), who, times),
    st.tuples(st.just("talk_in"), where, times, st.booleans()),
    st.tuples(st.just("send_to"), where, st.booleans()),
    st.tuples(st.just("arrive_late"), st.integers(0, 5)),
    st.tuples(st.just("sync")),
    st.tuples(st.just("fill")),
    st.tuples(st.just("reconnect"), st.lists(st.tuples(who | where, times), max_size=4)),
)


def check(world: World) -> None:
    spoken: dict[str, list[int]] = {name: [] for name in PEOPLE}
    for event in world.events:
        if isinstance(event, model.MessageReceived) and event.message.peer in PEOPLE:
            spoken[event.message.peer].append(event.message.sequence)
    for name in PEOPLE:
        assert sorted(spoken[name]) == sorted(world.said[name])  # each once, none lost
    for name in GROUPS:
        told = numbers(event for event in world.events if getattr(event, "conversation_id", "") == f"GROUP{name}")
        flat = [number for entry in told for number in (range(entry[0], entry[1] + 1) if isinstance(entry, tuple) else [entry])]
        assert flat == sorted(set(flat))  # strictly rising, holes in their places, nothing told twice
        messages = {entry for entry in told if isinstance(entry, int)}
        holes = set(flat) - messages
        assert not messages & world.own[name]  # what this client wrote is no news to it
        expected = {number for number in world.kept[name] if number not in world.own[name]}
        assert expected <= messages  # whatever the history has is told
        assert not holes & set(world.kept[name])  # only what it has not is reported
        assert messages | holes | world.own[name] == set(range(11, world.counters[name] + 1))


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_each_thing_once_and_in_order(steps: list[tuple[str, object]]) -> None:
    world = World()
    world.reconnect([])
    for name, *arguments in steps:
        getattr(world, name)(*arguments)
    world.reconnect([])
    check(world)
    assert world.inbox.streams.waiting() == 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(who, times), max_size=30))
def test_while_connected_the_order_is_that_of_arrival(talks: list[tuple[str, int]]) -> None:
    world = World()
    world.reconnect([])
    for name, pushes in talks:
        world.talk(name, max(pushes, 1))
    for name in PEOPLE:
        got = [event.message.sequence for event in world.events if isinstance(event, model.MessageReceived)]
        assert [number for number in got if number in world.said[name]] == world.said[name]
