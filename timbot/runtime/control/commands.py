"""What an operator can have done to journals: look at dead letters, try or drop them, see what nobody knows, forget a person.

The same commands serve a running bot, through its socket, and a stopped one, on its journal under the folder's lock.
What people wrote is told only where it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final, Protocol

import msgspec

from timbot.redaction import clean
from timbot.runtime.control.protocol import ControlError
from timbot.runtime.control.registry import Registry
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.values import DeadLetter, KeptEvent, KeptSend, KeptStep, SendState

LONGEST_TEXT: Final = 16 << 10
"""Characters of a body, a result or a detail that are told of one letter."""

LONGEST_LISTED: Final = 500
"""The same in a list."""

_STATES: Final = {
    SendState.OPEN: "not settled",
    SendState.SENT: "sent",
    SendState.REFUSED: "refused",
    SendState.UNKNOWN: "unknown",
    SendState.DROPPED: "not sent on purpose",
}


class Desk(Protocol):
    """An account's journal, and what its runtime has to do when a command changes it."""

    @property
    def account(self) -> str:
        """The account's user ID."""
        ...

    @property
    def journal(self) -> Journal:
        """Its journal."""
        ...

    async def revived(self, event: KeptEvent) -> None:
        """A dead letter is open again: it goes behind what waits in its lane."""
        ...

    async def let_go(self, user_id: str) -> None:
        """A person is about to be forgotten: give up handlers that run or wait for them, and what is held in memory."""
        ...


class StoppedDesk:
    """The `Desk` of an account that does not run: its next start finds what was changed."""

    def __init__(self, account: str, journal: Journal) -> None:
        self.account = account
        self.journal = journal

    async def revived(self, event: KeptEvent) -> None:
        """Nothing to do."""

    async def let_go(self, user_id: str) -> None:
        """Nothing to do."""


# What commands take and give


class Page(msgspec.Struct, frozen=True):
    """Which part of a list: of one account or, where it is empty, of all; numbers above `after`, at most `limit` each."""

    account: str = ""
    after: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    texts: bool = False


class Which(msgspec.Struct, frozen=True):
    """Dead letters, by their numbers, which are unique in a state folder."""

    numbers: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)], ...], msgspec.Meta(min_length=1, max_length=1000)
    ]
    account: str = ""
    texts: bool = False


class Whom(msgspec.Struct, frozen=True):
    """A person."""

    user_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    account: str = ""


class Nothing(msgspec.Struct, frozen=True):
    """No arguments."""


class Letter(msgspec.Struct, frozen=True):
    """A dead letter. Times are Unix seconds; `body` and the whole of `detail` are there only where texts were asked for."""

    account: str
    number: int
    conversation: str
    kind: str
    time: float
    died: float
    reason: str
    detail: str
    body: str | None = None


class Letters(msgspec.Struct, frozen=True):
    """Dead letters, in order; `more` where the limit has cut some off."""

    letters: tuple[Letter, ...]
    more: bool


class Step(msgspec.Struct, frozen=True):
    """What a handler had done already. `result` only where texts were asked for."""

    handler: str
    slot: str
    kind: str
    target: str
    name: str
    refused: bool
    result: str | None = None


class Sent(msgspec.Struct, frozen=True):
    """A message and what became of it."""

    account: str
    number: int
    by: str
    target: str
    state: str
    intended: float
    body: str | None = None


class Shown(msgspec.Struct, frozen=True):
    """A dead letter, with what its handlers had done before."""

    letter: Letter
    steps: tuple[Step, ...]
    messages: tuple[Sent, ...]


class Messages(msgspec.Struct, frozen=True):
    """Messages, in order; `more` where the limit has cut some off."""

    messages: tuple[Sent, ...]
    more: bool


class Changed(msgspec.Struct, frozen=True):
    """Which dead letters were changed, and which were not there."""

    done: tuple[int, ...]
    missing: tuple[int, ...]


class Forgotten(msgspec.Struct, frozen=True):
    """How many rows are gone, by account."""

    rows: dict[str, int]


class Status(msgspec.Struct, frozen=True):
    """How the bot is. `health` is what /healthz answers, `journals` what each account's journal counts."""

    process: int
    health: dict[str, object]
    journals: dict[str, dict[str, int]]


class Commands:
    """The commands over some desks, which may come and go."""

    def __init__(self, desks: Callable[[], Sequence[Desk]], health: Callable[[], dict[str, object]] = dict) -> None:
        self._all = desks
        self._health = health

    def register(self, registry: Registry) -> None:
        """Add them all."""
        registry.add("status", Nothing, self.status)
        registry.add("dlq.list", Page, self.letters)
        registry.add("dlq.show", Which, self.show)
        registry.add("dlq.retry", Which, self.retry)
        registry.add("dlq.drop", Which, self.drop)
        registry.add("outbox.unknown", Page, self.unknown)
        registry.add("forget", Whom, self.forget)

    async def status(self, _: Nothing) -> Status:
        """How everything is."""
        return Status(os.getpid(), self._health(), {desk.account: await desk.journal.counts() for desk in self._all()})

    async def letters(self, page: Page) -> Letters:
        """Dead letters."""
        found: list[Letter] = []
        more = False
        for desk in self._desks(page.account):
            letters = await desk.journal.dead_letters(after=page.after, limit=page.limit + 1)
            more = more or len(letters) > page.limit
            found += [_letter(desk.account, letter, page.texts, LONGEST_LISTED) for letter in letters[: page.limit]]
        return Letters(tuple(sorted(found, key=lambda letter: letter.number)), more)

    async def show(self, which: Which) -> Shown:
        """One dead letter, the first that was asked for."""
        number = which.numbers[0]
        for desk in self._desks(which.account):
            letter = await _find(desk, number)
            if letter is not None:
                steps, sends = await desk.journal.steps(number)
                return Shown(
                    _letter(desk.account, letter, which.texts),
                    tuple(_step(step, which.texts) for step in steps),
                    tuple(_sent(desk.account, send, which.texts) for send in sends),
                )
        raise ControlError(f"There is no dead letter {number}.", hint="'timbot dlq list' shows which there are.")

    async def retry(self, which: Which) -> Changed:
        """Dead letters are open events again."""

        async def revive(desk: Desk, number: int) -> bool:
            event = await desk.journal.revive(number)
            if event is not None:
                await desk.revived(event)
            return event is not None

        return await self._change(which, revive)

    async def drop(self, which: Which) -> Changed:
        """Dead letters are gone for good."""
        return await self._change(which, lambda desk, number: desk.journal.drop(number))

    async def unknown(self, page: Page) -> Messages:
        """Messages of which nobody can tell whether they were sent."""
        found: list[Sent] = []
        more = False
        for desk in self._desks(page.account):
            sends = await desk.journal.unknown_sends(after=page.after, limit=page.limit + 1)
            more = more or len(sends) > page.limit
            found += [_sent(desk.account, send, page.texts, LONGEST_LISTED) for send in sends[: page.limit]]
        return Messages(tuple(sorted(found, key=lambda sent: sent.number)), more)

    async def forget(self, whom: Whom) -> Forgotten:
        """Remove a person from the journals."""
        rows = {}
        for desk in self._desks(whom.account):
            await desk.let_go(whom.user_id)
            rows[desk.account] = await desk.journal.forget(whom.user_id)
        return Forgotten(rows)

    async def _change(self, which: Which, change: Callable[[Desk, int], Awaitable[bool]]) -> Changed:
        done, missing = [], []
        desks = self._desks(which.account)
        for number in dict.fromkeys(which.numbers):
            for desk in desks:
                if await change(desk, number):
                    done.append(number)
                    break
            else:
                missing.append(number)
        return Changed(tuple(done), tuple(missing))

    def _desks(self, account: str) -> list[Desk]:
        desks = list(self._all())
        chosen = [desk for desk in desks if account in ("", desk.account, desk.account.rpartition("/")[2])]
        if account and not chosen:
            known = ", ".join(desk.account for desk in desks) or "none"
            raise ControlError(f"There is no account '{account[:128]}' here.", hint=f"There is {known}.")
        return chosen


async def _find(desk: Desk, number: int) -> DeadLetter | None:
    found = await desk.journal.dead_letters(after=number - 1, limit=1)
    return found[0] if found and found[0].number == number else None


def _letter(account: str, letter: DeadLetter, texts: bool, longest: int = LONGEST_TEXT) -> Letter:
    return Letter(
        account,
        letter.number,
        letter.lane,
        letter.kind,
        letter.time,
        letter.died,
        clean(letter.reason),
        clean(letter.detail if texts else _without_words(letter.detail))[:longest],
        _text(letter.body, longest) if texts else None,
    )


def _without_words(detail: str) -> str:
    """What comes before the first colon: the type of an exception, and nothing of what it says, which may be a person's."""
    head, colon, _ = detail.partition(": ")
    return f"{head}: ..." if colon else head


def _step(step: KeptStep, texts: bool) -> Step:
    result = _text(step.result, LONGEST_TEXT) if texts else None
    return Step(step.id.handler, step.id.slot, step.kind, step.target, step.name, step.refused, result)


def _sent(account: str, send: KeptSend, texts: bool, longest: int = LONGEST_TEXT) -> Sent:
    by = send.plugin if send.step is None else send.step.handler
    body = _text(send.body, longest) if texts else None
    return Sent(account, send.number, by, send.target, _STATES[send.state], send.intended, body)


def _text(data: bytes, longest: int) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.hex()
    return clean(text)[:longest]  # cleaned before it is cut: half a secret is one too
