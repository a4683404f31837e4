"""One account at work: its client, its dispatcher, and what is to be said about both."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from timbot.errors import ImError
from timbot.im.client import Client
from timbot.im.model import events as model
from timbot.im.model.message import Message
from timbot.routing.plugin import Plugin
from timbot.runtime.activity import Activity, Observer
from timbot.runtime.dispatcher import Dispatcher, Options
from timbot.runtime.enabled import Enabled, enable_all
from timbot.runtime.log import preview

if TYPE_CHECKING:
    from timbot.runtime.jobs import JobRunner
    from timbot.runtime.log import Log
    from timbot.store import Database


class AccountRunner:
    """Logs an account in and lets its plugins answer until it is stopped or the login ends."""

    def __init__(
        self,
        client: Client,
        plugins: Iterable[Plugin | Enabled],
        log: Log,
        options: Options | None = None,
        *,
        nick: str | None = None,
        key: str = "",
        database: Database | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        """`database` keeps what plugins store and which jobs have run, under `key`; `observers` are told what happens."""
        self.client = client
        self._nick = nick
        self._observers = observers
        self.ready = asyncio.Event()
        """Set once everything missed has been handed over."""
        self._log = log.bind(account=client.user_id)
        enabled = enable_all(plugins)
        stored_as = key or client.user_id
        self._dispatcher = Dispatcher(
            client,
            enabled,
            self._log,
            options or Options(),
            stores=None if database is None else functools.partial(database.scope, stored_as),
            tell=self._tell,
            told=self._told,
        )
        self._jobs: JobRunner | None = None
        if any(item.plugin.jobs for item in enabled):
            from timbot.runtime.jobs import JobRunner  # brings the libraries of the schedule, which most bots do without

            self._jobs = JobRunner(self._dispatcher.outfits, client, self._log, self._tell, database, stored_as)
        self._task: asyncio.Task[None] | None = None
        self._behind = True

    @property
    def busy(self) -> bool:
        """Whether anything is being handled, or what was missed during a break is still to come."""
        if self._dispatcher.busy or (self._jobs is not None and self._jobs.busy):
            return True
        return self._behind and self._task is not None and not self._task.done()

    @property
    def busy_conversations(self) -> int:
        """Conversations with work, running or waiting."""
        return self._dispatcher.conversations

    @property
    def waiting(self) -> int:
        """Events that wait for their turn."""
        return self._dispatcher.waiting

    @property
    def unsent(self) -> int:
        """Messages on their way, or waiting for their turn."""
        return self._dispatcher.unsent

    async def start(self) -> None:
        """Log in and begin. Raises `LoginRefused`, `CredentialsError`, `ConnectionLost`."""
        self._task = asyncio.create_task(self._run(), name=f"account {self.client.user_id}")
        try:
            await self.client.login()
        except BaseException:
            await self._end_task()
            raise

    async def ended(self) -> None:
        """Wait until the login has ended by itself. Raises why."""
        if self._task is not None:
            await asyncio.shield(self._task)
        if self.client.error is not None:
            raise self.client.error

    async def stop(self, grace: float = 10.0) -> None:
        """Take nothing new, let handlers finish for `grace` seconds, log out."""
        await self._end_task()
        jobs = [] if self._jobs is None else [self._jobs.stop(grace)]
        try:
            await asyncio.gather(self._dispatcher.close(grace), *jobs)
        finally:
            await self.client.logout()

    async def _end_task(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        async for event in self.client.events():
            self._report(event)
            for observer in self._observers:
                observer.heard(self.client.user_id, event)
            if isinstance(event, model.NetStateChanged):
                self._behind = True
            elif isinstance(event, model.Ready):
                await self._learn_names()
                if self._jobs is not None and not self.ready.is_set():
                    await self._jobs.start()
                self.ready.set()
            await self._dispatcher.take(event)
            if isinstance(event, model.Ready):
                self._behind = False

    async def _learn_names(self) -> None:
        """The bot's nick, which people put after an @; set to what the configuration says, if it says anything."""
        try:
            nick = (await self.client.get_my_profile()).nick
            if self._nick is not None and nick != self._nick:
                await self.client.update_my_profile(nick=self._nick)
                nick = self._nick
        except ImError as error:  # without it the user ID still serves
            self._log.warning("nick unknown", error=str(error))
            return
        self._dispatcher.names = (self.client.user_id, nick)

    def _told(self, plugin: str, message: Message) -> None:
        self._log.debug("said", plugin=plugin, conversation=message.conversation_id, said=preview(message.payload))
        for observer in self._observers:
            observer.said(self.client.user_id, plugin, message)

    def _tell(self, activity: Activity) -> None:
        if activity.route:
            self._log_handled(activity)
        for observer in self._observers:
            observer.did(activity)

    def _log_handled(self, activity: Activity) -> None:
        where = {"sender": activity.who, "conversation": activity.conversation, "why": activity.why}
        said = {"said": "; ".join(preview(message.payload) for message in activity.said)}
        self._log.info(
            "handled",
            kind=activity.kind,
            handler=activity.route,
            outcome=activity.outcome,
            **{name: value for name, value in (where | said).items() if value},
            ms=round(activity.seconds * 1000, 1),
        )

    def _report(self, event: model.Event) -> None:
        """Say what an operator must know."""
        log = self._log
        match event:
            case model.Ready():
                log.info("ready", **({"again": True} if event.again else {}))
            case model.NetStateChanged(state=model.NetState.CONNECTED):
                log.info("connected")
            case model.NetStateChanged(retry_in=0) if self.ready.is_set():  # the ticket was refused: a signature does it
                log.info("login expired, logging in anew", cause="the server does not know it any more")
            case model.NetStateChanged():
                log.warning("disconnected", cause=event.cause, retry_in=round(event.retry_in, 1))
            case model.LoggedOut(kind=None):
                log.warning("login expired, logging in anew")
            case model.LoggedOut():
                log.error("kicked out", kind=event.kind.value if event.kind else "")
            case model.BrokenItem():
                log.error("not understood", error=str(event.error))
            case model.UnknownItem():
                log.warning("unknown kind of event", number=event.event)
            case model.Incomplete():
                log.warning("possibly incomplete", conversation=event.conversation_id, reason=event.reason)
