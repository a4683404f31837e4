"""announcements: a list that was broken off goes on, nobody is told twice, and times that were missed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from announcements_site import MANY, item, noted, restarted, sending, set_clock, settings, told, world
from pydantic import JsonValue
from timbot_plugins.announcements import bot
from timbot_plugins.announcements.records import broken_off

from timbot import Context, Plugin, Ready
from timbot.errors import NotLoggedIn
from timbot.im.api.messages import OutgoingMessage
from timbot.testing import World


class TestResuming:
    async def test_after_a_restart_in_the_middle_everybody_is_told_once(self) -> None:
        announcement = item(users=list(MANY))
        async with world(announcement, users=MANY, per_second=1) as town:
            await asyncio.sleep(36.5)  # between two turns
            await town.bot.stop(grace=0.0)
            before = [told(town, user) for user in MANY]
            assert 5 < sum(before) < 15
            await asyncio.sleep(600)
            again = await restarted(town, announcement)
            await asyncio.sleep(60)
            assert [told(town, user) for user in MANY] == [1] * 20
            await again.stop()

    async def test_whoever_may_have_been_told_is_not_told_again(self) -> None:
        announcement = item(users=["alice", "bob"])
        async with world(announcement) as town:

            async def hangs(message: OutgoingMessage) -> None:
                if message.to == "alice":
                    await asyncio.sleep(3600)

            sending(town, hangs)
            await asyncio.sleep(40)
            await town.bot.stop(grace=0.0)
            again = await restarted(town, announcement)
            await asyncio.sleep(60)
            assert [told(town, user) for user in ("alice", "bob")] == [0, 1]
            assert (await noted(town))["user:alice"] == {"result": "unknown"}
            await again.stop()

    async def test_a_cut_in_the_middle_doubles_and_loses_nothing(self) -> None:
        async with world(item(users=list(MANY)), users=MANY, per_second=2) as town:
            await asyncio.sleep(35.5)
            town.cut()
            await asyncio.sleep(120)
            assert [told(town, user) for user in MANY] == [1] * 20

    async def test_what_is_done_is_not_told_again(self) -> None:
        announcement = item(users=["alice"])
        async with world(announcement) as town:
            await asyncio.sleep(40)
            await town.bot.stop()
            again = await restarted(town, announcement)
            await asyncio.sleep(60)
            assert told(town, "alice") == 1
            assert await broken_off(town.database.scope("bot", "announcements")) == []
            await again.stop()

    async def test_what_did_not_go_out_for_want_of_a_login_goes_out_later(self) -> None:
        announcement = item(users=["alice", "bob"])
        async with world(announcement) as town:

            async def logged_out(message: OutgoingMessage) -> None:
                if message.to == "bob":
                    raise NotLoggedIn("The login is over.")

            sending(town, logged_out)
            await asyncio.sleep(40)
            assert [activity.outcome for activity in town.activity] == ["done"]
            await town.bot.stop()
            again = await restarted(town, announcement)
            await asyncio.sleep(60)
            assert [told(town, user) for user in ("alice", "bob")] == [1, 1]
            await again.stop()

    async def test_a_recipient_who_is_new_is_told_too(self) -> None:
        async with world(item(users=list(MANY)), users=MANY, per_second=1) as town:
            await asyncio.sleep(35.5)
            await town.bot.stop(grace=0.0)
            again = await restarted(town, item(users=["alice", *MANY[:2]]))
            await asyncio.sleep(60)
            assert told(town, "alice") == 1
            assert told(town, MANY[-1]) == 0
            await again.stop()

    async def test_after_a_day_it_is_given_up(self) -> None:
        announcement = item(users=list(MANY), cron="0 9 2 * *")
        async with world(announcement, users=MANY, per_second=1) as town:
            await asyncio.sleep(35.5)
            await town.bot.stop(grace=0.0)
            before = [told(town, user) for user in MANY]
            await asyncio.sleep(86400 + 60)
            again = await restarted(town, announcement)
            await asyncio.sleep(60)
            assert [told(town, user) for user in MANY] == before
            assert await broken_off(town.database.scope("bot", "announcements")) == []
            await again.stop()

    async def test_one_that_was_taken_out_is_given_up(self) -> None:
        async with world(item(users=list(MANY)), users=MANY, per_second=1) as town:
            await asyncio.sleep(35.5)
            await town.bot.stop(grace=0.0)
            before = [told(town, user) for user in MANY]
            again = await restarted(town, item(name="other", users=list(MANY)))
            await asyncio.sleep(60)
            assert [told(town, user) for user in MANY] == before
            assert await broken_off(town.database.scope("bot", "announcements")) == []
            await again.stop()

    async def test_one_that_failed_goes_on_after_the_next_login(self) -> None:
        async with world(item(users=["alice"], text="Dear {{ recipient.name }}")) as town:
            ask = town.bot.client.get_user_profile

            async def broken(_: object) -> list[Any]:
                raise RuntimeError("a mistake")

            town.bot.client.get_user_profile = broken  # type: ignore[method-assign, assignment]  # something unforeseen
            await asyncio.sleep(40)
            assert [activity.outcome for activity in town.activity] == ["failed"]
            town.bot.client.get_user_profile = ask  # type: ignore[method-assign]  # which is mended
            town.cut()
            await asyncio.sleep(60)
            assert told(town, "alice") == 1

    async def test_what_is_old_is_forgotten_at_the_start_too(self) -> None:
        announcement: JsonValue = {"name": "once", "at": "2026-03-02 09:00", "text": "Now.", "users": ["alice"]}
        async with world(announcement) as town:
            await asyncio.sleep(60)
            await town.bot.stop()
            store = town.database.scope("bot", "announcements")
            assert len(await store.keys()) == 2
            set_clock("2026-03-09 10:00:00")
            again = await restarted(town, announcement)
            await town.settle()
            assert await store.keys() == []
            await again.stop()

    async def test_other_plugins_hear_of_the_login_too(self) -> None:
        other = Plugin("other")
        heard: list[bool] = []

        @other.on_event(Ready, priority=200)
        async def ready(ctx: Context[Ready]) -> None:
            heard.append(ctx.payload.again)

        set_clock("2026-03-02 08:59:30")
        async with World(bot, other, configs={"announcements": settings(item(users=["alice"]))}) as town:
            await town.settle()
            assert heard == [False]
            assert [activity.route.split(":")[0] for activity in town.activity] == ["other"]


class TestMissed:
    @pytest.mark.parametrize(
        ("when", "times"),
        [
            ({"cron": "0 9 * * *"}, 0),
            ({"cron": "0 * * * *", "missed": "once"}, 1),
            ({"cron": "0 * * * *", "missed": "all"}, 3),
            ({"at": "2026-03-02 09:00"}, 1),
            ({"at": "2026-03-02 09:00", "missed": "skip"}, 0),
        ],
    )
    async def test_times_while_the_bot_was_down(self, when: dict[str, JsonValue], times: int) -> None:
        announcement: dict[str, JsonValue] = {"name": "it", "text": "Now.", "users": ["alice"], **when}
        async with world(announcement) as town:
            await town.bot.stop()
            await asyncio.sleep(2 * 3600 + 600)
            again = await restarted(town, announcement)
            await asyncio.sleep(60)
            assert told(town, "alice") == times
            await again.stop()

    @pytest.mark.parametrize(("overlap", "times"), [("skip", 2), ("queue", 3)])
    async def test_a_time_that_comes_while_the_one_before_is_told(self, overlap: str, times: int) -> None:
        announcement = item(cron="0-2 9 * * *", users=list(MANY), overlap=overlap)
        async with world(announcement, users=MANY, per_second=0.25) as town:
            await asyncio.sleep(600)
            assert {told(town, user) for user in MANY} == {times}
