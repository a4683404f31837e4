"""What the session needs of a network: a connection that carries whole frames, and something that opens one.

The real one speaks WebSocket; the tests hand in an in-memory pair with injected faults. Both raise `ConnectionLost`
and nothing else when the peer is gone.
"""

from __future__ import annotations

from typing import Protocol


class Connection(Protocol):
    """One open socket, frames in both directions. One reader at a time; any number of senders."""

    async def send(self, frame: bytes) -> None:
        """Send one frame. Returns when it is handed over, not when it has arrived. Raises `ConnectionLost`."""
        ...

    async def receive(self) -> bytes:
        """Wait for the next frame. Raises `ConnectionLost` when there will be none; frames already in are given first."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close from this side. Idempotent; never raises."""
        ...


class Transport(Protocol):
    """Opens connections."""

    async def connect(self, url: str) -> Connection:
        """Open a WebSocket to `url`. Raises `ConnectionLost` when that fails, with the cause in its message."""
        ...
