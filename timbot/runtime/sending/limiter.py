"""No limits but the server's own: what it refuses is refused."""

from __future__ import annotations

from timbot.im.api.messages import OutgoingMessage


class Unlimited:
    """See `Limiter`."""

    async def admit(self, message: OutgoingMessage) -> None:
        """At once."""

    def back_off(self, message: OutgoingMessage, code: int) -> float | None:
        """Every refusal is final."""
        return None
