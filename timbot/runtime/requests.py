"""Answers to requests: friend applications and applications to join a group.

Several admins, or several bots, may answer the same request: whoever comes second finds it done, and that is an outcome,
not an error.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from timbot.errors import ImError, OutcomeUnknown, ServerError
from timbot.im.client import Client
from timbot.im.model.events import GroupApplication
from timbot.im.model.payloads import Text
from timbot.im.model.people import FriendApplication
from timbot.routing.replies import Accept, Reject
from timbot.runtime.activity import Ending
from timbot.runtime.log import preview

MOST_TRIES: Final = 5


class Outcome(Enum):
    """What became of an answer."""

    DONE = "done"
    DONE_BY_OTHER = "done by somebody else"
    GONE = "gone"


_GROUP_OUTCOMES: Final = {
    10024: Outcome.DONE_BY_OTHER,
    10013: Outcome.DONE_BY_OTHER,
    10010: Outcome.GONE,
    10015: Outcome.GONE,
    10004: Outcome.GONE,
}
_FRIEND_OUTCOMES: Final = {30614: Outcome.GONE, 30003: Outcome.GONE}


def ending(answer: Accept | Reject, outcome: Outcome, *, friend: bool) -> Ending:
    """What came of an answer; for people with what it says to whoever asked."""
    kind = type(answer).__name__.lower()
    if outcome is Outcome.DONE:
        words = _said(answer, friend=friend)
    elif outcome is Outcome.DONE_BY_OTHER:
        words = "done by another admin"
    else:
        words = "gone: there was nothing left to answer"
    return Ending(f"{kind}: {outcome.value}", words)


def _said(answer: Accept | Reject, *, friend: bool) -> str:
    if isinstance(answer, Reject):  # whoever wants to be friends is told no reason
        return f"refused: {_quoted(answer.reason)}" if answer.reason and not friend else "refused"
    name, text = ("remark", answer.remark) if friend else ("message", answer.message)
    return f"accepted, {name} {_quoted(text)}" if text else "accepted"


def _quoted(text: str) -> str:
    return preview(Text(text), texts=True)


async def answer_friend(client: Client, application: FriendApplication, answer: Accept | Reject) -> Outcome:
    """Accept or refuse. An answer that was lost is looked up among the open applications. Raises `ServerError`."""
    for _ in range(MOST_TRIES):
        try:
            if isinstance(answer, Accept):
                await client.accept_friend_application(application.user_id, remark=answer.remark)
            else:
                await client.refuse_friend_application(application.user_id)
            return Outcome.DONE
        except OutcomeUnknown:
            open_ones = (await client.get_friend_application_list()).applications
            if not any(item.incoming and item.user_id == application.user_id for item in open_ones):
                return Outcome.DONE
        except ServerError as error:
            outcome = _FRIEND_OUTCOMES.get(error.code)
            if outcome is None:
                raise
            return outcome
    raise OutcomeUnknown("friend_response", cause=f"lost {MOST_TRIES} times")


async def answer_group(client: Client, application: GroupApplication, answer: Accept | Reject) -> Outcome:
    """Admit or refuse. An answer that was lost is given again: the second one finds it done. Raises `ServerError`."""
    lost = False
    for _ in range(MOST_TRIES):
        try:
            agree = isinstance(answer, Accept)
            text = answer.message if isinstance(answer, Accept) else answer.reason
            await client.handle_group_application(application, agree=agree, handle_message=text)
            return Outcome.DONE
        except OutcomeUnknown:
            lost = True
        except ServerError as error:
            outcome = _GROUP_OUTCOMES.get(error.code)
            if outcome is None:
                raise
            await _tidy(client, application)
            return Outcome.DONE if lost and outcome is Outcome.DONE_BY_OTHER else outcome
    raise OutcomeUnknown("handle_apply_join_group", cause=f"lost {MOST_TRIES} times")


async def _tidy(client: Client, application: GroupApplication) -> None:
    try:
        await client.forget_group_notice(application)
    except ImError:
        return  # it will come again at the next login and be found done again
