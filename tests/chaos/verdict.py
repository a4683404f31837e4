"""The judge: what people said and what the bot said, as the server's own store has it, and nothing else.

One turn of a lane follows the other, so what the bot has to say in a conversation follows from what people said there, word
for word and in order. Whatever differs is a finding.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tests.chaos.plan import BOT, Kind


class Fault(StrEnum):
    """What can be wrong."""

    LOST = "lost"
    """The bot never said it."""
    DOUBLED = "doubled"
    """It said it more than once."""
    DISORDERED = "out of order"
    """It said it before something that had to come first."""
    UNKNOWN = "unknown"
    """It never said it, and says itself that it cannot tell. Every conversation here has a history, so it could have."""
    STRANGE = "strange"
    """It said what nobody asked for."""
    EFFECT_LOST = "effect lost"
    """What the handler does outside was never done."""
    EFFECT_DOUBLED = "effect doubled"
    """Done twice by one process: no death can be the reason."""
    EFFECT_KEY = "effect key changed"
    """Done again under another key, so that the other side cannot notice."""
    UNSAID = "not sent by people"
    """The script says it, and the server never had it: the harness is at fault, or the bot never asked its question."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as the server keeps it. `time`: Unix seconds."""

    sender: str
    text: str
    time: int


@dataclass(frozen=True, slots=True)
class Effect:
    """One line of what handlers have done outside: for which message, under which key, by which process."""

    id: str
    key: str
    pid: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong. `id`: the message that caused it, `time`: when the server had that."""

    fault: Fault
    conversation: str
    id: str
    text: str
    time: int
    detail: str = ""


@dataclass(slots=True)
class Verdict:
    """Everything that is wrong, and how much was looked at."""

    said: int = 0
    """Messages of people."""
    expected: int = 0
    """What the bot had to say."""
    found: int = 0
    """What it said."""
    effects: int = 0
    effects_repeated: int = 0
    """Effects that were done again after a death, under the same key: allowed, the other side can tell."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Nothing is wrong."""
        return not self.findings

    def count(self, fault: Fault) -> int:
        """How often."""
        return sum(finding.fault is fault for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Due:
    """What the bot has to say, because of a message."""

    text: str
    cause: Stored
    id: str


def due(stored: Iterable[Stored]) -> list[Due]:
    """What the bot has to say in a conversation, in order."""
    wanted: list[Due] = []
    asked: dict[str, str] = {}
    for message in stored:
        if message.sender == BOT:
            continue
        word, _, name = message.text.partition(" ")
        kind = Kind(word)
        if kind is Kind.TWO:
            texts = [f"re {name} a", f"re {name} b"]
        elif kind is Kind.ASK:
            asked[message.sender] = name
            texts = [f"? {name}"]
        elif kind is Kind.ANSWER:
            texts = [f"re {name} to {asked.pop(message.sender, 'nothing')}"]
        else:
            texts = [f"re {name}"]
        wanted += [Due(text, message, name) for text in texts]
    return wanted


def judge(
    store: Mapping[str, Sequence[Stored]],
    *,
    effects: Iterable[Effect] = (),
    unknown: Mapping[str, int] | None = None,
    scripted: Mapping[str, Sequence[str]] | None = None,
) -> Verdict:
    """The verdict on all conversations, by name. `unknown`: how many messages the bot cannot tell of, by conversation.
    `scripted`: what people were to write, by conversation."""
    verdict = Verdict()
    for name, stored in store.items():
        _judge_replies(verdict, name, stored, (unknown or {}).get(name, 0))
        written = {message.text for message in stored if message.sender != BOT}
        unsaid = [text for text in (scripted or {}).get(name, ()) if text not in written]
        verdict.findings += [Finding(Fault.UNSAID, name, text.partition(" ")[2], text, 0) for text in unsaid]
    _judge_effects(verdict, store, effects)
    return verdict


def _judge_replies(verdict: Verdict, name: str, stored: Sequence[Stored], unknown: int) -> None:
    wanted = due(stored)
    said = [message.text for message in stored if message.sender == BOT]
    times, first = Counter(said), {text: place for place, text in reversed(list(enumerate(said)))}
    verdict.said += len(stored) - len(said)
    verdict.expected += len(wanted)
    verdict.found += len(said)
    furthest, text_there = -1, ""
    for item in wanted:
        place = first.get(item.text)

        def found(fault: Fault, detail: str = "", item: Due = item) -> None:
            verdict.findings.append(Finding(fault, name, item.id, item.text, item.cause.time, detail))

        if place is None:
            found(Fault.UNKNOWN if unknown > 0 else Fault.LOST)
            unknown -= 1
            continue
        if times[item.text] > 1:
            found(Fault.DOUBLED, f"{times[item.text]} times")
        if place < furthest:
            found(Fault.DISORDERED, f"before '{text_there}'")
        else:
            furthest, text_there = place, item.text
    known = {item.text for item in wanted}
    strange = [message for message in stored if message.sender == BOT and message.text not in known]
    verdict.findings += [Finding(Fault.STRANGE, name, "", message.text, message.time) for message in strange]


def _judge_effects(verdict: Verdict, store: Mapping[str, Sequence[Stored]], effects: Iterable[Effect]) -> None:
    done: dict[str, list[Effect]] = defaultdict(list)
    for effect in effects:
        done[effect.id].append(effect)
    verdict.effects = len(done)
    for name, stored in store.items():
        for message in stored:
            word, _, cause = message.text.partition(" ")
            if message.sender == BOT or word != Kind.TWO:
                continue

            def found(fault: Fault, detail: str = "", cause: str = cause, message: Stored = message, name: str = name) -> None:
                verdict.findings.append(Finding(fault, name, cause, message.text, message.time, detail))

            runs = done[cause]
            verdict.effects_repeated += max(0, len(runs) - 1)
            if not runs:
                found(Fault.EFFECT_LOST)
            if len({run.key for run in runs}) > 1:
                found(Fault.EFFECT_KEY, ", ".join(sorted({run.key for run in runs})))
            if any(times > 1 for times in Counter(run.pid for run in runs).values()):
                found(Fault.EFFECT_DOUBLED)
