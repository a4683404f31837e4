"""What is said to whoever was just let in."""

from __future__ import annotations

import asyncio
from typing import Final

from timbot.errors import ServerError
from timbot.im.model.message import Message
from timbot.routing.replies import Replies
from timbot.runtime.sender import Sender

NOT_YET_FRIENDS: Final = (20009, 20010, 20011)
"""The server may need a moment to know of a friendship it has just confirmed."""

PATIENCE: Final = 10.0
PAUSE: Final = 1.0


async def welcome(out: Sender, conversation_id: str, words: Replies, where: str, said: list[Message]) -> list[Message]:
    """Say it; where the new friend is not known as one yet, again for ten seconds. As `Sender.answer` does."""
    until = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            return await out.answer(conversation_id, words, where, said)
        except ServerError as error:
            if error.code not in NOT_YET_FRIENDS or asyncio.get_running_loop().time() >= until:
                raise
            await asyncio.sleep(PAUSE)
