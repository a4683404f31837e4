"""The sandbox inside the bot's own process: what `endpoint: sandbox` means. No account and no network are needed."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from timbot.config import Config
from timbot.im.endpoints import SANDBOX_PORT
from timbot.im.model import events as model
from timbot.im.model.message import Message
from timbot.redaction import clean
from timbot.runtime.activity import Activity
from timbot.runtime.log import PREVIEW, preview
from timbot.sandbox.asgi import SandboxServer
from timbot.sandbox.domain import Refused
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import GroupChanges
from timbot.sandbox.hub import Sandbox
from timbot.sandbox.keys import sandbox_key
from timbot.sandbox.page import Feed, FeedEntry, Page


class PageObserver:
    """Tells the chat page what the bots do."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def heard(self, account: str, event: model.Event) -> None:
        """The page sees what comes in by itself."""

    def did(self, activity: Activity) -> None:
        """One more line for the page, with what was said; how many messages that were goes without saying."""
        said = [preview(message.payload, texts=True) for message in activity.said]
        ended = activity.words or ("" if said and activity.outcome.endswith(" sent") else activity.outcome)
        self._feed.publish(
            FeedEntry(
                time=activity.time,
                account=activity.account,
                event=activity.kind,
                who=activity.who,
                conversation=activity.conversation,
                route=activity.route,
                outcome=" · ".join(filter(None, (ended, *said))),
                milliseconds=round(activity.seconds * 1000, 1),
                why=clean(activity.why)[:PREVIEW],
            )
        )

    def said(self, account: str, plugin: str, message: Message) -> None:
        """What a plugin says of its own accord is a line of its own."""
        words = preview(message.payload, texts=True)
        self._feed.publish(FeedEntry(message.time, account, "said", "", message.conversation_id, plugin, words, 0.0))


class EmbeddedSandbox:
    """A sandbox with the configuration's users and a group of the first bot's."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._key = sandbox_key()
        settings = config.sandbox
        bots = tuple(account.user_id for account in config.accounts)
        feed = Feed()
        self.observer = PageObserver(feed)
        self.sandbox = Sandbox(self._key.text, sdk_app_id=config.sdk_app_id, users=[*bots, *settings.users])
        page = Page(self.sandbox, users=settings.users, bots=bots, group=settings.group, feed=feed)
        self._server = SandboxServer(
            self.sandbox.serve,
            host=settings.host,
            port=settings.port,
            key=self._key,
            page=page if settings.page else None,
            files=self.sandbox.files,
        )

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
        settings = self._config.sandbox
        name = settings.users[-1 if settings.page else 0] if settings.users else "bob"  # the page begins as the first
        url = "" if settings.port == SANDBOX_PORT else f" --url {self.url}"
        terminal = f"timbot chat --as {name}{url}"
        lines = [f"Users: {', '.join(settings.users) or 'any name'}. Group to apply to: {settings.group}."]
        if settings.page:
            return [f"Talk to it in a browser:  {self._server.page}   (or in a terminal: {terminal})", *lines]
        return [f"Talk to it from another terminal:  {terminal}", *lines]
