"""Rolls dice: for the `dice` message of the vendor's documentation, for `/dice 2 6`, and for `2d6` and `d20`.

What it says stands in `templates/`; a file of the same name in `templates/dice/` beside the configuration counts instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from timbot import PASS, Context, Custom, Pass, Plugin, Reply, Text

CARD: Final = "dice"
"""The `data` by which a custom message says that it is a dice."""

CARD_SIDES: Final = 6
NOTATION: Final = r"^(?P<count>\d{0,9})d(?P<sides>\d{1,9})$"


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be rolled, and where."""

    max_dice: Annotated[int, Field(ge=1, le=1000)] = 20
    """Dice in one roll."""
    max_sides: Annotated[int, Field(ge=2, le=1_000_000)] = 1000
    """Sides of a dice."""
    groups: Literal["always", "mentioned", "never"] = "always"
    """Whether dice are rolled in groups; mentioned: for who mentions the bot, which a dice message cannot."""


bot = Plugin("dice", config=Settings)


@bot.on_custom(CARD)
async def card(ctx: Context[Custom], *, cfg: Settings) -> Custom | Pass:
    """A dice message is answered with one of the bot's own."""
    if not _plays(ctx, cfg):
        return PASS
    return Custom(CARD, description=str(ctx.random.randint(1, CARD_SIDES)))


@bot.on_command("dice", aliases=["roll"])
async def command(ctx: Context[Text], *, cfg: Settings) -> Reply | Pass:
    """`/dice`, `/dice 2`, `/dice 2 6`, `/dice 2d6`, `/dice d20`."""
    if not _plays(ctx, cfg):
        return PASS
    asked = _read(ctx.args)
    return _roll(ctx, cfg, *asked) if asked else _usage(cfg, "")


@bot.on_regex(NOTATION)
async def notation(ctx: Context[Text], *, cfg: Settings) -> Reply | Pass:
    """`2d6` or `d20`, and nothing else, in a message."""
    asked = _read((ctx.text,))
    return _roll(ctx, cfg, *asked) if asked and _plays(ctx, cfg) else PASS


def _plays(ctx: Context[Text] | Context[Custom], cfg: Settings) -> bool:
    """Whether dice are rolled here."""
    if not ctx.group_id or cfg.groups == "always":
        return True
    return cfg.groups == "mentioned" and ctx.message is not None and ctx.account in ctx.message.at_user_list


def _read(words: tuple[str, ...]) -> tuple[int, int] | None:
    """How many dice with how many sides, or None if the words do not say so."""
    if len(words) == 1 and (found := re.match(NOTATION, words[0].casefold())):
        return int(found["count"] or 1), int(found["sides"])
    if len(words) > 2 or not all(re.fullmatch(r"\d{1,9}", word) for word in words):
        return None
    count, sides = [*map(int, words), *(1, CARD_SIDES)[len(words) :]]
    return count, sides


def _roll(ctx: Context[Text], cfg: Settings, count: int, sides: int) -> Reply:
    if not 1 <= count <= cfg.max_dice:
        return _usage(cfg, "dice")
    if not 2 <= sides <= cfg.max_sides:
        return _usage(cfg, "sides")
    rolls = [ctx.random.randint(1, sides) for _ in range(count)]
    return Reply.template(
        "rolled.j2", sender=ctx.sender, group=ctx.group_id, count=count, sides=sides, rolls=rolls, total=sum(rolls)
    )


def _usage(cfg: Settings, wrong: str) -> Reply:
    """How it is used. `wrong`: "dice" or "sides" if it is their number."""
    return Reply.template("usage.j2", wrong=wrong, max_dice=cfg.max_dice, max_sides=cfg.max_sides)
