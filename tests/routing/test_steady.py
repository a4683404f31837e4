"""What would be another when a handler is gone through again is found before it is."""

from __future__ import annotations

import pytest

from timbot.routing.steady import unsteady_calls

HANDLER = """
import random, time, uuid
from datetime import datetime

@bot.on_command("x")
async def handler(ctx):
    {before}
    return await ctx.ask("well?")
"""


@pytest.mark.parametrize(
    ("before", "call", "instead"),
    [
        ("now = time.time()", "time.time()", "ctx.now"),
        ("now = datetime.now(tz)", "datetime.now()", "ctx.now"),
        ("now = datetime.datetime.now()", "datetime.now()", "ctx.now"),
        ("roll = random.randint(1, 6)", "random.randint()", "ctx.random.randint"),
        ("key = str(uuid.uuid4())", "uuid.uuid4()", "ctx.uuid()"),
        ("key = uuid4().hex", "uuid4()", "ctx.uuid()"),
    ],
)
def test_found(before: str, call: str, instead: str) -> None:
    (found,) = unsteady_calls(HANDLER.format(before=before))
    assert (found.handler, found.call, found.instead, found.line) == ("handler", call, instead, 7)
    assert "use" in str(found)


@pytest.mark.parametrize(
    "before",
    [
        "roll = ctx.random.randint(1, 6)",
        "now = ctx.now",
        "key = ctx.uuid()",
        "now = await ctx.once('now', lambda: time.time())",
        "began = time.perf_counter()",
    ],
)
def test_what_is_the_same_again_is_fine(before: str) -> None:
    assert unsteady_calls(HANDLER.format(before=before)) == ()


def test_a_handler_that_does_not_ask_may_do_as_it_likes() -> None:
    source = "async def a(ctx):\n    time.time()\n\nasync def b(ctx):\n    await ctx.ask('x')\n"
    assert unsteady_calls(source) == ()
