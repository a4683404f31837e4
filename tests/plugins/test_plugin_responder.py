"""responder: which answer a message gets, when, where, and when a person has the conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import JsonValue
from timbot_plugins.responder import bot

from timbot import Context, OwnMessage, Plugin, Text
from timbot.im.model.group import GroupType
from timbot.im.wire.elements import TextElem, seal_element
from timbot.testing import World
from timbot.testing.world import Person

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOURS: dict[str, JsonValue] = {
    "tz": "Asia/Shanghai",
    "open": ["mon-fri 09:00-18:00", "sat 10:00-14:00"],
    "closed": ["2026-12-25", "2026-10-01..2026-10-07"],
    "answer": "We are closed until {{ next_open | strftime('%a %H:%M') }}.",
}


def world(*others: Plugin, **settings: JsonValue) -> World:
    return World(bot, *others, configs={"responder": settings})


def rule(reply: JsonValue, **more: JsonValue) -> JsonValue:
    return {**more, "reply": reply}


async def group_of(world: World, *members: str) -> str:
    """A group of alice's with the bot in it."""
    alice = await world.user("alice")
    await alice.client.create_group(GroupType.WORK, "Den", group_id="den", member_list=["bot", *members])
    await world.settle()
    await alice.answers()
    return "den"


def set_clock(world: World, text: str, zone: ZoneInfo = SHANGHAI) -> None:
    world.clock.set(datetime.fromisoformat(text).replace(tzinfo=zone))


async def heard(person: Person, texts: Sequence[str]) -> list[list[object]]:
    return [list(await person.says(text)) for text in texts]


class TestMatching:
    async def test_exact_is_the_whole_message_without_case_width_and_punctuation(self) -> None:
        async with world(rules=[rule("hello", exact=["Hi", "你好", "good  morning"])]) as town:
            alice = await town.user("alice")
            for text in ["hi", "HI!", " ｈｉ ", "你好！", "「你好」", "good morning...", "Good\nMorning"]:
                assert await alice.says(text) == ["hello"], text
            for text in ["hi there", "this", "你好吗", "goodmorning"]:
                assert await alice.says(text) == [], text

    async def test_a_keyword_is_a_word_and_not_part_of_one(self) -> None:
        async with world(rules=[rule("found", keywords=["hi", "C++", "naïve"])]) as town:
            alice = await town.user("alice")
            for text in ["oh hi there", "hi你好", "好hi", "say 'hi'", "I like C++.", "so naïve, yes", "ＨＩ"]:
                assert await alice.says(text) == ["found"], text
            for text in ["this", "hill", "high", "hi2", "aC++", "naïvely"]:
                assert await alice.says(text) == [], text

    async def test_a_keyword_with_vietnamese_letters_is_a_word_too(self) -> None:
        async with world(rules=[rule("found", keywords=["mẹ"])]) as town:
            alice = await town.user("alice")
            assert await alice.says("Chào mẹ!") == ["found"]
            assert await alice.says("mẹt") == []

    async def test_a_chinese_keyword_is_anywhere(self) -> None:
        async with world(rules=[rule("found", keywords=["退款"])]) as town:
            alice = await town.user("alice")
            for text in ["退款", "我要退款吗", "order12退款now"]:
                assert await alice.says(text) == ["found"], text
            assert await alice.says("退 款") == []

    async def test_a_phrase_bridges_any_white_space_and_curly_quotes(self) -> None:
        async with world(rules=[rule("found", keywords=["what's up doc"])]) as town:
            alice = await town.user("alice")
            assert await alice.says("hey, What’s  up\ndoc?") == ["found"]

    async def test_named_groups_are_variables(self) -> None:
        async with world(rules=[rule("We look up {{ number }}.", regex=r"order\s*#?(?P<number>\d+)")]) as town:
            alice = await town.user("alice")
            assert await alice.says("Where is my ORDER #１２３?") == ["We look up 123."]
            assert await alice.says("Where is my order?") == []

    async def test_a_group_is_empty_where_a_word_was_enough(self) -> None:
        only = rule("[{{ number }}]", keywords=["order"], regex=r"order (?P<number>\d+)")
        async with world(rules=[only]) as town:
            alice = await town.user("alice")
            assert await alice.says("order 7") == ["[7]"]
            assert await alice.says("order it") == ["[]"]

    async def test_only_the_beginning_of_a_long_message_is_looked_at(self) -> None:
        async with world(rules=[rule("found", keywords=["refund"])]) as town:
            alice = await town.user("alice")
            assert await alice.says("x " * 490 + "refund") == ["found"]
            assert await alice.says("x " * 500 + "refund") == []


class TestOrder:
    async def test_the_first_rule_that_fits_answers_alone(self) -> None:
        rules = [rule("one", keywords=["refund"]), rule("two", regex="refunds?"), rule("three", exact=["money"])]
        async with world(rules=rules) as town:
            alice = await town.user("alice")
            assert await heard(alice, ["refund", "refunds", "money"]) == [["one"], ["two"], ["three"]]

    async def test_rules_are_asked_from_top_to_bottom_whatever_their_kind(self) -> None:
        rules = [
            rule("regex", regex="^re"),
            rule("keyword", keywords=["money"]),
            rule("exact", exact=["good money after bad"], when="always"),
        ]
        async with world(hours=HOURS, rules=rules) as town:
            set_clock(town, "2026-01-06 12:00")
            alice = await town.user("alice")
            assert await alice.says("refund money") == ["regex"]
            assert await alice.says("good money after bad") == ["keyword"]

    async def test_several_replies_come_in_order(self) -> None:
        async with world(rules=[rule(["one", "two", "three"], exact=["count"])]) as town:
            alice = await town.user("alice")
            assert await alice.says("count") == ["one", "two", "three"]

    async def test_what_renders_to_nothing_is_not_said(self) -> None:
        async with world(rules=[rule(["{% if text == 'x' %}one{% endif %}", "two"], exact=["count"])]) as town:
            alice = await town.user("alice")
            assert await alice.says("count") == ["two"]


class TestOthers:
    async def test_without_an_answer_the_next_plugin_is_asked(self) -> None:
        async with world(other(), rules=[rule("hello", exact=["hi"])]) as town:
            alice = await town.user("alice")
            assert await alice.says("hi") == ["hello"]
            assert await alice.says("what") == ["the other one"]

    async def test_with_a_fall_back_it_is_not(self) -> None:
        async with world(other(), fallback="?") as town:
            alice = await town.user("alice")
            assert await alice.says("what") == ["?"]

    async def test_commands_of_other_plugins_come_first(self) -> None:
        talker = other()

        @talker.on_command("time")
        async def time(_: Context[Text]) -> str:
            return "late"

        async with world(talker, fallback="?") as town:
            alice = await town.user("alice")
            assert await alice.says("/time") == ["late"]


def other() -> Plugin:
    plugin = Plugin("other")

    @plugin.on_text
    async def anything(_: Context[Text]) -> str:
        return "the other one"

    return plugin


class TestVariables:
    async def test_what_a_text_knows(self) -> None:
        text = "{{ sender.name }}|{{ sender.id }}|{{ group }}|{{ text }}|{{ now | strftime('%H:%M') }}|{{ shop }}|{{ fee }}"
        settings: dict[str, JsonValue] = {"variables": {"shop": "Nine Dragons", "fee": 5}, "hours": HOURS}
        async with world(**settings, rules=[rule(text, exact=["tell"])]) as town:
            set_clock(town, "2026-01-06 12:00")
            alice = await town.user("alice")
            await alice.client.update_my_profile(nick="Alice")
            assert await alice.says("Tell!") == ["Alice|alice||Tell!|12:00|Nine Dragons|5"]

    async def test_what_people_write_is_never_a_template(self) -> None:
        async with world(rules=[rule("{{ sender.name }} said {{ text }}", keywords=["x"])]) as town:
            alice = await town.user("alice")
            await alice.client.update_my_profile(nick="{{ 7*7 }}")
            assert await alice.says("x {{ 7*7 }}") == ["{{ 7*7 }} said x {{ 7*7 }}"]


class TestHours:
    async def test_closed_is_answered_with_the_closed_sentence(self) -> None:
        async with world(hours=HOURS, rules=[rule("hello", exact=["hi"])], fallback="?") as town:
            alice = await town.user("alice")
            set_clock(town, "2026-01-09 17:59:50")
            assert await heard(alice, ["hi", "what"]) == [["hello"], ["?"]]
            set_clock(town, "2026-01-09 18:00")
            assert await heard(alice, ["hi", "what"]) == [["We are closed until Sat 10:00."]] * 2
            set_clock(town, "2026-01-10 14:00")
            assert await alice.says("hi") == ["We are closed until Mon 09:00."]

    async def test_when_says_which_rules_are_for_which_hours(self) -> None:
        rules = [
            rule("open", exact=["a"]),
            rule("closed", exact=["a", "b"], when="closed"),
            rule("always", exact=["c"], when="always"),
        ]
        async with world(hours=HOURS, rules=rules) as town:
            alice = await town.user("alice")
            set_clock(town, "2026-01-06 12:00")
            assert await heard(alice, ["a", "b", "c"]) == [["open"], [], ["always"]]
            set_clock(town, "2026-01-06 22:00")
            assert await heard(alice, ["a", "b", "c"]) == [["closed"], ["closed"], ["always"]]

    async def test_without_a_closed_sentence_the_fall_back_serves(self) -> None:
        hours = {key: value for key, value in HOURS.items() if key != "answer"}
        async with world(hours=hours, rules=[rule("hello", exact=["hi"])], fallback="?") as town:
            set_clock(town, "2026-01-06 22:00")
            alice = await town.user("alice")
            assert await alice.says("hi") == ["?"]

    async def test_a_holiday_is_closed_and_the_next_day_is_open(self) -> None:
        async with world(hours=HOURS, fallback="?") as town:
            alice = await town.user("alice")
            set_clock(town, "2026-12-25 12:00")
            assert await alice.says("hi") == ["We are closed until Sat 10:00."]
            set_clock(town, "2026-12-26 12:00")
            assert await alice.says("hi") == ["?"]

    async def test_the_closed_sentence_may_be_said_once_in_a_while(self) -> None:
        async with world(hours={**HOURS, "answer_once_per": "10m"}, rules=[rule("x", exact=["x"])]) as town:
            set_clock(town, "2026-01-06 22:00")
            alice, bob = await town.user("alice"), await town.user("bob")
            assert len(await alice.says("one")) == 1
            assert await alice.says("two") == []
            assert len(await bob.says("one")) == 1
            await asyncio.sleep(600)
            assert len(await alice.says("three")) == 1


class TestFallback:
    async def test_it_may_be_said_once_in_a_while(self) -> None:
        async with world(fallback=["Sorry?", "Try: menu"], fallback_once_per="10m") as town:
            alice, bob = await town.user("alice"), await town.user("bob")
            assert await alice.says("one") == ["Sorry?", "Try: menu"]
            assert await alice.says("two") == []
            assert await bob.says("one") == ["Sorry?", "Try: menu"]
            await asyncio.sleep(590)
            assert await alice.says("three") == []
            await asyncio.sleep(20)
            assert await alice.says("four") == ["Sorry?", "Try: menu"]

    async def test_in_a_group_everybody_hears_it_once(self) -> None:
        async with world(fallback="?", fallback_once_per="10m") as town:
            den = await group_of(town, "bob")
            alice, bob = await town.user("alice"), await town.user("bob")
            assert (await alice.says("one", group=den, mention=True))[-1] == "?"
            await bob.answers()
            assert await bob.says("one", group=den, mention=True) == ["?"]
            assert await bob.says("two", group=den, mention=True) == []


MENU: JsonValue = {
    "on": ["menu", "菜单", "0"],
    "text": "1 prices, 2 tea, 3 a person",
    "items": {
        "1": ["Green 5.", "Black 6."],
        "2": {"text": "a green, b black", "items": {"a": "Green it is, {{ sender.name }}.", "B": "Black."}},
        "3": {"reply": "Please wait.", "hand_over": True},
    },
}


class TestMenu:
    async def test_choices_count_once_it_was_shown(self) -> None:
        async with world(menu=MENU, fallback="?") as town:
            alice = await town.user("alice")
            assert await alice.says("1") == ["?"]
            assert await alice.says("Menu!") == ["1 prices, 2 tea, 3 a person"]
            assert await alice.says("1") == ["Green 5.", "Black 6."]
            assert await alice.says("１.") == ["Green 5.", "Black 6."]
            assert await alice.says("4") == ["?"]
            assert await alice.says("a") == ["?"]

    async def test_menus_within_menus_and_back(self) -> None:
        async with world(menu=MENU, fallback="?") as town:
            alice = await town.user("alice")
            said = await heard(alice, ["菜单", "2", "b", "A", "1", "0", "1"])
            assert said[1:] == [
                ["a green, b black"],
                ["Black."],
                ["Green it is, alice."],
                ["?"],
                ["1 prices, 2 tea, 3 a person"],
                ["Green 5.", "Black 6."],
            ]

    async def test_a_menu_is_its_persons(self) -> None:
        async with world(menu=MENU, fallback="?") as town:
            alice, bob = await town.user("alice"), await town.user("bob")
            await alice.says("menu")
            assert await bob.says("1") == ["?"]
            assert await alice.says("1") == ["Green 5.", "Black 6."]

    async def test_a_menu_is_its_persons_in_a_group_too(self) -> None:
        async with world(menu=MENU, fallback="?") as town:
            den = await group_of(town, "bob")
            alice, bob = await town.user("alice"), await town.user("bob")
            await alice.says("menu", group=den, mention=True)
            assert (await bob.says("1", group=den, mention=True))[-1] == "?"
            await alice.answers()
            assert await alice.says("1", group=den, mention=True) == ["Green 5.", "Black 6."]
            assert await alice.says("1") == ["?"]

    async def test_choices_are_forgotten_after_a_while_without_use(self) -> None:
        async with world(menu={**as_dict(MENU), "forget_after": "5m"}, fallback="?") as town:
            alice = await town.user("alice")
            await alice.says("menu")
            await asyncio.sleep(250)
            assert await alice.says("1") == ["Green 5.", "Black 6."]
            await asyncio.sleep(250)
            assert await alice.says("1") == ["Green 5.", "Black 6."]
            await asyncio.sleep(310)
            assert await alice.says("1") == ["?"]

    async def test_the_menu_comes_before_the_rules(self) -> None:
        async with world(menu=MENU, rules=[rule("one", exact=["1"])]) as town:
            alice = await town.user("alice")
            assert await heard(alice, ["1", "menu", "1"]) == [
                ["one"],
                ["1 prices, 2 tea, 3 a person"],
                ["Green 5.", "Black 6."],
            ]

    async def test_it_is_for_open_hours_unless_it_says_otherwise(self) -> None:
        async with world(menu=MENU, hours=HOURS) as town:
            set_clock(town, "2026-01-06 22:00")
            alice = await town.user("alice")
            assert await alice.says("menu") == ["We are closed until Wed 09:00."]
        async with world(menu={**as_dict(MENU), "when": "always"}, hours=HOURS) as town:
            set_clock(town, "2026-01-06 22:00")
            alice = await town.user("alice")
            assert await heard(alice, ["menu", "1"]) == [["1 prices, 2 tea, 3 a person"], ["Green 5.", "Black 6."]]

    async def test_a_choice_hands_over(self) -> None:
        async with world(menu=MENU, fallback="?") as town:
            alice = await town.user("alice")
            assert await heard(alice, ["menu", "3", "hello?"]) == [["1 prices, 2 tea, 3 a person"], ["Please wait."], []]


def as_dict(value: JsonValue) -> dict[str, JsonValue]:
    assert isinstance(value, dict)
    return value


class TestGroups:
    async def test_in_a_group_only_who_mentions_the_bot_is_answered(self) -> None:
        async with world(rules=[rule("hello", exact=["hi"])], fallback="?") as town:
            den, alice = await group_of(town), await town.user("alice")
            assert await alice.says("hi", group=den) == []
            assert await alice.says("hi", group=den, mention=True) == ["hello"]
            assert await alice.says("what", group=den, mention=True) == ["?"]

    async def test_where_says_which_rules_are_for_groups(self) -> None:
        rules = [rule("in C2C", exact=["hi"], where="c2c"), rule("in {{ group }}", exact=["hi"], where="group")]
        async with world(rules=rules) as town:
            den, alice = await group_of(town), await town.user("alice")
            assert await alice.says("hi") == ["in C2C"]
            assert await alice.says("hi", group=den, mention=True) == ["in den"]


HAND_OVER = rule(["A colleague will be with you.", "Please wait."], keywords=["person", "人工"], hand_over=True)


class TestHandOver:
    async def test_the_bot_keeps_quiet_in_that_conversation_for_a_while(self) -> None:
        async with world(other(), rules=[HAND_OVER], fallback="?", quiet="30m") as town:
            alice, bob = await town.user("alice"), await town.user("bob")
            assert await alice.says("a person please") == ["A colleague will be with you.", "Please wait."]
            assert await alice.says("人工") == ["the other one"]  # the rest of the bot is not silenced
            assert await bob.says("hi") == ["?"]
            await asyncio.sleep(1750)
            assert await alice.says("hi") == ["the other one"]
            await asyncio.sleep(60)
            assert await alice.says("hi") == ["?"]

    async def test_a_message_that_waits_for_a_person_stays_unread(self) -> None:
        async with world(rules=[HAND_OVER]) as town:
            alice = await town.user("alice")
            await alice.says("person")
            await asyncio.sleep(5)
            before = len(alice.events)
            assert await alice.says("are you there?") == []
            await asyncio.sleep(5)
            assert [type(event).__name__ for event in alice.events[before:]] == []

    async def test_in_a_group_it_is_the_groups_conversation(self) -> None:
        async with world(rules=[HAND_OVER], fallback="?") as town:
            den = await group_of(town, "bob")
            alice, bob = await town.user("alice"), await town.user("bob")
            await alice.says("person", group=den, mention=True)
            await bob.answers()
            assert await bob.says("hi", group=den, mention=True) == []
            assert await bob.says("hi") == ["?"]

    async def test_the_staff_is_told(self) -> None:
        staff: JsonValue = {"users": ["bob"], "groups": ["den"], "text": "{{ sender.id }} wants a person: {{ text }}"}
        async with world(rules=[HAND_OVER], staff=staff) as town:
            await group_of(town, "bob")
            alice, bob = await town.user("alice"), await town.user("bob")
            await alice.says("person!")
            told = [message.text for message in bob.received() if message.text]
            assert told == ["alice wants a person: person!"] * 2
            assert {message.conversation_type.value for message in bob.received() if message.text} == {"C2C", "GROUP"}

    async def test_staff_that_cannot_be_told_keeps_nobody_else_from_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        staff: JsonValue = {"users": ["nobody", "bob"], "groups": ["no-group"], "text": "{{ sender.id }}"}
        async with world(rules=[HAND_OVER], staff=staff) as town:
            alice, bob = await town.user("alice"), await town.user("bob")
            assert await alice.says("person") == ["A colleague will be with you.", "Please wait."]
            assert await bob.answers() == ["alice"]
            assert await alice.says("hi") == []
        assert capsys.readouterr().out.count("staff not told") == 2


async def write_as_the_bot(world: World, text: str, to: str, *, group: bool = False) -> None:
    """What a colleague writes who is logged in as the bot's own account: the server tells the bot of it."""
    random = world.chance.randrange(1, 2**31)
    body = [seal_element(TextElem(text=text))]
    domain = world.sandbox.domain
    if group:
        domain.group_messages.send("bot", to, body, size=len(text), random=random)
    else:
        domain.chats.send("bot", to, body, size=len(text), sequence=1, random=random)
    world.sandbox.flush()
    await world.settle()


class TestSteppingBack:
    async def test_the_bot_keeps_quiet_where_a_colleague_writes(self) -> None:
        async with world(fallback="?") as town:
            alice, bob = await town.user("alice"), await town.user("bob")
            await write_as_the_bot(town, "I am Carol, how can I help?", "alice")
            assert await alice.says("oh hello") == ["I am Carol, how can I help?"]
            assert await bob.says("hi") == ["?"]
            await asyncio.sleep(1000)
            await write_as_the_bot(town, "Done.", "alice")
            assert await alice.says("thanks") == ["Done."]
            await asyncio.sleep(1000)
            assert await alice.says("thanks") == []
            await asyncio.sleep(1000)
            assert await alice.says("thanks") == ["?"]

    async def test_in_a_group_too(self) -> None:
        async with world(fallback="?") as town:
            den, alice = await group_of(town), await town.user("alice")
            await write_as_the_bot(town, "I am Carol.", den, group=True)
            assert await alice.says("hi", group=den, mention=True) == ["I am Carol."]
            assert await alice.says("hi") == ["?"]

    async def test_what_the_bot_says_itself_is_no_colleague(self) -> None:
        async with world(fallback="?") as town:
            alice = await town.user("alice")
            assert await alice.says("one") == ["?"]
            town.cut()
            await asyncio.sleep(30)
            assert await alice.says("two") == ["?"]

    async def test_a_short_word_does_not_end_a_longer_quiet(self) -> None:
        async with world(rules=[HAND_OVER], fallback="?") as town:
            alice = await town.user("alice")
            await alice.says("person")
            await asyncio.sleep(5)
            await write_as_the_bot(town, "Hello.", "alice")
            await alice.answers()
            await asyncio.sleep(1790)
            assert await alice.says("hi") == []

    async def test_it_can_be_switched_off(self) -> None:
        async with world(fallback="?", step_back=False) as town:
            alice = await town.user("alice")
            await write_as_the_bot(town, "I am Carol.", "alice")
            assert await alice.says("oh hello") == ["I am Carol.", "?"]

    async def test_other_plugins_see_the_message_too(self) -> None:
        seen: list[str] = []
        watcher = Plugin("watcher")

        @watcher.on_own_message
        async def note(ctx: Context[OwnMessage]) -> None:
            seen.append(ctx.payload.message.text)

        async with world(watcher, fallback="?") as town:
            await town.user("alice")
            await write_as_the_bot(town, "I am Carol.", "alice")
            assert seen == ["I am Carol."]


class TestMemory:
    async def test_what_is_over_is_forgotten_within_the_hour_and_the_rest_kept(self) -> None:
        menu = {**as_dict(MENU), "forget_after": "3h"}
        async with world(menu=menu, fallback="?", fallback_once_per="1m") as town:
            alice, bob = await town.user("alice"), await town.user("bob")
            await alice.says("menu")
            await alice.says("what")
            await bob.says("menu")
            await bob.says("3")
            store = town.database.scope("bot", "responder")
            assert [key.split("\n")[0] for key in await store.keys()] == ["menu", "menu", "quiet", "said"]
            await asyncio.sleep(3700)
            assert [key.split("\n")[0] for key in await store.keys()] == ["menu", "menu"]
            await asyncio.sleep(4 * 3600)
            assert await store.keys() == []

    async def test_it_survives_a_restart(self) -> None:
        async with world(menu=MENU, fallback="?") as town:
            alice, bob = await town.user("alice"), await town.user("bob")
            await alice.says("menu")
            await bob.says("menu")
            await bob.says("3")
            await town.bot.stop()
            await town.add_bot("bot", bot)
            assert await alice.says("1") == ["Green 5.", "Black 6."]
            assert await bob.says("hi") == []

    async def test_a_place_in_a_menu_that_is_gone_is_no_place(self) -> None:
        async with world(menu=MENU, fallback="?") as town:
            alice = await town.user("alice")
            store = town.database.scope("bot", "responder")
            await alice.says("menu")
            [key] = await store.keys()
            await store.set(key, {"until": town.clock.now() + 100, "path": ["2", "gone"]})
            assert await alice.says("a") == ["?"]
