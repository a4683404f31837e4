"""`timbot chat`: a person at a terminal who talks to a bot."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any, Final

import click

from timbot.cli import exits
from timbot.sandbox.keys import DEFAULT_SDK_APP_ID

LARGEST: Final = 64 * 1024
"""Bytes of the longest answer that is read."""

PATIENCE: Final = 2.0
"""Seconds in which a sandbox must have said whose accounts are bots'."""


@click.command(short_help="Talk to a bot from the terminal.")
@click.option("--as", "user", default="bob", show_default=True, help="Who you are. The chat page begins as alice.")
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
@click.option("--kick", is_flag=True, help="Log in even as a bot: one that runs is kicked out by it and exits.")
@click.pass_context
def command(
    context: click.Context, user: str, peer: str, endpoint: str, sdk_app_id: int, secret_key_file: Path | None, kick: bool
) -> None:
    """Talk to a bot from the terminal, Chinese and emoji included.

    A line is a message. Lines that begin with a colon are for this program: ':help' lists them. Without a terminal the
    lines of standard input are sent one after the other, each after the answer to the one before; the exit code is 1 if
    one of them was refused.
    """
    from timbot.cli.conversation import Conversation
    from timbot.im.client import Account, Client
    from timbot.im.credentials import from_secret_key
    from timbot.im.endpoints import resolve
    from timbot.sandbox.keys import sandbox_key

    key = sandbox_key(secret_key_file)
    account = Account(sdk_app_id, user, from_secret_key(sdk_app_id, key.text))
    where = resolve(endpoint)
    if not kick and user in (peer, *_bots(where.urls[0])):
        who = f"You would be {user} and talk to {user}" if user == peer else f"{user} is a bot"
        raise click.UsageError(
            f"{who}: if {user} runs, your login kicks it out, and it exits. "
            "Be somebody else (--as alice), or say --kick if that is what you want."
        )
    client = Client(account, endpoint=where)
    if not asyncio.run(Conversation(client, peer, address=where.urls[0]).run()) and not sys.stdin.isatty():
        context.exit(exits.FAILED)


def _bots(url: str) -> list[str]:
    """The accounts that a sandbox on this machine knows to be bots'; none where there is no such sandbox to ask."""
    import json
    from http.client import HTTPConnection, HTTPException
    from urllib.parse import urlsplit

    from timbot.im.endpoints import is_loopback

    parts = urlsplit(url)
    if parts.scheme != "ws" or not parts.hostname or not is_loopback(parts.hostname):
        return []
    connection = HTTPConnection(parts.hostname, parts.port or 80, timeout=PATIENCE)
    try:
        connection.request("GET", "/page/setup", headers={"Connection": "close"})
        about: Any = json.loads(connection.getresponse().read(LARGEST))
        return [str(bot) for bot in about["bots"]]
    except (OSError, HTTPException, ValueError, TypeError, LookupError):
        return []
    finally:
        connection.close()
