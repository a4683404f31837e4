"""announcements: what is said when and to whom, at which rate, and who is not told twice."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import JsonValue
from settings_site import examples, keys, loaded, problems, tables
from timbot_plugins.announcements import bot
from timbot_plugins.announcements.records import broken_off
from timbot_plugins.announcements.settings import Announcement, Settings

from timbot import Context, Plugin, Priority, Ready
from timbot.errors import NotLoggedIn, OutcomeUnknown, ServerError
from timbot.im.api.messages import OutgoingMessage
from timbot.runtime.account import AccountRunner
from timbot.runtime.enabled import enable
from timbot.runtime.log import get_log
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import GroupChanges
from timbot.sandbox.domain.profiles import AllowType, ProfileField
from timbot.testing import World
from timbot.testing.loop import VirtualLoop

SHANGHAI = ZoneInfo("Asia/Shanghai")
MANY = tuple(f"user{number}" for number in range(20))


def item(**more: JsonValue) -> dict[str, JsonValue]:
    return {"name": "morning", "cron": "0 9 * * *", "text": "Good morning!", **more}


def settings(*items: JsonValue, **more: JsonValue) -> dict[str, JsonValue]:
    return {"items": list(items), "tz": "Asia/Shanghai", **more}


def world(*items: JsonValue, users: tuple[str, ...] = (), **more: JsonValue) -> World:
    """A world at half a minute to nine, on a Monday."""
    set_clock("2026-03-02 08:59:30")
    return World(bot, users=("alice", "bob", *users), configs={"announcements": settings(*items, **more)})


def set_clock(text: str) -> None:
    """What the clock shows in Shanghai."""
    VirtualLoop.running().clock.set(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI))


def found_group(world: World, group_id: str, *members: str) -> None:
    domain = world.sandbox.domain
    domain.groups.create("bot", GroupType.WORK, GroupChanges(name=group_id.title()), group_id=group_id)
    domain.group_members.add("administrator", group_id, members)
    world.sandbox.flush()


async def heard(world: World, user: str) -> list[object]:
    return list(await (await world.user(user)).answers())


def told(world: World, user: str) -> int:
    """How much the bot has said to a user, who need not be there."""
    page = world.sandbox.domain.chats.history(user, "bot", 50)
    return sum(message.sender == "bot" for message in page.messages)


async def noted(world: World) -> dict[str, object]:
    """What is noted of each recipient of the only round."""
    store = world.database.scope("bot", "announcements")
    return {key.rpartition("\n")[2]: await store.get(key) for key in await store.keys("told\n")}


def sending(world: World, instead: Callable[[OutgoingMessage], Any]) -> None:
    """From now on `instead` is asked before each message of the bot's; what it awaits or raises happens first."""
    send = world.bot.client.send_message

    async def send_message(message: OutgoingMessage, *, online_user_only: bool = False) -> object:
        await instead(message)
        return await send(message, online_user_only=online_user_only)

    world.bot.client.send_message = send_message  # type: ignore[method-assign, assignment]  # a server of bad temper


async def restarted(world: World, *items: JsonValue, **more: JsonValue) -> AccountRunner:
    """The bot starts again, with what it has kept."""
    enabled = enable(bot, settings(*items, **more))
    runner = AccountRunner(world._client("bot"), [enabled], get_log(), database=world.database)
    await runner.start()
    await runner.ready.wait()
    return runner


class TestWhenAndWhat:
    async def test_groups_and_users_hear_it_when_its_time_has_come(self) -> None:
        async with world(item(groups=["den"], users=["alice"])) as town:
            found_group(town, "den", "bob")
            alice, bob = await town.user("alice"), await town.user("bob")
            await asyncio.sleep(20)
            assert (await alice.answers(), await bob.answers()) == ([], [])
            await asyncio.sleep(10)
            assert (await alice.answers(), await bob.answers()) == (["Good morning!"], ["Good morning!"])

    async def test_it_comes_again_the_next_day(self) -> None:
        async with world(item(users=["alice"])) as town:
            await asyncio.sleep(60)
            set_clock("2026-03-03 08:59:30")
            await asyncio.sleep(90)
            assert told(town, "alice") == 2

    async def test_a_date_comes_once(self) -> None:
        once: JsonValue = {"name": "once", "at": "2026-03-02 09:00", "text": "Now.", "users": ["alice"]}
        async with world(once) as town:
            await asyncio.sleep(7200)
            assert told(town, "alice") == 1

    async def test_a_time_zone_of_its_own(self) -> None:
        tokyo = item(users=["alice"], tz="Asia/Tokyo", cron="0 10 * * *", text="{{ now | strftime('%H:%M %z') }}")
        async with world(tokyo) as town:
            alice = await town.user("alice")
            await asyncio.sleep(40)
            assert await alice.answers() == ["10:00 +0900"]

    async def test_variables(self) -> None:
        text = "{{ now | strftime('%a %H:%M') }}: {{ recipient.name }} ({{ recipient.kind }} {{ recipient.id }})"
        async with world(item(groups=["den"], users=["alice"], text=text)) as town:
            found_group(town, "den", "bob")
            alice, bob = await town.user("alice"), await town.user("bob")
            await alice.client.update_my_profile(nick="{{ 7 * 7 }}")
            await asyncio.sleep(40)
            assert await alice.answers() == ["Mon 09:00: {{ 7 * 7 }} (user alice)"]
            assert await bob.answers() == ["Mon 09:00: Den (group den)"]

    async def test_names_that_cannot_be_had_are_the_ids(self) -> None:
        async with world(item(users=["alice"], text="{{ recipient.name }}")) as town:

            async def refused(_: object) -> list[Any]:
                raise ServerError("portrait_get", 40006)

            town.bot.client.get_user_profile = refused  # type: ignore[method-assign, assignment]  # a server of bad temper
            alice = await town.user("alice")
            await asyncio.sleep(40)
            assert await alice.answers() == ["alice"]

    async def test_several_texts_come_in_order(self) -> None:
        async with world(item(users=["alice"], text=["one", "two", "three"])) as town:
            alice = await town.user("alice")
            await asyncio.sleep(40)
            assert await alice.answers() == ["one", "two", "three"]

    @pytest.mark.parametrize("priority", ["high", "normal", "low", "lowest"])
    async def test_priority_in_groups(self, priority: str) -> None:
        async with world(item(groups=["den"], priority=priority)) as town:
            found_group(town, "den", "bob")
            bob = await town.user("bob")
            await asyncio.sleep(40)
            assert [message.priority for message in bob.received()] == [Priority[priority.upper()]]


class TestFriends:
    async def test_all_friends_hear_it_and_nobody_twice(self) -> None:
        many = tuple(f"friend{number}" for number in range(120))
        async with world(item(users=["alice", "friend3"], friends=True), users=many, per_second=50) as town:
            for friend in many:
                town.sandbox.domain.profiles.set(friend, {ProfileField.ALLOW_TYPE: AllowType.ALLOW_ANY.value})
                town.sandbox.domain.friends.add("bot", friend)
            await asyncio.sleep(40)
            assert [told(town, user) for user in ("alice", "bob", *many)] == [1, 0, *([1] * 120)]

    async def test_the_others_hear_it_where_friends_cannot_be_listed_and_they_do_later(self) -> None:
        announcement = item(users=["alice"], friends=True)
        async with world(announcement) as town:
            bob = await town.user("bob")
            await bob.client.add_friend("bot")
            await town.bot.client.accept_friend_application("bob")

            async def refused() -> tuple[object, ...]:
                raise ServerError("friend_get", 30006)

            town.bot.client.get_friend_list = refused  # type: ignore[method-assign, assignment]  # a server of bad temper
            await asyncio.sleep(40)
            assert [told(town, user) for user in ("alice", "bob")] == [1, 0]
            await town.bot.stop()
            again = await restarted(town, announcement)
            await asyncio.sleep(60)
            assert [told(town, user) for user in ("alice", "bob")] == [1, 1]
            await again.stop()


class TestRate:
    async def test_so_many_a_second(self) -> None:
        async with world(item(users=list(MANY)), users=MANY, per_second=2) as town:
            at: list[float] = []

            async def look(_: object) -> None:
                at.append(asyncio.get_running_loop().time())

            sending(town, look)
            await asyncio.sleep(60)
            assert len(at) == 20
            assert [round(second - at[0], 3) for second in at] == [number / 2 for number in range(20)]

    async def test_of_all_announcements_together_and_several_texts(self) -> None:
        other = item(name="other", users=list(MANY[10:]), text=["one", "two"])
        async with world(item(users=list(MANY[:10])), other, users=MANY, per_second=4) as town:
            at: list[float] = []

            async def look(_: object) -> None:
                at.append(asyncio.get_running_loop().time())

            sending(town, look)
            await asyncio.sleep(60)
            assert len(at) == 30
            assert round(at[-1] - at[0], 3) == 29 / 4
            assert max(sum(second <= one < second + 1 - 1e-6 for one in at) for second in at) == 4

    async def test_one_who_is_slow_holds_nobody_up(self) -> None:
        async with world(item(users=["alice", *MANY]), users=MANY, per_second=10) as town:

            async def slow(message: OutgoingMessage) -> None:
                if message.to == "alice":
                    await asyncio.sleep(600)

            sending(town, slow)
            await asyncio.sleep(35.5)
            assert [told(town, user) for user in MANY] == [1] * 20
            await asyncio.sleep(600)
            assert told(town, "alice") == 1


class TestResults:
    async def test_one_that_fails_stops_nobody(self) -> None:
        async with world(item(groups=["nowhere", "den"], users=["nobody", "alice"])) as town:
            found_group(town, "den", "bob")
            await asyncio.sleep(40)
            assert told(town, "alice") == 1
            assert await heard(town, "bob") == []  # came later
            results = await noted(town)
            assert results["user:alice"] == results["group:den"] == {"result": "sent"}
            assert results["group:nowhere"] == {"result": "failed", "code": "10010"}
            assert results["user:nobody"] == {"result": "failed", "code": "20003"}

    async def test_a_lost_answer_is_unknown_and_not_guessed(self) -> None:
        async with world(item(users=["alice", "bob"])) as town:

            async def lost(message: OutgoingMessage) -> None:
                if message.to == "alice":
                    raise OutcomeUnknown("sendmsg")

            async def no_history(*_: object) -> None:
                raise ServerError("getroammsg", 90001)

            sending(town, lost)
            town.bot.client.find_sent = no_history  # type: ignore[method-assign, assignment]  # nothing can be found out
            await asyncio.sleep(60)
            assert await noted(town) == {"user:alice": {"result": "unknown"}, "user:bob": {"result": "sent"}}

    async def test_a_text_that_fails_for_one_recipient(self) -> None:
        text = "{{ 7 // (recipient.id | length - 3) }}"
        async with world(item(users=["bob", "alice"], text=text)) as town:
            alice = await town.user("alice")
            await asyncio.sleep(40)
            assert await alice.answers() == ["3"]
            assert await noted(town) == {
                "user:bob": {"result": "failed", "code": "TemplateError"},
                "user:alice": {"result": "sent"},
            }

    async def test_the_log_says_how_far_it_is(self, capsys: pytest.CaptureFixture[str]) -> None:
        many = tuple(f"u{number}" for number in range(250))
        async with world(item(users=[*many, "nobody"]), users=many, per_second=50):
            await asyncio.sleep(60)
        lines = re.findall(r"\] announcement (not sent|goes on|begins|done)\s(.*)", capsys.readouterr().out)
        assert [event for event, _ in lines] == ["begins", "goes on", "goes on", "not sent", "done"]
        assert {"sent=250", "failed=1", "unknown=0"} <= set(lines[-1][1].split())
        assert {"to=nobody", "code=20003"} <= set(lines[-2][1].split())

    async def test_what_is_old_is_forgotten(self) -> None:
        async with world(item(users=["alice"]), keep="2d") as town:
            store = town.database.scope("bot", "announcements")
            times = []
            for date in ("2026-03-02", "2026-03-03", "2026-03-06"):
                set_clock(f"{date} 08:59:30")
                await asyncio.sleep(90)
                times.append(len(await store.keys()) / 2)  # what is noted of the round and of its recipient
            assert times == [1, 2, 1]


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


ITEM = "{name: x, cron: 0 9 * * *, text: x, users: [alice]%s}"


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ("[]", "1: items: this must not be empty"),
        ("[{cron: 0 9 * * *, text: x, users: [alice]}]", "1: items.0.name: this is needed"),
        ("[{name: ' x', cron: 0 9 * * *, text: x, users: [alice]}]", "1: items.0.name: a name is needed"),
        ("[{name: x, text: x, users: [alice]}]", "1: items.0: give either cron or at"),
        (f"[{ITEM % ', at: 2026-12-24 09:00'}]", "1: items.0: give either cron or at"),
        ("[{name: x, cron: 0 9 * * *, text: x}]", "1: items.0: there is nobody to be told"),
        ("[{name: x, cron: 0 25 * * *, text: x, users: [a]}]", "1: items.0.cron: "),
        ("[{name: x, cron: 0 0 30 2 *, text: x, users: [a]}]", "1: items.0.cron: "),
        ("[{name: x, at: 2026-02-30 09:00, text: x, users: [a]}]", "1: items.0.at: '2026-02-30 09:00' is no date and time"),
        ("[{name: x, at: 2026-02-03, text: x, users: [a]}]", "1: items.0.at: '2026-02-03' has no time of day"),
        ("[{name: x, at: 2026-02-03 09:00, text: x, users: [a], missed: all}]", "1: items.0.missed: 'at' comes once"),
        (f"[{ITEM % ', tz: Asia/Beijing'}]", "1: items.0.tz: There is no time zone 'Asia/Beijing'. Did"),
        (f"[{ITEM % ', priority: high'}]", "1: items.0.priority: it is for groups, and there are none"),
        (f"[{ITEM % ', groups: [g], priority: urgent'}]", "1: items.0.priority: one of high, normal, low or lowest is needed"),
        (f"[{ITEM % ', groups: [g, h, g]'}]", "1: items.0.groups.2: this one is in the list already"),
        (f"[{ITEM % ', groups: [1]'}]", "1: items.0.groups.0: a text is needed: put it in quotes"),
        (f"[{ITEM % ', missed: twice'}]", "1: items.0.missed: one of skip, once or all is needed"),
        (f"[{ITEM % ', texts: x'}]", "1: items.0.texts: there is no such key; did you mean text?"),
        (f"[{ITEM % ''}, {ITEM % ''}]", "1: items.1.name: another announcement has this name"),
        (f"[{ITEM % ''}]\ntz: Mars", "2: tz: There is no time zone 'Mars'"),
        (f"[{ITEM % ''}]\nper_second: 0", "2: per_second: more than 0 is needed"),
        (f"[{ITEM % ''}]\nper_second: 1000", "2: per_second: at most 100 is needed"),
        (f"[{ITEM % ''}]\nkeep: 1h", "2: keep: at least 1d is needed"),
        ("[{name: x, cron: 0 9 * * *, text: '{{ sender.id }}', users: [a]}]", "1: items.0.text: Line 1 of the template: There"),
        ("[{name: x, cron: 0 9 * * *, text: '{{ recipient.nick }}', users: [a]}]", "1: items.0.text: tried with made-up"),
    ],
)
def test_mistakes_are_named_with_their_place(items: str, problem: str, tmp_path: Path) -> None:
    found = problems("announcements", f"items: {items}".replace("0 9 * * *", "'0 9 * * *'"), tmp_path)
    assert len(found) == 1, found
    assert found[0].startswith(problem), found


class TestPage:
    def test_the_example_loads(self, tmp_path: Path) -> None:
        [example] = examples("announcements.md")
        assert isinstance(loaded(example, tmp_path).settings, Settings)

    def test_the_tables_are_complete(self) -> None:
        assert tables("announcements.md") == keys(Settings, Announcement)
