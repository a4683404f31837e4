"""`Plugin`: collects handlers by decorators. It runs nothing; the runtime loads it.

A mistake in a decorator or in a handler's signature is found here, when the module is imported, with the place and the cure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from timbot.errors import PluginError
from timbot.im.model import events as model
from timbot.routing.checks import (
    check_config,
    check_handler,
    check_name,
    check_types,
    check_words,
    checked_aliases,
    checked_pattern,
    folded,
    place_of_call,
    takes_event,
)
from timbot.routing.text import COMMAND_PREFIX

if TYPE_CHECKING:
    from timbot.im.api.messages import OutgoingMessage
    from timbot.patterns import Pattern
    from timbot.schedule import Trigger

Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)
Gate = Callable[["OutgoingMessage"], Awaitable[bool]]
"""Whether the bot may say this, now."""
G = TypeVar("G", bound=Gate)
Missed = Literal["skip", "once", "all"]
Overlap = Literal["skip", "queue"]


class Tier(IntEnum):
    """What is more specific comes first."""

    EXACT = 1
    COMMAND = 2
    KEYWORD = 4
    REGEX = 5
    FILTER = 6
    CATCH_ALL = 7


@dataclass(frozen=True, slots=True)
class Route:
    """One handler and what it is for. `keys` are texts, command names, keywords, custom data or event types, by `kind`."""

    kind: str
    keys: tuple[object, ...]
    tier: Tier
    handler: Handler
    plugin: str
    place: str
    priority: int = 0
    block: bool = True
    from_bots: bool = False
    pattern: Pattern | None = None

    @property
    def name(self) -> str:
        """`plugin:function`."""
        return f"{self.plugin}:{self.handler.__qualname__}"


@dataclass(frozen=True, slots=True)
class Planned:
    """A job that a plugin's settings ask for. `data` reaches the handler as `job.data`; `name` is unique in the plugin."""

    name: str
    trigger: Trigger
    data: object = None
    missed: Missed = "skip"
    overlap: Overlap = "skip"
    jitter: float = 0.0


@dataclass(frozen=True, slots=True)
class JobRoute:
    """A handler that runs by the clock. `plan` makes its runs from the plugin's settings."""

    handler: Handler
    plugin: str
    place: str
    plan: Callable[[Any], Iterable[Planned]]
    wants_job: bool
    """Whether it takes the `Job`."""

    @property
    def name(self) -> str:
        """`plugin:function`."""
        return f"{self.plugin}:{self.handler.__qualname__}"


@dataclass(frozen=True, slots=True)
class _Choice:
    """What every decorator takes."""

    priority: int = 0
    block: bool = True
    from_bots: bool = False
    pattern: Pattern | None = field(default=None)


class Plugin:
    """A named collection of handlers. `config`: the type of its settings in YAML, a dataclass or a pydantic model.

    Every decorator of messages and requests takes `priority` (lower is asked first, 0 by default), `block=False` (a handler
    after this one may take the event too) and `from_bots=True` (also what other bots say; `on_event` hears them anyway).
    """

    def __init__(self, name: str = "", *, config: type | None = None) -> None:
        self.place = place_of_call()
        """Where it was made: `file:line`."""
        check_name(name)
        check_config(config)
        self.name = name
        self.config = config
        self.routes: list[Route] = []
        self.jobs: list[JobRoute] = []
        self.gates: list[Gate] = []

    def __repr__(self) -> str:
        return f"<Plugin {self.name}: {len(self.routes) + len(self.jobs)} handlers>"

    @property
    def file(self) -> Path:
        """The file it was made in; its templates lie in `templates/` beside it."""
        return Path(self.place.rpartition(":")[0])

    # Messages

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
        choice = _Choice(priority, block, from_bots)
        if not args:
            return self._decorator("text", (), Tier.CATCH_ALL, choice)
        check_words("on_text", args)
        return self._decorator("text", folded(args), Tier.EXACT, choice)

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
        names = (name, *checked_aliases(aliases))
        check_words("on_command", names)
        keys = folded(names)
        for key in keys:
            if key.startswith(COMMAND_PREFIX) or any(character.isspace() for character in key):
                place = place_of_call()
                raise PluginError(f"{place}: '{key}' is no command name.", hint="Leave out the slash and spaces.")
        return self._decorator("command", keys, Tier.COMMAND, _Choice(priority, block, from_bots))

    def on_keyword(self, *words: str, priority: int = 0, block: bool = True, from_bots: bool = False) -> Callable[[H], H]:
        """Texts that contain one of these words, compared without case and width. In groups as `on_text`."""
        check_words("on_keyword", words)
        return self._decorator("keyword", folded(words), Tier.KEYWORD, _Choice(priority, block, from_bots))

    def on_regex(
        self, pattern: str, *, unsafe_regex: bool = False, priority: int = 0, block: bool = True, from_bots: bool = False
    ) -> Callable[[H], H]:
        """Texts in which this regular expression, without case, finds something in the first 1,000 characters: `ctx.match`.

        A pattern that may run away is refused here, unless `unsafe_regex=True`. In groups as `on_text`.
        """
        found = checked_pattern(pattern, unsafe_regex=unsafe_regex)
        return self._decorator("regex", (pattern,), Tier.REGEX, _Choice(priority, block, from_bots, found))

    def on_custom(self, *data: str, priority: int = 0, block: bool = True, from_bots: bool = False) -> Callable[[H], H]:
        """Custom messages whose `data` is one of these; without any, every custom message."""
        check_words("on_custom", data, allow_none=True)
        tier = Tier.EXACT if data else Tier.CATCH_ALL
        return self._decorator("custom", tuple(dict.fromkeys(data)), tier, _Choice(priority, block, from_bots))

    # Requests and other events

    @overload
    def on_friend_request(self, handler: H, /) -> H: ...
    @overload
    def on_friend_request(self, *, priority: int = 0, block: bool = True, from_bots: bool = False) -> Callable[[H], H]: ...
    def on_friend_request(self, *handler: Any, priority: int = 0, block: bool = True, from_bots: bool = False) -> Any:
        """Somebody wants to be friends. Return `Accept`, `Reject`, or None to leave it to a person."""
        return self._bare("friend", (), handler, _Choice(priority, block, from_bots))

    @overload
    def on_group_join_request(self, handler: H, /) -> H: ...
    @overload
    def on_group_join_request(self, *, priority: int = 0, block: bool = True, from_bots: bool = False) -> Callable[[H], H]: ...
    def on_group_join_request(self, *handler: Any, priority: int = 0, block: bool = True, from_bots: bool = False) -> Any:
        """Somebody wants into a group this account may admit to. Return `Accept`, `Reject` or None."""
        return self._bare("join", (), handler, _Choice(priority, block, from_bots))

    @overload
    def on_member_join(self, handler: H, /) -> H: ...
    @overload
    def on_member_join(self, *, priority: int = 0, block: bool = True, from_bots: bool = False) -> Callable[[H], H]: ...
    def on_member_join(self, *handler: Any, priority: int = 0, block: bool = True, from_bots: bool = False) -> Any:
        """Members came into a group; what is returned is said there."""
        return self._bare("event", (model.MemberJoined,), handler, _Choice(priority, block, from_bots))

    @overload
    def on_own_message(self, handler: H, /) -> H: ...
    @overload
    def on_own_message(self, *, priority: int = 0, block: bool = True, from_bots: bool = False) -> Callable[[H], H]: ...
    def on_own_message(self, *handler: Any, priority: int = 0, block: bool = True, from_bots: bool = False) -> Any:
        """A message of this account, written elsewhere."""
        return self._bare("event", (model.OwnMessage,), handler, _Choice(priority, block, from_bots))

    def on_event(self, *types: type[model.Event], priority: int = 0, block: bool = True) -> Callable[[H], H]:
        """Events of these types (`timbot.im.model.events`)."""
        check_types(types)
        return self._decorator("event", tuple(dict.fromkeys(types)), Tier.FILTER, _Choice(priority, block, from_bots=True))

    @overload
    def on_stale(self, handler: H, /) -> H: ...
    @overload
    def on_stale(self, *, priority: int = 0, block: bool = True, from_bots: bool = False) -> Callable[[H], H]: ...
    def on_stale(self, *handler: Any, priority: int = 0, block: bool = True, from_bots: bool = False) -> Any:
        """A message that came too late to be answered as if it were new (`stale_after`): after hours offline, for example.

        No other route gets it. What is returned is said where it was written.
        """
        return self._bare("stale", (), handler, _Choice(priority, block, from_bots))

    def before_send(self, gate: G) -> G:
        """A gate: `async def may(message) -> bool`, asked for every message of the account at the moment it would be sent.

        False keeps it back: it is not sent, now or later. It must be quick, and gets the message as `OutgoingMessage`.
        """
        check_handler(gate, self.name)
        self.gates.append(gate)
        return gate

    # The clock

    def cron(
        self,
        expression: str,
        *,
        tz: str | None = None,
        missed: Missed = "skip",
        overlap: Overlap = "skip",
        jitter: float = 0.0,
    ) -> Callable[[H], H]:
        """At the times of a cron line, `"0 9 * * mon-fri"`, in the time zone `tz` (IANA name; None: the machine's).

        `missed`: what becomes of runs while the bot was down; `overlap`: of a run that comes while the one before goes on;
        `jitter`: seconds by which a run may come later. What the handler returns is not sent: say it through `Sender`.
        """
        from timbot.schedule import cron

        return self._clockwork(lambda: cron(expression, tz=tz), missed, overlap, jitter)

    def every(
        self, interval: str | float, *, missed: Missed = "skip", overlap: Overlap = "skip", jitter: float = 0.0
    ) -> Callable[[H], H]:
        """Again and again: `"30s"`, `"5m"`, `"1h30m"`, or seconds."""
        from timbot.schedule import every

        return self._clockwork(lambda: every(interval), missed, overlap, jitter)

    def at(self, when: str | datetime, *, tz: str | None = None, missed: Missed = "once") -> Callable[[H], H]:
        """Once: `"2026-12-24 09:00"` in the time zone `tz`."""
        from timbot.schedule import at

        return self._clockwork(lambda: at(when, tz=tz), missed, "skip", 0.0)

    def planned(self, plan: Callable[[Any], Iterable[Planned]]) -> Callable[[H], H]:
        """Jobs that the settings ask for: `plan` makes them from the plugin's settings, once for each account."""

        def register(handler: H) -> H:
            place = check_handler(handler, self.name, least=0)
            self.jobs.append(JobRoute(handler, self.name, place, plan, takes_event(handler)))
            return handler

        return register

    def _clockwork(self, make: Callable[[], Trigger], missed: Missed, overlap: Overlap, jitter: float) -> Callable[[H], H]:
        from timbot.schedule import JobSpec, ScheduleError

        place = place_of_call()
        try:
            trigger = make()
            JobSpec(self.name, trigger, missed=missed, overlap=overlap, jitter=jitter)  # is it one?
        except ScheduleError as error:
            raise PluginError(f"{place}: {error.message}", hint=error.hint) from None

        def register(handler: H) -> H:
            only = Planned("", trigger, None, missed, overlap, jitter)
            return self.planned(lambda _settings: (only,))(handler)

        return register

    def _bare(self, kind: str, keys: tuple[object, ...], handler: tuple[Any, ...], choice: _Choice) -> Any:
        """A decorator that needs no parentheses: of the handler if there is one, else of the one to come."""
        if not handler:
            return self._decorator(kind, keys, Tier.FILTER, choice)
        return self._add(kind, keys, Tier.FILTER, handler[0], choice)

    def _decorator(self, kind: str, keys: tuple[object, ...], tier: Tier, choice: _Choice) -> Callable[[H], H]:
        def register(handler: H) -> H:
            return self._add(kind, keys, tier, handler, choice)

        return register

    def _add(self, kind: str, keys: tuple[object, ...], tier: Tier, handler: H, choice: _Choice | None = None) -> H:
        place = check_handler(handler, self.name)
        way = choice or _Choice()
        self.routes.append(
            Route(kind, keys, tier, handler, self.name, place, way.priority, way.block, way.from_bots, way.pattern)
        )
        return handler
