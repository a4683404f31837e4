"""What an application gets, before anything is done about it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from timbot import GroupJoinRequest, Store
from timbot_plugins._shared.people import listed
from timbot_plugins._shared.wording import Action
from timbot_plugins.group_approval import refusals
from timbot_plugins.group_approval.codes import codes_in, is_free
from timbot_plugins.group_approval.settings import GroupSettings, Rule


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of an application, and why."""

    action: Action
    by: str
    """What said so: deny, allow, cooldown, default or the rule's place."""
    rule: Rule | None = None
    code: str = ""
    """The invite code that is to be spent."""
    minutes: int = 0
    """How long to wait before the next application has a chance."""

    @property
    def for_words(self) -> bool:
        """Whether it was made for what they wrote: a rule's or the default's choice."""
        return self.by == "default" or self.rule is not None


async def choose(settings: GroupSettings, request: GroupJoinRequest, store: Store) -> Choice:
    """Find out what the settings say."""
    user_id = request.sender.id
    if listed(user_id, settings.deny):
        return Choice("refuse", "deny")
    if listed(user_id, settings.allow):
        return Choice("accept", "allow")
    if settings.cooldown is not None:
        left = await refusals.until(store, request.group_id, user_id) - request.now
        if left > 0:
            return Choice("refuse", "cooldown", minutes=math.ceil(left / 60))
    for number, rule in enumerate(settings.rules):
        if rule.fits(request.wording):
            return Choice(rule.do, f"rules.{number}", rule)
        for code in codes_in(request.wording, rule.codes or ()):
            if await is_free(store, code, user_id):
                return Choice(rule.do, f"rules.{number}", rule, code)
    return Choice(settings.default, "default")
