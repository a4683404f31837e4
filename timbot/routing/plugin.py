"""`Plugin`: collects handlers by decorators. It runs nothing; the runtime loads it.

A mistake in a decorator or in a handler's signature is found here, when the module is imported, with the place and the cure.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeVar, get_args, overload

from timbot.errors import PluginError
from timbot.im.model import events as model
from timbot.routing.text import COMMAND_PREFIX, fold

Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)

_EVENTS: Final[tuple[type, ...]] = get_args(model.Event)


class Tier(IntEnum):
    """What is more specific comes first."""

    EXACT = 1
    COMMAND = 2
    FILTER = 6
    CATCH_ALL = 7


@dataclass(frozen=True, slots=True)
class Route:
    """One handler and what it is for. `keys` are texts, command names, custom data or event types, by `kind`."""

    kind: str
    keys: tuple[object, ...]
    tier: Tier
    handler: Handler
    plugin: str
    place: str
    priority: int = 0
    block: bool = True
    from_bots: bool = False

    @property
    def name(self) -> str:
        """`plugin:function`."""
        return f"{self.plugin}:{self.handler.__qualname__}"


class Plugin:
    """A named collection of handlers.

    Every decorator takes `priority` (lower is asked first, 0 by default), `block=False` (a handler after this one may take
    the event too) and `from_bots=True` (also what other bots say).
    """

    def __init__(self, name: str) -> None:
        self.place = _place()
        """Where it was made: `file:line`."""
        if not name or not name.replace("-", "_").isidentifier():
            hint = "Use letters, digits, '_' and '-', a letter first."
            raise PluginError(f"{self.place}: {name!r} is no name for a plugin.", hint=hint)
        self.name = name
        self.routes: list[Route] = []

    def __repr__(self) -> str:
        return f"<Plugin {self.name}: {len(self.routes)} handlers>"

    @overload
    def on_text(self, handler: H, /) -> H: ...
    @overload
    def on_text(self, *texts: str, priority: int = 0, block: bool = True, from_bots: bool = False) -> Callable[[H], H]: ...
    def on_text(self, *args: Any, priority: int = 0, block: bool = True, from_bots: bool = False) -> Any:
        """These texts, compared without case and width; bare, any text that nothing more specific took.

        In groups only when the bot is mentioned.
        """
        if len(args) == 1 and callable(args[0]):
            return self._add("text", (), Tier.CATCH_ALL, args[0])
        if not args:
            return self._decorator("text", (), Tier.CATCH_ALL, priority, block, from_bots)
        _check_words("on_text", args)
        return self._decorator("text", _folded(args), Tier.EXACT, priority, block, from_bots)

    def on_command(
        self,
        name: str,
        *,
        aliases: tuple[str, ...] | list[str] = (),
        priority: int = 0,
        block: bool = True,
        from_bots: bool = False,
    ) -> Callable[[H], H]:
        """`/name words ...`, in groups too; the words are `ctx.args`."""
        names = (name, *_checked_aliases(aliases))
        _check_words("on_command", names)
        keys = _folded(names)
        for key in keys:
            if key.startswith(COMMAND_PREFIX) or any(character.isspace() for character in key):
                raise PluginError(f"{_place()}: '{key}' is no command name.", hint="Leave out the slash and spaces.")
        return self._decorator("command", keys, Tier.COMMAND, priority, block, from_bots)

    def on_custom(self, *data: str, priority: int = 0, block: bool = True, from_bots: bool = False) -> Callable[[H], H]:
        """Custom messages whose `data` is one of these; without any, every custom message."""
        _check_words("on_custom", data, allow_none=True)
        tier = Tier.EXACT if data else Tier.CATCH_ALL
        return self._decorator("custom", tuple(dict.fromkeys(data)), tier, priority, block, from_bots)

    def on_friend_request(self, handler: H, /) -> H:
        """Somebody wants to be friends. Return `Accept`, `Reject`, or None to leave it to a person."""
        return self._add("friend", (), Tier.FILTER, handler)

    def on_group_join_request(self, handler: H, /) -> H:
        """Somebody wants into a group this account may admit to. Return `Accept`, `Reject` or None."""
        return self._add("join", (), Tier.FILTER, handler)

    def on_member_join(self, handler: H, /) -> H:
        """Members came into a group; what is returned is said there."""
        return self._add("event", (model.MemberJoined,), Tier.FILTER, handler)

    def on_own_message(self, handler: H, /) -> H:
        """A message of this account, written elsewhere."""
        return self._add("event", (model.OwnMessage,), Tier.FILTER, handler)

    def on_event(self, *types: type[model.Event], priority: int = 0, block: bool = True) -> Callable[[H], H]:
        """Events of these types (`timbot.im.model.events`)."""
        _check_types(types)
        return self._decorator("event", tuple(dict.fromkeys(types)), Tier.FILTER, priority, block, from_bots=True)

    def _decorator(
        self, kind: str, keys: tuple[object, ...], tier: Tier, priority: int, block: bool, from_bots: bool
    ) -> Callable[[H], H]:
        def register(handler: H) -> H:
            return self._add(kind, keys, tier, handler, priority, block, from_bots)

        return register

    def _add(
        self,
        kind: str,
        keys: tuple[object, ...],
        tier: Tier,
        handler: H,
        priority: int = 0,
        block: bool = True,
        from_bots: bool = False,
    ) -> H:
        place = _check_handler(handler, self.name)
        self.routes.append(Route(kind, keys, tier, handler, self.name, place, priority, block, from_bots))
        return handler


def _folded(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words as they are compared, each once."""
    return tuple(dict.fromkeys(fold(word) for word in words))


def _place() -> str:
    """Where the plugin's author called: `file:line` of the first frame outside this module."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _check_words(decorator: str, words: tuple[Any, ...], *, allow_none: bool = False) -> None:
    for word in words:
        if callable(word):
            hint = f"Write @bot.{decorator}(...), with parentheses."
            raise PluginError(f"{_place()}: @bot.{decorator} does not take the handler itself.", hint=hint)
        if not isinstance(word, str) or not fold(word):
            hint = "Give each text as its own argument."
            raise PluginError(f"{_place()}: @bot.{decorator} takes texts, not {word!r}.", hint=hint)
    if not words and not allow_none:
        raise PluginError(f"{_place()}: @bot.{decorator} needs a text.", hint=f'Write @bot.{decorator}("...").')


def _checked_aliases(aliases: Any) -> tuple[Any, ...]:
    if isinstance(aliases, str):
        raise PluginError(f"{_place()}: aliases is a list of words, not {aliases!r}.", hint=f"Write aliases=[{aliases!r}].")
    return tuple(aliases)


def _check_types(types: tuple[Any, ...]) -> None:
    hint = "For example @bot.on_event(MessageRevoked)."
    if not types:
        raise PluginError(f"{_place()}: on_event needs a type.", hint=hint)
    for kind in types:
        if not isinstance(kind, type) or not any(issubclass(kind, event) or issubclass(event, kind) for event in _EVENTS):
            raise PluginError(f"{_place()}: on_event takes types of events, not {kind!r}.", hint=hint)


def _check_handler(handler: object, plugin: str) -> str:
    """Where the handler stands. Raises `PluginError` for what cannot be called as one."""
    if not inspect.isfunction(handler):
        hint = "Decorate an 'async def' function."
        raise PluginError(f"{_place()}: {handler!r} is no handler of plugin {plugin}.", hint=hint)
    code = inspect.unwrap(handler).__code__
    place = f"{code.co_filename}:{code.co_firstlineno}"
    where = f"{place}: handler '{handler.__qualname__}' of plugin {plugin}"
    if inspect.isasyncgenfunction(handler):
        raise PluginError(f"{where} yields.", hint="Return a list, or say things one by one with 'await ctx.reply(...)'.")
    if not inspect.iscoroutinefunction(handler):
        raise PluginError(f"{where} is not async.", hint=f"Write 'async def {handler.__name__}(...)'.")
    parameters = list(inspect.signature(handler).parameters.values())
    needed = [
        item for item in parameters if item.default is item.empty and item.kind not in (item.VAR_POSITIONAL, item.VAR_KEYWORD)
    ]
    positional = [
        item for item in parameters if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD, item.VAR_POSITIONAL)
    ]
    if not positional or len(needed) > 1:
        raise PluginError(f"{where} must take one argument, the event.", hint=f"Write 'async def {handler.__name__}(ctx)'.")
    return place
