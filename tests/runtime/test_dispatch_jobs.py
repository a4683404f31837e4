"""Jobs of plugins in a running bot: by decorator and by settings, recorded, with their failures told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest

from timbot import Client, Context, Job, Planned, Plugin, Reply, Sender, Store, Text
from timbot.errors import PluginError
from timbot.runtime.account import AccountRunner
from timbot.runtime.enabled import enable
from timbot.runtime.log import get_log
from timbot.runtime.outfit import check_wiring
from timbot.schedule import every
from timbot.testing import World


@dataclass(frozen=True, slots=True)
class Settings:
    seconds: int = 60
    words: tuple[str, ...] = ("one", "two")


def plan(settings: Settings) -> Iterator[Planned]:
    return (Planned(word, every(settings.seconds), data=word) for word in settings.words)


async def test_a_job_says_things() -> None:
    bot = Plugin("p")

    @bot.every("1m")
    async def tick(job: Job, *, out: Sender) -> str:
        await out.user("ann", f"{job.name} of {job.account}")
        return "what is returned is not said"

    async with World(bot) as world:
        ann = await world.user("ann")
        await asyncio.sleep(61)
        assert await ann.answers() == ["p:test_a_job_says_things.<locals>.tick of bot"]
        [activity] = world.activity
    assert (activity.kind, activity.outcome, activity.who) == ("job", "done", "")
    assert activity.route.startswith("p:")


async def test_a_job_may_do_without_its_argument() -> None:
    bot = Plugin("p")
    ran: list[str] = []

    @bot.every(10)
    async def tick(*, client: Client) -> None:
        ran.append(client.user_id)

    async with World(bot):
        await asyncio.sleep(30)
    assert ran[:2] == ["bot", "bot"]


async def test_settings_make_jobs() -> None:
    bot = Plugin("p", config=Settings)
    ran: list[tuple[str, object, float]] = []

    @bot.planned(plan)
    async def tick(job: Job) -> None:
        ran.append((job.name.rpartition(":")[2], job.data, job.late))

    async with World(bot, configs={"p": {"seconds": 100, "words": ["b", "a"]}}):
        await asyncio.sleep(101)
    assert sorted(ran) == [("a", "a", 0.0), ("b", "b", 0.0)]


async def test_chance_and_time_belong_to_the_run() -> None:
    bot = Plugin("p")
    seen: list[tuple[float, float, str]] = []

    @bot.every(60)
    async def one(job: Job) -> None:
        seen.append((job.now.timestamp() % 60, job.random.random(), f"{job.uuid()}"))
        if len(seen) == 1:
            raise ValueError("again")

    async with World(bot):
        await asyncio.sleep(130)
    assert seen[0] == seen[1]
    assert seen[0][0] == 0.0
    assert seen[1][1:] != seen[2][1:]


async def test_a_job_that_fails_is_told_and_comes_again() -> None:
    bot = Plugin("p")
    ran: list[float] = []

    @bot.every(60)
    async def tick(job: Job) -> None:
        ran.append(job.now.timestamp())
        raise ValueError("no")

    async with World(bot) as world:
        await asyncio.sleep(131)
        assert [activity.outcome for activity in world.activity] == ["failed", "failed"]
    assert ran == [ran[0]] * 3 + [ran[0] + 60] * 3  # three attempts each


async def test_two_planned_jobs_of_a_name_stop_the_start() -> None:
    bot = Plugin("p", config=Settings)

    @bot.planned(plan)
    async def tick(job: Job) -> None: ...

    with pytest.raises(PluginError, match=r"^.*py:\d+: two jobs are called .p:.*tick:x."):
        async with World(bot, configs={"p": {"words": ["x", "x"]}}):
            """It never gets here."""


async def test_what_was_missed_is_known_after_a_restart() -> None:
    bot = Plugin("p")
    ran: list[bool] = []

    @bot.every("1h", missed="once")
    async def tick(job: Job) -> None:
        ran.append(job.missed)

    async with World(bot) as world:
        await asyncio.sleep(3601)
        await world.bot.stop()
        await asyncio.sleep(3 * 3600)
        again = AccountRunner(world._client("bot"), [bot], get_log(), database=world.database)
        await again.start()
        await again.ready.wait()
        await asyncio.sleep(60)
        await again.stop()
    assert ran == [False, True]


async def test_a_plugin_keeps_things() -> None:
    bot = Plugin("p")

    @bot.on_text
    async def count(ctx: Context[Text], *, store: Store) -> str:
        times: int = await store.get("times", 0) + 1
        await store.set("times", times)
        return str(times)

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == ["1"]
        assert await ann.says("x") == ["2"]


async def test_a_template_that_is_not_there_fails_the_handler_only() -> None:
    bot = Plugin("p")

    @bot.on_text
    async def handler(ctx: Context[Text]) -> Reply:
        return Reply.template("no.j2")

    async with World(bot) as world:
        ann = await world.user("ann")
        assert await ann.says("x") == []
        assert [activity.outcome for activity in world.activity] == ["failed"]


# What is wrong with jobs shows before anything runs


def broken_plan(settings: Settings) -> list[Planned]:
    raise KeyError("words")


def no_plan(settings: Settings) -> list[Planned]:
    return ["every day"]  # type: ignore[list-item]  # the mistake


def soon(settings: Settings) -> list[Planned]:
    return [Planned("x", every("soon"))]


def wrong_choice(settings: Settings) -> list[Planned]:
    return [Planned("x", every(1), missed="maybe")]  # type: ignore[arg-type]  # the mistake


def nothing(settings: Settings) -> None: ...


@pytest.mark.parametrize(
    ("making", "told"),
    [
        (broken_plan, "the jobs cannot be planned: KeyError: 'words'."),
        (no_plan, "the plan makes a str. It makes Planned(name, trigger, ...)."),
        (soon, "'soon' is no interval."),
        (wrong_choice, "missed='maybe' is no choice. Choose one of skip, once, all."),
        (nothing, "the jobs cannot be planned: TypeError: 'NoneType' object is not iterable."),
    ],
)
def test_a_plan_that_cannot_be(making: Callable[[Settings], list[Planned]], told: str) -> None:
    bot = Plugin("p", config=Settings)

    @bot.planned(making)
    async def tick(job: Job) -> None: ...

    with pytest.raises(PluginError) as caught:
        check_wiring(enable(bot))
    assert str(caught.value).startswith(f"{bot.jobs[0].place}: {told}")


def test_a_function_has_one_clock() -> None:
    bot = Plugin("p")

    @bot.every("1m")
    @bot.cron("0 9 * * *")
    async def tick(job: Job) -> None: ...

    with pytest.raises(PluginError, match=r"two jobs are called .*tick'") as caught:
        check_wiring(enable(bot))
    assert "a function that runs by the clock has one decorator" in caught.value.hint


async def a_text(ctx: Context[Text]) -> None: ...


async def a_number(job: Job, *, number: int) -> None: ...


@pytest.mark.parametrize(("handler", "told"), [(a_text, "'ctx' is no Context"), (a_number, "there is nothing of type int")])
def test_a_job_that_wants_what_it_does_not_get(handler: Callable[..., Awaitable[None]], told: str) -> None:
    bot = Plugin("p")
    bot.every("1m")(handler)
    with pytest.raises(PluginError, match=told):
        check_wiring(enable(bot))


def test_plugins_with_jobs_that_are_right() -> None:
    bot = Plugin("p", config=Settings)

    @bot.planned(plan)
    async def tick(job: Job, *, cfg: Settings, store: Store) -> None: ...

    @bot.every("1m")
    async def tock() -> None: ...

    check_wiring(enable(bot))


async def test_two_plugins_may_call_their_jobs_alike() -> None:
    one, other = Plugin("one"), Plugin("other")
    ran: list[str] = []
    for bot in (one, other):

        @bot.every(10)
        async def tick(job: Job) -> None:
            ran.append(job.name.partition(":")[0])

    async with World(one, other):
        await asyncio.sleep(11)
    assert sorted(ran) == ["one", "other"]
