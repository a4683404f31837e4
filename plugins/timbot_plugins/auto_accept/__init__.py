"""Answers friend requests: accepts, refuses or leaves them to a person, by lists of users and rules on words and source.

Read `settings` for what can be configured. A request is decided in this order: the deny list, the allow list, the rules
from top to bottom, the default. What would be accepted beyond the limit of the day is left to a person.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from timbot import Accept, Client, Decision, FriendRequest, Job, Planned, Plugin, Reject, Store
from timbot.schedule import every
from timbot_plugins._shared.texts import cut, said
from timbot_plugins.auto_accept.places import Places
from timbot_plugins.auto_accept.settings import Rule, Settings, source_name

REMARK_BYTES: Final = 96
"""What the server takes as a remark."""

bot = Plugin("auto_accept", config=Settings)


@bot.on_friend_request
async def answer(request: FriendRequest, *, cfg: Settings, store: Store) -> Decision:
    """Decide a request."""
    action, rule = cfg.decide(request.sender.id, request.wording, request.source)
    if action == "refuse":
        return Reject()
    if action == "leave":
        return None
    if cfg.per_day is not None:
        day = datetime.fromtimestamp(request.now, cfg.tz).date().isoformat()
        if not await Places(store).take(request.sender.id, day, cfg.per_day, request.now):
            request.log.warning("left to a person: enough accepted for today", sender=request.sender.id, per_day=cfg.per_day)
            return None
    return _accept(request, cfg, rule)


@bot.planned(lambda cfg: () if cfg.per_day is None else (Planned("", every("10m")),))
async def look_after(job: Job, *, client: Client, store: Store) -> None:
    """Give the places of the day back that came to nothing."""
    given_back = await Places(store).settle(client, job.now.timestamp())
    if given_back:
        job.log.info("not accepted after all, and not counted", users=given_back)


def _accept(request: FriendRequest, cfg: Settings, rule: Rule | None) -> Accept:
    remark = rule.remark if rule and rule.remark else cfg.remark
    welcome = rule.welcome if rule and rule.welcome else cfg.welcome
    values = {"sender": request.sender, "wording": request.wording, "source": source_name(request.source)}
    return Accept(
        remark=cut(remark.render(**values), REMARK_BYTES) if remark else "",
        welcome=said(welcome, values) or None,
    )
