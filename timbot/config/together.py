"""What several settings must agree on. Looked at in the tree, so that it is told whatever else is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from timbot.config.models import HTTP_PORT
from timbot.config.tree import ListNode, MapNode, Node, ScalarNode, at
from timbot.config.validate import Fault
from timbot.errors import InvalidArgument
from timbot.im.endpoints import SANDBOX_PORT, resolve

_SOURCES: Final = ("secret_key_file", "secret_key", "user_sig", "user_sig_file")
_MAY_BE_ABSENT: Final = (*_SOURCES, "nick", "plugins")


def check(root: Node) -> Iterator[Fault]:
    """Everything that does not go together."""
    yield from _endpoint(root)
    yield from _app(root)
    yield from _ports(root)
    accounts = at(root, ("accounts",))
    first: dict[str, int] = {}
    for number, account in enumerate(accounts.items if isinstance(accounts, ListNode) else ()):
        if not isinstance(account, MapNode):
            continue
        yield from _sources(account, number)
        user = _text(account, "user_id")
        if user and first.setdefault(user, number) != number:
            told = f"this user is in the list already (accounts.{first[user]}): one login would kick the other out"
            yield Fault(("accounts", number, "user_id"), told)


def _sources(account: MapNode, number: int) -> Iterator[Fault]:
    given = [key for key in account.values if key in _SOURCES]
    if len(given) > 1:
        yield Fault(("accounts", number, given[-1]), f"{' and '.join(given)} exclude each other: give one")
    for key, node in account.values.items():
        if key in _MAY_BE_ABSENT and isinstance(node, ScalarNode) and node.value is None and not node.broken:
            yield Fault(("accounts", number, key), "there is nothing here: give a value, or take the line out")
    secret = account.values.get("secret_key")
    if isinstance(secret, ScalarNode) and not secret.outside and not secret.broken and secret.value is not None:
        told = (
            "a key does not belong into this file: write ${TIMBOT_SECRET_KEY} or ${file:/path/of/key}, or use secret_key_file"
        )
        yield Fault(("accounts", number, "secret_key"), told)


def _endpoint(root: Node) -> Iterator[Fault]:
    endpoint, insecure = _text(root, "endpoint"), at(root, ("insecure",))
    if not endpoint or (isinstance(insecure, ScalarNode) and (insecure.value is True or insecure.broken)):
        return
    try:
        resolve(endpoint, insecure=True)
    except InvalidArgument:
        return  # which is told already
    try:
        resolve(endpoint, insecure=False)
    except InvalidArgument:
        told = "this would send signatures unencrypted over the network: use wss://, or 'insecure: true' if it is yours alone"
        yield Fault(("endpoint",), told)


def _app(root: Node) -> Iterator[Fault]:
    """The default is the sandbox's app: elsewhere it is nobody's."""
    endpoint = _text(root, "endpoint")
    if endpoint in ("china", "oversea") and at(root, ("sdk_app_id",)) is None:
        yield Fault(("endpoint",), "sdk_app_id is needed with it: the number of your app, which the console shows")


def _ports(root: Node) -> Iterator[Fault]:
    if at(root, ("http",)) is not None and not isinstance(at(root, ("http",)), MapNode):
        return
    if (_text(root, "endpoint") or "sandbox") != "sandbox":
        return
    port, sandbox = _port(root, "http", HTTP_PORT), _port(root, "sandbox", SANDBOX_PORT)
    if port == sandbox and port:
        where = ("http", "port") if at(root, ("http", "port")) is not None else ("sandbox", "port")
        yield Fault(where, "http and sandbox need a port each")


def _port(root: Node, part: str, default: int) -> object:
    node = at(root, (part, "port"))
    return node.value if isinstance(node, ScalarNode) else default


def _text(node: Node, key: str) -> str:
    found = at(node, (key,))
    return found.value if isinstance(found, ScalarNode) and isinstance(found.value, str) else ""
