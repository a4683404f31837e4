"""Prints what a message costs: reading it, finding its handler, giving it a lane, and all of it together.

CPU time, medians of five repetitions taken in turn. Each figure stands beside a floor that does the same by hand, so that
the ratio says more than the machine.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from benchmarks import journal, store
from timbot import Bot, Context, Text
from timbot.im.model.message import c2c_message
from timbot.im.wire.envelope import PushBody, decode_server_frame, encode_push
from timbot.im.wire.messages import C2CMessage
from timbot.im.wire.pushes import open_push
from timbot.im.wire.value import decode
from timbot.routing.table import Table, open_to
from timbot.runtime.lanes import Lanes

REPETITIONS = 5
ROUNDS = 20_000

FRAME = encode_push(
    7,
    {
        "EventArray": [
            {
                "Event": 9,
                "C2cMsgArray": [
                    {
                        "From_Account": "alice",
                        "To_Account": "bot",
                        "MsgSeq": 3043200001,
                        "MsgRandom": 22899177,
                        "MsgTimeStamp": 1795394600,
                        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "text 50"}}],
                        "CloudCustomData": "",
                        "From_AccountNick": "Alice",
                        "From_AccountHeadurl": "",
                    }
                ],
            }
        ],
        "NeedAck": 1,
        "SessionData": "s12",
    },
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: ours and its floor, CPU microseconds each."""

    what: str
    ours: float
    floor_name: str
    floor: float


def cost(work: Callable[[], None], rounds: int) -> float:
    """CPU microseconds for one of `rounds` that `work` does."""
    began = time.process_time()
    work()
    return (time.process_time() - began) / rounds * 1e6


def side_by_side(what: str, ours: Callable[[], None], floor_name: str, floor: Callable[[], None], rounds: int = ROUNDS) -> Row:
    """Both, in turn, five times; the medians."""
    pairs = [(cost(ours, rounds), cost(floor, rounds)) for _ in range(REPETITIONS)]
    return Row(what, statistics.median(pair[0] for pair in pairs), floor_name, statistics.median(pair[1] for pair in pairs))


def reading() -> Row:
    """A push frame down to its text."""

    def ours() -> None:
        for _ in range(ROUNDS):
            body = decode(PushBody, decode_server_frame(FRAME).body)
            for item in open_push(body):
                if isinstance(item.value, C2CMessage):
                    _ = c2c_message(item.value, "bot").text

    def floor() -> None:
        for _ in range(ROUNDS):
            tree = msgspec.json.decode(FRAME)
            _ = tree["body"]["EventArray"][0]["C2cMsgArray"][0]["MsgBody"][0]["MsgContent"]["Text"]

    return side_by_side("read a text", ours, "untyped JSON", floor)


def routing(handlers: int) -> Row:
    """A text to its handler among many."""
    bot = Bot("bench")

    async def handler(ctx: Context[Text]) -> None:
        """Takes its text."""

    for number in range(handlers):
        bot.on_text(f"text {number}")(handler)
    table = Table([bot])
    text = f"text {handlers // 2}"
    by_hand = {f"text {number}": handler for number in range(handlers)}

    def ours() -> None:
        for _ in range(ROUNDS):
            for route in open_to(table.for_text(text, addressed=True)[0], bot_speaking=False):
                _ = route.handler

    def floor() -> None:
        for _ in range(ROUNDS):
            _ = by_hand[text.strip().casefold()]

    return side_by_side(f"find one of {handlers:,} handlers", ours, "a dictionary", floor)


def lanes() -> Row:
    """A message through its lane."""
    conversations = [f"C2Cuser{number}" for number in range(100)]

    async def work() -> None:
        """Nothing: the lane itself is measured."""

    async def through_lanes() -> None:
        queue = Lanes("bench", backlog=ROUNDS + 1)
        for number in range(ROUNDS):
            await queue.put(conversations[number % 100], work)
        await queue.join()
        await queue.close(0)

    async def one_queue() -> None:
        queue = deque([work] * ROUNDS)
        while queue:
            await queue.popleft()()

    return side_by_side(
        "a turn in its lane", lambda: asyncio.run(through_lanes()), "one queue, no lanes", lambda: asyncio.run(one_queue())
    )


def main() -> None:
    """Print the table."""
    rows = [reading(), *(routing(number) for number in (10, 100, 1000)), lanes()]
    out = sys.stdout
    out.write(f"CPU microseconds each, median of {REPETITIONS}, Python {sys.version.split()[0]}\n\n")
    out.write(f"{'what':32} {'timbot':>8}   {'floor':>8}   {'ratio':>6}\n")
    for row in rows:
        ratio = row.ours / row.floor
        out.write(f"{row.what:32} {row.ours:8.2f}   {row.floor:8.2f}   {ratio:5.1f}x   ({row.floor_name})\n")
    store.main()
    journal.main()


main()
