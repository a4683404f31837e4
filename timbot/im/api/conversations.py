"""The conversation list, as far as catching up needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from timbot.im.api.base import Api
from timbot.im.wire.commands import contacts
from timbot.im.wire.value import given

MAX_PAGES: Final = 1000
LIST_CAP: Final = 100
"""Conversations the server's list holds (the vendor's limit; more on its top plan)."""


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The last message of a C2C conversation; `incoming`: the other one wrote it. `time` in Unix seconds."""

    peer: str
    incoming: bool
    sequence: int
    random: int
    time: int


class ConversationsApi(Api):
    """Looks at `getConversationList`'s command."""

    async def _last_c2c_messages(self) -> tuple[list[LastMessage], bool]:
        """The last messages of the C2C conversations in the list, and whether the list is full: then there may be more."""
        found: list[LastMessage] = []
        listed = 0
        answer = contacts.PageAnswer(time_stamp=0, start_index=0, top_time_stamp=0, top_start_index=0)
        for _ in range(MAX_PAGES):
            request = contacts.PageRequest(
                from_account=self.user_id,
                time_stamp=answer.time_stamp,
                start_index=answer.start_index,
                top_time_stamp=answer.top_time_stamp,
                top_start_index=answer.top_start_index,
                order_type=1,
                msg_assist_flags=4,
                assist_flags=7,
            )
            answer = await self._session.request(contacts.PAGE, request)
            items = given(answer.session_item, [])
            listed += len(items)
            found.extend(_last_message(item) for item in items if item.type == contacts.C2C)
            if given(answer.complete_flag, 1) == 1:
                break
        return found, listed >= LIST_CAP


def _last_message(item: contacts.Session) -> LastMessage:
    peer = given(item.to_account, "")
    incoming = given(item.last_c2c_msg_from_account, "") == peer
    return LastMessage(peer, incoming, given(item.msg_seq, 0), given(item.msg_random, 0), given(item.msg_time_stamp, 0))
