"""A room where the real client talks to the real sandbox, in one process and on virtual time.

Nothing in it is a mock: the loop is asyncio's own with another clock, the network is an in-memory pair of connections
that can be cut, delayed and silenced on purpose.
"""

from timbot.testing.faults import Direction, Faults, Rule
from timbot.testing.loop import EPOCH, VirtualClock, VirtualLoop, run
from timbot.testing.pipe import Line, PipeConnection, PipeTransport, pipe
from timbot.testing.stuck import Deadlock, RunAway
from timbot.testing.world import Person, World

__all__ = [
    "EPOCH",
    "Deadlock",
    "Direction",
    "Faults",
    "Line",
    "Person",
    "PipeConnection",
    "PipeTransport",
    "Rule",
    "RunAway",
    "VirtualClock",
    "VirtualLoop",
    "World",
    "pipe",
    "run",
]
