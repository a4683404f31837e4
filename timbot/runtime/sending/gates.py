"""`@bot.before_send`: whether the bot may say something, asked at the moment of sending."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from timbot.im.api.messages import OutgoingMessage
from timbot.runtime.sending.outbox import Gate

if TYPE_CHECKING:
    from timbot.runtime.enabled import Enabled


def gate_of(plugins: Sequence[Enabled]) -> Gate | None:
    """All gates of these plugins as one: each has to let a message through. None if there are none."""
    gates = [gate for enabled in plugins for gate in enabled.plugin.gates]
    if not gates:
        return None

    async def gate(message: OutgoingMessage) -> bool:
        for each in gates:
            if not await each(message):
                return False
        return True

    return gate
