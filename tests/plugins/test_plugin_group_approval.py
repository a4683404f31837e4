"""group_approval: who comes in, who is refused with which words, and who is left to a person."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue
from settings_site import examples, loaded, outcomes, problems
from timbot_plugins.group_approval import bot
from timbot_plugins.group_approval.codes import codes_in
from timbot_plugins.group_approval.seats import seats_of
from timbot_plugins.group_approval.settings import Rule, Settings

from timbot import GroupNotice
from timbot.errors import ServerError
from timbot.im.model.events import NoticeType
from timbot.runtime.enabled import enable
from timbot.sandbox.domain.group_rules import GroupType, Role
from timbot.sandbox.domain.messages import GroupChanges
from timbot.testing import World

USERS = ("alice", "bob", "carol", "vip_1", "spam_1")


def world(**settings: JsonValue) -> World:
    return World(bot, users=USERS, configs={"group_approval": settings})


def rule(do: str, **more: JsonValue) -> JsonValue:
    return {"do": do, **more}


def found_group(world: World, group_id: str = "den", *members: str, name: str = "Den") -> None:
    """A group of the bot's in which whoever wants in has to ask."""
    domain = world.sandbox.domain
    domain.groups.create("bot", GroupType.PUBLIC, GroupChanges(name=name), group_id=group_id)
    if members:
        domain.group_members.add("administrator", group_id, members)
    world.sandbox.flush()


async def asks(world: World, user: str, wording: str = "", group: str = "den") -> str:
    """Somebody asks to be let in. What the server's notice tells them: 'in: ...', 'out: ...' or nothing (empty)."""
    person = await world.user(user)
    seen = len(person.events)
    await person.client.join_group(group, apply_message=wording)
    await world.settle()
    told = [event for event in person.events[seen:] if isinstance(event, GroupNotice)]
    words = {NoticeType.JOIN_ACCEPTED: "in", NoticeType.JOIN_REFUSED: "out"}
    return " and ".join(f"{words[notice.type]}: {notice.text}" for notice in told if notice.type in words)


async def heard(world: World, user: str) -> list[object]:
    return list(await (await world.user(user)).answers())


class TestDecisions:
    async def test_what_nothing_decides_is_left_to_a_person(self) -> None:
        async with world(allow=["bob"]) as town:
            found_group(town)
            assert await asks(town, "alice") == ""
            assert outcomes(town) == ["left to a person"]

    @pytest.mark.parametrize(("default", "told"), [("accept", "in: "), ("refuse", "out: ")])
    async def test_the_default_is_the_operators(self, default: str, told: str) -> None:
        async with world(default=default) as town:
            found_group(town)
            assert await asks(town, "alice") == told

    async def test_the_deny_list_is_asked_before_all_else(self) -> None:
        async with world(deny=["spam_*"], rules=[rule("accept", keywords=["please"])], default="accept") as town:
            found_group(town)
            assert await asks(town, "spam_1", "please") == "out: "
            assert await asks(town, "alice", "please") == "in: "

    async def test_the_allow_list_is_asked_before_the_rules(self) -> None:
        async with world(allow=["vip_*"], rules=[rule("refuse", keywords=["please"])]) as town:
            found_group(town)
            assert await asks(town, "vip_1", "please") == "in: "
            assert await asks(town, "alice", "please") == "out: "

    async def test_the_first_rule_that_fits_decides(self) -> None:
        rules = [rule("refuse", keywords=["free money"]), rule("leave", regex="mon.y"), rule("accept", keywords=["please"])]
        async with world(rules=rules) as town:
            found_group(town)
            assert await asks(town, "alice", "please, free money") == "out: "
            assert await asks(town, "bob", "money please") == ""
            assert await asks(town, "carol", "please") == "in: "

    async def test_groups_have_settings_of_their_own(self) -> None:
        groups: JsonValue = {"open": {"default": "accept"}, "closed": {"rules": [], "reason": "No."}}
        async with world(default="refuse", rules=[rule("accept", keywords=["please"])], reason="Sorry.", groups=groups) as town:
            for group in ("den", "open", "closed"):
                found_group(town, group)
            told = [await asks(town, "alice", "hello", group) for group in ("den", "open", "closed")]
            assert told == ["out: Sorry.", "in: ", "out: No."]
            told = [await asks(town, "bob", "please", group) for group in ("den", "open", "closed")]
            assert told == ["in: ", "in: ", "out: No."]


class TestRules:
    @pytest.mark.parametrize("wording", ["42", " 42! ", "４２", "Forty-Two", "四十二。", "「四十二」"])
    def test_answers_that_are_right(self, wording: str) -> None:
        assert a_rule(answers=["42", "forty-two", "四十二"]).fits(wording)

    @pytest.mark.parametrize("wording", ["", "42 or 43", "142", "四十二吗", "forty two"])
    def test_answers_that_are_wrong(self, wording: str) -> None:
        assert not a_rule(answers=["42", "forty-two", "四十二"]).fits(wording)

    @pytest.mark.parametrize(
        ("wording", "fits"), [("I am a Student", True), ("students", False), ("ROOM 17", True), ("room", False)]
    )
    def test_words_and_patterns(self, wording: str, fits: bool) -> None:
        assert a_rule(keywords=["student"], regex=r"room \d+").fits(wording) is fits


def a_rule(**settings: JsonValue) -> Rule:
    found = enable(bot, {"rules": [{"do": "accept", **settings}]}).settings
    assert isinstance(found, Settings)
    return found.rules[0]


def with_codes(*codes: JsonValue, **more: JsonValue) -> World:
    return world(**{"rules": [rule("accept", codes=list(codes))], "default": "refuse", **more})


class TestCodes:
    @pytest.mark.parametrize(
        "wording",
        ["SPRING-26", "spring-26", "My code: Spring-26.", "code: --spring-26-", "邀请码ＳＰＲＩＮＧ-26！", "x\nspring-26\ny"],
    )
    async def test_a_code_lets_in(self, wording: str) -> None:
        async with with_codes("Spring-26") as town:
            found_group(town)
            assert await asks(town, "alice", wording) == "in: "

    @pytest.mark.parametrize("wording", ["", "spring", "spring-2", "spring-26-x", "x-spring-26", "aspring-26", "spring 26"])
    async def test_what_is_no_code_does_not(self, wording: str) -> None:
        async with with_codes("Spring-26") as town:
            found_group(town)
            assert await asks(town, "alice", wording) == "out: "

    async def test_a_code_is_for_one_user(self) -> None:
        async with with_codes("spring-26") as town:
            found_group(town)
            assert await asks(town, "alice", "spring-26") == "in: "
            assert await asks(town, "bob", "SPRING-26") == "out: "

    async def test_the_same_user_may_use_it_again(self) -> None:
        async with with_codes("spring-26") as town:
            found_group(town)
            found_group(town, "attic")
            assert await asks(town, "alice", "spring-26") == "in: "
            assert await asks(town, "alice", "spring-26", "attic") == "in: "

    async def test_of_two_at_once_one_comes_in_and_the_other_is_refused(self) -> None:
        async with with_codes("spring-26") as town:
            found_group(town)
            alice, bob = await town.user("alice"), await town.user("bob")
            await asyncio.gather(*(person.client.join_group("den", apply_message="spring-26") for person in (alice, bob)))
            await town.settle()
            assert sorted(outcomes(town)) == ["accept: done", "reject: done"]

    async def test_whoever_was_slower_keeps_no_seat(self) -> None:
        async with with_codes("spring-26", "summer-26", max_members=3) as town:
            found_group(town)
            alice, bob = await town.user("alice"), await town.user("bob")
            await asyncio.gather(*(person.client.join_group("den", apply_message="spring-26") for person in (alice, bob)))
            assert await asks(town, "carol", "summer-26") == "in: "

    async def test_a_second_code_counts_where_the_first_is_spent(self) -> None:
        async with with_codes("spring-26", "summer-26") as town:
            found_group(town)
            assert await asks(town, "alice", "spring-26") == "in: "
            assert await asks(town, "bob", "spring-26 or summer-26?") == "in: "
            assert await asks(town, "carol", "summer-26") == "out: "

    async def test_a_full_group_spends_none(self) -> None:
        async with with_codes("spring-26", max_members=1, full="refuse", groups={"attic": {"max_members": 5}}) as town:
            found_group(town)
            found_group(town, "attic")
            assert await asks(town, "alice", "spring-26") == "out: "
            assert await asks(town, "bob", "spring-26", "attic") == "in: "

    async def test_codes_in_a_file(self, tmp_path: Path) -> None:
        tmp_path.joinpath("codes.txt").write_text("spring-26, summer-26 # for friends\n\n# gone: winter-26\nautumn-26\n")
        enabled = loaded(examples("group_approval.md")[1], tmp_path)
        assert isinstance(enabled.settings, Settings)
        assert enabled.settings.rules[0].codes == ("spring-26", "summer-26", "autumn-26")

    async def test_a_file_with_one_code_of_digits(self, tmp_path: Path) -> None:
        tmp_path.joinpath("codes.txt").write_text("12345678")
        enabled = loaded(examples("group_approval.md")[1], tmp_path)
        assert isinstance(enabled.settings, Settings)
        assert enabled.settings.rules[0].codes == ("12345678",)

    async def test_codes_are_in_no_log(self, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        async with with_codes("spring-26", max_members=2) as town:
            found_group(town)
            await asks(town, "alice", "spring-26")
            await asks(town, "bob", "spring-26")
            assert len(outcomes(town)) == 2
        printed = capsys.readouterr()
        assert "accept: done" in printed.out + printed.err
        assert "spring" not in (printed.out + printed.err + caplog.text).casefold()

    def test_mistakes_do_not_show_them(self, tmp_path: Path) -> None:
        [problem] = problems("group_approval", "rules: [{codes: 'spring-26 abc', do: accept}]", tmp_path)
        assert (
            problem == "1: rules.0.codes: line 1 of the text: a code is 4 to 64 letters and digits, with - and _ between them"
        )


@given(st.lists(st.from_regex(r"\A[a-z0-9][a-z0-9_-]{2,8}[a-z0-9]\Z"), min_size=1, max_size=5, unique=True), st.data())
def test_a_code_is_found_between_whatever_is_no_part_of_one(codes: list[str], data: st.DataObject) -> None:
    between = st.sampled_from([" ", "\n", ":", "码", "！", ", ", "(", "。"])
    text = "".join(data.draw(between) + code.upper() for code in codes) + data.draw(between)
    assert codes_in(text, codes) == codes


class TestMemberCap:
    async def test_those_beyond_are_left(self) -> None:
        async with world(default="accept", max_members=2) as town:
            found_group(town)
            assert await asks(town, "alice") == "in: "
            assert await asks(town, "bob") == ""

    async def test_or_refused_with_a_reason(self) -> None:
        full: dict[str, JsonValue] = {"max_members": 2, "full": "refuse", "full_reason": "{{ group.name }} is full."}
        async with world(default="accept", reason="No.", deny=["spam_1"], **full) as town:
            found_group(town, "den", "carol")
            assert await asks(town, "alice") == "out: Den is full."
            assert await asks(town, "spam_1") == "out: No."

    async def test_many_at_once_do_not_go_beyond_it(self) -> None:
        async with world(default="accept", max_members=3) as town:
            found_group(town)
            people = [await town.user(user) for user in USERS]
            await asyncio.gather(*(person.client.join_group("den") for person in people))
            await town.settle()
            assert sorted(outcomes(town)) == ["accept: done"] * 2 + ["left to a person"] * 3

    async def test_whoever_has_come_in_needs_no_second_seat(self) -> None:
        async with world(default="accept", max_members=4) as town:
            found_group(town)
            assert [await asks(town, user) for user in ("alice", "bob", "carol", "vip_1")] == ["in: "] * 3 + [""]

    async def test_a_seat_for_somebody_who_does_not_come_is_free_after_a_while(self) -> None:
        async with world(default="accept", max_members=2) as town:
            found_group(town)

            async def quicker(*_: object, **__: object) -> None:
                raise ServerError("handle_apply_join_group", 10024)

            handle = town.bot.client.handle_group_application
            town.bot.client.handle_group_application = quicker  # type: ignore[method-assign]  # an admin who refuses
            await asks(town, "alice")
            town.bot.client.handle_group_application = handle  # type: ignore[method-assign]  # and goes away
            assert await asks(town, "bob") == ""
            await asyncio.sleep(60)
            assert await asks(town, "carol") == "in: "

    async def test_ones_own_seat_is_nobody_elses(self) -> None:
        async with world(default="accept") as town:
            found_group(town)
            seats = seats_of(town.bot.client)
            assert [await seats.keep("den", user, 2) for user in ("alice", "bob", "alice")] == [True, False, True]

    async def test_whoever_was_too_many_keeps_no_seat(self) -> None:
        async with world(default="accept", max_members=2) as town:
            found_group(town)
            await asks(town, "alice")
            await asks(town, "bob")
            await (await town.user("alice")).client.quit_group("den")
            assert await asks(town, "carol") == "in: "

    async def test_room_that_is_made_is_used(self) -> None:
        async with world(default="accept", max_members=2) as town:
            found_group(town)
            await asks(town, "alice")
            await (await town.user("alice")).client.quit_group("den")
            assert await asks(town, "bob") == "in: "


WAIT: dict[str, JsonValue] = {"cooldown": "10m", "cooldown_reason": "Wait {{ minutes }} min.", "reason": "No."}


class TestCooldown:
    async def test_whoever_was_refused_waits(self) -> None:
        async with world(rules=[rule("accept", answers=["42"])], default="refuse", **WAIT) as town:
            found_group(town)
            assert await asks(town, "alice", "41") == "out: No."
            assert await asks(town, "alice", "42") == "out: Wait 10 min."
            await asyncio.sleep(9 * 60)
            assert await asks(town, "alice", "42") == "out: Wait 1 min."
            await asyncio.sleep(60)
            assert await asks(town, "alice", "42") == "in: "

    async def test_trying_meanwhile_does_not_make_it_longer(self) -> None:
        async with world(default="refuse", **WAIT) as town:
            found_group(town)
            await asks(town, "alice")
            await asyncio.sleep(5 * 60)
            assert await asks(town, "alice") == "out: Wait 5 min."
            await asyncio.sleep(5 * 60)
            assert await asks(town, "alice") == "out: No."

    async def test_others_and_other_groups_do_not_wait(self) -> None:
        async with world(rules=[rule("refuse", keywords=["spam"])], default="accept", **WAIT) as town:
            found_group(town)
            found_group(town, "attic")
            await asks(town, "alice", "spam")
            assert await asks(town, "bob") == "in: "
            assert await asks(town, "alice", "", "attic") == "in: "

    async def test_without_words_of_its_own_it_says_the_reason(self) -> None:
        async with world(rules=[rule("refuse", keywords=["spam"])], default="accept", cooldown="1h", reason="No.") as town:
            found_group(town)
            await asks(town, "alice", "spam")
            assert await asks(town, "alice", "hello") == "out: No."

    async def test_it_does_not_grow_without_words_of_its_own_either(self) -> None:
        async with world(rules=[rule("refuse", keywords=["spam"])], default="accept", cooldown="10m") as town:
            found_group(town)
            await asks(town, "alice", "spam")
            await asyncio.sleep(8 * 60)
            assert await asks(town, "alice", "hello") == "out: "
            await asyncio.sleep(2 * 60)
            assert await asks(town, "alice", "hello") == "in: "

    async def test_a_full_group_has_none(self) -> None:
        more: dict[str, JsonValue] = {"max_members": 2, "full": "refuse", "rules": [rule("refuse", keywords=["spam"])]}
        async with world(default="accept", **WAIT, **more) as town:
            found_group(town)
            await asks(town, "alice")
            assert await asks(town, "bob") == "out: "
            await (await town.user("alice")).client.quit_group("den")
            assert await asks(town, "bob") == "in: "

    async def test_it_is_forgotten_when_it_is_over(self) -> None:
        async with world(default="refuse", **WAIT) as town:
            found_group(town)
            await asks(town, "alice")
            store = town.database.scope("bot", "group_approval")
            assert len(await store.keys()) == 1
            await asyncio.sleep(2 * 3600)
            assert await store.keys() == []


class TestTexts:
    async def test_all_that_is_said(self) -> None:
        texts: dict[str, JsonValue] = {
            "message": "Come in, {{ sender.name }}.",
            "welcome": ["{{ sender.id }} is in {{ group.name }} ({{ group.id }}).", "They wrote '{{ wording }}'."],
        }
        async with world(default="accept", **texts) as town:
            found_group(town, "den", "carol")
            await town.user("carol")
            assert await asks(town, "alice", "{{ 7 * 7 }}") == "in: Come in, alice."
            assert await heard(town, "carol") == ["alice is in Den (den).", "They wrote '{{ 7 * 7 }}'."]

    async def test_a_rule_may_have_its_own(self) -> None:
        rules = [
            rule("accept", keywords=["student"], message="Room 1.", welcome="A student."),
            rule("refuse", keywords=["teacher"], reason="Not for teachers."),
            rule("accept", keywords=["guest"]),
        ]
        common: dict[str, JsonValue] = {"message": "Come in.", "welcome": "Somebody.", "reason": "No."}
        async with world(rules=rules, default="refuse", **common) as town:
            found_group(town, "den", "carol")
            await town.user("carol")
            told = [await asks(town, *who) for who in (("alice", "student"), ("bob", "teacher"), ("vip_1", "guest"))]
            assert told == ["in: Room 1.", "out: Not for teachers.", "in: Come in."]
            assert await asks(town, "spam_1", "") == "out: No."
            assert await heard(town, "carol") == ["A student.", "Somebody."]

    async def test_of_two_bots_one_says_welcome(self) -> None:
        async with world(default="accept", welcome="Welcome, {{ sender.id }}!") as town:
            found_group(town, "den", "carol")
            second = await town.add_bot("second", bot)
            await second.client.join_group("den")
            await town.settle()
            town.sandbox.domain.group_members.set_role("bot", "den", "second", Role.ADMIN)
            town.sandbox.flush()
            await heard(town, "carol")
            assert await asks(town, "alice") == "in: "
            assert await heard(town, "carol") == ["Welcome, alice!"]
            assert sorted(outcomes(town))[1:] == ["accept: done", "accept: done by somebody else"]
