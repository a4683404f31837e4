"""The client as a handler sees it: what changes something is a step, whose result is kept."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from timbot.im.api.messages import OutgoingMessage
from timbot.im.client import Client

if TYPE_CHECKING:
    from timbot.im.model.message import Message
    from timbot.runtime.steps import Steps

CHANGES: Final = frozenset(
    {
        "accept_friend_application",
        "add_friend",
        "create_group",
        "forget_group_notice",
        "handle_group_application",
        "join_group",
        "quit_group",
        "refuse_friend_application",
        "revoke_message",
        "update_my_profile",
    }
)
"""Methods that change something on the server. Whatever else there is only reads, or makes a value."""

OWN: Final = frozenset({"deliveries", "events", "login", "logout"})
"""What belongs to whoever runs the client."""


class ClientView:
    """Stands for a client within the steps of one handler."""

    def __init__(self, client: Client, steps: Steps) -> None:
        self._client = client
        self._steps = steps

    @property
    def underlying(self) -> Client:
        """See `Client.underlying`."""
        return self._client

    def __getattr__(self, name: str) -> Any:
        if name in CHANGES:
            return functools.partial(self._change, name)
        if name in OWN:
            raise AttributeError(f"'{name}' is for whoever runs the client; a handler only works with it.")
        return getattr(self._client, name)

    async def send_message(self, message: OutgoingMessage, *, online_user_only: bool = False) -> Message:
        """See `Client.send_message`."""
        said: list[Message] = []
        await self._steps.send(lambda: [message], message.conversation_id, said, online_user_only=online_user_only)
        return said[0]

    async def _change(self, name: str, *args: Any, **kwargs: Any) -> Any:
        method: Callable[..., Awaitable[object]] = getattr(self._client, name)

        async def work() -> object:
            return msgspec.to_builtins(await method(*args, **kwargs))

        target = next((value for value in args if isinstance(value, str)), "")
        result = await self._steps.effect("request", target, name, work)
        return msgspec.convert(result, _answer_of(name), strict=False)


@functools.cache
def _answer_of(name: str) -> Any:
    method = inspect.unwrap(getattr(Client, name))
    return typing.get_type_hints(method).get("return", None)


def view(client: Client, steps: Steps) -> Client:
    """The client within these steps."""
    return cast("Client", ClientView(client, steps))
