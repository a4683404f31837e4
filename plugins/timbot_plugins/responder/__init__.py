"""Answers customers by rules from the configuration: words, patterns, a menu, business hours, and a person where one is wanted.

Read `choice` for the order in which answers are looked for, `settings` for what can be configured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from timbot import PASS, Context, Job, OwnMessage, Pass, Plugin, Replies, Sender, Store, Template, Text
from timbot_plugins.responder.choice import Asked, Found, choose
from timbot_plugins.responder.fields import NEXT_OPEN
from timbot_plugins.responder.memory import Memory, forget
from timbot_plugins.responder.settings import Settings, Staff

bot = Plugin("responder", config=Settings)


@bot.on_text
async def answer(ctx: Context[Text], *, cfg: Settings, out: Sender, store: Store) -> Replies | Pass:
    """Answer a message, if there is an answer and no person has the conversation."""
    memory = Memory(store, ctx.conversation_id, ctx.sender.id)
    if await memory.is_quiet(ctx.now):
        ctx.why = "a person has the conversation"
        return PASS
    found = await choose(cfg, Asked(ctx.text, bool(ctx.group_id), ctx.now), memory)
    if found is None:
        ctx.why = "nothing fits"
        return PASS
    ctx.why = found.by
    values = _values(ctx, cfg, found)
    texts = _said(found.texts, values)
    if not found.hand_over:
        return texts
    # The person hears it first: a hand-over that could not be said is none.
    await ctx.reply(texts)
    await memory.keep_quiet(ctx.now + cfg.quiet)
    ctx.log.info("handed over", by=found.by, quiet_seconds=cfg.quiet)
    if cfg.staff is not None:
        await _tell(cfg.staff, values, ctx, out)
    return None


@bot.on_own_message
async def somebody_else_wrote(ctx: Context[OwnMessage], *, cfg: Settings, store: Store) -> Pass:
    """A person has written from the bot's account: the conversation is theirs for a while."""
    until = ctx.payload.message.time + cfg.quiet
    if cfg.step_back and until > ctx.now:
        await Memory(store, ctx.conversation_id).keep_quiet(until)
    return PASS


@bot.every("1h")
async def tidy(job: Job, *, store: Store) -> None:
    """Forget what is over: people who wrote once leave nothing behind."""
    job.log.debug("forgotten", count=await forget(store, job.now.timestamp()))


def _values(ctx: Context[Text], cfg: Settings, found: Found) -> dict[str, object]:
    """The variables of a text."""
    values: dict[str, object] = {
        **cfg.variables,
        **found.named,
        "sender": ctx.sender,
        "group": ctx.group_id,
        "text": ctx.text,
        "now": datetime.fromtimestamp(ctx.now, UTC).astimezone(),
    }
    if cfg.hours is not None:
        calendar = cfg.hours.calendar
        values |= {"now": calendar.local(ctx.now), NEXT_OPEN: calendar.next_open(ctx.now)}
    return values


def _said(texts: Sequence[Template], values: Mapping[str, object]) -> list[str]:
    return [text.render(**values) for text in texts]


async def _tell(staff: Staff, values: Mapping[str, object], ctx: Context[Text], out: Sender) -> None:
    """Tell the staff. Who cannot be told does not keep the others from hearing it."""
    texts = _said(staff.text, values)
    sends = [(out.user, user) for user in staff.users] + [(out.group, group) for group in staff.groups]
    for send, to in sends:
        try:
            await send(to, texts)
        except Exception as error:  # whatever the server says to one of them
            ctx.log.warning("staff not told", to=to, error=str(error))
