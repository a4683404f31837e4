"""A push that was lost, by a server that counts what it has sent as received: only the conversation list knows of it."""

from __future__ import annotations

import asyncio

from client_site import open_site

from timbot.sandbox.domain import Settings


async def test_it_is_found_in_the_history_after_the_break() -> None:
    async with open_site(Settings(unacked="forget")) as site:
        bot, alice = await site.enter("bot"), await site.enter("alice")
        bot.forget()
        await asyncio.sleep(5)  # what is as old as the first login counts as history
        bot.faults.drop(lambda frame: b"C2cMsgArray" in frame, direction="to_client")
        await alice.say("bot", "lost on its way")
        await asyncio.sleep(1)
        assert bot.texts() == []
        bot.faults.cut()
        await bot.ready()
        assert bot.texts() == ["lost on its way"]
