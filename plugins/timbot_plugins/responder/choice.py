"""Which answer a message gets: the menu, the rules from top to bottom, the closed sentence, the fall-back; or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from timbot import Template
from timbot_plugins._shared.words import bare, plain
from timbot_plugins.responder.memory import Memory
from timbot_plugins.responder.rules import Answer, Menu, Submenu, When, Where
from timbot_plugins.responder.settings import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """A message, as far as answers depend on it."""

    text: str
    """Without mention, in normal form."""
    in_group: bool
    now: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be said. `by` names the setting that says so, for the log and the chat page."""

    by: str
    texts: tuple[Template, ...]
    named: Mapping[str, str] = field(default_factory=dict)
    hand_over: bool = False


async def choose(cfg: Settings, asked: Asked, memory: Memory) -> Found | None:
    """The first answer there is."""
    is_open = cfg.hours is None or cfg.hours.calendar.is_open(asked.now)
    if cfg.menu is not None and _now(cfg.menu.when, is_open):
        found = await _from_menu(cfg.menu, asked, memory)
        if found is not None:
            return found
    return _from_rules(cfg, asked, is_open) or await _otherwise(cfg, asked, memory, is_open)


def _now(when: When, is_open: bool) -> bool:
    return when == "always" or (when == "open") is is_open


def _here(where: Where, in_group: bool) -> bool:
    return where == "any" or (where == "group") is in_group


async def _from_menu(menu: Menu, asked: Asked, memory: Memory) -> Found | None:
    word = bare(plain(asked.text))
    until = asked.now + menu.forget_after
    if word in menu.on:
        await memory.show_menu((), until)
        return Found("menu", menu.text)
    if word not in menu.choices:
        return None
    path = await memory.menu(asked.now)
    place = None if path is None else menu.at(path)
    if path is None or place is None or word not in place.items:
        return None
    chosen = place.items[word]
    below = [*path, word] if isinstance(chosen, Submenu) else path
    await memory.show_menu(below, until)
    by = ".".join(("menu", *path, word))
    if isinstance(chosen, Submenu):
        return Found(by, chosen.text)
    if isinstance(chosen, Answer):
        return Found(by, chosen.reply, hand_over=chosen.hand_over)
    return Found(by, chosen)


def _from_rules(cfg: Settings, asked: Asked, is_open: bool) -> Found | None:
    text = plain(asked.text)
    for number, rule in enumerate(cfg.rules):
        if _here(rule.where, asked.in_group) and _now(rule.when, is_open):
            named = rule.match(text, asked.text)
            if named is not None:
                return Found(f"rules.{number}", rule.reply, named, rule.hand_over)
    return None


async def _otherwise(cfg: Settings, asked: Asked, memory: Memory, is_open: bool) -> Found | None:
    hours = cfg.hours
    if not is_open and hours is not None and hours.answer is not None:
        said = await memory.may_say("hours.answer", asked.now, hours.answer_once_per)
        return Found("hours.answer", hours.answer) if said else None
    if cfg.fallback is not None and await memory.may_say("fallback", asked.now, cfg.fallback_once_per):
        return Found("fallback", cfg.fallback)
    return None
