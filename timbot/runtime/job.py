"""What a handler gets that runs by the clock."""

from __future__ import annotations

import inspect
import random
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, overload

from timbot.runtime.state import Scope, State

if TYPE_CHECKING:
    from timbot.im.client import Client
    from timbot.runtime.log import Log
    from timbot.runtime.sender import Sender
    from timbot.runtime.steps import Steps
    from timbot.runtime.turn import Turn
    from timbot.store import Store

T = TypeVar("T")


class Job:
    """A run of a job. What the handler returns is not sent: say it through a `Sender`.

    A run is an event like any other: what the handler does through its `Sender`, `client` and `once` are steps, done once
    however often the handler is gone through. What goes on at the same time needs keys.
    """

    __slots__ = (
        *("_state", "_steps", "_store", "_turn", "account", "client", "data", "late", "log", "missed", "name", "now"),
        "random",
    )

    def __init__(
        self,
        name: str,
        now: datetime,
        out: Sender,
        *,
        data: object,
        late: float,
        missed: bool,
        turn: Turn,
        steps: Steps,
        client: Client,
        store: Store | None,
    ) -> None:
        self.name = name
        """`plugin:function`, with the name of the planned job behind it if it has one."""
        self.now = now
        """When the run was due, in the job's time zone: the same however late it begins."""
        self.late = late
        """Seconds since then."""
        self.missed = missed
        """Whether it was due while the bot was not running."""
        self.data = data
        """What the plugin's settings gave for it (`Planned.data`)."""
        self.client = client
        """The SDK's methods for this account. What changes something is a step."""
        self.account: str = out.client.user_id
        self.random = random.Random(f"{name}/{now.timestamp()}")
        """Chance, the same for the same run."""
        self.log: Log = out.log.bind(job=name)
        self._turn = turn
        self._steps = steps
        self._store = store
        self._state: State | None = None

    def uuid(self) -> uuid.UUID:
        """A new UUID; on another attempt the same ones in the same order."""
        return uuid.UUID(int=self.random.getrandbits(128), version=4)

    @property
    def effect_key(self) -> str:
        """Stands for the step that comes next, the same on every attempt: see `Context.effect_key`."""
        return self._steps.effect_key

    @property
    def state(self) -> State:
        """What the plugin remembers; of a job there is `state.plugin`."""
        if self._state is None:
            make: Callable[[str], Scope] = lambda key: Scope(key, self._steps.plugin, self._store, self._steps, self._turn)  # noqa: E731
            self._state = State(make, "", self.name)
        return self._state

    @overload
    def once(self, name: str, effect: Callable[..., Awaitable[T]], /, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, T]: ...
    @overload
    def once(self, name: str, effect: Callable[..., T], /, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, T]: ...
    def once(self, name: str, effect: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        """Call `effect(*args, **kwargs)` as a step, whose result is kept: see `Context.once`."""

        async def work() -> object:
            result = effect(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result

        key = f"once {name}" if self._steps.busy else ""
        return self._steps.effect("once", "", name, work, key=key)
