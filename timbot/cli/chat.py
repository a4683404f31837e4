"""`timbot chat`: a person at a terminal who talks to a bot."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from timbot.sandbox.keys import DEFAULT_SDK_APP_ID


@click.command()
@click.option("--as", "user", default="alice", show_default=True, help="Who you are.")
@click.option("--to", "peer", default="bot", show_default=True, help="Whom you talk to.")
@click.option(
    "--url", "endpoint", default="sandbox", show_default=True, help="The server: sandbox, china, oversea or a ws(s):// URL."
)
@click.option("--sdk-app-id", type=click.IntRange(1, 2**32 - 1), default=DEFAULT_SDK_APP_ID, show_default=True, help="The app.")
@click.option(
    "--secret-key-file",
    type=click.Path(path_type=Path),
    help="The app's secret key. Otherwise the sandbox's: TIMBOT_SANDBOX_SECRET_KEY, else the demo key.",
)
def command(user: str, peer: str, endpoint: str, sdk_app_id: int, secret_key_file: Path | None) -> None:
    """Talk to a bot from the terminal, Chinese and emoji included.

    A line is a message. Lines that begin with a colon are for this program: ':help' lists them. Without a terminal the
    lines of standard input are sent one after the other, each after the answer to the one before.
    """
    from timbot.cli.conversation import Conversation
    from timbot.im.client import Account, Client
    from timbot.im.credentials import from_secret_key
    from timbot.im.endpoints import resolve
    from timbot.sandbox.keys import sandbox_key

    key = sandbox_key(secret_key_file)
    account = Account(sdk_app_id, user, from_secret_key(sdk_app_id, key.text))
    where = resolve(endpoint)
    client = Client(account, endpoint=where)
    asyncio.run(Conversation(client, peer, address=where.urls[0]).run())
