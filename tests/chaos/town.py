"""The server everybody meets at, within the harness's own process: its store is the judge's only witness."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from tests.chaos.plan import BOT, Conversation, Options, Plan
from tests.chaos.verdict import Stored
from timbot.im.wire.elements import Element, TextElem, open_element
from timbot.sandbox import Courier, Sandbox, Settings
from timbot.sandbox.asgi import SandboxServer
from timbot.sandbox.domain import Domain
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import GroupChanges, GroupMessage
from timbot.sandbox.guard import Caps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY: Final = "chaos-key-of-a-server-that-lives-for-a-test-0123456789abcdef0123"
ALL: Final = 1_000_000
MENTION: Final = f"@{BOT} "


@asynccontextmanager
async def open_town(options: Options, plan: Plan, courier: Courier) -> AsyncIterator[tuple[Sandbox, int]]:
    """A sandbox with everybody in it, and the port it listens at."""
    # A second login, so that what a dead process sent still counts when it arrives after the next one has logged in.
    settings = Settings(instances=2, dedupe=options.dedupe, unacked=options.unacked, history_late=options.history_late)
    sandbox = Sandbox(
        KEY, users=[BOT, *plan.users], chance=random.Random(f"town {options.seed}"), settings=settings, courier=courier
    )
    for conversation in plan.conversations:
        if conversation.group:
            first, *others = conversation.members
            changes = GroupChanges(name=conversation.id)
            sandbox.domain.groups.create(first, GroupType.PUBLIC, changes, group_id=conversation.id, members=[*others, BOT])
    sandbox.flush()
    caps = Caps(connections=900, per_address=900, rate=2000.0, burst=10_000)
    server = SandboxServer(sandbox.serve, port=0, caps=caps)
    await server.start()
    try:
        yield sandbox, server.port
    finally:
        await sandbox.stop()
        await server.stop()


def read_store(domain: Domain, conversation: Conversation) -> list[Stored]:
    """Everything the server has of a conversation, oldest first. What is late is not there yet."""
    if not conversation.group:
        page = domain.chats.history(conversation.members[0], BOT, ALL)
        return [Stored(message.sender, _text(message.body), message.time) for message in page.messages]
    records = domain.group_messages.history(BOT, conversation.id, None, ALL).records
    contents = [record.content for record in reversed(records)]
    found = [content for content in contents if isinstance(content, GroupMessage)]
    return [Stored(message.sender, _text(message.body), message.time) for message in found]


def _text(body: object) -> str:
    assert isinstance(body, Sequence)
    element: Element = body[0]
    content = open_element(element)
    return content.text.removeprefix(MENTION) if isinstance(content, TextElem) else f"no text: {content}"
