"""`timbot health`: asks a running bot how it is. For people, and for whatever restarts containers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from timbot.cli import exits, reach
from timbot.errors import ConfigError, TimbotError

if TYPE_CHECKING:
    from http.client import HTTPConnection

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8421
"""Where `timbot run` serves health unless its configuration says otherwise."""

LARGEST: Final = 1024 * 1024
"""Bytes of the longest answer that is read."""


class NoAnswer(TimbotError):
    """Nothing that tells of its health could be reached."""

    docs = "errors#no-answer"


@click.command(short_help="Ask a running bot how it is.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--url", help="Where it serves health, instead of what FILE says: http://host:port.")
@click.option("--timeout", type=click.FloatRange(0.1, 60), default=5.0, show_default=True, help="Seconds to wait for it.")
@click.pass_context
def command(ctx: click.Context, file: Path | None, url: str | None, timeout: float) -> None:
    """Ask the bot that runs the configuration FILE how it is; without FILE the one at http://127.0.0.1:8421.

    A line for each account, and what is wrong, or will be. Exit code 0: all is well; 1: something is not; 69: no answer.
    """
    if file is not None and url is not None:
        raise click.UsageError("FILE and --url exclude each other.")
    host, port = _of_url(url) if url is not None else (DEFAULT_HOST, DEFAULT_PORT) if file is None else _of_config(file)
    try:
        lines, well = _report(_ask(host, port, timeout))
    except NoAnswer as error:
        click.echo(f"timbot: {error.message}\n  {error.hint}", err=True)
        ctx.exit(exits.UNAVAILABLE)
    for line in lines:
        click.echo(line)
    ctx.exit(exits.OK if well else exits.FAILED)


def _ask(host: str, port: int, timeout: float) -> Mapping[str, Any]:
    import json
    from http.client import HTTPConnection, HTTPException

    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    connection: HTTPConnection = HTTPConnection(host, port, timeout=timeout)
    connected = False
    try:
        connection.connect()
        connected = True
        connection.request("GET", "/healthz", headers={"Connection": "close"})
        response = connection.getresponse()
        status, content = response.status, response.read(LARGEST)
    except (OSError, HTTPException, UnicodeError) as error:
        if connected and isinstance(error, TimeoutError):
            raise NoAnswer(
                f"Something listens at http://{place} but did not answer within {timeout:g} s: the bot is there, and stuck.",
                hint="A handler probably blocks it, by waiting without 'await' or by long computing: its log tells what it "
                "did last. If it does not come back, stop it (SIGTERM twice ends it at once) and start it again.",
            ) from None
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise NoAnswer(
            f"No bot answers at http://{place}: {why}.", hint="Is it running? Its configuration says where: 'http: port:'."
        ) from None
    finally:
        connection.close()
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if status not in (200, 503) or not isinstance(answer, dict) or not isinstance(answer.get("accounts"), list):
        raise NoAnswer(f"What answers at http://{place} is no bot (HTTP {status}).", hint="See 'http: port:' of the bot.")
    return answer


def _report(answer: Mapping[str, Any]) -> tuple[list[str], bool]:
    """What to print, and whether all is well."""
    accounts = [account for account in answer["accounts"] if isinstance(account, dict)]
    width = max((len(str(account.get("account"))) for account in accounts), default=0)
    lines = [_line(account, width) for account in accounts]
    for account in accounts:
        lines += [
            f"note {reach.plain(account.get('account')):{width}}  {reach.plain(note)}" for note in account.get("notes") or ()
        ]
    lines += [f"red  {reach.plain(reason)}" for reason in answer.get("reasons", ())]
    return lines, answer.get("status") == "ok"


def _line(account: Mapping[str, Any], width: int) -> str:
    name, reasons = reach.plain(account.get("account")), account.get("reasons") or ()
    if reasons:
        return f"red  {name:{width}}  {'; '.join(reach.plain(reason) for reason in reasons)}"
    heard = account.get("heard_seconds_ago")
    waiting = account.get("waiting")
    return f"ok   {name:{width}}  heard {'nothing yet' if heard is None else f'{heard} s ago'}, {waiting} waiting"


def _of_url(url: str) -> tuple[str, int]:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        if parts.hostname and parts.scheme == "http" and parts.path in ("", "/", "/healthz"):
            return parts.hostname, parts.port or 80
    except ValueError:  # a port that is none, an address that is never closed
        pass
    raise click.BadParameter("like this: http://127.0.0.1:8421", param_hint="--url")


def _of_config(path: Path) -> tuple[str, int]:
    section = reach.setting(path, "http")
    if section is None:
        return DEFAULT_HOST, DEFAULT_PORT
    if not isinstance(section, dict):
        raise ConfigError(f"{path} says 'http: {section}': there is nothing to ask.", hint="Remove that line.")
    defaults = (("host", DEFAULT_HOST), ("port", str(DEFAULT_PORT)))
    host, port = (reach.expanded(section.get(key, default), path, "http") for key, default in defaults)
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"{path}: 'http: port:' is no port that can be asked.", hint="Give it a number, or use --url.")
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), int(port)  # noqa: S104
