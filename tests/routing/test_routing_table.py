"""Which routes get what, and in which order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timbot import Context, Custom, Face, GroupTip, MemberJoined, Plugin, ProfileUpdated, Text
from timbot.errors import PluginError
from timbot.im.model import events as model
from timbot.routing.plugin import Route, Tier
from timbot.routing.table import Table, open_to


async def handler(ctx: Context[Text]) -> None:
    """Stands for any handler."""


def names(routes: Iterable[Route]) -> list[str]:
    return [route.handler.__name__ for route in routes]


def reached(table: Table, text: str, *, addressed: bool = True, bot: bool = False) -> list[str]:
    routes, _ = table.for_text(text, addressed=addressed)
    return names(taking(routes, bot=bot))


def taking(routes: Iterable[Route], *, bot: bool) -> list[Route]:
    """Those that get it when none passes: up to the first that blocks."""
    found: list[Route] = []
    for route in open_to(routes, bot_speaking=bot):
        found.append(route)
        if route.block:
            break
    return found


def tip(kind: type[GroupTip] = GroupTip) -> GroupTip:
    return kind(model.TipType.MEMBER_JOIN, "g", "", "ann", ("ann",), ("",), 1, 1, 1)


@pytest.fixture
def bot() -> Plugin:
    plugin = Plugin("p")

    @plugin.on_text
    async def rest(ctx: Context[Text]) -> None: ...

    @plugin.on_command("dice", aliases=["Roll"])
    async def dice(ctx: Context[Text]) -> None: ...

    @plugin.on_text("Hello", "ＨＩ")
    async def hello(ctx: Context[Text]) -> None: ...

    @plugin.on_text("/exact")
    async def exact(ctx: Context[Text]) -> None: ...

    return plugin


@pytest.mark.parametrize(
    ("text", "taker"),
    [
        ("hello", "hello"),
        ("ＨＥＬＬＯ", "hello"),
        ("hi", "hello"),
        ("hello you", "rest"),
        ("/dice", "dice"),
        ("/ROLL 2", "dice"),
        ("/exact", "exact"),
        ("/what", "rest"),
        ("/", "rest"),
        ("/ dice", "rest"),
        ("", "rest"),
        ("👋", "rest"),
    ],
)
def test_who_takes_a_text_meant_for_the_bot(bot: Plugin, text: str, taker: str) -> None:
    assert reached(Table([bot]), text) == [taker]


@pytest.mark.parametrize(
    ("text", "takers"), [("hello", []), ("/dice 1", ["dice"]), ("/what", []), ("/exact", []), ("/", []), ("x", [])]
)
def test_who_takes_a_text_not_meant_for_the_bot(bot: Plugin, text: str, takers: list[str]) -> None:
    assert reached(Table([bot]), text, addressed=False) == takers


@pytest.mark.parametrize(("text", "args"), [("/dice 2 6", ("2", "6")), ("/dice", ()), ("/what 2", ()), ("hello", ())])
def test_the_words_behind_a_command(bot: Plugin, text: str, args: tuple[str, ...]) -> None:
    assert Table([bot]).for_text(text, addressed=True)[1] == args


# Order


Spec = tuple[int, int, int]
"""Priority, which decorator, which plugin."""


@given(st.lists(st.tuples(st.integers(-1, 1), st.integers(0, 2), st.integers(0, 2)), max_size=12))
def test_routes_are_asked_by_priority_then_tier_then_plugin_then_line(specs: list[Spec]) -> None:
    plugins = [Plugin(f"p{number}") for number in range(3)]
    expected: list[tuple[int, Tier, int, int]] = []
    for line, (priority, decorator, position) in enumerate(specs):
        plugin = plugins[position]
        if decorator == 0:
            plugin.on_text("/x", priority=priority, block=False)(handler)
        elif decorator == 1:
            plugin.on_command("x", priority=priority, block=False)(handler)
        else:
            plugin.on_text(priority=priority, block=False)(handler)
        expected.append((priority, (Tier.EXACT, Tier.COMMAND, Tier.CATCH_ALL)[decorator], position, line))
    routes, _ = Table(plugins).for_text("/x", addressed=True)
    got = [(route.priority, route.tier, int(route.plugin[1:])) for route in routes]
    assert got == [entry[:3] for entry in sorted(expected)]


def test_of_equals_the_earlier_line_is_asked_first() -> None:
    plugin = Plugin("p")

    @plugin.on_text("x", block=False)
    async def first(ctx: Context[Text]) -> None: ...

    @plugin.on_text("x")
    async def second(ctx: Context[Text]) -> None: ...

    assert reached(Table([plugin]), "x") == ["first", "second"]


def test_a_low_priority_number_beats_a_specific_route(bot: Plugin) -> None:
    bot.on_text(priority=-1)(handler)
    assert reached(Table([bot]), "hello") == ["handler"]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=6), st.booleans())
def test_the_first_that_blocks_is_the_last(flags: list[tuple[bool, bool]], bot_speaking: bool) -> None:
    routes = [
        Route("text", (), Tier.EXACT, handler, "p", f"f:{line}", 0, block, from_bots)
        for line, (block, from_bots) in enumerate(flags)
    ]
    asked = [route for route in routes if route.from_bots or not bot_speaking]
    expected = list(itertools.takewhile(lambda route: not route.block, asked))
    assert taking(routes, bot=bot_speaking) == asked[: len(expected) + 1]


def test_a_route_passed_over_for_a_bot_blocks_nobody() -> None:
    plugin = Plugin("p")
    plugin.on_text("x")(handler)

    @plugin.on_text(from_bots=True)
    async def for_bots(ctx: Context[Text]) -> None: ...

    assert reached(Table([plugin]), "x", bot=True) == ["for_bots"]


@pytest.mark.parametrize("texts", [("hi", "HI"), ("hi", "hi"), ("hi", "ｈｉ ")])
def test_a_text_given_twice_is_one_route(texts: tuple[str, str]) -> None:
    plugin = Plugin("p")
    plugin.on_text(*texts, block=False)(handler)
    assert reached(Table([plugin]), "hi") == ["handler"]


# What is not text


@pytest.mark.parametrize(("data", "takers"), [("dice", ["named", "rest"]), ("Dice", ["rest"]), ("", ["rest"])])
def test_custom_messages_by_data_and_any(data: str, takers: list[str]) -> None:
    plugin = Plugin("p")

    @plugin.on_custom(block=False)
    async def rest(ctx: Context[Custom]) -> None: ...

    @plugin.on_custom("dice", "coin", block=False)
    async def named(ctx: Context[Custom]) -> None: ...

    assert names(Table([plugin]).for_payload(Custom(data))) == takers


def test_other_payloads_have_no_routes_yet(bot: Plugin) -> None:
    assert Table([bot]).for_payload(Face(1)) == ()


def test_a_type_serves_its_subtypes_and_no_other() -> None:
    plugin = Plugin("p")

    @plugin.on_event(GroupTip, block=False)
    async def tips(ctx: Context[GroupTip]) -> None: ...

    @plugin.on_member_join
    async def joins(ctx: Context[MemberJoined]) -> None: ...

    table = Table([plugin])
    assert names(table.for_event(tip(MemberJoined))) == ["tips", "joins"]
    assert names(table.for_event(tip())) == ["tips"]
    assert names(table.for_event(model.Ready(False))) == []


def test_a_route_for_a_type_and_its_subtype_is_one_route() -> None:
    plugin = Plugin("p")
    plugin.on_event(GroupTip, MemberJoined, MemberJoined, block=False)(handler)
    assert names(Table([plugin]).for_event(tip(MemberJoined))) == ["handler"]


def test_every_event_can_be_asked_for_at_once() -> None:
    plugin = Plugin("p")
    plugin.on_event(object)(handler)  # type: ignore[arg-type]  # an author without mypy
    assert names(Table([plugin]).for_event(model.Ready(False))) == ["handler"]


# Mistakes


def place(line_of: str) -> str:
    """`file:line` of the line in this file that ends with a mark."""
    with open(__file__, encoding="utf-8") as file:
        return next(f"{__file__}:{number}" for number, line in enumerate(file, 1) if line.rstrip().endswith(f"# {line_of}"))


def test_two_plugins_of_a_name() -> None:
    one = Plugin("same")  # one
    other = Plugin("same")  # other
    with pytest.raises(Exception, match="called 'same'") as caught:
        Table([one, other])
    assert f"{place('one')} and {place('other')}" in str(caught.value)
    assert "Give one of them another name" in str(caught.value)


def test_a_plugin_listed_twice_is_loaded_once(bot: Plugin) -> None:
    assert Table([bot, bot]).routes == Table([bot]).routes


@pytest.mark.parametrize("blocking", [(True, True), (True, False), (False, True, True)])
def test_a_command_taken_twice(blocking: tuple[bool, ...]) -> None:
    plugin = Plugin("p")
    for block in blocking:
        plugin.on_command("dice", block=block)(handler)
    with pytest.raises(Exception, match="'/dice' is taken twice") as caught:
        Table([plugin])
    line = handler.__code__.co_firstlineno
    assert f"({__file__}:{line})" in str(caught.value)
    assert "block=False" in str(caught.value)


@pytest.mark.parametrize(
    ("wire", "told"),
    [
        (lambda bot, **how: bot.on_text("Hi", **how), "The text 'hi' is taken twice: p:.* and p:"),
        (lambda bot, **how: bot.on_custom("dice", **how), "The custom message 'dice' is taken twice: p:.* and p:"),
        (lambda bot, **how: bot.on_command("dice", **how), "The command '/dice' is taken twice: p:.* and p:"),
    ],
)
def test_words_taken_twice(wire: Callable[..., Callable[[object], object]], told: str) -> None:
    for first, second, fine in (
        ({}, {}, False),
        ({"priority": 1}, {"priority": 1}, False),
        ({"priority": -1}, {}, True),
        ({}, {"priority": -1}, True),
        ({"block": False}, {}, True),
        ({}, {"block": False}, False),
    ):
        plugin = Plugin("p")
        wire(plugin, **first)(handler)
        wire(plugin, **second)(handler)
        if fine:
            assert len(Table([plugin]).routes) == 2
        else:
            with pytest.raises(PluginError, match=told) as caught:
                Table([plugin])
            assert "give the first block=False, or give one a priority" in caught.value.hint


def test_what_takes_anything_may_be_there_twice() -> None:
    plugin = Plugin("p")
    for decorator in (plugin.on_text(), plugin.on_custom(), plugin.on_keyword("x"), plugin.on_regex("x")):
        decorator(handler)
        decorator(handler)
    assert len(Table([plugin]).routes) == 8


@pytest.mark.parametrize("aliases", [["DICE"], ["ｄｉｃｅ"]])
def test_a_command_taken_twice_across_plugins_and_forms(bot: Plugin, aliases: list[str]) -> None:
    other = Plugin("other")
    other.on_command("cube", aliases=aliases)(handler)
    with pytest.raises(Exception, match=r"'/dice' is taken twice: p:.*dice .* and other:handler"):
        Table([bot, other])


def test_an_alias_that_repeats_the_name_is_no_mistake() -> None:
    plugin = Plugin("p")
    plugin.on_command("dice", aliases=["Dice", "dice"])(handler)
    assert reached(Table([plugin]), "/dice") == ["handler"]


def test_a_command_shared_on_purpose() -> None:
    plugin = Plugin("p")
    plugin.on_command("dice", block=False)(handler)
    plugin.on_command("dice")(handler)
    assert reached(Table([plugin]), "/dice") == ["handler", "handler"]


def test_without_plugins_nothing_is_taken() -> None:
    table = Table([])
    assert table.for_text("/x y", addressed=True) == ((), ())
    assert table.for_event(ProfileUpdated("ann", ())) == ()
