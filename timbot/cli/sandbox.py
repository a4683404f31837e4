"""`timbot sandbox`: a local TIM server to develop against, without an account and without a network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from timbot.im.endpoints import SANDBOX_PORT
from timbot.sandbox.keys import APP_VARIABLE, DEFAULT_HOST, DEFAULT_SDK_APP_ID, SANDBOX_VARIABLE, SecretKey, sandbox_key

if TYPE_CHECKING:
    from timbot.sandbox.asgi import SandboxServer


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said."""

    host: str
    port: int
    sdk_app_id: int
    secret_key_file: Path | None
    users: tuple[str, ...]
    bots: tuple[str, ...]
    instances: int
    dedupe: Literal["documented", "none"]
    unacked: Literal["redeliver", "forget"]
    history_late: float
    public: bool
    allow_host: tuple[str, ...]


def _users(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, ...]:
    users = tuple(dict.fromkeys(user.strip() for user in value.split(",") if user.strip()))
    for user in users:
        if len(user.encode("utf-8", "replace")) > 32 or not user.isprintable() or user.startswith("@TIM#"):
            raise click.BadParameter(f"{user!r} is no user ID: 1 to 32 printable bytes, not starting @TIM#.")
    return users


@click.command(short_help="Run a local TIM server and its chat page.")
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=SANDBOX_PORT, show_default=True, help="0: any free one.")
@click.option(
    "--sdk-app-id", type=click.IntRange(1, 2**32 - 1), default=DEFAULT_SDK_APP_ID, show_default=True, help="The app it plays."
)
@click.option(
    "--secret-key-file",
    type=click.Path(path_type=Path),
    help=f"A file with the secret key and nothing else. Otherwise: {SANDBOX_VARIABLE}, else a demo key for loopback.",
)
@click.option(
    "--users", default="alice,bob", show_default=True, callback=_users, help="Who exists from the start, comma-separated."
)
@click.option(
    "--bots", default="bot", show_default=True, callback=_users, help="Users that are bots: the chat page shows what they do."
)
@click.option("--instances", type=click.IntRange(1, 100), default=1, show_default=True, help="Logins per user at a time.")
@click.option(
    "--dedupe",
    type=click.Choice(["documented", "none"]),
    default="documented",
    show_default=True,
    help="Drop repeated messages as the vendor documents it, or never.",
)
@click.option(
    "--unacked",
    type=click.Choice(["redeliver", "forget"]),
    default="redeliver",
    show_default=True,
    help="Whether a push that was never acknowledged comes again after a reconnect.",
)
@click.option(
    "--history-late",
    type=click.FloatRange(0, 60),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="How late a message may appear in histories.",
)
@click.option("--public", is_flag=True, help="Other machines may connect. Needs a key of its own.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="A further name it answers to; may be repeated.")
def command(**options: object) -> None:
    """Run a local TIM server that bots and the official SDKs log in to, with a chat page for people.

    The page is for this machine only: with --public there is none, since it lets everybody in without a password.

    Everything is in memory: it begins empty and forgets all when it stops. Ctrl-C or SIGTERM stop it (exit code 0), a
    second one at once.
    """
    asyncio.run(_run(Options(**options)))  # type: ignore[arg-type]


async def _run(options: Options) -> None:
    from timbot.runtime.signals import stop_event
    from timbot.sandbox.asgi import SandboxServer
    from timbot.sandbox.domain import Settings
    from timbot.sandbox.hub import Sandbox
    from timbot.sandbox.page import Page

    key = sandbox_key(options.secret_key_file)
    sandbox = Sandbox(
        key.text,
        sdk_app_id=options.sdk_app_id,
        users=options.users,
        settings=Settings(
            instances=options.instances, dedupe=options.dedupe, unacked=options.unacked, history_late=options.history_late
        ),
    )
    people = tuple(user for user in options.users if user not in options.bots)
    server = SandboxServer(
        sandbox.serve,
        host=options.host,
        port=options.port,
        key=key,
        public=options.public,
        allow_hosts=options.allow_host,
        page=Page(sandbox, people, options.bots),
        files=sandbox.files,
    )
    await server.start()
    try:
        with stop_event() as stop:
            click.echo(_banner(options, key, server))
            stopping = asyncio.create_task(stop.wait(), name="stop signal")
            failing = asyncio.create_task(server.stopped(), name="sandbox server watch")
            try:
                await asyncio.wait({stopping, failing}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                stopping.cancel()
                failing.cancel()
        click.echo("Stopping.")
    finally:
        await sandbox.stop()
        await server.stop()
    await server.stopped()


def _banner(options: Options, key: SecretKey, server: SandboxServer) -> str:
    app = "" if options.sdk_app_id == DEFAULT_SDK_APP_ID else f" --sdk-app-id {options.sdk_app_id}"
    file = "" if options.secret_key_file is None else f" --secret-key-file {options.secret_key_file}"
    people = [user for user in options.users if user not in options.bots] or ["alice"]
    bot = (*options.bots, "bot")[0]
    browser, terminal = people[0], people[-1]
    users = ", ".join(options.users)
    steps = [] if options.public else [(f"be {browser} in a browser", f"{server.page}#{browser}")]
    steps += [
        (f"be {terminal} at a terminal", f"timbot chat --as {terminal} --to {bot} --url {server.url}{app}{file}"),
        ("log in an SDK with this", f"timbot usersig {browser} --sandbox{app}{file}"),
        ("run a bot of yours", f"{APP_VARIABLE}={key.text} timbot run config.yaml" if key.demo else "timbot run config.yaml"),
    ]
    wide = max(len(what) for what, _ in steps)
    return "\n".join(
        [
            "timbot sandbox: a local TIM server",
            "",
            f"  address   {server.url}    page {server.page}",
            f"  SDKAppID  {options.sdk_app_id}",
            f"  key       {key.source}" + (f" (good on this machine only): {key.text}" if key.demo else ""),
            f"  users     {users + '; others' if users else 'all'} exist from their first login",
            "",
            *(f"{'Next: ' if number == 0 else '      '}{what:{wide}}   {how}" for number, (what, how) in enumerate(steps)),
            "",
            "      where config.yaml has these lines:",
            "",
            *(f"        {line}" for line in _config(options, key, server, bot)),
            "",
            "Stop: Ctrl-C",
        ]
    )


def _config(options: Options, key: SecretKey, server: SandboxServer, bot: str) -> list[str]:
    """What a configuration says to log a bot in here."""
    lines = [f"endpoint: {server.url}", f"sdk_app_id: {options.sdk_app_id}", "accounts:", f"  - user_id: {bot}"]
    if options.secret_key_file is not None:
        lines.append(f"    secret_key_file: {options.secret_key_file.absolute()}")
    elif not key.demo:
        lines.append(f"    secret_key: ${{{SANDBOX_VARIABLE}}}")
    return lines
