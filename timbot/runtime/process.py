"""A process that runs a configuration: its accounts, and the sandbox if that is where they log in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from timbot.config import AccountConfig, Config, load
from timbot.errors import ConfigError
from timbot.im import credentials
from timbot.im.client import Account, Client
from timbot.im.endpoints import Endpoint, resolve
from timbot.routing.plugin import Plugin
from timbot.runtime import log as logging
from timbot.runtime.account import AccountRunner
from timbot.runtime.demo import EmbeddedSandbox
from timbot.runtime.dispatcher import Options
from timbot.runtime.loader import load_plugins
from timbot.runtime.signals import stop_event
from timbot.sandbox.keys import APP_VARIABLE, app_key

GRACE: Final = 10.0
"""Seconds that handlers get to finish when the process is told to stop."""

Announce = Callable[[str], None]


async def run_file(path: Path, plugins: Sequence[Plugin] = (), announce: Announce = lambda _: None) -> None:
    """Run a configuration file until SIGINT or SIGTERM, or until an account cannot go on.

    `plugins` run before the file's own. `announce` is told, once, what runs and how to talk to it. Raises `ConfigError`,
    `PluginError`, `LoginRefused`, `KickedOutError`, `ConnectionLost`.
    """
    config = load(path)
    logging.configure(level=config.log_level)
    loaded = [*plugins, *load_plugins(config.plugins, path.parent)]
    with stop_event() as stop:
        await run(config, loaded, path, stop, announce)


async def run(config: Config, plugins: Sequence[Plugin], path: Path, stop: asyncio.Event, announce: Announce) -> None:
    """Run a configuration until `stop` is set. Relative paths in it are relative to its file, `path`."""
    log = logging.get_log()
    async with AsyncExitStack() as stack:
        embedded: EmbeddedSandbox | None = None
        if config.endpoint == "sandbox":
            embedded = await stack.enter_async_context(EmbeddedSandbox(config))
            endpoint = Endpoint("sandbox", (embedded.url,))
        else:
            endpoint = resolve(config.endpoint, insecure=config.insecure)
        runners: list[AccountRunner] = []
        for account in config.accounts:
            client = Client(
                Account(config.sdk_app_id, account.user_id, _source(config, account, embedded, path.parent)), endpoint=endpoint
            )
            runners.append(AccountRunner(client, plugins, log, _options(config, account), nick=account.nick))
        stack.push_async_callback(_stop_all, runners)
        if not await _start_unless_stopped(runners, stop):
            log.info("stopping before the first login")
            return
        if embedded is not None:
            embedded.furnish()
        announce(_banner(config, plugins, path, embedded))
        await _until_over(runners, stop)
        log.info("stopping", grace_seconds=GRACE)


def _source(config: Config, account: AccountConfig, embedded: EmbeddedSandbox | None, folder: Path) -> credentials.Source:
    """Where the account's UserSig comes from."""
    if account.user_sig is not None:
        return credentials.from_text(account.user_sig)
    if account.user_sig_file is not None:
        return credentials.from_file(folder / account.user_sig_file)
    if account.secret_key_file is not None:
        return credentials.from_secret_key(config.sdk_app_id, app_key(folder / account.secret_key_file).text)
    if embedded is None:
        if APP_VARIABLE not in os.environ:
            raise ConfigError(
                f"There is nothing to log {account.user_id} in with.",
                hint=f"Give its account a secret_key_file, a user_sig_file or a user_sig, or set {APP_VARIABLE}.",
            )
        return credentials.from_secret_key(config.sdk_app_id, app_key().text)
    return credentials.from_secret_key(config.sdk_app_id, embedded.secret_key)


def _options(config: Config, account: AccountConfig) -> Options:
    siblings = {other.user_id for other in config.accounts if other is not account}
    return Options(bots=frozenset(config.bots) | siblings, loop_guard=config.loop_guard)


async def _start_unless_stopped(runners: list[AccountRunner], stop: asyncio.Event) -> bool:
    """Log in, which may take long where no server answers; False if `stop` came first. Raises why a login failed."""
    starting = asyncio.create_task(_start_all(runners), name="start")
    stopping = asyncio.create_task(stop.wait(), name="stop signal")
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            return True
        return False
    finally:
        for task in (starting, stopping):
            task.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)


async def _start_all(runners: list[AccountRunner]) -> None:
    """Log all accounts in at once; the first refusal stops the start."""
    try:
        async with asyncio.TaskGroup() as group:
            for runner in runners:
                group.create_task(runner.start(), name=f"start {runner.client.user_id}")
    except ExceptionGroup as several:
        raise several.exceptions[0] from None


async def _until_over(runners: list[AccountRunner], stop: asyncio.Event) -> None:
    """Wait for the stop signal, or for the first account that cannot go on (which raises)."""
    stopping = asyncio.create_task(stop.wait(), name="stop signal")
    ends = [asyncio.create_task(runner.ended(), name=f"watch {runner.client.user_id}") for runner in runners]
    try:
        done, _ = await asyncio.wait({stopping, *ends}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (stopping, *ends):
            task.cancel()
        await asyncio.gather(stopping, *ends, return_exceptions=True)


async def _stop_all(runners: list[AccountRunner]) -> None:
    await asyncio.gather(*(runner.stop(GRACE) for runner in runners))


def _banner(config: Config, plugins: Sequence[Plugin], path: Path, embedded: EmbeddedSandbox | None) -> str:
    names = ", ".join(f"{plugin.name} ({len(plugin.routes)})" for plugin in plugins) or "none: the bot will say nothing"
    lines = [
        f"timbot runs {path}",
        "",
        f"  accounts  {', '.join(account.user_id for account in config.accounts)}",
        f"  endpoint  {config.endpoint}" + (f", {embedded.url}" if embedded else ""),
        f"  plugins   {names}",
        "",
    ]
    if embedded:
        lines += embedded.how_to_talk()
    lines.append("Stop: Ctrl-C")
    return "\n".join(lines)
