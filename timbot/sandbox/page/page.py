"""What the chat page needs to know. A value only: `SandboxServer` makes it a site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timbot.sandbox.hub import Sandbox
    from timbot.sandbox.page.feed import Feed


@dataclass(frozen=True, slots=True)
class Page:
    """The chat page of a sandbox.

    `users`: whom a person at the page can be; the page signs for these and nobody else. `bots`: the accounts that are
    machines, the first of them being the one a newcomer talks to. `group`: the group to apply to, empty if there is none.
    `feed`: what the bot does, told by the runtime that runs it in this process; without one the bot runs elsewhere, and the
    page shows what the server sees of `bots`.
    """

    sandbox: Sandbox
    users: tuple[str, ...]
    bots: tuple[str, ...] = ()
    group: str = ""
    feed: Feed | None = None
