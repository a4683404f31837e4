"""The outbox: each thing said exactly once and in order, whatever the line does to requests and answers."""

from __future__ import annotations

import asyncio
import re

import pytest
import structlog
from outbox_site import KINDS, Kind, Voice, ask, echo, make_group, said, sends
from structlog.testing import LogCapture

from timbot import ConversationType, Text
from timbot.errors import NotLoggedIn, OutcomeUnknown, ServerError
from timbot.im.api.messages import MessageDropped
from timbot.im.model.message import Message
from timbot.testing import Line, World

SECOND_LOOK = 15.0


@pytest.fixture
def log() -> LogCapture:
    capture = LogCapture()
    structlog.configure(processors=[capture])
    return capture


@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_lost_is_found_in_history(kind: Kind, log: LogCapture) -> None:
    async with World(echo()) as world:
        ann = await world.user("ann")
        make_group(world, "ann")
        cut = world.faults.cut_when(sends, "after", direction="to_server")
        began = world.clock.monotonic()
        await ask(ann, kind, "x")
        await cut.happened.wait()
        await world.settle()
        assert world.clock.monotonic() - began < SECOND_LOOK
        assert said(world, kind) == ["re x"]
        assert await ann.answers() == ["re x"]
    assert [entry["outcome"] for entry in log.entries if entry["event"] == "settled"] == ["was sent"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_request_lost_is_sent_again_after_two_looks(kind: Kind, log: LogCapture) -> None:
    tokens: list[bytes] = []

    def note(frame: bytes) -> bool:
        if sends(frame) and b"re x" in frame:
            tokens.extend(re.findall(rb'"(?:MsgSeq|MsgRandom|Random|ClientSeq)":(\d+)', frame))
        return False

    async with World(echo()) as world:
        ann = await world.user("ann")
        make_group(world, "ann")
        world.faults.drop(note, direction="to_server")
        cut = world.faults.cut_when(sends, "before", direction="to_server")
        await ask(ann, kind, "x")
        await cut.happened.wait()
        lost = world.clock.monotonic()
        await asyncio.sleep(SECOND_LOOK - 0.1)
        assert said(world, kind) == []
        await world.settle()
        assert said(world, kind) == ["re x"]
        assert lost + SECOND_LOOK <= world.clock.monotonic() < lost + SECOND_LOOK + 10
    assert [entry["outcome"] for entry in log.entries if entry["event"] == "settled"] == ["sending again"]
    assert len(tokens) == 4
    assert tokens[:2] == tokens[2:]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_turns_up_between_the_looks_is_not_sent_again(kind: Kind) -> None:
    """The request was lost to us, and reaches the server by a detour: after the first look, before the second."""
    async with World(echo()) as world:
        ann = await world.user("ann")
        make_group(world, "ann")
        kept: list[Message] = []
        real = world.bot.client.send_message
        client = world.bot.client

        async def detour(message: object, *, online_user_only: bool = False) -> Message:
            if kept:
                return await real(message)  # type: ignore[arg-type]  # passed on
            kept.append(Message.__new__(Message))

            async def later() -> None:
                await asyncio.sleep(10)
                await real(message)  # type: ignore[arg-type]  # likewise

            tasks.append(asyncio.create_task(later()))
            raise OutcomeUnknown("send", sent_at=world.clock.now())

        tasks: list[asyncio.Task[None]] = []
        client.send_message = detour  # type: ignore[method-assign]  # a line that loses and delivers
        await ask(ann, kind, "x")
        await asyncio.sleep(SECOND_LOOK + 5)
        await asyncio.gather(*tasks)
        assert said(world, kind) == ["re x"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_answer_that_never_comes_is_settled(kind: Kind, moment: str) -> None:
    async with World(echo()) as world:
        ann = await world.user("ann")
        make_group(world, "ann")
        seen = False

        def lost(frame: bytes) -> bool:
            nonlocal seen
            seen = seen or sends(frame)
            return sends(frame) and (b'"ErrorCode"' in frame) == (moment == "after")

        world.faults.drop(lost)
        await ask(ann, kind, "x")
        await asyncio.sleep(60)
        await world.settle()
        assert said(world, kind) == ["re x"]


async def test_a_receiver_that_is_being_settled_delays_nobody_else() -> None:
    async with World(echo()) as world:
        ann, ben = await world.user("ann"), await world.user("ben")
        cut = world.faults.cut_when(lambda frame: sends(frame) and b"re x" in frame, "before", direction="to_server")
        await ann.send(Text("x"))
        await cut.happened.wait()
        await ann.send(Text("y"))
        await asyncio.sleep(3)
        await ben.send(Text("z"))
        await asyncio.sleep(1)
        assert [message.text for message in ben.received()] == ["re z"]
        assert ann.received() == []
        assert await ann.answers() == ["re x", "re y"]


async def test_a_receiver_nobody_writes_to_takes_no_memory() -> None:
    async with World() as world:
        outbox = Voice(world)
        client = world.bot.client
        await world.user("ann")
        await asyncio.gather(*(outbox.send(client.create_message("ann", ConversationType.C2C, Text("x"))) for _ in range(5)))
        assert (outbox.outbox.open, outbox.outbox._locks, outbox.outbox._users, outbox.outbox._followed) == (0, {}, {}, {})


async def test_what_is_said_at_once_keeps_the_order_of_the_calls() -> None:
    async with World(line=Line(0.05, 0.5)) as world:
        await world.user("ann")
        outbox, client = Voice(world), world.bot.client
        texts = [f"{number}" for number in range(50)]
        messages = [client.create_message("ann", ConversationType.C2C, Text(text)) for text in texts]
        await asyncio.gather(*map(outbox.send, messages))
        assert said(world, "C2C") == texts


async def test_what_is_said_while_something_before_it_is_being_settled_waits() -> None:
    async with World() as world:
        await world.user("ann")
        outbox, client = Voice(world), world.bot.client
        messages = [client.create_message("ann", ConversationType.C2C, Text(text)) for text in ("1", "2", "3")]
        world.faults.cut_when(sends, "before", direction="to_server")
        first, *others = [asyncio.create_task(outbox.send(message)) for message in messages]
        await asyncio.sleep(5)
        assert said(world, "C2C") == []
        await asyncio.gather(first, *others)
        assert said(world, "C2C") == ["1", "2", "3"]


# What cannot be settled, or is refused


async def test_a_refusal_is_raised_and_the_next_one_goes_out() -> None:
    async with World() as world:
        await world.user("ann")
        outbox, client = Voice(world), world.bot.client
        with pytest.raises(ServerError, match="20003"):
            await outbox.send(client.create_message("nobody", ConversationType.C2C, Text("x")))
        assert outbox.outbox.open == 0
        await outbox.send(client.create_message("ann", ConversationType.C2C, Text("x")))
        assert said(world, "C2C") == ["x"]


async def test_what_no_list_keeps_stays_unknown() -> None:
    async with World() as world:
        await world.user("ann")
        outbox, client = Voice(world), world.bot.client
        world.faults.cut_when(sends, "after", direction="to_server")
        with pytest.raises(OutcomeUnknown):
            await outbox.send(client.create_message("ann", ConversationType.C2C, Text("x")), online_user_only=True)


async def test_without_a_history_to_read_the_outcome_stays_unknown() -> None:
    async with World() as world:
        await world.user("ann")
        make_group(world, "ann")
        outbox, client = Voice(world), world.bot.client

        def leaves_too(frame: bytes) -> bool:
            if sends(frame):
                world.sandbox.domain.group_members.quit("bot", "g")
                return True
            return False

        world.faults.cut_when(leaves_too, "before", direction="to_server")
        with pytest.raises(OutcomeUnknown):
            await outbox.send(client.create_message("g", ConversationType.GROUP, Text("x")))


async def test_after_the_end_of_the_login_nothing_is_sent() -> None:
    async with World() as world:
        outbox, client = Voice(world), world.bot.client
        message = client.create_message("alice", ConversationType.C2C, Text("x"))
        await world.bot.stop()
        with pytest.raises(NotLoggedIn):
            await outbox.send(message)
        assert outbox.outbox.open == 0


async def test_a_login_that_ends_in_the_middle_of_a_settlement_leaves_it_open() -> None:
    async with World() as world:
        await world.user("ann")
        outbox, client = Voice(world), world.bot.client
        world.faults.cut_when(sends, "before", direction="to_server")
        sending = asyncio.create_task(outbox.send(client.create_message("ann", ConversationType.C2C, Text("x"))))
        await asyncio.sleep(5)
        await world.bot.stop()
        with pytest.raises(NotLoggedIn):
            await sending


# Groups that let messages fall


async def fill(world: World, count: int) -> None:
    group = world.sandbox.domain.group_messages
    for number in range(count):
        group.send("ann", "g", [], size=1, random=number)
    world.sandbox.flush()


async def test_a_dropped_message_is_sent_once_more_after_a_second() -> None:
    async with World() as world:
        await world.user("ann")
        make_group(world, "ann")
        outbox, client = Voice(world), world.bot.client
        await fill(world, 40)
        began = world.clock.monotonic()
        sent = await outbox.send(client.create_message("g", ConversationType.GROUP, Text("x")))
        assert world.clock.monotonic() - began == 1
        assert sent.sequence == 42  # 40 messages and the tip of ann's joining
        assert said(world, "GROUP") == ["x"]


async def test_a_message_dropped_twice_is_raised() -> None:
    async with World() as world:
        await world.user("ann")
        make_group(world, "ann")
        outbox, client = Voice(world), world.bot.client
        await fill(world, 40)
        asyncio.get_running_loop().call_later(0.99, lambda: asyncio.ensure_future(_fill_again(world)))
        with pytest.raises(MessageDropped):
            await outbox.send(client.create_message("g", ConversationType.GROUP, Text("x")))
        assert said(world, "GROUP") == []


async def _fill_again(world: World) -> None:
    await asyncio.sleep(0.01)
    for number in range(40):
        world.sandbox.domain.group_messages.send("ann", "g", [], size=1, random=1000 + number)
