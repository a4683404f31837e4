"""Announces things by the clock: to groups, users and friends, at a rate, with what became of each message kept.

Read `settings` for what can be configured. A list that was broken off, because the bot was stopped or the machine went
down, is resumed after the next login; whoever has been told is not told again (`records`).
"""

from __future__ import annotations

from timbot import PASS, Context, Job, Pass, Plugin, Ready, Sender, Store
from timbot_plugins.announcements.records import STALE, Records, broken_off, prune
from timbot_plugins.announcements.round import Teller
from timbot_plugins.announcements.settings import Announcement, Settings

bot = Plugin("announcements", config=Settings)


@bot.planned(Settings.plan)
async def announce(job: Job, *, cfg: Settings, out: Sender, store: Store) -> None:
    """Tell an announcement whose time has come."""
    assert isinstance(job.data, Announcement)
    await Teller(job.data, job.now, out, store, cfg.per_second).tell()
    await prune(store, job.now.timestamp() - cfg.keep)


@bot.on_event(Ready, priority=100)
async def resume(ctx: Context[Ready], *, cfg: Settings, out: Sender, store: Store) -> Pass:
    """Go on with what was broken off."""
    items = {item.name: item for item in cfg.items}
    for found in await broken_off(store):
        item = items.get(found.name)
        if item is None or ctx.now - found.nominal > STALE:
            ctx.log.warning("announcement given up", announcement=found.name, reason="too old" if item else "not configured")
            await Records(store, found).close()
        else:
            await Teller(item, item.trigger(cfg.tz).local(found.nominal), out, store, cfg.per_second).tell()
    await prune(store, ctx.now - cfg.keep)
    return PASS
