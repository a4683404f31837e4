"""Answers applications to groups: lets in, refuses with a reason or leaves to a person, by lists, rules and invite codes.

Read `settings` for what can be configured. An application is decided in this order: the deny list, the allow list, the
cooldown, the rules from top to bottom, the default. Whoever would be let in beyond the member cap is not. Other admins may
answer at the same time: if one is quicker, the bot says nothing.
"""

from __future__ import annotations

from timbot import PASS, Accept, Context, Decision, GroupJoinRequest, Job, MemberJoined, Pass, Plugin, Reject, Store, Template
from timbot_plugins._shared.texts import said
from timbot_plugins.group_approval import refusals
from timbot_plugins.group_approval.choice import Choice, choose
from timbot_plugins.group_approval.codes import spend
from timbot_plugins.group_approval.seats import seats_of
from timbot_plugins.group_approval.settings import Group, GroupSettings, Settings

bot = Plugin("group_approval", config=Settings)


@bot.on_group_join_request
async def answer(request: GroupJoinRequest, *, cfg: Settings, store: Store) -> Decision:
    """Decide an application."""
    settings = cfg.of(request.group_id)
    while True:
        choice = await choose(settings, request, store)
        if choice.action == "refuse":
            return await _refuse(choice, settings, request, store)
        if choice.action == "leave":
            return None
        if not await _has_room(settings, request):
            return Reject(_told(settings.full_reason, request)) if settings.full == "refuse" else None
        if not choice.code or await spend(store, choice.code, request.sender.id):
            return _accept(choice, settings, request)
        # Somebody else was quicker with the same code: now it is spent, and something else decides.
        seats_of(request.client).give_up(request.group_id, request.sender.id)


@bot.on_member_join
async def came_in(ctx: Context[MemberJoined]) -> Pass:
    """Who has come in needs no seat kept."""
    seats_of(ctx.client).give_up(ctx.group_id, *ctx.payload.user_ids)
    return PASS


@bot.every("1h")
async def tidy(job: Job, *, store: Store) -> None:
    """Forget the cooldowns that are over."""
    job.log.debug("cooldowns forgotten", count=await refusals.forget(store, job.now.timestamp()))


async def _has_room(settings: GroupSettings, request: GroupJoinRequest) -> bool:
    most = settings.max_members
    if most is None or await seats_of(request.client).keep(request.group_id, request.sender.id, most):
        return True
    request.log.warning("the group is full", max_members=most, sender=request.sender.id)
    return False


def _accept(choice: Choice, settings: GroupSettings, request: GroupJoinRequest) -> Accept:
    message = choice.rule.message if choice.rule and choice.rule.message else settings.message
    welcome = choice.rule.welcome if choice.rule and choice.rule.welcome else settings.welcome
    return Accept(message=_told(message, request), welcome=said(welcome, _values(request)) or None)


async def _refuse(choice: Choice, settings: GroupSettings, request: GroupJoinRequest, store: Store) -> Reject:
    if choice.minutes and settings.cooldown_reason is not None:
        return Reject(settings.cooldown_reason.render(**_values(request), minutes=choice.minutes))
    if choice.for_words and settings.cooldown is not None:
        await refusals.note(store, request.group_id, request.sender.id, request.now + settings.cooldown)
    return Reject(_told(choice.rule.reason if choice.rule and choice.rule.reason else settings.reason, request))


def _told(text: Template | None, request: GroupJoinRequest) -> str:
    return "" if text is None else text.render(**_values(request))


def _values(request: GroupJoinRequest) -> dict[str, object]:
    """The variables of a text."""
    group = Group(request.group_id, request.group_name)
    return {"sender": request.sender, "group": group, "wording": request.wording}
