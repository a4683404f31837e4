"""`timbot usersig`: the password of an account, made from the secret key."""

from __future__ import annotations

import time
from pathlib import Path

import click


@click.command(short_help="Print a UserSig, made from the secret key.")
@click.argument("user")
@click.option("--sdk-app-id", type=click.IntRange(1, 2**32 - 1), help="The app. With --sandbox: 1400000000.")
@click.option(
    "--secret-key-file",
    type=click.Path(path_type=Path),
    help="A file with the app's secret key and nothing else. Otherwise: the variable TIMBOT_SECRET_KEY.",
)
@click.option("--days", type=click.IntRange(1, 3650), default=180, show_default=True, help="How long it is good for.")
@click.option(
    "--sandbox",
    is_flag=True,
    help="Sign for the local sandbox: with TIMBOT_SANDBOX_SECRET_KEY, else with the demo key.",
)
def command(user: str, sdk_app_id: int | None, secret_key_file: Path | None, days: int, sandbox: bool) -> None:
    """Print a UserSig for USER, and nothing else.

    Whoever has it is USER until it expires: treat it like a password. The key itself is never taken from the command
    line, which other processes can read.
    """
    from timbot.im.wire.usersig import sign
    from timbot.sandbox.keys import DEFAULT_SDK_APP_ID, app_key, sandbox_key

    if not 0 < len(user.encode("utf-8", "replace")) <= 32 or not user.isprintable():
        raise click.BadParameter("a user ID is 1 to 32 printable bytes.", param_hint="USER")
    if sdk_app_id is None:
        if not sandbox:
            raise click.UsageError("Which app? Say --sdk-app-id, or --sandbox for the local one.")
        sdk_app_id = DEFAULT_SDK_APP_ID
    key = sandbox_key(secret_key_file) if sandbox else app_key(secret_key_file)
    click.echo(sign(sdk_app_id, key.text, user, now=int(time.time()), lifetime=days * 86400))
