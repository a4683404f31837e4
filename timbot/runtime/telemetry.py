"""Health and metrics of a running process: what its accounts do is counted, and told to whoever asks over HTTP."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from timbot.im.model import events as model
from timbot.im.model.message import Message
from timbot.runtime.account import AccountRunner
from timbot.runtime.activity import Activity, kind_of
from timbot.runtime.metrics import Metrics
from timbot.runtime.operations import AccountHealth, Health, Operations


class Telemetry:
    """Counts as an `Observer`, and serves what it has counted. An async context manager."""

    def __init__(self, host: str, port: int) -> None:
        self.metrics = Metrics()
        self._runners: list[AccountRunner] = []
        self._operations = Operations(host, port, self.health, self.metrics)
        self._lag: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._operations.start()
        self._lag = asyncio.create_task(self.metrics.watch_loop(), name="loop lag")
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._lag is not None:
            self._lag.cancel()
            await asyncio.wait({self._lag})
        await self._operations.stop()

    @property
    def url(self) -> str:
        """Where it is served: `http://host:port`."""
        return self._operations.url

    def watch(self, runner: AccountRunner) -> None:
        """One more account to tell of."""
        self._runners.append(runner)
        client = runner.client
        self.metrics.watch(
            client.user_id,
            connected=lambda: client.online,
            busy=lambda: runner.busy_conversations,
            waiting=lambda: runner.waiting,
            outbox=lambda: runner.unsent,
            heard=lambda: client.clock.now() - client.silence if client.silence else 0.0,
        )

    def health(self) -> Health:
        """How every account is, now."""
        return Health(tuple(_health_of(runner) for runner in self._runners))

    def heard(self, account: str, event: model.Event) -> None:
        """Count an event."""
        self.metrics.received(account, kind_of(event))
        match event:
            case model.Ready(again=True):
                self.metrics.reconnected(account)
            case model.Incomplete():
                self.metrics.possibly_incomplete(account)
            case model.BrokenItem():
                self.metrics.not_understood(account)

    def did(self, activity: Activity) -> None:
        """Count what a handler or a job has done. What no handler took was counted when it came in."""
        if not activity.route:
            return
        plugin, _, route = activity.route.partition(":")
        outcome = "sent" if activity.outcome.endswith(" sent") else activity.outcome  # no numbers in a label
        if activity.kind == "job":
            self.metrics.job_ran(activity.account, plugin, route, outcome, activity.seconds)
            return
        self.metrics.handled(activity.account, plugin, route, outcome, activity.seconds)
        for message in activity.said:
            self._sent(activity.account, message)
        self.metrics.replies_failed(activity.account, plugin, route, activity.unsent)
        if outcome == "failed":
            self.metrics.handler_failed(activity.account, plugin, route)
        elif outcome == "silenced":
            self.metrics.limit_hit(activity.account, "loop_guard")

    def said(self, account: str, plugin: str, message: Message) -> None:
        """Count what was said of the plugin's own accord."""
        self._sent(account, message)

    def _sent(self, account: str, message: Message) -> None:
        self.metrics.sent(account, type(message.payload).__name__.lower())


def _health_of(runner: AccountRunner) -> AccountHealth:
    client = runner.client
    return AccountHealth(
        client.user_id,
        connected=client.online,
        ready=runner.ready.is_set(),
        heard_seconds_ago=client.silence or None,
        waiting=runner.waiting,
        reasons=() if client.error is None else (str(client.error),),
    )
