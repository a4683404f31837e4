"""A process that runs a configuration: its store, its accounts, and the sandbox if that is where they log in."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timbot.config import AccountConfig, Config, HttpConfig, WatchdogConfig, exposed_files
from timbot.im.client import Account, Client
from timbot.im.clock import SystemClock
from timbot.im.credentials import Source
from timbot.im.endpoints import Endpoint, resolve
from timbot.routing.plugin import Plugin
from timbot.runtime import log as logging
from timbot.runtime.account import AccountRunner
from timbot.runtime.activity import Observer
from timbot.runtime.assembly import Assembly, assemble
from timbot.runtime.banner import banner
from timbot.runtime.control.commands import Commands, Desk
from timbot.runtime.control.kicks import Keeper, Kicks, Runs
from timbot.runtime.control.registry import Registry
from timbot.runtime.control.server import ControlServer
from timbot.runtime.control.signatures import GivenSignature
from timbot.runtime.demo import EmbeddedSandbox
from timbot.runtime.dispatcher import Options
from timbot.runtime.journal.interface import Journal
from timbot.runtime.journal.recorder import Recorder
from timbot.runtime.journal.sqlite import SqliteJournal
from timbot.runtime.leftovers import end_what_is_left
from timbot.runtime.sending.limits import Limits
from timbot.runtime.signals import stop_event
from timbot.runtime.sources import source_of
from timbot.runtime.watchdog import Places, Watchdog
from timbot.store import Database

if TYPE_CHECKING:
    from timbot.runtime.telemetry import Telemetry

Announce = Callable[[str], None]


async def run_file(
    path: Path, plugins: Sequence[Plugin] = (), announce: Announce = lambda _: None, *, keep_going: bool = False
) -> None:
    """Run a configuration file until SIGINT or SIGTERM, or until an account cannot go on.

    `plugins` run before the file's own, in every account. `announce` is told, once, what runs and how to talk to it.
    `keep_going` runs without the plugins that cannot be imported. Raises `ConfigError`, `StoreError`, `LoginRefused`,
    `KickedOutError`, `ConnectionLost`.
    """
    assembly = assemble(path, plugins, keep_going=keep_going)
    settings = assembly.config.log
    logging.configure(level=settings.level, format=settings.format, texts=settings.texts)
    logging.watch_loop(asyncio.get_running_loop())
    for file in exposed_files(assembly.config, path.parent):
        logging.get_log().warning("secret can be read", file=str(file), hint=f"Everybody on this machine can: chmod 600 {file}")
    with stop_event() as stop, _watchdog(assembly) as watchdog:
        try:
            await run(assembly, stop, announce, watchdog)
        finally:
            await end_what_is_left(logging.get_log())
        logging.get_log().info("stopped")


def _watchdog(assembly: Assembly) -> AbstractContextManager[Watchdog | None]:
    settings = assembly.config.watchdog
    if not isinstance(settings, WatchdogConfig):
        return nullcontext()
    places = Places.of(enabled.plugin for plugins in assembly.plugins.values() for enabled in plugins)
    return Watchdog(logging.get_log(), places, warn_after=settings.warn_after, exit_after=settings.exit_after)


async def run(assembly: Assembly, stop: asyncio.Event, announce: Announce, watchdog: Watchdog | None = None) -> None:
    """Run what was assembled until `stop` is set. Relative paths are relative to the configuration's file."""
    config, folder = assembly.config, assembly.path.parent
    log = logging.get_log()
    for advice in assembly.advice:
        log.warning("a handler may not go on after a restart", problem=str(advice))
    for problem in assembly.left_out:
        log.error("plugin left out", problem=problem)
    async with AsyncExitStack() as stack:
        state = folder / config.state
        database = await Database.open(state, durability="full" if config.durability == "full" else "relaxed")
        stack.push_async_callback(database.close)
        recorder = stack.enter_context(closing(Recorder.open(state, time.time())))
        telemetry = await _telemetry(config, stack)
        if telemetry is not None:
            telemetry.watch_store(database)
            if watchdog is not None:
                watchdog.listen(telemetry.loop_blocked)
        runners: list[Keeper[AccountRunner]] = []
        await stack.enter_async_context(_control(state, lambda: [keeper.runner for keeper in runners], telemetry))
        embedded: EmbeddedSandbox | None = None
        if config.endpoint == "sandbox":
            embedded = await stack.enter_async_context(EmbeddedSandbox(config))
            endpoint = Endpoint("sandbox", (embedded.url,))
        else:
            endpoint = resolve(config.endpoint, insecure=config.insecure)
        observers: list[Observer] = [] if embedded is None else [embedded.observer]
        world = "" if embedded is None else embedded.sandbox.domain.world_id
        for account in config.accounts:
            source = source_of(config, account, None if embedded is None else embedded.secret_key, folder)

            def make(account: AccountConfig = account, source: Source = source) -> AccountRunner:
                app = Account(config.sdk_app_id, account.user_id, source)
                client = Client(app, endpoint=endpoint, first_login=config.first_login)
                key = f"{endpoint.name}/{config.sdk_app_id}/{account.user_id}"
                keeps = config.durability != "off"
                return AccountRunner(
                    client,
                    assembly.plugins[account.user_id],
                    log,
                    _options(config, account),
                    nick=account.nick,
                    key=key,
                    database=database,
                    journal=SqliteJournal(database, key, world=world, recorder=recorder) if keeps else None,
                    observers=observers if telemetry is None else [*observers, telemetry],
                )

            retry_after = config.retry_after if config.on_kick == "retry_after" else None
            kicks = Kicks(folder / config.state, account.user_id, time.time)
            runner = Keeper(make, log.bind(account=account.user_id), kicks, retry_after=retry_after, grace=config.grace)
            runners.append(runner)
            if telemetry is not None:
                telemetry.watch(runner)
                telemetry.watch_journal(account.user_id, functools.partial(_journal_of, runner))
                if account.user_sig is not None or account.user_sig_file is not None:
                    fixed = account.user_sig is not None
                    given = GivenSignature(source, account.user_id, SystemClock(), fixed=fixed)
                    telemetry.watch_signature(account.user_id, given)
        # Without a store there is nothing to wait for: what handlers still do could not be written down.
        stack.push_async_callback(lambda: _stop_all(runners, 0.0 if database.broken else config.grace))
        log.info("connecting", endpoint=config.endpoint, accounts=", ".join(account.user_id for account in config.accounts))
        if not await _first(stop, _broken(database), _start_all(runners)):
            log.info("stopping before the first login")
            return
        if embedded is not None:
            embedded.furnish()
        announce(banner(assembly, embedded, None if telemetry is None else telemetry.url))
        await _first(stop, _broken(database), *(runner.ended() for runner in runners))
        log.info("stopping", grace_seconds=config.grace)


async def _telemetry(config: Config, stack: AsyncExitStack) -> Telemetry | None:
    """Health and metrics, if the configuration wants them."""
    if not isinstance(config.http, HttpConfig):
        return None
    from timbot.runtime.telemetry import Telemetry

    return await stack.enter_async_context(Telemetry(config.http.host, config.http.port, oldest_event=config.http.oldest_event))


def _control(folder: Path, desks: Callable[[], Sequence[Desk]], telemetry: Telemetry | None) -> ControlServer:
    """What commands reach the process by."""
    registry = Registry()
    Commands(desks, lambda: {} if telemetry is None else telemetry.health().as_json()).register(registry)
    return ControlServer(folder, registry, logging.get_log())


def _journal_of(keeper: Keeper[AccountRunner]) -> Journal:
    return keeper.runner.journal


def _options(config: Config, account: AccountConfig) -> Options:
    siblings = {other.user_id for other in config.accounts if other is not account}
    return Options(
        bots=frozenset(config.bots) | siblings,
        loop_guard=config.loop_guard,
        time_limit=config.time_limit,
        stale_after=config.stale_after,
        keep=config.keep,
        limits=Limits.documented(**config.limits.model_dump()),
        sentences=config.sentences.model_dump(),
    )


async def _first(stop: asyncio.Event, *others: Coroutine[Any, Any, None]) -> bool:
    """Wait until the stop signal comes, which is False, or one of the others ends, or raises."""
    stopping = asyncio.create_task(stop.wait(), name="stop signal")
    tasks = [asyncio.create_task(other, name=f"watch {number}") for number, other in enumerate(others)]
    try:
        done, _ = await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            task.result()
        return stopping not in done
    finally:
        for task in (stopping, *tasks):
            task.cancel()
        await asyncio.gather(stopping, *tasks, return_exceptions=True)


async def _start_all(runners: Sequence[Keeper[AccountRunner]]) -> None:
    """Log all accounts in at once; the first refusal stops the start."""
    try:
        async with asyncio.TaskGroup() as group:
            for runner in runners:
                group.create_task(runner.start(), name=f"start {runner.runner.client.user_id}")
    except ExceptionGroup as several:
        raise several.exceptions[0] from None


async def _broken(database: Database) -> None:
    """A bot that cannot write must stop: being online and forgetful is worse than being offline."""
    failure = await database.failure()
    logging.get_log().error("store failed", error=failure.message, hint=failure.hint)
    raise failure


async def _stop_all(runners: Sequence[Runs], grace: float) -> None:
    """All at once, and every one of them, whatever becomes of another."""
    ends = await asyncio.gather(*(runner.stop(grace) for runner in runners), return_exceptions=True)
    for end in ends:
        if end is not None:
            raise end
