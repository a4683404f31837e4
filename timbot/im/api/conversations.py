"""The conversation list, as far as catching up needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from timbot.im.api.base import Api
from timbot.im.wire.commands import contacts
from timbot.im.wire.value import given

MAX_PAGES: Final = 1000


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The last message of a C2C conversation, if the other one wrote it. `time` in Unix seconds."""

    peer: str
    sequence: int
    random: int
    time: int


class ConversationsApi(Api):
    """Looks at `getConversationList`'s command."""

    async def _last_c2c_messages(self) -> list[LastMessage]:
        """The last messages of the C2C conversations in the list (at most 100) that others wrote."""
        found: list[LastMessage] = []
        request = contacts.PageRequest(
            from_account=self.user_id,
            time_stamp=0,
            start_index=0,
            top_time_stamp=0,
            top_start_index=0,
            order_type=1,
            msg_assist_flags=4,
            assist_flags=7,
        )
        for _ in range(MAX_PAGES):
            answer = await self._session.request(contacts.PAGE, request)
            for item in given(answer.session_item, []):
                peer = given(item.to_account, "")
                if item.type == contacts.C2C and given(item.last_c2c_msg_from_account, "") == peer:
                    place = (given(item.msg_seq, 0), given(item.msg_random, 0), given(item.msg_time_stamp, 0))
                    found.append(LastMessage(peer, *place))
            if given(answer.complete_flag, 1) == 1:
                break
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
        return found
