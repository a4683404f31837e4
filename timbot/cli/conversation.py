"""What `timbot chat` does: lines in, messages out, and the other way round."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from collections.abc import AsyncIterator
from typing import Final

import click

from timbot.errors import ConnectionLost, ImError, KickedOutError, LoginRefused, OutcomeUnknown, ServerError, TimbotError
from timbot.im.client import Client
from timbot.im.model import events as model
from timbot.im.model.group import JoinStatus
from timbot.im.model.message import ConversationType, Message
from timbot.im.model.payloads import Custom, Face, Location, Payload, Text

LOGIN_PATIENCE: Final = 5.0
"""Seconds in which a server must have answered; it is on this machine or the network is at fault."""

ANSWER_PATIENCE: Final = 1.5
"""Seconds a line from a file waits for its answer before the next is sent."""

NOT_A_MEMBER: Final = 10007

HELP: Final = """\
:friend [words]        ask the bot to be friends
:join GROUP [words]    apply to join a group
:group GROUP           talk in a group (a text there mentions the bot); ':group' alone: back to the bot
:dice                  send a dice card (a custom message)
:quit                  leave (or Ctrl-D)"""


class Conversation:
    """One person's talk with `peer`, until the input ends. `address`: where the server is, in words for people."""

    def __init__(self, client: Client, peer: str, *, address: str) -> None:
        self._client = client
        self._peer = peer
        self._address = address
        self._group = ""
        self._tty = sys.stdin.isatty() and sys.stdout.isatty()
        self._heard = asyncio.Event()
        self._asking = False
        """Whether the prompt stands in the last line."""
        self._failed = False

    async def run(self) -> bool:
        """Log in, talk, log out; whether everything that was asked for was done. Raises what a login raises."""
        await self._log_in()
        listener = asyncio.create_task(self._listen(), name="chat: listener")
        talker = asyncio.create_task(self._talk(), name="chat: talker")
        try:
            await asyncio.wait({listener, talker}, return_when=asyncio.FIRST_COMPLETED)
            if talker.done():
                talker.result()
            elif self._client.error is not None:
                raise _why(self._client.error, self._client.user_id)
        finally:
            talker.cancel()
            await asyncio.gather(talker, return_exceptions=True)
            await self._client.logout()
            await asyncio.gather(listener, return_exceptions=True)
            if self._asking:
                click.echo()  # what comes next, begins a line
        return not self._failed

    async def _log_in(self) -> None:
        try:
            async with asyncio.timeout(LOGIN_PATIENCE):
                await self._client.login()
        except TimeoutError:
            raise ConnectionLost(
                f"No server answers at {self._address}.",
                hint="Start one first: make run, or timbot sandbox. One on another port: --url ws://127.0.0.1:PORT.",
            ) from None
        if self._tty:
            self._show(f"You are {self._client.user_id} and talk to {self._peer}. ':help' for more, ':quit' to leave.")

    async def _talk(self) -> None:
        lines = _lines()
        self._ask()
        async for line in lines:
            self._asking = False
            text = line.strip()
            if text == ":quit":
                return
            if text:
                await self._take(text)
            self._ask()

    async def _take(self, text: str) -> None:
        self._heard.clear()
        try:
            await self._do(text)
        except TimbotError as error:
            self._refuse(self._trouble(text, error))
            return
        if not self._tty:
            await self._wait_for_answer()

    async def _wait_for_answer(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_PATIENCE):
                await self._heard.wait()
        except TimeoutError:
            return

    async def _do(self, text: str) -> None:
        verb, _, rest = text.partition(" ")
        rest = rest.strip()
        match verb:
            case ":help":
                self._show(HELP)
            case ":friend":
                done = await self._client.add_friend(self._peer, wording=rest)
                self._show("You are friends now." if done else f"Asked: it waits for an answer of {self._peer}.")
            case ":join":
                group, _, wording = rest.partition(" ")
                if not group:
                    self._refuse("Which group? :join GROUP [words]")
                    return
                status = await self._client.join_group(group, apply_message=wording.strip())
                self._show(f"{group}: {_JOINED[status]}")
            case ":group":
                self._group = rest
                self._show(f"Talking in {rest}." if rest else f"Talking to {self._peer}.")
            case ":dice":
                await self._send(Custom(data="dice"))
            case _ if verb.startswith(":") and len(verb) > 1 and verb[1].isalpha():
                self._refuse(f"There is no {verb}. ':help' lists what there is.")
            case _:
                await self._send(Text(text))

    def _trouble(self, text: str, error: TimbotError) -> str:
        """What went wrong, without the names that commands have on the wire."""
        match text.split():
            case [":friend", *_]:
                what = f"Your friend request to {self._peer}"
            case [":join", group, *_]:
                what = f"Your request to join {group}"
            case _:
                what = "Your message"
        match error:
            case LoginRefused():
                return str(error)
            case ServerError() if error.code == NOT_A_MEMBER and self._group and what == "Your message":
                return f"You are no member of {self._group}: ':join {self._group} some words' asks to be let in."
            case ServerError():
                return f"{what} was refused: {error.info or 'the server does not say why'} ({error.code})."
            case OutcomeUnknown():
                return f"{what} may have arrived or not: the connection was lost before the answer came."
        return str(error)

    async def _send(self, payload: Payload) -> None:
        client = self._client
        if self._group and isinstance(payload, Text) and not payload.text.startswith("/"):
            message = client.create_text_at_message(self._group, f"@{self._peer} {payload.text}", [self._peer])
        elif self._group:
            message = client.create_message(self._group, ConversationType.GROUP, payload)
        else:
            message = client.create_message(self._peer, ConversationType.C2C, payload)
        await client.send_message(message)

    async def _listen(self) -> None:
        async for event in self._client.events():
            line = _describe(event)
            if line:
                self._show(line)
            if isinstance(event, model.MessageReceived):
                self._heard.set()

    def _refuse(self, why: str) -> None:
        """Say that a line came to nothing."""
        self._failed = True
        said = f"! {why}"
        self._show(click.style(said, fg="red") if self._tty else said)

    def _show(self, line: str) -> None:
        """Print a line; above the prompt, if that is there."""
        if self._asking:
            click.echo(f"\r\033[K{line}")
            self._ask()
        else:
            click.echo(line)

    def _ask(self) -> None:
        if self._tty:
            self._asking = True
            click.echo(click.style(f"{self._client.user_id}> ", dim=True), nl=False)


_JOINED: Final = {
    JoinStatus.SUCCESS: "you are a member now",
    JoinStatus.WAIT_APPROVAL: "waits for an admin",
    JoinStatus.ALREADY_IN_GROUP: "you are a member already",
}


def _describe(event: model.Event) -> str:
    match event:
        case model.MessageReceived(message=message):
            return f"{_where(message)}{message.name_card or message.nick or message.from_}: {_said(message.payload)}"
        case model.MessageRevoked():
            return f"({event.from_} took a message back)"
        case model.RelationsChanged(change=model.RelationChange.FRIENDS_ADDED):
            return f"(friends with {', '.join(event.user_ids)})"
        case model.GroupNotice():
            what = event.type.name.lower().replace("_", " ")
            return f"({event.group_name or event.group_id}: {what}{f': {event.text}' if event.text else ''})"
        case model.MemberJoined():
            return f"({', '.join(event.user_ids)} joined {event.group_name or event.group_id})"
        case model.Ready(again=True):
            return "(connected again)"
        case model.NetStateChanged(state=model.NetState.CONNECTING, retry_in=0):
            return "(the server has forgotten this login, as it does when it starts again: logging in anew)"
        case model.NetStateChanged(state=model.NetState.CONNECTING):
            return f"(disconnected: {event.cause} Trying again in {event.retry_in:.1f} s.)"
    return ""


def _why(error: ImError, user: str) -> ImError:
    """Why the talk is over, for somebody at a terminal: for a person the cure of a kick is another than for a bot."""
    if not isinstance(error, KickedOutError):
        return error
    other = "alice" if user == "bob" else "bob"
    return KickedOutError(
        error.kind,
        f"Somebody else has logged in as {user}, perhaps the chat page in a browser: only one of you can be {user}.",
        hint=f"Be somebody else: timbot chat --as {other}. Or let the page be somebody else.",
    )


def _where(message: Message) -> str:
    return f"[{message.to}] " if message.conversation_type is ConversationType.GROUP else ""


def _said(payload: Payload) -> str:
    match payload:
        case Text():
            return payload.text
        case Custom(data="dice"):
            return f"🎲 {payload.description}"
        case Custom():
            return f"[custom {payload.data}] {payload.description}"
        case Face():
            return f"[face {payload.index}]"
        case Location():
            return f"[place {payload.latitude}, {payload.longitude}] {payload.description}"
    return f"[{type(payload).__name__.lower()}]"


async def _lines() -> AsyncIterator[str]:
    """The lines of standard input. A thread of its own reads them, so that leaving never waits for one more."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # a byte that is no text would end the thread, and nobody would hear of it

    def read() -> None:
        try:
            for line in sys.stdin:
                loop.call_soon_threadsafe(queue.put_nowait, line)
            loop.call_soon_threadsafe(queue.put_nowait, None)
        except RuntimeError:
            return  # the loop has ended meanwhile

    threading.Thread(target=read, name="standard input", daemon=True).start()
    while (line := await queue.get()) is not None:
        yield line
