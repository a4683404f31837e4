"""auto_accept: who is accepted, refused or left, what is said, and how many a day."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue
from settings_site import examples, keys, loaded, outcomes, problems, remark, tables
from timbot_plugins._shared.texts import cut, said
from timbot_plugins.auto_accept import bot
from timbot_plugins.auto_accept.settings import Rule, Settings

from timbot import User
from timbot.errors import ServerError
from timbot.runtime.enabled import enable
from timbot.testing import World

SHANGHAI = ZoneInfo("Asia/Shanghai")
USERS = ("alice", "bob", "vip_1", "vip_2", "spam_1")


def world(**settings: JsonValue) -> World:
    return World(bot, users=USERS, configs={"auto_accept": settings})


def rule(do: str, **more: JsonValue) -> JsonValue:
    return {"do": do, **more}


async def asks(world: World, user: str, wording: str = "", source: str = "Web") -> list[object]:
    """Somebody asks to be friends. What is said to them then."""
    person = await world.user(user)
    await person.client.add_friend("bot", wording=wording, source=f"AddSource_Type_{source}")
    return list(await person.answers())


def set_clock(world: World, text: str) -> None:
    world.clock.set(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI))


class TestDecisions:
    async def test_without_settings_everybody_is_accepted(self) -> None:
        async with world() as town:
            assert await asks(town, "alice") == []
            assert remark(town, "alice") == ""

    async def test_with_rules_the_rest_is_left_to_a_person(self) -> None:
        async with world(rules=[rule("accept", keywords=["course"])]) as town:
            await asks(town, "alice", "hello")
            assert outcomes(town) == ["left to a person"]

    async def test_with_an_allow_list_the_rest_is_left_to_a_person(self) -> None:
        async with world(allow=["bob"]) as town:
            await asks(town, "alice")
            assert outcomes(town) == ["left to a person"]

    @pytest.mark.parametrize(
        ("default", "outcome"), [("accept", "accept: done"), ("refuse", "reject: done"), ("leave", "left to a person")]
    )
    async def test_the_default_is_the_operators(self, default: str, outcome: str) -> None:
        async with world(default=default, rules=[rule("accept", keywords=["course"])]) as town:
            await asks(town, "alice", "hello")
            assert outcomes(town) == [outcome]

    async def test_the_deny_list_is_asked_before_all_else(self) -> None:
        async with world(deny=["spam_*"], allow=["alice"], default="accept") as town:
            await asks(town, "spam_1")
            assert outcomes(town) == ["reject: done"]

    async def test_the_allow_list_is_asked_before_the_rules(self) -> None:
        async with world(allow=["vip_*"], rules=[rule("refuse", keywords=["hello"])]) as town:
            await asks(town, "vip_1", "hello")
            assert outcomes(town) == ["accept: done"]

    async def test_an_exception_within_a_prefix(self) -> None:
        async with world(allow=["vip_*"], deny=["vip_2"]) as town:
            await asks(town, "vip_1")
            await asks(town, "vip_2")
            assert outcomes(town) == ["accept: done", "reject: done"]

    async def test_an_entry_without_a_star_is_one_user(self) -> None:
        async with world(allow=["vip_"]) as town:
            await asks(town, "vip_1")
            assert outcomes(town) == ["left to a person"]

    async def test_the_first_rule_that_fits_decides(self) -> None:
        rules = [rule("refuse", keywords=["free money"]), rule("accept", keywords=["money"])]
        async with world(rules=rules) as town:
            await asks(town, "alice", "FREE  money!")
            await asks(town, "bob", "about money")
            assert outcomes(town) == ["reject: done", "accept: done"]


class TestRules:
    @pytest.mark.parametrize("wording", ["the Course please", "我想报名课程", "ＣＯＵＲＳＥ", "room 17", "ＲＯＯＭ 17"])
    def test_words_that_fit(self, wording: str) -> None:
        assert a_rule(keywords=["course", "课程"], regex=r"room \d+").is_for(wording, "")

    @pytest.mark.parametrize("wording", ["", "courses", "room", "recourse"])
    def test_words_that_do_not(self, wording: str) -> None:
        assert not a_rule(keywords=["course", "课程"], regex=r"room \d+").is_for(wording, "")

    @pytest.mark.parametrize("written", ["Web", "web", "AddSource_Type_Web"])
    @pytest.mark.parametrize("given", ["AddSource_Type_Web", "Web", "AddSource_Type_WEB"])
    def test_a_source_with_and_without_its_prefix(self, written: str, given: str) -> None:
        assert a_rule(source=[written]).is_for("anything", given)

    @pytest.mark.parametrize("given", ["", "AddSource_Type_", "AddSource_Type_Webb", "Android"])
    def test_another_source(self, given: str) -> None:
        assert not a_rule(source=["Web"]).is_for("anything", given)

    @pytest.mark.parametrize(
        ("wording", "source", "fits"), [("a course", "Web", True), ("a course", "Card", False), ("hello", "Web", False)]
    )
    def test_words_and_source_are_both_needed(self, wording: str, source: str, fits: bool) -> None:
        assert a_rule(source=["Web"], keywords=["course"]).is_for(wording, source) is fits

    async def test_the_source_that_comes_over_the_wire(self) -> None:
        async with world(rules=[rule("accept", source=["Card"])]) as town:
            await asks(town, "alice", source="Card")
            await asks(town, "bob", source="Web")
            assert outcomes(town) == ["accept: done", "left to a person"]


def a_rule(**settings: JsonValue) -> Rule:
    found = enable(bot, {"rules": [{"do": "accept", **settings}]}).settings
    assert isinstance(found, Settings)
    return found.rules[0]


class TestTexts:
    async def test_remark_and_welcome(self) -> None:
        texts: dict[str, JsonValue] = {
            "remark": "{{ source }}: {{ sender.name }}",
            "welcome": ["Hello, {{ sender.id }}.", "You wrote '{{ wording }}'."],
        }
        async with world(**texts) as town:
            assert await asks(town, "alice", "{{ 7 * 7 }}", "Card") == ["Hello, alice.", "You wrote '{{ 7 * 7 }}'."]
            assert remark(town, "alice") == "Card: alice"

    async def test_a_rule_may_have_its_own(self) -> None:
        rules = [rule("accept", keywords=["course"], remark="pupil", welcome="The course begins on Monday.")]
        async with world(rules=rules, default="accept", remark="friend", welcome="Hello.") as town:
            assert await asks(town, "alice", "the course") == ["The course begins on Monday."]
            assert await asks(town, "bob") == ["Hello."]
            assert [remark(town, user) for user in ("alice", "bob")] == ["pupil", "friend"]

    async def test_what_a_rule_does_not_say_is_said_by_the_common_text(self) -> None:
        async with world(rules=[rule("accept", source=["Web"], remark="web")], remark="friend", welcome="Hello.") as town:
            assert await asks(town, "alice") == ["Hello."]
            assert remark(town, "alice") == "web"

    async def test_a_long_remark_is_cut(self) -> None:
        async with world(remark="{{ wording }}") as town:
            await asks(town, "alice", "x" + "课" * 80)
            assert remark(town, "alice") == "x" + "课" * 31

    def test_a_text_may_stand_in_a_file(self, tmp_path: Path) -> None:
        folder = tmp_path / "templates"
        folder.mkdir()
        folder.joinpath("hello.j2").write_text("Hello, {{ sender.name }}.\n", encoding="utf-8")
        example = "accounts: [{user_id: bot}]\nplugins: [{auto_accept: {welcome: ['{{ wording }}', {file: hello.j2}]}}]\n"
        settings = loaded(example, tmp_path).settings
        assert isinstance(settings, Settings)
        assert said(settings.welcome, {"sender": User("alice"), "wording": "hi"}) == ["hi", "Hello, alice."]

    async def test_who_is_refused_hears_nothing(self) -> None:
        async with world(deny=["alice"], welcome="Hello.") as town:
            assert await asks(town, "alice") == []


@given(st.text(max_size=60), st.integers(1, 30))
def test_a_cut_text_is_all_that_fits_of_its_beginning(text: str, size: int) -> None:
    line = " ".join(text.split())
    fitting = [line[:end] for end in range(len(line) + 1) if len(line[:end].encode()) <= size]
    assert cut(text, size) == fitting[-1].rstrip()


class TestPerDay:
    async def test_those_beyond_the_limit_are_left(self) -> None:
        async with world(per_day=2) as town:
            for user in ("alice", "bob", "vip_1"):
                await asks(town, user)
            assert outcomes(town) == ["accept: done", "accept: done", "left to a person"]

    async def test_the_allow_list_knows_no_exception(self) -> None:
        async with world(per_day=1, allow=["vip_*"]) as town:
            await asks(town, "vip_1")
            await asks(town, "vip_2")
            assert outcomes(town) == ["accept: done", "left to a person"]

    async def test_who_is_refused_takes_no_place(self) -> None:
        async with world(per_day=1, deny=["spam_*"]) as town:
            await asks(town, "spam_1")
            await asks(town, "alice")
            assert outcomes(town) == ["reject: done", "accept: done"]

    async def test_many_at_once_do_not_go_beyond_it(self) -> None:
        async with world(per_day=2) as town:
            people = [await town.user(user) for user in USERS]
            await asyncio.gather(*(person.client.add_friend("bot") for person in people))
            await town.settle()
            assert sorted(outcomes(town)) == ["accept: done"] * 2 + ["left to a person"] * 3

    async def test_the_day_is_that_of_the_time_zone(self) -> None:
        async with world(per_day=1, tz="Asia/Shanghai") as town:
            set_clock(town, "2026-03-01 23:59:00")
            await asks(town, "alice")
            await asks(town, "bob")
            set_clock(town, "2026-03-02 00:00:30")
            await asks(town, "vip_1")
            assert outcomes(town) == ["accept: done", "left to a person", "accept: done"]

    async def test_an_answer_that_failed_is_not_counted(self) -> None:
        async with world(per_day=1) as town:
            accept = town.bot.client.accept_friend_application

            async def full(user_id: str, *, remark: str = "", both: bool = True) -> None:
                raise ServerError("friend_response", 30010, "full")

            town.bot.client.accept_friend_application = full  # type: ignore[method-assign]  # a server whose list is full
            await asks(town, "alice")
            town.bot.client.accept_friend_application = accept  # type: ignore[method-assign]  # and has room again
            await asks(town, "bob")
            await asyncio.sleep(15 * 60)
            await asks(town, "vip_1")
            assert outcomes(town) == ["failed", "left to a person", "accept: done"]

    async def test_an_answer_that_worked_stays_counted(self) -> None:
        async with world(per_day=1) as town:
            await asks(town, "alice")
            await asyncio.sleep(3600)
            await asks(town, "bob")
            assert outcomes(town) == ["accept: done", "left to a person"]

    async def test_without_a_limit_nothing_is_kept_and_nothing_runs(self) -> None:
        async with world() as town:
            await asks(town, "alice")
            await asyncio.sleep(3600)
            assert [activity.kind for activity in town.activity] == ["friend request"]
            assert await town.database.scope("bot", "auto_accept").keys() == []

    async def test_a_friend_who_was_lost_takes_a_place_again(self) -> None:
        async with world(per_day=1) as town:
            await asks(town, "alice")
            await asyncio.sleep(3600)
            town.sandbox.domain.friends.delete("alice", ["bot"], both=True)
            await asks(town, "alice")
            assert outcomes(town) == ["accept: done", "left to a person"]

    async def test_an_answer_on_its_way_keeps_its_place(self) -> None:
        async with world(per_day=1) as town:
            accept = town.bot.client.accept_friend_application

            async def slow(user_id: str, *, remark: str = "", both: bool = True) -> None:
                await asyncio.sleep(30)
                await accept(user_id, remark=remark, both=both)

            town.bot.client.accept_friend_application = slow  # type: ignore[method-assign]  # a network that is slow
            alice = await town.user("alice")
            await asyncio.sleep(599 - town.clock.now() % 600)  # a second before places are looked after
            await alice.client.add_friend("bot")
            await asyncio.sleep(60)
            await asks(town, "bob")
            assert outcomes(town) == ["accept: done", "left to a person"]

    async def test_a_request_that_comes_again_takes_no_second_place(self) -> None:
        async with world(per_day=1) as town:

            async def full(user_id: str, *, remark: str = "", both: bool = True) -> None:
                raise ServerError("friend_response", 30010, "full")

            accept = town.bot.client.accept_friend_application
            town.bot.client.accept_friend_application = full  # type: ignore[method-assign]  # a server whose list is full
            await asks(town, "alice")
            town.bot.client.accept_friend_application = accept  # type: ignore[method-assign]  # and has room again
            await asyncio.sleep(2)
            await asks(town, "alice")
            assert outcomes(town) == ["failed", "accept: done"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("rules: [{do: accept}]", "1: rules.0: a rule needs something to fit: keywords, regex or source"),
        ("rules: [{keywords: [x]}]", "1: rules.0.do: this is needed"),
        ("rules: [{keywords: [x], do: reject}]", "1: rules.0.do: one of accept, refuse or leave is needed"),
        ("rules: [{keywords: [''], do: accept}]", "1: rules.0.keywords.0: a text with something in it is needed"),
        ("rules: [{regex: '(a+)+\\1$', do: accept}]", "1: rules.0.regex: '(a+)+\\1$' may run away"),
        ("rules: [{source: [], do: accept}]", "1: rules.0.source: this must not be empty"),
        ("rules: [{source: [WebPages2], do: accept}]", "1: rules.0.source.0: no request can come from there"),
        ("rules: [{keywords: [x], do: refuse, remark: x}]", "1: rules.0.remark: this rule accepts nobody"),
        ("rules: [{keywords: [x], do: leave, welcome: x}]", "1: rules.0.welcome: this rule accepts nobody"),
        (
            "rules:\n- {keywords: [money], do: refuse}\n- {keywords: [free money], do: accept}",
            "3: rules.1.keywords.0: no request gets here: rules.0 takes it first",
        ),
        (
            "rules:\n- {regex: a.c, do: refuse}\n- {regex: a.c, source: [Web], do: accept}",
            "3: rules.1.regex: no request gets here: rules.0 takes it first",
        ),
        (
            "rules:\n- {regex: a.c, do: refuse}\n- {regex: {regex: a.c, case: true}, do: accept}",
            "3: rules.1.regex: no request gets here: rules.0 takes it first",
        ),
        (
            "rules:\n- {source: [Web, Card], do: refuse}\n- {source: [card], keywords: [x], do: accept}",
            "3: rules.1: no request gets here: rules.0 takes it first",
        ),
        ("allow: [alice]\ndeny: [alice]", "1: allow.0: 'alice' is denied too"),
        ("allow: [vip_1]\ndeny: [vip_*]", "1: allow.0: 'vip_1' is denied too"),
        ("allow: [vip_a*]\ndeny: [vip_*]", "1: allow.0: 'vip_a*' is denied too"),
        ("allow: ['*']", "1: allow.0: a user ID is needed, or the beginning of one and a star"),
        ("deny: ['a*b']", "1: deny.0: a star stands at the end only"),
        ("deny: [10001]", "1: deny.0: a text is needed: put it in quotes"),
        ("deny: [x]\ndefault: leave\nper_day: 5", "3: per_day: nobody is ever accepted"),
        ("deny: [x]\ndefault: refuse\nwelcome: x", "3: welcome: nobody is ever accepted"),
        ("per_day: 0", "1: per_day: at least 1 is needed"),
        ("tz: Asia/Shanghia", "1: tz: There is no time zone 'Asia/Shanghia'. Did you mean 'Asia/Shanghai'?"),
        ("welcome: '{{ sender.nmae }}'", "1: welcome: tried with made-up values"),
        ("welcome: '{{ nick }}'", "1: welcome: Line 1 of the template: There is no variable 'nick' here"),
        ("welcome: []", "1: welcome: this must not be empty"),
        ("remarks: x", "1: remarks: there is no such key; did you mean remark?"),
    ],
)
def test_mistakes_are_named_with_their_place(settings: str, problem: str, tmp_path: Path) -> None:
    found = problems("auto_accept", settings, tmp_path)
    assert len(found) == 1
    assert found[0].startswith(problem), found


@pytest.mark.parametrize(
    "settings",
    [
        "rules:\n- {keywords: [money], source: [Web], do: refuse}\n- {keywords: [money], do: accept}",
        "rules:\n- {keywords: [free money], do: refuse}\n- {keywords: [money], do: accept}",
        "rules:\n- {source: [Web], do: refuse}\n- {source: [Web, Card], do: accept}",
        "rules:\n- {regex: {regex: a.c, case: true}, do: refuse}\n- {regex: a.c, do: accept}",
        "allow: [vip_*]\ndeny: [vip_1]",
        "deny: [x]\nper_day: 5",
        "rules: [{regex: '(a+)+$', unsafe_regex: true, do: accept}]",
    ],
)
def test_what_is_fine(settings: str, tmp_path: Path) -> None:
    assert problems("auto_accept", settings, tmp_path) == []


class TestPage:
    def test_the_example_loads(self, tmp_path: Path) -> None:
        [example] = examples("auto_accept.md")
        assert isinstance(loaded(example, tmp_path).settings, Settings)

    def test_the_tables_are_complete(self) -> None:
        assert tables("auto_accept.md") == keys(Settings, Rule)
