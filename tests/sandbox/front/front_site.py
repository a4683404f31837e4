"""A sandbox on virtual time and clients that speak raw frames: nothing of the client's code stands between them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
from collections.abc import AsyncIterator, Iterable
from typing import Any

from timbot.errors import ConnectionLost
from timbot.sandbox import Bounds, Courier, Sandbox, Settings
from timbot.testing import Line, PipeConnection, PipeTransport, VirtualClock

KEY = "0123456789abcdef" * 4
APP = 1400000000
USERS = ("alice", "bob", "carol")

Body = dict[str, Any]


class Client:
    """One connection and, once logged in, its ticket. Pushes are kept until asked for."""

    def __init__(self, connection: PipeConnection) -> None:
        self.connection = connection
        self.ticket: Body = {}
        self.pushes: list[Body] = []
        self._seqs = itertools.count(1)

    async def say(self, servcmd: str, body: object = None, **head: object) -> int:
        seq = next(self._seqs)
        whole = {"sdkappid": APP, **self.ticket, **head, "servcmd": servcmd, "seq": seq}
        await self.connection.send(json.dumps({"head": whole, "body": {} if body is None else body}).encode())
        return seq

    async def ask(self, servcmd: str, body: object = None, **head: object) -> Body:
        """The body of the answer; pushes that come before it are kept."""
        seq = await self.say(servcmd, body, **head)
        while True:
            frame = json.loads(await self.connection.receive())
            if (frame["head"]["servcmd"], frame["head"]["seq"]) == (servcmd, seq):
                answer: Body = frame["body"]
                return answer
            self.pushes.append(frame)

    async def ok(self, servcmd: str, body: object = None, **head: object) -> Body:
        answer = await self.ask(servcmd, body, **head)
        assert (answer["ActionStatus"], answer["ErrorCode"]) == ("OK", 0), answer
        return answer

    async def code(self, servcmd: str, body: object = None, **head: object) -> int:
        answer = await self.ask(servcmd, body, **head)
        found: int = answer["ErrorCode"]
        assert (answer["ActionStatus"] == "OK") == (found == 0)
        return found

    async def heard(self) -> list[Body]:
        """The items pushed so far, oldest first; a heartbeat behind them makes sure that all have come."""
        await self.ask("heartbeat.alive")
        pushes, self.pushes = self.pushes, []
        return [item for push in pushes for item in push["body"]["EventArray"]]

    async def alone(self) -> Body:
        """The one item pushed."""
        (item,) = await self.heard()
        return item

    async def ended(self) -> int:
        """Waits for the server to close, and says with which code."""
        try:
            while True:
                await self.connection.receive()
        except ConnectionLost as error:
            return error.code


class Site:
    """The server and its clients."""

    def __init__(
        self,
        clock: VirtualClock,
        settings: Settings | None = None,
        bounds: Bounds | None = None,
        courier: Courier | None = None,
    ) -> None:
        self.clock = clock
        chance = random.Random(7)
        self.sandbox = Sandbox(
            KEY, users=USERS, now=clock.now, chance=chance, settings=settings, bounds=bounds, courier=courier
        )
        self.transport = PipeTransport(self.sandbox.serve, line=Line(capacity=16))
        self._randoms = itertools.count(10)

    async def connect(self) -> Client:
        return Client(await self.transport.connect("ws://sandbox/info?sdkappid=1400000000"))

    def signature(self, user: str, **more: Any) -> Body:
        return {"identifier": user, "usersig": self.sandbox.usersig(user, **more)}

    async def login(self, user: str, client: Client | None = None, **more: Any) -> Client:
        client = client or await self.connect()
        client.ticket = {}
        answer = await client.ok("im_open_status.wslogin", {"State": "Online"}, **self.signature(user, **more))
        client.ticket = {"a2": answer["A2Key"], "tinyid": answer["TinyId"], "status_instid": answer["InstId"]}
        return client

    async def everybody(self) -> list[Client]:
        return [await self.login(user) for user in USERS]

    def text(self, to: str, said: str, **more: object) -> Body:
        """The body of a C2C text."""
        number = next(self._randoms)
        return {"To_Account": to, "MsgSeq": number, "MsgRandom": number, "MsgBody": text_body(said), **more}

    def group_text(self, group: str, said: str, **more: object) -> Body:
        """The body of a group text."""
        number = next(self._randoms)
        return {"GroupId": group, "Random": number, "ClientSeq": number, "MsgBody": text_body(said), **more}

    async def group(self, owner: Client, *members: str, kind: str = "Public", group: str = "den", **more: object) -> str:
        """A group; nobody has heard anything of it yet."""
        listed = [{"Member_Account": member} for member in members]
        body = {"Type": kind, "Name": "Den", "GroupId": group, **({"MemberList": listed} if listed else {}), **more}
        await owner.ok("group_open_http_svc.create_group", body)
        return group


@contextlib.asynccontextmanager
async def open_site(
    clock: VirtualClock, settings: Settings | None = None, bounds: Bounds | None = None, courier: Courier | None = None
) -> AsyncIterator[Site]:
    """A site whose server is stopped at the end, and has no task left over."""
    site = Site(clock, settings, bounds, courier)
    async with site.transport:
        yield site
        await site.sandbox.stop()
    await asyncio.sleep(0)
    left = [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("sandbox")]
    assert left == []


def text_body(said: str) -> list[Body]:
    return [{"MsgType": "TIMTextElem", "MsgContent": {"Text": said}}]


def texts(items: Iterable[Body]) -> list[str]:
    """The texts of the messages in these items."""
    messages = [m for item in items for m in (*item.get("C2cMsgArray", ()), *item.get("GroupMsgArray", ()))]
    return [message["MsgBody"][0]["MsgContent"].get("Text", "?") for message in messages]
