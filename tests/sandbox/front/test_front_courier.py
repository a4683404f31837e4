"""A harness between the server and its clients: requests, answers and pushes late, lost, doubled or out of order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from front_site import Client, Site, open_site, texts

from timbot.im.wire.commands import c2c
from timbot.sandbox import Asked, Courier, Settings
from timbot.sandbox.observe import Handled
from timbot.testing import VirtualClock

Call = Callable[[], None]


class Holding(Courier):
    """Keeps what alice's sends need, and what bob is told, until the test lets it go."""

    def __init__(self, *kinds: str) -> None:
        self._kinds = kinds
        self.asked: list[Asked] = []
        self.handled: list[Handled] = []
        self.held: list[Call] = []

    def request(self, asked: Asked, carry_out: Call) -> None:
        if "request" in self._kinds and asked.command == c2c.SEND.name:
            self.asked.append(asked)
            self.held.append(carry_out)
        else:
            carry_out()

    def answer(self, handled: Handled, hand_out: Call) -> None:
        if "answer" in self._kinds and handled.done.command == c2c.SEND.name:
            self.handled.append(handled)
            self.held.append(hand_out)
        else:
            hand_out()

    def push(self, user: str, frame: bytes, hand_out: Call) -> None:
        if "push" in self._kinds and user == "bob":
            self.held.append(hand_out)
        else:
            hand_out()


async def answered(client: Client) -> int:
    """How many answers to sends have come; the heartbeat's own is behind them."""
    client.pushes.clear()
    await client.ask("heartbeat.alive")
    return sum(frame["head"]["servcmd"] == c2c.SEND.name for frame in client.pushes)


def stored(site: Site) -> list[int]:
    return [message.sequence for message in site.sandbox.domain.chats.history("alice", "bob", 100).messages]


async def test_a_request_has_no_effect_until_it_is_carried_out(clock: VirtualClock) -> None:
    courier = Holding("request")
    async with open_site(clock, courier=courier) as site:
        alice = await site.login("alice")
        await alice.say(c2c.SEND.name, site.text("bob", "hi"))
        assert await answered(alice) == 0
        (asked,) = courier.asked
        assert (asked.user, asked.command, b"MsgRandom" in asked.frame) == ("alice", c2c.SEND.name, True)
        assert stored(site) == []
        courier.held[0]()
        assert len(stored(site)) == 1
        assert await answered(alice) == 1


async def test_a_request_carried_out_twice_is_two_requests(clock: VirtualClock) -> None:
    courier = Holding("request")
    async with open_site(clock, Settings(dedupe="none"), courier=courier) as site:
        alice = await site.login("alice")
        await alice.say(c2c.SEND.name, site.text("bob", "hi"))
        await alice.ask("heartbeat.alive")
        courier.held[0]()
        courier.held[0]()
        assert len(stored(site)) == 2


async def test_a_request_still_lands_when_its_connection_is_gone(clock: VirtualClock) -> None:
    courier = Holding("request")
    async with open_site(clock, courier=courier) as site:
        alice = await site.login("alice")
        await alice.say(c2c.SEND.name, site.text("bob", "hi"))
        await alice.ask("heartbeat.alive")
        await alice.connection.close()
        await asyncio.sleep(1)
        courier.held[0]()
        assert len(stored(site)) == 1


async def test_between_effect_and_answer(clock: VirtualClock) -> None:
    courier = Holding("answer")
    async with open_site(clock, courier=courier) as site:
        alice, bob = await site.login("alice"), await site.login("bob")
        await alice.say(c2c.SEND.name, site.text("bob", "hi"))
        assert await answered(alice) == 0
        (handled,) = courier.handled
        assert (handled.done.user, handled.code) == ("alice", 0)
        assert texts(await bob.heard()) == ["hi"]
        courier.held[0]()
        assert await answered(alice) == 1


async def test_pushes_out_of_order(clock: VirtualClock) -> None:
    courier = Holding("push")
    async with open_site(clock, courier=courier) as site:
        alice, bob = await site.login("alice"), await site.login("bob")
        for said in ("one", "two"):
            await alice.ok(c2c.SEND.name, site.text("bob", said))
        assert await bob.heard() == []
        for hand_out in reversed(courier.held):
            hand_out()
        assert texts(await bob.heard()) == ["two", "one"]


async def test_what_is_no_request_passes_it_by(clock: VirtualClock) -> None:
    courier = Holding("request")
    async with open_site(clock, courier=courier) as site:
        alice = await site.login("alice")
        await alice.connection.send(b"nonsense")
        assert await answered(alice) == 0
        assert courier.asked == []


async def test_a_courier_that_meddles_with_nothing(clock: VirtualClock) -> None:
    async with open_site(clock, courier=Courier()) as site:
        alice, bob = await site.login("alice"), await site.login("bob")
        await alice.ok(c2c.SEND.name, site.text("bob", "hi"))
        assert texts(await bob.heard()) == ["hi"]
