"""The sandbox inside the bot's own process: what `endpoint: sandbox` means. No account and no network are needed."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from timbot.config import Config
from timbot.sandbox.asgi import SandboxServer
from timbot.sandbox.domain import Refused
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import GroupChanges
from timbot.sandbox.hub import Sandbox
from timbot.sandbox.keys import sandbox_key


class EmbeddedSandbox:
    """A sandbox with the configuration's users and a group of the first bot's."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._key = sandbox_key()
        settings = config.sandbox
        bots = [account.user_id for account in config.accounts]
        self.sandbox = Sandbox(self._key.text, sdk_app_id=config.sdk_app_id, users=[*bots, *settings.users])
        self._server = SandboxServer(self.sandbox.serve, host=settings.host, port=settings.port, key=self._key)

    @property
    def url(self) -> str:
        """Where it listens: `ws://host:port`."""
        return self._server.url

    @property
    def secret_key(self) -> str:
        """What signs for it."""
        return self._key.text

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.sandbox.stop()
        await self._server.stop()

    def furnish(self) -> None:
        """Make what a newcomer will look for: the group, with the first bot as its owner."""
        owner, group = self._config.accounts[0].user_id, self._config.sandbox.group
        try:
            self.sandbox.domain.groups.create(owner, GroupType.PUBLIC, GroupChanges(name=group), group_id=group)
        except Refused:
            return  # it is there already
        self.sandbox.flush()

    def how_to_talk(self) -> list[str]:
        """Lines that tell a newcomer what to do now."""
        users = self._config.sandbox.users
        name = users[0] if users else "alice"
        port = f" --url {self.url}" if self._config.sandbox.port != SandboxServer(self.sandbox.serve).port else ""
        return [
            f"Talk to it from another terminal:  make chat   (or: timbot chat --as {name}{port})",
            f"Users: {', '.join(users) or 'any name'}. Group to apply to: {self._config.sandbox.group}.",
        ]
