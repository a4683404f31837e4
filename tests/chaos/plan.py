"""What will be said, and where the bot will be killed: all of it from one seed, so that a failure can be had again.

The seed settles who says what, in which order within a conversation, after how many messages the bot dies, and at which
place. What the machine's scheduler adds to it between two messages, nobody can repeat.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

BOT: Final = "bot"

Unacked = Literal["redeliver", "forget"]
Dedupe = Literal["documented", "none"]
Injection = Literal["doubled", "reordered"]


class Kind(StrEnum):
    """The first word of a message, which says what the bot is to do."""

    ECHO = "echo"
    """One reply."""
    TWO = "two"
    """A reply, an effect outside, a reply."""
    ASK = "ask"
    """A question, which waits for the same sender's next message."""
    ANSWER = "answer"
    """That message."""


class Place(StrEnum):
    """Where in the bot's work it dies."""

    ANYWHERE = "anywhere"
    PUSHED = "event pushed"
    """Milliseconds after an event was pushed: perhaps journaled, perhaps not."""
    JOURNALED = "event taken, ack lost"
    INTENDED = "intended, not sent"
    REQUEST_LOST = "sent, never arrived"
    REQUEST_LATE = "sent, arrives after the death"
    ANSWER_LOST = "arrived, answer lost"
    ANSWERED = "answer in, not recorded"
    EFFECT = "effect made, not recorded"
    CATCHING_UP = "catching up"
    """Again, as soon as it looks for what it missed."""


AT_THE_SERVER: Final = frozenset(
    {Place.PUSHED, Place.JOURNALED, Place.REQUEST_LOST, Place.REQUEST_LATE, Place.ANSWER_LOST, Place.CATCHING_UP}
)
IN_THE_BOT: Final = frozenset({Place.INTENDED, Place.ANSWERED, Place.EFFECT})


@dataclass(frozen=True, slots=True)
class Options:
    """What to run. `rate`: messages a second, all together. `patience`: how long nothing may happen before what is missing
    counts as lost; `linger`: how long to wait for what should not come. Seconds."""

    seed: int = 1
    bot: str = "full"
    conversations: int = 200
    messages: int = 10_000
    kills: int = 100
    rate: float = 30.0
    seats: int = 12
    """How many people sit at official SDKs, half of them at each generation."""
    unacked: Unacked = "redeliver"
    dedupe: Dedupe = "none"
    history_late: float = 2.0
    patience: float = 60.0
    linger: float = 20.0
    injections: tuple[Injection, ...] = ()

    @property
    def full(self) -> bool:
        """Whether the bot can do more than echo."""
        return self.bot != "echo"


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a script. `to`: for an answer, the ID of the message that made the bot ask."""

    id: str
    author: str
    kind: Kind
    to: str = ""

    @property
    def text(self) -> str:
        """What is written."""
        return f"{self.kind} {self.id}"


@dataclass(frozen=True, slots=True)
class Conversation:
    """Who talks with the bot where. The ID is the group's, or the user's."""

    id: str
    group: bool
    members: tuple[str, ...]
    script: tuple[Line, ...]

    @property
    def name(self) -> str:
        """As it stands in the bot's log."""
        return f"{'GROUP' if self.group else 'C2C'}{self.id}"


@dataclass(frozen=True, slots=True)
class Kill:
    """The bot dies once `at` messages were sent, at the next chance `place` gives. `delay`: seconds, at the places where
    time matters. `meanwhile`: how many messages people send before they wait for it to be there again."""

    number: int
    at: int
    place: Place
    delay: float
    meanwhile: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is settled before it begins."""

    conversations: tuple[Conversation, ...]
    kills: tuple[Kill, ...]
    users: tuple[str, ...] = field(default=())

    @property
    def messages(self) -> int:
        """How many people will send."""
        return sum(len(conversation.script) for conversation in self.conversations)


def make_plan(options: Options) -> Plan:
    """The plan of a seed."""
    chance = random.Random(f"plan {options.seed}")
    groups = options.conversations * 2 // 5
    users = tuple(f"u{number:03}" for number in range(options.conversations - groups))
    places: list[tuple[str, bool, tuple[str, ...]]] = [(user, False, (user,)) for user in users]
    places += [(f"g{number:03}", True, tuple(chance.sample(users, min(3, len(users))))) for number in range(groups)]
    lengths = [options.messages // len(places) + (n < options.messages % len(places)) for n in range(len(places))]
    conversations = tuple(
        Conversation(name, group, members, _script(name, members, length, chance, full=options.full))
        for (name, group, members), length in zip(places, lengths, strict=True)
    )
    return Plan(conversations, _kills(options, chance), users)


def _script(name: str, members: tuple[str, ...], length: int, chance: random.Random, *, full: bool) -> tuple[Line, ...]:
    lines: list[Line] = []
    while len(lines) < length:
        number, author = len(lines) + 1, chance.choice(members)
        kind = chance.choices([Kind.ECHO, Kind.TWO, Kind.ASK], [57, 33, 10])[0] if full else Kind.ECHO
        others = [member for member in members if member != author]
        between = chance.randint(0, 2) if others else 0  # what others say while the bot waits for this one's answer
        if kind is not Kind.ASK or length - len(lines) < between + 2:
            lines.append(Line(f"{name}-{number}", author, Kind.ECHO if kind is Kind.ASK else kind))
            continue
        lines.append(Line(f"{name}-{number}", author, Kind.ASK))
        lines += [Line(f"{name}-{number + n}", chance.choice(others), Kind.ECHO) for n in range(1, between + 1)]
        lines.append(Line(f"{name}-{number + between + 1}", author, Kind.ANSWER, to=f"{name}-{number}"))
    return tuple(lines)


def _kills(options: Options, chance: random.Random) -> tuple[Kill, ...]:
    """Every place in turn, in an order of the seed's, at moments of the seed's; not too late to have consequences, and never
    two at once: a message that kills whoever handles it is a case of its own."""
    places = [place for place in Place if options.full or place is not Place.EFFECT]
    order = [place for _ in range(options.kills // len(places) + 1) for place in chance.sample(places, len(places))]
    step = options.messages * 0.9 / max(1, options.kills)
    moments = [int((number + chance.uniform(0.2, 0.8)) * step) + 1 for number in range(options.kills)]
    kills = []
    for number, (at, place) in enumerate(zip(moments, order, strict=False), 1):
        late = place is Place.REQUEST_LATE
        delay = chance.uniform(0.1, 4.0) if late else chance.uniform(0.0, 0.03)
        kills.append(Kill(number, at, place, delay, meanwhile=int(chance.uniform(0.0, 0.7) * step) + 1))
    return tuple(kills)
