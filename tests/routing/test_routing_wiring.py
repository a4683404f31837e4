"""A wiring mistake is found when the plugin is imported, and the error says where it is and how to mend it."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from timbot import Context, Plugin, Text
from timbot.errors import PluginError


async def fine(ctx: Context[Text]) -> None: ...


def plain(ctx: Context[Text]) -> None: ...


async def nothing() -> None: ...


async def two(ctx: Context[Text], other: int) -> None: ...


async def only_keyword(*, ctx: Context[Text]) -> None: ...


async def yields(ctx: Context[Text]) -> AsyncIterator[str]:
    yield "no"


class Callable_:  # noqa: N801 - a name that reads well in the list below
    async def __call__(self, ctx: Context[Text]) -> None: ...

    async def method(self, ctx: Context[Text]) -> None: ...


Wire = Callable[[Plugin], Callable[[Any], Any]]

DECORATORS: dict[str, Wire] = {
    "on_text": lambda bot: bot.on_text,
    "on_text with words": lambda bot: bot.on_text("x"),
    "on_text()": lambda bot: bot.on_text(),
    "on_command": lambda bot: bot.on_command("x"),
    "on_custom": lambda bot: bot.on_custom(),
    "on_keyword": lambda bot: bot.on_keyword("x"),
    "on_regex": lambda bot: bot.on_regex("x"),
    "on_friend_request": lambda bot: bot.on_friend_request,
    "on_friend_request()": lambda bot: bot.on_friend_request(),
    "on_group_join_request()": lambda bot: bot.on_group_join_request(),
    "on_member_join()": lambda bot: bot.on_member_join(),
    "on_own_message()": lambda bot: bot.on_own_message(),
    "on_group_join_request": lambda bot: bot.on_group_join_request,
    "on_member_join": lambda bot: bot.on_member_join,
    "on_own_message": lambda bot: bot.on_own_message,
    "on_event": lambda bot: bot.on_event(object),  # type: ignore[arg-type]  # every event there is
}


@pytest.mark.parametrize("decorator", DECORATORS)
@pytest.mark.parametrize(
    ("handler", "problem", "cure"),
    [
        (plain, "is not async", "Write 'async def plain(...)'"),
        (nothing, "must take one argument", "Write 'async def nothing(ctx)'"),
        (two, "must take one argument", "Write 'async def two(ctx)'"),
        (only_keyword, "must take one argument", "Write 'async def only_keyword(ctx)'"),
        (yields, "yields", "Return a list"),
    ],
)
def test_a_handler_that_cannot_be_called_as_one(decorator: str, handler: Any, problem: str, cure: str) -> None:
    with pytest.raises(PluginError, match=problem) as caught:
        DECORATORS[decorator](Plugin("p"))(handler)
    assert str(caught.value).startswith(f"{__file__}:{handler.__code__.co_firstlineno}: ")
    assert f"'{handler.__name__}' of plugin p" in str(caught.value)
    assert cure in caught.value.hint


@pytest.mark.parametrize("thing", [Callable_(), Callable_().method, functools.partial(fine), 5, None, Plugin])
def test_what_is_no_function(thing: object) -> None:
    with pytest.raises(PluginError, match="is no handler") as caught:
        Plugin("p").on_text("x")(thing)  # type: ignore[type-var]  # here
    assert str(caught.value).startswith(here())
    assert "async def" in caught.value.hint


def here() -> str:
    """The place of the line of this file that ends with `# here`."""
    with open(__file__, encoding="utf-8") as file:
        number = next(number for number, line in enumerate(file, 1) if line.rstrip().endswith("# here"))
    return f"{__file__}:{number}: "


@pytest.mark.parametrize("decorator", DECORATORS)
def test_a_handler_stays_what_it_was(decorator: str) -> None:
    bot = Plugin("p")
    assert DECORATORS[decorator](bot)(fine) is fine
    assert [route.place for route in bot.routes] == [f"{__file__}:{fine.__code__.co_firstlineno}"]
    assert [route.name for route in bot.routes] == ["p:fine"]


def test_arguments_that_need_not_be_given_are_fine() -> None:
    async def handler(ctx: Context[Text], other: int = 1, *rest: int, cfg: int = 2, **more: int) -> None: ...

    assert Plugin("p").on_text(handler) is handler


def test_a_wrapped_handler_is_named_by_its_own_place() -> None:
    def logged(handler: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        @functools.wraps(handler)
        async def wrapper(*args: object) -> None:
            await handler(*args)

        return wrapper

    bot = Plugin("p")
    bot.on_text(logged(fine))
    assert bot.routes[0].place == f"{__file__}:{fine.__code__.co_firstlineno}"


WORDS: dict[str, tuple[Callable[[Any], object], str]] = {
    "a number": (lambda bot: bot.on_text(5), "Give each text as its own argument"),
    "a list": (lambda bot: bot.on_text(["hello", "hi"]), "Give each text as its own argument"),
    "None": (lambda bot: bot.on_text("hello", None), "Give each text as its own argument"),
    "empty": (lambda bot: bot.on_text("hello", ""), "Give each text as its own argument"),
    "blank": (lambda bot: bot.on_text("\u3000 "), "Give each text as its own argument"),
    "bytes": (lambda bot: bot.on_custom(b"dice"), "Give each text as its own argument"),
    "empty data": (lambda bot: bot.on_custom(""), "Give each text as its own argument"),
    "bare on_custom": (lambda bot: bot.on_custom(fine), "Write @bot.on_custom(...), with parentheses"),
    "two handlers": (lambda bot: bot.on_text(fine, fine), "Write @bot.on_text(...), with parentheses"),
    "bare on_command": (lambda bot: bot.on_command(fine), "Write @bot.on_command(...), with parentheses"),
    "empty command": (lambda bot: bot.on_command(""), "Give each text as its own argument"),
    "slash": (lambda bot: bot.on_command("/dice"), "Leave out the slash and spaces"),
    "wide slash": (lambda bot: bot.on_command("／dice"), "Leave out the slash and spaces"),
    "space": (lambda bot: bot.on_command("roll dice"), "Leave out the slash and spaces"),
    "alias with a slash": (lambda bot: bot.on_command("dice", aliases=["/roll"]), "Leave out the slash and spaces"),
    "alias that is no list": (lambda bot: bot.on_command("dice", aliases="roll"), "Write aliases=['roll']"),
    "number as alias": (lambda bot: bot.on_command("dice", aliases=[1]), "Give each text as its own argument"),
    "no type": (lambda bot: bot.on_event(), "For example @bot.on_event(MessageRevoked)"),
    "bare on_event": (lambda bot: bot.on_event(fine), "For example @bot.on_event(MessageRevoked)"),
    "a name": (lambda bot: bot.on_event("MessageRevoked"), "For example @bot.on_event(MessageRevoked)"),
    "a payload": (lambda bot: bot.on_event(Text), "For example @bot.on_event(MessageRevoked)"),
    "an event": (lambda bot: bot.on_event(Exception("no type")), "For example @bot.on_event(MessageRevoked)"),
    "no plugin's name": (lambda _: Plugin(""), "a letter first"),
    "no name": (lambda _: Plugin(), "my-plugin"),
    "a number as a name": (lambda _: Plugin(5), "my-plugin"),  # type: ignore[arg-type]  # an author without mypy
    "a type as a name": (lambda _: Plugin(Plugin), "my-plugin"),  # type: ignore[arg-type]  # an author without mypy
    "settings that are no type": (lambda _: Plugin("p", config={}), "config=MyConfig"),  # type: ignore[arg-type]  # as above
    "settings of a plain class": (lambda _: Plugin("p", config=Plugin), "Write @dataclass above it"),
    "settings in a dict": (lambda _: Plugin("p", config=dict), "Write @dataclass above it"),
    "bare on_keyword": (lambda bot: bot.on_keyword(fine), "Write @bot.on_keyword(...), with parentheses"),
    "no keyword": (lambda bot: bot.on_keyword(), 'Write @bot.on_keyword("...")'),
    "bare on_regex": (lambda bot: bot.on_regex(fine), "Write @bot.on_regex(...), with parentheses"),
    "no pattern": (lambda bot: bot.on_regex(""), "Give it as a text"),
    "no time": (lambda bot: bot.every("soon"), "'30s'"),
    "a wrong choice": (lambda bot: bot.every("30s", missed="maybe"), "Choose one of skip, once, all"),
    "a wrong overlap": (lambda bot: bot.cron("0 9 * * *", overlap="yes"), "Choose one of skip, queue"),
    "a wrong jitter": (lambda bot: bot.every("30s", jitter=-1), "Give 0 or more"),
    "a wrong choice for once": (lambda bot: bot.at("2030-01-01 09:00", missed="maybe"), "Choose one of skip, once, all"),
    "a name with a space": (lambda _: Plugin("my bot"), "a letter first"),
    "a name with a digit first": (lambda _: Plugin("1bot"), "a letter first"),
}


@pytest.mark.parametrize("mistake", WORDS)
def test_words_and_types_that_make_no_sense(mistake: str) -> None:
    call, cure = WORDS[mistake]
    with pytest.raises(PluginError) as caught:
        call(Plugin("p"))
    assert str(caught.value).startswith(f"{__file__}:{call.__code__.co_firstlineno}: ")
    assert cure in caught.value.hint


@pytest.mark.parametrize("name", ["on_friend_request", "on_group_join_request", "on_member_join", "on_own_message"])
def test_parentheses_take_what_every_decorator_takes(name: str) -> None:
    bot = Plugin("p")
    getattr(bot, name)(priority=3, block=False, from_bots=True)(fine)
    getattr(bot, name)(fine)
    assert [(route.priority, route.block, route.from_bots) for route in bot.routes] == [(3, False, True), (0, True, False)]
    assert bot.routes[0].kind == bot.routes[1].kind
    assert bot.routes[0].keys == bot.routes[1].keys


def test_a_wrapper_without_code_of_its_own_is_placed_where_it_wraps() -> None:
    class Inner:
        async def __call__(self, ctx: Context[Text]) -> None: ...

    async def wrapper(ctx: Context[Text]) -> None: ...

    bot = Plugin("p")
    wrapper.__wrapped__ = Inner()  # type: ignore[attr-defined]  # as functools.wraps does
    bot.on_text(wrapper)
    assert bot.routes[0].place == f"{__file__}:{wrapper.__code__.co_firstlineno}"


@pytest.mark.parametrize("name", ["dice", "my-bot", "my_bot2", "掷骰子"])
def test_names_of_plugins(name: str) -> None:
    assert Plugin(name).name == name


def test_a_plugin_says_what_it_is() -> None:
    bot = Plugin("dice")
    bot.on_text(fine)
    assert repr(bot) == "<Plugin dice: 1 handlers>"
