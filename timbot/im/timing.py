"""The clockwork of a session."""

from __future__ import annotations

from dataclasses import dataclass

from timbot.im.exchange import REQUEST_TIMEOUT


@dataclass(frozen=True, slots=True)
class Timing:
    """The clockwork, in seconds; the defaults are the SDK's where it has one."""

    request: float = REQUEST_TIMEOUT
    heartbeat: float = 10.0
    """Silence from the server after which a heartbeat is sent."""
    hello: float = 120.0
    """Between two `wshello`, unless the login answer says otherwise."""
    sync: float = 300.0
    """Between two looks for C2C messages that no push brought."""
    farewell: float = 5.0
    """How long a logout may take."""
    stable: float = 30.0
    """How long a connection must have held before the next break starts the back-off afresh."""
    give_up: float = 900.0
    """How long to go on trying without one stable connection."""
