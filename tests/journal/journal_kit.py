"""What tests of journals write: events, messages, steps, dialogues."""

from __future__ import annotations

from timbot.im.delivery import Change
from timbot.im.wire.identity import (
    C2CIdentity,
    FleetingIdentity,
    FriendApplicationIdentity,
    GroupIdentity,
    GroupNoticeIdentity,
    encode_identity,
)
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.memory import MemoryJournal
from timbot.runtime.journal.sqlite import SqliteJournal
from timbot.runtime.journal.values import (
    Intend,
    KeptDialogue,
    NewEvent,
    Park,
    RecordStep,
    SendState,
    Settle,
    StepId,
)
from timbot.store import Database
from timbot.testing import VirtualLoop

NOTHING = Change()
KEY = "sandbox/1400000000/bot/w1"
NOON = 1_767_614_400.0
"""Twelve o'clock on the day the virtual clock starts: the server's time of events."""


def journal_on(database: Database, engine: str = "sqlite", key: str = KEY) -> Journal:
    """A journal of an engine, on the test's clock."""
    clock = VirtualLoop.running().clock
    return MemoryJournal(database, key, clock=clock) if engine == "memory" else SqliteJournal(database, key, clock=clock)


def said(peer: str = "alice", sequence: int = 1, *, body: bytes = b"hello", time: float = NOON, random: int = 7) -> NewEvent:
    """A C2C message."""
    identity = encode_identity(C2CIdentity(peer, False, sequence, random))
    return NewEvent(f"C2C{peer}", "message", identity, body, time, who=peer)


def in_group(group: str = "g1", sequence: int = 1, *, who: str = "alice", wanted: bool = True, time: float = NOON) -> NewEvent:
    """A group message."""
    identity = encode_identity(GroupIdentity(group, 5, sequence))
    return NewEvent(f"GROUP{group}", "message", identity, b"to all", time, wanted, who=who)


def fleeting(time: float = NOON) -> NewEvent:
    """An online-only message."""
    return NewEvent("C2Calice", "message", encode_identity(FleetingIdentity("C2Calice", "alice", 1, 2)), b"typing", time)


FRIEND = FriendApplicationIdentity("alice", 100)
NOTICE = GroupNoticeIdentity("g1", 1, "bob", "k1")


def asks(identity: FriendApplicationIdentity | GroupNoticeIdentity = FRIEND, time: float = NOON) -> NewEvent:
    """An application."""
    return NewEvent("C2Calice", "request", encode_identity(identity), b"please", time)


def plain(body: bytes = b"tick", lane: str = "job") -> NewEvent:
    """What cannot come twice."""
    return NewEvent(lane, "job", None, body, NOON)


def step(event: int, slot: str = "1", handler: str = "dice:roll") -> StepId:
    return StepId(event, handler, slot)


def records(event: int, slot: str = "1", result: bytes = b"{}") -> RecordStep:
    return RecordStep(step(event, slot), "send", "C2Calice", "", result)


def intends(
    event: int | None, *, key: str = "", number: int = 1, body: bytes = b"answer", at: float = NOON, to: str = "alice"
) -> Intend:
    target = f"C2C{to}"
    return Intend(None if event is None else step(event), "dice", key, target, (target, number, number), body, at)


def settles(send: int, state: SendState = SendState.SENT, at: float = NOON) -> Settle:
    return Settle(send, state, b"settled", at)


def parks(event: int, who: str = "alice", lane: str = "C2Calice") -> Park:
    return Park(event, KeptDialogue(step(event), lane, who, NOON + 600, 1, b"how old?"))


async def take(journal: Journal, *events: NewEvent, change: Change = NOTHING) -> list[int]:
    return await journal.take(events, change)


async def took(journal: Journal, event: NewEvent | None = None) -> int:
    """The number of one event taken in."""
    (number,) = await journal.take([said() if event is None else event], NOTHING)
    return number
