"""What decorators check while a plugin is imported: every mistake is named with its place and the cure."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from timbot.errors import PluginError
from timbot.im.model import events as model
from timbot.routing.text import fold

if TYPE_CHECKING:
    from timbot.patterns import Pattern

_EVENTS: Final[tuple[type, ...]] = get_args(model.Event)
_POSITIONAL: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.VAR_POSITIONAL)
_OWN: Final = (__file__, str(Path(__file__).with_name("plugin.py")))
"""The files whose frames are not the plugin's author's."""


def folded(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words as they are compared, each once."""
    return tuple(dict.fromkeys(fold(word) for word in words))


def place_of_call() -> str:
    """Where the plugin's author called: `file:line` of the first frame outside of here."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename in _OWN:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def check_name(name: object) -> None:
    """Whether a plugin can be called that."""
    if not isinstance(name, str) or not name.replace("-", "_").isidentifier():
        hint = """Write Plugin("my-plugin"): letters, digits, '_' and '-', a letter first."""
        told = f"{name!r} is no name for a plugin" if name else "a plugin needs a name"
        raise PluginError(f"{place_of_call()}: {told}.", hint=hint)


def check_config(config: object) -> None:
    """Whether settings can be read into this type: a dataclass or a pydantic model."""
    if config is None:
        return
    if not isinstance(config, type):
        hint = "Give the class itself: Plugin(..., config=MyConfig)."
        raise PluginError(f"{place_of_call()}: config is a type, not {config!r}.", hint=hint)
    if not dataclasses.is_dataclass(config) and not hasattr(config, "model_validate"):
        hint = "Write @dataclass above it, or let it be a pydantic model."
        raise PluginError(f"{place_of_call()}: {config.__name__} is no type for settings.", hint=hint)


def checked_pattern(pattern: Any, *, unsafe_regex: bool) -> Pattern:
    """The pattern, compiled. Raises `PluginError` for one that is wrong or may run away."""
    from timbot.patterns import Pattern, PatternError

    if callable(pattern):
        check_words("on_regex", (pattern,))
    if not isinstance(pattern, str) or not pattern:
        raise PluginError(f"{place_of_call()}: @bot.on_regex takes a pattern, not {pattern!r}.", hint="Give it as a text.")
    place = place_of_call()
    try:
        return Pattern.compile(pattern, unsafe_regex=unsafe_regex)
    except PatternError as error:
        raise PluginError(f"{place}: {error.message}", hint=error.hint) from None


def check_words(decorator: str, words: tuple[Any, ...], *, allow_none: bool = False) -> None:
    """Texts, and at least one unless `allow_none`."""
    for word in words:
        if callable(word):
            hint = f"Write @bot.{decorator}(...), with parentheses."
            raise PluginError(f"{place_of_call()}: @bot.{decorator} does not take the handler itself.", hint=hint)
        if not isinstance(word, str) or not fold(word):
            hint = "Give each text as its own argument."
            raise PluginError(f"{place_of_call()}: @bot.{decorator} takes texts, not {word!r}.", hint=hint)
    if not words and not allow_none:
        raise PluginError(f"{place_of_call()}: @bot.{decorator} needs a text.", hint=f'Write @bot.{decorator}("...").')


def checked_aliases(aliases: Any) -> tuple[Any, ...]:
    """The aliases of a command; a single word is a mistake, since it would be taken letter by letter."""
    if isinstance(aliases, str):
        raise PluginError(
            f"{place_of_call()}: aliases is a list of words, not {aliases!r}.", hint=f"Write aliases=[{aliases!r}]."
        )
    return tuple(aliases)


def check_types(types: tuple[Any, ...]) -> None:
    """Types of events, and at least one."""
    hint = "For example @bot.on_event(MessageRevoked)."
    if not types:
        raise PluginError(f"{place_of_call()}: on_event needs a type.", hint=hint)
    for kind in types:
        if not isinstance(kind, type) or not any(issubclass(kind, event) or issubclass(event, kind) for event in _EVENTS):
            raise PluginError(f"{place_of_call()}: on_event takes types of events, not {kind!r}.", hint=hint)


def takes_event(handler: Callable[..., object]) -> bool:
    """Whether a handler takes anything before `*`."""
    return any(item.kind in _POSITIONAL for item in inspect.signature(handler).parameters.values())


def check_handler(handler: object, plugin: str, *, least: int = 1) -> str:
    """Where the handler stands. Raises `PluginError` for what cannot be called as one.

    It takes the event first (`least` 0: it may do without); what stands behind `*` is given by type when it is loaded.
    """
    if not inspect.isfunction(handler):
        hint = "Decorate an 'async def' function, without parentheses behind a decorator that takes nothing else."
        raise PluginError(f"{place_of_call()}: {handler!r} is no handler of plugin {plugin}.", hint=hint)
    code = getattr(inspect.unwrap(handler), "__code__", handler.__code__)
    place = f"{code.co_filename}:{code.co_firstlineno}"
    where = f"{place}: handler '{handler.__qualname__}' of plugin {plugin}"
    if inspect.isasyncgenfunction(handler):
        raise PluginError(f"{where} yields.", hint="Return a list, or say things one by one with 'await ctx.reply(...)'.")
    if not inspect.iscoroutinefunction(handler):
        raise PluginError(f"{where} is not async.", hint=f"Write 'async def {handler.__name__}(...)'.")
    parameters = inspect.signature(handler).parameters.values()
    positional = [item for item in parameters if item.kind in _POSITIONAL]
    needed = [item for item in positional if item.default is item.empty and item.kind is not item.VAR_POSITIONAL]
    if len(positional) < least or len(needed) > 1:
        raise PluginError(
            f"{where} must take one argument, the event.",
            hint=f"Write 'async def {handler.__name__}(ctx)'. What it needs besides stands behind '*', with its type.",
        )
    return place
