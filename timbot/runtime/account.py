"""One account at work: its client, its dispatcher, and what is to be said about both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from timbot.errors import ImError
from timbot.im.client import Client
from timbot.im.model import events as model
from timbot.im.model.message import Message
from timbot.routing.plugin import Plugin
from timbot.runtime.activity import Activity, Observer
from timbot.runtime.dispatcher import JOBS, Dispatcher, Options
from timbot.runtime.enabled import Enabled, enable_all
from timbot.runtime.intake import Intake
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.memory import MemoryJournal
from timbot.runtime.journal.values import KeptEvent, Resumed
from timbot.runtime.log import preview
from timbot.runtime.machinery import machinery
from timbot.runtime.occasion import Occasions
from timbot.runtime.suspects import run_alone
from timbot.store.errors import StoreError

if TYPE_CHECKING:
    from timbot.runtime.jobs import JobRunner
    from timbot.runtime.log import Log
    from timbot.store import Database


TIDY_EVERY: Final = 600.0
"""Seconds between two rounds of letting go of what is done."""


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
        journal: Journal | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        """`database` keeps what plugins store and which jobs have run, under `key`; `observers` are told what happens.

        `journal` keeps what has happened and is still to be done; without one nothing outlives the process.
        """
        self.client = client
        self.options = options or Options()
        self._nick = nick
        self._observers = observers
        self.ready = asyncio.Event()
        """Set once everything missed has been handed over."""
        self._log = log.bind(account=client.user_id)
        self._resumed = Resumed()
        stored_as = key or client.user_id
        self.journal: Journal = journal or MemoryJournal(database, stored_as, clock=client.clock)
        enabled = enable_all(plugins)
        self._machinery = machinery(
            client, self.journal, enabled, self._log, self.options, key=stored_as, database=database, told=self._told
        )
        self._occasions = Occasions(self._machinery.table, client.user_id, self.options.bots)
        self._dispatcher = Dispatcher(
            self._machinery, self._occasions, self.options, self._tell, self._log, spills=journal is not None
        )
        self._intake = Intake(
            client, self.journal, self._occasions, self._dispatcher.wants, self._log, stale_after=self.options.stale_after
        )
        self._jobs: JobRunner | None = None
        if any(item.plugin.jobs for item in enabled):
            from timbot.runtime.jobs import JobRunner  # brings the libraries of the schedule, which most bots do without

            self._jobs = JobRunner(self._machinery, self._log, self._tell, database)
        self._task: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._behind = True
        self._begun = asyncio.Event()
        """Set once what the process before has left stands in its lanes: what is new stands behind it."""

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
        return self._machinery.speaker.outbox.open

    async def start(self) -> None:
        """Log in and begin. Raises `LoginRefused`, `CredentialsError`, `ConnectionLost`, `StoreError`."""
        resumed = self._resumed = await self.journal.resume()
        self.client.remember(resumed.memory)
        self._machinery.dialogues.resume(resumed.dialogues)  # before anything comes in: it may be an answer
        self._intake.prepare()
        self._task = asyncio.create_task(self._run(), name=f"account {self.client.user_id}")
        try:
            await self.client.login()
        except BaseException:
            await self._end_tasks()
            raise
        await self._learn_names()
        await self._machinery.speaker.outbox.resume(resumed.sends)
        await run_alone(self.journal, resumed, self.client.clock.now(), self._turn_kept, self._log)
        self._dispatcher.resume(resumed.lanes)
        self._begun.set()
        self._keeping = asyncio.create_task(self._tidy(), name=f"account {self.client.user_id}: tidying")

    async def ended(self) -> None:
        """Wait until the login has ended by itself. Raises why."""
        if self._task is not None:
            await asyncio.shield(self._task)
        if self.client.error is not None:
            raise self.client.error

    async def stop(self, grace: float = 10.0) -> None:
        """Take nothing new, let handlers finish for `grace` seconds, log out."""
        await self._end_tasks()
        jobs = [] if self._jobs is None else [self._jobs.stop(grace)]
        outbox = self._machinery.speaker.outbox
        outbox.stopping()
        try:
            await asyncio.gather(self._dispatcher.close(grace), *jobs)
            await outbox.close()
        finally:
            await self.client.logout()

    # What commands do while it runs

    @property
    def account(self) -> str:
        """The account's user ID."""
        return self.client.user_id

    async def revived(self, event: KeptEvent) -> None:
        """A dead letter is open again."""
        if event.lane.startswith(JOBS):
            if self._jobs is not None:
                self._jobs.revive(event)
        else:
            self._dispatcher.revive(event)

    async def let_go(self, user_id: str) -> None:
        """A person is about to be forgotten."""
        self._dispatcher.let_go(user_id)

    def abandon(self) -> None:
        """Stop at once, without a goodbye: whatever is going on is left to whoever goes on from the journal."""
        for task in (self._task, self._keeping):
            if task is not None:
                task.cancel()
        if self._jobs is not None:
            self._jobs.abandon()
        self._machinery.speaker.outbox.abandon()
        self._dispatcher.abandon()
        self.client.abandon()

    async def _end_tasks(self) -> None:
        tasks = {task for task in (self._task, self._keeping) if task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _tidy(self) -> None:
        """Let the journal go of what is done, now and then."""
        while True:
            await asyncio.sleep(TIDY_EVERY)
            try:
                await self.journal.compact(self.client.clock.now(), self.options.keep)
            except StoreError:
                return  # told, and acted upon, by whoever owns the store

    async def _run(self) -> None:
        async for occasion in self._intake.read():
            event = occasion.event
            self._report(event)
            for observer in self._observers:
                observer.heard(self.client.user_id, event)
            if isinstance(event, model.NetStateChanged):
                self._behind = True
                self._machinery.dialogues.pause()
            else:
                await self._begun.wait()
            if isinstance(event, model.Ready):
                await self._all_told(again=event.again)
            await self._dispatcher.take(occasion)
            if isinstance(event, model.Ready):
                self._behind = False

    async def _turn_kept(self, kept: KeptEvent) -> None:
        if not kept.lane.startswith(JOBS):
            await self._dispatcher.alone(kept)
        elif self._jobs is not None:
            await self._jobs.turn_kept(kept)

    async def _all_told(self, *, again: bool) -> None:
        """Everything missed has come in."""
        if again:
            await self._learn_names()
        self._machinery.dialogues.start()
        if self._jobs is not None and not self.ready.is_set():
            await self._jobs.start(self._resumed.lanes)
        self.ready.set()

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
        self._occasions.names = (self.client.user_id, nick)

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
