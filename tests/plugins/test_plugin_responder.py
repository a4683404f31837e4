"""responder: which answer a message gets, when and where."""

from __future__ import annotations

import asyncio

from pydantic import JsonValue
from responder_site import HOURS, MENU, as_dict, group_of, heard, other, rule, set_clock, world

from timbot import Context, Text


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
