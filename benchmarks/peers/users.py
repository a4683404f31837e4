"""What the users do in each case, inside the framework's process, and what they saw of it (printed as one line of JSON)."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from benchmarks.peers.far_end import FarEnd

DIALOGUES: Final = 20
OTHERS: Final = 20
FLOOD: Final = 20_000
FLOOD_SECONDS: Final = 20.0
WAITING: Final = 6
INBOX: Final = 100
ALICE: Final = 50


async def dialogue(far: FarEnd) -> None:
    """Case 1: asked for a name, each user sends the name and the answer to the next question at once."""
    await asyncio.gather(*(_two_quick_answers(far, 100 + index) for index in range(DIALOGUES)))
    await _quiet(far, 3.0)
    outcomes = Counter(_outcome([sent.text for sent in far.sent if sent.user == 100 + index]) for index in range(DIALOGUES))
    example = [sent.text for sent in far.sent if sent.user == 100]
    _tell(dialogues=DIALOGUES, example=example, **outcomes)


async def slow(far: FarEnd) -> None:
    """Case 2: alice sends three messages (2 s, 0.5 s, 0 s of work), then twenty others one each that needs no work."""
    for seconds, label in (("2", "1"), ("0.5", "2"), ("0", "3")):
        far.say(ALICE, f"work {seconds} {label}")
    others = [far.say(100 + index, "work 0 0") for index in range(OTHERS)]
    await _until(lambda: len(far.sent) >= OTHERS + 3, 10.0)
    at = {sent.user: sent.at for sent in far.sent}
    waits = [at[said.user] - said.at for said in others if said.user in at]
    order = [sent.text.removeprefix("done ") for sent in far.sent if sent.user == ALICE]
    _tell(longest_wait=round(max(waits), 3) if waits else None, unanswered=OTHERS - len(waits), order=order)


async def flood(far: FarEnd) -> None:
    """Case 3: 20,000 users send a message each, as fast as it is read, for a handler that takes 2 s and then sends."""
    far.keep_sent = False
    ours = len(asyncio.all_tasks())
    memory = _resident()
    begin = last = time.monotonic()
    tasks, grown, stalled, read = 0, 0.0, 0.0, None
    far.flood(FLOOD)
    while far.sent_count < FLOOD and last - begin < FLOOD_SECONDS:
        await asyncio.sleep(0.05)
        now = time.monotonic()
        stalled = max(stalled, now - last - 0.05)
        if read is None and not far.unread:
            read = now - begin
        tasks = max(tasks, len(asyncio.all_tasks()) - ours)
        grown = max(grown, _resident() - memory)
        last = time.monotonic()
    _tell(
        seconds=round(last - begin, 1),
        answered=far.sent_count,
        read=far.taken_count,
        read_seconds=None if read is None else round(read, 1),
        tasks=tasks,
        megabytes=round(grown, 1),
        stalled=round(stalled, 2),
        late=round(far.waited_longest(), 2),
    )


async def stop(far: FarEnd) -> None:
    """Case 4: six users send a message each for a handler that takes 2 s; SIGTERM comes from outside."""
    for index in range(WAITING):
        far.say(100 + index, f"work 2 {index}")
    await asyncio.sleep(120)


async def inbox(far: FarEnd) -> None:
    """Case 5: a hundred users send a message each for a handler that takes 2 s; kill -9 comes from outside."""
    for index in range(INBOX):
        far.say(100 + index, f"work 2 {index}")
    await asyncio.sleep(120)


async def again(far: FarEnd) -> None:
    """After a restart: whatever the server still has is delivered; nobody says anything new."""
    await _quiet(far, 3.0)


SCENARIOS: Final = {"dialogue": dialogue, "slow": slow, "flood": flood, "stop": stop, "inbox": inbox, "again": again}


async def _two_quick_answers(far: FarEnd, user: int) -> None:
    far.say(user, "start")
    await _until(lambda: any(sent.user == user and sent.text == "name?" for sent in far.sent), 10.0)
    await asyncio.sleep(0.2)  # the person reads the question
    far.say(user, "Ann")
    far.say(user, "42")


def _outcome(texts: list[str]) -> str:
    """What became of the two answers, from what the bot said."""
    if "Ann, 42" in texts:
        return "right"
    if any(text.endswith(", 42") or text.startswith("42, ") for text in texts) or texts.count("age?") > 1:
        return "wrong_step"
    return "lost" if "age?" in texts else "no_dialogue"


def _resident() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:  # noqa: ASYNC110 - what is looked at has no event of its own
        await asyncio.sleep(0.005)


async def _quiet(far: FarEnd, seconds: float) -> None:
    """Wait until nothing was sent or begun for so long."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < seconds:
        if far.sent_count != seen or far.running:
            seen, since = far.sent_count, time.monotonic()
        await asyncio.sleep(0.05)


def _tell(**facts: object) -> None:
    print(json.dumps(facts), flush=True)
