"""What a running bot tells of itself: its figures, its health, the page, and the words at the terminal."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from timbot import Accept, Context, Custom, FriendRequest, Job, Plugin, Sender, Text
from timbot.config import parse
from timbot.errors import ConnectionLost
from timbot.im.model import events as model
from timbot.runtime import demo
from timbot.runtime.account import AccountRunner
from timbot.runtime.activity import kind_of
from timbot.runtime.assembly import Assembly
from timbot.runtime.banner import banner
from timbot.runtime.dispatcher import Options
from timbot.runtime.enabled import enable_all
from timbot.runtime.log import get_log
from timbot.runtime.telemetry import Telemetry
from timbot.sandbox.page import Feed
from timbot.testing import World


class Watched(World):
    """A world whose bot is watched as a running process is."""

    def __init__(self, *plugins: Plugin, **more: object) -> None:
        super().__init__(*plugins, **more)  # type: ignore[arg-type]  # as they were given
        self.telemetry = Telemetry("127.0.0.1", 0)
        self.heard = self.telemetry.heard  # type: ignore[method-assign]
        self.did = self.telemetry.did  # type: ignore[method-assign]
        self.said = self.telemetry.said  # type: ignore[method-assign]

    def figure(self, name: str, **labels: str) -> float | None:
        return self.telemetry.metrics.registry.get_sample_value(f"timbot_{name}", {"account": "bot", **labels})

    def outcomes(self, name: str = "events_handled") -> dict[str, float]:
        """Outcome -> how often."""
        return {
            sample.labels["outcome"]: sample.value
            for metric in self.telemetry.metrics.registry.collect()
            for sample in metric.samples
            if sample.name == f"timbot_{name}_total"
        }


def shop() -> Plugin:
    bot = Plugin("shop")

    @bot.on_text
    async def answer(ctx: Context[Text]) -> list[str | Custom]:
        return ["one", Custom("dice")]

    @bot.on_text("bad")
    async def bad(ctx: Context[Text]) -> None:
        await ctx.reply("before")
        raise ValueError("no")

    @bot.on_text("quiet")
    async def quiet(ctx: Context[Text]) -> None: ...

    return bot


async def test_what_comes_in_and_goes_out_is_counted() -> None:
    async with Watched(shop()) as world:
        ann = await world.user("ann")
        await ann.burst(["x", "y", "quiet", "bad"])
        assert world.figure("events_received_total", kind="text") == 4
        assert world.outcomes() == {"sent": 2, "nothing said": 1, "failed": 1}
        assert world.figure("events_handled_total", plugin="shop", route="shop.<locals>.quiet", outcome="nothing said") == 1
        assert world.figure("messages_sent_total", kind="text") == 3
        assert world.figure("messages_sent_total", kind="custom") == 2
        assert world.figure("handlers_failed_total", plugin="shop", route="shop.<locals>.bad") == 1
        assert world.figure("replies_failed_total", plugin="shop", route="shop.<locals>.bad") == 0
        assert world.figure("handler_seconds_count", plugin="shop", route="shop.<locals>.answer") == 2


async def test_a_limit_that_is_hit_is_counted_although_something_was_said() -> None:
    async with Watched(shop(), options=Options(loop_guard=3)) as world:
        ann = await world.user("ann")
        await ann.burst(["x", "y"])
        assert world.outcomes() == {"sent": 1, "silenced": 1}
        assert world.figure("limits_hit_total", kind="loop_guard") == 1


async def test_what_came_of_a_request_is_counted_with_its_welcome() -> None:
    bot = Plugin("p")

    @bot.on_friend_request
    async def friend(request: FriendRequest) -> Accept:
        return Accept(welcome="hello")

    async with Watched(bot) as world:
        ann = await world.user("ann")
        await ann.client.add_friend("bot")
        await world.settle()
        assert world.outcomes() == {"accept: done": 1}
        assert world.figure("messages_sent_total", kind="text") == 1


async def test_jobs_and_what_they_say_are_counted() -> None:
    bot = Plugin("p")

    @bot.every(60)
    async def tick(job: Job, *, out: Sender) -> None:
        await out.user("ann", "hello")

    async with Watched(bot) as world:
        await world.user("ann")
        await asyncio.sleep(61)
        assert world.outcomes("jobs_run") == {"done": 1}
        assert world.outcomes() == {}
        assert world.figure("messages_sent_total", kind="text") == 1


async def test_breaks_and_what_makes_no_sense_are_counted() -> None:
    async with Watched() as world:
        world.telemetry.watch(world.bot)
        names = ("reconnects_total", "possibly_incomplete_total", "not_understood_total")
        assert [world.figure(name) for name in names] == [0, 0, 0]
        world.cut()
        await asyncio.sleep(60)
        assert [world.figure(name) for name in names] == [1, 0, 0]
        world.telemetry.heard("bot", model.Incomplete("C2Cann", "a cap", 0, 1))
        assert [world.figure(name) for name in names] == [1, 1, 0]


async def test_gauges_say_how_it_is_now() -> None:
    async with Watched() as world:
        world.telemetry.watch(world.bot)
        await asyncio.sleep(1)
        ann = await world.user("ann")
        await ann.says("x")
        await asyncio.sleep(0.25)
        heard = world.figure("last_heard_timestamp_seconds")
        assert heard is not None
        assert 0 < world.clock.now() - heard < 60
        assert world.figure("connected") == 1
        await world.bot.stop()
        assert world.figure("connected") == 0


async def test_nothing_was_ever_heard() -> None:
    async with Watched() as world:
        runner = AccountRunner(world._client("ann"), [], get_log())
        telemetry = Telemetry("127.0.0.1", 0)
        telemetry.watch(runner)
        sample = telemetry.metrics.registry.get_sample_value("timbot_last_heard_timestamp_seconds", {"account": "ann"})
        assert sample == 0
        [account] = telemetry.health().accounts
        assert (account.heard_seconds_ago, account.problems) == (None, ("not connected",))


async def test_health_says_why() -> None:
    async with Watched() as world:
        assert not world.telemetry.health().healthy
        world.telemetry.watch(world.bot)
        await asyncio.sleep(1)
        assert world.telemetry.health().healthy
        world.bot.ready.clear()
        assert world.telemetry.health().accounts[0].problems == ("logged in, and still reading what it missed",)
        world.bot.ready.set()
        world.bot.client._session.error = ConnectionLost("The server is gone.")
        assert world.telemetry.health().accounts[0].problems == ("The server is gone.",)
        world.bot.client._session.error = None


async def test_it_measures_the_loop_while_it_serves() -> None:
    before = asyncio.all_tasks()
    telemetry = Telemetry("127.0.0.1", 0)
    telemetry._operations = Quiet()  # type: ignore[assignment]
    async with telemetry:
        await asyncio.sleep(5.1)
        count = telemetry.metrics.registry.get_sample_value("timbot_loop_lag_seconds_count")
        assert count == 10
        assert telemetry.url == "http://here"
    assert asyncio.all_tasks() == before


class Quiet:
    """Stands for the HTTP side."""

    url = "http://here"

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (model.Ready(False), "ready"),
        (model.MemberJoined(model.TipType.MEMBER_JOIN, "g", "", "ann", ("ann",), ("",), 1, 1, 1), "member joined"),
    ],
)
def test_an_event_in_a_word_or_two(event: model.Event, kind: str) -> None:
    assert kind_of(event) == kind


# The page


async def test_the_page_is_told_what_bots_do_and_say() -> None:
    feed = Feed()
    observer = demo.PageObserver(feed)
    bot = shop()

    @bot.every(60)
    async def tick(job: Job, *, out: Sender) -> None:
        await out.user("ann", "of my own")

    async with World(bot) as world:
        world.did = observer.did  # type: ignore[method-assign]
        world.said = observer.said  # type: ignore[method-assign]
        ann = await world.user("ann")
        await ann.says("x")
        await ann.says("quiet")
        await asyncio.sleep(61)
    entries = [entry for entry in (entry for _, entry in feed.since(0)) if entry.event != "job"]
    assert [(entry.event, entry.who, entry.conversation, entry.route, entry.outcome) for entry in entries] == [
        ("text", "ann", "C2Cann", "shop:shop.<locals>.answer", '"one" · custom dice'),
        ("text", "ann", "C2Cann", "shop:shop.<locals>.quiet", "nothing said"),
        ("said", "", "C2Cann", "shop", '"of my own"'),
    ]


# The terminal


@pytest.fixture
def assembly() -> Assembly:
    config = parse("accounts: [{user_id: bot}, {user_id: other}]\nendpoint: china\nsdk_app_id: 1400000123\n")
    return Assembly(Path("c.yaml"), config, {"bot": enable_all([shop()]), "other": ()})


def test_what_is_told_at_the_terminal(assembly: Assembly) -> None:
    assert banner(assembly, None, "http://127.0.0.1:1234").splitlines() == [
        "timbot runs c.yaml",
        "",
        "  account   bot: shop",
        "  account   other: no plugins, so it will say nothing",
        "  endpoint  china, SDKAppID 1400000123",
        "  health    http://127.0.0.1:1234/healthz",
        "",
        "Stop: Ctrl-C",
    ]


def test_what_is_left_out_is_told_there(assembly: Assembly) -> None:
    told = banner(replace(assembly, left_out=("c.yaml:3:5: bad.py: no",)), None, None)
    assert "  left out  c.yaml:3:5: bad.py: no" in told.splitlines()
    assert "health" not in told
