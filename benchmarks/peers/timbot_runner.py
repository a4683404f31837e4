"""timbot in the same five cases: `python -m benchmarks.peers.timbot_runner CASE`, in the project's own environment.

It runs in a `World`: the real client and dispatcher against the real local server, in one process, on virtual time. So waits
are exact, memory includes what the server keeps, and only the figures that need real time are read from the real clock.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from typing import Final

import structlog

from benchmarks.peers.users import ALICE, FLOOD, OTHERS, WAITING
from timbot import Context, MessageReceived, Plugin, Text
from timbot.im.model.events import Event
from timbot.runtime.dispatcher import Options
from timbot.testing import World
from timbot.testing.loop import run

PORTION: Final = 100
"""Messages the server is given before the loop gets a turn, as the other frameworks' far end does."""

AHEAD: Final = 1000
"""Messages the server may have given out that the bot has not read: the far end of the others waits for ever, while the local
server closes a connection that leaves 2,000 frames unread."""

SECONDS: Final = 20.0
"""How long the flood is looked at, in virtual seconds, as with the others."""

NOT_YET: Final = {
    "dialogue": "timbot has no dialogues yet: `ctx.ask` is being built",
    "inbox": "timbot has no journal yet: what it is handling at a kill -9 is delivered again only by the server",
}


class Counting(World):
    """Counts what the bot has read."""

    read = 0

    def heard(self, account: str, event: Event) -> None:
        """Every event of the bot's client comes through here."""
        self.read += isinstance(event, MessageReceived)


def worker() -> Plugin:
    """What every handler does with 'work SECONDS LABEL'."""
    bot = Plugin("worker")

    @bot.on_text
    async def work(ctx: Context[Text]) -> str:
        _, seconds, label = ctx.text.split()
        await asyncio.sleep(float(seconds))
        return f"done {label}"

    return bot


async def slow() -> dict[str, object]:
    """Case 2, as in `users.slow`."""
    async with World(worker()) as world:
        alice = await world.user(str(ALICE))
        others = [await world.user(str(100 + index)) for index in range(OTHERS)]
        begin = world.clock.monotonic()
        for seconds, label in (("2", "1"), ("0.5", "2"), ("0", "3")):
            await alice.send(Text(f"work {seconds} {label}"))
        waits: list[float] = []
        for other in others:
            await other.send(Text("work 0 0"))
        for _ in range(2000):
            await asyncio.sleep(0.005)
            waits += [world.clock.monotonic() - begin] * (sum(bool(other.received()) for other in others) - len(waits))
            if len(waits) == OTHERS:
                break
        order = [text.removeprefix("done ") for text in await alice.answers() if isinstance(text, str)]
        return {"longest_wait": max(waits, default=None), "unanswered": OTHERS - len(waits), "order": order}


async def flood() -> dict[str, object]:
    """Case 3, as in `users.flood`; the server keeps 20,000 messages and answers in the same memory."""
    async with Counting(worker(), users=[f"u{number}" for number in range(FLOOD)], options=Options(loop_guard=0)) as world:
        await asyncio.sleep(1)
        send = world.sandbox.domain.chats.send
        ours, memory = len(asyncio.all_tasks()), _resident()
        virtual, last, tasks, grown, stalled = world.clock.monotonic(), time.monotonic(), 0, 0.0, 0.0
        end = virtual + SECONDS
        given = 0
        while world.clock.monotonic() < end and (given < FLOOD or world.bot.busy or world.bot.unsent):
            portion = PORTION if given < FLOOD and given - world.read < AHEAD else 0
            for number in range(given, given + portion):
                body = [{"MsgType": "TIMTextElem", "MsgContent": {"Text": f"work 2 {number}"}}]
                send(f"u{number}", world.bot_id, body, size=20, sequence=number + 1, random=number + 1)
            given += portion
            world.sandbox.flush()
            await asyncio.sleep(0.005)
            now = time.monotonic()
            stalled, last = max(stalled, now - last), now
            tasks, grown = max(tasks, len(asyncio.all_tasks()) - ours), max(grown, _resident() - memory)
        answered = sum(len(activity.said) for activity in world.activity)
        return {
            "seconds": round(world.clock.monotonic() - virtual, 1),
            "answered": answered,
            "read": world.read,
            "tasks": tasks,
            "megabytes": round(grown, 1),
            "with_server": True,
            "stalled": round(stalled, 2),
        }


async def stop() -> dict[str, object]:
    """Case 4: the account's own stop, which is what SIGTERM calls, half a second into the handlers."""
    async with World(worker()) as world:
        people = [await world.user(str(100 + index)) for index in range(WAITING)]
        for index, person in enumerate(people):
            await person.send(Text(f"work 2 {index}"))
        await asyncio.sleep(0.5)
        begin = world.clock.monotonic()
        await world.bot.stop()
        seconds = world.clock.monotonic() - begin
        answered = sum(any(isinstance(event, MessageReceived) for event in person.events) for person in people)
        return {
            "began": WAITING,
            "messages": WAITING,
            "exit_code": 0,
            "exit_seconds": round(seconds, 1),
            "answered_before": answered,
            "answered_after_restart": 0,
            "lost": WAITING - answered,
            "answered_twice": 0,
        }


def _resident() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main(case: str) -> None:
    """Run one case and print what was found as one line of JSON."""
    if case in NOT_YET:
        print(json.dumps({"failed": NOT_YET[case]}))
        raise SystemExit(1)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(json.dumps(run({"slow": slow, "flood": flood, "stop": stop}[case]())))


if __name__ == "__main__":
    main(sys.argv[1])
