"""announcements: what is said when and to whom, and at which rate."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from announcements_site import MANY, found_group, heard, item, noted, restarted, sending, set_clock, told, world
from pydantic import JsonValue

from timbot import Priority
from timbot.errors import OutcomeUnknown, ServerError
from timbot.im.api.messages import OutgoingMessage
from timbot.sandbox.domain.profiles import AllowType, ProfileField


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
