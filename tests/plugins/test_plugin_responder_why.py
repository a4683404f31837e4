"""responder: which of its settings answered, told to whoever watches."""

from __future__ import annotations

import pytest
import structlog
from responder_site import HOURS, MENU, rule, set_clock, world
from structlog.testing import LogCapture


@pytest.fixture
def log() -> LogCapture:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    return capture


async def test_each_answer_says_where_it_comes_from() -> None:
    rules = [rule("one", exact=["first"]), rule("two", keywords=["second"]), rule("Wait.", exact=["person"], hand_over=True)]
    async with world(rules=rules, menu=MENU, fallback="?") as town:
        alice = await town.user("alice")
        for text in ("first", "the second", "menu", "2", "b", "what", "person"):
            assert await alice.says(text) != []
        whys = [activity.why for activity in town.activity]
    assert whys == ["rules.0", "rules.1", "menu", "menu.2", "menu.2.b", "fallback", "rules.2"]


async def test_outside_business_hours_it_is_the_closed_sentence() -> None:
    async with world(hours=HOURS, fallback="?") as town:
        set_clock(town, "2026-11-22 12:00")
        alice = await town.user("alice")
        await alice.says("hello")
        assert [activity.why for activity in town.activity] == ["hours.answer"]


async def test_no_answer_says_why_there_is_none(log: LogCapture) -> None:
    async with world(rules=[rule("Wait.", exact=["person"], hand_over=True)]) as town:
        alice = await town.user("alice")
        await alice.says("hello")
        await alice.says("person")
        await alice.says("are you there?")
    asked = [entry["asked"] for entry in log.entries if entry["event"] == "left unanswered"]
    assert asked == ["responder:answer (nothing fits)", "responder:answer (a person has the conversation)"]
