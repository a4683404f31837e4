"""Whether a message was sent, when its answer was lost or the process died: the server's history knows.

Found means done. Absent twice, the second time at least 15 s after the loss, means that it may be sent again under the same
identity. Where there is no history to read the outcome stays unknown, and is never guessed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from timbot.errors import NotLoggedIn, OutcomeUnknown, RequestTimeout, ServerError
from timbot.im.api.messages import OutgoingMessage
from timbot.im.client import Client
from timbot.im.model.message import ConversationType, Message

if TYPE_CHECKING:
    from timbot.runtime.log import Log

SECOND_LOOK: Final = 15.0
"""Seconds after a loss before history is believed that the message is not there."""

DEDUPLICATED: Final = 280.0
"""Seconds after a loss in which a group still drops a second message under the same random: five minutes, less one answer."""

MOST_LOOKS: Final = 20
"""How often history is asked for that does not answer."""


class Settlement:
    """Looks for the messages of one account."""

    def __init__(self, client: Client, log: Log) -> None:
        self._client = client
        self._log = log

    async def settle(self, message: OutgoingMessage, unknown: OutcomeUnknown, *, lost: float = 0.0) -> Message | None:
        """The message, if the server has it; None if it has not, and it may be sent again.

        `lost`: when the answer was lost, by the loop's clock; 0: now. Raises `OutcomeUnknown` where nobody can tell.
        """
        self._log.info("answer lost, looking into history", conversation=message.conversation_id, cause=str(unknown))
        lost_at = lost or asyncio.get_running_loop().time()
        found = await self._look(message, unknown, lost_at)
        if found is None:
            await asyncio.sleep(max(0.0, lost_at + SECOND_LOOK - asyncio.get_running_loop().time()))
            found = await self._look(message, unknown, lost_at)
        self._log.info("settled", conversation=message.conversation_id, outcome="was sent" if found else "sending again")
        return found

    async def _look(self, message: OutgoingMessage, unknown: OutcomeUnknown, lost_at: float) -> Message | None:
        for _ in range(MOST_LOOKS):
            try:
                return await self._client.find_sent(message, unknown.sent_at)
            except RequestTimeout:
                continue
            except ServerError:
                return await self._without_history(message, unknown, lost_at)
            except NotLoggedIn:
                raise  # nothing is given up: whoever comes back looks again
        raise unknown

    async def _without_history(self, message: OutgoingMessage, unknown: OutcomeUnknown, lost_at: float) -> Message:
        """A live room keeps no history, but knows a message by its random for five minutes: saying it again is safe."""
        if message.conversation_type is not ConversationType.GROUP:
            raise unknown
        try:
            async with asyncio.timeout_at(lost_at + DEDUPLICATED):
                while True:
                    try:
                        return await self._client.send_message(message)
                    except OutcomeUnknown:
                        continue
        except (TimeoutError, ServerError) as error:
            raise unknown from error
