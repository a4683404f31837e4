"""A bot that may die at any moment, a journal that survives it, and what both have to show in the end.

The server is the sandbox on virtual time. The journal is a toy: it keeps what a delivery says as a whole, or not at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from client_site import pushing

from timbot.errors import ImError
from timbot.im.client import Account, Client
from timbot.im.credentials import from_secret_key
from timbot.im.delivery import Delivery, GroupMark, HeldItem, Memory
from timbot.im.endpoints import Endpoint
from timbot.im.model import events as model
from timbot.im.model.message import ConversationType, Message
from timbot.im.model.record import decode_event, encode_event
from timbot.im.wire.elements import TextElem, seal_element
from timbot.im.wire.identity import C2CIdentity, FriendApplicationIdentity, GroupIdentity, GroupNoticeIdentity, Identity
from timbot.sandbox.domain import Refused, Settings
from timbot.sandbox.domain.group_rules import GroupType
from timbot.sandbox.domain.messages import C2CMessage, GroupChanges, GroupMessage, GroupTip
from timbot.sandbox.hub import Sandbox
from timbot.testing import Faults, PipeTransport, VirtualLoop

PEOPLE = ("alice", "bob")
GROUPS = ("g", "h")
Step = tuple[Any, ...]


@dataclass
class ToyJournal:
    """What was kept, and what a client has to know of it."""

    began: int = 0
    cookie: str = ""
    whole_until: float = 0.0
    marks: dict[str, GroupMark] = field(default_factory=dict)
    held: dict[int, HeldItem] = field(default_factory=dict)
    events: list[tuple[Identity | None, model.Event]] = field(default_factory=list)
    written: dict[tuple[str, int, int], None] = field(default_factory=dict)

    def take(self, delivery: Delivery) -> None:
        change = delivery.change
        self.began = self.began if change.began is None else change.began
        self.cookie = self.cookie if change.cookie is None else change.cookie
        self.whole_until = self.whole_until if change.whole_until is None else change.whole_until
        for group_id in change.left:
            self.marks.pop(group_id, None)
        self.marks.update((mark.group_id, mark) for mark in change.marks)
        assert not {held.number for held in change.held} & self.held.keys()
        self.held.update((held.number, held) for held in change.held)
        for number in change.released:
            del self.held[number]
        for arrival in delivery.arrivals:
            event = arrival.event
            if arrival.identity is not None:
                event = decode_event(encode_event(event))
            self.events.append((arrival.identity, event))

    def memory(self) -> Memory:
        oldest = self.whole_until - 3600
        messages = [
            (identity, event.message.time)
            for identity, event in self.events
            if isinstance(identity, C2CIdentity) and isinstance(event, (model.MessageReceived, model.OwnMessage))
        ]
        return Memory(
            began=self.began,
            cookie=self.cookie,
            whole_until=self.whole_until,
            marks=tuple(self.marks.values()),
            held=tuple(self.held.values()),
            messages=tuple((identity, time) for identity, time in messages if time >= oldest),
            requests=tuple(
                identity
                for identity, _ in self.events
                if isinstance(identity, (FriendApplicationIdentity, GroupNoticeIdentity))
            ),
            written=tuple(self.written),
        )

    def messages(self, conversation: str) -> list[Message]:
        found = [event.message for _, event in self.events if isinstance(event, (model.MessageReceived, model.OwnMessage))]
        return [message for message in found if message.conversation_id == conversation]


class Life:
    """One process: a client and the task that reads its deliveries. `pace` gives the seconds of each step of keeping them."""

    def __init__(self, client: Client, journal: ToyJournal, pace: Callable[[], float]) -> None:
        self.client = client
        self.journal = journal
        self.ready = asyncio.Event()
        self.crash: BaseException | None = None
        self._pace = pace
        self._before = asyncio.all_tasks()
        self._reader = asyncio.create_task(self._read(client.deliveries()), name="reader")
        self._login = asyncio.create_task(self._log_in(), name="login")
        self.sayings: set[asyncio.Task[None]] = set()

    async def _log_in(self) -> None:
        with contextlib.suppress(ImError):
            await self.client.login()

    async def _read(self, deliveries: Any) -> None:
        try:
            async for delivery in deliveries:
                await asyncio.sleep(self._pace())
                self.journal.take(delivery)
                await asyncio.sleep(self._pace())
                await delivery.accept()
                if any(isinstance(arrival.event, model.Ready) for arrival in delivery.arrivals):
                    self.ready.set()
        except Exception as error:  # told by the one who waits
            self.crash = error
            self.ready.set()

    def say(self, to: str, text: str, kind: ConversationType) -> None:
        async def send() -> None:
            message = self.client.create_text_message(to, kind, text)
            self.journal.written[message.conversation_id, message.sequence, message.random] = None
            with contextlib.suppress(ImError):
                await self.client.send_message(message)

        self.sayings.add(asyncio.create_task(send(), name="saying"))

    async def die(self) -> None:
        """Nothing is finished, nothing is said."""
        mine = [
            task
            for task in asyncio.all_tasks()
            if task in (self._reader, self._login, *self.sayings)
            or task.get_name().startswith((f"client {self.client.user_id}", f"session {self.client.user_id}"))
        ]
        self.client._leaving = True
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)


class Mortals:
    """The server, the network, the journal and the process of the day."""

    def __init__(
        self, *, unacked: Literal["redeliver", "forget"] = "redeliver", seed: int = 0, first: Literal["none", "unread"] = "none"
    ) -> None:
        self.clock = VirtualLoop.running().clock
        self.chance = random.Random(seed)
        self.sandbox = Sandbox(
            "key",
            users=("bot", "carol", *PEOPLE),
            now=self.clock.now,
            chance=random.Random(seed),
            settings=Settings(unacked=unacked, instances=2, dedupe="none"),
        )
        self.domain = self.sandbox.domain
        self.faults = Faults(random.Random(seed))
        self.transport = PipeTransport(self.sandbox.serve, faults=self.faults, name="bot")
        self.journal = ToyJournal()
        self.life: Life | None = None
        self.first = first
        self.slowness = 0.0
        self._number = 0
        for group in GROUPS:
            self.domain.groups.create("carol", GroupType.PUBLIC, GroupChanges(name=group), group_id=group)
            self.domain.group_members.add("administrator", group, ("bot",))

    # Steps

    async def take(self, step: Step) -> None:
        await getattr(self, step[0])(*step[1:])

    async def live(self) -> None:
        """A process starts, if there is none."""
        if self.life is None:
            client = self.client(self.journal.memory())
            self.life = Life(client, self.journal, lambda: self.slowness * self.chance.random())

    def client(self, memory: Memory | None) -> Client:
        """One that goes on where a memory ends. It is not logged in yet."""
        return Client(
            Account(self.sandbox.sdk_app_id, "bot", from_secret_key(self.sandbox.sdk_app_id, "key")),
            endpoint=Endpoint("site", ("ws://site",)),
            transport=self.transport,
            clock=self.clock,
            chance=self.chance,
            memory=memory,
            first_login=self.first,
            backlog=20,
        )

    async def die(self, turns: int = 0) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        if self.life is not None:
            self.faults.cut()
            life, self.life = self.life, None
            await life.die()
            if life.crash is not None:
                raise life.crash

    async def talk(self, sender: str, times: int = 1) -> None:
        for _ in range(times):
            self._send(sender, "bot")
        self.sandbox.flush()

    async def own(self, peer: str) -> None:
        """The account writes from elsewhere."""
        self._send("bot", peer)
        self.sandbox.flush()

    async def reply(self, peer: str) -> None:
        """The process writes."""
        if self.life is not None:
            self._number += 1
            self.life.say(peer, f"reply {self._number}", ConversationType.C2C)
            await asyncio.sleep(0)

    async def group(self, name: str, times: int = 1) -> None:
        for _ in range(times):
            self._number += 1
            body = [seal_element(TextElem(text=f"{self._number}"))]
            self.domain.group_messages.send("carol", name, body, size=1, random=self._number, client_sequence=self._number)
        self.sandbox.flush()

    async def reply_to_group(self, name: str) -> None:
        if self.life is not None:
            self._number += 1
            self.life.say(name, f"reply {self._number}", ConversationType.GROUP)
            await asyncio.sleep(0)

    async def renew(self, name: str) -> None:
        """The group is no more; there is another of the same name, made in another second."""
        await asyncio.sleep(1)
        self.domain.groups.dismiss("carol", name)
        self.domain.groups.create("carol", GroupType.PUBLIC, GroupChanges(name=name), group_id=name)
        self.domain.group_members.add("administrator", name, ("bot",))
        self.sandbox.flush()

    async def recall(self, sender: str) -> None:
        """The last message, if it is young enough, is taken back."""
        last = self.domain.chats.last_message("bot", sender)
        if last is not None and last.sender == sender:
            with contextlib.suppress(Refused):
                self.domain.chats.recall(sender, "bot", sequence=last.sequence, random=last.random, time=last.time)
        self.sandbox.flush()

    async def cut(self, refused: int = 0) -> None:
        self.faults.refuse(refused)
        self.faults.cut()

    async def lose(self, seconds: float = 0.0) -> None:
        """Nothing of what the server says from now on arrives, then the connection breaks."""
        self.faults.black_hole("to_client")
        self.chance.random()
        asyncio.get_running_loop().call_later(seconds, self.faults.cut)

    async def repeat(self) -> None:
        """The next pushes come twice."""
        self.faults.duplicate(pushing(""), direction="to_client", times=3)

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def turns(self, number: int) -> None:
        for _ in range(number):
            await asyncio.sleep(0)

    async def pace(self, seconds: float) -> None:
        self.slowness = seconds

    async def apply(self, user: str) -> None:
        """Somebody wants to be friends, once."""
        with contextlib.suppress(Exception):
            self.domain.friends.add(user, "bot")
        self.sandbox.flush()

    def _send(self, sender: str, receiver: str) -> None:
        self._number += 1
        body = [seal_element(TextElem(text=f"{self._number}"))]
        self.domain.chats.send(sender, receiver, body, size=1, sequence=self._number, random=self._number)

    # The end

    async def settle(self) -> None:
        """One more life, in peace."""
        self.faults.heal()
        self.slowness = 0.0
        await self.die()
        self.faults.refuse(-self.faults._refusals)
        await self.live()
        assert self.life is not None
        async with asyncio.timeout(3600):
            await self.life.ready.wait()
        await asyncio.sleep(400)
        if self.life.crash is not None:
            raise self.life.crash

    async def close(self) -> None:
        await self.die()
        await self.sandbox.stop()
        await self.transport.aclose()

    def check(self) -> None:
        journal, me = self.journal, "bot"
        for peer in PEOPLE:
            thread = self.domain.chats._threads.get((peer, me) if peer <= me else (me, peer))
            kept = journal.messages(f"C2C{peer}")
            assert len({message.random for message in kept}) == len(kept), f"{peer}: {[message.random for message in kept]}"
            said = [stored.message for stored in thread._stored] if thread else []
            want = [message.random for message in said if self._is_due(message)]
            gone = {message.random for message in said if message.recalled}
            # The second of the first login is history and news alike; what is recalled may have been told before.
            told = [m.random for m in kept if m.time != journal.began and m.random not in gone]
            assert told == want, f"{peer}: lost {[n for n in want if n not in told]}, told {told}, said {want}"
        for name in GROUPS:
            self._check_group(name)
        requests = [identity for identity, event in journal.events if isinstance(event, model.FriendApplicationReceived)]
        assert len(requests) == len(set(requests))
        assert not journal.held, journal.held
        holes = [event for _, event in journal.events if isinstance(event, model.Incomplete) and event.first]
        assert not holes, holes

    def _is_due(self, message: C2CMessage) -> bool:
        token = (f"C2C{message.receiver}", message.sequence, message.random)
        if message.recalled:
            return False
        return message.time > self.journal.began and not (message.sender == "bot" and token in self.journal.written)

    def _check_group(self, name: str) -> None:
        log = self.domain._store.require(name).log
        told = [message.random for message in self.journal.messages(f"GROUP{name}")]
        assert told == sorted(set(told)), f"{name}: {told}"  # all that is said is numbered, whatever group it is said in
        due = [
            record.random
            for record in log._records
            if isinstance(record, GroupMessage)
            and (f"GROUP{name}", record.client_sequence, record.random) not in self.journal.written
            and record.time > self.journal.began
        ]
        assert set(due) <= set(told), f"{name}: lost {sorted(set(due) - set(told))}, told {told}"
        keys = [identity for identity, _ in self.journal.events if isinstance(identity, GroupIdentity)]
        assert len(keys) == len(set(keys)), [key for key in keys if keys.count(key) > 1]
        tips = {record.sequence for record in log._records if isinstance(record, GroupTip) and record.time > self.journal.began}
        assert tips <= {
            event.sequence
            for _, event in self.journal.events
            if isinstance(event, model.GroupTip) and event.conversation_id == f"GROUP{name}"
        }


async def simulate(steps: Sequence[Step], **options: Any) -> Mortals:
    """A story, and its moral."""
    mortals = Mortals(**options)
    try:
        await mortals.live()
        for step in steps:
            await mortals.take(step)
        await mortals.settle()
        mortals.check()
        return mortals
    finally:
        await mortals.close()
