"""More was said during a break than the server's queue and lists hold: it is read from history, or said to be missing."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from client_site import Site

from timbot.im.model import events as model
from timbot.im.wire.commands import status
from timbot.im.wire.elements import TextElem, seal_element
from timbot.sandbox.observe import Handled


def say(site: Site, sender: str, text: str, number: int) -> None:
    body = [seal_element(TextElem(text=text))]
    site.sandbox.domain.chats.send(sender, "bot", body, size=len(text), sequence=number, random=number)
    site.sandbox.flush()


@pytest.mark.parametrize(("users", "messages"), [(1, 400), (90, 3), (101, 3), (150, 2)])
async def test_what_the_queue_could_not_hold_is_read_from_history(site: Site, users: int, messages: int) -> None:
    names = [f"user{number}" for number in range(users)]
    for name in names:
        site.sandbox.domain.accounts.ensure(name)
    bot = await site.enter("bot")
    number = 0
    for name in names:  # so that the client knows them: the lists name a hundred at most
        say(site, name, "before", number := number + 1)
    await asyncio.sleep(1)
    bot.forget()
    bot.faults.refuse(1)
    bot.faults.cut()
    await asyncio.sleep(0.1)
    for turn in range(messages):
        for name in names:
            say(site, name, f"{turn}", number := number + 1)
    await bot.ready()
    for name in names:
        assert bot.texts(f"C2C{name}") == [f"{turn}" for turn in range(messages)]


async def test_what_the_queue_lets_fall_while_it_is_read_is_read_from_history(site: Site) -> None:
    """Each page finds the queue full of newer ones, which come by push: what the pages bring is no longer the whole of it."""
    site.sandbox.domain.accounts.ensure("ann")
    bot = await site.enter("bot")
    await asyncio.sleep(1)
    bot.faults.refuse(1)
    bot.faults.cut()
    await asyncio.sleep(0.1)
    bot.forget()
    numbers = itertools.count()

    def talk(messages: int) -> None:
        for number in itertools.islice(numbers, messages):
            say(site, "ann", f"{number}", number)

    talk(260)
    watching = site.sandbox.observe()
    ready = asyncio.create_task(bot.ready())
    pages = 0
    async for happening in watching:
        pages += isinstance(happening, Handled) and happening.done.command == status.SYNC.name
        if pages == 4:
            break
        if isinstance(happening, Handled) and happening.done.command == status.SYNC.name:
            talk(60)
    watching.close()
    await ready
    await asyncio.sleep(1)
    assert bot.texts("C2Cann") == [f"{number}" for number in range(next(numbers))]


async def test_lists_at_their_cap_are_reported(site: Site) -> None:
    names = [f"user{number}" for number in range(120)]
    for name in names:
        site.sandbox.domain.accounts.ensure(name)
    bot = await site.enter("bot")
    bot.faults.refuse(1)
    bot.faults.cut()
    await asyncio.sleep(0.1)
    for number, name in enumerate(names):
        say(site, name, "x", number + 1)
    bot.forget()
    await bot.ready()
    assert [event.reason for event in bot.of(model.Incomplete) if "full at 100" in event.reason]


async def test_a_group_made_anew_during_a_break_begins_at_joining(site: Site) -> None:
    from timbot.sandbox.domain.group_rules import GroupType
    from timbot.sandbox.domain.messages import GroupChanges

    def found() -> None:
        site.sandbox.domain.groups.create("ann", GroupType.PUBLIC, GroupChanges(name="g"), group_id="g")
        site.sandbox.domain.group_members.add("administrator", "g", ("bot",))
        site.sandbox.flush()

    site.sandbox.domain.accounts.ensure("ann")
    site.sandbox.domain.accounts.ensure("bot")
    found()
    for number in range(5):
        site.sandbox.domain.group_messages.send("ann", "g", [], size=1, random=number)
    bot = await site.enter("bot")
    bot.forget()
    bot.faults.refuse(1)
    bot.faults.cut()
    await asyncio.sleep(0.1)
    site.sandbox.domain.groups.dismiss("ann", "g")
    await asyncio.sleep(0.1)
    found()
    body = [seal_element(TextElem(text="new"))]
    for number in range(12):
        site.sandbox.domain.group_messages.send("ann", "g", body, size=1, random=100 + number)
    await bot.ready()
    assert bot.texts("GROUPg") == ["new"] * 12
