"""What a journal keeps, as values. All bytes are made by others: here nothing is looked into."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from timbot.im.delivery import Memory


class EventState(IntEnum):
    """How far an event is."""

    OPEN = 0
    """Waiting for its turn, or having it."""
    PARKED = 1
    """Its handler waits for an answer."""
    DONE = 2
    DEAD = 3
    """Given up: a dead letter."""


class SendState(IntEnum):
    """What is known of a message."""

    OPEN = 0
    """Intended; perhaps sent."""
    SENT = 1
    REFUSED = 2
    """The server said no for good."""
    UNKNOWN = 3
    """Nobody can tell any more whether it was sent."""
    DROPPED = 4
    """Not sent, on purpose: a gate said no, or a busy group let it fall twice."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be kept. `time` is the server's, Unix seconds; `identity` None for what cannot come twice."""

    lane: str
    kind: str
    identity: bytes | None
    body: bytes
    time: float
    wanted: bool = True
    """False: nobody handles it. It is kept as done, for its identity, and without its body."""
    dead: str = ""
    """A reason: it is a dead letter from the beginning."""
    who: str = ""
    """The person it comes from, for `forget`. A C2C message and a request name theirs in their identity too."""


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event as it was kept. Numbers rise in the order in which events were taken."""

    number: int
    lane: str
    kind: str
    body: bytes
    time: float
    state: EventState
    attempts: int
    decision: bytes | None
    """Its routes, once its first step is recorded."""


@dataclass(frozen=True, slots=True)
class StepId:
    """A step of a handler: `slot` is its number, or its key."""

    event: int
    handler: str
    slot: str


@dataclass(frozen=True, slots=True)
class KeptStep:
    """The recorded result of a step; of one that was refused for good, the refusal."""

    id: StepId
    kind: str
    target: str
    name: str
    result: bytes
    refused: bool


@dataclass(frozen=True, slots=True)
class KeptSend:
    """A message to be sent, or sent. `step` None: it was said of the plugin's own accord, under `key` if that is not empty."""

    number: int
    step: StepId | None
    plugin: str
    key: str
    target: str
    body: bytes
    intended: float
    """When, by our clock, Unix seconds."""
    state: SendState
    result: bytes
    settled: float
    token: tuple[str, int, int] = ("", 0, 0)
    """As it was intended: conversation, sequence, random."""


@dataclass(frozen=True, slots=True)
class KeptDialogue:
    """A parked handler: it goes on when `who` writes in the conversation `lane`, or at `deadline` (the server's time)."""

    step: StepId
    lane: str
    who: str
    deadline: float
    """0: none."""
    revision: int
    body: bytes
    """What the question wants to know."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was given up, or an item nobody could read (`kind` "broken")."""

    number: int
    lane: str
    kind: str
    body: bytes
    time: float
    died: float
    reason: str
    """In a word or two: `failed`, `time limit`, `diverged`, `killed the process`, `broken`, `stale`."""
    detail: str


@dataclass(frozen=True, slots=True)
class OpenLane:
    """A lane with events that wait: how many, and the first."""

    lane: str
    events: int
    first: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """What the process before has left behind."""

    memory: Memory = field(default_factory=Memory)
    lanes: tuple[OpenLane, ...] = ()
    dialogues: tuple[KeptDialogue, ...] = ()
    sends: tuple[KeptSend, ...] = ()
    """Those that are open, in order."""
    suspects: frozenset[int] = frozenset()
    """Events whose handlers ran when the process died."""
    deaths: tuple[float, ...] = ()
    """When processes have died of late without saying goodbye, Unix seconds, oldest first."""


# What can be committed. All that is committed in one call stands or falls together. About an event that is not there any more
# (a person was forgotten meanwhile) nothing is kept, and `Intend` answers 0: do not send. What is done or dead stays so.


@dataclass(frozen=True, slots=True)
class Decide:
    """The routes of an event are settled."""

    event: int
    decision: bytes


@dataclass(frozen=True, slots=True)
class RecordStep:
    """A step has its result. The first one stays: a further one for the same step changes nothing."""

    id: StepId
    kind: str
    target: str
    name: str
    result: bytes
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Intend:
    """A message will be sent. The commit's answer holds its number; a `key` of the plugin that is there already keeps the
    number, and the body, it has. `token` is `(conversation, sequence, random)`."""

    step: StepId | None
    plugin: str
    key: str
    target: str
    token: tuple[str, int, int]
    body: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Settle:
    """What became of a message. `body` replaces the intended one (a message that was never sent may be made anew)."""

    send: int
    state: SendState
    result: bytes
    at: float
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """An event is done."""

    event: int


@dataclass(frozen=True, slots=True)
class Fail:
    """An attempt has failed; so many have so far."""

    event: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Park:
    """An event's handler waits for an answer."""

    event: int
    dialogue: KeptDialogue


@dataclass(frozen=True, slots=True)
class Unpark:
    """It waits no longer: the event is open again."""

    event: int


@dataclass(frozen=True, slots=True)
class Bury:
    """An event is given up."""

    event: int
    reason: str
    detail: str
    at: float


@dataclass(frozen=True, slots=True)
class WriteState:
    """A plugin's state under a key, as JSON; None deletes it. The same table as the plugin's `Store`."""

    plugin: str
    key: str
    value: bytes | None


Commit = Decide | RecordStep | Intend | Settle | Finish | Fail | Park | Unpark | Bury | WriteState
