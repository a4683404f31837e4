"""`Plugin`: collects handlers by decorators. It runs nothing; the runtime loads it.

A mistake in a decorator or in a handler's signature is found here, when the module is imported, with the place and the cure.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar, overload

from timbot.errors import PluginError
from timbot.im.model import events as model
from timbot.routing.text import COMMAND_PREFIX, fold

Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)


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
        if not name or not name.replace("-", "_").isidentifier():
            raise PluginError(f"'{name}' is no name for a plugin.", hint="Use letters, digits, '_' and '-', a letter first.")
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
        return self._decorator("text", tuple(fold(text) for text in args), Tier.EXACT, priority, block, from_bots)

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
        names = (name, *aliases)
        _check_words("on_command", names)
        for each in names:
            if each.startswith(COMMAND_PREFIX) or any(character.isspace() for character in each):
                raise PluginError(f"'{each}' is no command name.", hint="Leave out the slash and spaces.")
        keys = tuple(fold(each) for each in names)
        return self._decorator("command", keys, Tier.COMMAND, priority, block, from_bots)

    def on_custom(self, *data: str, priority: int = 0, block: bool = True, from_bots: bool = False) -> Callable[[H], H]:
        """Custom messages whose `data` is one of these; without any, every custom message."""
        _check_words("on_custom", data, allow_none=True)
        tier = Tier.EXACT if data else Tier.CATCH_ALL
        return self._decorator("custom", tuple(data), tier, priority, block, from_bots)

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
        if not types:
            raise PluginError("on_event needs a type.", hint="For example @bot.on_event(MessageRevoked).")
        for kind in types:
            if not isinstance(kind, type):
                raise PluginError(f"on_event takes types, not {kind!r}.", hint="For example @bot.on_event(MessageRevoked).")
        return self._decorator("event", types, Tier.FILTER, priority, block, from_bots=True)

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


def _check_words(decorator: str, words: tuple[Any, ...], *, allow_none: bool = False) -> None:
    for word in words:
        if not isinstance(word, str) or not word.strip():
            raise PluginError(f"@bot.{decorator} takes texts, not {word!r}.", hint="Give each text as its own argument.")
    if not words and not allow_none:
        raise PluginError(f"@bot.{decorator} needs a text.")


def _check_handler(handler: object, plugin: str) -> str:
    """Where the handler stands. Raises `PluginError` for what cannot be called as one."""
    if not inspect.isfunction(handler):
        raise PluginError(f"Plugin {plugin}: {handler!r} is no handler.", hint="Decorate an 'async def' function.")
    place = f"{handler.__code__.co_filename}:{handler.__code__.co_firstlineno}"
    where = f"{place}: handler '{handler.__qualname__}' of plugin {plugin}"
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
