"""Hundreds of rude peers and thousands of hostile frames: afterwards the server is as it was before, and still serves."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import json
import os
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from net_site import LOGGED_IN, Peer, echo, frame, healthy, read_frame, serving, until, websocket
from rude import rude_connections, rude_frames

from timbot.sandbox.asgi import SandboxServer, Serve
from timbot.sandbox.guard import Caps
from timbot.sandbox.hub import Sandbox
from timbot.sandbox.keys import DEMO_KEY
from timbot.sandbox.observe import Garbled, Handled

pytestmark = [pytest.mark.real_time, pytest.mark.timeout(240)]

CONNECTIONS = 500
FRAMES = 2000

CAPS = Caps(http_time=1.0, login_time=1.5, close_time=0.5)
"""As by default, but for the waits that the test sits through."""

PATIENT = Caps(http_time=120.0, login_time=120.0, close_time=30.0)
"""For the peers whose frames are counted: on a busy machine a short wait ends some of them before all of theirs was read."""


class Honest:
    """A client that knows the protocol by heart."""

    def __init__(self, peer: Peer, user: str, usersig: str) -> None:
        self.head: dict[str, Any] = {"identifier": user, "usersig": usersig}
        self._reader, self._writer = peer
        self._seq = 0

    async def ask(self, servcmd: str, **body: Any) -> dict[str, Any]:
        """The body of the answer; pushes in between are passed over."""
        self._seq += 1
        head = {"servcmd": servcmd, "seq": self._seq, "sdkappid": 1400000000, **self.head}
        self._writer.write(frame(json.dumps({"head": head, "body": body}).encode()))
        while True:
            _, payload = await read_frame(self._reader)
            answer = json.loads(payload)
            if answer["head"]["servcmd"] == servcmd and answer["head"]["seq"] == self._seq:
                assert answer["body"].get("ErrorCode", 0) == 0, answer
                result: dict[str, Any] = answer["body"]
                return result

    async def log_in(self) -> dict[str, Any]:
        """Log in; what everybody may know of the head from then on."""
        answer = await self.ask("im_open_status.wslogin", State="Online")
        public = {"tinyid": answer["TinyId"], "status_instid": answer["InstId"]}
        user = self.head["identifier"]
        self.head = {"a2": answer["A2Key"], **public}
        return {"identifier": user, **public}

    async def say(self, to: str, text: str) -> None:
        """Send a message."""
        content = [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}]
        chance = random.randrange(1, 2**32)
        await self.ask("openim.sendmsg", To_Account=to, MsgSeq=1, MsgRandom=chance, MsgBody=content)


def snapshot(value: Any, seen: dict[int, int] | None = None) -> Any:
    """All that can be reached from `value`, as plain data that can be compared; save the clock's last reading."""
    seen = {} if seen is None else seen
    if isinstance(value, str | bytes | int | float | None):
        return value
    if callable(value) and not hasattr(value, "__slots__"):
        return "function"
    if isinstance(value, random.Random):
        return hash(value.getstate())
    if id(value) in seen:
        return f"again {seen[id(value)]}"
    seen[id(value)] = len(seen)
    if isinstance(value, dict):
        return [(snapshot(key, seen), snapshot(item, seen)) for key, item in value.items()]
    if isinstance(value, set | frozenset):
        return sorted(repr(snapshot(item, seen)) for item in value)
    if hasattr(value, "__iter__") and hasattr(value, "__len__"):
        return [snapshot(item, seen) for item in value]
    names = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    names += list(getattr(value, "__dict__", ()))
    fields = [(name, snapshot(getattr(value, name, None), seen)) for name in names if name != "_seconds"]
    return (type(value).__name__, fields)


def test_a_snapshot_shows_a_change_however_deep() -> None:
    sandbox = Sandbox(DEMO_KEY, users=["alice", "bob"], chance=random.Random(1), now=lambda: 1_700_000_000.0)
    before = snapshot(sandbox.domain)
    assert snapshot(sandbox.domain) == before
    sandbox.domain.accounts.ensure("carol")
    assert snapshot(sandbox.domain) != before


class Weight:
    """What the process holds: memory, tasks, open files."""

    def __init__(self) -> None:
        gc.collect()
        with contextlib.suppress(OSError, AttributeError):
            # What was freed goes back to the system, or the peak would be taken for a leak. glibc only.
            ctypes.CDLL(None).malloc_trim(0)
        with open("/proc/self/statm") as statm:
            self.memory = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        self.tasks = len(asyncio.all_tasks())
        self.files = len(os.listdir("/proc/self/fd"))


Doors = tuple[SandboxServer, SandboxServer]
"""Two servers before the same hub: one for everybody, one with the patience to hear a hostile peer out."""


@contextlib.asynccontextmanager
async def doors(serve: Serve) -> AsyncIterator[Doors]:
    async with serving(serve, caps=CAPS) as server, serving(serve, caps=PATIENT) as patient:
        yield server, patient


async def attack(both: Doors, victim: dict[str, Any], connections: int, frames: int, seed: int) -> int:
    """Everything at once, until the servers are rid of it; what stays is one connection, the victim's.

    How many of the frames the hub must have seen.
    """
    server, patient = both
    _, seen = await asyncio.gather(rude_connections(server, connections, seed), rude_frames(patient, frames, seed, victim))
    await until(lambda: (server.guard.connections, patient.guard.connections) == (1, 0))
    return seen


@contextlib.asynccontextmanager
async def watching(honest: Honest, command: str) -> AsyncIterator[list[float]]:
    """How long a well-behaved client waits for its answers meanwhile, in seconds."""
    waits: list[float] = []

    async def watch() -> None:
        while True:
            asked = time.perf_counter()
            await honest.ask(command)
            waits.append(time.perf_counter() - asked)
            await asyncio.sleep(0.02)

    watcher = asyncio.create_task(watch(), name="watch")
    yield waits
    watcher.cancel()
    await asyncio.wait({watcher})
    assert watcher.cancelled(), watcher.exception()


def check_weight(before: Weight, after: Weight) -> None:
    assert after.memory - before.memory < 16 * 1024 * 1024
    assert after.tasks <= before.tasks + 2
    assert after.files <= before.files + 2


async def test_the_bare_server_survives() -> None:
    async with doors(echo) as both, websocket(both[0]) as (reader, writer):
        writer.write(frame(b"login"))
        assert (await read_frame(reader))[1] == LOGGED_IN
        victim = {"identifier": "alice", "tinyid": "1", "status_instid": 1}
        await attack(both, victim, 100, 200, seed=1)  # caches, pools and the allocator fill once
        before = Weight()
        await attack(both, victim, CONNECTIONS, FRAMES, seed=2)
        check_weight(before, Weight())
        for server in both:
            await healthy(server)
        writer.write(frame(b"still here"))
        assert (await read_frame(reader))[1] == b"still here"


async def test_the_sandbox_survives_and_nothing_forged_had_an_effect() -> None:
    sandbox = Sandbox(DEMO_KEY, users=["alice", "bob"])
    async with doors(sandbox.serve) as both, websocket(both[0]) as peer:
        alice = Honest(peer, "alice", sandbox.usersig("alice"))
        victim = await alice.log_in()
        await alice.ask("group_open_http_svc.create_group", Type="Public", Name="square", GroupId="square")
        await alice.say("bob", "before")
        await attack(both, victim, 100, 200, seed=1)
        before, world = Weight(), snapshot(sandbox.domain)
        with sandbox.observe(kept=1_000_000) as observer:
            async with watching(alice, "heartbeat.alive") as waits:
                sent = await attack(both, victim, CONNECTIONS, FRAMES, seed=2)
            taken = sum(isinstance(item, Garbled | Handled) for item in observer.seen())
        after = Weight()
        assert snapshot(sandbox.domain) == world
        assert taken - len(waits) >= sent > 0.9 * FRAMES  # none was lost on the way
        check_weight(before, after)
        for server in both:
            await healthy(server)
        await alice.say("bob", "after")
        async with websocket(both[0]) as other:
            bob = Honest(other, "bob", sandbox.usersig("bob"))
            await bob.log_in()
            texts = json.dumps(await bob.ask("openim.getmsg", Cookie="", SyncFlag=0))
            assert '"before"' in texts
            assert '"after"' in texts
            assert '"forged"' not in texts
    await sandbox.stop()
    assert max(waits) < 5
