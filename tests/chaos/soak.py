"""One run: people talk, the bot dies and lives again, and at the end the server's store is read."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.killer import Death, Killer
from tests.chaos.lives import Life, Lives
from tests.chaos.plan import BOT, IN_THE_BOT, Kill, Options, Place, Plan, make_plan
from tests.chaos.talkers import Talk, everybody
from tests.chaos.town import KEY, open_town, read_store
from tests.chaos.verdict import Effect, Stored, Verdict, due, judge
from timbot.sandbox import Sandbox

HERE: Final = Path(__file__).parent
READY_PATIENCE: Final = 60.0
PLACE_PATIENCE: Final = 20.0
"""Seconds a kill waits for the bot to pass its place, before it happens where the bot just is."""

Say = Callable[[str], None]

CONFIG: Final = """\
endpoint: ws://127.0.0.1:{port}
accounts:
  - user_id: {bot}
    secret_key_file: key
plugins:
  - {plugin}
loop_guard: 0
http: false
state: state
durability: {durability}
log: {{level: info, format: json, texts: true}}
"""


@dataclass(slots=True)
class Run:
    """What one run was, and what came of it. Times are Unix seconds."""

    options: Options
    folder: Path
    began: float
    ended: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)
    deaths: list[Death] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    unexpected: list[Life] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    injected: list[str] = field(default_factory=list)
    stop_code: int = 0
    """The exit code of the clean stop at the end."""
    said_later: int = 0
    """What the bot said after that stop and one more start, when everything had been said."""

    @property
    def clean(self) -> bool:
        """Nothing is wrong with what was said, and every process ended as it should."""
        return self.verdict.clean and not self.unexpected and self.stop_code == 0 and not self.said_later


async def soak(options: Options, folder: Path, say: Say = lambda _: None) -> Run:
    """Run it in an empty folder. Raises `WillNotRun` if the bot does not start at all."""
    plan, run = make_plan(options), Run(options, folder, time.time())
    lives = Lives(folder, folder / "soak.yaml")
    killer = Killer(lives.kill, folder, options.seed, options.injections)
    async with open_town(options, plan, killer) as (sandbox, port):
        _furnish(folder, options, port)
        lives.begin()
        try:
            await lives.ready(READY_PATIENCE)
            async with everybody(options, plan, sandbox, port) as talkers:
                say(f"{len(talkers)} people, {plan.messages} messages, {len(plan.kills)} kills, seed {options.seed}")
                talk = Talk(options, plan, talkers, killer)
                await _disturbed(talk, sandbox, plan, lives, killer, run, say)
                run.given_up = talk.given_up
                await _settle(sandbox, plan, killer, lives, options, say)
            run.stop_code = await lives.stop()
            said = killer.said.total()
            lives.begin()
            await lives.ready(READY_PATIENCE)
            await asyncio.sleep(min(options.linger, 5.0))
            run.said_later = killer.said.total() - said
        finally:
            await lives.stop()
        store = _stored(sandbox, plan)
    scripted = {conversation.name: [line.text for line in conversation.script] for conversation in plan.conversations}
    run.verdict = judge(store, effects=_effects(folder), unknown=_unknown(lives.log), scripted=scripted)
    lives.read_readiness()
    run.lives, run.unexpected, run.injected, run.ended = lives.lives, lives.unexpected, killer.injected, time.time()
    return run


def _furnish(folder: Path, options: Options, port: int) -> None:
    plugin = HERE / "bots" / f"{options.bot}.py"
    durability = "full" if options.full else "off"  # one that remembers nothing is to be convicted
    (folder / "soak.yaml").write_text(CONFIG.format(port=port, bot=BOT, plugin=plugin, durability=durability), encoding="utf-8")
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_text(KEY, encoding="utf-8")


# Dying


async def _disturbed(talk: Talk, sandbox: Sandbox, plan: Plan, lives: Lives, killer: Killer, run: Run, say: Say) -> None:
    """Let everybody talk while the bot is killed as planned.

    People wait for a bot that takes its time to come back, and for a kill that is late: else it would spend the whole run in
    coming up, and die in silence.
    """
    step = {"next": 0, "limit": 0}

    def may_send() -> bool:
        there = bool(sandbox.domain.accounts.online_instances(BOT))
        if there and (killer.armed or step["next"] >= len(plan.kills)):
            return True
        return talk.begun < (plan.kills[step["next"]].at if there else step["limit"])

    talk.may_send = may_send

    async def killing() -> None:
        for number, kill in enumerate(plan.kills):
            step["next"] = number
            killer.wake()
            while not await killer.until(lambda at=kill.at: killer.sent >= at, 1.0):  # type: ignore[misc]
                lives.check()
            step["limit"] = talk.begun + kill.meanwhile
            await _kill(kill, lives, killer, run)
            if len(run.deaths) % 10 == 0:
                say(f"{killer.sent} messages, {len(run.deaths)} kills, {killer.said.total()} said")
        step["next"] = len(plan.kills)
        killer.wake()

    async with asyncio.TaskGroup() as group:
        group.create_task(killing(), name="killing")
        group.create_task(talk.all(), name="talking")


async def _kill(kill: Kill, lives: Lives, killer: Killer, run: Run) -> None:
    """One death at its place, or, if the bot does not pass it in time, wherever it is."""
    if kill.place is Place.CATCHING_UP:
        before = lives.life
        lives.kill()
        await lives.until(lambda: lives.life is not before, PLACE_PATIENCE)
    life = lives.life
    if kill.place is Place.ANYWHERE:
        await asyncio.sleep(kill.delay)
        lives.kill()
    else:
        killer.arm(kill)
    hit = await lives.until(lambda: life.code is not None, PLACE_PATIENCE)
    killer.disarm()
    if not hit:
        lives.kill()
        await lives.until(lambda: life.code is not None, PLACE_PATIENCE)
    struck = killer.struck[-1][2] if killer.struck and kill.place not in IN_THE_BOT | {Place.ANYWHERE} else ""
    lives.mark(f"KILL {kill.number} '{kill.place}'{'' if hit else ' NOT REACHED'}")
    run.deaths.append(Death(kill, life.number, life.ended or time.time(), killer.sent, hit, struck))
    await lives.until(lambda: lives.life is not life, PLACE_PATIENCE)


# Coming to rest


async def _settle(sandbox: Sandbox, plan: Plan, killer: Killer, lives: Lives, options: Options, say: Say) -> None:
    """Until everything due was said, or nothing has been said for too long; then a little longer, for what should not come."""
    say(f"all is sent; {killer.said.total()} said so far")
    last, since = -1, time.monotonic()
    while time.monotonic() - since < options.patience:
        lives.check()
        said = killer.said.total()
        if said != last:
            last, since = said, time.monotonic()
        if _complete(sandbox, plan):
            break
        await asyncio.sleep(0.5)
    await asyncio.sleep(max(options.linger, options.history_late))


def _stored(sandbox: Sandbox, plan: Plan) -> dict[str, list[Stored]]:
    return {conversation.name: read_store(sandbox.domain, conversation) for conversation in plan.conversations}


def _complete(sandbox: Sandbox, plan: Plan) -> bool:
    for stored in _stored(sandbox, plan).values():
        said = {message.text for message in stored if message.sender == BOT}
        if not all(item.text in said for item in due(stored)):
            return False
    return True


def _effects(folder: Path) -> list[Effect]:
    file = folder / "effects"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [Effect(**json.loads(line)) for line in lines]


def _unknown(log: Path) -> dict[str, int]:
    """How many messages the bot says it cannot tell of, by conversation."""
    found: Counter[str] = Counter()
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if "OutcomeUnknown" in line or '"outcome unknown"' in line:
            try:
                found[str(json.loads(line).get("conversation", ""))] += 1
            except ValueError:
                continue
    return dict(found)
